"""PDF files, one at a time: PDFium must not be in two threads at once, whatever they read."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from movie_build.errors import MissingExtra, MovieBuildError

if TYPE_CHECKING:
    import pypdfium2

# pypdfium2's Python API, "Incompatibility with Threading".
_ONE = threading.Lock()
_PASSWORD = 4  # FPDF_ERR_PASSWORD, fpdfview.h


@contextmanager
def opened(
    pdf: Path | bytes, name: str, error: type[MovieBuildError]
) -> Iterator[pypdfium2.PdfDocument]:
    """The PDF in a file or its bytes, called `name` in messages; others wait until the block ends.

    Raises:
        MissingExtra: pypdfium2 is not installed.
        error: it is missing, no PDF, damaged, or locked with a password.
    """
    try:
        import pypdfium2
    except ImportError:
        raise MissingExtra("pdf", f"reading {name}") from None

    with _ONE:
        try:
            document = pypdfium2.PdfDocument(pdf)
        except FileNotFoundError:
            raise error(f"there is no file {name}") from None
        except pypdfium2.PdfiumError as failure:
            if failure.err_code == _PASSWORD:
                what = "is locked with a password: save it without one"
            else:
                what = "is no PDF, or damaged: save it anew"
            raise error(f"{name} {what}") from failure
        try:
            yield document
        except pypdfium2.PdfiumError as failure:
            raise error(f"{name} is damaged: {failure}; save it anew") from failure
        finally:
            document.close()
