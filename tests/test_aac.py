"""Sound as AAC: spliced lines decode to exactly what each of them decodes to alone."""

from __future__ import annotations

from collections.abc import Iterable

import av
import numpy as np
import pytest
from av.codec.context import Flags
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from movie_build import aac
from movie_build.aac import FRAME, RATE_HZ, encode_line, parse_line, silence
from movie_build.errors import EncodeError


def line(n_frames: int, seed: int, kind: str = "speech") -> NDArray[np.int16]:
    """A line of sound with silent edges; it begins and ends with a bang on their borders."""
    rng = np.random.default_rng(seed)
    n = (n_frames - 2) * FRAME
    time_s = np.arange(n) / RATE_HZ
    if kind == "noise":
        sound = rng.standard_normal(n) / 4
    elif kind == "clicks":
        sound = np.where(rng.random(n) < 0.0005, 0.8, 0.0)
        sound[:1] = sound[-1:] = 0.9
    else:
        pitch = 2 * np.pi * (110 + 20 * seed) * time_s
        sound = sum(np.sin(k * pitch) / k for k in range(1, 30)) * (0.6 + 0.4 * np.sin(25 * time_s))
        sound = sound / 4 + (rng.standard_normal(n) / 100 if kind == "speech" else 0)
    whole = np.zeros(n_frames * FRAME, np.int16)
    whole[FRAME : FRAME + n] = np.clip(np.round(sound * 32767), -32768, 32767)
    return whole


def packets_of(encoded: aac.EncodedLine) -> list[bytes]:
    ends = np.cumsum(encoded.sizes)
    starts = ends - np.array(encoded.sizes)
    return [encoded.payload[a:b] for a, b in zip(starts, ends, strict=True)]


def decoded(packets: Iterable[bytes]) -> NDArray[np.float32]:
    """The samples of packets, the first of which begins a frame early, and a silent one after."""
    with av.logging.Capture(local=False) as remarks:
        av.logging.set_level(av.logging.WARNING)
        try:
            decoder = av.CodecContext.create("aac", "r")
            decoder.extradata = aac.AUDIO_SPECIFIC_CONFIG
            decoder.options = {"err_detect": "explode"}
            frames = [
                frame.to_ndarray()[0]
                for packet in [*packets, aac.SILENT_PACKET]
                for frame in decoder.decode(av.Packet(packet))
            ]
        finally:
            av.logging.set_level(None)
    assert not remarks
    return np.concatenate(frames)[FRAME:]


LINES = [
    line(40, 1),
    line(3, 2, "clicks"),
    line(30, 3, "noise"),
    line(25, 4, "clicks"),
    line(2, 5),
    line(30, 6, "noise"),
    line(50, 7),
]


def test_spliced_lines_decode_to_exactly_what_each_decodes_to_alone() -> None:
    encoded = [parse_line(encode_line(samples)) for samples in LINES]
    alone = [decoded(packets_of(one)) for one in encoded]
    joined = decoded(packet for one in encoded for packet in packets_of(one))
    assert np.array_equal(joined, np.concatenate(alone))


def test_pauses_and_other_orders_change_no_sample_of_a_line() -> None:
    encoded = [parse_line(encode_line(samples)) for samples in LINES]
    order = [3, 0, 6, 2, 2, 1, 5]
    joined = decoded(
        packet
        for n, at in enumerate(order)
        for packet in packets_of(encoded[at]) + packets_of(silence(n))
    )
    expected = [
        part
        for n, at in enumerate(order)
        for part in (decoded(packets_of(encoded[at])), np.zeros(n * FRAME, np.float32))
    ]
    assert np.array_equal(joined, np.concatenate(expected))


def test_decoded_sound_lies_on_its_source_to_the_sample() -> None:
    source = np.concatenate(LINES) / 32768
    joined = decoded(p for samples in LINES for p in packets_of(parse_line(encode_line(samples))))
    assert len(joined) == len(source)
    correlation = np.fft.irfft(np.fft.rfft(joined).conj() * np.fft.rfft(source))
    assert np.argmax(correlation) == 0


def test_a_voice_keeps_thirty_decibels_above_the_encoders_noise() -> None:
    samples = line(100, 1, "voice")
    error = decoded(packets_of(parse_line(encode_line(samples)))) - samples / 32768
    assert 10 * np.log10(np.mean((samples / 32768) ** 2) / np.mean(error**2)) > 30


def test_a_line_gives_as_many_packets_as_frames_at_about_its_bit_rate() -> None:
    encoded = parse_line(encode_line(line(200, 3)))
    assert encoded.n_frames == 200
    assert sum(encoded.sizes) == len(encoded.payload)
    bit_rate = len(encoded.payload) * 8 * RATE_HZ / (200 * FRAME)
    assert bit_rate == pytest.approx(aac.BIT_RATE, rel=0.2)


def test_the_same_sound_gives_the_same_bytes() -> None:
    before = encode_line(LINES[0])
    encode_line(LINES[2])
    assert encode_line(LINES[0]) == before


def test_silence_is_what_the_encoder_makes_of_it_and_decodes_to_zeros() -> None:
    encoded = parse_line(encode_line(np.zeros(8 * FRAME, np.int16)))
    assert encoded == silence(8)
    assert not decoded(packets_of(encoded)).any()
    assert silence(0).n_frames == 0


def test_the_decoder_is_told_what_the_encoder_would_tell_it() -> None:
    encoder = av.CodecContext.create("aac", "w")
    encoder.sample_rate, encoder.layout, encoder.format = RATE_HZ, "mono", "fltp"
    encoder.flags |= Flags.global_header
    encoder.open()
    assert encoder.extradata is not None
    assert encoder.extradata.startswith(aac.AUDIO_SPECIFIC_CONFIG)


@pytest.mark.parametrize(
    ("samples", "said"),
    [
        (np.zeros(3 * FRAME + 1, np.int16), "frames of 1024"),
        (np.zeros(FRAME, np.int16), "two or more frames"),
        (np.zeros(0, np.int16), "two or more frames"),
        (np.zeros(3 * FRAME, np.float32), "16-bit"),
        (np.zeros((3 * FRAME, 2), np.int16), "mono"),
        (np.eye(1, 3 * FRAME, FRAME - 1, np.int16)[0], "must begin with 1024"),
        (np.eye(1, 3 * FRAME, 2 * FRAME, np.int16)[0], "must end with 1024"),
    ],
)
def test_sound_that_could_not_be_spliced_is_refused(samples: NDArray[np.int16], said: str) -> None:
    with pytest.raises(EncodeError, match=said):
        encode_line(samples)


PIECE = encode_line(LINES[1])


@given(st.integers(0, len(PIECE) - 1), st.integers(1, 255))
@settings(deadline=None)
def test_a_piece_with_any_byte_changed_is_refused(at: int, change: int) -> None:
    broken = bytearray(PIECE)
    broken[at] ^= change
    with pytest.raises(EncodeError, match="damaged"):
        parse_line(bytes(broken))


@given(st.integers(0, len(PIECE) - 1))
def test_a_piece_cut_anywhere_is_refused(n_bytes: int) -> None:
    with pytest.raises(EncodeError, match="damaged"):
        parse_line(PIECE[:n_bytes])
