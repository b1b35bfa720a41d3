"""`movie-build watch`: the movie is made anew at each save, in a process that stays warm."""

from __future__ import annotations

import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from movie_build import interrupt, theme, warm
from movie_build.display import Display
from movie_build.errors import Mistake, MovieBuildError
from movie_build.join import files_of
from movie_build.project import Project, package_folder
from movie_build.rebuild import rebuild
from movie_build.report import Report
from movie_build.reporter import close_browser, in_order
from movie_build.saves import Followed, Saves
from movie_build.session import Session

# One that waits without end is not woken by a signal on every system.
_TURN_S = 1.0


def watch(folder: Path, out: TextIO) -> None:
    """Build the movie in `folder`, and again at each save, until Ctrl-C ends the process.

    What was made is told on `out`, mistakes on stderr.
    """
    watcher = _Watcher(folder.resolve(), out)
    interrupt.install()
    interrupt.will_be_told()
    try:
        watcher.run()
    except SystemExit:
        if not interrupt.signal_number():
            raise
    watcher.end()


class _Watcher:
    """The builds of one project, one after the other."""

    def __init__(self, folder: Path, out: TextIO) -> None:
        self.project = Project(folder)
        self.out = out
        self.saves = Saves(Followed(folder, frozenset([self.project.build]), frozenset()))
        self.pool = ThreadPoolExecutor(os.cpu_count() or 1)
        self.session: Session | None = None
        self._outside: frozenset[Path] = frozenset()
        self._warnings: frozenset[Mistake] = frozenset()
        self._failed = False
        self._had_script = False
        self._waited = False

    def run(self) -> None:
        """Build, and wait for a save, without end."""
        while True:
            self.saves.seen.clear()  # before anything is read: what is saved from now on is new
            if not self._build():
                continue
            if not self._waited:
                self._waited = True
                print(f"watching {self.project.name}; Ctrl-C ends it", file=sys.stderr, flush=True)
                warm.begin(self.project.folder)
            while not self.saves.seen.wait(_TURN_S):
                pass

    def _build(self) -> bool:
        """Build once; False if it was left for a newer save."""
        session = None
        try:
            session = self.session = Session(self.project.folder)
            self.saves.follow(_followed(session, self._outside))
            if self._had_script and not session.written:
                raise MovieBuildError(
                    f"{self.project.script.name} is gone; it is waited for (doit writes it anew)"
                )
            session.begin()
        except MovieBuildError as error:
            if session:
                session.finish()
            if self.saves.another():
                return False  # it was read in the middle of a save
            self._refuse(error)
            return True
        self._warn(session)
        display = Display([session])
        display.begin()
        over = rebuild(session, self.pool, self.saves.seen.is_set)
        display.end()
        if session.failures and self.saves.another():
            over = False  # what could not be read may have been half of a save
        self._had_script = self._had_script or session.written
        report = session.finish()
        self.session = None
        if over:
            self._report(session, report)
            self._outside = frozenset(map(Path, session.records.digested()))
            if self.saves.follow(_followed(session, self._outside)):
                self.saves.seen.set()  # what was saved before it was followed was not seen
        return over

    def _refuse(self, error: MovieBuildError) -> None:
        self._failed = True
        print(error, file=sys.stderr, flush=True)

    def _warn(self, session: Session) -> None:
        """Tell warnings that were not told before."""
        warnings = [warning for edition in session.editions for warning in edition.warnings]
        for warning in warnings:
            if warning not in self._warnings:
                print(f"warning: {warning}", file=sys.stderr, flush=True)
        self._warnings = frozenset(warnings)

    def _report(self, session: Session, report: Report) -> None:
        """Tell what was made, or what could not be; nothing where nothing was to be done."""
        for error in in_order(session.failures):
            self._refuse(error)
        if session.failures:
            return
        if self._failed or any(count.made for count in report.steps.values()):
            self.out.write("".join(f"{line}\n" for line in report.lines()))
            self.out.flush()
        self._failed = False

    def end(self) -> None:
        """Say so, and end the process at once: threads may be deep in a library."""
        interrupt.wait_for_answers()
        if self.session:
            self.session.finish()
        close_browser()
        print("stopped", file=sys.stderr, flush=True)
        self.out.flush()
        # Ctrl-C is how it is meant to end.
        os._exit(0 if interrupt.signal_number() == signal.SIGINT else interrupt.exit_code())


def _followed(session: Session, used: frozenset[Path]) -> Followed:
    """What the movie of `session` is made from; `used` are the user's files in it."""
    project = session.project.folder
    outputs = [edition.movie.output for edition in session.editions]
    written = {session.project.build, *(output.parent for output in outputs)}
    ours = Path(__file__).parent, package_folder("templates")
    beside: frozenset[Path] = frozenset()
    with suppress(MovieBuildError):
        beside = frozenset([theme.find(session.movie.config.style.theme, project).resolve()])
    known = (project, *ours)
    beside = frozenset(one for one in beside if not any(map(one.is_relative_to, known)))
    files = (path.resolve() for path in used)
    return Followed(
        project,
        frozenset(one for one in written if one != project and one.is_relative_to(project)),
        frozenset(path for output in outputs for path in files_of(output)),
        beside,
        frozenset(one for one in files if not any(map(one.is_relative_to, (*known, *beside)))),
    )
