"""Logos: a name, a path or an address in the script → the file, or where to fetch it."""

from __future__ import annotations

from pathlib import Path

from movie_build.errors import SlideError, nearest, shown

FOLDER = Path("assets") / "logos"
_SUFFIXES = (".svg", ".png")


def find(name: str, project: Path) -> Path:
    """The logo `name` of a project: a file's path in it, or the name of a file in assets/logos.

    Upper and lower case are one, and the suffix may be left out.

    Raises:
        SlideError: there is none; its nearest names are told.
    """
    root = project.resolve()
    path = (root / name).resolve()
    if path.is_file():
        if path.is_relative_to(root):
            return path
        raise SlideError(f"the logo {name} lies outside the project: copy it into {FOLDER}/")
    folder = root / FOLDER
    files = sorted(folder.iterdir()) if folder.is_dir() else []
    logos = [file for file in files if file.suffix.lower() in _SUFFIXES]
    wanted = name.casefold()
    # An SVG is sharp at every size, so it comes first.
    for suffix in ("", *_SUFFIXES):
        for file in logos:
            if file.name.casefold() == wanted + suffix:
                return file
    known = {file.stem for file in logos}
    if known:
        raise SlideError(f"no logo named {name!r} in {FOLDER}/; {nearest(name, known)}")
    example = shown(folder / f"{Path(name).stem}.svg", root)
    raise SlideError(f"no logo named {name!r}: put it at {example}, or write its path or address")
