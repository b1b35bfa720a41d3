"""Takes that the user approved: heard as long as their line says the same, whoever would speak it.

A take is a FLAC file in `assets/takes/`, where git keeps it, and holds what its
line said. Engines, voices and settings may change: the take stays.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from movie_build import difference, flac, keys
from movie_build.alignment import likeness, trigrams
from movie_build.errors import Mistake, SpeechError, Where, shown
from movie_build.pieces import Piece
from movie_build.project import Project
from movie_build.script import Line, Script

_TAG = "MOVIE_BUILD"
_FORM = 1
_HEAD_BYTES = 32_768
# How alike two texts are to be one line, edited.
_ALIKE = 0.5


@dataclass(frozen=True, slots=True)
class Said:
    """What a line itself says of its sound; `edition` is its script's language, else empty."""

    edition: str
    text: str
    reading: str
    persona_id: str
    voice: str

    @property
    def key(self) -> str:
        """The same for lines that say the same."""
        return keys.key_of(json.dumps(asdict(self), sort_keys=True, ensure_ascii=False))


@dataclass(frozen=True, slots=True)
class Pin:
    """A kept take. `id` and `number` (from 1) are those its line had, `spoken_by` its voice then.

    `timing` is the JSON of when each sound is heard, where that is known.
    """

    path: Path
    said: Said
    id: str = ""
    number: int = 0
    spoken_by: str = ""
    kept_on: str = ""
    timing: str = field(default="", repr=False)

    def tags(self) -> dict[str, str]:
        """What the file holds besides the sound."""
        values = asdict(self)
        values.pop("path")
        told = json.dumps({"form": _FORM, **values}, ensure_ascii=False)
        return {"TITLE": self.said.text, _TAG: told}

    def wav(self, where: Where | None = None) -> bytes:
        """The line's wav, as it was approved.

        Raises:
            SpeechError: the file is damaged, or another.
        """
        from movie_build.wav import check_wav, wav_bytes

        try:
            wav = wav_bytes(flac.decode(self.path.read_bytes()))
            check_wav(wav)
        except (OSError, SpeechError) as error:
            raise SpeechError(
                f"the kept take {self.path.name} cannot be heard: {error}; get it back from git "
                f"(git lfs pull), or remove it to have the line spoken anew",
                at=where,
            ) from error
        return wav


class Pins:
    """The kept takes of one edition of a movie."""

    def __init__(self, project: Project, pins: Sequence[Pin]) -> None:
        self.project = project
        self.all = tuple(pins)
        self._by_key = {pin.said.key: pin for pin in pins}

    def pinned(self, line: Line) -> Pin | None:
        """The take that was kept of a line that says this."""
        if not self._by_key or line.recording:
            return None
        return self._by_key.get(said(line, self.project.edition).key)

    def outdated(self, script: Script) -> Iterator[tuple[Pin, int]]:
        """Takes whose line says something else now, with the line's number."""
        lines = list(lines_of(script))
        in_force = {pin.said.key for line in lines if (pin := self.pinned(line))}
        left = [pin for pin in self.all if pin.said.key not in in_force]
        if not left:
            return
        free = {n: line for n, line in enumerate(lines, 1) if not self.pinned(line)}
        for pin in left:
            number = _successor(pin, free)
            if number:
                del free[number]
                yield pin, number

    def warnings(self, script: Script) -> Iterator[Mistake]:
        """One for each line that says something else than its kept take."""
        lines = list(lines_of(script))
        for pin, number in self.outdated(script):
            line = lines[number - 1]
            assert line.where
            path = shown(pin.path, self.project.folder)
            yield Mistake(
                line.where,
                f"the take kept of this line is not heard, for its {_change(pin.said, line)}; "
                f"keep the new one (movie-build take {number} --keep), "
                f"or give up {path} (movie-build take {number} --release)",
            )


def load(project: Project) -> Pins:
    """The kept takes of a project's edition."""
    found = []
    for path in sorted(folder_of(project).glob("*.flac")):
        pin = _read(path)
        if pin and pin.said.edition == project.edition:
            found.append(pin)
    return Pins(project, found)


def recipe(pin: Pin, digest: str) -> str:
    """What the wav of a kept line is made from: the take's file, of this digest, and no voice."""
    return keys.recipe("audio", _FORM, {"kept": digest, "text": pin.said.text})


def is_kept(audio: Piece) -> bool:
    """Whether a line's wav comes from a kept take."""
    return "kept" in json.loads(audio.recipe)


def folder_of(project: Project) -> Path:
    """Where takes are kept."""
    return project.folder / "assets" / "takes"


def place(project: Project, said: Said) -> Path:
    """The file for the take of a line."""
    return folder_of(project) / keys.file_name(said.text, said.key, ".flac")


def said(line: Line, edition: str) -> Said:
    """What `line` says of its sound."""
    voice: Mapping[str, object] = asdict(line.voice) if line.voice else {}
    asked = {name: str(value) for name, value in voice.items() if name != "where" and value}
    return Said(
        edition,
        keys.normal(line.text),
        keys.normal(line.reading),
        line.persona_id,
        json.dumps(asked, sort_keys=True) if asked else "",
    )


def lines_of(script: Script) -> Iterator[Line]:
    """All lines, in order."""
    return (line for section in script.sections for line in section.narrations)


def _read(path: Path) -> Pin | None:
    """The take in a file; None if it is none of ours, or cannot be read."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
        try:
            tags = flac.tags_of(head)
        except SpeechError:
            tags = flac.tags_of(path.read_bytes())
        values = json.loads(tags.get(_TAG, "null"))
        if not values or values.pop("form") != _FORM:
            return None
        return Pin(path, Said(**values.pop("said")), **values)
    except (OSError, SpeechError, ValueError, TypeError, KeyError):
        return None


def _successor(pin: Pin, free: Mapping[int, Line]) -> int | None:
    """The number of the line that was the take's: by its id, else the most alike, then nearest."""
    named = [n for n, line in free.items() if pin.id and line.id == pin.id]
    if named:
        return named[0]
    then = trigrams(pin.said.text)
    alike = [
        (likeness(then, trigrams(line.text)), -abs(n - pin.number), n)
        for n, line in free.items()
        if not (line.id and pin.id)
    ]
    best = max(alike, default=(0.0, 0, 0))
    return best[2] if best[0] >= _ALIKE else None


def _change(old: Said, line: Line) -> str:
    """How a line differs from what it said when its take was kept."""
    new = said(line, old.edition)
    for name in ("text", "reading", "persona_id", "voice"):
        before, after = getattr(old, name), getattr(new, name)
        if before != after:
            return difference.texts(name.removesuffix("_id"), before, after)
    return "it has a recording now"
