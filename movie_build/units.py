"""A movie's units of work, each once, in the order of the script: what is counted and told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Any

from movie_build.errors import Where
from movie_build.graph import Graph
from movie_build.pieces import Piece


@dataclass(frozen=True, slots=True)
class Unit:
    """One line spoken, one slide drawn or one picture encoded.

    `positions` are the lines', or sections', numbers that use it, from 1.
    """

    step: str
    pieces: tuple[Piece, ...]
    positions: tuple[int, ...]
    title: str
    where: Where | None

    @property
    def name(self) -> str:
        """What doit calls it in its group."""
        return self.pieces[0].path.stem

    @property
    def label(self) -> str:
        """What a user calls it: `audio line 14`, `slide 3 "The lens"`."""
        numbers = ", ".join(map(str, self.positions[:4]))
        if len(self.positions) > 4:
            numbers += ", …"
        if self.step == "audio":
            return f"audio line{'s' if len(self.positions) > 1 else ''} {numbers}"
        return f'{self.step} {numbers} "{self.title}"' if self.title else f"{self.step} {numbers}"

    def __str__(self) -> str:
        if self.where is None or not self.where.line:
            return self.label
        return f"{self.label} ({self.where.file}:{self.where.line})"


def units_of(*graphs: Graph) -> list[Unit]:
    """All units of a movie's editions but the movies themselves: lines, slides, pictures."""
    kinds = (_lines, partial(_drawn, step="slide"), partial(_drawn, step="picture"))
    return [unit for units in kinds for unit in _unique(chain.from_iterable(map(units, graphs)))]


def inputs_of(piece: Piece) -> dict[str, Any]:
    """What a piece is made from, by name."""
    inputs: dict[str, Any] = json.loads(piece.recipe)
    return inputs


def kind_of(unit: Unit) -> str:
    """The step, and the engine that does it: units of one kind take about the same time."""
    inputs = inputs_of(unit.pieces[0])
    maker = inputs.get("voice") or inputs.get("maker") or {}
    by = maker.get("engine") or maker.get("maker") or ""
    return f"{unit.step}:{by}" if by else unit.step


def _lines(graph: Graph) -> Iterator[Unit]:
    number = 0
    for drawn in graph.sections:
        for line in drawn.lines:
            number += 1
            title = line.line.text or line.line.recording
            yield Unit("audio", line.pieces, (number,), title, line.line.where)


def _drawn(graph: Graph, step: str) -> Iterator[Unit]:
    for number, drawn in enumerate(graph.sections, 1):
        piece = drawn.slide if step == "slide" else drawn.picture
        yield Unit(step, (piece,), (number,), drawn.section.title, drawn.section.where)


def _unique(units: Iterator[Unit]) -> Iterator[Unit]:
    """Units with the same pieces as one, with the positions of all."""
    found: dict[str, list[Unit]] = {}
    for unit in units:
        found.setdefault(unit.pieces[0].key, []).append(unit)
    for first, *others in found.values():
        if not others:
            yield first
            continue
        positions = tuple(at for unit in (first, *others) for at in unit.positions)
        yield Unit(first.step, first.pieces, positions, first.title, first.where)
