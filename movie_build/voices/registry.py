"""Which voices there are, and the one that settings ask for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from movie_build.config import VoiceSettings
from movie_build.errors import VoiceError, nearest
from movie_build.voices.protocol import Voice


def _espeak(settings: VoiceSettings) -> Voice:
    from movie_build.voices.espeak import Espeak

    return Espeak(settings.voice or "en-us", settings.speed_scale, settings.pitch_scale)


def _open_jtalk(settings: VoiceSettings) -> Voice:
    from movie_build.voices.open_jtalk import OpenJTalk

    return OpenJTalk(settings.speed_scale, settings.pitch_scale)


ENGINES: Mapping[str, Callable[[VoiceSettings], Voice]] = {
    "espeak": _espeak,
    "open_jtalk": _open_jtalk,
}


def default_engine(language: str) -> str:
    """The engine that comes with the program for a language."""
    return "open_jtalk" if language.partition("-")[0].lower() == "ja" else "espeak"


def settled(settings: VoiceSettings, language: str) -> VoiceSettings:
    """`settings` with the language's defaults in the places left empty."""
    engine = settings.engine or default_engine(language)
    voice = settings.voice
    if engine == "espeak" and not voice:
        voice = "en-us" if language.lower() in ("", "en") else language.lower()
    return replace(settings, engine=engine, voice=voice)


def open_voice(settings: VoiceSettings) -> Voice:
    """The voice that settled `settings` ask for.

    Raises:
        VoiceError: there is no such engine.
        MissingExtra: its library is not installed.
    """
    make = ENGINES.get(settings.engine)
    if make is None:
        raise VoiceError(
            f"no voice engine named {settings.engine!r}; {nearest(settings.engine, ENGINES)}"
        )
    return make(settings)
