"""Why a piece is made again, and where one that stands came from."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from movie_build import pins
from movie_build.errors import MovieBuildError, shown
from movie_build.graph import Graph
from movie_build.join import MovieFile
from movie_build.last_built import LastMovie, movie_of, recall
from movie_build.line_name import Numbered, addressed, several, worded
from movie_build.pieces import MADE, Bench, Piece
from movie_build.reasons import Reasons
from movie_build.records import Record
from movie_build.script import Line, Section
from movie_build.session import Session
from movie_build.units import Unit, units_of

_Part: TypeAlias = Numbered[Line] | Numbered[Section]


@dataclass(frozen=True, slots=True)
class Explained:
    """A unit or a movie, and what there is to say of it."""

    subject: str
    stale: bool
    told: str

    def __str__(self) -> str:
        return f"{self.subject}: {self.told}"


def reasons(folder: Path, what: str | None = None) -> list[str]:
    """What `movie-build why` says: of all that is stale, or of what `what` names.

    Raises:
        MovieBuildError: the movie's files hold mistakes, or nothing is called `what`.
    """
    session = Session(folder, look_only=True)
    if not session.written:
        source = session.movie.config.shown_source
        return [f"{session.movie.project.script.name} is still to be written from {source}"]
    last = recall(session.project.build)
    explainers = [
        _Explainer(session, edition.graph, last.get(edition.project.edition))
        for edition in session.editions
    ]
    if what is None:
        found = [told for one in explainers for told in one.all()]
    else:
        found = _named(what, explainers)
        if not found:
            raise MovieBuildError(_no_such(what, session))
    told = [str(one) for one in found if one.stale or what is not None]
    return told or [_all_stands(session)]


class _Explainer:
    """Explains the pieces of one edition."""

    def __init__(self, session: Session, graph: Graph, last: LastMovie | None) -> None:
        self.bench = session.bench
        self.graph = graph
        self.units = units_of(graph)
        self._at = {(unit.step, n): unit for unit in self.units for n in unit.positions}
        self.movie = MovieFile(graph, session.bench)
        self.last = last
        self._kept = pins.load(graph.movie.project)
        self._digest = session.records.digest
        self._reasons: Reasons | None = None

    @property
    def reasons(self) -> Reasons:
        """The differences from the last build, worked out when first asked for."""
        if self._reasons is None:
            self._reasons = Reasons(self.last, movie_of(self.graph, self._digest))
        return self._reasons

    def all(self) -> Iterator[Explained]:
        for unit in self.units:
            yield self._unit(unit)
        yield self._movie()

    def piece(self, what: str) -> Iterator[Explained]:
        """What a file, its name, a task of doit or the beginning of a key is."""
        name = Path(what.rpartition(":")[2]).name

        def is_meant(piece: Piece) -> bool:
            file = piece.path
            names = file.name, file.stem, file.name.partition(".")[0]
            return name in names or (_is_key(what) and piece.key.startswith(what))

        for unit in self.units:
            if any(map(is_meant, _with_needs(unit))):
                yield self._unit(unit)
        names = {"movie", self.movie.mp4.name, *map(self.bench.name, self.movie.paths)}
        if what in names or (_is_key(what) and self.movie.key.startswith(what)):
            yield self._movie()

    def parts(self) -> list[_Part]:
        """The lines, then the slides, by what a user may call them."""
        script, edition = self.graph.script, self.graph.movie.project.edition
        lines = [Numbered(edition, n, line) for n, line in enumerate(pins.lines_of(script), 1)]
        slides = [Numbered(edition, n, one) for n, one in enumerate(script.sections, 1)]
        return [*lines, *slides]

    def part(self, part: _Part) -> list[Unit]:
        """A line as the unit that it is, a slide with its picture; empty for other editions'."""
        if part.edition != self.graph.movie.project.edition:
            return []
        steps = ("audio",) if part.kind == "line" else ("slide", "picture")
        return [self._at[step, part.number] for step in steps]

    def explained(self, units: Iterable[Unit]) -> Iterator[Explained]:
        """What there is to say of `units`, each once."""
        return map(self._unit, {unit.name + unit.step: unit for unit in units}.values())

    def _unit(self, unit: Unit) -> Explained:
        stale = next((piece for piece in unit.pieces if not self.bench.fresh(piece)), None)
        if stale is None:
            whence = self._pinned(unit) or self._origin(unit.pieces[0].path)
            return Explained(str(unit), False, whence)
        told = self._damage(stale.path, stale.key)
        if told is None:
            at = unit.positions[0] - 1
            if unit.step == "audio":
                told = self.reasons.of_line(at)
            else:
                told = self.reasons.of_slide(at, picture=unit.step == "picture")
        if pinned := self._pinned(unit):
            told += f"; it is the {pinned}"
        elif self.bench.store.has(stale.key):
            told += "; the store has it"
        return Explained(str(unit), True, told)

    def _pinned(self, unit: Unit) -> str:
        """Which kept take a line is; empty if it is none."""
        if unit.step != "audio" or not pins.is_kept(unit.pieces[0]):
            return ""
        lines = list(pins.lines_of(self.graph.script))
        pin = self._kept.pinned(lines[unit.positions[0] - 1])
        assert pin  # the graph has it from there
        path = shown(pin.path, self.graph.movie.project.folder)
        return f"kept take {path} ({pin.spoken_by}, {pin.kept_on})"

    def _movie(self) -> Explained:
        subject = f"movie {self.bench.name(self.movie.mp4)}"
        if self.movie.fresh():
            return Explained(subject, False, self._origin(self.movie.mp4))
        damaged = [
            f"{self.bench.name(path)} {told}" if path != self.movie.mp4 else told
            for path in self.movie.paths
            if not self.bench.stands(path, self.movie.key)
            and (told := self._damage(path, self.movie.key))
        ]
        return Explained(subject, True, ", ".join(damaged) or self.reasons.of_movie())

    def _damage(self, path: Path, key: str) -> str | None:
        """What happened to a file that was made under `key`; None if it never was."""
        record = self.bench.records.get(self.bench.name(path))
        if record is not None and record.key == key:
            return "damaged" if path.exists() else "file missing"
        return "not known to be whole" if path.exists() and key[:16] in path.name else None

    def _origin(self, path: Path) -> str:
        record = self.bench.records.get(self.bench.name(path))
        assert record  # what is fresh has one
        return origin(record)


def _named(what: str, explainers: list[_Explainer]) -> list[Explained]:
    """What `what` names: by number, place or id; as a file or a key; by its text or title.

    Raises:
        MovieBuildError: it is in several texts.
    """
    parts = [part for one in explainers for part in one.parts()]

    def units(part: _Part) -> tuple[str, ...]:
        return tuple(unit.name for one in explainers for unit in one.part(part))

    found = addressed(what, parts)
    if not found:
        if pieces := [told for one in explainers for told in one.piece(what)]:
            return pieces
        found = worded(what, parts)
        # Parts that say the same are one piece.
        if len(set(map(units, found))) > 1:
            raise MovieBuildError(several(f"have {what!r} in them", found))
    return [
        told
        for one in explainers
        for told in one.explained(unit for part in found for unit in one.part(part))
    ]


def origin(record: Record) -> str:
    """Where a file came from, and when."""
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(record.made_at))
    if record.origin == MADE:
        return f"made here {when}, in {record.seconds:.2f} s"
    place = {"store": "the store", "shared": "the shared store"}
    return f"from {place.get(record.origin, record.origin)}, {when}"


def _with_needs(unit: Unit) -> list[Piece]:
    pieces = list(unit.pieces)
    for piece in pieces:
        pieces += [need for need in piece.needs if need not in pieces]
    return pieces


def _is_key(what: str) -> bool:
    return len(what) >= 4 and all(c in "0123456789abcdef" for c in what)


def _no_such(what: str, session: Session) -> str:
    name = Path(what).name
    bench: Bench = session.bench
    for folder in ("", "audio/", "takes/", "slides/", "pictures/", "fetched/"):
        path = session.project.build / f"{folder}{name}"
        record = bench.records.get(bench.name(path))
        if record:
            return f"{bench.name(path)} is not part of the movie any more; it was {origin(record)}"
    n_lines = sum(len(d.lines) for e in session.editions for d in e.graph.sections)
    return (
        f"nothing is called {what!r}: name a line by its number (1 to {n_lines}), id or a part of "
        "its text, a slide by its title or as 'slide 2', a place such as script.yaml:12, a file "
        "under build/, or the beginning of a key"
    )


def _all_stands(session: Session) -> str:
    units = units_of(*(edition.graph for edition in session.editions))
    movies = [MovieFile(edition.graph, session.bench).mp4 for edition in session.editions]
    names = ", ".join(map(session.bench.name, movies))
    return f"nothing is stale: {len(units):,} pieces and {names} stand"
