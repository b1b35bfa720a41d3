"""What a user calls a line → the line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from movie_build.errors import MovieBuildError
from movie_build.script import Line

_MOST_TOLD = 5


@dataclass(frozen=True, slots=True)
class NumberedLine:
    """A line of an edition (its language; empty for the first), and its number in it, from 1."""

    edition: str
    number: int
    line: Line

    def __str__(self) -> str:
        where = self.line.where
        place = f" ({where.file}:{where.line})" if where else ""
        said = self.line.text or self.line.recording
        return f"line {self.number}{place} “{said if len(said) <= 60 else said[:59] + '…'}”"


def find_line(name: str, lines: Sequence[NumberedLine]) -> NumberedLine:
    """The line that `name` is the number, the place (`script.yaml:52`), the id or the text of.

    A part of its text will do, if no other line has it. Numbers count in the first edition.

    Raises:
        MovieBuildError: there is no such line, or several.
    """
    named = [one for one in lines if one.line.id == name]
    if named:
        return named[0]
    if name.isdecimal():
        return _numbered(int(name), [one for one in lines if not one.edition])
    file, _, row = name.rpartition(":")
    if row.isdecimal() and file.endswith((".yaml", ".yml")):
        return _placed(Path(file).name, int(row), lines)
    wanted = " ".join(name.split()).casefold()
    said = [(" ".join(one.line.text.split()).casefold(), one) for one in lines]
    found = [one for text, one in said if text == wanted]
    found = found or [one for text, one in said if wanted and wanted in text]
    if len(found) == 1:
        return found[0]
    if not found:
        raise MovieBuildError(
            f"no line is called {name!r}: give its number, its place like script.yaml:52, "
            "its id, or a part of its text"
        )
    told = "\n".join(f"  {one}" for one in found[:_MOST_TOLD])
    more = "\n  …" if len(found) > _MOST_TOLD else ""
    raise MovieBuildError(f"{len(found)} lines have {name!r} in them; name one:\n{told}{more}")


def _numbered(number: int, lines: Sequence[NumberedLine]) -> NumberedLine:
    if not 1 <= number <= len(lines):
        raise MovieBuildError(f"there is no line {number}: the script has {len(lines)}")
    return lines[number - 1]


def _placed(file: str, row: int, lines: Sequence[NumberedLine]) -> NumberedLine:
    """The last line that begins at or above the row."""
    above = [
        one for one in lines if (w := one.line.where) and w.file == file and (w.line or 0) <= row
    ]
    if not above:
        raise MovieBuildError(f"no line of the script begins at {file}:{row} or above it")
    return above[-1]
