"""The words that a model is asked with: the user's files, else the program's, filled in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from movie_build import filled_in
from movie_build.errors import AuthorError, Where, shown
from movie_build.project import package_folder

LANGUAGES = {
    "ar": "Arabic", "cs": "Czech", "da": "Danish", "de": "German", "el": "Greek", "en": "English",
    "es": "Spanish", "fi": "Finnish", "fr": "French", "he": "Hebrew", "hi": "Hindi",
    "hu": "Hungarian", "id": "Indonesian", "it": "Italian", "ja": "Japanese", "ko": "Korean",
    "nb": "Norwegian", "nl": "Dutch", "pl": "Polish", "pt": "Portuguese", "ro": "Romanian",
    "ru": "Russian", "sv": "Swedish", "th": "Thai", "tr": "Turkish", "uk": "Ukrainian",
    "vi": "Vietnamese", "zh": "Chinese",
}  # fmt: skip


_NAMES = ("script", "part", "data", "repair")


@dataclass(frozen=True, slots=True)
class Prompts:
    """Prompts for a script in `language`, from `own` (may be missing) and the program's folder."""

    language: str
    own: Path | None = None

    def fill(self, name: str, **values: object) -> str:
        """The prompt `name` with `values` in it: the language's, else the English one.

        Raises:
            AuthorError: the user's file cannot be read or filled in.
        """
        values |= {"language": self.language, "language_name": language_name(self.language)}
        path = self._path(name)
        base = self._project or path.parent
        files = {name: path}
        text = filled_in.fill(name, files.get, values, base=base, refuse=AuthorError)
        return text.strip()

    def where(self, name: str) -> Where:
        """The file of the prompt `name`, as the user calls it."""
        path = self._path(name)
        return Where(shown(path, self._project) if self._project else str(path))

    @property
    def _project(self) -> Path | None:
        """The folder that `own` is `templates/prompts` of."""
        return self.own.parent.parent if self.own else None

    def _path(self, name: str) -> Path:
        return next(path for path in self._places(name) if path.is_file())

    def unused(self) -> Iterator[str]:
        """A warning for each file among the user's prompts that no question is made from."""
        if not self.own or not self._project:
            return
        here = shown(self.own, self._project)
        files = ", ".join(f"{name}.md" for name in _NAMES)
        for path in sorted(self.own.rglob("*.md")):
            tongue = path.parent.name
            is_known = path.parent.parent == self.own and path.stem in _NAMES
            if path.stem != "README" and not (is_known and tongue == tongue[:3].lower()):
                yield (
                    f"{shown(path, self._project)} is not used: prompts stand in {here}/en/, "
                    f"{here}/ja/ and so on, and are called {files}"
                )

    def _places(self, name: str) -> Iterator[Path]:
        ours = package_folder("templates") / "prompts"
        for tongue in (self.language.partition("-")[0].lower(), "en"):
            for folder in (self.own, ours):
                if folder:
                    yield folder / tongue / f"{name}.md"


def language_name(tag: str) -> str:
    """What the language of a BCP 47 tag is called in English, else a description of the tag."""
    tongue, _, region = tag.partition("-")
    name = LANGUAGES.get(tongue.lower(), f"the language with the BCP 47 tag {tongue}")
    return f"{name} ({tag})" if region else name
