"""Slides with characters that no font has: all of them told at once, before anything is made."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from movie_build.command_line import asks_to_keep_going
from movie_build.errors import InputError, Mistake, MovieBuildError, Where
from movie_build.graph import Graph
from movie_build.pieces import Piece

if TYPE_CHECKING:
    from movie_build.session import Session


def check(session: Session) -> None:
    """See that what `session` is to draw can be shown; a run that goes on tells it slide by slide.

    Raises:
        InputError: some of it cannot.
    """
    drawn = {name.rpartition(":")[2] for name, step in session.units.items() if step == "slide"}
    if not drawn or asks_to_keep_going() or not _draws_all(session):
        return
    bench = session.bench

    def is_drawn(slide: Piece) -> bool:
        return slide.path.stem in drawn and not bench.fresh(slide)

    graphs = [edition.graph_if_known for edition in session.editions]
    found = [mistake for graph in graphs if graph for mistake in mistakes(graph, is_drawn)]
    if found:
        raise InputError(found)


def mistakes(graph: Graph, is_drawn: Callable[[Piece], bool]) -> list[Mistake]:
    """What no font shows on the slides of `graph` that are drawn; a named font that is missing."""
    from movie_build import fonts

    sections = [drawn for drawn in graph.sections if is_drawn(drawn.slide)]
    texts = [(drawn.text, drawn.section.where) for drawn in sections]
    if any(drawn.names_movie for drawn in sections):
        texts.insert(0, (graph.script.title, graph.script.where))
    found = []
    family = graph.look.font_family
    if family and sections:
        try:
            fonts.check_family(family)
        except MovieBuildError as error:
            found.append(Mistake(graph.look.font_where or Where("movie.yaml"), error.what))
    for text, where in texts:
        try:
            fonts.check(text, graph.look.theme)
        except MovieBuildError as error:
            name = graph.movie.project.script.name
            found.append(Mistake(where or Where(name), error.what))
    return found


def _draws_all(session: Session) -> bool:
    """Whether the run is for every slide, not for the sound, or for pieces by their names."""
    name = session.project.name
    asked = {task.removeprefix(f"{name}:") for task in session.selected}
    return any(
        task in ("slides", "pictures", "movie", name) or task[:6] == "movie:" for task in asked
    )
