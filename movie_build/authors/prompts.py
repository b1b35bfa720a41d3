"""The words that a model is asked with: the user's files, else the program's, filled in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from movie_build.errors import AuthorError
from movie_build.project import package_folder

LANGUAGES = {
    "ar": "Arabic", "cs": "Czech", "da": "Danish", "de": "German", "el": "Greek", "en": "English",
    "es": "Spanish", "fi": "Finnish", "fr": "French", "he": "Hebrew", "hi": "Hindi",
    "hu": "Hungarian", "id": "Indonesian", "it": "Italian", "ja": "Japanese", "ko": "Korean",
    "nb": "Norwegian", "nl": "Dutch", "pl": "Polish", "pt": "Portuguese", "ro": "Romanian",
    "ru": "Russian", "sv": "Swedish", "th": "Thai", "tr": "Turkish", "uk": "Ukrainian",
    "vi": "Vietnamese", "zh": "Chinese",
}  # fmt: skip


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
        import jinja2
        from jinja2.sandbox import SandboxedEnvironment

        path = next(path for path in self._places(name) if path.is_file())
        environment = SandboxedEnvironment(
            undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
        )
        values |= {"language": self.language, "language_name": language_name(self.language)}
        try:
            return environment.from_string(path.read_text("utf-8-sig")).render(values).strip()
        except jinja2.TemplateSyntaxError as error:
            raise AuthorError(f"prompt {path}:{error.lineno}: {error.message}") from error
        except jinja2.TemplateError as error:
            known = ", ".join(sorted(values))
            raise AuthorError(f"prompt {path}: {error.message}; known are: {known}") from error
        except UnicodeDecodeError as error:
            raise AuthorError(f"prompt {path}: not UTF-8; save it as UTF-8") from error
        except OSError as error:
            raise AuthorError(f"prompt {path} cannot be read: {error.strerror}") from error

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
