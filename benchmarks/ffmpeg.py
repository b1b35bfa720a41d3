"""The same movie by the ffmpeg command line."""

from __future__ import annotations

import os
import wave
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from example import Project
from measured import Timed, timed


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

    def segments(self, n_made: int | None = None) -> None:
        """One MP4 a line, as the tools do that join with `concat`.

        With `n_made`, only the first so many are made, and stand for the others too: joining
        costs the same, and making them all may take an hour.
        """
        n_made = n_made or len(self.lines)
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(self._segment, range(n_made)))
        names = [f"file 'segment{n % n_made}.mp4'\n" for n in range(len(self.lines))]
        (self.folder / "segments.txt").write_text("".join(names))

    def _segment(self, n: int) -> None:
        wav, png = self.lines[n]
        timed(
            ["ffmpeg", "-y", "-v", "error", "-loop", "1", "-framerate", "30", "-i", png, "-i",
             wav, "-pix_fmt", "yuv420p", "-c:v", "libx264", "-preset", "ultrafast", "-c:a",
             "aac", "-shortest", f"segment{n}.mp4"],
            self.folder,
        )  # fmt: skip

    def concat(self) -> Timed:
        """Join the segments without encoding anything."""
        return timed(
            ["ffmpeg", "-y", "-v", "error", "-f", "concat", "-safe", "0", "-i", "segments.txt",
             "-c", "copy", "-movflags", "+faststart", "joined.mp4"],
            self.folder,
        )  # fmt: skip
