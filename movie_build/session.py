"""One project while it is being built: its movie, its bench, and what has been done so far."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from movie_build import drafts, interrupt, keys, progress, store_users, telling, undrawable
from movie_build.atomic import remove_leftovers, write_bytes
from movie_build.config import Mcp
from movie_build.errors import AuthorError, Faults, Mistake, MovieBuildError
from movie_build.flags import flag
from movie_build.graph import Graph, build_graph, look_for_names
from movie_build.join import MovieFile
from movie_build.ledger import Ledger
from movie_build.movie import Movie, load, mistakes_in, read
from movie_build.pieces import MADE, Bench, Piece
from movie_build.pins import is_kept
from movie_build.progress import Progress
from movie_build.project import Project
from movie_build.records import Record, Records, sha256_of
from movie_build.report import STEPS, Outcome, Report, StepCount
from movie_build.service import Services
from movie_build.store import Store, default_folder, open_store
from movie_build.voices.registry import Studio

if TYPE_CHECKING:
    from movie_build.mcp_config import McpSettings

SCRIPT = 1


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


class Edition:
    """A movie in one language: its script, and the pieces that it is joined from."""

    def __init__(self, session: Session, project: Project) -> None:
        self.session = session
        self.project = project
        self.movie: Movie = read(project, cached=not session.look_only)
        self._graph: Graph | None = None

    @property
    def warnings(self) -> tuple[Mistake, ...]:
        """What in the files has no effect, as far as that is known."""
        return (*self.movie.warnings, *(self._graph.unshown if self._graph else ()))

    @property
    def graph_if_known(self) -> Graph | None:
        """The movie's pieces, where they are known already."""
        return self._graph

    @property
    def graph(self) -> Graph:
        """The movie's pieces; the script must be written.

        Raises:
            MovieBuildError: what the files name is not there.
        """
        if self._graph is None:
            if self.movie.script is None:
                self._reload()
            self._graph = build_graph(self.movie, self.session.bench, self.session.studio)
        return self._graph

    def check(self) -> None:
        """See that all that the files name is there, as far as they are written.

        Raises:
            MovieBuildError: it is not.
        """
        if self.movie.script:
            _ = self.graph
        else:
            look_for_names(self.movie, self.session.bench, self.session.studio)

    def _reload(self) -> None:
        self._graph = None
        self.movie = load(self.project)

    def join(self) -> None:
        """See that the movie is there."""
        began = time.monotonic()
        with self.session.working("movie", self.project.edition):
            made = MovieFile(self.graph, self.session.bench).ensure()
        seconds = time.monotonic() - began
        self.session.count("movie", self.project.edition, made=made, seconds=seconds)

    def script_stands(self) -> bool:
        """Whether there is a script."""
        return self.project.script.exists()

    def script_is_ours(self) -> bool:
        """Whether `script.yaml` is still what the author wrote, untouched."""
        record = self.session.records.get(self.project.script.name)
        return record is not None and record.sha256 == sha256_of(self.project.script)

    def write_script(self, *, overwrite: bool) -> None:
        """Write `script.yaml` from the source.

        Raises:
            AuthorError: there is one that the user wrote or edited, and `overwrite` is not given.
        """
        script = self.project.script
        began = time.monotonic()
        if script.exists() and not overwrite:
            raise AuthorError(
                f"{script.name} is yours and stays as it is; to have it written again from "
                f"{self.movie.config.shown_source}, use: doit script --overwrite "
                f"(the old one is kept as {script.name}.bak)"
            )
        if self.session.bench.frozen:
            from movie_build import frozen

            frozen.check_script(self.movie)
        with self.session.working("script", self.project.edition):
            text = self.draft(again=overwrite, ask_again=overwrite).encode()
        if script.exists() and not self.script_is_ours():
            script.replace(drafts.backup(script))
        self.put_draft(text, text, time.monotonic() - began)
        if self.session.bench.frozen and self.session.written:
            from movie_build import frozen

            frozen.check(self.session)
        seconds = time.monotonic() - began
        self.session.count("script", self.project.edition, made=True, seconds=seconds)

    def put_draft(self, draft: bytes, script: bytes, seconds: float) -> None:
        """Write `script.yaml`, as it is to be with this draft; the draft is kept beside it."""
        path = self.project.script
        self.session.records.put(
            Record(
                name=path.name,
                key=keys.key_of(self._script_recipe()),
                step="script",
                sha256=keys.digest(draft),
                size=len(draft),
                mtime_ns=0,
                origin=MADE,
                made_at=time.time(),
                seconds=seconds,
                recipe=self._script_recipe(),
            )
        )
        write_bytes(path, script, durable=True)
        drafts.keep(self.project, draft)
        self._reload()

    def draft(self, *, again: bool, ask_again: bool = False, cache: Path | None = None) -> str:
        """A script written from the source, which with `again` is looked at anew.

        With `ask_again` a model is asked for what it has already answered. `cache` is
        where pages are kept.

        Raises:
            MovieBuildError: there is no source, or it cannot be had or told.
        """
        from movie_build import source
        from movie_build.authors.registry import author_name, open_author
        from movie_build.fetch import web
        from movie_build.script_file import dump

        def report(told: str) -> None:
            print(f"{self.project.name}: {told}", file=sys.stderr)

        config, folder = self.movie.config, self.project.folder
        if not config.source:
            raise AuthorError("there is no `source:` in movie.yaml to write a script from")
        cache = cache or self.project.build / "source"
        article = source.read(
            config.source,
            base=folder,
            cache=cache,
            again=again,
            service=web(self.session.services),
            render=config.browser,
            mcp=_mcp(config.mcp),
            report=report,
        )
        asked, spoken = self.project.edition, article.language
        translated = asked.partition("-")[0] != spoken.partition("-")[0]
        if asked and spoken and translated and author_name(self.movie) == "outline":
            raise AuthorError(
                f"{self.project.script.name}: the article is in {spoken!r}, and the outline author "
                f"does not translate; write it by hand, or set `content: {{author: llm}}`"
            )
        if config.model.model and not config.author and author_name(self.movie) == "outline":
            why = f"no key for {config.model.model} is set (OPENAI_API_KEY or OPENROUTER_API_KEY)"
            print(f"{self.project.name}: {why}; the outline author writes", file=sys.stderr)
        try:
            author = open_author(self.movie, self.session.services, again=ask_again, report=report)
            text = dump(author.write(article))
            if mistakes := mistakes_in(text, self.project.script.name):
                told = "; ".join(map(str, mistakes[:5]))
                raise AuthorError(f"{author_name(self.movie)!r} gave no usable script: {told}")
            return text
        except MovieBuildError as error:
            is_model = author_name(self.movie) == "llm"
            raise error.placed(config.model.where if is_model else config.author_where) from None

    def _script_recipe(self) -> str:
        from movie_build.authors.registry import author_name

        config, author = self.movie.config, author_name(self.movie)
        inputs = {"source": config.shown_source, "author": author, "minutes": config.max_minutes}
        return keys.recipe("script", SCRIPT, inputs)


def _mcp(mcp: Mcp | None) -> McpSettings | None:
    if mcp is None:
        return None
    from movie_build.mcp_config import McpSettings

    return McpSettings(mcp.config, mcp.server, mcp.tool, json.loads(mcp.arguments))
