"""What draws slides, and what makes the pictures they show. Neither knows anything of builds."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from movie_build.look import Look, Slide


class SlideMaker(Protocol):
    """Draws one slide."""

    def identity(self, slide: Slide, look: Look) -> Mapping[str, object]:
        """Everything that changes the picture, digests of the files it is drawn from included.

        Called for every build, also one with nothing to do: it must be quick
        and import nothing heavy. Its values go into JSON.

        Raises:
            SlideError: a file or a theme is not there.
        """
        ...

    def files(self, slide: Slide, look: Look) -> tuple[Path, ...]:
        """The files it is drawn from, for the build to watch.

        Raises:
            SlideError: a file or a theme is not there.
        """
        ...

    def draw(self, slide: Slide, look: Look) -> bytes:
        """The slide as a PNG of exactly the look's size. May be called from several threads.

        Raises:
            SlideError: it cannot be drawn, or its text does not fit.
            FontError: no font has its characters.
        """
        ...

    def warnings(self, slide: Slide) -> tuple[str, ...]:
        """What is worth telling of a slide that was drawn, a sentence each."""
        ...


class PictureMaker(Protocol):
    """Makes the picture that a slide is to show whole: from a prompt, or a page of a deck.

    It is apart from the slide, so that a logo or another size of the movie
    does not cost a picture that was paid for.
    """

    def identity(self, slide: Slide, look: Look) -> Mapping[str, object]:
        """Everything that changes the picture, as `SlideMaker.identity`. No key is in it."""
        ...

    def files(self, slide: Slide, look: Look) -> tuple[Path, ...]:
        """The files it is made from, for the build to watch."""
        ...

    def make(self, slide: Slide, look: Look) -> bytes:
        """A whole picture file of a kind that `image_file` reads. May be called from threads.

        Raises:
            SlideError: there is no picture to be had.
            BudgetError: it could cost more than what is left.
        """
        ...
