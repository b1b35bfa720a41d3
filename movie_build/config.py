"""A movie's settings as the program uses them; `config_file` reads them from `movie.yaml`."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal, TypeAlias

from movie_build.address import bare
from movie_build.errors import Where
from movie_build.service import Limits

SoundFormat: TypeAlias = Literal["wav", "mp3", "pcm", "flac", "opus", "aac"]


@dataclass(frozen=True, slots=True)
class VoiceSettings:
    """Which voice speaks, and how; None means the usual of the engine, or of the movie.

    `speaker` is a number or a name. The scales are factors, 1 as the voice is.
    `options` are a plug-in's own, as JSON.
    """

    engine: str | None = None
    voice: str | None = None
    speaker: int | str | None = None
    speed_scale: float | None = None
    pitch_scale: float | None = None
    intonation_scale: float | None = None
    volume_scale: float | None = None
    pre_silence_s: float | None = None
    post_silence_s: float | None = None
    pause_s: float | None = None
    pause_scale: float | None = None
    model: str | None = None
    instructions: str | None = None
    format: SoundFormat | None = None
    base_url: str | None = None
    api_key_env: str | None = None
    options: str | None = None
    where: Where | None = field(default=None, compare=False)

    def over(self, general: VoiceSettings) -> VoiceSettings:
        """These settings where they say something, else the general ones.

        Another engine's manner is not taken over: it would mean something else.
        """
        if self.engine and self.engine != general.engine:
            return self
        values = {
            name: getattr(general, name) if (own := getattr(self, name)) is None else own
            for name in VoiceSettings.__dataclass_fields__
        }
        return VoiceSettings(**values)


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
    theme_where: Where | None = field(default=None, compare=False)
    font_where: Where | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Backdrop:
    """A picture behind slides: `path` is relative to the project."""

    path: str
    fit: str = "cover"
    where: Where | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Price:
    """What a model costs, in US dollars: for a million characters or tokens, for one image.

    None is not known; 0 is free.
    """

    characters: float | None = None
    tokens_in: float | None = None
    tokens_out: float | None = None
    image: float | None = None


@dataclass(frozen=True, slots=True)
class Model:
    """A model behind an OpenAI-compatible endpoint; empty leaves the choice to the environment."""

    provider: str = ""
    model: str = ""
    base_url: str = ""
    window_tokens: int = 32_000
    max_output_tokens: int | None = None
    temperature: float | None = None
    where: Where | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Drawing:
    """Who draws from prompts: `api` is `images` or `chat`, `maker` a plug-in's name.

    Empty values leave the choice open.
    """

    maker: str = ""
    model: Model = Model()
    style: str = ""
    api: str = ""
    size: str = ""
    quality: str = ""
    maker_where: Where | None = field(default=None, compare=False)
    where: Where | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Mcp:
    """The MCP server that a source is asked of; `arguments` are JSON."""

    config: str = "mcp.json"
    server: str = ""
    tool: str = ""
    arguments: str = "{}"


@dataclass(frozen=True, slots=True)
class Narration:
    """Who tells, in which manner, in the author's words; `pool_count` personas drawn by lot."""

    character: str = ""
    style: str = ""
    pool_count: int | None = None
    pool_seed: int | None = None
    pool_where: Where | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Config:
    """Everything `movie.yaml` says, with its defaults."""

    name: str = ""
    output_dir: str = "dist"
    source: str = ""
    author: str = ""
    model: Model = Model()
    slide_prompts: bool = False
    drawing: Drawing = Drawing()
    browser: bool = False
    mcp: Mcp | None = None
    narration: Narration = Narration()
    max_minutes: float = 10.0
    languages: tuple[str, ...] = ()
    style: Style = Style()
    pauses: Pauses = Pauses()
    voice: VoiceSettings = VoiceSettings()
    personas: tuple[Persona, ...] = ()
    dictionary: tuple[Word, ...] = ()
    background: Backdrop | None = None
    limits: tuple[tuple[str, Limits], ...] = ()
    budget_usd: float | None = None
    prices: tuple[tuple[str, Price], ...] = ()
    cache_shared: str = ""
    cache_read_only: bool = False
    author_where: Where | None = field(default=None, compare=False)
    cache_where: Where | None = field(default=None, compare=False)

    @property
    def shown_source(self) -> str:
        """The source as it may be told and kept: without a password that is in its address."""
        return bare(self.source)

    def price(self, model: str) -> Price:
        """What the user has said that `model` costs."""
        return dict(self.prices).get(model, Price())
