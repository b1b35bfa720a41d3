"""`movie.yaml` at the edge: every key that is read, its limits, and what it becomes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from movie_build.config import (
    Backdrop,
    Config,
    Pauses,
    Persona,
    Style,
    VoiceSettings,
    Word,
)
from movie_build.errors import Mistake
from movie_build.yamlfile import Integer, Number, YamlFile

SCHEMA_LINE = "# yaml-language-server: $schema=build/movie.schema.json\n"
_NTSC = {
    "23.976": Fraction(24000, 1001),
    "23.98": Fraction(24000, 1001),
    "29.97": Fraction(30000, 1001),
    "59.94": Fraction(60000, 1001),
}


@dataclass(frozen=True, slots=True)
class NoEffect:
    """Marks a key that is understood and changes nothing; `why` is told to who sets it."""

    why: str


def as_written(value: object) -> object:
    """A number as the text it was written as, so that `text: 1.10` is "1.10"."""
    if isinstance(value, (Number, Integer)):
        return value.raw
    if isinstance(value, bool):
        word = "true" if value else "false"
        raise PydanticCustomError(
            "bool_text", f'to say the word {word}, put it in quotes: "{word}"'
        )
    return value


def rate(value: object) -> Fraction:
    """A frame rate from `30`, `29.97` or `30000/1001`."""
    text = value.raw if isinstance(value, (Number, Integer)) else str(value)
    try:
        found = _NTSC.get(text) or Fraction(text)
    except (ValueError, ZeroDivisionError):
        found = Fraction(0)
    if not 1 <= found <= 120:
        raise PydanticCustomError(
            "rate", f"should be 1 to 120 frames a second, like 30 or 30000/1001, not {text}"
        )
    return found


def seconds(value: object) -> Fraction:
    """A pause in seconds, exactly as written."""
    text = value.raw if isinstance(value, (Number, Integer)) else repr(value)
    try:
        found = Fraction(text)
    except (ValueError, ZeroDivisionError):
        found = Fraction(-1)
    if not 0 <= found <= 600:
        raise PydanticCustomError("pause", f"should be 0 to 600 seconds, not {text}")
    return found


Text = Annotated[str, BeforeValidator(as_written, json_schema_input_type=str | float)]
Rate = Annotated[Fraction, BeforeValidator(rate, json_schema_input_type=float | str)]
Seconds = Annotated[
    Fraction, BeforeValidator(seconds, json_schema_input_type=Annotated[float, Field(ge=0, le=600)])
]
Color = Annotated[str, Field(pattern=r"^#([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$")]
Scale = Annotated[float, Field(ge=0.25, le=4)]
Fit = Literal["cover", "contain", "fill"]
Pixels = Annotated[int, Field(ge=64, le=8192, multiple_of=2)]
NOT_YET = NoEffect("it has no effect yet")


class Strict(BaseModel):
    """A mapping whose keys are all known; an empty one is as good as none."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _nothing_is_empty(cls, value: object) -> object:
        return {} if value is None else value


class ProjectKeys(Strict):
    """`project`: how the movie is called and where it goes."""

    name: Annotated[Text, Field(pattern=r"^[^/\\\x00-\x1f=:]*$")] = ""
    output_dir: Text = "dist"


class StyleKeys(Strict):
    """`style`: size, rate, quality, colours."""

    resolution: Annotated[list[Pixels], Field(min_length=2, max_length=2)] = [1920, 1080]
    fps: Rate = Fraction(30)
    crf: Annotated[int, Field(ge=0, le=51)] = 23
    font_family: Text = ""
    primary_color: Color | Literal[""] = ""
    background_color: Color | Literal[""] = ""
    theme: Text = "default"


class VoiceKeys(Strict):
    """`synthesizer` of a persona, or `voice` of a line: who speaks, and how."""

    engine: Text = ""
    voice: Text = ""
    speaker_id: int | None = None
    speed_scale: Scale = 1.0
    pitch_scale: Scale = 1.0


class AudioKeys(VoiceKeys):
    """`audio`: the movie's voice."""

    enable_furigana: Annotated[bool, NOT_YET] = True
    pronunciation_model: Annotated[Text | None, NOT_YET] = None


class NarrationKeys(Strict):
    """`narration`: manner, and silence in seconds."""

    character: Annotated[Text | None, NOT_YET] = None
    style: Annotated[Text | None, NOT_YET] = None
    initial_pause: Seconds = Fraction(1)
    slide_pause: Seconds = Fraction(1)
    ending_pause: Seconds = Fraction(1)
    speaker_pause: Seconds = Fraction(1, 2)


class ModelKeys(Strict):
    """`llm`: a model behind an OpenAI-compatible endpoint."""

    provider: Text = "openrouter"
    model: Text | None = None
    base_url: Text = "https://openrouter.ai/api/v1"


class ContentKeys(Strict):
    """`content`: from article to script."""

    author: Literal["outline"] = "outline"
    max_minutes: Annotated[float, Field(gt=0, le=240)] = 10.0
    llm: Annotated[ModelKeys, NOT_YET] = ModelKeys()
    languages: Annotated[list[Text], Field(min_length=1, max_length=1)] | None = None


class SlidesKeys(Strict):
    """`slides`: pictures by a model."""

    llm: Annotated[ModelKeys, NOT_YET] = ModelKeys()
    style: Annotated[Text, NOT_YET] = "presentation"


class TransitionKeys(Strict):
    """`video.transition`: how one slide follows another."""

    type: Literal["fade", "slide", "wipe", "flip", "clockWipe", "none"] = "none"
    duration_frames: Annotated[int, Field(ge=0, le=600)] = 15
    timing: Literal["linear", "spring"] = "linear"


class BackgroundKeys(Strict):
    """A background behind slides."""

    type: Literal["image", "video"] = "image"
    path: Annotated[Text, Field(min_length=1)]
    fit: Fit = "cover"


class BgmKeys(Strict):
    """`video.bgm`: music under the movie."""

    path: Text
    volume: Annotated[float, Field(ge=0, le=1)] = 0.3
    fade_in_seconds: Annotated[float, Field(ge=0)] = 2.0
    fade_out_seconds: Annotated[float, Field(ge=0)] = 2.0
    loop: bool = True


class VideoKeys(Strict):
    """`video`: what is more than slides and voice."""

    transition: Annotated[TransitionKeys, NoEffect("slides change by cuts for now")] = (
        TransitionKeys()
    )
    background: BackgroundKeys | None = None
    bgm: Annotated[BgmKeys | None, NOT_YET] = None
    render_concurrency: Annotated[int | None, NoEffect("use `doit -n N`")] = None
    render_timeout_seconds: Annotated[float | None, NoEffect("builds have no time limit")] = None
    renderer: Annotated[Text | None, NoEffect("there is one renderer")] = None
    template: Annotated[Text | None, NoEffect("use `style.theme`")] = None
    output_format: Annotated[Literal["mp4"], NoEffect("movies are always MP4")] = "mp4"


class WordKeys(Strict):
    """A dictionary entry with all its fields."""

    reading: Annotated[Text, Field(min_length=1)]
    accent: Annotated[int, Field(ge=0), NOT_YET] = 0
    word_type: Annotated[
        Literal["PROPER_NOUN", "COMMON_NOUN", "VERB", "ADJECTIVE", "SUFFIX"], NOT_YET
    ] = "PROPER_NOUN"
    priority: Annotated[int, Field(ge=0, le=10), NOT_YET] = 10


def _word(value: object) -> object:
    return value if isinstance(value, dict) else {"reading": value}


class PronunciationKeys(Strict):
    """`pronunciation`: how words are spoken."""

    custom: dict[
        str, Annotated[WordKeys, BeforeValidator(_word, json_schema_input_type=str | WordKeys)]
    ] = {}


class PersonaKeys(Strict):
    """One of `personas`: somebody who speaks."""

    id: Annotated[Text, Field(min_length=1)]
    name: Text = ""
    character: Annotated[Text, NOT_YET] = ""
    synthesizer: VoiceKeys = VoiceKeys()
    subtitle_color: Annotated[Color, NOT_YET] = "#FFFFFF"
    character_image: Annotated[Text | None, NOT_YET] = None
    avatar_image: Annotated[Text | None, NOT_YET] = None
    character_position: Annotated[Literal["left", "right", "center"] | None, NOT_YET] = None
    mouth_open_image: Annotated[Text | None, NOT_YET] = None
    eye_close_image: Annotated[Text | None, NOT_YET] = None
    animation_style: Annotated[Literal["sway", "bounce", "static"], NOT_YET] = "sway"


class PoolKeys(Strict):
    """`persona_pool`: personas drawn by lot."""

    enabled: bool = False
    count: Annotated[int, Field(ge=1)] = 2
    seed: int | None = None


class ConfigFile(Strict):
    """`movie.yaml`, the whole of it. Every key is optional."""

    source: Text = ""
    project: ProjectKeys = ProjectKeys()
    style: StyleKeys = StyleKeys()
    audio: AudioKeys = AudioKeys()
    narration: NarrationKeys = NarrationKeys()
    content: ContentKeys = ContentKeys()
    slides: SlidesKeys = SlidesKeys()
    video: VideoKeys = VideoKeys()
    pronunciation: PronunciationKeys = PronunciationKeys()
    personas: list[PersonaKeys] = []
    persona_pool: Annotated[PoolKeys, NOT_YET] = PoolKeys()


def warnings_of(
    model: BaseModel, file: YamlFile, loc: tuple[int | str, ...] = ()
) -> Iterator[Mistake]:
    """A warning for each key that the user set and that has no effect."""
    for name in model.model_fields_set:
        value: Any = getattr(model, name)
        marks = [m for m in type(model).model_fields[name].metadata if isinstance(m, NoEffect)]
        at = (*loc, name)
        if marks:
            usual = type(model).model_fields[name].default
            if not (isinstance(value, BaseModel) and value == usual):
                yield Mistake(file.where(at), f"ignored: {marks[0].why}")
            continue
        parts = {name: value} if not isinstance(value, (list, dict)) else value
        items = parts.items() if isinstance(parts, dict) else enumerate(parts)
        for key, part in items:
            if isinstance(part, BaseModel):
                yield from warnings_of(part, file, at if part is value else (*at, key))


def contradictions(keys: ConfigFile, file: YamlFile) -> Iterator[Mistake]:
    """What is valid key by key and still cannot be."""
    seen: set[str] = set()
    for i, persona in enumerate(keys.personas):
        if persona.id in seen:
            yield Mistake(
                file.where(("personas", i, "id")), f"two personas are called {persona.id!r}"
            )
        seen.add(persona.id)
    if keys.video.background and keys.video.background.type == "video":
        what = "a video cannot be a background yet; use an image"
        yield Mistake(file.where(("video", "background", "type")), what)


def settings(keys: VoiceKeys) -> VoiceSettings:
    """The voice that `keys` ask for."""
    return VoiceSettings(
        engine=keys.engine,
        voice=keys.voice,
        speaker_id=keys.speaker_id,
        speed_scale=keys.speed_scale,
        pitch_scale=keys.pitch_scale,
    )


def to_config(keys: ConfigFile, file: YamlFile) -> Config:
    """The settings that a valid file stands for."""
    style, pauses, background = keys.style, keys.narration, keys.video.background
    return Config(
        name=keys.project.name,
        output_dir=keys.project.output_dir,
        source=keys.source,
        author=keys.content.author,
        max_minutes=keys.content.max_minutes,
        language=keys.content.languages[0] if keys.content.languages else "",
        style=Style(
            width_px=style.resolution[0],
            height_px=style.resolution[1],
            fps=style.fps,
            crf=style.crf,
            font_family=style.font_family,
            primary_color=style.primary_color,
            background_color=style.background_color,
            theme=style.theme,
        ),
        pauses=Pauses(
            initial_s=pauses.initial_pause,
            slide_s=pauses.slide_pause,
            speaker_s=pauses.speaker_pause,
            ending_s=pauses.ending_pause,
        ),
        voice=settings(keys.audio),
        personas=tuple(
            Persona(p.id, p.name or p.id, settings(p.synthesizer), p.character)
            for p in keys.personas
        ),
        dictionary=tuple(
            Word(surface, w.reading, w.accent, w.word_type, w.priority)
            for surface, w in keys.pronunciation.custom.items()
        ),
        background=Backdrop(
            background.path, background.fit, file.where(("video", "background", "path"))
        )
        if background and background.type == "image"
        else None,
    )
