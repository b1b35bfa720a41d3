"""Pieces, and the bench where they are made: taken if right, else fetched, else made.

A piece's file is right if its size and time are those recorded with its key.
Its bytes are verified whenever they are taken into another piece, and a
damaged piece is made again on the spot.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path

from movie_build import interrupt
from movie_build.atomic import write_bytes
from movie_build.errors import FrozenError, Mistake, StoreError, Where, shown
from movie_build.keys import digest, key_of
from movie_build.records import Record, Records, sha256_of
from movie_build.store import Found, Store

# How a piece came to be there; one from a store has that layer's name: "store" or "shared".
MADE, STORED, SHARED, HERE = "made", "store", "shared", "here"


@dataclass(frozen=True, slots=True)
class Piece:
    """One file under `build/`: what it is made from (`recipe`) and how (`make`).

    `make` gets the bench to take the bytes of the pieces in `needs` from. A
    `remote` piece is made by a service, and may cost money.
    """

    step: str
    recipe: str
    path: Path
    make: Callable[[Bench], bytes] = field(compare=False, repr=False)
    needs: tuple[Piece, ...] = field(default=(), compare=False, repr=False)
    remote: bool = field(default=False, compare=False)
    key: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", key_of(self.recipe))


class Bench:
    """Where the pieces of one project are made. May be used from several threads.

    A `frozen` one makes no remote piece.
    """

    def __init__(
        self, folder: Path, records: Records, store: Store, *, frozen: bool = False
    ) -> None:
        self.folder = folder
        self.records = records
        self.store = store
        self.frozen = frozen
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._guard = threading.Lock()

    def fresh(self, piece: Piece) -> bool:
        """Whether the piece's file is there and is what was made."""
        return self.stands(piece.path, piece.key)

    def stands(self, path: Path, key: str) -> bool:
        """Whether the file at `path` was made under `key`, and has the size and time recorded.

        A file that only got another time (a copied project) is looked into, and recorded anew.
        """
        record = self.records.get(self.name(path))
        if record is None or record.key != key:
            return False
        try:
            stat = path.stat()
            if record.matches(stat.st_size, stat.st_mtime_ns):
                return True
            if record.size != stat.st_size or sha256_of(path) != record.sha256:
                return False
        except OSError:
            return False
        self.records.put(replace(record, mtime_ns=stat.st_mtime_ns))
        return True

    def name(self, path: Path) -> str:
        """What `path` is called in the records: relative to the project."""
        return shown(path, self.folder)

    def ensure(self, piece: Piece) -> str:
        """See that the piece is there; how: HERE already, STORED or SHARED earlier, or MADE.

        Raises:
            MovieBuildError: it cannot be made.
            StoreError: it cannot be written.
        """
        with self._lock(piece.key):
            if self.fresh(piece):
                return HERE
            return self._fill(piece)[0]

    def obtain(self, piece: Piece) -> bool:
        """See that the piece is there without making it; False if it is nowhere.

        Raises:
            StoreError: it cannot be written.
        """
        with self._lock(piece.key):
            return self.fresh(piece) or self._fetch(piece) is not None

    def take(self, piece: Piece) -> bytes:
        """The piece's bytes, verified; a missing or damaged one is made first."""
        with self._lock(piece.key):
            record = self.records.get(self.name(piece.path))
            if record and record.key == piece.key:
                content = self._read(piece, record)
                if content is not None:
                    return content
            return self._fill(piece)[1]

    def held(self, piece: Piece) -> bytes | None:
        """The piece's bytes, verified, from its file or a store; None if it is nowhere.

        Nothing is made, and nothing is written to the project.
        """
        record = self.records.get(self.name(piece.path))
        content = self._read(piece, record) if record and record.key == piece.key else None
        if content is not None:
            return content
        found = self.store.get(piece.key)
        return found.payload if found else None

    def remembered(self, recipe: str, make: Callable[[], bytes]) -> bytes:
        """What `make` gives for `recipe`, from the store if it did before. It is no file of ours.

        For what goes into a piece and costs too much to be lost with a piece half made.
        """
        key = key_of(recipe)
        with self._lock(key):
            if found := self.store.get(key):
                return found.payload
            content = make()
            self.store.put(key, content)
            return content

    def _fill(self, piece: Piece) -> tuple[str, bytes]:
        found = self._fetch(piece)
        if found:
            return found.origin, found.payload
        if self.frozen and piece.remote:
            what = "is missing or damaged, and only a service can make it"
            raise FrozenError([Mistake(Where(self.name(piece.path)), what)])
        with interrupt.asking() if piece.remote else nullcontext():
            began = time.monotonic()
            content = piece.make(self)
            self.store.put(piece.key, content)
            self._write(piece, content, MADE, time.monotonic() - began)
        return MADE, content

    def _fetch(self, piece: Piece) -> Found | None:
        found = self.store.get(piece.key)
        if found:
            self._write(piece, found.payload, found.origin, 0.0)
        return found

    def _write(self, piece: Piece, content: bytes, origin: str, seconds: float) -> None:
        record = Record(
            name=self.name(piece.path),
            key=piece.key,
            step=piece.step,
            sha256=digest(content),
            size=len(content),
            mtime_ns=0,
            origin=origin,
            made_at=time.time(),
            seconds=seconds,
            recipe=piece.recipe,
        )
        try:
            piece.path.parent.mkdir(parents=True, exist_ok=True)
            # Recorded before it gets its name: a file under its name always has a record.
            write_bytes(
                piece.path,
                content,
                durable=piece.remote,
                before_rename=lambda stat: self.records.put(
                    replace(record, mtime_ns=stat.st_mtime_ns)
                ),
            )
        except OSError as error:
            where = shown(piece.path, self.folder)
            raise StoreError(f"cannot write {where}: {error.strerror or error}") from error

    def _read(self, piece: Piece, record: Record) -> bytes | None:
        try:
            content = piece.path.read_bytes()
        except OSError:
            return None
        return content if digest(content) == record.sha256 else None

    def _lock(self, key: str) -> threading.Lock:
        # By key: what is the same is made, and paid for, once, whatever its files are called.
        with self._guard:
            return self._locks[key]
