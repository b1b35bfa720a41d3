"""Movies of any length to measure with."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

from measured import Timed, timed

WORDS = (
    "A build system keeps what is finished and makes only what has changed since the last time. "
    "Every piece carries a key that is computed from all of its inputs. "
    "When an input changes the key changes, and a new piece is made beside the old one"
)


class Project:
    """A movie of many lines, with a store of its own.

    `short` lines are three words, and their pictures small: what is then measured is the
    cost of a line, not of its sound.
    """

    def __init__(self, folder: Path, n_lines: int, n_slides: int, *, short: bool = False) -> None:
        self.folder = folder
        self.n_lines, self.n_slides = n_lines, n_slides
        self.short = short
        self.env = {"MOVIE_BUILD_CACHE": str(folder / "cache")}
        folder.mkdir(parents=True)
        (folder / "dodo.py").write_text(
            "from movie_build.tasks import movie\nmovie(globals(), __file__)\n"
        )
        pauses = "narration: {initial_pause: 0, slide_pause: 0, ending_pause: 0}\n"
        small = "style: {resolution: [320, 180]}\n" if short else ""
        (folder / "movie.yaml").write_text(pauses + small)
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
                words = " ".join(WORDS.split()[: 1 if self.short else 10 + line % 9])
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

    def join_s(self) -> float:
        """How long the last run took to join the movie."""
        told = json.loads((self.folder / "build/report.json").read_text())
        return float(told["steps"]["movie"]["seconds"])

    def duration_s(self) -> float:
        """The movie's length."""
        told = json.loads((self.folder / "build/report.json").read_text())
        return float(told["movie"]["duration_s"])

    @property
    def mp4(self) -> Path:
        """The finished movie."""
        (path,) = (self.folder / "dist").glob("*.mp4")
        return path
