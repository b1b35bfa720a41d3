"""Frozen builds: they ask no service, and what they lack is told before anything is made.

A pull request without secrets is built so: from `build/`, the user's store and
the shared one. What can be made on this machine is made.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from movie_build import telling
from movie_build.errors import FrozenError, Mistake, Where
from movie_build.movie import Movie
from movie_build.pieces import Bench, Piece
from movie_build.units import Unit, units_of

if TYPE_CHECKING:
    from movie_build.session import Session

_FETCHED_AT_ONCE = 8


def check(session: Session) -> None:
    """See that `session`'s project can be built without a service; fetch what the stores have.

    Raises:
        FrozenError: it cannot; all that is missing.
    """
    missing: list[Mistake] = []
    units: list[Unit] = []
    for edition in session.editions:
        if edition.script_stands():
            units += units_of(edition.graph)
        else:
            missing += _missing_script(edition.movie)
    missing += missing_pieces(units, session.bench)
    if missing:
        for trouble in session.bench.store.settle():
            telling.warn(trouble)
        raise FrozenError(missing)


def check_script(movie: Movie) -> None:
    """See that `movie`'s script can be written without a service.

    Raises:
        FrozenError: it cannot.
    """
    if missing := _missing_script(movie):
        raise FrozenError(missing)


def missing_pieces(units: Iterable[Unit], bench: Bench) -> list[Mistake]:
    """What only a service could make of `units`, and is neither there nor in a store."""
    asked = [unit for unit in units if any(map(_needs_service, unit.pieces))]
    with ThreadPoolExecutor(_FETCHED_AT_ONCE) as pool:
        lacking = pool.map(lambda unit: [*_lacking(unit.pieces, bench)], asked)
        return [_told(unit) for unit, pieces in zip(asked, lacking, strict=True) if pieces]


def _needs_service(piece: Piece) -> bool:
    return piece.remote or any(map(_needs_service, piece.needs))


def _lacking(pieces: Iterable[Piece], bench: Bench) -> Iterator[Piece]:
    for piece in pieces:
        if not bench.obtain(piece):
            if piece.remote:
                yield piece
            yield from _lacking(piece.needs, bench)


def _told(unit: Unit) -> Mistake:
    title = unit.title if len(unit.title) <= 60 else f"{unit.title[:59]}…"
    quoted = "" if f'"{title}"' in unit.label else f' "{title}"'
    what = f"{unit.label}{quoted} is in no store, and only a service can make it"
    return Mistake(unit.where or Where("script.yaml"), what)


def _missing_script(movie: Movie) -> list[Mistake]:
    """The script of `movie`, if writing it needs a model or a page of the web."""
    from movie_build.authors.registry import author_name

    source = movie.config.source
    author = author_name(movie)
    here = "://" not in source and not movie.config.mcp  # if it is there, which is told then
    if author == "outline" and (here or (movie.project.folder / source).is_file()):
        return []
    by = (
        f"fetching {movie.config.shown_source}" if author == "outline" else f"the author {author!r}"
    )
    what = f"is not written, and {by} needs a service; keep the script under version control"
    return [Mistake(Where(movie.project.script.name), what)]
