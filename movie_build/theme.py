"""Slide themes: where they are, and which of their files a slide is drawn from."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from movie_build.errors import SlideError, nearest, shown

_KINDS = {".html", ".css", ".png", ".jpg", ".jpeg", ".webp", ".gif", ".svg", ".avif"}
_KINDS |= {".woff2", ".woff", ".ttf", ".otf"}


@dataclass(frozen=True, slots=True)
class Theme:
    """A folder of templates (`bullets.html`), what they share (`_base.html`, CSS, fonts)."""

    folder: Path

    @property
    def templates(self) -> tuple[str, ...]:
        """The names of its templates, such as `bullets`."""
        paths = [p for p in _below(self.folder) if p.suffix == ".html" and p.parent == self.folder]
        return tuple(sorted(p.stem for p in paths if p.stem[0] != "_"))

    def files(self, template: str) -> dict[str, Path]:
        """All that a slide of `template` can be drawn from, by name relative to the theme.

        The other templates are not among it, so editing one leaves the others' slides alone.

        Raises:
            SlideError: the theme has no such template.
        """
        if template not in self.templates:
            hint = nearest(template, self.templates)
            raise SlideError(f"the theme {self.folder.name!r} has no template {template!r}; {hint}")
        others = {f"{name}.html" for name in self.templates} - {f"{template}.html"}
        found = {p.relative_to(self.folder).as_posix(): p for p in _below(self.folder)}
        return {
            name: path
            for name, path in found.items()
            if path.suffix.lower() in _KINDS and name not in others
        }


# Many projects of one run share a theme. By folder: when it and those in it changed, what is there.
_listed: dict[Path, tuple[dict[Path, int], tuple[Path, ...]]] = {}
_GRAIN_NS = 50_000_000


def _below(folder: Path) -> tuple[Path, ...]:
    """All that is below `folder`, in order; looked for again only where a folder has changed."""
    if folder in _listed:
        stamps, paths = _listed[folder]
        with suppress(FileNotFoundError):
            if all(inner.stat().st_mtime_ns == stamp for inner, stamp in stamps.items()):
                return paths
    now = time.time_ns()
    paths = tuple(sorted(folder.rglob("*")))
    stamps = {one: one.stat().st_mtime_ns for one in (folder, *paths) if one.is_dir()}
    # One that changed within its time stamp's grain could change again unseen.
    if all(now - stamp > _GRAIN_NS for stamp in stamps.values()):
        _listed[folder] = stamps, paths
    return paths


def find(name: str, project: Path) -> Path:
    """The folder of the theme `name`: one in the project, else one of the program's.

    Raises:
        SlideError: there is none of that name.
    """
    for folder in (project / name, project / "templates" / name, _ours() / name):
        if name and _is_theme(folder):
            return folder
    names = [
        path.name
        for base in (project / "templates", _ours())
        if base.is_dir()
        for path in base.iterdir()
        if _is_theme(path)
    ]
    raise SlideError(
        f"no theme {name!r}: no folder with templates in it at {shown(project / name, project)} "
        f"or templates/{name}; {nearest(name, names)}"
    )


def load(folder: Path) -> Theme:
    """The theme in `folder`; a bare name is one of the program's.

    Raises:
        SlideError: there is none.
    """
    place = folder if folder.is_absolute() else find(str(folder), Path.cwd())
    if not _is_theme(place):
        raise SlideError(f"{place} is no theme: it has no templates such as bullets.html")
    return Theme(place)


def _is_theme(folder: Path) -> bool:
    return folder.is_dir() and any(
        p.suffix == ".html" and p.parent == folder for p in _below(folder)
    )


def _ours() -> Path:
    """`templates/` of the program: in the wheel, or beside the package in a clone."""
    package = Path(__file__).parent
    installed = package / "_templates"
    return installed if installed.is_dir() else package.parent / "templates"
