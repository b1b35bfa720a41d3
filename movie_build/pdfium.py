"""PDF files, one at a time: PDFium must not be in two threads at once, whatever they read."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from movie_build.errors import MissingExtra, MovieBuildError

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument, PdfPage

    from movie_build.pdf_weight import Scales

# pypdfium2's Python API, "Incompatibility with Threading".
_ONE = threading.Lock()


class Pdf:
    """An open PDF, called `name` in messages, whose pages are weighed before they are loaded."""

    def __init__(self, document: PdfDocument, name: str, error: type[MovieBuildError]) -> None:
        self.document = document
        self._name = name
        self._error = error
        self._scales: Scales | None = None

    def __len__(self) -> int:
        return len(self.document)

    def page(self, index: int) -> PdfPage:
        """A page, counted from 0.

        Raises:
            error: it unfolds to more than a machine may hold, or nobody can tell.
        """
        from movie_build.pdf_content import TooHeavy

        what = f"{self._name}: page {index + 1}"
        try:
            self._weigh(index)
        except TooHeavy as heavy:
            hint = (
                "which may fill the memory; if you trust the file, print it to a new PDF as images"
            )
            raise self._error(f"{what} {heavy}, {hint}") from None
        except Exception as failure:  # whatever pypdf comes upon in a file that is made to break it
            hint = "print it to a new PDF"
            raise self._error(f"{what} cannot be checked before it is read; {hint}") from failure
        return self.document[index]

    def _weigh(self, index: int) -> None:
        from movie_build.pdf_weight import Scales

        if self._scales is None:
            # As PDFium understands the file, mended and unlocked: what is weighed is what it draws.
            self._scales = Scales(_written(self.document))
        self._scales.weigh(index)


@contextmanager
def opened(file: Path | bytes, name: str, error: type[MovieBuildError]) -> Iterator[Pdf]:
    """The PDF in a file or its bytes, called `name` in messages; others wait until the block ends.

    Raises:
        MissingExtra: pypdfium2 or pypdf is not installed.
        error: it is missing, no PDF, damaged, locked, or made to fill the memory.
    """
    try:
        import pypdf  # noqa: F401
        import pypdfium2
    except ImportError:
        raise MissingExtra("pdf", f"reading {name}") from None
    from movie_build.pdf_content import TooHeavy, check_streams

    try:
        content = file if isinstance(file, bytes) else file.read_bytes()
        check_streams(content)
    except FileNotFoundError:
        raise error(f"there is no file {name}") from None
    except TooHeavy as heavy:
        raise error(f"{name} {heavy}, which may fill the memory; get or make it anew") from None
    with _ONE:
        try:
            document = pypdfium2.PdfDocument(content)
        except pypdfium2.PdfiumError as failure:
            raise error(f"{name} {_why_not(failure)}") from failure
        try:
            yield Pdf(document, name, error)
        except pypdfium2.PdfiumError as failure:
            raise error(f"{name} is a damaged PDF: {failure}; save it anew") from failure
        finally:
            document.close()


def _why_not(failure: Exception) -> str:
    import pypdfium2.raw as pdfium

    code = getattr(failure, "err_code", None)
    if code == pdfium.FPDF_ERR_PASSWORD:
        return "is locked with a password; save a copy of it without one"
    if code == pdfium.FPDF_ERR_SECURITY:
        return "is encrypted in a way that cannot be read; save a copy of it without that"
    return "is no PDF, or a damaged one; open it in a viewer and save it anew"


def _written(document: PdfDocument) -> bytes:
    import pypdfium2.raw as pdfium

    file = io.BytesIO()
    document.save(file, flags=pdfium.FPDF_REMOVE_SECURITY)
    return file.getvalue()
