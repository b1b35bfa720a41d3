"""What both files' models are made of: text, times, colours, and keys without effect."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from movie_build.config import SoundFormat, VoiceSettings
from movie_build.errors import Mistake, Where
from movie_build.yamlfile import Integer, Number, YamlFile

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


def composed(text: str) -> str:
    """`text` in NFC: the same letters, however a keyboard or a page composes them."""
    return unicodedata.normalize("NFC", text)


def color(value: object) -> object:
    """A colour as written, if it is one; an empty one is left for the field to judge."""
    if value != "" and not re.fullmatch(_HEX, str(value)):
        shown = "nothing" if value is None else repr(value)
        raise PydanticCustomError("color", f"should be a colour like '#1a1a2e', not {shown}")
    return value


def language(value: object) -> object:
    """A language's tag (BCP 47), which becomes a part of files' names."""
    if not re.fullmatch(_TAG, str(value)):
        shown = "nothing" if value is None else repr(value)
        what = f"should be the tag of a language, like en, ja or pt-BR, not {shown}"
        raise PydanticCustomError("language", what)
    return value


def image_only(value: object) -> object:
    """A background's type; videos are refused with the reason."""
    if value == "video":
        raise PydanticCustomError("video", "a video cannot be a background yet; use an image")
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
# What is spoken, shown or named by itself, not a file's name: that is another one in another form.
Words = Annotated[Text, AfterValidator(composed)]
Rate = Annotated[Fraction, BeforeValidator(rate, json_schema_input_type=float | str)]
Seconds = Annotated[
    Fraction, BeforeValidator(seconds, json_schema_input_type=Annotated[float, Field(ge=0, le=600)])
]
_HEX = r"#([0-9a-fA-F]{3}|[0-9a-fA-F]{6})"
Color = Annotated[str, Field(pattern=f"^{_HEX}$"), BeforeValidator(color)]
NoneOrColor = Annotated[str, Field(pattern=f"^({_HEX})?$"), BeforeValidator(color)]
_TAG = r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*"
Language = Annotated[str, Field(pattern=f"^{_TAG}$"), BeforeValidator(language)]
Scale = Annotated[float, Field(ge=0.25, le=4)]
Fit = Literal["cover", "contain", "fill"]
Pixels = Annotated[int, Field(ge=64, le=8192, multiple_of=2)]
NOT_YET = NoEffect("it has no effect yet")


class Strict(BaseModel):
    """A mapping whose keys are all known; one with nothing in it is as good as none.

    So is a key with nothing behind it, unless it is required.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    @model_validator(mode="before")
    @classmethod
    def _nothing_is_absent(cls, value: object) -> object:
        if value is None:
            return {}
        if not isinstance(value, dict) or None not in value.values():
            return value
        optional = {name for name, field in cls.model_fields.items() if not field.is_required()}
        return {key: one for key, one in value.items() if one is not None or key not in optional}


class VoiceKeys(Strict):
    """`synthesizer` of a persona, or `voice` of a line: who speaks, and how."""

    engine: Text | None = None
    voice: Text | None = None
    speaker: int | Text | None = None
    speaker_id: int | None = None
    speed_scale: Scale | None = None
    pitch_scale: Scale | None = None
    intonation_scale: Annotated[float, Field(ge=0, le=5)] | None = None
    volume_scale: Annotated[float, Field(gt=0, le=5)] | None = None
    pre_silence: Annotated[float, Field(ge=0, le=10)] | None = None
    post_silence: Annotated[float, Field(ge=0, le=10)] | None = None
    pause_length: Annotated[float, Field(ge=0, le=10)] | None = None
    pause_length_scale: Annotated[float, Field(ge=0, le=10)] | None = None
    model: Text | None = None
    instructions: Text | None = None
    format: SoundFormat | None = None
    base_url: Text | None = None
    api_key_env: Text | None = None
    options: Annotated[dict[str, Any] | None, Field(description="A plug-in's own settings.")] = None


class BackgroundKeys(Strict):
    """A background behind slides."""

    type: Annotated[Literal["image"], BeforeValidator(image_only)] = "image"
    path: Annotated[Text, Field(min_length=1)]
    fit: Fit = "cover"


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


def settings(keys: VoiceKeys, where: Where) -> VoiceSettings:
    """The voice that `keys`, written at `where`, ask for."""
    return VoiceSettings(
        engine=keys.engine,
        voice=keys.voice,
        speaker=keys.speaker if keys.speaker_id is None else keys.speaker_id,
        speed_scale=keys.speed_scale,
        pitch_scale=keys.pitch_scale,
        intonation_scale=keys.intonation_scale,
        volume_scale=keys.volume_scale,
        pre_silence_s=keys.pre_silence,
        post_silence_s=keys.post_silence,
        pause_s=keys.pause_length,
        pause_scale=keys.pause_length_scale,
        model=keys.model,
        instructions=keys.instructions,
        format=keys.format,
        base_url=keys.base_url,
        api_key_env=keys.api_key_env,
        options=json.dumps(keys.options, sort_keys=True) if keys.options else None,
        where=where,
    )
