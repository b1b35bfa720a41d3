"""A movie's two files, read and checked together: every mistake of both in one run."""

from __future__ import annotations

import hashlib
import pickle
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from movie_build.config import Config
from movie_build.errors import InputError, Mistake, Where, nearest
from movie_build.project import Project
from movie_build.script import Script

_READER = 1
_KANA = re.compile(r"[\u3040-\u30ff]")
_LETTER = re.compile(r"[^\W\d_]")


@dataclass(frozen=True, slots=True)
class Movie:
    """What the user's files say. `script` is None where it is still to be written."""

    project: Project
    config: Config
    script: Script | None
    warnings: tuple[Mistake, ...] = ()

    @property
    def name(self) -> str:
        """What the finished files are called."""
        return self.config.name or self.project.name

    @property
    def output(self) -> Path:
        """The MP4."""
        return self.project.folder / self.config.output_dir / f"{self.name}.mp4"

    @property
    def language(self) -> str:
        """The BCP 47 tag of what is spoken: as said in the files, else by the script's letters."""
        script = self.script
        if script and script.language:
            return script.language
        return self.config.language or (language_of(script) if script else "en")


def load(project: Project, *, cached: bool = True) -> Movie:
    """The movie in a folder; where the files are as they were, as it was last understood.

    Raises:
        InputError: all the mistakes of `movie.yaml` and `script.yaml`.
    """
    config_text = _read(project.config)
    script_text = _read(project.script)
    understood = project.build / "understood.pickle"
    digest = hashlib.sha256(b"%d\0" % _READER + _version() + b"\0")
    for text in (config_text, script_text):
        digest.update(b"-" if text is None else hashlib.sha256(text).digest())
    movie = _recall(understood, digest.digest(), project) if cached else None
    if movie is None:
        movie = _understand(project, config_text, script_text)
        if cached:
            _remember(understood, digest.digest(), movie)
    if missing := list(_missing_files(movie)):
        raise InputError(missing)
    return movie


def language_of(script: Script) -> str:
    """`ja` if a good part of the letters are kana, else `en`."""
    text = "".join(line.text for section in script.sections for line in section.narrations)[:20_000]
    letters = len(_LETTER.findall(text))
    return "ja" if letters and len(_KANA.findall(text)) > letters / 8 else "en"


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InputError(
            [Mistake(Where(path.name), f"cannot be read: {error.strerror}")]
        ) from error


def _understand(project: Project, config_text: bytes | None, script_text: bytes | None) -> Movie:
    from movie_build import config_file, script_file, yamlfile

    mistakes: list[Mistake] = []

    def read(text: bytes, name: str, model: type[Any]) -> tuple[Any, yamlfile.YamlFile | None]:
        from pydantic import ValidationError

        try:
            file = yamlfile.parse(text, name)
        except InputError as error:
            mistakes.extend(error.mistakes)
            return None, None
        try:
            return model.model_validate(file.value), file
        except ValidationError as error:
            mistakes.extend(yamlfile.mistakes_of(error, file, model))
            return None, file

    config, script = Config(), None
    warnings: list[Mistake] = []
    if config_text is not None:
        keys, file = read(config_text, project.config.name, config_file.ConfigFile)
        if keys and file:
            config = config_file.to_config(keys, file)
            mistakes += config_file.contradictions(keys, file)
            warnings += config_file.warnings_of(keys, file)
    if script_text is not None:
        keys, file = read(script_text, project.script.name, script_file.ScriptFile)
        if keys and file:
            script = script_file.to_script(keys, file)
            warnings += config_file.warnings_of(keys, file)
            mistakes += script_file.blank_lines(script)
            if config_text is None or not mistakes:
                mistakes += _unknown_personas(script, config)
    elif not config.source and not mistakes:
        what = "there is no script.yaml, and no `source:` to write one from; write either"
        mistakes.append(Mistake(Where(project.config.name), what))
    if mistakes:
        raise InputError(sorted(mistakes, key=lambda m: (m.where.file, m.where.line or 0)))
    return Movie(project, config, script, tuple(warnings))


def _unknown_personas(script: Script, config: Config) -> Iterator[Mistake]:
    known = {persona.id for persona in config.personas}
    for section in script.sections:
        for line in section.narrations:
            if line.persona_id and line.persona_id not in known:
                assert line.where
                hint = nearest(line.persona_id, known)
                if not known:
                    hint = "name it under `personas` in movie.yaml, or remove persona_id"
                where = Where(
                    line.where.file, line.where.line, place=f"{line.where.place}.persona_id"
                )
                yield Mistake(where, f"no persona named {line.persona_id!r}; {hint}")


def _missing_files(movie: Movie) -> Iterator[Mistake]:
    """The user's own files that the movie names and that are not there."""
    named: list[tuple[str, Where | None, str]] = []
    if movie.config.background:
        named.append((movie.config.background.path, movie.config.background.where, ""))
    for section in movie.script.sections if movie.script else ():
        if section.image and not is_url(section.image.path):
            named.append((section.image.path, section.where, ".image"))
        if section.background:
            named.append((section.background.path, section.background.where, ""))
        named += [
            (li.recording, li.where, ".recording") for li in section.narrations if li.recording
        ]
    for path, where, key in named:
        if not (movie.project.folder / path).is_file():
            assert where
            at = Where(where.file, where.line, place=where.place + key)
            yield Mistake(at, f"there is no file {path!r} in {movie.project.name}/")


def is_url(path: str) -> bool:
    """Whether `path` is a web address, not a file's path."""
    return path.startswith(("http://", "https://"))


def _version() -> bytes:
    from movie_build import __version__

    return __version__.encode()


class _Unpickler(pickle.Unpickler):
    """Reads only this program's own values, so that a pickle from elsewhere runs nothing."""

    def find_class(self, module: str, name: str) -> Any:
        own = module in ("movie_build.config", "movie_build.script", "movie_build.errors")
        if own or (module, name) == ("fractions", "Fraction"):
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"{module}.{name} is not a value of a movie")


def _recall(path: Path, digest: bytes, project: Project) -> Movie | None:
    try:
        with path.open("rb") as file:
            if file.read(len(digest)) != digest:
                return None
            config, script, warnings = _Unpickler(file).load()
    except (OSError, ValueError, TypeError, AttributeError, EOFError, pickle.UnpicklingError):
        return None
    return Movie(project, config, script, warnings)


def _remember(path: Path, digest: bytes, movie: Movie) -> None:
    from movie_build.atomic import write_bytes
    from movie_build.schema import publish

    try:
        path.parent.mkdir(exist_ok=True)
        publish(path.parent)
        write_bytes(path, digest + pickle.dumps((movie.config, movie.script, movie.warnings), 5))
    except OSError:
        return  # it only saves time
