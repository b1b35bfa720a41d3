"""What a line costs in a movie of 100, of 1,000 and of 10,000; many movies; a long one.

    python benchmarks/scale.py lines      # 100 to 10,000 short lines
    python benchmarks/scale.py projects   # doit at the top of 200 projects of 50 lines
    python benchmarks/scale.py long       # one edit in an hour of movie, beside ffmpeg's concat

Prints Markdown tables. `long` needs ffmpeg on PATH, for the comparison only.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from itertools import count
from pathlib import Path

from example import Project
from ffmpeg import Ffmpeg
from measured import Timed, best, timed


def lines(work: Path) -> None:
    """Movies of more and more lines."""
    print(
        "| lines | clean build, CPU a line | nothing to do | one edit | of that the join | peak |"
    )
    print("|---|---|---|---|---|---|")
    for n in (100, 1_000, 10_000):
        project = Project(work / f"lines-{n}", n, max(1, n // 100), short=True)
        first = project.doit()
        nothing = best(5, project.doit)
        changed, join_s = edited(project)
        peak_mb = max(run.peak_mb for run in (first, nothing, changed))
        print(
            f"| {n:,} | {first.cpu_s / n * 1000:.1f} ms | {nothing.wall_s:.2f} s "
            f"| {changed.wall_s:.2f} s | {join_s:.2f} s | {peak_mb:.0f} MB |",
            flush=True,
        )


def edited(project: Project) -> tuple[Timed, float]:
    """The quickest of three builds after an edit of one line, and how long it was joining."""
    runs = []
    for n in range(3):
        project.write(f" edited {n}")
        runs.append((project.doit(), project.join_s()))
    return min(runs, key=lambda run: run[0].wall_s)


def projects(work: Path) -> None:
    """Many movies beside one another."""
    top = work / "top"
    for n in range(200):
        Project(top / "projects" / f"movie-{n:03}", 50, 2, short=True)
    (top / "dodo.py").write_text(
        "from movie_build.tasks import movies\nmovies(globals(), __file__)\n"
    )

    def doit() -> Timed:
        return timed([sys.executable, "-m", "doit"], top, {"MOVIE_BUILD_CACHE": str(work / "c")})

    doit()
    nothing = best(5, doit)
    print("| 200 projects of 50 lines | |\n|---|---|")
    print(f"| nothing to do, one doit at the top | {nothing.wall_s:.2f} s |")


def long(work: Path) -> None:
    """An hour of movie."""
    project = Project(work / "movie", 1_000, 100)
    project.doit()
    numbers = count()

    def edit() -> Timed:
        project.write(f" edited {next(numbers)}")
        return project.doit()

    ffmpeg = Ffmpeg(project, work / "ffmpeg")
    ffmpeg.segments(n_made=100)
    runs = [(edit(), ffmpeg.concat()) for _ in range(3)]
    ours, theirs = (min((run[n] for run in runs), key=lambda t: t.wall_s) for n in (0, 1))
    print(f"1,000 lines, {project.duration_s() / 60:.0f} minutes, 1080p30\n")
    print("| | wall | peak memory |\n|---|---|---|")
    print(f"| one line edited, whole doit | {ours.wall_s:.2f} s | {ours.peak_mb:.0f} MB |")
    print(
        f"| ffmpeg concat -c copy, 1,000 segments (100, ten times over) | {theirs.wall_s:.2f} s | |"
    )
    print(f"| ratio | {ours.wall_s / theirs.wall_s:.2f} | |")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    acts = {"lines": lines, "projects": projects, "long": long}
    parser.add_argument("what", choices=acts)
    asked = parser.parse_args()
    work = Path(tempfile.mkdtemp(prefix="movie-build-bench-"))
    try:
        acts[asked.what](work)
    finally:
        shutil.rmtree(work)


if __name__ == "__main__":
    main()
