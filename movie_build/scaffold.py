"""A new movie's folder."""

from __future__ import annotations

import os
from pathlib import Path

import yaml

from movie_build.config_file import SCHEMA_LINE as CONFIG_SCHEMA
from movie_build.errors import MovieBuildError
from movie_build.movie import is_url
from movie_build.schema import publish
from movie_build.script import Line, Script, Section
from movie_build.script_file import dump

_DODO = """from movie_build.tasks import movie

movie(globals(), __file__)
"""
_IGNORED = "build/\ndist/\n"


def make_project(folder: Path, source: str | None, *, browser: bool = False) -> list[Path]:
    """Make `folder` with a dodo.py, a movie.yaml, and a script where there is no source.

    `browser` lets the source's JavaScript run before it is read.

    Raises:
        MovieBuildError: one of the files is there already; nothing is written then.
    """
    config = f"{CONFIG_SCHEMA}{_settings(source, folder, browser)}"
    files = {"dodo.py": _DODO, "movie.yaml": config, ".gitignore": _IGNORED}
    if not source:
        files["script.yaml"] = dump(_first_script(folder.resolve().name))
    for name in files:
        if (folder / name).exists():
            raise MovieBuildError(f"{folder / name} is there already; choose another name")
    try:
        (folder / "build").mkdir(parents=True, exist_ok=True)
        publish(folder / "build")
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise MovieBuildError(f"cannot make {folder}: {error.strerror}") from error
    return [folder / name for name in files]


def _settings(source: str | None, folder: Path, browser: bool) -> str:
    if not source:
        return "# Every key is optional, for example:\n# style: {resolution: [1280, 720]}\n"
    if not is_url(source):
        if browser:
            raise MovieBuildError(f"--browser is for web pages, and {source} is a file")
        path = Path(source).resolve()
        if not path.is_file():
            raise MovieBuildError(f"there is no file {source}; give a URL or a file to write from")
        source = Path(os.path.relpath(path, folder.resolve())).as_posix()
    settings: dict[str, object] = {"source": source}
    if browser:
        settings["content"] = {"browser": True}
    return yaml.safe_dump(settings, allow_unicode=True, sort_keys=False)


def _first_script(name: str) -> Script:
    title = name.replace("-", " ").replace("_", " ").capitalize()
    return Script(
        title=title,
        sections=(
            Section(
                title=title,
                subtitle="Made with movie-build",
                template="title",
                narrations=(Line("This is the first line of a new movie."),),
            ),
            Section(
                title="How it goes on",
                bullets=("Edit script.yaml", "Run doit", "Watch dist/"),
                narrations=(
                    Line("Every line here is spoken, and every section is a slide."),
                    Line("Change one, run do it again, and only that one is made again."),
                ),
            ),
        ),
    )
