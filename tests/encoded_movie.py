"""Small movies of real pieces: plain pictures and humming lines, encoded."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from movie_build import aac, mp4
from movie_build.captions import Chapter, Cue
from movie_build.h264 import VideoFormat, encode_picture

FMT = VideoFormat(320, 180, Fraction(25), 23)
COLOURS = [(200, 30, 40), (20, 160, 60), (40, 60, 210), (230, 220, 60), (120, 120, 120)]
CAPTIONS = [
    (Fraction(1, 2), Fraction(2), "Ünï & <b>"),
    (Fraction(2), Fraction(4), "日本語の字幕\nzwei 🎬"),
]


def picture(fmt: VideoFormat, colour: tuple[int, int, int], noise: int = 0) -> bytes:
    """A plain picture with a lighter half, encoded."""
    rgb = np.full((fmt.height_px, fmt.width_px, 3), colour, np.uint8)
    rgb[:, fmt.width_px // 2 :] += 20
    if noise:
        rgb = np.random.default_rng(noise).integers(0, 256, rgb.shape, np.uint8)
    return encode_picture(rgb, fmt)


def line(n_frames: int, pitch_hz: float) -> bytes:
    """A line that hums, encoded."""
    samples = np.zeros(n_frames * aac.FRAME, np.int16)
    n = len(samples) - 2 * aac.FRAME
    samples[aac.FRAME : aac.FRAME + n] = 9000 * np.sin(
        2 * np.pi * pitch_hz * np.arange(n) / aac.RATE_HZ
    )
    return aac.encode_line(samples)


@dataclass(frozen=True)
class Movie:
    """What a movie is made of."""

    fmt: VideoFormat
    shots: list[tuple[int, bytes]]
    sounds: list[tuple[int, bytes | None]]
    title: str = "A <title> — 表題"
    description: str = "What it is about"
    language: str = "ja"
    chapters: tuple[Chapter, ...] = ()
    cues: tuple[Cue, ...] = ()

    def write(self, path: Path) -> Path:
        mp4.write_movie(
            path,
            fmt=self.fmt,
            shots=[mp4.Shot(n, lambda piece=piece: piece) for n, piece in self.shots],  # type: ignore[misc]
            sounds=[
                mp4.Sound(n, None if piece is None else (lambda piece=piece: piece))  # type: ignore[misc]
                for n, piece in self.sounds
            ],
            title=self.title,
            description=self.description,
            chapters=self.chapters,
            cues=self.cues,
            language=self.language,
        )
        return path

    @property
    def n_frames(self) -> int:
        return sum(n for n, _ in self.shots)

    @property
    def n_audio_frames(self) -> int:
        return sum(n for n, _ in self.sounds)


def movie_of(fmt: VideoFormat, seconds: int) -> Movie:
    """A movie of about that length: a few pictures, a line, silence."""
    n_sound = seconds * aac.RATE_HZ // aac.FRAME
    n_video = round(Fraction(n_sound * aac.FRAME, aac.RATE_HZ) * fmt.fps)
    cut = n_video // 2
    return Movie(
        fmt,
        [(cut, picture(fmt, COLOURS[0])), (n_video - cut, picture(fmt, COLOURS[1]))],
        [(40, line(40, 440)), (n_sound - 40, None)],
    )


def five_pictures() -> Movie:
    """Five pictures, two of them for one frame only; three lines; silence around them."""
    pictures = [picture(FMT, colour) for colour in COLOURS]
    lines = [line(60, 300), line(200, 500), line(90, 800)]
    sounds = [(20, None), (60, lines[0]), (200, lines[1]), (33, None), (90, lines[2]), (300, None)]
    n_sound = sum(n for n, _ in sounds)
    end_s = Fraction(n_sound * aac.FRAME, aac.RATE_HZ)
    n_frames = round(end_s * FMT.fps)
    lengths = [70, 1, 1, 28, n_frames - 100]
    middle_s = Fraction(70, 25)
    return Movie(
        FMT,
        list(zip(lengths, pictures, strict=True)),
        sounds,
        chapters=(
            Chapter(Fraction(0), middle_s, "Eins"),
            Chapter(middle_s, end_s, "Zwei " + "長" * 200),
        ),
        cues=tuple(Cue(*caption) for caption in CAPTIONS),
    )
