"""What projects use: which pieces their scripts, as they are now, are joined from."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from movie_build.errors import MovieBuildError
from movie_build.pieces import Piece
from movie_build.project import Project
from movie_build.records import Records
from movie_build.session import Session
from movie_build.units import units_of

_OTHERS = {"build", "dist", "node_modules", "__pycache__", "site-packages"}


@dataclass(frozen=True, slots=True)
class Used:
    """The pieces of a project, by key: those that are joined, and those that these are made from.

    All of `joined` is needed for a build that makes nothing but the movie.
    """

    joined: dict[str, Piece]
    sources: dict[str, Piece]

    def __iter__(self) -> Iterator[Piece]:
        yield from self.joined.values()
        yield from self.sources.values()


def used_by(session: Session) -> Used:
    """The pieces of every edition of a project that has its script."""
    joined: dict[str, Piece] = {}
    for edition in session.editions:
        if edition.script_stands():
            for unit in units_of(edition.graph):
                joined |= {piece.key: piece for piece in unit.pieces}
    sources = {piece.key: piece for piece in _needed(joined.values()) if piece.key not in joined}
    return Used(joined, sources)


def _needed(pieces: Iterable[Piece]) -> Iterator[Piece]:
    for piece in pieces:
        yield from piece.needs
        yield from _needed(piece.needs)


def keys_used(folder: Path) -> frozenset[str]:
    """The keys of all pieces that the project in `folder` uses; where its files cannot be
    understood, of all that it was last seen to have.

    Raises:
        MovieBuildError: nothing tells.
    """
    try:
        return frozenset(piece.key for piece in used_by(Session(folder, look_only=True)))
    except MovieBuildError as error:
        records = Records(Project(folder).records, look_only=True)
        known = frozenset(record.key for record in records.all())
        if known:
            return known
        raise MovieBuildError(
            f"{error}\nso nothing tells what {folder.name} still uses: mend it, or use --force"
        ) from error


def projects_under(folder: Path) -> Iterator[Path]:
    """`folder` if it is a movie's, else all movies' folders under it, in order."""
    for path, folders, files in os.walk(folder):
        if "script.yaml" in files or "movie.yaml" in files:
            folders.clear()
            yield Path(path)
        folders[:] = sorted(f for f in folders if f not in _OTHERS and not f.startswith("."))
