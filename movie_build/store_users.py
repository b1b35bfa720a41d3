"""Which projects the user's store serves: they are asked before it is made smaller."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from movie_build.atomic import write_bytes
from movie_build.keys import digest

_FOLDER = "projects"


def note(project: Path, store: Path) -> None:
    """Note that the project in the folder `project` uses the store in the folder `store`."""
    name = os.fsencode(project)
    place = store / _FOLDER / digest(name)[:16]
    if not place.exists():
        with suppress(OSError):  # that a store cannot be written to is told elsewhere
            place.parent.mkdir(parents=True, exist_ok=True)
            write_bytes(place, name)


def noted(store: Path) -> Iterator[Path]:
    """The projects that use the store in `store`, as far as they are still where they were."""
    for place in sorted((store / _FOLDER).glob("[!.]*")):
        project = Path(os.fsdecode(place.read_bytes()))
        if any((project / name).is_file() for name in ("script.yaml", "movie.yaml")):
            yield project
