"""The store: pieces of all projects by key, so that nothing is made, or paid for, twice.

It stands behind `build/` in layers: the user's folder, then optionally one
that a team shares. All of it is safe to delete. An object is its payload with
the SHA-256 of its key and payload behind it (32 bytes), under `ab/cdef…`. One
whose digest is wrong was damaged, or belongs under another key; it is dropped.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Protocol

from movie_build.atomic import write_bytes
from movie_build.flags import flag
from movie_build.store_counts import add_counts

LAYOUT = "v2"
_DIGEST_SIZE = 32
_ASKED_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Found:
    """An object's payload, and the name of the layer that it came from."""

    payload: bytes
    origin: str


class Layer(Protocol):
    """One place where objects are kept. May be used from several threads, and processes."""

    name: str

    def get(self, key: str) -> bytes | None:
        """The object of `key`, verified; None if there is none. A damaged one is removed."""
        ...

    def has(self, key: str) -> bool:
        """Whether there is an object of `key`, damaged or not."""
        ...

    def put(self, key: str, payload: bytes) -> None:
        """Keep `payload` under `key`, at once or soon. What goes wrong is told by `settle`."""
        ...

    def settle(self, within_s: float | None = None) -> list[str]:
        """End a run: finish what is under way; what went wrong, a sentence each.

        Without `within_s`, the layer's usual time is waited at most.
        """
        ...


class FolderStore:
    """Objects in a folder. An object's modification time is when it was last of use."""

    def __init__(self, folder: Path, name: str = "store") -> None:
        self.name = name
        self.folder = folder / LAYOUT
        self._refusal: OSError | None = None

    def path(self, key: str) -> Path:
        """Where the object of `key` lies."""
        return self.folder / object_name(key)

    def get(self, key: str) -> bytes | None:
        """The object of `key`, verified; it counts as used now."""
        payload = self.peek(key)
        if payload is not None:
            with suppress(OSError):
                os.utime(self.path(key))
        return payload

    def peek(self, key: str) -> bytes | None:
        """The object of `key`, verified, without counting as a use."""
        path = self.path(key)
        try:
            whole = path.read_bytes()
        except OSError:
            return None
        payload = unsealed(key, whole)
        if payload is None:
            with suppress(OSError):
                path.unlink()
        return payload

    def has(self, key: str) -> bool:
        """Whether there is an object of `key`."""
        return self.path(key).is_file()

    def put(self, key: str, payload: bytes) -> None:
        """Keep `payload` under `key`."""
        path = self.path(key)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_bytes(path, sealed(key, payload))
        except OSError as error:
            self._refusal = error

    def settle(self, within_s: float | None = None) -> list[str]:
        """What went wrong since the last call."""
        refusal, self._refusal = self._refusal, None
        if refusal is None:
            return []
        return [f"the store {self.folder} cannot be written to: {refusal.strerror or refusal}"]


class Store:
    """Layers of objects, the nearest first; what a further one has is copied into the nearer."""

    def __init__(self, layers: Sequence[Layer], counts: Path | None = None) -> None:
        self.layers = tuple(layers)
        self._counts_path = counts
        self._counts: Counter[str] = Counter()
        self._guard = threading.Lock()

    def get(self, key: str) -> Found | None:
        """The object of `key`, and where it was."""
        for n, layer in enumerate(self.layers):
            payload = layer.get(key)
            if payload is not None:
                for nearer in self.layers[:n]:
                    nearer.put(key, payload)
                self._count(layer.name)
                return Found(payload, layer.name)
        self._count("missed")
        return None

    def having(self, keys: Iterable[str]) -> set[str]:
        """Those of `keys` that some layer has an object of, be it damaged."""
        from concurrent.futures import ThreadPoolExecutor

        left = set(keys)
        found: set[str] = set()
        for layer in self.layers:
            if left:
                with ThreadPoolExecutor(_ASKED_AT_ONCE) as pool:
                    ordered = list(left)
                    answers = pool.map(layer.has, ordered)
                    has = {key for key, yes in zip(ordered, answers, strict=True) if yes}
                found |= has
                left -= has
        return found

    def has(self, key: str) -> bool:
        """Whether some layer has an object of `key`."""
        return any(layer.has(key) for layer in self.layers)

    def put(self, key: str, payload: bytes) -> None:
        """Keep `payload` under `key` in every layer."""
        for layer in self.layers:
            layer.put(key, payload)

    def settle(self, within_s: float | None = None) -> list[str]:
        """End a run: wait for uploads, at most `within_s`, and keep the counts; what to warn of."""
        with self._guard:
            counts, self._counts = self._counts, Counter()
        if self._counts_path and counts:
            add_counts(self._counts_path, counts)
        return [told for layer in self.layers for told in layer.settle(within_s)]

    def _count(self, what: str) -> None:
        with self._guard:
            self._counts[what] += 1


def object_name(key: str) -> str:
    """Where an object lies below its layout's folder: `ab/cdef…`."""
    return f"{key[:2]}/{key[2:]}"


def sealed(key: str, payload: bytes) -> bytes:
    """`payload` as an object: with the digest of its key and itself behind it."""
    return payload + _seal(key, payload)


def unsealed(key: str, whole: bytes) -> bytes | None:
    """The payload of an object; None if it is not what was sealed under `key`."""
    payload, digest = whole[:-_DIGEST_SIZE], whole[-_DIGEST_SIZE:]
    return payload if _seal(key, payload) == digest else None


def _seal(key: str, payload: bytes) -> bytes:
    hashed = hashlib.sha256(key.encode())
    hashed.update(payload)
    return hashed.digest()


def default_folder() -> Path:
    """Where the user's store lies: `MOVIE_BUILD_CACHE`, else the XDG cache folder."""
    if named := os.environ.get("MOVIE_BUILD_CACHE"):
        return Path(named).expanduser()
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "movie-build"


def counts_path() -> Path:
    """Where the user's hits and misses are counted."""
    return default_folder() / "counts.sqlite"


def open_store(*, shared: str = "", read_only: bool = False) -> Store:
    """The user's store, with the shared one behind it if there is one.

    `shared` (a URL) and `read_only` are what the project's settings say;
    `MOVIE_BUILD_SHARED_CACHE` (a URL, or `off`) and
    `MOVIE_BUILD_CACHE_READ_ONLY` override them. Sessions of one process share it.

    Raises:
        MovieBuildError: there is no such kind of store, or its library is not installed.
    """
    url, read_only = shared_settings(shared, read_only)
    return _opened(default_folder(), url, read_only)


def shared_settings(shared: str, read_only: bool) -> tuple[str, bool]:
    """The shared store's URL, empty if there is none, and whether it is only read."""
    url = os.environ.get("MOVIE_BUILD_SHARED_CACHE") or shared
    url = "" if url in ("off", "none", "0") else url
    return url, flag("MOVIE_BUILD_CACHE_READ_ONLY", read_only)


@cache
def _opened(folder: Path, shared: str, read_only: bool) -> Store:
    user = FolderStore(folder)
    counts = folder / "counts.sqlite"
    if not shared:
        return Store([user], counts)
    from movie_build.store_shared import SharedStore

    return Store([user, SharedStore(shared, read_only=read_only, again=user.peek)], counts)
