"""What can go wrong, and how it is told.

    MovieBuildError                 shown as one message, without a traceback, exit code 1
    ├── InputError                  mistakes in the user's files, all of one run together
    ├── SourceError                 a page or file cannot be read as an article
    ├── AuthorError                 no script can be written from an article
    ├── VoiceError                  a voice cannot speak a line
    │   └── SpeechError             it spoke, but what came is not this line spoken
    ├── SlideError                  a slide cannot be drawn
    │   ├── FontError               no installed font has the characters
    │   └── BrowserError            there is no browser, or it does not answer
    ├── EncodeError                 pictures or sound cannot be encoded or joined
    ├── StoreError                  a piece cannot be written or read
    ├── BudgetError                 the next call to a service could cost more than is allowed
    ├── Stopped                     the run was broken off before this was begun
    ├── FrozenError                 a frozen build lacks what only a service could make
    └── MissingExtra                an optional library is not installed

The reader of a message is the person who typed the YAML: it says file, line,
place, what is wrong and what to do. Everything else that is raised is a bug of
this program and keeps its traceback.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Self

NO_SUCH_KEY = "no such key"


@dataclass(frozen=True, slots=True, order=True)
class Where:
    """A place in a file of the user's: `script.yaml:14: sections[1].title`."""

    file: str
    line: int | None = None
    column: int | None = None
    place: str = ""

    def __str__(self) -> str:
        at = f"{self.file}:{self.line}" if self.line else self.file
        return f"{at}: {self.place}" if self.place else at


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing that is wrong in the user's files, and what to do about it."""

    where: Where
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


def in_order(mistake: Mistake) -> tuple[str, int]:
    """By file and line, for sorting."""
    return mistake.where.file, mistake.where.line or 0


class MovieBuildError(Exception):
    """The root of every error that is the user's to mend; `at` is where, if known."""

    def __init__(self, what: str, *, at: Where | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.at = at

    def __str__(self) -> str:
        return f"{self.at}: {self.what}" if self.at else self.what

    def placed(self, at: Where | None) -> Self:
        """This error, at `at` unless it knows a nearer place."""
        self.at = self.at or at
        return self


class InputError(MovieBuildError):
    """All the mistakes found in the user's files, one a line."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        super().__init__("\n".join(map(str, mistakes)))
        self.mistakes = tuple(mistakes)

    def placed(self, at: Where | None) -> Self:
        """This error: its mistakes know their places."""
        return self

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.mistakes,)


class SourceError(MovieBuildError):
    """A page or a file cannot be read as an article."""


class AuthorError(MovieBuildError):
    """No script can be written from an article."""


class VoiceError(MovieBuildError):
    """A voice cannot speak a line: the text is refused, or the service cannot be reached."""


class SpeechError(VoiceError):
    """What the voice gave is silent, broken, clipped, or too short or long for the line."""


class SlideError(MovieBuildError):
    """A slide cannot be drawn."""


class FontError(SlideError):
    """No installed font can show some characters of a text."""


class BrowserError(SlideError):
    """There is no browser to draw with, or it does not answer."""


class EncodeError(MovieBuildError):
    """Pictures or sound cannot be encoded, or not joined to a movie."""


class StoreError(MovieBuildError):
    """A piece cannot be written or read: no space, no permission."""


class BudgetError(MovieBuildError):
    """The next call to a service could cost more than the budget allows."""


class Stopped(MovieBuildError):
    """The run was broken off before a service was asked; it is not told."""

    def __init__(self) -> None:
        super().__init__("stopped")


class FrozenError(MovieBuildError):
    """A frozen build lacks pieces that only a service could make; `mistakes` says which."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        listed = "\n".join(map(str, mistakes))
        super().__init__(
            f"{listed}\nfrozen: what is missing cannot be made here; build once where the services "
            "can be reached, with `cache: {shared: …}` in movie.yaml, or bring an archive made by "
            "`movie-build cache export`"
        )
        self.mistakes = tuple(mistakes)

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.mistakes,)


class MissingExtra(MovieBuildError):
    """An optional library is not installed; the message names the extra to install."""

    def __init__(self, extra: str, purpose: str, *, at: Where | None = None) -> None:
        super().__init__(f"{purpose} needs an extra: pip install 'movie-build[{extra}]'", at=at)


class Faults:
    """Collects errors, each told once for a place, so that one run tells all of them.

    Used around each step that may fail: `with faults: …`; then `faults.tell()`.
    """

    def __init__(self) -> None:
        self._found: dict[Mistake, MovieBuildError] = {}

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if not isinstance(error, MovieBuildError):
            return False
        self.add(error)
        return True

    def add(self, error: MovieBuildError, *, at: Where | None = None) -> None:
        """`error` was found; at `at`, where it is known for another place already."""
        # Several mistakes know their places themselves.
        placed = [Mistake(at, error.what)] if at and not isinstance(error, InputError) else None
        for mistake in placed or _mistakes(error):
            self._found.setdefault(mistake, error)

    def tell(self) -> None:
        """Raise what was found: the error itself where there is one."""
        if len(set(map(id, self._found.values()))) == 1:
            error = next(iter(self._found.values()))
            if len(self._found) == 1 or isinstance(error, InputError):
                raise error
        if self._found:
            raise InputError(sorted(self._found, key=in_order))


def _mistakes(error: MovieBuildError) -> Sequence[Mistake]:
    if isinstance(error, InputError):
        return error.mistakes
    return [Mistake(error.at or Where("movie.yaml"), error.what)]


def nearest(name: str, names: Iterable[str]) -> str:
    """A hint to append to "no such name": the nearest right name, else all of them."""
    known = sorted(names)
    near = get_close_matches(name, known, n=1, cutoff=0.6)
    if near:
        return f"did you mean {near[0]!r}?"
    return f"use one of: {', '.join(known)}" if known else "there are none"


def shown(path: Path, base: Path) -> str:
    """`path` as the user would type it in `base`."""
    # By their letters: pathlib takes ten times as long, and this is asked for every piece.
    return str(path).removeprefix(f"{base}{os.sep}")
