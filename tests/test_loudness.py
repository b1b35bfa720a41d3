"""Loudness is what BS.1770-4 says, and what other meters show."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from movie_build import loudness
from movie_build.limiter import levelled

RATE = loudness.RATE_HZ


def tone(frequency_hz: float, peak_db: float, duration_s: float, phase: float = 0) -> NDArray:
    time = np.arange(round(duration_s * RATE)) / RATE
    return (10 ** (peak_db / 20) * np.sin(2 * np.pi * frequency_hz * time + phase)).astype("f4")


def babble(duration_s: float, seed: int = 0) -> NDArray:
    """Noise that swells and fades like speech."""
    rng = np.random.default_rng(seed)
    n_samples = round(duration_s * RATE)
    knots = rng.random(n_samples // 9_600 + 2) ** 3
    swell = np.interp(np.arange(n_samples) / 9_600, np.arange(len(knots)), knots)
    return (0.2 * swell * rng.standard_normal(n_samples)).astype(np.float32)


def test_a_full_scale_sine_of_997_hz_is_minus_3_01_lufs() -> None:
    # BS.1770-4, annex 1, for one channel
    assert loudness.integrated(tone(997, 0, 5)) == pytest.approx(-3.01, abs=0.005)
    assert loudness.integrated(tone(997, -20, 5)) == pytest.approx(-23.01, abs=0.005)


def test_the_weighting_lifts_treble_and_cuts_bass() -> None:
    assert loudness.integrated(tone(10_000, 0, 2)) == pytest.approx(-3.01 + 3.3, abs=0.1)
    assert loudness.integrated(tone(38, 0, 2)) < -3.01 - 5


def test_the_filter_is_that_of_the_recursion_it_is_defined_by() -> None:
    # BS.1770-4 tables 1 and 2, sample by sample.
    sound = babble(3.1)
    for b, a in (
        (
            (1.53512485958697, -2.69169618940638, 1.19839281085285),
            (-1.69065929318241, 0.73248077421585),
        ),
        ((1.0, -2.0, 1.0), (-1.99004745483398, 0.99007225036621)),
    ):
        out, x1, x2, y1, y2 = [], 0.0, 0.0, 0.0, 0.0
        for x in map(float, sound):
            y = b[0] * x + b[1] * x1 + b[2] * x2 - a[0] * y1 - a[1] * y2
            x1, x2, y1, y2 = x, x1, y, y1
            out.append(y)
        sound = np.array(out)
    expected = np.square(sound).reshape(-1, loudness.HOP).mean(axis=1)
    measured = loudness.mean_squares(babble(3.1), loudness.HOP)
    np.testing.assert_allclose(measured, expected, rtol=1e-9)


def test_pauses_are_gated_out() -> None:
    speech = tone(997, -20, 4)
    with_pauses = np.concatenate([np.zeros(10 * RATE, "f4"), speech, np.zeros(10 * RATE, "f4")])
    assert loudness.integrated(with_pauses) == pytest.approx(-23.01, abs=0.35)
    quieter = np.concatenate([tone(997, -50, 30), speech])
    assert loudness.integrated(quieter) == pytest.approx(-23.01, abs=0.35)


@pytest.mark.parametrize("n_samples", [0, 1, 4_800, 19_200, 48_000])
def test_silence_is_minus_infinity(n_samples: int) -> None:
    assert loudness.integrated(np.zeros(n_samples, np.float32)) == -math.inf
    assert loudness.integrated_from_energies([0.0] * (n_samples // 4800)) == -math.inf
    assert loudness.true_peak_dbtp(np.zeros(n_samples, np.float32)) == -math.inf


def test_less_than_a_block_is_one_block_of_its_own_length() -> None:
    for duration_s in (0.05, 0.2, 0.39):
        assert loudness.integrated(tone(997, -20, duration_s)) == pytest.approx(-23.01, abs=0.2)


def test_int16_is_measured_as_float_of_full_scale() -> None:
    sound = tone(997, -20, 1)
    as_int = np.rint(sound * 32768).astype(np.int16)
    assert loudness.integrated(as_int) == pytest.approx(loudness.integrated(sound), abs=0.001)
    assert loudness.true_peak_dbtp(as_int) == pytest.approx(-20, abs=0.01)


@pytest.mark.parametrize("n_samples", [124_800 - 1, 124_800, 124_800 + 1, 300_007])
def test_the_piece_by_piece_filter_shows_no_seams(n_samples: int) -> None:
    sound = babble(7)[:n_samples]
    shifted = np.concatenate([np.zeros(4_800, np.float32), sound])
    np.testing.assert_allclose(
        loudness.mean_squares(shifted, 4_800)[1:], loudness.mean_squares(sound, 4_800), rtol=1e-9
    )


def test_a_movies_loudness_is_that_of_its_lines_energies() -> None:
    lines = [babble(duration_s, seed) for seed, duration_s in enumerate((2.1, 0.7, 3.3, 1.05))]
    pause = np.zeros(RATE // 2, np.float32)
    whole = np.concatenate([part for line in lines for part in (line, pause)])
    energies = [e for line in lines for e in (*loudness.block_energies(line), *[0.0] * 5)]
    assert loudness.integrated_from_energies(energies) == pytest.approx(
        loudness.integrated(whole), abs=0.1
    )
    assert len(loudness.block_energies(babble(2.1))) == 21


def test_true_peak_sees_between_the_samples() -> None:
    # A quarter of the rate, 45 degrees on: every sample is 3 dB below the crest.
    sound = tone(12_000, -6, 0.5, np.pi / 4) * np.hanning(24_000).astype("f4") ** 0.1
    assert 20 * math.log10(np.abs(sound).max()) == pytest.approx(-9.03, abs=0.05)
    assert loudness.true_peak_dbtp(sound) == pytest.approx(-6, abs=0.05)


def test_peaks_stand_in_the_block_that_they_are_in() -> None:
    sound = np.zeros(4_800 * 3 + 7, np.float32)
    sound[[5, 4_800 * 2, -1]] = 0.5, -0.25, 0.125
    per_block = loudness.peaks(sound, 4_800)
    np.testing.assert_allclose(per_block[[0, 2, 3]], [0.5, 0.25, 0.125], rtol=0.02)


@pytest.mark.parametrize("crest", [1.0, 3.0, 8.0, 20.0])
def test_levelling_holds_loudness_and_peaks_at_once(crest: float) -> None:
    sound = babble(5) + 0
    sound[12_345::40_000] *= crest
    result = levelled(sound, -16, -1.6)
    assert loudness.integrated(result) == pytest.approx(-16, abs=0.1)
    assert loudness.true_peak_dbtp(result) <= -1.55


def test_nothing_but_clicks_is_held_below_the_ceiling_without_raising_the_noise() -> None:
    sound = np.full(RATE * 2, 1e-4, np.float32)
    sound[::12_000] = 0.9
    result = levelled(sound, -16, -1.6)
    assert loudness.true_peak_dbtp(result) <= -1.55
    assert np.abs(result[6_000]) < 0.01


def test_what_fits_is_only_multiplied() -> None:
    sound = tone(997, -30, 2)
    result = levelled(sound, -16, -1.6)
    np.testing.assert_allclose(result / 10 ** (17.01 / 20), sound, atol=2e-4)
