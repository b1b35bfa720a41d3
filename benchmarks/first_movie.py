"""movie-build beside the ffmpeg command line at the same job, in one run on one machine.

    python benchmarks/first_movie.py [--lines 100] [--slides 20]

100 lines, 20 slides, about 8 minutes at 1080p30, wavs and PNGs already there.
Needs ffmpeg on PATH, for the comparison only. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import wave
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import count
from pathlib import Path

from example import Project
from ffmpeg import Ffmpeg
from measured import Timed, best

FPS = 30


def ssim(movie: Path, lines: Sequence[tuple[Path, Path]]) -> float:
    """The mean SSIM (luma) of the movie's picture in the middle of each line against its PNG.

    `lines` are each line's wav and PNG, in the order of the movie.
    """
    import av
    import numpy as np

    wanted: dict[int, Path] = {}
    at_s = 0.0
    for wav, png in lines:
        with wave.open(str(wav)) as sound:
            duration_s = sound.getnframes() / sound.getframerate()
        wanted[round((at_s + duration_s / 2) * FPS)] = png
        at_s += duration_s
    found = []
    with av.open(str(movie)) as container:
        container.streams.video[0].thread_type = "AUTO"
        for n, frame in enumerate(container.decode(video=0)):
            if n in wanted:
                found.append(_ssim(_picture(wanted[n]), _luma(frame.to_ndarray(format="rgb24"))))
    return float(np.mean(found))


@cache
def _picture(png: Path):  # type: ignore[no-untyped-def]
    import av

    with av.open(str(png)) as image:
        return _luma(next(image.decode(video=0)).to_ndarray(format="rgb24"))


def _luma(rgb):  # type: ignore[no-untyped-def]
    return rgb @ [0.2126, 0.7152, 0.0722]


def _ssim(a, b):  # type: ignore[no-untyped-def]
    """SSIM over 8×8 blocks (Wang et al. 2004), without the Gaussian window."""
    import numpy as np

    h, w = (a.shape[0] // 8) * 8, (a.shape[1] // 8) * 8
    blocks = [x[:h, :w].reshape(h // 8, 8, w // 8, 8) for x in (a, b)]
    (ma, mb), (va, vb) = [[x.mean((1, 3)) for x in blocks], [x.var((1, 3)) for x in blocks]]
    cov = (blocks[0] * blocks[1]).mean((1, 3)) - ma * mb
    c1, c2 = 6.5025, 58.5225
    return float(
        np.mean(((2 * ma * mb + c1) * (2 * cov + c2)) / ((ma**2 + mb**2 + c1) * (va + vb + c2)))
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--lines", type=int, default=100)
    parser.add_argument("--slides", type=int, default=20)
    asked = parser.parse_args()
    work = Path(tempfile.mkdtemp(prefix="movie-build-bench-"))
    try:
        measure(work, asked.lines, asked.slides)
    finally:
        shutil.rmtree(work)


def measure(work: Path, n_lines: int, n_slides: int) -> None:
    """Everything, in `work`."""
    project = Project(work / "movie", n_lines, n_slides)
    first = project.doit()
    ffmpeg = Ffmpeg(project, work / "ffmpeg")

    def encode_and_join() -> Timed:
        project.forget_encoded()
        return project.doit()

    edits = count()

    def edit() -> Timed:
        project.write(f" edited {next(edits)}")
        return project.doit()

    _say("encode and join")
    ours = best(3, encode_and_join)
    our_file = Rated("movie-build", project.mp4.stat().st_size, ssim(project.mp4, ffmpeg.lines))
    nothing = best(5, project.doit)
    changed = best(3, edit)
    _say("ffmpeg, one shot")
    theirs = ffmpeg.one_shot()
    rated = [our_file, *_rated(ffmpeg, our_file)]
    _say("ffmpeg, segments")
    ffmpeg.segments()
    joined = best(3, ffmpeg.concat)
    rows = [
        ("clean build from nothing, whole doit", first, None, ""),
        ("encode and join, wavs and PNGs there", ours, theirs, "x264 veryfast, one shot"),
        ("one line edited, whole doit", changed, joined, "`concat -c copy` of the segments"),
        ("nothing to do, whole doit", nothing, None, ""),
    ]
    print(f"{n_lines} lines on {n_slides} slides, {project.duration_s() / 60:.1f} minutes\n")
    print("| | movie-build | ffmpeg | | ratio |\n|---|---|---|---|---|")
    for name, mine, other, what in rows:
        beside = (
            f"{other.wall_s:.2f} s | {what} | {other.wall_s / mine.wall_s:.1f}×" if other else "| |"
        )
        print(f"| {name} | {mine.wall_s:.2f} s | {beside} |")
    print("\n| file | size | SSIM against the PNGs |\n|---|---|---|")
    for one in rated:
        print(f"| {one.name} | {one.size / 1e6:.2f} MB | {one.ssim:.5f} |")
    print(f"\nPeak memory of the build's process: {max(first.peak_mb, ours.peak_mb):.0f} MB")


@dataclass(frozen=True)
class Rated:
    """A file, its size in bytes, and how near its pictures come to the PNGs."""

    name: str
    size: int
    ssim: float


def _rated(ffmpeg: Ffmpeg, ours: Rated) -> Iterator[Rated]:
    """Ffmpeg's file at its default rate, then at other rates until its SSIM crosses ours."""
    crf, step = 23, 0
    while True:
        if step:
            ffmpeg.one_shot("-crf", str(crf))
        path = ffmpeg.folder / "one_shot.mp4"
        now = Rated(f"x264 veryfast, crf {crf}", path.stat().st_size, ssim(path, ffmpeg.lines))
        yield now
        _say(str(now))
        way = -3 if now.ssim < ours.ssim else 3
        if step and way != step:
            return
        crf, step = crf + way, way


def _say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
