"""Which template a slide is drawn with, and who makes the picture that it still lacks."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from movie_build import filled_in
from movie_build.errors import SlideError, shown
from movie_build.look import Slide
from movie_build.slides.deck import OFFICE_KINDS, DeckPages
from movie_build.slides.files import file_digest
from movie_build.slides.layers import FOLDER
from movie_build.slides.protocol import PictureMaker
from movie_build.slides.template import TemplateSlides

if TYPE_CHECKING:
    from movie_build.browser import Browser

_OURS = ("title", "statement", "bullets", "quote", "html")
# The templates that show a picture made for them; a prompt beside any other goes unused.
_SHOW_PICTURES = ("", "full", "picture")
_HTML_FILE = re.compile(r"[^<>\n]+\.html?", re.I)


class SlideMakers:
    """What draws the slides of one project, and what makes the pictures they show.

    `ai` makes pictures from prompts; without it prompts go unused, unless
    `placeholder` asks for drafts in their place. `digest` gives a file's SHA-256.
    """

    def __init__(
        self,
        project: Path,
        *,
        ai: PictureMaker | None = None,
        placeholder: bool = False,
        browser: Callable[[], Browser] | None = None,
        digest: Callable[[Path], str] = file_digest,
    ) -> None:
        self.slides = TemplateSlides(project, browser=browser, digest=digest)
        self._project = project.resolve()
        self._decks = DeckPages(digest=digest)
        self._ai = ai
        self._placeholder = placeholder

    def settled(self, slide: Slide) -> Slide:
        """`slide` with the template that suits what it holds, and without what that leaves unused.

        Raises:
            SlideError: what it holds cannot be shown together, or is not there.
        """
        if slide.page:
            return self._of_deck(slide)
        if slide.fit and not slide.picture:
            raise SlideError("`fit` is for a picture: name one as `image`")
        asked, prompt = slide.prompt, slide.prompt if self._draws(slide) else ""
        slide = replace(slide, deck=None, prompt=prompt, html=self.html(slide.html))
        if prompt and self._placeholder:
            return draft(slide)
        if not slide.template:
            slide = replace(slide, template=_template(slide))
        model = ", or name a model that draws its slide_prompt" if asked else ""
        if slide.template in ("full", "picture") and not (slide.picture or prompt):
            raise SlideError(f"the template {slide.template!r} needs an `image`{model}")
        if not _holds_anything(slide) and not self._writes_itself(slide.template):
            raise SlideError(
                "there is nothing on this slide: write a `title`, or give it `bullets`, a `quote`, "
                f"an `image` or `html`{model}"
            )
        return _whole(slide) if slide.template == "full" else slide

    def picture_maker(self, slide: Slide) -> PictureMaker | None:
        """Who makes the picture that a settled slide lacks; nobody if it lacks none."""
        if slide.page:
            return self._decks
        return self._ai if slide.prompt and slide.template != "draft" else None

    def _draws(self, slide: Slide) -> bool:
        """Whether the prompt of `slide` is to become a picture: what the user has comes first."""
        if not (self._ai or self._placeholder) or slide.picture or slide.html:
            return False
        return slide.template in _SHOW_PICTURES

    def _writes_itself(self, template: str) -> bool:
        """Whether a template is the project's own, and may show what no section holds."""
        return template not in _OURS or (self._project / FOLDER / f"{template}.html").is_file()

    def _of_deck(self, slide: Slide) -> Slide:
        if not slide.deck:
            raise SlideError(f"page {slide.page} of what? name the PDF or PPTX as `deck`")
        if slide.picture:
            raise SlideError("a slide shows an `image` or a `page` of a deck, not both: remove one")
        if slide.deck.suffix.lower() not in OFFICE_KINDS | {".pdf"}:
            where = shown(slide.deck, self._project)
            raise SlideError(f"{where} is no deck that can be read: save it as PDF or PPTX")
        slide = replace(slide, prompt="", template=slide.template or "full")
        return _whole(slide) if slide.template == "full" else slide

    def html(self, html: str) -> str:
        """A slide's own HTML, read from its file where that is named instead.

        Raises:
            SlideError: there is no such file.
        """
        if not _HTML_FILE.fullmatch(html.strip()):
            return html
        path = (self._project / html.strip()).resolve()
        if not path.is_relative_to(self._project) or not path.is_file():
            raise SlideError(f"there is no file {html.strip()} in the project")
        return filled_in.read(path, self._project, SlideError)


def with_picture(slide: Slide, path: Path) -> Slide:
    """`slide` showing the picture that was made for it, in `path`."""
    fit = slide.fit or ("cover" if slide.template == "full" else "")
    return replace(slide, picture=path, fit=fit, prompt="", deck=None, page=0)


def draft(slide: Slide, title: str = "") -> Slide:
    """What stands in for a picture still to be made: visibly a draft, with what it waits for.

    A slide that is to be its picture alone has lost its `title`.
    """
    return Slide("draft", slide.title or title, prompt=slide.prompt, logo=slide.logo)


def credit(address: str, source: str) -> str:
    """Whose a picture is: as the user says, else the site that its address is on."""
    if source or not address.startswith(("http://", "https://")):
        return source
    return (urlsplit(address).hostname or "").removeprefix("www.")


def _holds_anything(slide: Slide) -> bool:
    words = (slide.title, slide.subtitle, slide.quote, slide.html, *slide.bullets)
    shown = (slide.picture, slide.background, slide.logo, slide.prompt)
    return any(word.strip() for word in words) or any(shown)


def _template(slide: Slide) -> str:
    if slide.html:
        return "html"
    if slide.picture:
        # With nothing beside it, a picture is the whole slide.
        return "full" if slide.fit or not (slide.title or slide.bullets) else "picture"
    if slide.prompt:
        return "full"
    if slide.quote:
        return "quote"
    return "bullets" if slide.bullets else "statement"


def _whole(slide: Slide) -> Slide:
    """`slide` with only what the template `full` shows, so that nothing else draws it anew."""
    return replace(
        slide, title="", subtitle="", bullets=(), quote="", quote_by="", html="", movie_title=""
    )
