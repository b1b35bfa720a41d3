"""Everything that can be told of a movie without making anything."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from movie_build.errors import InputError, Mistake, MovieBuildError, Where
from movie_build.graph import Graph
from movie_build.movie import Movie, load
from movie_build.project import Project
from movie_build.session import Session


@dataclass(frozen=True, slots=True)
class Checked:
    """A movie without mistakes: its warnings, and what it would be."""

    warnings: tuple[Mistake, ...]
    summary: tuple[str, ...]


def check_movie(folder: Path, *, readings: bool = False) -> Checked:
    """What `movie-build check` tells of the movie in `folder`.

    Raises:
        InputError: all the mistakes that were found.
        MovieBuildError: a voice or a theme that the files name is not there.
    """
    project = Project(folder.resolve())
    movie = load(project, cached=False)
    if movie.script is None:
        return Checked(
            movie.warnings,
            (f"{movie.name}: script.yaml is to be written from {movie.config.source}",),
        )
    graph = Session(project.folder).graph
    if mistakes := [*_undrawable(graph)]:
        raise InputError(mistakes)
    n_lines = sum(len(section.narrations) for section in movie.script.sections)
    n_letters = sum(len(li.text) for s in movie.script.sections for li in s.narrations)
    n_slides = len(movie.script.sections)
    told = f"{movie.name}: {n_lines} lines ({n_letters} characters) on {n_slides} slides"
    return Checked(movie.warnings, (*_readings(movie), told) if readings else (told,))


def _readings(movie: Movie) -> list[str]:
    from movie_build.readings import disagreements

    return [str(found) for found in disagreements(movie)]


def _undrawable(graph: Graph) -> list[Mistake]:
    """Slides with characters that no font has."""
    from movie_build import fonts

    mistakes = []
    style = graph.movie.config.style
    if style.font_family:
        try:
            fonts.check_family(style.font_family)
        except MovieBuildError as error:
            mistakes.append(Mistake(style.font_where or Where("movie.yaml"), error.what))
    for drawn in graph.sections:
        section = drawn.section
        quote = section.quote.text + section.quote.by if section.quote else ""
        caption = section.image.caption if section.image else ""
        text = "".join((section.title, section.subtitle, *section.bullets, quote, caption))
        try:
            fonts.check(text, graph.look.theme)
        except MovieBuildError as error:
            mistakes.append(Mistake(section.where or Where("script.yaml"), error.what))
    return mistakes
