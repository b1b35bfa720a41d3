"""Open JTalk, in this process: Japanese, no network; extra `[ja]` (pyopenjtalk-plus)."""

from __future__ import annotations

import importlib.util
import io
import math
import os
import re
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import redirect_stdout
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from movie_build.errors import MissingExtra, VoiceError
from movie_build.pcm import Pcm
from movie_build.speakable import speakable, unpronounceable
from movie_build.voices.protocol import JsonValue

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Its dictionaries choose the readings, so they are part of what is heard.
_PACKAGES = ("pyopenjtalk-plus", "sudachipy", "sudachidict-core")
# Open JTalk refuses texts of 8 KB; a long breath is no good for the melody anyway.
_LONGEST_PIECE = 160
_SENTENCE_END = re.compile(r"(?<=[。！？])(?![。！？」』）)】〉》”’])")
_COMMA = re.compile(r"(?<=[、，,　 ])")
_lock = threading.Lock()
_engines = threading.local()


class OpenJTalk:
    """Speaks Japanese; `speed` and `pitch` are factors, 1 as usual.

    `voice` is a file of Open JTalk's (`.htsvoice`) with its SHA-256 `digest`; None is Mei.

    Raises:
        MissingExtra: pyopenjtalk-plus is not installed.
        VoiceError: speed or pitch is out of reach.
    """

    def __init__(
        self,
        speed: float = 1.0,
        pitch: float = 1.0,
        *,
        voice: Path | None = None,
        digest: str = "",
    ) -> None:
        if importlib.util.find_spec("pyopenjtalk") is None:
            raise MissingExtra("ja", "the Japanese voice open_jtalk")
        for key, factor in (("speed_scale", speed), ("pitch_scale", pitch)):
            if not 0.4 <= factor <= 3:
                raise VoiceError(
                    f"open_jtalk cannot do {key} {factor:g}: use a factor from 0.4 to 3"
                )
        self.voice = voice
        self.digest = digest
        self.speed = round(speed, 3)
        self.half_tone = round(12 * math.log2(pitch), 2)

    def identity(self) -> Mapping[str, JsonValue]:
        """What the engine is told, and the versions of engine and dictionaries."""
        return {
            "engine": "open_jtalk",
            "version": _version(),
            "voice": self.digest if self.voice else "mei_normal",
            "speed": self.speed,
            "half_tone": self.half_tone,
        }

    def speak(self, text: str) -> Pcm:
        """`text` at 48,000 Hz, sentence by sentence; letters are spelt out in Japanese.

        Raises:
            VoiceError: nothing in the text can be pronounced, or the voice file is none.
        """
        import numpy as np

        text = speakable(text)
        jtalk = _module()
        spoken = [sound for piece in _pieces(text) if len(sound := self._say(jtalk, piece))]
        if not spoken:
            raise unpronounceable(text)
        samples = np.concatenate(spoken) / 32768
        # The vocoder's own peaks may go over full scale; they are turned down, not cut off.
        loudest = float(np.abs(samples).max())
        if loudest > 1:
            samples /= loudest
        return Pcm(samples.astype(np.float32), _engine(jtalk, self.voice).get_sampling_frequency())

    def _say(self, jtalk: ModuleType, piece: str) -> NDArray[np.float64]:
        """One piece, spoken; no samples if it has nothing to pronounce."""
        import numpy as np

        # "何" would be read by onnxruntime where that happens to be installed.
        words = jtalk.run_frontend(piece, predict_nani=False)
        # What has no sound at the beginning makes the engine complain on stderr.
        while words and not words[0]["mora_size"]:
            words = words[1:]
        if not words:
            return np.zeros(0)
        engine = _engine(jtalk, self.voice)
        engine.set_speed(self.speed)
        engine.add_half_tone(self.half_tone)
        sound: NDArray[np.float64] = engine.synthesize(jtalk.make_label(words))
        return sound


def _pieces(text: str) -> Iterator[str]:
    """Sentences; one that is too long in pieces, at its commas if it has any."""
    for sentence in _SENTENCE_END.split(text):
        piece = ""
        for part in _COMMA.split(sentence) if len(sentence) > _LONGEST_PIECE else [sentence]:
            if len(piece) + len(part) > _LONGEST_PIECE:
                yield from _chopped(piece)
                piece = ""
            piece += part
        yield from _chopped(piece)


def _chopped(text: str) -> Iterator[str]:
    # A long vowel mark with nothing before it has no sound.
    text = text.strip().lstrip("ー〜～")
    for start in range(0, len(text), _LONGEST_PIECE):
        yield text[start : start + _LONGEST_PIECE].lstrip("ー〜～")


@cache
def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    versions = []
    for package in _PACKAGES:
        try:
            versions.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            versions.append(f"{package} none")
    return ", ".join(versions)


def _engine(jtalk: ModuleType, voice: Path | None) -> Any:
    """This thread's own vocoder for a voice: it holds what it is told until it has spoken.

    Raises:
        VoiceError: the file is no voice.
    """
    made: dict[Path | None, Any] = _engines.__dict__.setdefault("made", {})
    if voice not in made:
        from pyopenjtalk.htsengine import HTSEngine

        try:
            made[voice] = HTSEngine(os.fsencode(voice) if voice else jtalk.DEFAULT_HTS_VOICE)
        except RuntimeError as error:
            name = voice.name if voice else "mei_normal.htsvoice"
            raise VoiceError(f"{name} is no voice of Open JTalk, or is damaged") from error
    return made[voice]


def _module() -> ModuleType:
    # Its import prints an advertisement for an extra of its own.
    with _lock:
        if "pyopenjtalk" not in sys.modules:
            with redirect_stdout(_Muted(threading.get_ident())):
                return importlib.import_module("pyopenjtalk")
        return sys.modules["pyopenjtalk"]


class _Muted(io.TextIOBase):
    """Standard output without what one thread says."""

    def __init__(self, thread: int) -> None:
        self._thread = thread
        self._stdout = sys.stdout

    def write(self, text: str) -> int:
        """Write `text`, unless the muted thread says it."""
        return len(text) if threading.get_ident() == self._thread else self._stdout.write(text)

    def flush(self) -> None:
        """Flush the real standard output."""
        self._stdout.flush()
