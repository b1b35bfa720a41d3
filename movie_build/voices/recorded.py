"""The user's own voice: a line recorded in a file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from movie_build.errors import VoiceError
from movie_build.pcm import Pcm
from movie_build.voices.protocol import JsonValue

# Encoders pad, and containers round: this much of what a header promises may be missing.
_MISSING_S = 0.15


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

        try:
            with av.open(str(self.path)) as container:
                if not container.streams.audio:
                    raise self._error("it holds no sound")
                stream = container.streams.audio[0]
                # Layouts with a centre are mixed as ITU-R BS.775 has it.
                mixer = av.AudioResampler(format="fltp", layout="mono", rate=stream.rate)
                chunks = [
                    mixed.to_ndarray()[0]
                    for frame in (*container.decode(stream), None)
                    for mixed in mixer.resample(frame)
                ]
                rate_hz = stream.rate
                promised_s = (
                    float(stream.duration * stream.time_base)
                    if stream.duration and stream.time_base
                    else 0.0
                )
        except av.error.FFmpegError as error:
            raise self._error(f"it cannot be decoded ({error.strerror})") from error
        if not chunks:
            raise self._error("it holds no sound")
        pcm = Pcm(np.concatenate(chunks).astype(np.float32, copy=False), rate_hz)
        if pcm.duration_s < promised_s - _MISSING_S:
            raise self._error(
                f"it is cut short: {pcm.duration_s:.1f} s of {promised_s:.1f} s are there"
            )
        return pcm

    def _error(self, what: str) -> VoiceError:
        return VoiceError(
            f"recording {self.path.name}: {what}; record or export it again as wav or flac"
        )
