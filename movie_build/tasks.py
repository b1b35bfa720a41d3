"""Pieces as doit tasks: what a project's dodo.py calls, and how a run is told.

from movie_build.tasks import movie
movie(globals(), __file__)
"""

from __future__ import annotations

import gc
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from doit import create_after
from doit.exceptions import TaskFailed

from movie_build import doit_config, interrupt, keys, refused, undrawable
from movie_build.command_line import asks_for_everything, asks_to_keep_going, given
from movie_build.edition import Edition
from movie_build.errors import MovieBuildError, shown
from movie_build.join import MovieFile, files_of
from movie_build.pieces import Piece
from movie_build.plan_command import only_named
from movie_build.refused import Refused
from movie_build.session import Session

Task: TypeAlias = dict[str, Any]
T = TypeVar("T")
GROUPS = {
    "audio": "speak every line",
    "slides": "draw every slide",
    "pictures": "encode every picture",
}


def movie(namespace: dict[str, Any], file: str) -> None:
    """Fill a project's dodo.py with the tasks that make its movie."""
    folder = Path(file).resolve().parent
    if only_named(folder):
        return
    interrupt.install()
    gc.disable()  # thousands of tasks are made, and none is garbage before the run ends
    try:
        session = Session(folder)
        default = _define(namespace, session, "")
        doit_config.put(namespace, [session], folder / "build" / "doit.db", default)
    except MovieBuildError as error:
        _refuse(error, folder)


def movies(namespace: dict[str, Any], file: str, projects: str = "projects") -> None:
    """Fill a dodo.py with one task a project under `projects`, named for its folder."""
    base = Path(file).resolve().parent
    dodos = sorted((base / projects).glob("*/dodo.py"))
    if only_named(*(dodo.parent for dodo in dodos)):
        return
    interrupt.install()
    gc.disable()
    sessions = []
    names = []
    told: list[Refused] = []
    for dodo in dodos:
        names.append(dodo.parent.name)
        try:
            session = Session(dodo.parent)
            session.keeps_going = asks_to_keep_going()
            _define(namespace, session, dodo.parent.name)
            sessions.append(session)
        except MovieBuildError as error:
            broken = _broken(Refused(dodo.parent, error), told)
            namespace[f"task_{len(namespace)}"] = broken
    try:
        doit_config.put(namespace, sessions, base / ".doit.db", names, told)
    except MovieBuildError as error:
        _refuse(error, base)


def run_doit(folder: Path, args: Sequence[str]) -> int:
    """Run doit in `folder`, by its dodo.py or as if it had ours; its exit code."""
    from doit.cmd_base import ModuleTaskLoader
    from doit.doit_cmd import DoitMain

    dodo = folder.resolve() / "dodo.py"
    os.chdir(dodo.parent)
    given.set(args)
    if dodo.exists():
        return int(DoitMain().run(list(args)) or 0)
    namespace: dict[str, Any] = {}
    movie(namespace, str(dodo))
    return int(DoitMain(ModuleTaskLoader(namespace)).run(list(args)) or 0)


def _refuse(error: MovieBuildError, folder: Path) -> None:
    movie = Refused(folder, error)
    movie.tell()
    refused.report([movie])
    raise SystemExit(1)


def _broken(movie: Refused, told: list[Refused]) -> Callable[[], Task]:
    """A task for a project whose files cannot be understood: it fails and says why."""

    def fail() -> TaskFailed:
        told.append(movie)
        movie.tell(among_others=True)
        return TaskFailed(str(movie.error), report=False)

    return lambda: {"basename": movie.name, "actions": [fail], "io": {"capture": False}}


def _failed(told: str) -> Callable[[], TaskFailed]:
    return lambda: TaskFailed(told, report=False)


def _define(namespace: dict[str, Any], session: Session, prefix: str) -> list[str]:
    """Put the creators of a project's tasks into a dodo.py's namespace; the movies' tasks."""
    names = _Names(prefix)
    movies = [names.movie(edition) for edition in session.editions]
    creator = f"task_{len(namespace)}_{prefix}"
    if session.movie.config.source:
        namespace[f"{creator}_script"] = lambda: _script_tasks(session, names)
    if session.written:
        session.check()  # now, where mistakes can be told
        namespace[creator] = lambda: _piece_tasks(session, names)
        return movies
    creates = [prefix] if prefix else [*GROUPS, *movies]

    def pieces() -> Iterator[Task]:
        """made from the script, once it is written"""
        return _pieces_or_nothing(session, names, creates)

    namespace[creator] = create_after(
        executed=names.script(session.editions[-1]),
        creates=creates,
        target_regex=_possible_files(session),
    )(pieces)
    return movies


def _possible_files(session: Session) -> str:
    """A pattern of the files that tasks may make once the script is written.

    For any other name, no script has to be written to know that nothing makes it.
    """
    (build,) = _typed([session.project.build])
    outputs = [edition.movie.output for edition in session.editions]
    movies = [re.escape(path) for one in outputs for path in _typed(files_of(one))]
    piece = rf"{re.escape(build)}/({'|'.join(GROUPS)})/{keys.FILE_NAME}\.[a-z0-9.]+"
    return rf"({'|'.join([piece, *movies])})\Z"


class _Names:
    """What a project's tasks are called: beside other projects', its folder's name comes first."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix

    def of(self, group: str, name: str = "") -> str:
        """The whole name of a task."""
        return ":".join(part for part in (self.prefix, group, name) if part)

    def keys(self, group: str, name: str = "") -> Task:
        """`basename` and `name` of a task, as doit wants them."""
        base, _, rest = self.of(group, name).partition(":")
        return {"basename": base, "name": rest} if rest else {"basename": base}

    def script(self, edition: Edition) -> str:
        """The task that writes a script; it stands by itself, outside the project's group."""
        return self.of("script", edition.project.edition)

    def movie(self, edition: Edition) -> str:
        """The task that joins a movie."""
        return self.of("movie", edition.project.edition)


class _Fresh:
    """Whether what a task makes stands as it was made; shown by `doit info` in words.

    Of a project that is refused, nothing counts as done.
    """

    def __init__(self, session: Session, stand: Callable[[Any], bool], told: str) -> None:
        self.session = session
        self.stand = stand
        self.told = told

    def __call__(self, task: Any) -> bool:
        return self.session.refused is None and self.stand(task)

    def __repr__(self) -> str:
        return self.told


def _task(session: Session, step: str, names: Task, **keys: Any) -> Task:
    session.units[":".join(names.values())] = step
    return {"io": {"capture": False}, **names, **keys}


def _typed(paths: Iterable[Path]) -> list[str]:
    """Paths as a user in the folder of the dodo.py would type them."""
    return [shown(path, Path.cwd()) for path in paths]


def _script_tasks(session: Session, names: _Names) -> Iterator[Task]:
    for n, edition in enumerate(session.editions):
        before = [names.script(session.editions[n - 1])] if n else []
        yield _script_task(session, edition, names) | {"task_dep": before}


def _script_task(session: Session, edition: Edition, names: _Names) -> Task:
    def stands(task: Any) -> bool:
        asked = bool(task.options and task.options.get("overwrite"))
        by_name = task.name in session.selected
        return edition.script_stands() and not asked and (not by_name or edition.script_is_ours())

    def write(overwrite: bool) -> None:
        edition.write_script(overwrite=overwrite)

    return _task(
        session,
        "script",
        {"basename": names.script(edition)},
        doc=f"write {edition.project.script.name} from {edition.movie.config.shown_source}",
        actions=[(_done(session, "script", write),)],
        params=[
            {
                "name": "overwrite",
                "long": "overwrite",
                "type": bool,
                "default": False,
                "help": "write it again, even if it was edited (the old one is kept)",
            }
        ],
        uptodate=[_Fresh(session, stands, f"{edition.project.script.name} is there")],
    )


def _pieces_or_nothing(session: Session, names: _Names, creates: list[str]) -> Iterator[Task]:
    """The tasks for the script that was just written; where that failed, nothing to run."""
    try:
        tasks = list(_piece_tasks(session, names)) if session.written else []
        undrawable.check(session)
    except MovieBuildError as error:
        session.fail("movie", error)
        tasks = [{"basename": name, "actions": [_failed(str(error))]} for name in creates]
    if not tasks:
        dep = [names.script(session.editions[-1])]
        tasks = [{"basename": name, "actions": None, "task_dep": dep} for name in creates]
    yield from tasks


def _piece_tasks(session: Session, names: _Names) -> Iterator[Task]:
    graphs = [edition.graph for edition in session.editions]
    sections = [drawn for graph in graphs for drawn in graph.sections]
    lines = {line.audio.path: line for drawn in sections for line in drawn.lines}
    slides = {drawn.slide.path: drawn for drawn in sections}
    pictures = {drawn.picture.path: drawn for drawn in sections}
    if not names.prefix:
        # First, or doit takes the tasks that follow for another group's.
        for group, doc in GROUPS.items():
            yield {"basename": group, "name": None, "doc": doc}
    if asks_for_everything():
        # doit takes ten times as long to look at a task as we do; none is missed but by its count.
        lines = _stale(session, "audio", lines, lambda line: line.pieces)
        slides = _stale(session, "slide", slides, lambda drawn: (drawn.slide,))
        pictures = _stale(session, "picture", pictures, lambda drawn: (drawn.slide, drawn.picture))
    for path, line in lines.items():
        doc = line.line.text or line.line.recording
        yield _unit(session, names, "audio", "audio", path.stem, doc, line.pieces)
    for path, drawn in slides.items():
        doc = drawn.section.title
        yield _unit(session, names, "slide", "slides", path.stem, doc, (drawn.slide,))
    for path, drawn in pictures.items():
        unit = _unit(
            session, names, "picture", "pictures", path.stem, drawn.section.title, (drawn.picture,)
        )
        yield unit | {"file_dep": _typed([drawn.slide.path])}
    waits_for = {p.path for line in lines.values() for p in line.pieces} | pictures.keys()
    if names.prefix:
        units: tuple[Iterable[Path], ...] = (lines, slides, pictures)
        for group, paths in zip(GROUPS, units, strict=True):
            parts = [names.of(group, path.stem) for path in paths]
            yield {**names.keys(group), "doc": GROUPS[group], "actions": None, "task_dep": parts}
    for edition in session.editions:
        yield _movie_task(session, edition, names, waits_for)


def _stale(
    session: Session, step: str, units: dict[Path, T], pieces: Callable[[T], tuple[Piece, ...]]
) -> dict[Path, T]:
    """Those of `units` that have something to do; the others are counted."""
    fresh = session.bench.fresh
    stale = {path: unit for path, unit in units.items() if not all(map(fresh, pieces(unit)))}
    for path in units.keys() - stale.keys():
        session.count(step, path.stem, made=False)
    session.n_fresh[step] += len(units) - len(stale)
    return stale


def _movie_task(
    session: Session, edition: Edition, names: _Names, waits_for: AbstractSet[Path]
) -> Task:
    file = MovieFile(edition.graph, session.bench)
    sections = edition.graph.sections
    parts = {line.sound.path for drawn in sections for line in drawn.lines}
    parts |= {drawn.picture.path for drawn in sections}
    # Where it is joined, doit is to remember all that it was joined from, or info calls it stale.
    depends = parts & waits_for if file.fresh() else parts
    name = names.movie(edition)
    return _task(
        session,
        "movie",
        names.keys(name.removeprefix(f"{names.prefix}:")) if names.prefix else {"basename": name},
        doc=f"join everything to {session.bench.name(file.mp4)}",
        actions=[(_done(session, "movie", edition.join),)],
        targets=_typed(file.paths),
        file_dep=_typed(depends),
        task_dep=[names.script(edition)] if edition.movie.config.source else [],
        uptodate=[
            _Fresh(
                session,
                lambda _task: file.fresh(),
                "the movie is the one joined from these pieces",
            )
        ],
        clean=True,
    )


def _unit(
    session: Session,
    names: _Names,
    step: str,
    group: str,
    name: str,
    doc: str,
    pieces: tuple[Piece, ...],
) -> Task:
    def fresh(_task: Any) -> bool:
        return all(map(session.bench.fresh, pieces))

    return _task(
        session,
        step,
        names.keys(group, name),
        doc=doc,
        actions=[(_done(session, step, lambda: session.make(step, pieces)),)],
        targets=_typed(piece.path for piece in pieces),
        uptodate=[_Fresh(session, fresh, "the files are those that were made")],
        clean=True,
    )


def _done(session: Session, step: str, act: Callable[..., None]) -> Callable[..., Any]:
    """`act` for doit: a mistake of the user's is told and fails the task, without a traceback."""

    def action(**options: Any) -> TaskFailed | None:
        if session.refused:
            return TaskFailed(str(session.refused), report=False)
        if session.failures and not session.keeps_going:
            return TaskFailed("not begun", report=False)
        try:
            interrupt.apart(partial(act, **options))
        except MovieBuildError as error:
            session.fail(step, error)
            return TaskFailed(str(error), report=False)
        return None

    if step == "script":
        return lambda overwrite: action(overwrite=overwrite)  # doit looks at the names
    return lambda: action()  # noqa: PLW0108
