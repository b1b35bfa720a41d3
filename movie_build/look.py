"""How a movie looks and what a slide shows: plain values between script and renderer."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from movie_build.errors import Where


@dataclass(frozen=True, slots=True)
class Look:
    """What all slides of a movie share. Colours are CSS `#rrggbb`."""

    width_px: int = 1920
    height_px: int = 1080
    fps: Fraction = Fraction(30)
    crf: int = 20
    font_family: str = ""
    primary_color: str = ""
    background_color: str = ""
    theme: Path = Path("default")
    language: str = "en"
    font_where: Where | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Background:
    """A picture behind a slide; `fit` is cover, contain or fill."""

    path: Path
    fit: str = "cover"


@dataclass(frozen=True, slots=True)
class Slide:
    """What one slide shows. Paths are absolute, and exist when it is drawn.

    `template` names a file of the theme (`title`, `statement`, `bullets`,
    `picture`, `full`, `quote`, `html`, `draft`) or one of the project's own;
    empty, it is to be chosen from what there is to show. `fit` is how a
    picture fills the whole slide: `cover`, `contain`, `blur`, or empty for
    the one that suits it. `source` says whose the picture is. A slide with a
    `prompt`, or a `page` (from 1) of a `deck`, still lacks its picture.
    """

    template: str
    title: str
    subtitle: str = ""
    bullets: tuple[str, ...] = ()
    picture: Path | None = None
    caption: str = ""
    quote: str = ""
    quote_by: str = ""
    html: str = ""
    background: Background | None = None
    movie_title: str = ""
    fit: str = ""
    source: str = ""
    logo: Path | None = None
    prompt: str = ""
    deck: Path | None = None
    page: int = 0
