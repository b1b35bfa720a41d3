"""What of a movie its mistakes leave in doubt: there it is not looked for what else is wrong.

A line whose `voice` is misspelt speaks with another; that this other one lacks
something says nothing of the movie that was meant.
"""

from __future__ import annotations

from movie_build.errors import Where
from movie_build.movie import Movie
from movie_build.script import Line, Section
from movie_build.unread import Doubts

_LINES = ("narrations", "dialogues")


class InDoubt:
    """Says of each part of a movie whether a mistake leaves open what it is."""

    def __init__(self, movie: Movie) -> None:
        self._any = bool(movie.mistakes)
        self._doubts = Doubts(movie.mistakes)
        self._file = movie.project.config.name
        self._personas = {one.id: (i, one) for i, one in enumerate(movie.config.personas)}

    def theme(self) -> bool:
        """Whether it is open which theme is meant."""
        style = self._config("style")
        return self._keys() or self._doubts.of_keys(style) or self._at("style.theme")

    def slide(self, section: Section) -> bool:
        """Whether it is open what a section shows."""
        if not (self._any and section.where):
            return False
        script = Where(section.where.file)
        return (
            self.theme()
            or self._at("video")
            or self._at("slides")
            or self._doubts.of_keys(script)
            or self._doubts.at(Where(script.file, place="deck"))
            or self._doubts.at(section.where, besides=_LINES)
        )

    def voice(self, line: Line) -> bool:
        """Whether it is open who speaks a line."""
        if not (self._any and line.where):
            return False
        file, place = line.where.file, line.where.place
        own = [Where(file, place=f"{place}.{k}") for k in ("voice", "persona_id", "recording")]
        if any(map(self._doubts.at, own)):
            return True
        if line.recording:
            return False
        if line.persona_id and line.persona_id not in self._personas:
            return True
        if line.voice and line.voice.engine:
            return False
        return self._keys() or self._doubts.of_keys(line.where) or self._persona(line.persona_id)

    def _persona(self, name: str) -> bool:
        """Whether it is open how a known persona, or who is none, speaks."""
        if not name:
            return self._at("audio")
        i, persona = self._personas[name]
        keys, voice = self._config(f"personas[{i}]"), f"personas[{i}].synthesizer"
        own = self._doubts.of_keys(keys) or self._at(voice)
        return own or (not persona.voice.engine and self._at("audio"))

    def _keys(self) -> bool:
        return self._doubts.of_keys(self._config(""))

    def _at(self, place: str) -> bool:
        return self._doubts.at(self._config(place))

    def _config(self, place: str) -> Where:
        return Where(self._file, place=place)
