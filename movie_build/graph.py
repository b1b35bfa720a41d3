"""A movie's pieces and what each is made from: script and settings in, a graph out. No doit."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

from movie_build import keys, pins, theme
from movie_build.authors import registry as authors
from movie_build.config import VoiceSettings
from movie_build.errors import Faults, Mistake, MovieBuildError, VoiceError, Where
from movie_build.in_doubt import InDoubt
from movie_build.look import Look
from movie_build.movie import Movie
from movie_build.pieces import Bench, Piece
from movie_build.pins import Pin
from movie_build.pronunciation import pattern, spoken
from movie_build.script import Line, Script, Section
from movie_build.slide_pieces import Drawn, Painter, picture_format
from movie_build.taking import take_line
from movie_build.voices.recorded import Recorded
from movie_build.voices.registry import Speaker, Studio

# Each grows when its step's code gives other bytes for the same inputs.
AUDIO, TAKE, TIMING, SOUND, MOVIE = 1, 1, 1, 1, 2


@dataclass(frozen=True, slots=True)
class SpokenLine:
    """A line as pieces: `audio` is its wav, `sound` the wav encoded, ready to be spliced.

    `timing` is when each mora sounds, from voices that tell it.
    """

    line: Line
    audio: Piece
    sound: Piece
    timing: Piece | None = None

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """All that is made of the line."""
        kept = (self.audio, self.sound, self.timing)
        return tuple(piece for piece in kept if piece)


@dataclass(frozen=True, slots=True)
class DrawnSection:
    """A section as pieces: `slide` is its PNG, `picture` the frame encoded, and its lines.

    `text` is what is written on the slide, besides the movie's name where that is on it.
    """

    section: Section
    slide: Piece
    picture: Piece
    lines: tuple[SpokenLine, ...]
    text: str
    names_movie: bool


@dataclass(frozen=True, slots=True)
class Graph:
    """Everything that a movie is joined from, in order; `recipe` is what the join depends on.

    `unshown` warns of what sections say and their slides do not show.
    """

    movie: Movie
    script: Script
    look: Look
    sections: tuple[DrawnSection, ...]
    recipe: str
    unshown: tuple[Mistake, ...] = ()


def build_graph(movie: Movie, bench: Bench, studio: Studio) -> Graph:
    """The graph of a movie whose script is written.

    Raises:
        MovieBuildError: what the files name is not there; all that is not is told
            together, with the mistakes that the movie has already.
    """
    faults = Faults()
    in_doubt = InDoubt(movie)
    with faults:
        movie.refuse_mistakes()
    voices = _Voices(movie, bench, studio)
    painter: Painter | None = None
    sections = []
    with faults:
        painter = Painter(movie, bench, studio.services, look_of(movie))
    assert movie.script
    for section in movie.script.sections:
        drawn: Drawn | None = None
        lines: list[SpokenLine] = []
        if painter:
            wrong: MovieBuildError | None = None
            try:
                drawn = None if in_doubt.slide(section) else painter.pieces(section)
            except MovieBuildError as error:
                wrong = error
            if not drawn:
                for lack in painter.lacking(section, wrong, theme_known=not in_doubt.theme()):
                    faults.add(lack)
        for line in section.narrations:
            try:
                if not in_doubt.voice(line):
                    lines.append(voices.pieces(line))
            except MovieBuildError as error:
                faults.add(error, at=line.voice.where if line.voice else None)
        if drawn:
            said = drawn.text, drawn.names_movie
            sections.append(DrawnSection(section, drawn.slide, drawn.picture, tuple(lines), *said))
    _look_for_makers(movie, studio, faults)
    faults.tell()
    assert painter
    recipe = _recipe(movie, painter.look, sections)
    unshown = tuple(painter.unshown)
    return Graph(movie, movie.script, painter.look, tuple(sections), recipe, unshown)


def look_for_names(movie: Movie, bench: Bench, studio: Studio) -> None:
    """See that what the settings name is there, for a movie whose script is still to be written.

    Raises:
        MovieBuildError: it is not, or there are mistakes in the files.
    """
    faults = Faults()
    with faults:
        movie.refuse_mistakes()
    with faults:
        Painter(movie, bench, studio.services, look_of(movie))
    _look_for_makers(movie, studio, faults)
    faults.tell()


def _look_for_makers(movie: Movie, studio: Studio, faults: Faults) -> None:
    """The author and the engines that the settings name, whether this build uses them or not."""
    with faults:
        authors.see_that_it_exists(movie)
    for named in (movie.config.voice, *(persona.voice for persona in movie.config.personas)):
        with faults:
            studio.see_that_it_exists(named)


def look_of(movie: Movie) -> Look:
    """What all slides of `movie` share."""
    style = movie.config.style
    try:
        found = theme.find(style.theme, movie.project.folder)
    except MovieBuildError as error:
        raise error.placed(style.theme_where) from None
    return Look(
        width_px=style.width_px,
        height_px=style.height_px,
        fps=style.fps,
        crf=style.crf,
        font_family=style.font_family,
        primary_color=style.primary_color,
        background_color=style.background_color,
        theme=found,
        language=movie.language,
        font_where=style.font_where,
    )


def _recipe(movie: Movie, look: Look, sections: list[DrawnSection]) -> str:
    script, pauses = movie.script, movie.config.pauses
    assert script
    return keys.recipe(
        "movie",
        MOVIE,
        {
            "title": script.title,
            "description": script.description,
            "language": movie.language,
            "pauses": {name: str(value) for name, value in asdict(pauses).items()},
            "format": picture_format(look),
            "sections": [
                {
                    "title": drawn.section.title,
                    "picture": drawn.picture.key,
                    "lines": [
                        {
                            "sound": line.sound.key,
                            "text": line.line.text,
                            "pause": None if line.line.pause_s is None else str(line.line.pause_s),
                            "speaker": line.line.persona_id,
                        }
                        for line in drawn.lines
                    ],
                }
                for drawn in sections
            ],
        },
    )


class _Voices:
    """Lines to pieces."""

    def __init__(self, movie: Movie, bench: Bench, studio: Studio) -> None:
        self.movie = movie
        self.bench = bench
        self.studio = studio
        self.audio = movie.project.build / "audio"
        self.takes = movie.project.build / "takes"
        self.personas = {persona.id: persona for persona in movie.config.personas}
        self.words = movie.config.dictionary
        self.pattern = pattern(self.words)
        self.pins = pins.load(movie.project)
        self._speakers: dict[tuple[str, VoiceSettings | None], Speaker] = {}

    def pieces(self, line: Line) -> SpokenLine:
        if pin := self.pins.pinned(line):
            return self._kept(pin, line)
        try:
            speaker = self._speaker(line)
        except MovieBuildError as error:
            raise error.placed(line.where) from None
        text = keys.normal(line.reading or line.text)
        inputs: dict[str, object] = {"text": text, "voice": speaker.identity}
        if line.recording:
            inputs["text"] = ""
        elif speaker.words:
            inputs["words"] = [asdict(word) for word in speaker.words(text)]
        elif not line.reading:
            inputs["text"] = text = spoken(text, self.words, self.pattern)
        shown = Path(line.recording).stem if line.recording else text
        recipe = keys.recipe("audio", AUDIO, inputs)
        timing = None
        if speaker.remote:
            speak = partial(take_line, speaker, text, line.where)
            recipe_of_take = keys.recipe("take", TAKE, inputs)
            take = self._made(shown, recipe_of_take, ".take", speak, folder=self.takes)
            take = replace(take, remote=True)
            make = partial(_finish_take, take, text, line.where)
            audio = self._made(shown, recipe, ".wav", make, (take,))
            recipe = keys.recipe("timing", TIMING, {"audio": audio.key})
            timing = self._made(shown, recipe, ".timing.json", partial(_time, take), (take,))
        else:
            make = partial(_speak, speaker, text, line.where)
            audio = self._made(shown, recipe, ".wav", make)
        return SpokenLine(line, audio, self._sound(shown, audio), timing)

    def _kept(self, pin: Pin, line: Line) -> SpokenLine:
        """The line as the user approved it, whoever would speak it now."""
        recipe = pins.recipe(pin, self.bench.records.digest(pin.path))
        make = partial(_as_kept, pin, line.where)
        audio = self._made(line.text, recipe, ".wav", make)
        timing = None
        if pin.timing:
            recipe = keys.recipe("timing", TIMING, {"audio": audio.key})
            make = partial(_timing_kept, pin)
            timing = self._made(line.text, recipe, ".timing.json", make)
        return SpokenLine(line, audio, self._sound(line.text, audio), timing)

    def _sound(self, shown: str, audio: Piece) -> Piece:
        recipe = keys.recipe("sound", SOUND, {"audio": audio.key})
        encode = partial(_encode_sound, audio)
        return self._made(shown, recipe, ".sound", encode, (audio,))

    def _made(
        self,
        shown: str,
        recipe: str,
        ending: str,
        make: Callable[[Bench], bytes],
        needs: tuple[Piece, ...] = (),
        *,
        folder: Path | None = None,
    ) -> Piece:
        name = keys.file_name(shown, keys.key_of(recipe), ending)
        return Piece("audio", recipe, (folder or self.audio) / name, make, needs)

    def _speaker(self, line: Line) -> Speaker:
        if line.recording:
            path = self.movie.project.folder / line.recording
            recorded = Recorded(path, self.bench.records.digest(path))
            return Speaker(recorded, recorded.identity())
        asked = line.persona_id, line.voice
        if asked not in self._speakers:
            settings = self.movie.config.voice
            if line.persona_id:
                settings = self.personas[line.persona_id].voice.over(settings)
            settings = line.voice.over(settings) if line.voice else settings
            if settings.engine == "recorded":
                shown = line.text if len(line.text) <= 40 else f"{line.text[:39]}…"
                raise VoiceError(
                    f"the engine recorded plays files, and {shown!r} names none: give the line "
                    "its `recording: assets/NAME.wav`, or another `voice`",
                    at=line.where,
                )
            self._speakers[asked] = self.studio.speaker(settings, self.movie.language)
        return self._speakers[asked]


def _as_kept(pin: Pin, where: Where | None, _bench: Bench) -> bytes:
    return pin.wav(where)


def _timing_kept(pin: Pin, _bench: Bench) -> bytes:
    return pin.timing.encode()


def _speak(speaker: Speaker, text: str, where: Where | None, _bench: Bench) -> bytes:
    from movie_build.speech import finish

    try:
        return finish(speaker.voice.speak(text), text).wav
    except MovieBuildError as error:
        speaker.check()  # what is wrong with the voice itself is told once, where it is set
        raise error.placed(where) from None


def _finish_take(take: Piece, text: str, where: Where | None, bench: Bench) -> bytes:
    from movie_build.speech import finish
    from movie_build.take import read_take

    try:
        return finish(read_take(bench.take(take)).pcm, text).wav
    except MovieBuildError as error:
        raise error.placed(where) from None


def _time(take: Piece, bench: Bench) -> bytes:
    """When each sound of the line is heard in its wav, as JSON."""
    from movie_build.speech import offset_s
    from movie_build.take import read_take

    taken = read_take(bench.take(take))
    shift_s = offset_s(taken.pcm) if taken.timing else 0.0
    timing = [
        {
            "text": timed.text,
            "start_s": round(timed.start_s + shift_s, 4),
            "end_s": round(timed.end_s + shift_s, 4),
        }
        for timed in taken.timing
    ]
    return json.dumps({"timing": timing}, ensure_ascii=False).encode()


def _encode_sound(audio: Piece, bench: Bench) -> bytes:
    from movie_build.sound import encode

    return encode(bench.take(audio))
