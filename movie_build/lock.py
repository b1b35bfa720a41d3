"""One build at a time in a project's folder."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path


def hold(path: Path, name: str) -> Callable[[], None]:
    """Take the lock at `path`, waiting while another process has it; the result lets it go.

    The system lets go of it when the process ends, however it ends.
    """
    try:
        import fcntl
    except ImportError:  # Windows: pieces are still written atomically
        return lambda: None
    file = path.open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print(f"{name}: another build is at work here; waiting for it", file=sys.stderr)
        fcntl.flock(file, fcntl.LOCK_EX)
    return file.close
