"""How loud sound is: ITU-R BS.1770-4, for 48 kHz mono, with NumPy alone.

Samples are float of full scale ±1, or int16. A loudness is in LUFS; that of
silence is minus infinity.

A line shorter than one gating block (400 ms) is measured as one block of its
own length, ungated but for the −70 LUFS gate: what is heard of it is all of it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Samples: TypeAlias = NDArray[np.floating[Any]] | NDArray[np.int16]

RATE_HZ = 48_000
HOP = 4_800
_HOPS_PER_BLOCK = 4
_ABSOLUTE_GATE_LUFS = -70.0
_RELATIVE_GATE_LU = -10.0
_OFFSET_LU = -0.691
# BS.1770-4 tables 1 and 2: the shelf of the head, and the RLB high-pass.
_SHELF = (
    (1.53512485958697, -2.69169618940638, 1.19839281085285),
    (-1.69065929318241, 0.73248077421585),
)
_HIGH_PASS = (1.0, -2.0, 1.0), (-1.99004745483398, 0.99007225036621)
# The high-pass has rung out to 1e-35 by then.
_MEMORY = 1 << 14
_STRIDE = 26 * HOP
# True peak: 4 times oversampling (BS.1770-4 annex 2), 24 taps a phase.
_PHASES, _REACH, _KAISER_BETA = 4, 12, 8.0


def integrated(samples: Samples) -> float:
    """The gated loudness of `samples`, in LUFS."""
    return integrated_of_hops(mean_squares(samples, HOP), len(samples))


def integrated_of_hops(hops: NDArray[np.float64], n_samples: int) -> float:
    """The gated loudness of `n_samples` whose K-weighted mean squares by 100 ms are `hops`."""
    n_hops = n_samples // HOP
    if n_hops >= _HOPS_PER_BLOCK:
        # BS.1770 leaves out what does not fill a block.
        return integrated_from_energies(hops[:n_hops])
    return _gated(hops.sum(keepdims=True) * HOP / max(1, n_samples))


def block_energies(samples: Samples) -> NDArray[np.float64]:
    """The K-weighted mean squares of the 100 ms of `samples`, one after the other.

    There are as many as the nearest whole number of 100 ms; those of several
    lines in a row are a movie's, for `integrated_from_energies`.
    """
    n_hops = max(1, (len(samples) + HOP // 2) // HOP)
    return mean_squares(samples[: n_hops * HOP], HOP)


def integrated_from_energies(energies: Iterable[float]) -> float:
    """The gated loudness of sound whose `block_energies` are these, in LUFS."""
    import numpy as np

    hops = np.asarray(energies if hasattr(energies, "__len__") else list(energies), np.float64)
    if len(hops) < _HOPS_PER_BLOCK:
        return _gated(hops.mean(keepdims=True) if len(hops) else hops)
    return _gated(np.lib.stride_tricks.sliding_window_view(hops, _HOPS_PER_BLOCK).mean(axis=1))


def mean_squares(samples: Samples, n_block: int) -> NDArray[np.float64]:
    """The mean squares of `samples`, K-weighted, by blocks of `n_block`, the last one zero-padded.

    `n_block` divides 4,800. The filter's exact frequency response is applied
    piece by piece; each piece starts early enough for what rings on from before.
    """
    import numpy as np

    squares = []
    for start in range(0, len(samples), _STRIDE):
        piece = _full_scale(samples[max(0, start - _MEMORY) : start + _STRIDE], np.float64)
        before = min(start, _MEMORY)
        # Zeros at the end take up what a circular transform carries back to the beginning.
        size = _quick_size(len(piece) + _MEMORY - before)
        weighted = np.fft.irfft(np.fft.rfft(piece, size) * _response(size), size)
        weighted = weighted[before : len(piece)]
        weighted = np.pad(weighted, (0, -len(weighted) % n_block))
        squares.append(np.square(weighted).reshape(-1, n_block).mean(axis=1))
    return np.concatenate(squares) if squares else np.zeros(0)


def true_peak_dbtp(samples: Samples) -> float:
    """The highest value between and at the samples, in dB of full scale."""
    loudest = float(peaks(samples, HOP).max(initial=0.0))
    return 20 * math.log10(loudest) if loudest else -math.inf


def peaks(samples: Samples, n_block: int) -> NDArray[np.float32]:
    """The highest true peak in each `n_block` of `samples`, up to the first sample after it.

    `n_block` divides 4,800.
    """
    import numpy as np

    taps = _interpolator()
    highest = []
    for start in range(0, len(samples), HOP):
        end = min(start + HOP, len(samples))
        first, last = start - _REACH + 1, end + _REACH
        piece = _full_scale(samples[max(0, first) : last], np.float32)
        piece = np.pad(piece, (max(0, -first), last - first - max(0, -first) - len(piece)))
        # One matrix product a piece: its rows are the neighbourhoods of the samples.
        around = np.lib.stride_tricks.sliding_window_view(piece, 2 * _REACH)
        values = np.pad(around @ taps, ((0, (start - end) % n_block), (0, 0)))
        values = values.reshape(-1, n_block * _PHASES)
        highest.append(np.maximum(values.max(axis=1), -values.min(axis=1)))
    return np.concatenate(highest) if highest else np.zeros(0, np.float32)


def _gated(blocks: NDArray[np.float64]) -> float:
    """Loudness of block energies: gated at −70 LUFS, then 10 LU below what is left."""
    loud = blocks[blocks > _energy(_ABSOLUTE_GATE_LUFS)]
    if not len(loud):
        return -math.inf
    gate = float(loud.mean()) * 10 ** (_RELATIVE_GATE_LU / 10)
    return _OFFSET_LU + 10 * math.log10(float(loud[loud > gate].mean()))


def _energy(lufs: float) -> float:
    return float(10 ** ((lufs - _OFFSET_LU) / 10))


def _full_scale(samples: Samples, dtype: type[Any]) -> NDArray[Any]:
    import numpy as np

    if samples.dtype == np.int16:
        return np.divide(samples, 32768, dtype=dtype)
    return np.asarray(samples, dtype)


def _quick_size(n_samples: int) -> int:
    """The next size that is 1, 9/8, 5/4 or 3/2 of a power of two: those transform quickly."""
    power: int = 1 << max(3, (n_samples - 1).bit_length() - 1)
    return next(
        n
        for n in (power, power * 9 // 8, power * 5 // 4, power * 3 // 2, 2 * power)
        if n >= n_samples
    )


@cache
def _response(size: int) -> NDArray[np.complex128]:
    """The K-weighting at the frequencies of a real FFT of `size`."""
    import numpy as np

    z = np.exp(-2j * np.pi * np.arange(size // 2 + 1) / size)
    response = np.ones(len(z), np.complex128)
    for (b0, b1, b2), (a1, a2) in (_SHELF, _HIGH_PASS):
        response *= (b0 + z * (b1 + z * b2)) / (1 + z * (a1 + z * a2))
    return response


@cache
def _interpolator() -> NDArray[np.float32]:
    """What weighs 24 samples to the 12th of them and the three quarters on, shape (24, 4)."""
    import numpy as np

    phases = np.arange(_PHASES) / _PHASES
    distance = np.arange(2 * _REACH)[:, None] - (_REACH - 1) - phases
    inside = np.clip(1 - np.square(distance / _REACH), 0, None)
    taps = np.sinc(distance) * np.i0(_KAISER_BETA * np.sqrt(inside)) / np.i0(_KAISER_BETA)
    scaled: NDArray[np.float32] = (taps / taps.sum(axis=0)).astype(np.float32)
    return scaled
