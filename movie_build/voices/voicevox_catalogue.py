"""What an engine is and whom it can speak as: remembered between builds, asked when it must be."""

from __future__ import annotations

import contextlib
import json
import unicodedata
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from movie_build.errors import VoiceError, nearest
from movie_build.service import Retry
from movie_build.voices.voicevox_http import EngineHttp, Refusal

# VOICEVOX's own: 24,000 Hz in frames of 256 samples.
_FRAME_RATE_HZ = 93.75
_NAMES_SHOWN = 12
_VERSION_MAX_CHARS = 100


@dataclass(frozen=True, slots=True)
class Style:
    """A way of speaking: `id` is what the protocol calls speaker; `model` is its version."""

    id: int
    speaker: str = ""
    style: str = ""
    model: str = ""

    @property
    def name(self) -> str:
        """`ずんだもん/ノーマル`."""
        return f"{self.speaker}/{self.style}"


@dataclass(frozen=True, slots=True)
class Catalogue:
    """An engine's name, version and styles; no styles where it does not tell them."""

    engine: str
    version: str
    styles: tuple[Style, ...]
    frame_rate_hz: float = _FRAME_RATE_HZ

    def find(self, speaker: int | str) -> Style:
        """The style that `speaker` means: a number, `speaker/style`, or a speaker (usual style).

        Raises:
            VoiceError: there is none; the message names the nearest.
        """
        wanted = _plain(str(speaker))
        if wanted.lstrip("-").isdecimal():
            return self._numbered(int(wanted))
        if not self.styles:
            raise VoiceError(
                f"{self.engine} does not tell its speakers' names: write a number for {speaker!r}"
            )
        named = {_plain(style.name): style for style in reversed(self.styles)}
        if wanted in named:
            return named[wanted]
        who, _, how = wanted.partition("/")
        own = [style for style in self.styles if _plain(style.speaker) == who]
        if own and wanted == who:
            return next((style for style in own if style.style in ("ノーマル", "Normal")), own[0])
        if own:
            hint = _hint(how, [style.style for style in own])
            raise VoiceError(f"{own[0].speaker} of {self.engine} has no style {how!r}; {hint}")
        names = {style.name for style in self.styles} | {style.speaker for style in self.styles}
        hint = _hint(str(speaker), sorted(names))
        raise VoiceError(f"{self.engine} has no speaker {speaker!r}; {hint}")

    def _numbered(self, number: int) -> Style:
        if not self.styles:
            return Style(number)
        for style in self.styles:
            if style.id == number:
                return style
        numbers = [f"{style.id} ({style.name})" for style in self.styles]
        raise VoiceError(f"{self.engine} has no speaker {number}; {_hint(str(number), numbers)}")

    def same_voice(self, other: Catalogue, style: Style) -> bool:
        """Whether `style` sounds the same in an engine with the catalogue `other`."""
        return (self.engine, self.version) == (other.engine, other.version) and (
            not self.styles or not other.styles or style in other.styles
        )

    def __str__(self) -> str:
        return f"{self.engine} {self.version}"

    def to_json(self) -> str:
        """This, to be remembered; see `remembered`."""
        return json.dumps(asdict(self), ensure_ascii=False)


def remembered(text: str) -> Catalogue | None:
    """The catalogue that `to_json` wrote; None if it did not."""
    try:
        told = json.loads(text)
        styles = tuple(Style(**style) for style in told.pop("styles"))
        return Catalogue(**told, styles=styles)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def ask(engine: EngineHttp) -> Catalogue:
    """What the engine tells of itself. Old and imitated engines tell less.

    Raises:
        Unreachable: nobody is there.
        Retry: it fails, or what answers is no such engine.
    """
    name, frame_rate_hz = "VOICEVOX", _FRAME_RATE_HZ
    try:
        manifest = engine.ask_json("GET", "/engine_manifest")
        if isinstance(manifest, dict):
            name = str(manifest.get("name") or manifest.get("brand_name") or name)
            rate_hz = manifest.get("frame_rate")
            frame_rate_hz = (
                float(rate_hz)
                if isinstance(rate_hz, int | float) and rate_hz > 0
                else _FRAME_RATE_HZ
            )
    except Refusal:
        pass
    try:
        styles = tuple(_styles(engine.ask_json("GET", "/speakers")))
    except Refusal:
        styles = ()
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        raise Retry(f"{engine.url}/speakers sent no list of speakers") from error
    return Catalogue(name, _version(engine), styles, frame_rate_hz)


def _version(engine: EngineHttp) -> str:
    """`/version`, which may be any string, in quotes or not."""
    try:
        text = engine.ask("GET", "/version").decode("utf-8", "replace").strip()
    except Refusal:
        return "unknown"
    if text.startswith("<"):
        raise Retry(f"{engine.url}/version sent a web page: this is no VOICEVOX engine")
    with contextlib.suppress(ValueError):
        text = str(json.loads(text))
    return text[:_VERSION_MAX_CHARS] or "unknown"


def _styles(told: object) -> Iterator[Style]:
    if not isinstance(told, list):
        raise TypeError(told)
    for speaker in told:
        for style in speaker["styles"]:
            # Others only sing.
            if style.get("type", "talk") == "talk":
                yield Style(
                    int(style["id"]),
                    str(speaker["name"]),
                    str(style["name"]),
                    str(speaker.get("version", "")),
                )


def _plain(name: str) -> str:
    """`name` as names are compared: full width or half, with or without spaces."""
    return "".join(unicodedata.normalize("NFKC", name).split()).casefold()


def _hint(wanted: str, names: list[str]) -> str:
    hint = nearest(wanted, names)
    if hint.startswith("did") or len(names) <= _NAMES_SHOWN:
        return hint
    return f"use one of: {', '.join(names[:_NAMES_SHOWN])}, … (all: /speakers of the engine)"
