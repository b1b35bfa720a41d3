"""A line's wav: framed, trimmed, level; and refused where it is not the line spoken."""

from __future__ import annotations

import io
import wave
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from movie_build import loudness
from movie_build.completeness import plausible_s
from movie_build.errors import SpeechError
from movie_build.pcm import Pcm
from movie_build.resample import resampled
from movie_build.speech import check_wav, finish, samples_of, speech_span
from movie_build.take import Take, Timed, joined
from movie_build.voices.espeak import Espeak
from movie_build.voices.open_jtalk import OpenJTalk
from movie_build.wav import AAC_FRAME, RATE_HZ, wav_bytes

SENTENCE = "She sells sea shells by the shore, and the shells that she sells are hers."
SPOKEN = (
    "Yes.",
    "No!",
    "A",
    SENTENCE,
    "In 2024, 3.5 % of them were blue!",
    "GHz, HTTP/2 and XML, ABBA.",
    "antidisestablishmentarianism",
    "🎉",
    "مرحبا بالعالم",
    "世界",
    "a" * 300,
    "1234567890123",
    f"{SENTENCE} " * 8,
)


@pytest.fixture(scope="module")
def spoken() -> Pcm:
    return Espeak().speak(SENTENCE)


def with_silence(pcm: Pcm, before_s: float, after_s: float, noise: float = 0.0) -> Pcm:
    before, after = (np.zeros(round(s * pcm.rate_hz), np.float32) for s in (before_s, after_s))
    samples = np.concatenate([before, pcm.samples, after])
    hiss = np.random.default_rng(0).standard_normal(len(samples)).astype(np.float32)
    return Pcm(samples + np.float32(noise) * hiss, pcm.rate_hz)


def assert_is_a_line(wav: bytes) -> NDArray[np.int16]:
    with wave.open(io.BytesIO(wav)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 48_000)
    samples = samples_of(wav)
    facts = check_wav(wav)
    assert facts.n_samples == len(samples) == facts.n_aac_frames * AAC_FRAME
    assert not samples[:AAC_FRAME].any()
    assert not samples[-AAC_FRAME:].any()
    assert loudness.integrated(samples) == pytest.approx(-16, abs=0.5)
    assert loudness.true_peak_dbtp(samples) <= -1.5
    return samples


@pytest.mark.parametrize("text", SPOKEN)
@pytest.mark.parametrize("voice", ["en-us", "en-us+f3", "de"])
def test_what_espeak_says_becomes_a_line(voice: str, text: str) -> None:
    assert_is_a_line(finish(Espeak(voice).speak(text), text).wav)


@pytest.mark.parametrize(
    "text", ["はい。", "明日は晴れです。", "GitHub ActionsでCIを回す", "kubernetes"]
)
def test_what_open_jtalk_says_becomes_a_line(text: str) -> None:
    assert_is_a_line(finish(OpenJTalk().speak(text), text).wav)


@pytest.mark.parametrize("speed", [0.5, 1.9])
def test_a_slow_and_a_quick_voice_pass_the_gate(speed: float) -> None:
    for text in SPOKEN:
        finish(Espeak(speed=speed).speak(text), text)


def test_speech_begins_within_a_frame_and_ends_with_a_breath(spoken: Pcm) -> None:
    samples = samples_of(finish(with_silence(spoken, 0.7, 1.3), SENTENCE).wav)
    heard = np.flatnonzero(np.abs(samples) > 0.02 * 32768) / RATE_HZ
    assert heard[0] < 1 / 30
    assert 0.15 < len(samples) / RATE_HZ - heard[-1] < 0.4


@pytest.mark.parametrize("noise", [0.0, 1e-5, 1e-3, 3e-3])
def test_silence_and_hiss_around_speech_are_cut_off(spoken: Pcm, noise: float) -> None:
    bare = speech_span(with_silence(spoken, 0, 0))
    start, end = speech_span(with_silence(spoken, 1.0, 2.0, noise))
    assert start - spoken.rate_hz == pytest.approx(bare[0], abs=0.06 * spoken.rate_hz)
    assert end - spoken.rate_hz == pytest.approx(bare[1], abs=0.12 * spoken.rate_hz)


def test_silence_around_it_changes_not_a_byte(spoken: Pcm) -> None:
    step = round(0.005 * spoken.rate_hz)
    padded = with_silence(spoken, 40 * step / spoken.rate_hz, 0.5)
    assert finish(padded, SENTENCE).wav == finish(spoken, SENTENCE).wav


@pytest.mark.parametrize("factor", [0.01, 0.3, 1.0])
def test_however_loud_the_voice_the_line_is_as_loud(spoken: Pcm, factor: float) -> None:
    wav = finish(Pcm(spoken.samples * np.float32(factor), spoken.rate_hz), SENTENCE).wav
    assert_is_a_line(wav)


def test_the_same_sound_is_the_same_wav_in_eight_threads() -> None:
    voice = Espeak()
    texts = [f"{SENTENCE} And number {n}." for n in range(12)]
    alone = [finish(voice.speak(text), text).wav for text in texts]
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(lambda t: finish(voice.speak(t), t).wav, texts)) == alone


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 22_050, 24_000, 44_100, 96_000])
def test_resampling_keeps_a_tone_in_place_and_adds_none(rate_hz: int) -> None:
    frequency_hz = 0.4 * min(rate_hz, RATE_HZ)
    time = np.arange(rate_hz) / rate_hz
    result = resampled(np.sin(2 * np.pi * frequency_hz * time).astype("f4"), rate_hz, RATE_HZ)
    assert len(result) == RATE_HZ
    expected = np.sin(2 * np.pi * frequency_hz * np.arange(RATE_HZ) / RATE_HZ)
    assert np.abs(result - expected)[2_000:-2_000].max() < 1e-5


def test_resampling_lets_nothing_through_that_cannot_be_shown() -> None:
    ultrasound = np.sin(2 * np.pi * 24_500 * np.arange(96_000) / 96_000).astype("f4")
    assert np.abs(resampled(ultrasound, 96_000, RATE_HZ))[2_000:-2_000].max() < 1e-5


@pytest.mark.parametrize("n_samples", [1, 2, 63, 1_000])
def test_resampling_takes_the_shortest_sound(n_samples: int) -> None:
    result = resampled(np.ones(n_samples, np.float32), 22_050, RATE_HZ)
    assert len(result) == round(n_samples * RATE_HZ / 22_050)


def noise(duration_s: float, level: float = 0.1) -> Pcm:
    rng = np.random.default_rng(1)
    return Pcm((level * rng.standard_normal(round(duration_s * 16_000))).astype("f4"), 16_000)


@pytest.mark.parametrize(
    ("pcm", "text", "told"),
    [
        (Pcm(np.zeros(0, np.float32), 48_000), "Hello", "no sound"),
        (Pcm(np.zeros(48_000, np.float32), 48_000), "Hello", "is silent"),
        (noise(1, 1e-5), "Hello", "as good as silent"),
        (Pcm(np.full(48_000, np.nan, np.float32), 48_000), "Hello", "damaged"),
        (Pcm(np.array([0.1, np.inf] * 9_000, np.float32), 48_000), "Hello", "damaged"),
        (noise(0.4), "word " * 30, "too short for 150 characters"),
        (noise(0.3), "明日は晴れです。" * 4, "too short"),
        (noise(30), "A short line.", "too long for 13 characters"),
        (noise(40), "晴れです。", "too long"),
    ],
)
def test_sound_that_is_not_the_line_is_refused(pcm: Pcm, text: str, told: str) -> None:
    with pytest.raises(SpeechError, match=told):
        finish(pcm, text)


def test_clipped_sound_is_refused_and_a_loud_one_is_not(spoken: Pcm) -> None:
    peak = np.abs(spoken.samples).max()
    loud = Pcm(spoken.samples / peak, spoken.rate_hz)
    finish(loud, SENTENCE)
    clipped = Pcm(np.clip(loud.samples * 4, -1, 1), spoken.rate_hz)
    with pytest.raises(SpeechError, match=r"clipped: \d+\.\d% of it"):
        finish(clipped, SENTENCE)


def test_a_recording_needs_no_text(spoken: Pcm) -> None:
    assert_is_a_line(finish(spoken, "").wav)


@given(st.text())
def test_every_text_has_a_plausible_length(text: str) -> None:
    shortest_s, longest_s = plausible_s(text)
    assert 0 < shortest_s < longest_s


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 30_000),
    st.sampled_from([8_000, 16_000, 22_050, 44_100, 48_000]),
    st.integers(0, 2**32 - 1),
)
def test_sound_of_any_length_and_rate_becomes_whole_frames_or_an_error(
    n_samples: int, rate_hz: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    swell = rng.random() * np.linspace(0, 1, n_samples) ** rng.integers(0, 9)
    pcm = Pcm((swell * rng.uniform(-1, 1, n_samples)).astype(np.float32), rate_hz)
    try:
        wav = finish(pcm, "").wav
    except SpeechError:
        return
    check_wav(wav)
    assert loudness.true_peak_dbtp(samples_of(wav)) <= -1.5


def line_of(n_frames: int, level: int = 1000) -> NDArray[np.int16]:
    samples = np.zeros(n_frames * AAC_FRAME, np.int16)
    samples[AAC_FRAME:-AAC_FRAME] = level
    return samples


def test_a_whole_wav_is_read_back() -> None:
    assert check_wav(wav_bytes(line_of(5))).n_aac_frames == 5
    np.testing.assert_array_equal(samples_of(wav_bytes(line_of(5))), line_of(5))


def other_format() -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as wav:
        wav.setparams((2, 2, 44_100, 0, "NONE", ""))
        wav.writeframes(bytes(4 * AAC_FRAME))
    return file.getvalue()


@pytest.mark.parametrize(
    ("wav", "told"),
    [
        (b"", "not a wav"),
        (b"only text, and more of it than a header has, to be sure", "not a wav"),
        (wav_bytes(line_of(5))[:20], "not a wav"),
        (wav_bytes(line_of(5))[:-1], "cut short"),
        (wav_bytes(line_of(5))[:-2048], "cut short"),
        (wav_bytes(line_of(5)[:-10]), "whole number of 1024-sample frames"),
        (wav_bytes(line_of(5)[AAC_FRAME:]), "begin and end with silence"),
        (wav_bytes(line_of(5)[:-AAC_FRAME]), "begin and end with silence"),
        (wav_bytes(line_of(5, 0)), "silent"),
        (wav_bytes(np.zeros(0, np.int16)), "whole number"),
        (other_format(), "2 channels of 16 bits at 44100 Hz"),
    ],
)
def test_a_wav_that_cannot_be_spliced_is_refused(wav: bytes, told: str) -> None:
    with pytest.raises(SpeechError, match=told):
        check_wav(wav)


def test_parts_of_a_line_are_joined_with_their_timing_whatever_their_rates() -> None:
    first = Take(Pcm(np.full(24_000, 0.1, np.float32), 24_000), (Timed("ア", 0.0, 1.0),))
    second = Take(Pcm(np.full(96_000, 0.2, np.float32), 48_000), (Timed("イ", 0.5, 2.0),))
    whole = joined([first, second])
    assert (whole.pcm.rate_hz, whole.pcm.duration_s) == (24_000, 3.0)
    assert whole.pcm.samples[60_000] == pytest.approx(0.2, abs=0.01)
    assert whole.timing == (Timed("ア", 0.0, 1.0), Timed("イ", 1.5, 3.0))
    assert joined([first, replace(second, timing=())]).timing == ()
