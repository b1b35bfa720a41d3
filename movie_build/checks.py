"""Everything that can be told of a movie without making anything."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from movie_build import image_file, undrawable
from movie_build.errors import Faults, InputError, Mistake, MovieBuildError, Where
from movie_build.movie import Movie, is_url, read
from movie_build.project import Project
from movie_build.session import Session
from movie_build.slides.deck import see_page
from movie_build.voices.recorded import Recorded


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
    first = read(project, cached=False)
    faults = Faults()
    session: Session | None = None
    movies = [first]
    warnings = [*first.warnings]
    with faults:
        session = Session(project.folder, look_only=True)
        movies = [edition.movie for edition in session.editions]
        session.check()
        warnings = [warning for edition in session.editions for warning in edition.warnings]
    for mistake in _undrawable(session) if session else _unreadable(first):
        faults.add(InputError([mistake]))
    if session:
        with faults:
            session.studio.check()
        for movie in movies:
            for wrong in _unusable(movie):
                faults.add(wrong)
    faults.tell()
    summary = []
    for movie in movies:
        summary += [*_readings(movie), _told(movie)] if readings else [_told(movie)]
    return Checked((*dict.fromkeys(warnings),), (*summary,))


def _unusable(movie: Movie) -> Iterator[MovieBuildError]:
    """Files that a script names, are there, and cannot be played or shown."""
    folder = movie.project.folder
    for section in movie.script.sections if movie.script else ():
        acts: list[tuple[Where | None, Callable[[], object]]] = []
        if section.image and not is_url(section.image.path):
            path = folder / section.image.path
            look_at = partial(_see_picture, path, section.image.path)
            acts.append((section.where_of("image"), look_at))
        deck = folder / section.deck
        if section.page and deck.suffix.lower() == ".pdf":
            acts.append((section.where_of("page"), partial(see_page, deck, section.page)))
        for line in section.narrations:
            if line.recording:
                play = partial(Recorded(folder / line.recording, "").speak, "")
                acts.append((line.where, play))
        for where, act in acts:
            try:
                act()
            except MovieBuildError as error:
                yield error.placed(where)


def _see_picture(path: Path, name: str) -> None:
    if path.is_file():  # that it is not there is told already
        image_file.check(path.read_bytes(), name)


def _told(movie: Movie) -> str:
    if movie.script is None:
        source = movie.config.shown_source
        return f"{movie.name}: {movie.project.script.name} is to be written from {source}"
    n_lines = sum(len(section.narrations) for section in movie.script.sections)
    n_letters = sum(len(li.text) for s in movie.script.sections for li in s.narrations)
    n_slides = len(movie.script.sections)
    lines = "1 line" if n_lines == 1 else f"{n_lines} lines"
    slides = "1 slide" if n_slides == 1 else f"{n_slides} slides"
    return f"{movie.name}: {lines} ({n_letters} characters) on {slides}"


def _readings(movie: Movie) -> list[str]:
    from movie_build.readings import disagreements

    return [str(found) for found in disagreements(movie)]


def _undrawable(session: Session) -> Iterator[Mistake]:
    """Slides with characters that no font has, in every language."""
    for edition in session.editions:
        if graph := edition.graph_if_known:
            yield from undrawable.mistakes(graph, lambda _slide: True)
        else:
            yield from _unreadable(edition.movie)


def _unreadable(movie: Movie) -> Iterator[Mistake]:
    """Sections with characters that no font has, where it is not known what is drawn of them."""
    from movie_build import fonts, theme

    style = movie.config.style
    folder = theme.find("default", movie.project.folder)
    with suppress(MovieBuildError):
        folder = theme.find(style.theme, movie.project.folder)
    if style.font_family:
        try:
            fonts.check_family(style.font_family)
        except MovieBuildError as error:
            yield Mistake(style.font_where or Where("movie.yaml"), error.what)
    for section in movie.script.sections if movie.script else ():
        quote = section.quote.text + section.quote.by if section.quote else ""
        caption = section.image.caption if section.image else ""
        text = "".join((section.title, section.subtitle, *section.bullets, quote, caption))
        try:
            fonts.check(text, folder)
        except MovieBuildError as error:
            yield Mistake(section.where or Where("script.yaml"), error.what)
