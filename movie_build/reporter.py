"""How doit tells a run of ours: mistakes to stderr, one line a step and the movies to stdout."""

from __future__ import annotations

import gc
import sys
from collections.abc import Mapping, Sequence
from typing import Any, TextIO

from movie_build.errors import MovieBuildError
from movie_build.session import Session


class Reporter:
    """A doit reporter (see doit's `ConsoleReporter` for when each method is called)."""

    def __init__(self, out: TextIO, sessions: Sequence[Session]) -> None:
        self.out = out
        self.sessions = sessions
        self.active: list[Session] = []
        self.bugs: list[str] = []

    def initialize(self, tasks: Mapping[str, Any], selected: Sequence[str]) -> None:
        """Before anything runs: take the projects, tell their warnings."""
        named = [name.split(":")[0] for name in selected]
        for session in self.sessions:
            if len(self.sessions) > 1 and session.project.name not in named:
                continue
            session.selected = frozenset(selected)
            try:
                session.begin()
            except MovieBuildError as error:
                print(error, file=sys.stderr)
                raise SystemExit(1) from None
            self.active.append(session)
            for warning in session.movie.warnings:
                print(f"warning: {warning}", file=sys.stderr)

    def get_status(self, task: Any) -> None:
        """A task is looked at."""

    def execute_task(self, task: Any) -> None:
        """A task begins."""

    def add_success(self, task: Any) -> None:
        """A task is done; its action has counted it."""

    def skip_uptodate(self, task: Any) -> None:
        """A task has nothing to do."""
        for session in self.active:
            if task.name in session.units:
                session.count(session.units[task.name], "", made=False)

    def skip_ignore(self, task: Any) -> None:
        """A task is ignored by the user's wish."""

    def add_failure(self, task: Any, failure: Any) -> None:
        """A task failed: a mistake is told by its session, anything else is a bug, told in full."""
        if type(failure).__name__ == "TaskError":
            self.bugs.append(f"{task.name}: {failure.get_msg()}")

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
        gc.freeze()  # what is left is the run itself: not worth a look
        gc.enable()
        close_browser()
        for session in self.active:
            report = session.finish()
            for error in session.failures:
                print(error, file=sys.stderr)
            if len(self.sessions) > 1:
                self.out.write(f"{session.project.name}\n")
            for line in report.lines():
                self.out.write(f"{line}\n")
        for bug in self.bugs:
            print(bug, file=sys.stderr)


def close_browser() -> None:
    """Close the run's browser, if one was started."""
    module = sys.modules.get("movie_build.browser")
    if module:
        module.close_shared()
