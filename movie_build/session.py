"""One project while it is being built: its movie, its bench, and what has been done so far."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from movie_build import interrupt, progress, store_users, telling, undrawable
from movie_build.atomic import remove_leftovers
from movie_build.edition import Edition
from movie_build.errors import Faults, MovieBuildError
from movie_build.flags import flag
from movie_build.graph import Graph
from movie_build.join import MovieFile
from movie_build.ledger import Ledger
from movie_build.movie import Movie
from movie_build.pieces import MADE, Bench, Piece
from movie_build.pins import is_kept
from movie_build.progress import Progress
from movie_build.project import Project
from movie_build.records import Records
from movie_build.report import STEPS, Outcome, Report, StepCount
from movie_build.service import Services
from movie_build.store import Store, default_folder, open_store
from movie_build.voices.registry import Studio


class Session:
    """A project's state during one run of doit. Its methods may be called from several threads.

    With `look_only` nothing is written: for telling what a build would do.
    """

    def __init__(self, folder: Path, *, look_only: bool = False) -> None:
        self.project = Project(folder.resolve())
        self.look_only = look_only
        self.records = Records(self.project.records, look_only=look_only)
        first = Edition(self, self.project)
        others = first.movie.config.languages[1:]
        self.editions = (first, *(Edition(self, replace(self.project, edition=o)) for o in others))
        self.bench = Bench(
            self.project.folder, self.records, self._store(), frozen=flag("MOVIE_BUILD_FROZEN")
        )
        self.services = self._services()
        self.studio = Studio(
            self.movie.config,
            self.services,
            project=self.project.folder,
            shared=default_folder(),
            digest=self.records.digest,
        )
        self.steps = {step: StepCount() for step in STEPS}
        self.units: dict[str, str] = {}
        # By step: how many had nothing to do from the start, and are not among `units`.
        self.n_fresh: Counter[str] = Counter()
        self.selected: frozenset[str] = frozenset()
        # Why nothing of it can be built in this run, where other projects are.
        self.refused: MovieBuildError | None = None
        self.failures: list[MovieBuildError] = []
        # After a failure; else nothing more of this movie is begun. Without others doit sees to it.
        self.keeps_going = True
        # By step and name: since when a unit is at work, and how it went; what a step said last.
        self.at_work: dict[tuple[str, str], float] = {}
        self.outcomes: dict[tuple[str, str], Outcome] = {}
        self.notes: dict[str, Progress] = {}
        self._guard = threading.Lock()
        self._began = time.monotonic()
        self._unlock: Callable[[], None] | None = None
        if any(edition.movie.mistakes or not edition.movie.script for edition in self.editions):
            self.check()

    def _store(self) -> Store:
        config, faults = self.movie.config, Faults()
        try:
            return open_store(shared=config.cache_shared, read_only=config.cache_read_only)
        except MovieBuildError as error:
            faults.add(error.placed(config.cache_where if config.cache_shared else None))
        for edition in self.editions:
            with faults:
                edition.movie.refuse_mistakes()
        faults.tell()
        raise AssertionError

    def _services(self) -> Services:
        config = self.movie.config
        ledger = Ledger(self.project.build / "costs.json", config.budget_usd)
        return Services(dict(config.limits), ledger)

    def check(self) -> None:
        """See that all that the files name is there, in every language.

        Raises:
            MovieBuildError: it is not; all that is wrong, mistakes of the files among it.
        """
        faults = Faults()
        for edition in self.editions:
            with faults:
                edition.check()
        faults.tell()

    @property
    def movie(self) -> Movie:
        """The movie in its first language."""
        return self.editions[0].movie

    @property
    def graph(self) -> Graph:
        """The pieces of the first edition; its script must be written."""
        return self.editions[0].graph

    def begin(self) -> None:
        """Take the project for this process; waits, and says so, while another one builds it.

        Raises:
            FrozenError: the build is a frozen one, and something is missing.
            InputError: no font shows what is to be drawn.
            StoreError: the folder cannot be written to.
        """
        from movie_build.lock import hold

        self._began = time.monotonic()
        self._unlock = hold(
            self.project.build / ".lock", self.project.name, self.records.look_again
        )
        store_users.note(self.project.folder, default_folder())
        for folder in (self.project.build, self.movie.output.parent):
            remove_leftovers(folder)
            for inner in folder.glob("*/"):
                remove_leftovers(inner)
        try:
            if self.bench.frozen:
                from movie_build import frozen

                frozen.check(self)
            undrawable.check(self)
        except MovieBuildError:
            self._let_go()
            raise

    @property
    def written(self) -> bool:
        """Whether every edition has its script."""
        return all(edition.script_stands() for edition in self.editions)

    def make(self, step: str, pieces: Sequence[Piece]) -> None:
        """See that `pieces`, one unit of `step`, are there, and count it made or reused."""
        name = pieces[0].path.stem
        with self.working(step, name):
            began = time.monotonic()
            made = [self.bench.ensure(piece) == MADE for piece in pieces]
        # A take that the user kept is not spoken, only unpacked.
        worked = any(made) and not (step == "audio" and is_kept(pieces[0]))
        self.count(step, name, made=worked, seconds=time.monotonic() - began)

    @contextmanager
    def working(self, step: str, name: str) -> Iterator[None]:
        """A unit is at work in this thread: what it reports is heard, and its failure kept."""
        unit = step, name
        began = self.at_work[unit] = time.monotonic()
        try:
            with progress.heard_by(self._hear):
                yield
        except MovieBuildError as error:
            self.outcomes[unit] = Outcome(time.monotonic() - began, error)
            raise
        finally:
            del self.at_work[unit]

    def _hear(self, told: Progress) -> None:
        self.notes[told.step] = told

    def count(self, step: str, name: str, *, made: bool, seconds: float = 0.0) -> None:
        """One unit of `step` was made, or was there already."""
        with self._guard:
            counted = self.steps[step]
            if made:
                self.outcomes[step, name] = Outcome(seconds)
                counted.made += 1
                counted.seconds += seconds
            else:
                counted.reused += 1

    def fail(self, step: str, error: MovieBuildError) -> None:
        """One unit of `step` could not be made."""
        if interrupt.signal_number():
            return  # it was broken off
        with self._guard:
            self.steps[step].failed += 1
            self.failures.append(error)

    def finish(self) -> Report:
        """What was done, also written to `build/report.json`; lets go of the project."""
        from movie_build import last_built

        done = [] if self.failures else [e for e in self.editions if e.movie.script is not None]
        facts = {e.project.edition: MovieFile(e.graph, self.bench).facts() for e in done}
        for trouble in self.studio.close():
            telling.warn(trouble)
        first = next(iter(facts.values()), None)
        others = {language: told for language, told in list(facts.items())[1:] if told}
        with self._guard:  # threads that a signal does not wait for may still be counting
            steps = {step: replace(count) for step, count in self.steps.items()}
        seconds, costs = time.monotonic() - self._began, self.services.ledger.run
        report = Report(steps, first, seconds, others, costs)
        # Uploads are waited for, but not by someone who pressed Ctrl-C.
        for trouble in self.bench.store.settle(2.0 if interrupt.signal_number() else None):
            telling.warn(trouble)
        report.write(self.project.report)
        last_built.remember(self, whole=bool(facts) and all(facts.values()))
        self._let_go()
        return report

    def _let_go(self) -> None:
        self.records.close()
        if self._unlock:
            self._unlock()
            self._unlock = None
