"""Sound at a given loudness, with its peaks held below a ceiling."""

from __future__ import annotations

from typing import TYPE_CHECKING

from movie_build import loudness

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# The gain is reckoned by the millisecond.
_BLOCK = 48
# It sinks and rises within 20 ms: slower than a voice's own pitch, so it stays clean.
_REACH = 20
# Sound that is mostly clicks would need so much gain that nothing but noise is left.
_MOST_LIMITING_DB = 12.0
_NEAR_ENOUGH_LU = 0.01
_MAX_ROUNDS = 40


def levelled(
    samples: NDArray[np.float32], target_lufs: float, ceiling_dbtp: float
) -> NDArray[np.float32]:
    """`samples` (48 kHz) at `target_lufs`, no true peak over `ceiling_dbtp`.

    What the limiter takes away is given back by more gain, as far as that
    goes. `samples` must not be silent.
    """
    import numpy as np

    ceiling = 10 ** (ceiling_dbtp / 20)
    peaks = loudness.peaks(samples, _BLOCK)
    energies = loudness.mean_squares(samples, _BLOCK)
    n_hops = -(-len(samples) // loudness.HOP)
    energies = np.pad(energies, (0, n_hops * loudness.HOP // _BLOCK - len(energies)))
    gain_db = target_lufs - _loudness(energies, np.ones(len(peaks)), len(samples))
    most_db = gain_db + _MOST_LIMITING_DB
    allowed = ceiling / np.maximum(peaks, np.float32(1e-9)).astype(np.float64)
    for _ in range(_MAX_ROUNDS):
        gains = _smooth(np.minimum(10 ** (gain_db / 20), allowed))
        # So slow a gain does the same to the K-weighted sound as to the sound.
        missing_lu = target_lufs - _loudness(energies, gains, len(samples))
        if abs(missing_lu) <= _NEAR_ENOUGH_LU or gain_db >= most_db:
            break
        gain_db = min(gain_db + missing_lu, most_db)
    return samples * _by_sample(gains, len(samples))


def _loudness(energies: NDArray[np.float64], gains: NDArray[np.float64], n_samples: int) -> float:
    """What `loudness.integrated` gives once the gains are applied."""
    import numpy as np

    amplified = energies * np.square(np.pad(gains, (0, len(energies) - len(gains))))
    hops = amplified.reshape(-1, loudness.HOP // _BLOCK).mean(axis=1)
    return loudness.integrated_of_hops(hops, n_samples)


def _smooth(allowed: NDArray[np.float64]) -> NDArray[np.float64]:
    """Gains by the block, never more than is allowed there and in the blocks next to it.

    The lowest gain within reach, averaged over a reach less one block.
    """
    import numpy as np

    padded = np.pad(allowed, 2 * _REACH - 1, mode="edge")
    lowest = np.lib.stride_tricks.sliding_window_view(padded, 2 * _REACH + 1).min(axis=1)
    box = np.full(_REACH, 1 / _REACH)
    smooth: NDArray[np.float64] = np.convolve(lowest, np.convolve(box, box), "valid")
    return smooth


def _by_sample(gains: NDArray[np.float64], n_samples: int) -> NDArray[np.float32]:
    """The gains, each that of its block's middle, and straight lines between them."""
    import numpy as np

    knots = np.pad(gains, 1, mode="edge").astype(np.float32)
    along = ((np.arange(_BLOCK) + 0.5) / _BLOCK).astype(np.float32)
    lines = knots[:-1, None] + np.diff(knots)[:, None] * along
    return lines.reshape(-1)[_BLOCK // 2 :][:n_samples]
