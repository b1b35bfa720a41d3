"""Whether what a voice gave is the line, spoken: not broken, silent, clipped, or of odd length."""

from __future__ import annotations

import math
import unicodedata
from itertools import groupby
from typing import TYPE_CHECKING

from movie_build.errors import SpeechError
from movie_build.pcm import Pcm

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_SILENT_DBFS = -55.0
# A flat top is this many samples in a row at the same highest value.
_FULL_SCALE, _FLAT_SAMPLES, _CLIPPED_SHARE = 0.98, 4, 0.005
# Seconds a character takes at the quickest and the slowest. Usual are 0.065 for a Latin
# letter, 0.13 for kana, 0.25 for kanji; a voice may go three times as fast or half as
# fast, spell out words of another language, and name what it does not know.
_LATIN, _CAPITAL, _DIGIT = (0.02, 0.35), (0.02, 0.9), (0.03, 1.2)
_KANA, _IDEOGRAPH, _LETTER, _SYMBOL = (0.03, 0.5), (0.04, 1.5), (0.02, 1.2), (0.0, 2.0)
_PUNCTUATION, _SPACE = (0.0, 0.9), (0.0, 0.2)
_PACES = {"N": _DIGIT, "P": _PUNCTUATION, "Z": _SPACE, "C": _SPACE}
# CJK unified ideographs, extension A, compatibility ideographs, extensions B and on.
_IDEOGRAPHS = (
    range(0x4E00, 0xA000),
    range(0x3400, 0x4DC0),
    range(0xF900, 0xFB00),
    range(0x20000, 0x32000),
)
_GRACE_S = (0.3, 6.0)
_SHORTEST_S = 0.03


def check_sound(pcm: Pcm) -> None:
    """See that there is whole and audible sound.

    Raises:
        SpeechError: there is none, or it is damaged, silent or clipped.
    """
    import numpy as np

    samples = pcm.samples
    if not len(samples):
        raise SpeechError("the voice gave no sound: speak the line again or change its text")
    # One sum finds what an elementwise test would, without an array as long as the sound.
    if not np.isfinite(np.dot(samples, samples)):
        raise SpeechError("the voice gave damaged sound (no numbers): speak the line again")
    peak = float(np.abs(samples).max())
    peak_dbfs = 20 * math.log10(peak) if peak else -math.inf
    if peak_dbfs < _SILENT_DBFS:
        what = f"as good as silent (peak {peak_dbfs:.0f} dB)" if peak else "silent"
        raise SpeechError(f"what the voice gave is {what}: record it louder or change the text")
    share = clipped_share(samples)
    if share > _CLIPPED_SHARE:
        raise SpeechError(
            f"what the voice gave is clipped: {share:.1%} of it stands at full scale; "
            "record it again at a lower level"
        )


def clipped_share(samples: NDArray[np.float32]) -> float:
    """The share of `samples` that are in flat tops at full scale."""
    import numpy as np

    high = np.abs(samples) >= _FULL_SCALE
    if np.count_nonzero(high) < _FLAT_SAMPLES:
        return 0.0
    flat = high[1:] & (samples[1:] == samples[:-1])
    edges = np.flatnonzero(np.diff(np.concatenate(([False], flat, [False])).astype(np.int8)))
    lengths = edges[1::2] - edges[::2] + 1
    return float(lengths[lengths >= _FLAT_SAMPLES].sum()) / len(samples)


def check_duration(duration_s: float, text: str) -> None:
    """See that speech of `duration_s`, without silence around it, may be `text`.

    Text that is blank tells nothing, and passes: a recording needs none.

    Raises:
        SpeechError: it is much too short or too long.
    """
    if not text.strip():
        return
    shortest_s, longest_s = plausible_s(text)
    if shortest_s <= duration_s <= longest_s:
        return
    wrong = (
        f"short for {len(text)} characters: something is missing"
        if duration_s < shortest_s
        else f"long for {len(text)} characters"
    )
    raise SpeechError(
        f"what the voice gave lasts {duration_s:.1f} s, too {wrong} "
        f"({shortest_s:.1f} to {longest_s:.1f} s would do); check the reading and the voice, "
        "or split the line"
    )


def plausible_s(text: str) -> tuple[float, float]:
    """The shortest and the longest that `text` can take to say, in seconds."""
    shortest_s, longest_s = -_GRACE_S[0], _GRACE_S[1]
    for character, run in groupby(text):
        n_characters = sum(1 for _ in run)
        quick, slow = _pace(character)
        # "Aaaah" is not said letter by letter.
        shortest_s += quick * min(n_characters, 2)
        longest_s += slow * n_characters
    return max(_SHORTEST_S, shortest_s), longest_s


def _pace(character: str) -> tuple[float, float]:
    """The least and the most seconds that a character takes."""
    kind = unicodedata.category(character)
    if kind[0] == "L":
        return _letter_pace(ord(character), kind)
    return _PACES.get(kind[0], _SYMBOL)


def _letter_pace(code: int, kind: str) -> tuple[float, float]:
    if code < 0x250:
        return _CAPITAL if kind == "Lu" else _LATIN
    if 0x3040 <= code < 0x3100:
        return _KANA
    return _IDEOGRAPH if any(code in block for block in _IDEOGRAPHS) else _LETTER
