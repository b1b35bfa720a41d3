"""How doit tells a run of ours: mistakes and progress to stderr, steps and movies to stdout."""

from __future__ import annotations

import gc
import os
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TextIO

from movie_build import command_line, github_actions, interrupt, telling
from movie_build.display import Display
from movie_build.errors import InputError, MovieBuildError, shown
from movie_build.refused import Refused
from movie_build.report import Report
from movie_build.session import Session

_had_bugs = False


class Reporter:
    """A doit reporter (see doit's `ConsoleReporter` for when each method is called)."""

    def __init__(
        self, out: TextIO, sessions: Sequence[Session], refused: list[Refused] | None = None
    ) -> None:
        """`refused` are those of several movies that are not built; None where there is one."""
        self.out = out
        self.sessions = sessions
        self.several = refused is not None
        self.refused: list[Refused] = [] if refused is None else refused
        self.telling = telling.asked()
        self.verbose = self.telling.verbose
        self.active: list[Session] = []
        self.bugs: list[str] = []
        self.asides: list[str] = []
        self.ignored: list[str] = []
        self.began = time.time()
        self._display = Display(self.active)

    def initialize(self, tasks: Mapping[str, Any], selected: Sequence[str]) -> None:
        """Before anything runs: take the projects, tell their warnings."""
        interrupt.will_be_told()
        named = [name.split(":")[0] for name in selected]
        for session in self.sessions:
            if self.several and session.project.name not in named:
                continue
            session.selected = frozenset(selected)
            try:
                session.begin()
            except MovieBuildError as error:
                session.refused = error  # its tasks fail; the other movies' do not
                self.refused.append(Refused(session.project.folder, error))
                self.refused[-1].tell(among_others=self.several)
                continue
            self.active.append(session)
            for warning in dict.fromkeys(w for e in session.editions for w in e.warnings):
                folder = session.project.folder
                from_here = f"{shown(folder, self.telling.base)}/" if self.several else ""
                telling.warn(f"{from_here}{warning}")
                if github_actions.active():  # `-q` is for who reads along
                    print(github_actions.warning(warning, folder), file=sys.stderr)
        if self.refused and not self.several:
            raise SystemExit(1)  # doit calls `complete_run` all the same

    def get_status(self, task: Any) -> None:
        """A task is looked at."""

    def execute_task(self, task: Any) -> None:
        """A task begins, in the thread that works at it."""
        if (task.verbosity or 0) > 0:
            self.verbose = True  # doit's own -v
        if not self.telling.quiet and not self.verbose:
            self._display.begin()

    def add_success(self, task: Any) -> None:
        """A task is done; its action has counted it."""
        if self.verbose and not self.telling.quiet:
            for session in self.active:
                self._tell_made(session, task)

    def _tell_made(self, session: Session, task: Any) -> None:
        step, name = session.units.get(task.name, ""), task.name.rpartition(":")[2]
        outcome = session.outcomes.get((step, name)) or session.outcomes.get((step, ""))
        if step and outcome:
            print(f"{step:<8} {outcome.seconds:6.2f} s  {task.doc or name}", file=sys.stderr)

    def skip_uptodate(self, task: Any) -> None:
        """A task has nothing to do."""
        for session in self.active:
            if task.name in session.units:
                session.count(session.units[task.name], "", made=False)

    def skip_ignore(self, task: Any) -> None:
        """A task is ignored by the user's wish, or waits for one that is."""
        self.ignored.append(task.name)

    def add_failure(self, task: Any, failure: Any) -> None:
        """A task failed: a mistake is told by its session, a bug in full, all else by doit's word.

        The last are the user's own tasks, and files that a task needs and nothing makes.
        """
        kind = type(failure).__name__
        if kind == "TaskError":
            self.bugs.append(f"{task.name}: {failure.get_msg()}")
        elif failure.report and kind != "UnmetDependency":
            if not task.verbosity:  # else it has been heard already
                self.asides += [told for act in task.actions for told in (act.out, act.err) if told]
            self.asides.append(f"{task.name}: {failure.get_msg().strip().removeprefix('ERROR: ')}")

    def cleanup_error(self, exception: Any) -> None:
        """A tear-down failed."""
        self.bugs.append(exception.get_msg())

    def runtime_error(self, msg: str) -> None:
        """doit cannot go on."""
        self.bugs.append(msg)

    def teardown_task(self, task: Any) -> None:
        """A tear-down begins."""

    def complete_run(self) -> None:
        """Everything has run, or was broken off."""
        global _had_bugs  # noqa: PLW0603
        _had_bugs = _had_bugs or bool(self.bugs)
        gc.freeze()  # what is left is the run itself: not worth a look
        gc.enable()
        self._display.end()
        interrupt.wait_for_answers()
        close_browser()
        reports = [(session, session.finish()) for session in self.active]
        if interrupt.signal_number():
            self._stopped([report for _, report in reports])
        for session, report in reports:
            self._tell(session, report)
        for said in (*self._left_out(), *self.asides, *self.bugs):
            print(said.rstrip(), file=sys.stderr)
        if github_actions.active():
            github_actions.summarize(
                [
                    (session.project.name, report, in_order(session.failures))
                    for session, report in reports
                ],
                [(movie.name, movie.error) for movie in self.refused],
            )
        if self.telling.junit:
            self._report_junit()
        failed = bool(self.refused) or any(session.failures for session in self.active)
        other = self.bugs or self.asides or sys.exc_info()[0]
        if failed and not other and command_line.given.get() is None:
            # doit calls it an error, not a failure, that the movie waits for a piece that failed.
            raise SystemExit(1)

    def _left_out(self) -> Iterator[str]:
        """What there is to say of ignored tasks."""
        if self.ignored:
            more = len(self.ignored) - 3
            named = ", ".join(self.ignored[:3]) + (f" and {more} more" if more > 0 else "")
            yield f"left out, as `doit ignore` said: {named}; `doit forget` ends that"

    def _tell(self, session: Session, report: Report) -> None:
        for error in in_order(session.failures):
            Refused(session.project.folder, error).tell(among_others=self.several)

        def from_here(path: str) -> str:
            return shown(session.project.folder / path, self.telling.base)

        if self.telling.quiet:
            for movie in report.movies:
                self.out.write(f"{from_here(movie.path)}\n")
            return
        for line in [session.project.name] * self.several + report.lines(from_here):
            self.out.write(f"{line}\n")

    def _report_junit(self) -> None:
        from movie_build import junit

        assert self.telling.junit
        try:
            junit.write(self.telling.junit, self.active, self.began, self.refused)
        except MovieBuildError as error:
            print(error, file=sys.stderr)

    def _stopped(self, reports: Iterable[Report]) -> None:
        """Say so, and end the process.

        At once, because threads may still be deep in a library that does not bear to
        have the interpreter taken down around it. All that is finished is on disk.
        """
        made = sum(count.made for report in reports for count in report.steps.values())
        kept = f"; what was made stays ({made}), the next build goes on from there" if made else ""
        print(f"stopped{kept}", file=sys.stderr)
        sys.stderr.flush()
        self.out.flush()
        os._exit(interrupt.exit_code())


def had_bugs() -> bool:
    """Whether a run of this process ended in anything but mistakes of the user's."""
    return _had_bugs


def in_order(failures: Iterable[MovieBuildError]) -> list[MovieBuildError]:
    """Failures by file and line, those without a place last; the same one is told once."""
    unique = {str(error): error for error in failures}

    def place(error: MovieBuildError) -> tuple[bool, str, int, str]:
        at = error.mistakes[0].where if isinstance(error, InputError) else error.at
        if at is None:
            return True, "", 0, str(error)
        return False, at.file, at.line or 0, str(error)

    return sorted(unique.values(), key=place)


def close_browser() -> None:
    """Close the run's browser, if one was started."""
    module = sys.modules.get("movie_build.browser")
    if module:
        module.close_shared()
