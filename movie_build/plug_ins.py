"""Voices, authors and makers of pictures that other packages bring: see docs/plugins.md."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from movie_build.errors import MovieBuildError, Where

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

VOICES, AUTHORS, SLIDES = "movie_build.voices", "movie_build.authors", "movie_build.slides"


@dataclass(frozen=True, slots=True)
class PlugIn:
    """What an installed package offers under a name."""

    point: EntryPoint

    def load(self, *, at: Where | None) -> Any:
        """The factory that the package names.

        Raises:
            MovieBuildError: it cannot be imported.
        """
        try:
            return self.point.load()
        except (ImportError, AttributeError, SyntaxError) as error:
            package = self.point.dist.name if self.point.dist else self.point.value
            raise MovieBuildError(
                f"the plug-in {self.point.name!r} of the package {package} cannot be imported "
                f"({error}); install what it lacks, or another version of it: "
                f"pip install -U {package}",
                at=at,
            ) from error


def installed(group: str) -> dict[str, PlugIn]:
    """The plug-ins of a group, by name."""
    from importlib.metadata import entry_points

    return {point.name: PlugIn(point) for point in entry_points(group=group)}
