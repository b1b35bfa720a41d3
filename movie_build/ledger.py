"""What the services cost: counted by service, kept in `build/costs.json`, held to a budget."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

from movie_build.atomic import write_bytes
from movie_build.errors import BudgetError


@dataclass(frozen=True, slots=True)
class Use:
    """What one call used. `usd` is its price in US dollars, 0 where it is free or not known.

    `broken` are those of the calls whose answer was no good, and was probably charged.
    """

    calls: int = 1
    characters: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    images: int = 0
    usd: float = 0.0
    broken: int = 0

    def __add__(self, other: Use) -> Use:
        return Use(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(Use)))

    def spoilt(self) -> Use:
        """The same of calls whose answer was no good."""
        return replace(self, images=0, broken=self.calls)

    def __str__(self) -> str:
        counts = {
            "call": self.calls,
            "character": self.characters,
            "token": self.tokens_in + self.tokens_out,
            "image": self.images,
        }
        told = [f"{n:,} {name}{'' if n == 1 else 's'}" for name, n in counts.items() if n]
        if self.broken:
            told[0] += f" ({self.broken:,} with a broken answer)"
        return ", ".join([*told, *([shown_usd(self.usd)] if self.usd else [])])


NOTHING = Use(calls=0)


class Ledger:
    """Counts what a project uses; `path` keeps the sums of all runs, the budget is for this one."""

    def __init__(self, path: Path | None = None, budget_usd: float | None = None) -> None:
        self.path = path
        self.budget_usd = budget_usd
        self.run: dict[str, Use] = {}
        self._reserved_usd = 0.0
        self._lock = threading.Lock()

    def reserve(self, service: str, usd: float) -> None:
        """Set `usd` aside for a call that is about to be made.

        Raises:
            BudgetError: with it, the run could cost more than its budget.
        """
        with self._lock:
            spent = sum(use.usd for use in self.run.values())
            if self.budget_usd is not None and usd > 0:
                whole = spent + self._reserved_usd + usd
                if whole > self.budget_usd + 1e-9:
                    under_way = (
                        f", ${self._reserved_usd:.4f} under way" if self._reserved_usd else ""
                    )
                    raise BudgetError(
                        f"{service}: the next call would cost about ${usd:.4f}, and of the "
                        f"budget of ${self.budget_usd:.2f} ${spent:.4f} is spent{under_way}; "
                        "raise `budget` in movie.yaml to go on"
                    )
            self._reserved_usd += usd

    def settle(self, service: str, reserved_usd: float, use: Use) -> None:
        """End a call: give back what was set aside for it, and count what it used, at once."""
        with self._lock:
            self._reserved_usd -= reserved_usd
            if use == NOTHING:
                return
            self.run[service] = self.run.get(service, NOTHING) + use
            if self.path:
                sums = {**read_costs(self.path)}
                sums[service] = sums.get(service, NOTHING) + use
                _write(self.path, sums)


def shown_usd(usd: float) -> str:
    """An amount to two digits that count, at least cents: $0.0042, $1.50."""
    if usd >= 0.1:
        return f"${usd:,.2f}"
    return f"${usd:.2g}" if usd >= 0.0001 else "$0.0001"


def read_costs(path: Path) -> Mapping[str, Use]:
    """The sums of all runs by service; none where there is no readable file."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        return {name: Use(**use) for name, use in told["services"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _write(path: Path, sums: Mapping[str, Use]) -> None:
    whole = {
        "services": {name: asdict(use) for name, use in sorted(sums.items())},
        "total_usd": round(sum(use.usd for use in sums.values()), 6),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(path, f"{json.dumps(whole, indent=2)}\n".encode())
