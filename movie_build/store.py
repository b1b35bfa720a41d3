"""The user's store: pieces of all projects by key, so that nothing is made twice.

It is safe to delete. An object is its payload with the payload's SHA-256
behind it (32 bytes), under `ab/cdef…`; one whose digest is wrong is dropped.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from movie_build.atomic import write_bytes

_LAYOUT = "v1"
_DIGEST_SIZE = 32


def default_folder() -> Path:
    """Where the user's store lies: `MOVIE_BUILD_CACHE`, else the XDG cache folder."""
    if named := os.environ.get("MOVIE_BUILD_CACHE"):
        return Path(named).expanduser()
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "movie-build"


class Store:
    """Objects by key in a folder; several processes may share it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / _LAYOUT
        self.refusal: OSError | None = None

    def path(self, key: str) -> Path:
        """Where the object of `key` lies."""
        return self.folder / key[:2] / key[2:]

    def get(self, key: str) -> bytes | None:
        """The object of `key`, verified; None if there is none. A damaged one is removed."""
        path = self.path(key)
        try:
            whole = path.read_bytes()
        except OSError:
            return None
        payload, digest = whole[:-_DIGEST_SIZE], whole[-_DIGEST_SIZE:]
        if hashlib.sha256(payload).digest() == digest:
            return payload
        path.unlink(missing_ok=True)
        return None

    def put(self, key: str, payload: bytes) -> None:
        """Keep `payload` under `key`. A store that cannot be written to only sets `refusal`."""
        path = self.path(key)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_bytes(path, payload + hashlib.sha256(payload).digest())
        except OSError as error:
            self.refusal = error
