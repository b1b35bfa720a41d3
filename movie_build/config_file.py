"""`movie.yaml` at the edge: every key that is read, its limits, and what it becomes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from fractions import Fraction
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from movie_build.config import (
    Backdrop,
    Config,
    Drawing,
    Mcp,
    Model,
    Narration,
    Pauses,
    Persona,
    Price,
    Style,
    Word,
)
from movie_build.edge import (
    NOT_YET,
    BackgroundKeys,
    Color,
    Language,
    NoEffect,
    NoneOrColor,
    Pixels,
    Rate,
    Seconds,
    Strict,
    Text,
    VoiceKeys,
    Words,
    settings,
)
from movie_build.errors import Mistake
from movie_build.service import Limits
from movie_build.yamlfile import Loc, YamlFile

SCHEMA_LINE = "# yaml-language-server: $schema=build/movie.schema.json\n"


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
    primary_color: NoneOrColor = ""
    background_color: NoneOrColor = ""
    theme: Text = "default"


class AudioKeys(VoiceKeys):
    """`audio`: the movie's voice."""

    enable_furigana: Annotated[bool, NOT_YET] = True
    pronunciation_model: Annotated[Text | None, NOT_YET] = None


class NarrationKeys(Strict):
    """`narration`: manner, and silence in seconds."""

    character: Text | None = None
    style: Text | None = None
    initial_pause: Seconds = Fraction(1)
    slide_pause: Seconds = Fraction(1)
    ending_pause: Seconds = Fraction(1)
    speaker_pause: Seconds = Fraction(1, 2)


class DrawingModelKeys(Strict):
    """`llm`: a model behind an OpenAI-compatible endpoint, whose key the environment holds."""

    provider: Text = ""
    model: Text = ""
    base_url: Text = ""


class ModelKeys(DrawingModelKeys):
    """`content.llm`: a model that writes."""

    window_tokens: Annotated[int, Field(ge=2_000)] = 32_000
    max_output_tokens: Annotated[int, Field(ge=200)] | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None


class McpKeys(Strict):
    """`content.mcp`: the Model Context Protocol server that gives the article."""

    config: Text = "mcp.json"
    server: Text = ""
    tool: Text = ""
    arguments: dict[str, Any] = {}


class ContentKeys(Strict):
    """`content`: from article to script."""

    author: Annotated[
        Text | None,
        Field(description="outline, llm, or a plug-in's; see README for the usual one."),
    ] = None
    max_minutes: Annotated[float, Field(gt=0, le=240)] = 10.0
    llm: ModelKeys = ModelKeys()
    browser: Annotated[
        bool, Field(description="Let the page's JavaScript run before it is read.")
    ] = False
    mcp: McpKeys | None = None
    slide_prompts: Annotated[
        bool, Field(description="Whether the model writes a slide_prompt for each section.")
    ] = False
    languages: Annotated[list[Language], Field(min_length=1)] | None = None


class SlidesKeys(Strict):
    """`slides`: pictures drawn by a model from each section's slide_prompt."""

    maker: Annotated[Text, Field(description="A plug-in that draws instead of a model.")] = ""
    llm: DrawingModelKeys = DrawingModelKeys()
    style: Words = ""
    api: Literal["images", "chat", ""] = ""
    size: Text = ""
    quality: Text = ""


class TransitionKeys(Strict):
    """`video.transition`: how one slide follows another."""

    type: Literal["fade", "slide", "wipe", "flip", "clockWipe", "none"] = "none"
    duration_frames: Annotated[int, Field(ge=0, le=600)] = 15
    timing: Literal["linear", "spring"] = "linear"


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
    """A dictionary entry; all but the reading is for VOICEVOX, where it is a real entry."""

    reading: Annotated[Words, Field(min_length=1)]
    accent: Annotated[int, Field(ge=0)] = 0
    word_type: Literal["PROPER_NOUN", "COMMON_NOUN", "VERB", "ADJECTIVE", "SUFFIX"] = "PROPER_NOUN"
    priority: Annotated[int, Field(ge=0, le=10)] = 10


def _word(value: object) -> object:
    return value if isinstance(value, dict) else {"reading": value}


class PronunciationKeys(Strict):
    """`pronunciation`: how words are spoken."""

    custom: dict[
        Words, Annotated[WordKeys, BeforeValidator(_word, json_schema_input_type=str | WordKeys)]
    ] = {}


class PersonaKeys(Strict):
    """One of `personas`: somebody who speaks."""

    id: Annotated[Words, Field(min_length=1)]
    name: Words = ""
    character: Text = ""
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


class LimitKeys(Strict):
    """One of `limits`: how a service may be asked."""

    per_minute: Annotated[float, Field(gt=0)] | None = None
    at_once: Annotated[int, Field(ge=1, le=64)] = 4


class PriceKeys(Strict):
    """One of `prices`: US dollars for a million characters or tokens, for one image; 0 is free."""

    characters: Annotated[float, Field(ge=0)] | None = None
    tokens_in: Annotated[float, Field(ge=0)] | None = None
    tokens_out: Annotated[float, Field(ge=0)] | None = None
    image: Annotated[float, Field(ge=0)] | None = None


class CacheKeys(Strict):
    """`cache`: a store shared by a team and its CI."""

    shared: Text = ""
    read_only: bool = False


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
    persona_pool: PoolKeys = PoolKeys()
    limits: dict[str, LimitKeys] = {}
    budget: Annotated[
        float | None, Field(ge=0, description="US dollars that one build may spend.")
    ] = None
    prices: dict[str, PriceKeys] = {}
    cache: CacheKeys = CacheKeys()


def unheard(keys: ConfigFile, file: YamlFile) -> Iterator[Mistake]:
    """A warning for each key that only a model would heed, where none is named."""
    writes = keys.content.llm.model or keys.content.author not in (None, "outline")
    for_writer: list[tuple[bool, Loc]] = [
        (bool(keys.content.llm.model_fields_set), ("content", "llm")),
        (keys.content.slide_prompts, ("content", "slide_prompts")),
        (bool(keys.narration.character), ("narration", "character")),
        (bool(keys.narration.style), ("narration", "style")),
        (keys.persona_pool.enabled, ("persona_pool",)),
        *(
            (bool(one.character), ("personas", i, "character"))
            for i, one in enumerate(keys.personas)
        ),
    ]
    for is_set, loc in for_writer:
        if is_set and not writes:
            what = "ignored: it is for the model that writes scripts; name one as content.llm.model"
            yield Mistake(file.where(loc), what)
    if keys.slides.model_fields_set and not (keys.slides.llm.model or keys.slides.maker):
        what = "ignored: it is for the model that draws slides; name one as slides.llm.model"
        yield Mistake(file.where(("slides",)), what)


def to_config(keys: ConfigFile, file: YamlFile) -> Config:
    """The settings that a valid file stands for."""
    style, pauses, background = keys.style, keys.narration, keys.video.background
    return Config(
        name=keys.project.name,
        output_dir=keys.project.output_dir,
        source=keys.source,
        author=keys.content.author or "",
        model=Model(**keys.content.llm.model_dump(), where=file.where(("content", "llm"))),
        slide_prompts=keys.content.slide_prompts,
        drawing=Drawing(
            maker=keys.slides.maker,
            model=Model(**keys.slides.llm.model_dump()),
            style=keys.slides.style,
            api=keys.slides.api,
            size=keys.slides.size,
            quality=keys.slides.quality,
            maker_where=file.where(("slides", "maker")),
            where=file.where(("slides", "llm")),
        ),
        browser=keys.content.browser,
        mcp=Mcp(mcp.config, mcp.server, mcp.tool, json.dumps(mcp.arguments, sort_keys=True))
        if (mcp := keys.content.mcp)
        else None,
        narration=Narration(
            character=pauses.character or "",
            style=pauses.style or "",
            pool_count=keys.persona_pool.count if keys.persona_pool.enabled else None,
            pool_seed=keys.persona_pool.seed,
            pool_where=file.where(("persona_pool", "count")),
        ),
        max_minutes=keys.content.max_minutes,
        languages=tuple(keys.content.languages or ()),
        style=Style(
            width_px=style.resolution[0],
            height_px=style.resolution[1],
            fps=style.fps,
            crf=style.crf,
            font_family=style.font_family,
            primary_color=style.primary_color,
            background_color=style.background_color,
            theme=style.theme,
            theme_where=file.where(("style", "theme")),
            font_where=file.where(("style", "font_family")),
        ),
        pauses=Pauses(
            initial_s=pauses.initial_pause,
            slide_s=pauses.slide_pause,
            speaker_s=pauses.speaker_pause,
            ending_s=pauses.ending_pause,
        ),
        voice=settings(keys.audio, file.where(("audio",))),
        personas=tuple(
            Persona(
                p.id,
                p.name or p.id,
                settings(p.synthesizer, file.where(("personas", i, "synthesizer"))),
                p.character,
            )
            for i, p in enumerate(keys.personas)
        ),
        dictionary=tuple(
            Word(surface, w.reading, w.accent, w.word_type, w.priority)
            for surface, w in keys.pronunciation.custom.items()
        ),
        background=Backdrop(
            background.path, background.fit, file.where(("video", "background", "path"))
        )
        if background
        else None,
        limits=tuple(
            (name, Limits(per_minute=limit.per_minute, at_once=limit.at_once))
            for name, limit in keys.limits.items()
        ),
        budget_usd=keys.budget,
        prices=tuple(
            (name, Price(price.characters, price.tokens_in, price.tokens_out, price.image))
            for name, price in keys.prices.items()
        ),
        cache_shared=keys.cache.shared,
        cache_read_only=keys.cache.read_only,
        author_where=file.where(("content", "author")),
        cache_where=file.where(("cache", "shared")),
    )
