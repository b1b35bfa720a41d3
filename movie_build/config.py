"""A movie's settings as the program uses them; `config_file` reads them from `movie.yaml`."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from movie_build.errors import Where


@dataclass(frozen=True, slots=True)
class VoiceSettings:
    """Which voice speaks, and how; empty means the default of the movie's language."""

    engine: str = ""
    voice: str = ""
    speaker_id: int | None = None
    speed_scale: float = 1.0
    pitch_scale: float = 1.0


@dataclass(frozen=True, slots=True)
class Persona:
    """Somebody who speaks."""

    id: str
    name: str
    voice: VoiceSettings
    character: str = ""


@dataclass(frozen=True, slots=True)
class Pauses:
    """Silence, in seconds: before the first line, between slides, between speakers, at the end."""

    initial_s: Fraction = Fraction(1)
    slide_s: Fraction = Fraction(1)
    speaker_s: Fraction = Fraction(1, 2)
    ending_s: Fraction = Fraction(1)


@dataclass(frozen=True, slots=True)
class Word:
    """A dictionary entry: how `surface` is spoken."""

    surface: str
    reading: str
    accent: int = 0
    word_type: str = "PROPER_NOUN"
    priority: int = 10


@dataclass(frozen=True, slots=True)
class Style:
    """How slides and frames look; empty colours and fonts are the theme's own."""

    width_px: int = 1920
    height_px: int = 1080
    fps: Fraction = Fraction(30)
    crf: int = 23
    font_family: str = ""
    primary_color: str = ""
    background_color: str = ""
    theme: str = "default"


@dataclass(frozen=True, slots=True)
class Backdrop:
    """A picture behind slides: `path` is relative to the project."""

    path: str
    fit: str = "cover"
    where: Where | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Config:
    """Everything `movie.yaml` says, with its defaults."""

    name: str = ""
    output_dir: str = "dist"
    source: str = ""
    author: str = "outline"
    max_minutes: float = 10.0
    language: str = ""
    style: Style = Style()
    pauses: Pauses = Pauses()
    voice: VoiceSettings = VoiceSettings()
    personas: tuple[Persona, ...] = ()
    dictionary: tuple[Word, ...] = ()
    background: Backdrop | None = None
