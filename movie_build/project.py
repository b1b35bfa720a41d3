"""Where a movie's files lie."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Project:
    """A movie's folder and the names in it; `edition` is a further language's tag, else empty."""

    folder: Path
    edition: str = ""

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.name

    @property
    def config(self) -> Path:
        """The settings; the file may be missing."""
        return self.folder / "movie.yaml"

    @property
    def script(self) -> Path:
        """The script, which is the user's."""
        return self.folder / (f"script.{self.edition}.yaml" if self.edition else "script.yaml")

    @property
    def build(self) -> Path:
        """Pieces; disposable."""
        return self.folder / "build"

    @property
    def records(self) -> Path:
        """The database of what is known of the pieces."""
        return self.build / "records.sqlite"

    @property
    def report(self) -> Path:
        """What the last run did, as JSON."""
        return self.build / "report.json"


def package_folder(name: str) -> Path:
    """A folder that ships with the program, like `templates`, in a checkout and when installed."""
    here = Path(__file__).resolve().parent
    installed = here / f"_{name}"
    return installed if installed.is_dir() else here.parent / name
