"""The digest of a file, remembered while the file is as it was."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

from movie_build.errors import SlideError


def file_digest(path: Path) -> str:
    """The SHA-256 of a file, 64 hex digits; read again only when its size or time is another.

    Raises:
        SlideError: it cannot be read.
    """
    try:
        stat = path.stat()
        return _digest(path, stat.st_size, stat.st_mtime_ns)
    except OSError as error:
        raise SlideError(f"cannot read {path}: {error.strerror}") from error


@lru_cache(maxsize=4096)
def _digest(path: Path, _size: int, _mtime_ns: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
