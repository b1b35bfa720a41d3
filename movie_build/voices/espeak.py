"""espeak-ng, in this process: over a hundred languages, no network, a few milliseconds a line."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import cache

from movie_build.errors import VoiceError
from movie_build.pcm import Pcm
from movie_build.speakable import speakable, unpronounceable
from movie_build.voices.protocol import JsonValue

# Narration is slower than espeak-ng's own 175 words a minute.
_USUAL_WPM = 165
_WPM = range(80, 451)
_PITCH = range(100)


class Espeak:
    """Speaks with espeak-ng's voice `voice`: a language, or a language and a variant (`en-us+f3`).

    `speed` and `pitch` are factors, 1 as usual.

    Raises:
        VoiceError: speed or pitch is out of reach.
    """

    def __init__(self, voice: str = "en-us", speed: float = 1.0, pitch: float = 1.0) -> None:
        self.voice = voice
        self.rate_wpm = _within("speed_scale", speed, lambda s: _USUAL_WPM * s, _WPM)
        # The steps are logarithmic: 50 of them are an octave.
        self.pitch = _within("pitch_scale", pitch, lambda p: 50 + 50 * math.log2(p), _PITCH)

    def identity(self) -> Mapping[str, JsonValue]:
        """What the engine is told, and its version."""
        return {
            "engine": "espeak-ng",
            "version": _version(),
            "voice": self.voice,
            "rate_wpm": self.rate_wpm,
            "pitch": self.pitch,
        }

    def check(self) -> None:
        """See that the voice exists.

        Raises:
            VoiceError: it does not.
        """
        from movie_build import espeak_ng

        espeak_ng.check(self.voice)

    def speak(self, text: str) -> Pcm:
        """`text` at 22,050 Hz. Mark-up in it is read out, never obeyed.

        Raises:
            VoiceError: the voice does not exist, or the text cannot be spoken.
        """
        import numpy as np

        from movie_build import espeak_ng

        text = speakable(text)
        sound, rate_hz = espeak_ng.spoken(text, self.voice, self.rate_wpm, self.pitch)
        samples = np.frombuffer(sound, "=i2").astype(np.float32) / np.float32(32768)
        if not samples.any():
            raise unpronounceable(text)
        return Pcm(samples, rate_hz)


def _within(key: str, factor: float, value: Callable[[float], float], allowed: range) -> int:
    wanted = round(value(factor)) if 0 < factor < math.inf else -1
    if wanted not in allowed:
        raise VoiceError(f"espeak cannot do {key} {factor:g}: use a factor from 0.5 to 1.9")
    return wanted


@cache
def _version() -> str:
    from importlib.metadata import version

    return version("espeakng-loader")
