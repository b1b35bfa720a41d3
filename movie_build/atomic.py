"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

_MARK = "part-"


@contextmanager
def appearing(path: Path, *, durable: bool = False, replace: bool = True) -> Iterator[Path]:
    """A temporary path beside `path`, renamed to it at the end; gone if the block raises.

    `durable` waits until the bytes are on the disk: for files that cannot be made again.

    Raises:
        FileExistsError: there is a file at `path` already, and `replace` is not given.
    """
    part = path.with_name(f".{_MARK}{os.getpid()}-{threading.get_ident()}-{path.name[-60:]}")
    try:
        yield part
        if durable:
            with part.open("rb+") as file:
                os.fsync(file.fileno())
        if replace:
            part.replace(path)
        else:
            _link(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _link(part: Path, path: Path) -> None:
    """Give `part` the name `path`, unless there is such a file."""
    try:
        path.hardlink_to(part)
    except FileExistsError:
        raise
    except OSError:  # a file system without links
        part.replace(path)
    else:
        part.unlink()


def write_bytes(
    path: Path,
    content: bytes,
    *,
    durable: bool = False,
    before_rename: Callable[[os.stat_result], None] | None = None,
) -> None:
    """Write `content` to `path` atomically; `before_rename` sees the finished file's stat."""
    with appearing(path, durable=durable) as part:
        part.write_bytes(content)
        if before_rename:
            before_rename(part.stat())


def remove_leftovers(folder: Path) -> None:
    """Remove what killed builds left in `folder`; only to be called where none other is running."""
    if folder.is_dir():
        for path in folder.glob(f".{_MARK}*"):
            path.unlink(missing_ok=True)
