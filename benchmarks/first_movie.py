"""movie-build beside the ffmpeg command line at the same job, in one run on one machine.

    python benchmarks/first_movie.py [--lines 100] [--slides 20]

100 lines, 20 slides, about 8 minutes at 1080p30, wavs and PNGs already there.
Needs ffmpeg on PATH, for the comparison only. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from example import Project
from ffmpeg import Ffmpeg
from measured import Timed, best


def ssim(movie: Path, pngs: Sequence[Path]) -> float:
    """The mean SSIM (luma) of the movie's pictures against the PNGs, one frame a second."""
    import av
    import numpy as np

    wanted = {}
    for path in dict.fromkeys(pngs):
        with av.open(str(path)) as image:
            frame = next(image.decode(video=0))
            wanted[path] = _luma(frame.to_ndarray(format="rgb24"))
    found = []
    with av.open(str(movie)) as container:
        for n, frame in enumerate(container.decode(video=0)):
            if n % 30 == 15:
                luma = _luma(frame.to_ndarray(format="rgb24"))
                near = min(wanted.values(), key=lambda w: float(np.abs(w - luma).mean()))
                found.append(_ssim(near, luma))
    return float(np.mean(found))


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
    pngs = [png for _, png in ffmpeg.lines]

    def encode_and_join() -> Timed:
        project.forget_encoded()
        return project.doit()

    edits = iter(range(100))

    def edit() -> Timed:
        project.write(f" edited {next(edits)}")
        return project.doit()

    ours = best(2, encode_and_join)
    theirs = ffmpeg.one_shot()
    one_shot = work / "ffmpeg/one_shot.mp4"
    nothing = best(5, project.doit)
    changed = best(3, edit)
    ffmpeg.segments()
    joined = best(3, ffmpeg.concat)
    rows = [
        ("clean build from nothing, whole doit", first.wall_s, None, ""),
        (
            "encode and join, wavs and PNGs there",
            ours.wall_s,
            theirs.wall_s,
            "x264 veryfast, one shot",
        ),
        (
            "one line edited, whole doit",
            changed.wall_s,
            joined.wall_s,
            "concat -c copy of the segments",
        ),
        ("nothing to do, whole doit", nothing.wall_s, None, ""),
    ]
    print(f"{n_lines} lines, {n_slides} slides\n")
    print("| | movie-build | ffmpeg | | ratio |\n|---|---|---|---|---|")
    for name, mine, other, what in rows:
        beside = f"{other:.2f} s | {what} | {other / mine:.1f}×" if other else "| |"
        print(f"| {name} | {mine:.2f} s | {beside} |")
    print(f"\npeak memory of the build's process: {max(first.peak_mb, ours.peak_mb):.0f} MB")
    for name, path in (("movie-build", project.mp4), ("x264 veryfast", one_shot)):
        print(f"{name}: {path.stat().st_size / 1e6:.2f} MB, SSIM {ssim(path, pngs):.5f}")


if __name__ == "__main__":
    main()
