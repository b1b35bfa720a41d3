"""Pages of the user's own presentation as pictures."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from movie_build import pdfium
from movie_build.errors import SlideError
from movie_build.look import Look, Slide
from movie_build.slides.files import file_digest

if TYPE_CHECKING:
    from PIL import Image as PillowImage

VERSION = 1

# What LibreOffice makes PDFs from.
OFFICE_KINDS = frozenset((".pptx", ".ppt", ".pptm", ".ppsx", ".odp", ".fodp", ".key"))
_BLACK = (0, 0, 0)
# What a presentation is called once it is a PDF among the pieces: nothing to show the user.
_CONVERTED = re.compile(r"\.[0-9a-f]{16}\.pdf$")


class DeckPages:
    """Draws the page that a slide names, as a PNG of exactly the look's size.

    `digest` gives a file's SHA-256.
    """

    def __init__(self, *, digest: Callable[[Path], str] = file_digest) -> None:
        self._digest = digest

    def identity(self, slide: Slide, look: Look) -> Mapping[str, object]:
        return {
            "maker": "deck",
            "version": VERSION,
            "deck": self._digest(_deck(slide)),
            "page": slide.page,
            "size": [look.width_px, look.height_px],
        }

    def files(self, slide: Slide, look: Look) -> tuple[Path, ...]:
        return (_deck(slide),)

    def make(self, slide: Slide, look: Look) -> bytes:
        """The page, whole, on a ground of its edge's colour.

        Raises:
            SlideError: the deck has no such page, or cannot be read.
            MissingExtra: the library that reads PDF is not installed.
        """
        deck = _deck(slide)
        pdf: Path | bytes = deck
        if is_office(deck):
            from movie_build.slides.office import to_pdf

            pdf = to_pdf(deck)
        page = _page(pdf, _CONVERTED.sub("", deck.name), slide.page, look)
        ground = _on_ground(page, look)
        file = io.BytesIO()
        ground.save(file, "PNG", compress_level=1)
        return file.getvalue()


def is_office(deck: Path) -> bool:
    """Whether a deck is no PDF, and must become one first (`office.to_pdf`)."""
    return deck.suffix.lower() in OFFICE_KINDS


def _deck(slide: Slide) -> Path:
    assert slide.deck
    return slide.deck


def see_page(deck: Path, number: int) -> None:
    """See that a PDF has a page.

    Raises:
        SlideError: it has not, or cannot be read.
        MissingExtra: the library that reads PDF is not installed.
    """
    with pdfium.opened(deck, deck.name, SlideError) as opened:
        _number_of(opened, deck.name, number)


def _number_of(opened: pdfium.Pdf, name: str, number: int) -> int:
    """The index of a page, from 0.

    Raises:
        SlideError: there is no such page.
    """
    n_pages = len(opened)
    if not 1 <= number <= n_pages:
        pages = "one page" if n_pages == 1 else f"{n_pages} pages"
        raise SlideError(f"{name} has {pages}, and no page {number}")
    return number - 1


def _page(pdf: Path | bytes, name: str, number: int, look: Look) -> PillowImage.Image:
    with pdfium.opened(pdf, name, SlideError) as opened:
        index = _number_of(opened, name, number)
        opened.document.init_forms()
        page = opened.page(index)
        width_pt, height_pt = page.get_size()
        if not (width_pt > 0 and height_pt > 0 and 1 / 100 < width_pt / height_pt < 100):
            raise SlideError(f"{name}: page {number} has no size that can be shown")
        scale = min(look.width_px / width_pt, look.height_px / height_pt)
        image: PillowImage.Image = page.render(scale=scale).to_pil().convert("RGB")
        # Sizes are rounded up, so a page may be a pixel too large.
        return image.crop(
            (0, 0, min(image.width, look.width_px), min(image.height, look.height_px))
        )


def _on_ground(page: PillowImage.Image, look: Look) -> PillowImage.Image:
    """`page` in the middle of a frame, on its own colour if its corners agree, else on black."""
    from PIL import Image

    size = (look.width_px, look.height_px)
    if page.size == size:
        return page
    right, bottom = page.width - 1, page.height - 1
    corners = {page.getpixel(at) for at in ((0, 0), (right, 0), (0, bottom), (right, bottom))}
    ground = Image.new("RGB", size, corners.pop() if len(corners) == 1 else _BLACK)
    ground.paste(page, ((size[0] - page.width) // 2, (size[1] - page.height) // 2))
    return ground
