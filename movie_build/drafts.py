"""The last draft of a script: what the author wrote, by which the user's edits are told.

It lies in `.movie-build/` of the project, to be kept in git with the script:
`build/` is disposable.
"""

from __future__ import annotations

from pathlib import Path

from movie_build.atomic import write_bytes
from movie_build.project import Project

FOLDER = ".movie-build"


def place(project: Project) -> Path:
    """Where the last draft of the project's script is kept."""
    return project.folder / FOLDER / project.script.name.replace("script", "draft", 1)


def keep(project: Project, draft: bytes) -> None:
    """Keep what the author wrote."""
    path = place(project)
    path.parent.mkdir(exist_ok=True)
    write_bytes(path, draft, durable=True)


def last(project: Project) -> str | None:
    """What the author wrote last; None where that is not known."""
    try:
        return place(project).read_bytes().decode()
    except FileNotFoundError:
        return None


def backup(path: Path) -> Path:
    """A free name for a backup of `path`: none ever replaces another."""
    n, free = 0, path.with_name(f"{path.name}.bak")
    while free.exists():
        n += 1
        free = path.with_name(f"{path.name}.bak.{n}")
    return free
