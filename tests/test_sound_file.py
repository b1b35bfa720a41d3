"""Sound files: known by their bytes, decoded whole or refused."""

from __future__ import annotations

import random

import numpy as np
import pytest
from services.sounds import RATE_HZ, encoded, heard_hz, said, tones_hz, wav

from movie_build.sound_container import BrokenSound, container
from movie_build.sound_file import decoded

TEXT = "The lamp is on."
FILES = {format: encoded(said(TEXT), format) for format in ("mp3", "flac", "opus", "aac")}
FILES["wav"] = wav(said(TEXT))


@pytest.mark.parametrize("format", FILES)
def test_a_file_is_known_by_its_bytes(format):
    assert container(FILES[format]) == {"opus": "ogg"}.get(format, format)
    assert heard_hz(decoded(FILES[format])) == tones_hz(TEXT)


@pytest.mark.parametrize("format", [f for f in FILES if f != "aac"])
def test_a_file_cut_anywhere_is_refused(format):
    file = FILES[format]
    for size in (*random.Random(1).sample(range(len(file)), 150), len(file) - 1):
        with pytest.raises(BrokenSound):
            decoded(file[:size])


def test_an_aac_stream_cut_within_a_frame_is_refused():
    with pytest.raises(BrokenSound):
        decoded(FILES["aac"][:-3])


def test_tags_around_an_mp3_change_nothing():
    bare = decoded(FILES["mp3"]).samples
    id3 = b"ID3\x04\x00\x00\x00\x00\x01\x00" + b"\xff\xfb\x90\x64" * 32
    for file in (id3 + FILES["mp3"], FILES["mp3"] + b"TAG".ljust(128, b" "), FILES["mp3"] + id3):
        assert np.array_equal(decoded(file).samples, bare)


def test_samples_without_a_header_are_heard_only_where_their_rate_is_known():
    raw = said(TEXT).tobytes()
    assert decoded(raw, RATE_HZ).duration_s == len(raw) / 2 / RATE_HZ
    with pytest.raises(BrokenSound, match="known format"):
        decoded(raw)
    with pytest.raises(BrokenSound, match="middle of a sample"):
        decoded(raw[:-1], RATE_HZ)


@pytest.mark.parametrize(
    "pattern", [b"\xff\xff", b"\xff\xfb\x90\x64", b"\xff\xf1\x50\x80", b"<\x01"]
)
def test_samples_that_look_like_the_beginning_of_something_are_samples(pattern):
    raw = pattern * 1500
    assert len(decoded(raw, RATE_HZ).samples) == len(raw) // 2


def test_stereo_is_mixed_to_one():
    left = said(TEXT)
    stereo = np.stack([left, np.zeros_like(left)], axis=1)
    file = bytearray(wav(stereo))
    file[22:24], file[32:34] = b"\x02\x00", b"\x04\x00"
    mixed = decoded(bytes(file))
    assert len(mixed.samples) == len(left)
    assert heard_hz(mixed) == tones_hz(TEXT)


@pytest.mark.parametrize(
    "text",
    [
        b"#EXTM3U\n#EXTINF:1,\nfile:///etc/hostname\n",
        b"ffconcat version 1.0\nfile /etc/hostname\n",
        b"<!DOCTYPE html>",
        b' {"error": "no"}',
        b"\xef\xbb\xbf<html>",
        b"",
    ],
)
def test_what_is_no_sound_is_never_given_to_the_decoder_to_guess(text):
    with pytest.raises(BrokenSound):
        decoded(text)


def test_a_wav_without_samples_and_two_in_one_are_refused():
    for file in (wav(said("")[:0]), FILES["wav"][:36], FILES["wav"] * 2):
        with pytest.raises(BrokenSound):
            decoded(file)
