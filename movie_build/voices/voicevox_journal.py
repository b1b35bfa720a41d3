"""What was lent to an engine's user dictionary, written down before it is done.

Every build that uses an engine reads and writes the same file, one at a time, so builds at
the same time do not hear each other's words, and what a killed one left is known as ours.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from movie_build.atomic import write_bytes
from movie_build.errors import StoreError


@dataclass(frozen=True, slots=True)
class Loan:
    """A word of ours in an engine's dictionary.

    `uuid` is empty until the engine has told it; `before` are the entries that
    its surface had already, which are the user's.
    """

    surface: str
    pronunciation: str
    accent_type: int
    word_type: str
    priority: int
    uuid: str = ""
    before: tuple[str, ...] = ()


class Journal:
    """The loans of the engine at `url`, kept in `folder`."""

    def __init__(self, folder: Path, url: str) -> None:
        name = hashlib.sha256(url.encode()).hexdigest()[:16]
        self._folder = folder
        self._path = folder / f"{name}.json"
        self._gate = folder / f"{name}.gate"
        self._users = folder / f"{name}.users"
        self._here = threading.Lock()
        self._user: IO[str] | None = None

    @contextmanager
    def alone(self) -> Iterator[None]:
        """While it lasts, no other thread or process of this machine is in here.

        Raises:
            StoreError: the folder cannot be written.
        """
        with self._here, ExitStack() as open_files:
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
                gate = open_files.enter_context(self._gate.open("w"))
            except OSError as error:
                raise StoreError(f"cannot write {self._folder}: {error.strerror}") from error
            _lock(gate)
            yield

    def read(self) -> list[Loan]:
        """The loans that are out."""
        try:
            told = json.loads(self._path.read_text(encoding="utf-8"))
            return [Loan(**{**loan, "before": tuple(loan["before"])}) for loan in told["loans"]]
        except (OSError, ValueError, TypeError, KeyError):
            return []

    def write(self, loans: Sequence[Loan]) -> None:
        """Keep `loans`, on disk when this returns."""
        if not loans:
            self._path.unlink(missing_ok=True)
            return
        text = json.dumps({"loans": [asdict(loan) for loan in loans]}, ensure_ascii=False)
        write_bytes(self._path, text.encode(), durable=True)

    def enter(self) -> bool:
        """Count this build among the engine's users; whether it is the only one. Within `alone`."""
        user = self._users.open("w")
        only = _lock(user, wait=False)
        _lock(user, shared=True)
        self._user = user
        return only

    @contextmanager
    def leaving(self) -> Iterator[bool]:
        """Count it out at the end, unless that fails; whether no other is left. Within `alone`."""
        assert self._user
        last = _lock(self._user, wait=False)
        try:
            yield last
        except BaseException:
            _lock(self._user, shared=True)
            raise
        self.leave()

    def leave(self) -> None:
        """Count it out."""
        if self._user:
            self._user.close()
        self._user = None


def _lock(file: IO[str], *, shared: bool = False, wait: bool = True) -> bool:
    """Lock `file` for as long as it is open; False if it is another's, and not to be waited for."""
    try:
        import fcntl
    except ImportError:  # Windows: only the threads of this process are kept apart
        return True
    kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    try:
        fcntl.flock(file, kind if wait else kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
