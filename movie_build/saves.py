"""When a movie's files are saved: seen at once, whichever way an editor saves."""

from __future__ import annotations

import errno
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from watchfiles import Change

# A save is over when nothing more has come for the first of these; but at the last by the second.
_QUIET_MS, _LATEST_MS = 20, 400
_TURN_MS = 100
# A program may keep a file open that it has long written: then it is read as it is.
_PATIENCE_S = 2.0
_EDITORS = (".swp", ".swo", ".swx", ".tmp", ".bak", "~")
_VIM_PROBE = "4913"


@dataclass(frozen=True, slots=True)
class Followed:
    """What is looked at: the project's folder and whole folders beside it, and single files.

    In the project, hidden folders and those in `not_in`, which the build writes itself, are not.
    """

    project: Path
    not_in: frozenset[Path]
    not_files: frozenset[Path]
    folders: frozenset[Path] = frozenset()
    files: frozenset[Path] = frozenset()

    def in_folders(self, path: Path) -> bool:
        """Whether a change of `path`, in a folder that is followed, counts."""
        if any(path.is_relative_to(folder) for folder in self.folders):
            return not _is_leftover(path.name)
        if not path.is_relative_to(self.project):
            return False
        inner = path.relative_to(self.project).parts
        if any(part.startswith(".") or part == "__pycache__" for part in inner):
            return False
        mine = path in self.not_files or any(path.is_relative_to(one) for one in self.not_in)
        return not (mine or (inner and _is_leftover(inner[-1])))


def _is_leftover(name: str) -> bool:
    return name.startswith(".") or name.endswith(_EDITORS) or name == _VIM_PROBE


class Saves:
    """`seen` is set when a followed file was saved, made or removed.

    A save is over when the file is closed: an editor may first empty it and then, on a
    busy machine, take its time to write.
    """

    def __init__(self, followed: Followed) -> None:
        self.seen = threading.Event()
        self._under_way = threading.Event()
        self._followed: Followed | None = None
        self._stop = threading.Event()
        self.follow(followed)

    def follow(self, followed: Followed) -> bool:
        """Follow these from now on; whether they are others than until now."""
        if followed == self._followed:
            return False
        self._stop.set()
        self._stop = threading.Event()
        self._followed = followed
        whole = [followed.project, *sorted(followed.folders)]
        self._start(whole, followed.in_folders, recursive=True)
        if followed.files:
            # Their folders: a file that is replaced is another one for the system.
            parents = sorted({file.parent for file in followed.files})
            self._start(parents, followed.files.__contains__, recursive=False)
        return True

    def another(self) -> bool:
        """Whether a save came since `seen` was cleared; one that just comes is waited for."""
        time.sleep(3 * _QUIET_MS / 1000)
        while self._under_way.is_set() and not self.seen.wait(_TURN_MS / 1000):
            pass
        return self.seen.is_set()

    def close(self) -> None:
        """Follow nothing any more."""
        self._stop.set()

    def _start(
        self, paths: Iterable[Path], counts: Callable[[Path], bool], *, recursive: bool
    ) -> None:
        """Look at `paths` in a thread of its own; returns when nothing can be missed any more."""
        ready = threading.Event()
        args = (list(paths), counts, recursive, ready, self._stop)
        threading.Thread(target=self._look, args=args, name="saves", daemon=True).start()
        ready.wait()

    def _look(
        self,
        paths: list[Path],
        counts: Callable[[Path], bool],
        recursive: bool,
        ready: threading.Event,
        stop: threading.Event,
    ) -> None:
        from watchfiles import watch

        def wanted(_: Change, path: str) -> bool:
            return counts(Path(path))

        saved: set[Path] = set()
        try:
            turns = watch(
                *paths,
                watch_filter=wanted,
                debounce=_LATEST_MS,
                step=_QUIET_MS,
                rust_timeout=_TURN_MS,
                yield_on_timeout=True,
                stop_event=stop,
                recursive=recursive,
                ignore_permission_denied=True,
            )
            since_s = 0.0
            for changes in turns:
                ready.set()
                if changes and not saved:
                    since_s = time.monotonic()
                saved |= {Path(path) for _, path in changes}
                if not saved:
                    continue
                if any(map(_is_being_written, saved)) and time.monotonic() < since_s + _PATIENCE_S:
                    self._under_way.set()
                    continue
                saved.clear()
                self.seen.set()
                self._under_way.clear()
        finally:
            ready.set()
            if saved:  # others are followed now, and of this save no more will be heard
                self.seen.set()
                self._under_way.clear()


def _is_being_written(path: Path) -> bool:
    """Whether a program has `path` open to write to it; no, where the system does not tell.

    The system gives no lease on such a file (fcntl(2), "Leases").
    """
    try:
        import fcntl

        file = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except (ImportError, OSError):
        return False
    try:
        # Who opens it just now makes the system send us a signal: one that is ignored.
        fcntl.fcntl(file, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except AttributeError:  # not Linux
        return False
    except OSError as error:
        return error.errno == errno.EAGAIN
    finally:
        os.close(file)
    return False
