"""A movie's two files, read and checked together: every mistake of both in one run."""

from __future__ import annotations

import hashlib
import pickle
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from movie_build import __version__, pins
from movie_build.config import Config
from movie_build.errors import InputError, Mistake, Where, in_order, nearest
from movie_build.flags import flag
from movie_build.project import Project
from movie_build.script import Line, Role, Script
from movie_build.unread import Doubts, readable_part

if TYPE_CHECKING:
    from pydantic import BaseModel

    from movie_build.yamlfile import YamlFile

T = TypeVar("T")
M = TypeVar("M", bound="BaseModel")

_READER = 11
_KANA = re.compile(r"[\u3040-\u30ff]")
_LETTER = re.compile(r"[^\W\d_]")
# Where a mistake leaves it open which personas there are.
_PERSONA = re.compile(r"personas(\[\d+\](\.id)?)?\Z")


@dataclass(frozen=True, slots=True)
class Movie:
    """What the user's files say. `script` is None where it is still to be written.

    `language` is the BCP 47 tag of what is spoken: as the files say, else by the letters.
    With `mistakes` in the files, it is what could be understood besides them.
    """

    project: Project
    config: Config
    script: Script | None
    language: str
    warnings: tuple[Mistake, ...] = ()
    mistakes: tuple[Mistake, ...] = ()

    @property
    def name(self) -> str:
        """What the finished files are called."""
        name = self.config.name or self.project.name
        return f"{name}.{self.project.edition}" if self.project.edition else name

    @property
    def output(self) -> Path:
        """The MP4."""
        return self.project.folder / self.config.output_dir / f"{self.name}.mp4"

    def refuse_mistakes(self) -> None:
        """See that the files have none.

        Raises:
            InputError: all of them.
        """
        if self.mistakes:
            raise InputError(self.mistakes)

    @property
    def asked_language(self) -> str:
        """The language that `movie.yaml` asks for: this edition's, else the first; or empty."""
        return _asked_language(self.project, self.config)


def load(project: Project, *, cached: bool = True) -> Movie:
    """The movie in a folder, as `read` gives it.

    Raises:
        InputError: all the mistakes of `movie.yaml` and `script.yaml`.
    """
    movie = read(project, cached=cached)
    movie.refuse_mistakes()
    return movie


def read(project: Project, *, cached: bool = True) -> Movie:
    """The movie in a folder and its mistakes; a file that is as it was, as last understood."""
    mistakes: list[Mistake] = []
    config = _read(project, project.config, Config(), _config_of, mistakes, cached)
    script = _read(project, project.script, None, _script_of, mistakes, cached)
    asked = _asked_language(project, config.value)
    language = (script.value.language if script.value else "") or asked
    if not language:
        language = language_of(script.value) if script.value else "en"
    warnings = (*config.warnings, *script.warnings, *_unused_prompts(config.value, script.value))
    if script.value:
        warnings += (*pins.load(project).warnings(script.value),)
    movie = Movie(project, config.value, script.value, language, warnings)
    mistakes += _contradictions(movie, Doubts(mistakes))
    return replace(
        movie,
        mistakes=tuple(sorted(mistakes, key=in_order)),
        warnings=tuple(sorted(movie.warnings, key=in_order)),
    )


def _asked_language(project: Project, config: Config) -> str:
    return project.edition or (config.languages[0] if config.languages else "")


def language_of(script: Script) -> str:
    """`ja` if a good part of the letters are kana, else `en`."""
    text = "".join(line.text for section in script.sections for line in section.narrations)[:20_000]
    letters = len(_LETTER.findall(text))
    return "ja" if letters and len(_KANA.findall(text)) > letters / 8 else "en"


@dataclass(frozen=True, slots=True)
class _Understood(Generic[T]):
    """What a file means, and what in it has no effect."""

    value: T
    warnings: tuple[Mistake, ...] = ()


def _read(
    project: Project,
    path: Path,
    usual: T,
    understand: Callable[[YamlFile, list[Mistake]], _Understood[T] | None],
    mistakes: list[Mistake],
    cached: bool,
) -> _Understood[T]:
    """What the file at `path` means; its mistakes are added to `mistakes`."""
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return _Understood(usual)
    except OSError as error:
        mistakes.append(Mistake(Where(path.name), f"cannot be read: {error.strerror}"))
        return _Understood(usual)
    kept = project.build / f"{path.stem}.understood"
    digest = hashlib.sha256(b"%d\0%s\0" % (_READER, __version__.encode()) + text).digest()
    known: _Understood[T] | None = _recall(kept, digest) if cached else None
    if known is not None:
        return known
    from movie_build.yamlfile import parse

    n_mistakes = len(mistakes)
    try:
        found = understand(parse(text, path.name, mistakes), mistakes)
    except InputError as error:
        mistakes.extend(error.mistakes)
        found = None
    if found is None or len(mistakes) > n_mistakes:
        return found or _Understood(usual)
    if cached:
        _remember(kept, digest, found)
    return found


def _config_of(file: YamlFile, mistakes: list[Mistake]) -> _Understood[Config] | None:
    from movie_build import config_contradictions, config_file
    from movie_build.edge import warnings_of

    keys = _validated(config_file.ConfigFile, file, mistakes)
    if keys is None:
        return None
    mistakes += config_contradictions.found(keys, file)
    warnings = *warnings_of(keys, file), *config_file.unheard(keys, file)
    return _Understood(config_file.to_config(keys, file), warnings)


def _script_of(file: YamlFile, mistakes: list[Mistake]) -> _Understood[Script | None] | None:
    from movie_build import script_file
    from movie_build.edge import warnings_of

    keys = _validated(script_file.ScriptFile, file, mistakes)
    if keys is None:
        return None
    script = script_file.to_script(keys, file)
    mistakes += script_file.blank_lines(script, Doubts(mistakes))
    return _Understood(script, tuple(warnings_of(keys, file)))


def mistakes_in(script: str, name: str) -> list[Mistake]:
    """What is wrong with a script before it becomes the file `name`."""
    from movie_build.yamlfile import parse

    mistakes: list[Mistake] = []
    _script_of(parse(script.encode("utf-8", "replace"), name), mistakes)
    return mistakes


def _validated(model: type[M], file: YamlFile, mistakes: list[Mistake]) -> M | None:
    """What a file says, as far as it can be understood."""
    from pydantic import ValidationError

    from movie_build.yamlfile import mistakes_of

    try:
        return model.model_validate(file.value)
    except ValidationError as error:
        mistakes.extend(mistakes_of(error, file, model))
        return readable_part(model, file.value, error)


def _contradictions(movie: Movie, doubts: Doubts) -> Iterator[Mistake]:
    """What is right in each file and still cannot be, where nothing told leaves it in doubt."""
    config, script = movie.project.config.name, movie.project.script.name
    known = not doubts.of_keys(Where(config))
    if movie.script is not None:
        if known and not any(map(_PERSONA.match, doubts.places(config))):
            yield from _unknown_personas(movie.script, movie.config, doubts)
        if known and not doubts.at(Where(config, place="pronunciation")):
            yield from _unspeakable(movie.script, movie.config, doubts)
    elif known and not (
        movie.config.source or doubts.at(Where(config, place="source")) or doubts.at(Where(script))
    ):
        what = f"there is no {script}, and no `source:` to write one from; write either"
        yield Mistake(Where(config), what)
    yield from _missing_files(movie)


def _unknown_personas(script: Script, config: Config, doubts: Doubts) -> Iterator[Mistake]:
    known = {persona.id for persona in config.personas}
    things: list[Line | Role] = [*script.roles]
    things += [line for section in script.sections for line in section.narrations]
    for thing in things:
        if thing.persona_id and thing.persona_id not in known:
            assert thing.where
            hint = nearest(thing.persona_id, known)
            if not known:
                hint = "name it under `personas` in movie.yaml, or remove persona_id"
            where = Where(
                thing.where.file, thing.where.line, place=f"{thing.where.place}.persona_id"
            )
            if not doubts.at(where):
                yield Mistake(where, f"no persona named {thing.persona_id!r}; {hint}")


def _unspeakable(script: Script, config: Config, doubts: Doubts) -> Iterator[Mistake]:
    """Lines of nothing but marks, for which no dictionary word gives a reading."""
    for section in script.sections:
        for line in section.narrations:
            text = line.reading or line.text
            if not text or line.recording or any(map(_is_spoken, text)):
                continue
            if not any(word.surface in text for word in config.dictionary):
                assert line.where
                what = f"nothing in {text[:40]!r} can be spoken; write words, or give a reading"
                if not doubts.at(line.where):
                    yield Mistake(line.where, what)


def _is_spoken(char: str) -> bool:
    """Whether engines have a word for it: letters, digits and symbols, not punctuation."""
    return char.isalnum() or unicodedata.category(char)[0] in "LNS"


def _unused_prompts(config: Config, script: Script | None) -> Iterator[Mistake]:
    """One warning where prompts are written and no model is named to draw from them."""
    if config.drawing.model.model or config.drawing.maker or flag("MOVIE_BUILD_PLACEHOLDER"):
        return
    for section in script.sections if script else ():
        if section.slide_prompt:
            yield Mistake(
                section.where_of("slide_prompt"),
                "ignored: name a model as slides.llm.model in movie.yaml",
            )
            return


def _missing_files(movie: Movie) -> Iterator[Mistake]:
    """The user's own files that the movie names and that are not there."""
    named: list[tuple[str, Where | None]] = []
    if movie.config.background:
        named.append((movie.config.background.path, movie.config.background.where))
    for section in movie.script.sections if movie.script else ():
        if section.image and not is_url(section.image.path):
            named.append((section.image.path, section.where_of("image")))
        if section.background:
            named.append((section.background.path, section.background.where))
        if section.page and (deck := section.deck or (movie.script and movie.script.deck)):
            named.append((deck, section.where_of("page")))
        for line in section.narrations:
            if line.recording and line.where:
                place = f"{line.where.place}.recording"
                named.append((line.recording, Where(line.where.file, line.where.line, place=place)))
    for path, where in named:
        if not (movie.project.folder / path).is_file():
            assert where
            yield Mistake(where, f"there is no file {path!r} in {movie.project.name}/")


def is_url(path: str) -> bool:
    """Whether `path` is a web address, not a file's path."""
    return path.startswith(("http://", "https://"))


class _Unpickler(pickle.Unpickler):
    """Reads only this program's own values, so that a pickle from elsewhere runs nothing."""

    def find_class(self, module: str, name: str) -> Any:
        own = module in ("movie_build.config", "movie_build.script", "movie_build.errors")
        if (
            own
            or (module, name) == (__name__, "_Understood")
            or (module, name) == ("fractions", "Fraction")
        ):
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"{module}.{name} is not a value of a movie")


def _recall(path: Path, digest: bytes) -> Any:
    try:
        with path.open("rb") as file:
            if file.read(len(digest)) == digest:
                return _Unpickler(file).load()
    except (OSError, ValueError, TypeError, AttributeError, EOFError, pickle.UnpicklingError):
        pass  # it is made again
    return None


def _remember(path: Path, digest: bytes, found: object) -> None:
    from movie_build.atomic import write_bytes
    from movie_build.schema import publish

    try:
        path.parent.mkdir(exist_ok=True)
        publish(path.parent)
        write_bytes(path, digest + pickle.dumps(found, 5))
    except OSError:
        return  # it only saves time
