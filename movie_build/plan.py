"""What the next build would do, and about what it would cost. Nothing is made or written."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from movie_build import pace
from movie_build.config import Price
from movie_build.errors import MovieBuildError
from movie_build.graph import Graph
from movie_build.hosts import is_public
from movie_build.join import MovieFile
from movie_build.ledger import shown_usd
from movie_build.openai_client import usual_url
from movie_build.pace import Pace
from movie_build.pieces import Bench, Piece
from movie_build.pins import is_kept
from movie_build.session import Session
from movie_build.slide_pieces import drawing_url
from movie_build.store import default_folder
from movie_build.units import Unit, inputs_of, kind_of, units_of

_NAMES = {
    "audio": ("line to speak", "lines to speak"),
    "slide": ("slide", "slides"),
    "picture": ("picture", "pictures"),
    "movie": ("movie", "movies"),
}


@dataclass(slots=True)
class StepPlan:
    """How many units of a step would be made and how many reused, those `from_store` among them.

    `kept` are lines whose take the user approved, made or not. `seconds` is about
    how long it takes; None where this machine has not done it yet.
    """

    make: int = 0
    reuse: int = 0
    from_store: int = 0
    kept: int = 0
    characters: int = 0
    usd: float = 0.0
    seconds: float | None = 0.0


@dataclass(slots=True)
class Plan:
    """A movie's next build. `script` is the source to write one from first, else empty.

    `pieces` are the units to make, as a user calls them; `unpriced` the models
    of paid services that `prices` in movie.yaml does not name.
    """

    movie: str
    script: str = ""
    steps: dict[str, StepPlan] = field(default_factory=lambda: {s: StepPlan() for s in _NAMES})
    pieces: list[str] = field(default_factory=list)
    unpriced: list[str] = field(default_factory=list)

    @property
    def usd(self) -> float:
        """About what it costs, in US dollars."""
        return sum(step.usd for step in self.steps.values())

    @property
    def seconds(self) -> float | None:
        """About how long it takes; None where that is not known of every step."""
        known = [step.seconds for step in self.steps.values() if step.seconds is not None]
        return sum(known) if len(known) == len(self.steps) else None

    @property
    def reused(self) -> int:
        """How many units are there already."""
        return sum(step.reuse for step in self.steps.values())

    def __str__(self) -> str:
        if self.script:
            return f"1 script to write from {self.script}, then what it says"
        stored = sum(step.from_store for step in self.steps.values())
        reused = f"{self.reused:,} reused" + (f" ({stored:,} from the store)" if stored else "")
        estimates = [f"about {shown_usd(self.usd)}"] if self.usd else []
        estimates += [f"price of {model} not known" for model in self.unpriced]
        estimates += [f"about {_time(self.seconds)}"] if self.seconds else []
        n_kept = sum(step.kept for step in self.steps.values())
        kept = f"{n_kept:,} kept take{'s' * (n_kept > 1)}" if n_kept else ""
        to_make = ", ".join(self._to_make()) or "nothing to make"
        parts = [to_make, reused, kept, ", ".join(estimates)]
        return "; ".join(part for part in parts if part)

    def _to_make(self) -> Iterator[str]:
        for name, step in self.steps.items():
            if step.make:
                spoken = f" ({step.characters:,} characters)" if step.characters else ""
                yield f"{step.make:,} {_NAMES[name][step.make != 1]}{spoken}"

    def to_json(self) -> dict[str, Any]:
        """The plan as data, in the form that README documents."""
        return {
            "movie": self.movie,
            "script": self.script or None,
            "steps": {name: asdict(step) for name, step in self.steps.items()},
            "reused": self.reused,
            "usd": round(self.usd, 6),
            "unpriced": self.unpriced,
            "seconds": None if self.seconds is None else round(self.seconds, 2),
            "pieces": self.pieces,
        }


def plan_folder(folder: Path) -> Plan:
    """The plan of the movie in `folder`, without writing a byte.

    Raises:
        MovieBuildError: its files hold mistakes, or what they name is not there.
    """
    session = Session(folder, look_only=True)
    if not session.written:
        return Plan(session.movie.name, script=session.movie.config.shown_source)
    graphs = [edition.graph for edition in session.editions]
    return plan_graphs(
        graphs, session.bench, pace.known(default_folder()), session.movie.config.price
    )


def movie_folders(folder: Path) -> list[Path]:
    """`folder` if it is a movie's, else the movies in its `projects`.

    Raises:
        MovieBuildError: there is none.
    """
    if any((folder / name).is_file() for name in ("script.yaml", "movie.yaml")):
        return [folder]
    found = sorted(dodo.parent for dodo in (folder / "projects").glob("*/dodo.py"))
    if not found:
        raise MovieBuildError(f"{folder} is no movie's folder: it has no script.yaml or movie.yaml")
    return found


def tell(folders: list[Path], *, as_json: bool) -> tuple[str, list[MovieBuildError]]:
    """The plans of several movies as text or JSON, and what cannot be planned."""
    plans: list[Plan] = []
    errors: list[MovieBuildError] = []
    for folder in folders:
        try:
            plans.append(plan_folder(folder))
        except MovieBuildError as error:
            errors.append(error)
    if as_json:
        data = [plan.to_json() for plan in plans]
        alone = data[0] if len(folders) == 1 and data else data
        return json.dumps(alone, indent=2, ensure_ascii=False), errors
    if len(folders) == 1:
        return "".join(map(str, plans)), errors
    return "\n".join(f"{plan.movie}: {plan}" for plan in plans), errors


def plan_graphs(
    graphs: Sequence[Graph],
    bench: Bench,
    paces: Mapping[str, Pace],
    price: Callable[[str], Price],
    *,
    ask_store: bool = True,
) -> Plan:
    """The plan of a movie whose script is written, in all its editions.

    Without `ask_store`, what the store may have counts as to be made.
    """
    plan = Plan(graphs[0].movie.name)
    units = units_of(*graphs)
    drawn_at = usual_url(drawing_url(graphs[0].movie.config.drawing.model))
    stock = _Stock(bench, units, ask_store=ask_store)
    kinds: dict[tuple[str, str], int] = {}
    for unit in units:
        step = plan.steps[unit.step]
        kept = is_kept(unit.pieces[0])
        step.kept += kept
        to_make = [made for piece in unit.pieces for made in stock.to_make(piece)]
        if kept or not to_make:  # a kept take has only to be unpacked
            step.reuse += 1
            step.from_store += any(piece.key in stock.stored for piece in unit.pieces)
            continue
        step.make += 1
        plan.pieces.append(str(unit))
        kind = kind_of(unit)
        kinds[unit.step, kind] = kinds.get((unit.step, kind), 0) + 1
        _price(plan, step, to_make, price, drawn_at)
    for graph in graphs:
        movie = MovieFile(graph, bench)
        if movie.fresh():
            plan.steps["movie"].reuse += 1
        else:
            plan.steps["movie"].make += 1
            kinds["movie", "movie"] = plan.steps["movie"].make
            plan.pieces.append(f"movie {bench.name(movie.mp4)}")
    for (name, kind), n_units in kinds.items():
        step, known = plan.steps[name], paces.get(kind)
        if known is None or step.seconds is None:
            step.seconds = None
        else:
            step.seconds += known.seconds(n_units)
    return plan


class _Stock:
    """What of the pieces is there, and what is not there but `stored`: the store has it."""

    def __init__(self, bench: Bench, units: Iterable[Unit], *, ask_store: bool) -> None:
        missing: dict[str, Piece] = {}
        left = [piece for unit in units for piece in unit.pieces]
        while left:
            piece = left.pop()
            if piece.key not in missing and not bench.fresh(piece):
                missing[piece.key] = piece
                left += piece.needs
        self.stored = bench.store.having(missing) if ask_store else set()
        self._missing = missing.keys() - self.stored

    def to_make(self, piece: Piece) -> list[Piece]:
        """The pieces to make for `piece`, itself included; each is told once."""
        if piece.key not in self._missing:
            return []
        self._missing.remove(piece.key)
        return [piece, *(made for need in piece.needs for made in self.to_make(need))]


def _price(
    plan: Plan,
    step: StepPlan,
    to_make: list[Piece],
    price: Callable[[str], Price],
    drawn_at: str,
) -> None:
    """Add what is to be spoken and drawn, and what that costs, to `step`.

    `drawn_at` is the address of what draws: a picture's own inputs tell none.
    """
    for piece in to_make:
        inputs = inputs_of(piece)
        by = inputs.get("voice") or inputs.get("maker")
        if not by or (piece.needs and inputs.get("voice")):
            continue  # a wav is free once its take is there
        characters = len(inputs.get("text", "")) if "voice" in inputs else 0
        step.characters += characters
        model = by.get("model")
        if not model or not by.get("url"):
            continue  # it runs here, or on a machine of the user's
        costs = price(model)
        each_usd = costs.characters if characters else costs.image
        if each_usd is None:
            # A service on a network of the user's own is free, as it is when it is asked.
            asked = by["url"] if "voice" in inputs else drawn_at
            if is_public(asked) and model not in plan.unpriced:
                plan.unpriced.append(model)
            continue
        step.usd += each_usd * (characters / 1e6 if characters else 1)


def _time(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes / 60:.1f} h"
