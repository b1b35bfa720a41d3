"""A store that a team and its CI share: anything that fsspec opens.

It is a convenience, never a condition: what cannot be reached, read or written
is told once at the end of the run, and the build goes on without it.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable

from movie_build.address import bare
from movie_build.remote_files import RemoteFiles, shown_url
from movie_build.store import LAYOUT, Store, object_name, sealed, unsealed

_N_UPLOADERS = 4
_HELD_MAX_BYTES = 64_000_000


class SharedStore:
    """Objects behind an fsspec URL. Uploads happen in the background, `settle` waits for them.

    `again` gives an object's payload a second time, so that not all of a long
    backlog has to be held in memory.
    """

    name = "shared"

    def __init__(
        self,
        url: str,
        *,
        read_only: bool = False,
        again: Callable[[str], bytes | None] = lambda key: None,
        settle_s: float = 30.0,
        timeout_s: float = 10.0,
    ) -> None:
        self.url = shown_url(url)
        self.read_only = read_only
        self._files = RemoteFiles(url, read_only=read_only, timeout_s=timeout_s)
        self._again = again
        self._settle_s = settle_s
        self._changed = threading.Condition()
        self._waiting: deque[tuple[str, bytes | None]] = deque()
        self._n_uploaders = 0
        self._held_bytes = 0
        self._begin()

    def _begin(self) -> None:
        """Know of no trouble, and of no success."""
        self._troubles: list[str] = []
        self._unreachable = False
        self._unwritable = False
        self._gave = False
        self._denial = ""
        self._n_lost = 0
        self._damaged: list[str] = []

    def get(self, key: str) -> bytes | None:
        """The object of `key`, verified; None also where the store does not answer."""
        if self._unreachable:
            return None
        try:
            whole = self._files.read(_path(key))
        except FileNotFoundError:
            return None
        except PermissionError as error:
            # Also what S3 says of an object that is not there, to those who may not list.
            self._denial = _reason(error)
            return None
        except Exception as error:  # whatever a file system's client raises
            self._leave(error)
            return None
        self._gave = True
        payload = unsealed(key, whole)
        if payload is None:
            self._drop(key)
        return payload

    def has(self, key: str) -> bool:
        """Whether there is an object of `key`; no, where the store does not answer."""
        if self._unreachable:
            return False
        try:
            return self._files.exists(_path(key))
        except PermissionError as error:
            self._denial = _reason(error)
            return False
        except Exception as error:  # whatever a file system's client raises
            self._leave(error)
            return False

    def having(self, keys: Iterable[str]) -> set[str]:
        """Those of `keys` that there is an object of."""
        return Store([self]).having(keys)

    def put(self, key: str, payload: bytes) -> None:
        """Have `payload` uploaded under `key`, soon."""
        if self.read_only or self._unreachable or self._unwritable:
            return
        with self._changed:
            hold = self._held_bytes + len(payload) <= _HELD_MAX_BYTES
            self._held_bytes += len(payload) if hold else 0
            self._waiting.append((key, payload if hold else None))
            if self._n_uploaders < _N_UPLOADERS:
                self._n_uploaders += 1
                threading.Thread(target=self._upload_all, name="upload", daemon=True).start()

    def settle(self, within_s: float | None = None) -> list[str]:
        """Wait for the uploads, at most `within_s`; what went wrong since the last call."""
        limit_s = self._settle_s if within_s is None else within_s
        with self._changed:
            if not self._changed.wait_for(lambda: not self._n_uploaders, limit_s):
                self._n_lost += len(self._waiting) + self._n_uploaders
                self._waiting.clear()
                self._held_bytes = 0
            if self._n_lost and not self._unreachable:
                self._troubles.append(
                    f"{self._n_lost} pieces were not uploaded to {self.url} in time; "
                    "`movie-build cache push` sends them"
                )
            if self._damaged:
                n, first = len(self._damaged), self._damaged[0]
                objects = "1 damaged object" if n == 1 else f"{n} damaged objects"
                self._tell(f"had {objects}, which were refused: {first}")
            if self._denial and not self._gave:
                self._tell(f"gave nothing: {self._denial}")
            troubles = self._troubles
            self._begin()
        return troubles

    def _upload_all(self) -> None:
        """Upload what waits, until nothing does."""
        while True:
            with self._changed:
                if not self._waiting:
                    self._n_uploaders -= 1
                    self._changed.notify_all()
                    return
                key, held = self._waiting.popleft()
            payload = self._again(key) if held is None else held
            if payload is None:
                self._n_lost += 1
            else:
                self._upload(key, payload)
            with self._changed:
                self._held_bytes -= len(held or b"")

    def _upload(self, key: str, payload: bytes) -> None:
        if self._unreachable or self._unwritable:
            return
        try:
            self._files.write(_path(key), sealed(key, payload))
        except Exception as error:  # whatever a file system's client raises
            with self._changed:
                if not (self._unwritable or self._unreachable):
                    self._unwritable = True
                    self._tell(f"cannot be written to: {_reason(error)}")

    def _leave(self, error: Exception) -> None:
        """Do without the store for the rest of the run."""
        with self._changed:
            if not self._unreachable:
                self._unreachable = True
                self._tell(f"cannot be used: {_reason(error)}; going on without it")

    def _drop(self, key: str) -> None:
        """Remove a damaged object; what is made in its place is uploaded."""
        with self._changed:
            self._damaged.append(_path(key))
        if self.read_only:
            return
        try:
            self._files.remove(_path(key))
        except Exception:  # an upload replaces it, or the next run refuses it again
            return

    def _tell(self, trouble: str) -> None:
        self._troubles.append(f"the shared store {self.url} {trouble}")


def _path(key: str) -> str:
    return f"{LAYOUT}/{object_name(key)}"


def _reason(error: Exception) -> str:
    """The first line of what an error says; its kind, where it says nothing."""
    said = str(error).strip().splitlines()
    return bare(said[0])[:300] if said else type(error).__name__
