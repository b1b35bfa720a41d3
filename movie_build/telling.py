"""How a run is told: how much, where to, and with or without colours and a moving display."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from pathlib import Path

from movie_build.flags import flag

QUIET, VERBOSE, JUNIT = "MOVIE_BUILD_QUIET", "MOVIE_BUILD_VERBOSE", "MOVIE_BUILD_JUNIT"


@dataclass(frozen=True, slots=True)
class Telling:
    """`quiet` tells mistakes and the movie's path only, `verbose` each piece that is made.

    `junit` is a file to report to. `base` is the folder where the user typed the command.
    """

    quiet: bool = False
    verbose: bool = False
    junit: Path | None = None
    base: Path = field(default_factory=Path.cwd)


def of_environment() -> Telling:
    """As the environment asks: for plain `doit`, which has no options for it."""
    junit = os.environ.get(JUNIT)
    return Telling(
        quiet=flag(QUIET),
        verbose=flag(VERBOSE),
        junit=Path(junit).absolute() if junit else None,
    )


_asked: Telling | None = None


def ask(telling: Telling) -> None:
    """Tell the runs of this process so."""
    global _asked  # noqa: PLW0603
    _asked = telling


def asked() -> Telling:
    """How this process was asked to tell its runs."""
    return _asked or of_environment()


def warn(what: object) -> None:
    """Tell of something that does not stop the build, unless only mistakes are to be told."""
    if not asked().quiet:
        print(f"warning: {what}", file=sys.stderr)


def moves() -> bool:
    """Whether stderr is a terminal where a display can be drawn over and over."""
    if not sys.stderr.isatty() or os.environ.get("TERM", "dumb") == "dumb":
        return False
    return not flag("CI")


def has_colors() -> bool:
    """Whether stderr takes colours: no-color.org and force-color.org, else a terminal's yes."""
    if os.environ.get("NO_COLOR"):
        return False
    if flag("FORCE_COLOR"):
        return True
    return sys.stderr.isatty() and os.environ.get("TERM", "dumb") != "dumb"
