"""The movie's file, read by FFmpeg, which must find nothing to remark."""

from __future__ import annotations

import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from encoded_movie import CAPTIONS, COLOURS, FMT, Movie, five_pictures, movie_of, picture

from movie_build import aac, mp4
from movie_build.captions import Chapter, Cue
from movie_build.errors import EncodeError
from movie_build.h264 import VideoFormat
from movie_build.mp4_boxes import SampleTable, TrackHeader, track_box


@pytest.fixture(scope="module")
def movie() -> Movie:
    return five_pictures()


@pytest.fixture(scope="module")
def path(movie: Movie, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return movie.write(tmp_path_factory.mktemp("movie") / "movie.mp4")


@pytest.fixture
def without_a_remark() -> Iterator[None]:
    """Fails if FFmpeg remarks anything."""
    with av.logging.Capture(local=False) as remarks:
        av.logging.set_level(av.logging.WARNING)
        try:
            yield
        finally:
            av.logging.set_level(None)
    assert not remarks


def opened(path: Path) -> av.container.InputContainer:
    container = av.open(path)
    for stream in container.streams:
        if stream.type in {"video", "audio"}:
            stream.codec_context.options = {"err_detect": "explode"}
    return container


@pytest.mark.usefixtures("without_a_remark")
def test_every_frame_is_there_at_its_time_and_shows_its_picture(movie: Movie, path: Path) -> None:
    with opened(path) as container:
        stream = container.streams.video[0]
        assert (stream.frames, stream.average_rate) == (movie.n_frames, 25)
        assert (stream.start_time, stream.codec_context.profile) == (0, "High")
        frames = list(container.decode(video=0))
    alone = []
    for n, piece in movie.shots:
        decoder = av.CodecContext.create("h264", "r")
        (still, *_) = [*decoder.decode(av.Packet(piece)), *decoder.decode(None)]
        alone += [still.to_ndarray()] * n
    assert len(frames) == len(alone)
    assert [frame.time_base * frame.pts for frame in frames] == [
        Fraction(n, 25) for n in range(movie.n_frames)
    ]
    assert all(np.array_equal(f.to_ndarray(), e) for f, e in zip(frames, alone, strict=True))
    assert {(f.colorspace, f.color_range) for f in frames} == {(1, 1)}


@pytest.mark.usefixtures("without_a_remark")
def test_every_sample_is_there_from_zero_on(movie: Movie, path: Path) -> None:
    with opened(path) as container:
        frames = list(container.decode(audio=0))
    assert frames[0].pts == 0
    sound = np.concatenate([frame.to_ndarray()[0] for frame in frames])
    assert len(sound) == movie.n_audio_frames * aac.FRAME
    at = 0
    for n, piece in movie.sounds:
        part = sound[at : at + n * aac.FRAME]
        at += n * aac.FRAME
        if piece is None:
            assert not part.any()
            continue
        decoder = av.CodecContext.create("aac", "r")
        decoder.extradata = aac.AUDIO_SPECIFIC_CONFIG
        encoded, start, alone = aac.parse_line(piece), 0, []
        for size in encoded.sizes:
            packet = av.Packet(encoded.payload[start : start + size])
            alone += [frame.to_ndarray()[0] for frame in decoder.decode(packet)]
            start += size
        assert np.array_equal(part[: -aac.FRAME], np.concatenate(alone)[aac.FRAME :])


@pytest.mark.usefixtures("without_a_remark")
def test_title_chapters_and_captions_are_found(movie: Movie, path: Path) -> None:
    with opened(path) as container:
        assert container.metadata["title"] == movie.title
        assert container.metadata["description"] == movie.description
        assert "creation_time" not in container.metadata
        chapters = [
            (c["start"] * c["time_base"], c["end"] * c["time_base"], c["metadata"]["title"])
            for c in container.chapters()
        ]
        assert chapters == [(c.start_s, c.end_s, c.title) for c in movie.chapters]
        (captions,) = container.streams.subtitles
        assert (captions.language, container.streams.audio[0].language) == ("jpn", "jpn")
        assert not captions.disposition & av.stream.Disposition.default
        shown = [
            (packet.pts * packet.time_base, packet.duration * packet.time_base, bytes(packet)[2:])
            for packet in container.demux(captions)
            if packet.size > 2
        ]
    assert shown == [(start, end - start, text.encode()) for start, end, text in CAPTIONS]


def test_the_index_comes_first_and_sound_lies_near_its_pictures(path: Path) -> None:
    content = path.read_bytes()
    assert 0 < content.index(b"moov") < content.index(b"mdat") < 20_000
    with av.open(path) as container:
        packets = [
            (packet.pos, packet.dts * packet.time_base)
            for packet in container.demux(video=0, audio=0)
            if packet.dts is not None
        ]
    times = [time_s for _, time_s in sorted(packets)]
    latest = np.maximum.accumulate([float(time_s) for time_s in times])
    assert max(latest - [float(time_s) for time_s in times]) < 1.1


def test_the_same_movie_has_the_same_bytes(movie: Movie, path: Path, tmp_path: Path) -> None:
    assert movie.write(tmp_path / "again.mp4").read_bytes() == path.read_bytes()


@pytest.mark.usefixtures("without_a_remark")
@pytest.mark.parametrize(
    ("width_px", "height_px", "fps"),
    [
        (1920, 1080, Fraction(60)),
        (1280, 720, Fraction(30000, 1001)),
        (426, 240, Fraction(24)),
        (64, 48, Fraction(24000, 1001)),
        (64, 48, Fraction(1)),
        (64, 48, Fraction(1, 3)),
        (64, 48, Fraction(25, 2)),
        (64, 48, Fraction(120)),
    ],
)
def test_any_even_size_and_rational_rate_is_exact(
    width_px: int, height_px: int, fps: Fraction, tmp_path: Path
) -> None:
    movie = movie_of(VideoFormat(width_px, height_px, fps, 30), 2 if width_px > 426 else 12)
    path = movie.write(tmp_path / "movie.mp4")
    with opened(path) as container:
        assert container.streams.video[0].average_rate == fps
        times = [
            packet.pts * packet.time_base for packet in container.demux(video=0) if packet.size
        ]
        assert times == [n / fps for n in range(movie.n_frames)]
        container.seek(0)
        frames = list(container.decode(video=0))
    assert len(frames) == movie.n_frames
    assert (frames[-1].width, frames[-1].height) == (width_px, height_px)
    assert mp4.read_facts(path).fps == fps


@pytest.mark.usefixtures("without_a_remark")
def test_a_movie_without_title_chapters_captions_or_language_is_whole(tmp_path: Path) -> None:
    movie = replace(movie_of(FMT, 2), title="", description="", language="")
    with opened(movie.write(tmp_path / "movie.mp4")) as container:
        assert [stream.type for stream in container.streams] == ["video", "audio"]
        assert not {"title", "description"} & container.metadata.keys()
        assert container.chapters() == []
        assert sum(1 for _ in container.decode(video=0)) == movie.n_frames


@pytest.mark.usefixtures("without_a_remark")
def test_a_thousand_chapters_and_captions_are_all_found(tmp_path: Path) -> None:
    movie = movie_of(FMT, 40)
    times = [(Fraction(n, 25), Fraction(n + 1, 25)) for n in range(990)]
    movie = replace(
        movie,
        chapters=tuple(Chapter(a, b, f"Chapter {n}") for n, (a, b) in enumerate(times)),
        cues=tuple(Cue(a, b, f"Cue {n}") for n, (a, b) in enumerate(times)),
    )
    with opened(movie.write(tmp_path / "movie.mp4")) as container:
        titles = [chapter["metadata"]["title"] for chapter in container.chapters()]
        n_cues = sum(1 for packet in container.demux(subtitles=0) if packet.size)
    assert titles == [f"Chapter {n}" for n in range(990)]
    assert n_cues == 990


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("en", "eng"),
        ("zh-Hans", "zho"),
        ("pt-BR", "por"),
        ("fil", "fil"),
        ("x!", "und"),
        ("", "und"),
    ],
)
def test_languages_are_named_as_players_know_them(tag: str, expected: str, tmp_path: Path) -> None:
    path = replace(movie_of(FMT, 2), language=tag).write(tmp_path / "movie.mp4")
    with av.open(path) as container:
        assert container.streams.audio[0].language == expected


def test_pieces_are_let_go_as_soon_as_they_are_written(tmp_path: Path) -> None:
    fmt = VideoFormat(1280, 720, Fraction(25), 10)
    piece = picture(fmt, COLOURS[0], noise=1)
    stored = tmp_path / "picture.h264"
    stored.write_bytes(piece)
    n_sound = 60 * aac.RATE_HZ // aac.FRAME

    def write() -> None:
        mp4.write_movie(
            tmp_path / "movie.mp4",
            fmt=fmt,
            shots=[mp4.Shot(50, stored.read_bytes) for _ in range(30)],
            sounds=[mp4.Sound(n_sound, None)],
            title="",
            description="",
            chapters=(),
            cues=(),
            language="",
        )

    tracemalloc.start()
    try:
        write()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (tmp_path / "movie.mp4").stat().st_size > 30 * len(piece)
    assert peak < 8 * len(piece)


def test_writing_a_movie_imports_neither_av_nor_numpy() -> None:
    code = "import sys, movie_build.mp4; print({'av', 'numpy'} & set(sys.modules))"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "set()"


def test_a_piece_that_does_not_fit_is_refused(movie: Movie, tmp_path: Path) -> None:
    path = tmp_path / "movie.mp4"
    other = picture(VideoFormat(64, 48, Fraction(25), 23), COLOURS[0])
    shots = [*movie.shots[:-1], (movie.shots[-1][0], other)]
    with pytest.raises(EncodeError, match="320x180"):
        replace(movie, shots=shots).write(path)
    with pytest.raises(EncodeError, match="320x180"):
        replace(movie, shots=[(movie.n_frames, other)]).write(path)
    slower = picture(replace(FMT, fps=Fraction(24)), COLOURS[0])
    with pytest.raises(EncodeError, match="not encoded alike"):
        replace(movie, shots=[*movie.shots[:-1], (movie.shots[-1][0], slower)]).write(path)
    sounds = [(61, piece) if n == 60 else (n, piece) for n, piece in movie.sounds]
    with pytest.raises(EncodeError, match="60 frames, not 61"):
        replace(movie, sounds=sounds).write(path)
    broken = [(n, piece and piece[:-1]) for n, piece in movie.sounds]
    with pytest.raises(EncodeError, match="damaged"):
        replace(movie, sounds=broken).write(path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda m: replace(m, shots=[]), "needs pictures"),
        (lambda m: replace(m, sounds=m.sounds[:-1]), "s of sound"),
        (lambda m: replace(m, chapters=m.chapters[1:]), "does not follow"),
        (lambda m: replace(m, chapters=m.chapters[::-1]), "does not follow"),
        (lambda m: replace(m, cues=m.cues[::-1]), "out of order"),
    ],
)
def test_what_a_timeline_never_gives_is_a_bug_and_says_so(
    movie: Movie, change: Callable[[Movie], Movie], said: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=said):
        change(movie).write(tmp_path / "movie.mp4")


def test_a_movie_longer_than_the_clock_is_refused() -> None:
    header = TrackHeader(1, "vide", "Pictures", 1_000_000, b"", b"")
    table = SampleTable([(30 * 5000, 1_000_000 // 30)], [])
    with pytest.raises(EncodeError, match="too long"):
        track_box(header, table)
