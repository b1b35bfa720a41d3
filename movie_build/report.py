"""What a run did: as data in `build/report.json`, and as the lines shown at its end."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from movie_build.atomic import write_bytes
from movie_build.errors import MovieBuildError
from movie_build.ledger import Use

STEPS = ("script", "audio", "slide", "picture", "movie")


@dataclass(slots=True)
class StepCount:
    """How many units of a step were made, were there already, or failed.

    `seconds` is the time spent making them, added up over threads.
    """

    made: int = 0
    reused: int = 0
    failed: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a unit went that was at work: how long it took, and why it failed, if it did."""

    seconds: float
    error: MovieBuildError | None = None


@dataclass(frozen=True, slots=True)
class MovieFacts:
    """What is told of a finished movie. `path` is relative to the project."""

    path: str
    duration_s: float
    frames: int
    lines: int
    slides: int
    max_drift_s: float
    loudness_lufs: float | None


@dataclass(frozen=True, slots=True)
class Report:
    """A run: its steps, the movie as it lies there (None if there is none), and its wall time.

    `others` are the movies in further languages; `costs` is what the run used, by service.
    """

    steps: Mapping[str, StepCount]
    movie: MovieFacts | None
    seconds: float
    others: Mapping[str, MovieFacts] = field(default_factory=dict)
    costs: Mapping[str, Use] = field(default_factory=dict)

    def to_json(self) -> str:
        """The report as JSON, in the form that README documents."""
        return json.dumps(
            {
                "steps": {
                    step: {**asdict(count), "seconds": round(count.seconds, 3)}
                    for step, count in self.steps.items()
                },
                "movie": asdict(self.movie) if self.movie else None,
                **(
                    {"movies": {k: asdict(v) for k, v in self.others.items()}}
                    if self.others
                    else {}
                ),
                "costs": {service: asdict(use) for service, use in sorted(self.costs.items())},
                "seconds": round(self.seconds, 3),
            },
            indent=2,
            ensure_ascii=False,
        )

    def write(self, path: Path) -> None:
        """Write it to `path`; a folder that cannot be written to is no reason to fail."""
        try:
            path.parent.mkdir(exist_ok=True)
            write_bytes(path, f"{self.to_json()}\n".encode())
        except OSError:
            return

    def lines(self, shown: Callable[[str], str] = str) -> list[str]:
        """One line a step that took part, one a service that was asked, then the movie.

        The movie's path is as it is to be `shown`.
        """
        out = []
        for step, count in self.steps.items():
            if count.made or count.reused or count.failed:
                failed = f", {count.failed} failed" if count.failed else ""
                out.append(f"{step:<8} {count.made} new, {count.reused} reused{failed}")
        return out + self.cost_lines() + self.movie_lines(shown)

    def cost_lines(self) -> list[str]:
        """A line for each service: what the run asked of it, and what that cost."""
        return [f"{service:<8} {use}" for service, use in sorted(self.costs.items())]

    @property
    def movies(self) -> list[MovieFacts]:
        """The movies that the run was asked for and that lie there now."""
        joined = self.steps["movie"].made + self.steps["movie"].reused
        return [movie for movie in (self.movie, *self.others.values()) if movie and joined]

    def movie_lines(self, shown: Callable[[str], str] = str) -> list[str]:
        """A line for each movie: its path and its length."""
        out = []
        for movie in self.movies:
            minutes, seconds = divmod(round(movie.duration_s), 60)
            out.append(f"{shown(movie.path)}  {minutes}:{seconds:02}  in {self.seconds:.1f} s")
        return out
