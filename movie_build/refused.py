"""Movies that cannot be built as their files are: told wherever a run is told."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from movie_build import github_actions, telling
from movie_build.errors import FrozenError, InputError, Mistake, MovieBuildError, shown


@dataclass(frozen=True, slots=True)
class Refused:
    """A movie in `folder`, and all that is wrong with it."""

    folder: Path
    error: MovieBuildError

    @property
    def name(self) -> str:
        """What its project is called."""
        return self.folder.name

    @property
    def mistakes(self) -> tuple[Mistake, ...]:
        """What is wrong, one by one; none where it is in no file."""
        if isinstance(self.error, InputError | FrozenError):
            return self.error.mistakes
        return (Mistake(self.error.at, self.error.what),) if self.error.at else ()

    def tell(self, *, among_others: bool = False) -> None:
        """Print it, with the project's folder before its files where there are several projects."""
        if github_actions.active():
            for command in github_actions.commands(self.error, self.folder):
                print(command, file=sys.stderr)
        print(self._among_others() if among_others else self.error, file=sys.stderr)

    def _among_others(self) -> str:
        lines = str(self.error).splitlines()
        if not self.mistakes:
            return f"{self.name}: {self.error}"
        folder = shown(self.folder, telling.asked().base)
        own = [f"{folder}/{mistake}" for mistake in self.mistakes]
        return "\n".join([*own, *lines[len("\n".join(map(str, self.mistakes)).splitlines()) :]])


def report(refused: Sequence[Refused]) -> None:
    """Where nothing is built at all: what CI reads of it besides what is printed."""
    if github_actions.active():
        github_actions.summarize((), [(movie.name, movie.error) for movie in refused])
    if junit_file := telling.asked().junit:
        from movie_build import junit

        try:
            junit.write(junit_file, (), time.time(), refused)
        except MovieBuildError as error:
            print(error, file=sys.stderr)
