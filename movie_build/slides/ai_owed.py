"""Pictures that are paid for and still to be fetched: their addresses, kept until they are there.

Some services answer with an address. Killed between the answer and the download, a build would
pay for the same picture once more. Such an address is often signed, and good for an hour or so.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from movie_build.atomic import write_bytes
from movie_build.errors import SlideError
from movie_build.keys import digest


@dataclass(frozen=True, slots=True)
class Owed:
    """The picture that `recipe` was paid for, by its address in `folder`; None keeps nothing."""

    folder: Path | None
    recipe: str

    @property
    def _path(self) -> Path | None:
        name = f".{digest(self.recipe.encode())[:16]}.address"
        return self.folder / name if self.folder else None

    def fetched(self, fetch: Callable[[str], bytes]) -> bytes | None:
        """What an earlier run has paid for, if its address is kept and still good."""
        path = self._path
        try:
            url = path.read_text(encoding="utf-8") if path else ""
        except OSError:
            return None
        content = None
        if url:
            # Where it fails the address stays: without a network there is no other one either.
            with suppress(SlideError):
                content = fetch(url)
                self.settle()
        return content

    def fetch(self, url: str, fetch: Callable[[str], bytes]) -> bytes:
        """What is at `url`, which is kept until it has come."""
        path = self._path
        if path is None:
            return fetch(url)
        with suppress(OSError):  # it only saves money
            path.parent.mkdir(parents=True, exist_ok=True)
            write_bytes(path, url.encode())
            path.chmod(0o600)
        content = fetch(url)
        self.settle()
        return content

    def settle(self) -> None:
        """Forget the address: the picture is there."""
        if self._path:
            self._path.unlink(missing_ok=True)
