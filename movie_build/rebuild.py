"""One build of a movie in this process, by the same steps as doit's, that can be broken off."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, wait

from movie_build.errors import MovieBuildError
from movie_build.session import Session
from movie_build.units import Unit, units_of


def rebuild(session: Session, pool: Executor, broken_off: Callable[[], bool]) -> bool:
    """Bring the movie that `session` has begun up to date; whether it got to the end.

    What fails is in `session.failures`; all else is made still. Between two pieces
    `broken_off` is asked whether to leave it there.
    """
    if not _write_scripts(session):
        return True
    try:
        units = units_of(*(edition.graph for edition in session.editions))
    except MovieBuildError as error:
        session.fail("movie", error)
        return True
    session.units = {f"{unit.step}:{unit.name}": unit.step for unit in units}
    session.units |= {f"movie:{e.project.edition}": "movie" for e in session.editions}

    def make(chain: Iterable[Unit]) -> None:
        for unit in chain:
            if broken_off() or not _make(session, unit):
                return

    jobs = [pool.submit(make, chain) for chain in _chains(_stale(session, units))]
    for job in wait(jobs).done:
        job.result()
    if broken_off():
        return False
    for edition in session.editions:
        if not session.failures:
            try:
                edition.join()
            except MovieBuildError as error:
                session.fail("movie", error)
    return True


def _write_scripts(session: Session) -> bool:
    """See that the scripts are there that a source is named for."""
    for edition in session.editions if session.movie.config.source else ():
        if edition.script_stands():
            session.count("script", "", made=False)
            continue
        try:
            edition.write_script(overwrite=False)
        except MovieBuildError as error:
            session.fail("script", error)
            return False
    return True


def _stale(session: Session, units: Iterable[Unit]) -> Iterator[Unit]:
    """The units that are to be made; the others are counted."""
    for unit in units:
        if all(map(session.bench.fresh, unit.pieces)):
            session.count(unit.step, unit.name, made=False)
        else:
            yield unit


def _chains(units: Iterable[Unit]) -> list[list[Unit]]:
    """Units that wait for one another together: a slide, then its pictures."""
    chains: dict[str, list[Unit]] = {}
    for unit in units:
        first = unit.pieces[0]
        of = first.needs[0].key if unit.step == "picture" and first.needs else first.key
        chains.setdefault(of, []).append(unit)
    return list(chains.values())


def _make(session: Session, unit: Unit) -> bool:
    try:
        session.make(unit.step, unit.pieces)
    except MovieBuildError as error:
        session.fail(unit.step, error)
        return False
    return True
