"""`script.yaml`: what is said and shown, in order."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from movie_build.config import Backdrop, VoiceSettings
from movie_build.errors import Where


@dataclass(frozen=True, slots=True)
class Line:
    """One narration line: `text` is shown; `reading`, if there is one, is spoken instead.

    `pause_s` is the silence after it, where it is not the movie's. `recording`
    is a sound file of the user's own, relative to the project.
    """

    text: str
    reading: str = ""
    persona_id: str = ""
    id: str = ""
    pause_s: Fraction | None = None
    recording: str = ""
    voice: VoiceSettings | None = None
    where: Where | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Image:
    """A picture on a slide: a path relative to the project, or a URL.

    With a `fit` (`cover`, `contain`, `blur`) it is the whole slide; `source` says whose it is.
    """

    path: str
    caption: str = ""
    fit: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Quotation:
    """Words on a slide, and whose they are."""

    text: str
    by: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A slide and what is said over it.

    `template` is empty where it is to be chosen from what the section holds;
    `html` is a body of the user's own inside the theme's frame.
    """

    title: str
    narrations: tuple[Line, ...]
    id: str = ""
    subtitle: str = ""
    image: Image | None = None
    bullets: tuple[str, ...] = ()
    quote: Quotation | None = None
    html: str = ""
    template: str = ""
    slide_prompt: str = ""
    page: int = 0
    deck: str = ""
    logo: str = ""
    notes: str = ""
    background: Backdrop | None = None
    where: Where | None = field(default=None, compare=False)
    key_lines: tuple[tuple[str, int], ...] = field(default=(), compare=False)

    def where_of(self, key: str) -> Where:
        """The place of one of its keys."""
        at = self.where or Where("script.yaml")
        return Where(at.file, dict(self.key_lines).get(key, at.line), place=f"{at.place}.{key}")


@dataclass(frozen=True, slots=True)
class Role:
    """What a persona does in the movie: who explains, who asks."""

    persona_id: str
    role: str
    description: str = ""
    where: Where | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Script:
    """A movie's script; `language` is a BCP 47 tag, `deck` what sections show the pages of.

    `where` is its title.
    """

    title: str
    sections: tuple[Section, ...]
    description: str = ""
    language: str = ""
    deck: str = ""
    roles: tuple[Role, ...] = ()
    where: Where | None = field(default=None, compare=False)
