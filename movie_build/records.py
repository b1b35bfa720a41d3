"""What is known of each file of a project: its key, digest, size and time, in one database.

`build/records.sqlite` is disposable. A file without a record, or that differs
from it, is not trusted: it is looked at again, or made again.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import suppress
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from movie_build.errors import StoreError


@dataclass(frozen=True, slots=True)
class Record:
    """A file that a build made: `name` is its path in the project, `recipe` what its key digests.

    `origin` is `made`, `store` or `shared`; `facts` is JSON of what the step measured.
    """

    name: str
    key: str
    step: str
    sha256: str
    size: int
    mtime_ns: int
    origin: str
    made_at: float
    seconds: float
    recipe: str = ""
    facts: str = ""

    def matches(self, size: int, mtime_ns: int) -> bool:
        """Whether a file's size and time are what was recorded."""
        return self.size == size and self.mtime_ns == mtime_ns


_COLUMNS = [f.name for f in fields(Record)]


class Records:
    """The records of one project; may be used from several threads.

    With `look_only`, what is put is known to this object and written nowhere.
    """

    def __init__(self, path: Path, *, look_only: bool = False) -> None:
        self._path = path
        self._look_only = look_only
        self._lock = threading.Lock()
        self._db: sqlite3.Connection | None = None
        self._records: dict[str, Record] | None = None
        self._digests: dict[str, tuple[int, int, str]] | None = None
        self._digested: set[str] = set()

    def get(self, name: str) -> Record | None:
        """The record of the file called `name`."""
        with self._lock:
            return self._loaded().get(name)

    def all(self) -> list[Record]:
        """Every record, also of files that are not there any more."""
        with self._lock:
            return list(self._loaded().values())

    def put(self, record: Record) -> None:
        """Remember `record`, at once and durably against a kill of this process.

        Raises:
            StoreError: there is no space, or the folder is read-only.
        """
        marks = ",".join("?" * len(_COLUMNS))
        with self._lock:
            self._loaded()[record.name] = record
            try:
                db = self._open_for_writing()
                db.execute(f"REPLACE INTO records VALUES ({marks})", astuple(record))
                db.commit()
            except (OSError, sqlite3.OperationalError) as error:
                name = f"{self._path.parent.name}/{self._path.name}"
                raise StoreError(f"cannot write {name}: {error}") from error

    def digest(self, path: Path) -> str:
        """The SHA-256 of a file of the user's, read again only if its size or time changed."""
        self._digested.add(str(path))
        stat = path.stat()
        seen = (stat.st_size, stat.st_mtime_ns)
        with self._lock:
            self._loaded()
            assert self._digests is not None
            known = self._digests.get(str(path))
        if known and known[:2] == seen:
            return known[2]
        digest = sha256_of(path)
        # A file saved again within its time stamp's grain could change unseen.
        if time.time_ns() - stat.st_mtime_ns > 50_000_000:
            with self._lock, suppress(OSError, sqlite3.OperationalError):  # it only saves time
                self._digests[str(path)] = (*seen, digest)
                db = self._open_for_writing()
                db.execute("REPLACE INTO digests VALUES (?,?,?,?)", (str(path), *seen, digest))
                db.commit()
        return digest

    def digested(self) -> frozenset[str]:
        """The paths of the files of the user's that were asked for."""
        return frozenset(self._digested)

    def look_again(self) -> None:
        """Read everything anew when it is next asked for: another process has been at work."""
        with self._lock:
            self._records = self._digests = None

    def close(self) -> None:
        """Close the database; it opens again when needed."""
        with self._lock:
            if self._db:
                self._db.close()
                self._db = None

    def _loaded(self) -> dict[str, Record]:
        if self._records is None:
            self._records, self._digests = {}, {}
            if self._path.exists():
                try:
                    self._read(f"{self._path.resolve().as_uri()}?mode=ro")
                except sqlite3.DatabaseError:
                    self._recover()
        return self._records

    def _read(self, uri: str) -> None:
        db = sqlite3.connect(uri, timeout=30, uri=True)
        try:
            rows = db.execute(f"SELECT {','.join(_COLUMNS)} FROM records").fetchall()
            digests = db.execute("SELECT path, size, mtime_ns, sha256 FROM digests").fetchall()
        finally:
            db.close()
        self._records = {row[0]: Record(*row) for row in rows}
        self._digests = {path: (size, mtime_ns, digest) for path, size, mtime_ns, digest in digests}

    def _recover(self) -> None:
        """Read again with the right to roll back what a kill interrupted; else begin anew."""
        if self._look_only:
            self._read_a_copy()
            return
        try:
            self._read(f"{self._path.resolve().as_uri()}?mode=rw")
        except sqlite3.DatabaseError as error:
            # Another process may just be making it: then there is nothing to read, or to forget.
            if "no such table" not in str(error):
                self._forget()

    def _read_a_copy(self) -> None:
        """Read what a kill interrupted from a copy, which may be rolled back."""
        import shutil
        import tempfile

        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / self._path.name
            try:
                shutil.copy(self._path, copy)
                journal = self._path.with_name(f"{self._path.name}-journal")
                if journal.exists():
                    shutil.copy(journal, copy.with_name(journal.name))
                self._read(f"{copy.as_uri()}?mode=rw")
            except (OSError, sqlite3.DatabaseError):
                self._records, self._digests = {}, {}

    def _forget(self) -> None:
        """Begin again: what cannot be read is disposable."""
        if self._db:
            self._db.close()
            self._db = None
        for path in (self._path, self._path.with_name(self._path.name + "-journal")):
            path.unlink(missing_ok=True)
        self._records, self._digests = {}, {}

    def _open_for_writing(self) -> sqlite3.Connection:
        if self._db is None:
            if not self._look_only:
                self._path.parent.mkdir(parents=True, exist_ok=True)
            place = ":memory:" if self._look_only else self._path
            db = sqlite3.connect(place, timeout=30, check_same_thread=False)
            # A kill leaves a journal to roll back; a power cut may lose records, and so pieces'
            # standing as good, never their truth: bytes are verified when they are taken.
            db.execute("PRAGMA journal_mode=TRUNCATE")
            db.execute("PRAGMA synchronous=OFF")
            columns = ",".join(c + (" PRIMARY KEY" if c == "name" else "") for c in _COLUMNS)
            db.execute(f"CREATE TABLE IF NOT EXISTS records ({columns})")
            db.execute(
                "CREATE TABLE IF NOT EXISTS digests (path PRIMARY KEY, size, mtime_ns, sha256)"
            )
            self._db = db
        return self._db


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's bytes, 64 hex digits."""
    import hashlib

    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
