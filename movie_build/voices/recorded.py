"""The user's own voice: a line recorded in a file."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path

from movie_build.errors import VoiceError
from movie_build.pcm import Pcm
from movie_build.voices.protocol import JsonValue

# Encoders pad, and containers round: this much of what a header promises may be missing.
_MISSING_S = 0.05
_MISSING_BYTES = 1024


class Recorded:
    """Gives the sound of the file at `path` (wav, flac, mp3, m4a, …), whatever the text.

    `digest` is the file's SHA-256: it, and not the path, is what is heard.
    """

    def __init__(self, path: Path, digest: str) -> None:
        self.path = path
        self.digest = digest

    def identity(self) -> Mapping[str, JsonValue]:
        """The file's digest."""
        return {"engine": "recorded", "digest": self.digest}

    def speak(self, text: str) -> Pcm:
        """The recording, all its channels mixed to one, at its own rate.

        Raises:
            VoiceError: the file is missing, holds no sound, or is broken or cut short.
        """
        import av
        import numpy as np

        self._check_size()
        chunks = []
        try:
            with av.open(str(self.path)) as container:
                if not container.streams.audio:
                    raise self._error("it holds no sound")
                stream = container.streams.audio[0]
                planar = av.AudioResampler(format="fltp")
                for frame in container.decode(stream):
                    # A voice panned to one side is as good as one in the middle: all get one level.
                    chunks += [part.to_ndarray().mean(axis=0) for part in planar.resample(frame)]
                rate_hz = stream.rate
                promised_s = float((stream.duration or 0) * (stream.time_base or 0))
        except (av.error.FFmpegError, OSError) as error:
            raise self._error(f"it cannot be read ({error.strerror})") from error
        if not chunks:
            raise self._error("it holds no sound")
        pcm = Pcm(np.concatenate(chunks), rate_hz)
        if pcm.duration_s < promised_s - _MISSING_S:
            raise self._error(
                f"it is cut short: {pcm.duration_s:.1f} s of {promised_s:.1f} s are there"
            )
        return pcm

    def _check_size(self) -> None:
        """See that a wav is as long as it says; FFmpeg takes what it finds.

        Raises:
            VoiceError: it is shorter, or cannot be opened.
        """
        try:
            with self.path.open("rb") as file:
                riff, size, wave = struct.unpack("<4sI4s", file.read(12).ljust(12))
            there = self.path.stat().st_size
        except OSError as error:
            raise self._error(f"it cannot be read ({error.strerror})") from error
        # A recorder that streams does not know the size and writes one of these.
        if (riff, wave) != (b"RIFF", b"WAVE") or size in (0, 0xFFFFFFFF):
            return
        if there + _MISSING_BYTES < size:
            raise self._error(f"it is cut short: {there:,} of {size:,} bytes are there")

    def _error(self, what: str) -> VoiceError:
        return VoiceError(
            f"recording {self.path.name}: {what}; record or export it again as wav or flac"
        )
