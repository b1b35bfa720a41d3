"""What a user calls a line or a slide → the line, or the slide."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from movie_build.errors import MovieBuildError, Where
from movie_build.script import Line, Section

_MOST_TOLD = 5
_NUMBER = re.compile(r"(?:(line|slide)[\s:]\s*)?(\d+)", re.IGNORECASE)

Part = TypeVar("Part", Line, Section)


@dataclass(frozen=True, slots=True)
class Numbered(Generic[Part]):
    """A line or section of an edition (its language; empty for the first), and its number, from 1.

    Lines are counted through the whole script; a section's number is its slide's.
    """

    edition: str
    number: int
    part: Part

    @property
    def kind(self) -> str:
        """What a user calls it: `line` or `slide`."""
        return "line" if isinstance(self.part, Line) else "slide"

    @property
    def words(self) -> str:
        """What it is known by: a line's text, a slide's title."""
        return self.part.text if isinstance(self.part, Line) else self.part.title

    def __str__(self) -> str:
        where = self.part.where
        place = f" ({where.file}:{where.line})" if where else ""
        said = self.words or getattr(self.part, "recording", "")
        shown = said if len(said) <= 60 else f"{said[:59]}…"
        return f"{self.kind} {self.number}{place} “{shown}”"


AnyPart = TypeVar("AnyPart", bound=Numbered[Line] | Numbered[Section])


def find_line(name: str, lines: Sequence[Numbered[Line]]) -> Numbered[Line]:
    """The line that `name` is the number, the place (`script.yaml:52`), the id or the text of.

    A part of its text will do, if no other line has it. Numbers count in the first edition.

    Raises:
        MovieBuildError: there is no such line, or several.
    """
    number, place = _NUMBER.fullmatch(name), _place(name)
    first = [one for one in lines if not one.edition]
    if found := addressed(name, first if number else lines):
        alike = [one for one in found if one.edition == found[0].edition]
        if len(alike) > 1:
            raise MovieBuildError(several(f"begin at {name}", alike))
        return found[0]
    found = worded(name, lines)
    if len(found) > 1:
        raise MovieBuildError(several(f"have {name!r} in them", found))
    if found:
        return found[0]
    if number and (number[1] or "line").lower() == "slide":
        raise MovieBuildError(f"{name!r} is a slide: name one of its lines, by its number or text")
    if number:
        raise MovieBuildError(f"there is no line {int(number[2])}: the script has {len(first)}")
    if place:
        raise MovieBuildError(f"no line of the script begins at {place[0]}:{place[1]} or above it")
    raise MovieBuildError(
        f"no line is called {name!r}: give its number, its place like script.yaml:52, "
        "its id, or a part of its text"
    )


def addressed(name: str, parts: Sequence[AnyPart]) -> list[AnyPart]:
    """Those of `parts` whose id, number or place `name` is, in each edition that has it.

    A number alone is a line's; `slide 3` is a slide's. What stands at a place begins
    there, or is the last to begin above.
    """
    named = [one for one in parts if one.part.id == name]
    if named:
        return named
    if number := _NUMBER.fullmatch(name):
        kind = (number[1] or "line").lower()
        return [one for one in parts if one.kind == kind and one.number == int(number[2])]
    if place := _place(name):
        return _placed(*place, parts)
    return []


def worded(name: str, parts: Sequence[AnyPart]) -> list[AnyPart]:
    """Those of `parts` whose text or title `name` is; else those that have it in theirs.

    None, where `name` is the form of a number or a place.
    """
    if _NUMBER.fullmatch(name) or _place(name):
        return []
    wanted = _plain(name)
    said = [(_plain(one.words), one) for one in parts]
    found = [one for words, one in said if words == wanted]
    return found or [one for words, one in said if wanted and wanted in words]


def several(how: str, found: Sequence[Numbered[Line] | Numbered[Section]]) -> str:
    """What to say where several parts are `found` by a name, and only one can be meant."""
    kinds = " and ".join(dict.fromkeys(f"{one.kind}s" for one in found))
    told = "\n".join(f"  {one}" for one in found[:_MOST_TOLD])
    more = "\n  …" if len(found) > _MOST_TOLD else ""
    return f"{len(found)} {kinds} {how}; name one:\n{told}{more}"


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()


def _place(name: str) -> tuple[str, int] | None:
    """A file, empty where it is any script, and a line in it; None if `name` is no place."""
    file, colon, row = name.rpartition(":")
    if not colon or not row.isdecimal() or (file and not file.endswith((".yaml", ".yml"))):
        return None
    return Path(file).name, int(row)


def _placed(file: str, row: int, parts: Sequence[AnyPart]) -> list[AnyPart]:
    """What begins at the row, or last above it, in each script."""
    starts: dict[str, int] = {}
    for one in parts:
        where = one.part.where
        if where and where.line and file in ("", where.file) and where.line <= row:
            starts[where.file] = max(starts.get(where.file, 0), where.line)
    return [one for one in parts if _starts(one.part.where, starts)]


def _starts(where: Where | None, starts: dict[str, int]) -> bool:
    return where is not None and starts.get(where.file) == where.line
