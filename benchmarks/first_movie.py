"""movie-build beside the ffmpeg command line at the same job, in one run on one machine.

    python benchmarks/first_movie.py [--lines 100] [--slides 20]

100 lines, 20 slides, about 8 minutes at 1080p30, wavs and PNGs already there.
Needs ffmpeg on PATH, for the comparison only. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
import wave
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

WORDS = (
    "A build system keeps what is finished and makes only what has changed since the last time. "
    "Every piece carries a key that is computed from all of its inputs. "
    "When an input changes the key changes, and a new piece is made beside the old one"
)


@dataclass(frozen=True)
class Timed:
    """A finished command: wall time, processor time, and the most memory it held."""

    wall_s: float
    cpu_s: float
    peak_mb: float


def timed(command: Sequence[str | Path], cwd: Path, env: dict[str, str] | None = None) -> Timed:
    """Run a command; what it took. Its children count for processor time, not for memory."""
    began = time.monotonic()
    process = subprocess.Popen(
        list(map(str, command)),
        cwd=cwd,
        env={**os.environ, **(env or {})},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    assert process.stderr
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{command} failed:\n{said.decode()}")
    return Timed(time.monotonic() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


class Project:
    """A movie of many lines, with a store of its own."""

    def __init__(self, folder: Path, n_lines: int, n_slides: int) -> None:
        self.folder = folder
        self.n_lines, self.n_slides = n_lines, n_slides
        self.env = {"MOVIE_BUILD_CACHE": str(folder / "cache")}
        folder.mkdir(parents=True)
        (folder / "dodo.py").write_text(
            "from movie_build.tasks import movie\nmovie(globals(), __file__)\n"
        )
        pauses = "narration: {initial_pause: 0, slide_pause: 0, ending_pause: 0}\n"
        (folder / "movie.yaml").write_text(pauses)
        self.write()

    def write(self, edited: str = "") -> None:
        """Write the script; `edited` goes into its middle line."""
        out = ["title: A benchmark", "sections:"]
        per_slide = self.n_lines // self.n_slides
        for s in range(self.n_slides):
            out += [
                f"- title: 'Slide {s + 1}: keys, pieces and the graph between them'",
                "  bullets:",
            ]
            out += [f"  - 'Point {b + 1} of slide {s + 1}, about what is kept'" for b in range(4)]
            out.append("  narrations:")
            for n in range(per_slide):
                line = s * per_slide + n
                extra = edited if line == self.n_lines // 2 else ""
                words = " ".join(WORDS.split()[: 10 + line % 9])
                out.append(f"  - 'Line {line}{extra}: {words}.'")
        (self.folder / "script.yaml").write_text("\n".join(out) + "\n")

    def doit(self, *args: str) -> Timed:
        """Run doit, from the start of the process to its end."""
        return timed([sys.executable, "-m", "doit", *args], self.folder, self.env)

    def forget_encoded(self) -> None:
        """Leave wavs and PNGs, remove all that is encoded from them."""
        for pattern in ("build/audio/*.sound", "build/pictures/*", "dist/*"):
            for path in self.folder.glob(pattern):
                path.unlink()
        shutil.rmtree(self.folder / "cache", ignore_errors=True)

    @property
    def mp4(self) -> Path:
        """The finished movie."""
        (path,) = (self.folder / "dist").glob("*.mp4")
        return path


class Ffmpeg:
    """The same movie by the ffmpeg command line, from the project's own wavs and PNGs."""

    def __init__(self, project: Project, folder: Path) -> None:
        from movie_build.session import Session

        folder.mkdir()
        self.folder = folder
        os.environ.update(project.env)
        graph = Session(project.folder).graph
        self.lines = [
            (line.audio.path, drawn.slide.path) for drawn in graph.sections for line in drawn.lines
        ]
        pictures = ["ffconcat version 1.0"]
        with wave.open(str(folder / "all.wav"), "wb") as whole:
            whole.setparams((1, 2, 48000, 0, "NONE", ""))
            for wav, png in self.lines:
                with wave.open(str(wav)) as one:
                    whole.writeframes(one.readframes(one.getnframes()))
                    duration = one.getnframes() / 48000
                pictures += [f"file '{png}'", f"duration {duration:.6f}"]
        (folder / "pictures.txt").write_text("\n".join([*pictures, f"file '{self.lines[-1][1]}'"]))

    def one_shot(self, *rate: str) -> Timed:
        """Encode everything at once with x264 veryfast."""
        return timed(
            ["ffmpeg", "-y", "-v", "error", "-f", "concat", "-safe", "0", "-i", "pictures.txt",
             "-i", "all.wav", "-vf", "fps=30,scale=out_color_matrix=bt709", "-pix_fmt", "yuv420p",
             "-c:v", "libx264", "-preset", "veryfast", *rate, "-c:a", "aac", "-b:a", "96k",
             "-movflags", "+faststart", "-shortest", "one_shot.mp4"],
            self.folder,
        )  # fmt: skip

    def segments(self) -> None:
        """One MP4 a line, as the tools do that join with `concat`."""
        names = []
        for n, (wav, png) in enumerate(self.lines):
            names.append(f"file 'segment{n}.mp4'")
            timed(
                ["ffmpeg", "-y", "-v", "error", "-loop", "1", "-framerate", "30", "-i", png, "-i",
                 wav, "-pix_fmt", "yuv420p", "-c:v", "libx264", "-preset", "ultrafast", "-c:a",
                 "aac", "-shortest", f"segment{n}.mp4"],
                self.folder,
            )  # fmt: skip
        (self.folder / "segments.txt").write_text("\n".join(names))

    def concat(self) -> Timed:
        """Join the segments without encoding anything."""
        return timed(
            ["ffmpeg", "-y", "-v", "error", "-f", "concat", "-safe", "0", "-i", "segments.txt",
             "-c", "copy", "-movflags", "+faststart", "joined.mp4"],
            self.folder,
        )  # fmt: skip


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


def best(runs: int, act):  # type: ignore[no-untyped-def]
    """The quickest of several runs: the machine is noisy, and noise only adds."""
    return min((act() for _ in range(runs)), key=lambda t: t.wall_s)


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
