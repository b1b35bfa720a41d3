"""What a voice gave, made ready for the movie: trimmed, resampled, levelled, framed, as a wav.

    1,024 zeros │ speech, −16 LUFS, at most −1.5 dBTP │ zeros for a breath, up to a whole AAC frame

The zeros are what AAC packets are spliced on; see `aac`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from movie_build.completeness import check_duration, check_sound
from movie_build.errors import SpeechError
from movie_build.pcm import Pcm
from movie_build.wav import AAC_FRAME, RATE_HZ, WavFacts, check_wav, samples_of, wav_bytes

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = [
    "TARGET_LUFS",
    "TRUE_PEAK_DBTP",
    "Speech",
    "WavFacts",
    "check_wav",
    "checked_span",
    "finish",
    "samples_of",
]

TARGET_LUFS = -16.0
TRUE_PEAK_DBTP = -1.5
# Rounding to 16 bits and another meter's filter must not carry a peak over it.
_PEAK_RESERVE_DB = 0.1
_BREATH_S = 0.25
# Speech is what is louder than 45 dB below its loudest 5 ms, or than the noise around it.
_QUIET_DB, _OVER_NOISE_DB, _QUIET_AT_MOST_DB = -45.0, 8.0, -30.0
_LEVEL_S = 0.005
_LULL = 10
_LEAD_S, _TRAIL_S = 0.004, 0.06
_FADE_IN_S, _FADE_OUT_S = 0.004, 0.03


@dataclass(frozen=True, slots=True)
class Speech:
    """A line's wav (48 kHz, mono, 16-bit), and what was measured of the speech in it."""

    wav: bytes
    n_samples: int
    speech_s: float


def finish(pcm: Pcm, text: str) -> Speech:
    """The wav of a line; `text` is what was to be spoken.

    Raises:
        SpeechError: `pcm` is empty, damaged, silent, clipped, or too short or long for `text`.
    """
    import numpy as np

    from movie_build.limiter import levelled
    from movie_build.resample import resampled

    start, end = checked_span(pcm, text)
    sound = _faded(resampled(_cut(pcm, start, end), pcm.rate_hz, RATE_HZ))
    sound = levelled(_framed(sound), TARGET_LUFS, TRUE_PEAK_DBTP - _PEAK_RESERVE_DB)
    whole = np.rint(sound * np.float32(32768)).astype(np.int16)
    if not whole.any():
        raise SpeechError("what the voice gave is silent: change the text or the voice")
    return Speech(wav_bytes(whole), len(whole), (end - start) / pcm.rate_hz)


def checked_span(pcm: Pcm, text: str) -> tuple[int, int]:
    """Where `text` is spoken in `pcm`, in samples.

    Raises:
        SpeechError: `pcm` is empty, damaged, silent, clipped, or too short or long for `text`.
    """
    check_sound(pcm)
    start, end = speech_span(pcm)
    check_duration((end - start) / pcm.rate_hz, text)
    return start, end


def _cut(pcm: Pcm, start: int, end: int) -> NDArray[np.float32]:
    """The samples of the span and a little around it, zeros where there is nothing around."""
    import numpy as np

    start -= round(_LEAD_S * pcm.rate_hz)
    end += round(_TRAIL_S * pcm.rate_hz)
    inside = np.asarray(pcm.samples[max(0, start) : end], np.float32)
    return np.pad(inside, (max(0, -start), max(0, end - len(pcm.samples))))


def offset_s(pcm: Pcm) -> float:
    """What makes a time in `pcm` the time in the wav that `finish` makes of it, in seconds."""
    start, _ = speech_span(pcm)
    return AAC_FRAME / RATE_HZ - start / pcm.rate_hz + round(_LEAD_S * pcm.rate_hz) / pcm.rate_hz


def speech_span(pcm: Pcm) -> tuple[int, int]:
    """Where speech begins and ends in `pcm`, in samples, the silence around it left out."""
    import numpy as np

    step = max(1, round(_LEVEL_S * pcm.rate_hz))
    padded = np.pad(pcm.samples, (0, -len(pcm.samples) % step)).reshape(-1, step)
    levels = 10 * np.log10(np.einsum("ij,ij->i", padded, padded) / step + 1e-12)
    top = levels.max()
    # Somewhere there are 50 ms without speech: before it, after it, or in a pause.
    lull = min(_LULL, len(levels))
    noise = np.convolve(levels, np.full(lull, 1 / lull), "valid").min()
    quiet = min(max(top + _QUIET_DB, noise + _OVER_NOISE_DB), top + _QUIET_AT_MOST_DB)
    loud = levels > quiet
    # A click is no word.
    sustained = loud & (np.append(loud[1:], False) | np.append(False, loud[:-1]))
    found = np.flatnonzero(sustained if sustained.any() else loud)
    return int(found[0]) * step, min(int(found[-1] + 1) * step, len(pcm.samples))


def _faded(sound: NDArray[np.float32]) -> NDArray[np.float32]:
    sound = sound.copy()
    n_in = min(round(_FADE_IN_S * RATE_HZ), len(sound) // 2)
    n_out = min(round(_FADE_OUT_S * RATE_HZ), len(sound) // 2)
    sound[:n_in] *= _rise(n_in)
    sound[len(sound) - n_out :] *= _rise(n_out)[::-1]
    return sound


def _rise(n_samples: int) -> NDArray[np.float32]:
    import numpy as np

    rise: NDArray[np.float32] = np.sin(np.linspace(0, np.pi / 2, n_samples, dtype=np.float32)) ** 2
    return rise


def _framed(speech: NDArray[np.float32]) -> NDArray[np.float32]:
    """`speech` with the silence before and after it, in whole AAC frames."""
    import numpy as np

    breath = max(AAC_FRAME, round((_BREATH_S - _TRAIL_S) * RATE_HZ))
    n_frames = -(-(AAC_FRAME + len(speech) + breath) // AAC_FRAME)
    whole = np.zeros(n_frames * AAC_FRAME, np.float32)
    whole[AAC_FRAME : AAC_FRAME + len(speech)] = speech
    return whole
