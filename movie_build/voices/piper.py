"""Piper, in this process: neural voices in many languages, no network; extra `[piper]`."""

from __future__ import annotations

import importlib.util
import re
import threading
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from movie_build import piper_model
from movie_build.errors import MissingExtra, VoiceError, nearest
from movie_build.pcm import Pcm
from movie_build.speakable import speakable, unpronounceable
from movie_build.voices.protocol import JsonValue

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from piper import PiperVoice
    from piper.config import PiperConfig, SynthesisConfig

    Samples: TypeAlias = NDArray[np.float32]

_PACKAGES = ("piper-tts", "onnxruntime")
_NAME = re.compile(r"[a-z]{2,3}_[A-Z]{2}-\w+-(x_low|low|medium|high)")
_SPEED = (0.25, 4.0)
_NOISE = (0.0, 2.0)
# Piper takes what stands between these for phonemes.
_PHONEMES = re.compile(r"\[(?=\[)")
_lock = threading.Lock()


class Piper:
    """Speaks with a voice file (`.onnx`, its `.onnx.json` beside it), or one of Piper's by name.

    A named voice is looked for in `folder`, and downloaded to it when it first speaks. `digest`
    is the SHA-256 of a voice file, if it is known already. `speaker` is one of a voice's several,
    by number or name; `speed` is a factor, 1 as usual. `noise` and `noise_width` are how much
    voice and rhythm vary, None as the voice's makers chose.

    Raises:
        MissingExtra: piper-tts is not installed.
        VoiceError: the voice file is missing, the name is none, or a setting is out of reach.
    """

    def __init__(
        self,
        voice: Path | str,
        *,
        folder: Path,
        digest: str = "",
        speaker: int | str | None = None,
        speed: float = 1.0,
        noise: float | None = None,
        noise_width: float | None = None,
    ) -> None:
        if importlib.util.find_spec("piper") is None:
            raise MissingExtra("piper", "the voice piper")
        self._version = _version()
        self.speaker = speaker
        self.speed = _within("speed_scale", speed, _SPEED)
        self.noise = None if noise is None else _within("noise", noise, _NOISE)
        self.noise_width = (
            None if noise_width is None else _within("noise_width", noise_width, _NOISE)
        )
        self._name = voice if isinstance(voice, str) else ""
        if isinstance(voice, str):
            if not _NAME.fullmatch(voice):
                raise VoiceError(
                    f"piper has no voice named {voice!r}: names are like en_US-lessac-medium, see "
                    f"{piper_model.VOICES_URL}; a voice file is given by its path, ending in .onnx"
                )
            self.model = folder / f"{voice}.onnx"
            self.digest = ""
        else:
            self.model = voice
            self.digest = piper_model.digest(voice, digest)

    def identity(self) -> Mapping[str, JsonValue]:
        """The voice by its name or digest, what it is told, and the versions that compute it."""
        return {
            "engine": "piper",
            "version": self._version,
            "voice": self._name or self.digest,
            "speaker": self.speaker,
            "speed": self.speed,
            "noise": self.noise,
            "noise_width": self.noise_width,
        }

    def speak(self, text: str) -> Pcm:
        """`text`, sentence by sentence, at the voice's rate: the same samples every time.

        Raises:
            VoiceError: the voice cannot be downloaded or read, or not pronounce the text.
        """
        import numpy as np

        text = _PHONEMES.sub("[ ", speakable(text))
        if self._name:
            piper_model.download(self._name, self.model)
        # A session a line: another line's noise would be heard in this one's.
        voice = piper_model.load(self.model)
        with piper_model.refused(self.model):
            sounds = list(_sounds(voice, text, self._settings(voice.config)))
        if not any(map(len, sounds)):
            raise unpronounceable(text)
        samples = np.clip(np.concatenate(sounds), -1, 1)
        return Pcm(samples, voice.config.sample_rate)

    def _settings(self, config: PiperConfig) -> SynthesisConfig:
        from piper.config import SynthesisConfig

        return SynthesisConfig(
            speaker_id=_speaker(self.speaker, config),
            length_scale=config.length_scale / self.speed,
            noise_scale=self.noise,
            noise_w_scale=self.noise_width,
        )


def _sounds(voice: PiperVoice, text: str, settings: SynthesisConfig) -> Iterator[Samples]:
    """A sound a sentence. Not `voice.synthesize`: it makes every sentence equally loud."""
    import numpy as np

    for phonemes in filter(None, _phonemized(voice, text)):
        sound = voice.phoneme_ids_to_audio(voice.phonemes_to_ids(phonemes), settings)
        yield np.atleast_1d(np.asarray(sound, np.float32))


def _phonemized(voice: PiperVoice, text: str) -> list[list[str]]:
    try:
        # Its espeak-ng is one for the process.
        with _lock:
            return voice.phonemize(text)
    except ImportError as error:
        raise VoiceError(f"this language of piper needs the package {error.name}") from error
    except RuntimeError as error:
        raise VoiceError(f"piper cannot tell how this is pronounced: {error}") from error


def _speaker(wanted: int | str | None, config: PiperConfig) -> int | None:
    if wanted is None:
        return None
    if isinstance(wanted, str):
        if wanted not in config.speaker_id_map:
            hint = nearest(wanted, config.speaker_id_map)
            raise VoiceError(f"this voice of piper has no speaker {wanted!r}; {hint}")
        return config.speaker_id_map[wanted]
    if not 0 <= wanted < max(1, config.num_speakers):
        raise VoiceError(
            f"this voice of piper has no speaker {wanted}: it has {config.num_speakers}, "
            "counted from 0"
        )
    return wanted


def _within(key: str, value: float, allowed: tuple[float, float]) -> float:
    if not allowed[0] <= value <= allowed[1]:
        raise VoiceError(
            f"piper cannot do {key} {value:g}: use one from {allowed[0]:g} to {allowed[1]:g}"
        )
    return round(value, 3)


@cache
def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return ", ".join(f"{package} {version(package)}" for package in _PACKAGES)
    except PackageNotFoundError as error:
        # Another package is called piper, too.
        raise MissingExtra("piper", "the voice piper") from error
