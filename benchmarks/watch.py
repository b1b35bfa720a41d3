"""From the save of an edited line to the finished MP4, while `movie-build watch` runs.

    python benchmarks/watch.py [--lines 100] [--slides 20] [--saves 10]

Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from example import Project

PATIENCE_S = 30.0


def measure(work: Path, n_lines: int, n_slides: int, n_saves: int) -> None:
    """Save again and again, in `work`."""
    project = Project(work / "movie", n_lines, n_slides)
    project.doit()
    minutes = project.duration_s() / 60
    watcher = subprocess.Popen(
        [sys.executable, "-m", "movie_build.cli", "watch"],
        cwd=project.folder,
        env={**os.environ, **project.env},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert watcher.stderr
        while "watching" not in watcher.stderr.readline():
            if watcher.poll() is not None:
                raise SystemExit("movie-build watch ended")
        took = []
        for n in range(n_saves):
            time.sleep(2)
            took.append(_save(project, n))
    finally:
        watcher.terminate()
        watcher.wait()
    print(f"{n_lines} lines, {minutes:.1f} minutes, {n_saves} saves\n")
    print("| save of one edited line to finished MP4 | |\n|---|---|")
    for name, seconds in (
        ("best", min(took)),
        ("median", statistics.median(took)),
        ("worst", max(took)),
    ):
        print(f"| {name} | {seconds:.2f} s |")


def _save(project: Project, n: int) -> float:
    """Seconds from the save to the MP4 that has it."""
    mp4 = project.mp4
    before = mp4.stat().st_mtime_ns
    project.write(f" edited {n}")
    saved = time.monotonic()
    while mp4.stat().st_mtime_ns == before:
        if time.monotonic() - saved > PATIENCE_S:
            raise SystemExit("the movie was not made again")
        time.sleep(0.002)
    return time.monotonic() - saved


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--lines", type=int, default=100)
    parser.add_argument("--slides", type=int, default=20)
    parser.add_argument("--saves", type=int, default=10)
    asked = parser.parse_args()
    work = Path(tempfile.mkdtemp(prefix="movie-build-bench-"))
    try:
        measure(work, asked.lines, asked.slides, asked.saves)
    finally:
        shutil.rmtree(work)


if __name__ == "__main__":
    main()
