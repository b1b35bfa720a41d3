"""One build at a time in a project's folder."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from movie_build.errors import StoreError


def hold(path: Path, name: str, after_waiting: Callable[[], None]) -> Callable[[], None]:
    """Take the lock at `path`; the result lets it go, as does the end of the process.

    While another process has it, it is waited for, and then `after_waiting` is called.

    Raises:
        StoreError: the folder cannot be written to.
    """
    try:
        import fcntl
    except ImportError:  # Windows: pieces are still written atomically
        return lambda: None
    try:
        path.parent.mkdir(exist_ok=True)
        file = path.open("w")
    except OSError as error:
        where = f"{path.parent.name}/"
        raise StoreError(f"{name}: cannot write to {where}: {error.strerror}") from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print(f"{name}: another build is at work here; waiting for it", file=sys.stderr)
        fcntl.flock(file, fcntl.LOCK_EX)
        after_waiting()
    return file.close
