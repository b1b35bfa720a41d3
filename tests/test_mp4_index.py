"""What a finished movie says of itself, and that a broken one is told from it."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from encoded_movie import Movie, five_pictures

from movie_build import aac, mp4
from movie_build.errors import EncodeError


@pytest.fixture(scope="module")
def movie() -> Movie:
    return five_pictures()


@pytest.fixture(scope="module")
def path(movie: Movie, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return movie.write(tmp_path_factory.mktemp("movie") / "movie.mp4")


def test_the_facts_read_back_are_the_movies(movie: Movie, path: Path) -> None:
    facts = mp4.read_facts(path)
    assert (facts.n_frames, facts.fps) == (movie.n_frames, 25)
    assert (facts.width_px, facts.height_px) == (320, 180)
    assert (facts.n_audio_frames, facts.audio_start_s) == (movie.n_audio_frames, 0)
    assert facts.picture_starts == (0, 70, 71, 72, 100, 350)
    assert facts.frame_start_s(70) == Fraction(70, 25)
    assert facts.audio_frame_start_s(60) == Fraction(60 * 1024, 48000)
    assert facts.duration_s == max(
        facts.frame_start_s(movie.n_frames), facts.audio_frame_start_s(movie.n_audio_frames)
    )
    lines = [aac.parse_line(piece) if piece else aac.silence(n) for n, piece in movie.sounds]
    assert facts.audio_sizes.tolist() == [size for one in lines for size in one.sizes]


@pytest.mark.parametrize("keep", [0, 7, 30, 100, 3000, -1])
def test_a_movie_that_is_cut_is_told_from_a_whole_one(
    path: Path, keep: int, tmp_path: Path
) -> None:
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(EncodeError, match=r"cut\.mp4 is damaged"):
        mp4.read_facts(cut)


def test_a_file_that_is_no_movie_is_refused(tmp_path: Path) -> None:
    for content in (b"no movie at all, only text", bytes(10_000), b"\0\0\0\x08moov"):
        (tmp_path / "x.mp4").write_bytes(content)
        with pytest.raises(EncodeError, match=r"x\.mp4 is damaged"):
            mp4.read_facts(tmp_path / "x.mp4")
