"""Pieces in a project's `build/` that its script does not refer to any more."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from movie_build.errors import MovieBuildError, StoreError
from movie_build.in_use import used_by
from movie_build.lock import hold
from movie_build.session import Session

# `only-the-changed-lines.3f9ac21b77d0e415.wav`: a piece's name holds its key.
_PIECE_NAME = re.compile(r"[^.].*\.[0-9a-f]{16}\.[a-z0-9.]+")
_STEPS = ("audio", "slide", "picture")


@dataclass(frozen=True, slots=True)
class Litter:
    """Files that nothing refers to, and how many pieces stay."""

    files: tuple[Path, ...]
    n_bytes: int
    n_kept: int


def litter(session: Session, *, is_pinned: Callable[[str], bool] = lambda key: False) -> Litter:
    """The pieces in `build/` that no script of the project refers to. Writes nothing.

    `is_pinned` tells of a piece's key whether the user wants it kept all the same.

    Raises:
        MovieBuildError: a script is not written yet, so nothing tells what is needed.
    """
    for edition in session.editions:
        if not edition.script_stands():
            raise MovieBuildError(
                f"{edition.project.script.name} is not written yet, so nothing tells which pieces "
                "are needed; build first"
            )
    needed = {piece.path for piece in used_by(session)}
    build = session.project.build
    recorded = {
        session.project.folder / record.name: record.key
        for record in session.records.all()
        if record.step in _STEPS and (session.project.folder / record.name).is_relative_to(build)
    }
    folders = {path.parent for path in (*needed, *recorded)} - {build}
    present = {path for folder in folders for path in folder.glob("*") if _is_piece(path)}
    unused = sorted(
        path for path in present - needed if not is_pinned(recorded.get(path, path.name))
    )
    return Litter(
        tuple(unused), sum(path.stat().st_size for path in unused), len(present) - len(unused)
    )


def remove_litter(
    session: Session, *, is_pinned: Callable[[str], bool] = lambda key: False
) -> Litter:
    """Remove what `litter` finds, while no build is at work; what was removed.

    Raises:
        MovieBuildError: a script is not written yet, so nothing tells what is needed.
        StoreError: a file cannot be removed.
    """
    lock = session.project.build / ".lock"
    let_go = hold(lock, session.project.name, session.records.look_again)
    try:
        found = litter(session, is_pinned=is_pinned)
        for path in found.files:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise StoreError(f"cannot remove {error.filename}: {error.strerror}") from error
    finally:
        let_go()
    return found


def _is_piece(path: Path) -> bool:
    return bool(_PIECE_NAME.fullmatch(path.name)) and path.is_file()
