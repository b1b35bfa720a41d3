"""A line's wav: 48 kHz, mono, 16-bit, whole AAC frames, digital silence at both ends."""

from __future__ import annotations

import io
import wave
from dataclasses import dataclass
from typing import TYPE_CHECKING

from movie_build.errors import SpeechError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

RATE_HZ = 48_000
AAC_FRAME = 1_024
_AGAIN = "delete the file and build again"


@dataclass(frozen=True, slots=True)
class WavFacts:
    """How long a line's wav is."""

    n_samples: int

    @property
    def n_aac_frames(self) -> int:
        """The same in frames of 1,024 samples."""
        return self.n_samples // AAC_FRAME


def wav_bytes(samples: NDArray[np.int16]) -> bytes:
    """The wav of `samples`."""
    file = io.BytesIO()
    with wave.open(file, "wb") as wav:
        wav.setnchannels(1)
        wav.setsampwidth(2)
        wav.setframerate(RATE_HZ)
        wav.writeframes(samples.astype("<i2", copy=False).tobytes())
    return file.getvalue()


def samples_of(wav: bytes) -> NDArray[np.int16]:
    """The samples of a line's wav, shape (n_samples,).

    Raises:
        SpeechError: it is no wav, is cut short, or has another format.
    """
    import numpy as np

    try:
        with wave.open(io.BytesIO(wav)) as file:
            form = (file.getnchannels(), file.getsampwidth(), file.getframerate())
            promised = file.getnframes()
            content = file.readframes(promised)
    except (wave.Error, EOFError) as error:
        raise SpeechError(
            f"this is not a wav file ({error or 'it ends too early'}): {_AGAIN}"
        ) from None
    if form != (1, 2, RATE_HZ):
        channels, width, rate_hz = form
        raise SpeechError(
            f"the wav has {channels} channels of {8 * width} bits at {rate_hz} Hz, "
            f"not one of 16 bits at {RATE_HZ} Hz: {_AGAIN}"
        )
    if len(content) != 2 * promised:
        raise SpeechError(f"the wav is cut short: {_AGAIN}")
    return np.frombuffer(content, "<i2").astype(np.int16, copy=False)


def check_wav(wav: bytes) -> WavFacts:
    """How long a line's wav is, having seen that it can be spliced and is not silent.

    Raises:
        SpeechError: it is no such wav.
    """
    samples = samples_of(wav)
    if not len(samples) or len(samples) % AAC_FRAME:
        raise SpeechError(f"the wav is not a whole number of {AAC_FRAME}-sample frames: {_AGAIN}")
    if samples[:AAC_FRAME].any() or samples[-AAC_FRAME:].any():
        raise SpeechError(f"the wav does not begin and end with silence: {_AGAIN}")
    if not samples.any():
        raise SpeechError(f"the wav is silent: {_AGAIN}")
    return WavFacts(len(samples))
