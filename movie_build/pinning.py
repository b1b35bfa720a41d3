"""`movie-build take`: keep the approved recording of a line, or give it up again."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from movie_build import flac, pins
from movie_build.atomic import write_bytes
from movie_build.edition import Edition
from movie_build.errors import MovieBuildError, VoiceError, shown
from movie_build.graph import Graph, SpokenLine
from movie_build.join import MovieFile
from movie_build.last_built import remember_as
from movie_build.line_name import Numbered, find_line
from movie_build.lock import hold
from movie_build.pieces import Bench
from movie_build.pins import Pin
from movie_build.script import Line
from movie_build.session import Session
from movie_build.units import inputs_of


def keep(folder: Path, name: str) -> str:
    """Keep the take of the line called `name`; what was done, in a line.

    Raises:
        MovieBuildError: there is no such line, or nothing to keep of it.
    """
    session = Session(folder)
    edition, named = _find(session, name)
    kept = pins.load(edition.project)
    if pin := kept.pinned(named.part):
        return f"{named}: kept already, in {_path(pin, session)}"
    if named.part.recording:
        raise VoiceError(f"it is your own: {named.part.recording}", at=named.part.where)
    spoken = _spoken(edition)[named.number - 1]
    if not session.bench.fresh(spoken.audio):
        raise VoiceError(
            "it is not spoken yet as it would be now; run doit, listen to it, then keep it",
            at=named.part.where,
        )

    pin = _pin(session.bench, edition, named, spoken)
    outdated = _outdated(edition, named.number)
    content = _flac(session.bench, spoken, pin)

    def write() -> None:
        pin.path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(pin.path, content, durable=True)
        for old in outdated:
            old.path.unlink()

    _change(session, edition, write)
    return f"{named}: kept in {_path(pin, session)}"


def release(folder: Path, name: str) -> str:
    """Give up the kept take of the line called `name`; what was done, in a line.

    Raises:
        MovieBuildError: there is no such line, or no take of it is kept.
    """
    session = Session(folder)
    edition, named = _find(session, name)
    found = [pin for pin in [pins.load(edition.project).pinned(named.part)] if pin]
    found += _outdated(edition, named.number)
    if not found:
        raise MovieBuildError(f"{named}: no take of it is kept")

    def remove() -> None:
        for pin in found:
            pin.path.unlink()

    _change(session, edition, remove)
    return f"{named}: released; {', '.join(_path(pin, session) for pin in found)} is removed"


def told(folder: Path, name: str) -> str:
    """Where the recording of the line called `name` can be heard, and whether it is kept."""
    session = Session(folder, look_only=True)
    edition, named = _find(session, name)
    spoken = _spoken(edition)[named.number - 1]
    pin = pins.load(edition.project).pinned(named.part)
    there = session.bench.fresh(spoken.audio)
    wav = session.bench.name(spoken.audio.path) if there else "not spoken yet as it would be now"
    return f"{named}: {wav}; {f'kept in {_path(pin, session)}' if pin else 'not kept'}"


def listed(folder: Path) -> Iterator[str]:
    """A line for each kept take: of which line, where, and whether it is heard."""
    session = Session(folder, look_only=True)
    for edition in session.editions:
        kept = pins.load(edition.project)
        script = edition.movie.script
        if script is None:
            continue
        lines = _numbered(edition)
        outdated = {pin.path: number for pin, number in kept.outdated(script)}
        for pin in kept.all:
            users = [one for one in lines if kept.pinned(one.part) is pin]
            by = f"{pin.spoken_by}, {pin.kept_on}"
            if users:
                yield f"{users[0]}: {_path(pin, session)} ({by})"
            elif pin.path in outdated:
                one = lines[outdated[pin.path] - 1]
                yield f"{one}: not heard, it has changed: {_path(pin, session)} ({by})"
            else:
                yield f"no line says this: {_path(pin, session)} “{pin.said.text}” ({by})"


def _find(session: Session, name: str) -> tuple[Edition, Numbered[Line]]:
    for edition in session.editions:
        if edition.movie.script is None:
            script = edition.project.script.name
            raise MovieBuildError(f"{script} is not written yet; run doit first")
    lines = [one for edition in session.editions for one in _numbered(edition)]
    found = find_line(name, lines)
    edition = next(e for e in session.editions if e.project.edition == found.edition)
    return edition, found


def _numbered(edition: Edition) -> list[Numbered[Line]]:
    assert edition.movie.script
    lines = enumerate(pins.lines_of(edition.movie.script), 1)
    return [Numbered(edition.project.edition, n, line) for n, line in lines]


def _spoken(edition: Edition) -> list[SpokenLine]:
    return _lines(edition.graph)


def _lines(graph: Graph) -> list[SpokenLine]:
    return [line for drawn in graph.sections for line in drawn.lines]


def _outdated(edition: Edition, number: int) -> list[Pin]:
    """The takes that were kept of this line when it said something else."""
    assert edition.movie.script
    found = pins.load(edition.project).outdated(edition.movie.script)
    return [pin for pin, of in found if of == number]


def _pin(bench: Bench, edition: Edition, named: Numbered[Line], spoken: SpokenLine) -> Pin:
    said = pins.said(named.part, edition.project.edition)
    voice = inputs_of(spoken.audio).get("voice") or {}
    by = [str(voice[name]) for name in ("engine", "voice", "speaker") if voice.get(name)]
    return Pin(
        path=pins.place(edition.project, said),
        said=said,
        id=named.part.id,
        number=named.number,
        spoken_by=" ".join(by),
        kept_on=datetime.datetime.now(datetime.UTC).date().isoformat(),
        timing=bench.take(spoken.timing).decode() if spoken.timing else "",
    )


def _flac(bench: Bench, spoken: SpokenLine, pin: Pin) -> bytes:
    from movie_build.wav import samples_of

    return flac.encode(samples_of(bench.take(spoken.audio)), pin.tags())


def _change(session: Session, edition: Edition, change: Callable[[], None]) -> None:
    """Change the kept takes; a movie that stands and sounds the same after it still stands."""
    bench = session.bench
    unlock = hold(session.project.build / ".lock", session.project.name, session.records.look_again)
    try:
        old = MovieFile(edition.graph, bench)
        stands = old.fresh()
        change()
        new = MovieFile(Edition(session, edition.project).graph, bench)
        if stands and _sound_the_same(old, new, bench):
            for path in new.paths:
                record = bench.records.get(bench.name(path))
                assert record
                recipe = new.graph.recipe if record.recipe else ""
                bench.records.put(replace(record, key=new.key, recipe=recipe))
            remember_as(new.graph, bench.records.digest)
    finally:
        session.records.close()
        unlock()


def _sound_the_same(old: MovieFile, new: MovieFile, bench: Bench) -> bool:
    """Whether the lines of two graphs are the same bytes, as far as they are there."""
    for before, after in zip(_lines(old.graph), _lines(new.graph), strict=True):
        if before.sound.key == after.sound.key:
            continue
        if pins.is_kept(after.audio):
            for piece in after.pieces:
                bench.ensure(piece)
        if not bench.fresh(after.sound) or bench.take(before.sound) != bench.take(after.sound):
            return False
    return True


def _path(pin: Pin, session: Session) -> str:
    return shown(pin.path, session.project.folder)
