"""How long a unit of each kind takes on this machine, learnt from its builds.

Kept in `pace.json` in the user's store; it only serves estimates, and is safe to delete.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from movie_build.atomic import write_bytes

_FILE = "pace.json"


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds for the first unit of a run, which starts its engine, and for each further one."""

    first_s: float
    each_s: float

    def seconds(self, n_units: int) -> float:
        """About how long `n_units` take side by side."""
        if not n_units:
            return 0.0
        return self.first_s + (n_units - 1) * self.each_s / (os.cpu_count() or 1)


def known(folder: Path) -> dict[str, Pace]:
    """The paces learnt so far, by kind; `folder` is the user's store."""
    try:
        told = json.loads((folder / _FILE).read_text(encoding="utf-8"))
        return {
            str(kind): Pace(float(pace["first_s"]), float(pace["each_s"]))
            for kind, pace in told.items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def learn(folder: Path, seconds: Mapping[str, Iterable[float]]) -> None:
    """Remember how long the units of a run took, by kind; older runs count for half."""
    paces = known(folder)
    for kind, times in seconds.items():
        longest, *others = sorted(times, reverse=True)
        old = paces.get(kind)
        each = sum(others) / len(others) if others else old.each_s if old else longest
        new = Pace(longest, each)
        if old:
            new = Pace((old.first_s + longest) / 2, (old.each_s + each) / 2)
        paces[kind] = Pace(round(new.first_s, 4), round(new.each_s, 4))
    text = json.dumps({kind: asdict(pace) for kind, pace in sorted(paces.items())}, indent=2)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_bytes(folder / _FILE, f"{text}\n".encode())
    except OSError:
        return  # it only serves estimates
