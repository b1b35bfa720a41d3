"""A theme under a project's own templates: which files a slide of a template is drawn from.

A project's `templates/NAME.html` stands in for the theme's template of that
name, or is a new one; it reaches what it stands in for as `theme/NAME.html`.
Its `templates/style.css` comes after the theme's style sheet, on every slide.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

from movie_build import filled_in, theme
from movie_build.errors import SlideError, nearest, shown
from movie_build.html_text import HtmlText

# No name in a project begins so: these never hide a file of the user's.
THEME = "-theme/"
FOLDER = "templates"
STYLE = f"{FOLDER}/style.css"
_OF_THEME = "theme/"
_NAMES = re.compile(r"""\{%-?\s*(?:extends|include|import|from)\s+["']([^"']+)["']""")
_FILLED_IN = ("{{", "{%")


def files_of(template: str, folder: Path, project: Path) -> dict[str, Path]:
    """All that a slide of `template` can be drawn from, by the names its page knows them by.

    Files of the theme in `folder` are under `THEME`; the project's have their paths in it.

    Raises:
        SlideError: there is no such template, or it names a file that is not there.
    """
    found = theme.load(folder)
    of_theme = set(found.templates)
    own = {path.stem: path for path in _own(project) if not path.stem.startswith("_")}
    if template not in of_theme | own.keys():
        raise SlideError(
            f"there is no template {template!r} in the theme {found.folder.name!r}, and no "
            f"{FOLDER}/{template}.html; {nearest(template, of_theme | own.keys())}"
        )
    some = next(iter(sorted(of_theme)))
    files = {THEME + name: path for name, path in found.files(some).items()}
    del files[f"{THEME}{some}.html"]
    for name, path in reached(f"{template}.html", folder, project):
        files[name] = path
        if not name.startswith(THEME):
            files |= named_in(filled_in.read(path, project, SlideError), project, name)
    style = project / STYLE
    if style.is_file():
        files[STYLE] = style
        css = filled_in.read(style, project, SlideError)
        files |= named_in(f"<style>{css}</style>", project, STYLE, FOLDER)
    return files


def source(name: str, files: Mapping[str, Path]) -> Path | None:
    """The file of the template that others call `name`, if it is among `files`."""
    names = [f"{FOLDER}/{name}", THEME + name]
    if name.startswith(_OF_THEME):
        names = [THEME + name.removeprefix(_OF_THEME)]
    return next((files[known] for known in names if known in files), None)


def named_in(html: str, project: Path, what: str, base: str = "") -> dict[str, Path]:
    """The project's files that `html` names, by their paths; it is called `what` in messages.

    Raises:
        SlideError: it names one that is not there, or something on the network.
    """
    files: dict[str, Path] = {}
    for reference in HtmlText(html).references if html else ():
        url = urlsplit(reference)
        if url.scheme == "data" or not (url.path or url.netloc):
            continue
        if any(mark in reference for mark in _FILLED_IN) or url.path.startswith(f"/{THEME}"):
            continue
        if url.scheme or url.netloc:
            raise SlideError(
                f"{what} names {reference!r}: slides are drawn without a network; "
                "put a copy into assets/ and name that"
            )
        name = posixpath.normpath(posixpath.join("/", base, unquote(url.path))).lstrip("/")
        path = (project / name).resolve()
        if not path.is_relative_to(project) or not path.is_file():
            where = shown(path, project)
            raise SlideError(f"{what} names {reference!r}: there is no file {where} in the project")
        files[name] = path
    return files


def _own(project: Path) -> list[Path]:
    return sorted((project / FOLDER).glob("*.html"))


def reached(template: str, folder: Path, project: Path) -> Iterator[tuple[str, Path]]:
    """The files of `template` and of all templates that it extends or includes."""
    to_see, seen = [template], set()
    while to_see:
        name = to_see.pop()
        own = project / FOLDER / name
        if name.startswith(_OF_THEME) or not own.is_file():
            bare = name.removeprefix(_OF_THEME)
            served, path = THEME + bare, folder / bare
        else:
            served, path = f"{FOLDER}/{name}", own
        inside = folder if served.startswith(THEME) else project / FOLDER
        if served in seen or not path.resolve().is_relative_to(inside.resolve()):
            continue
        seen.add(served)
        if path.is_file():
            yield served, path
            to_see += _NAMES.findall(filled_in.read(path, project, SlideError))
