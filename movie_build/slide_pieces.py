"""Sections to pieces: the picture a slide shows, the slide, and the slide encoded."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from movie_build import image_file, keys, plug_ins, telling
from movie_build.address import bare
from movie_build.config import Backdrop, Model
from movie_build.errors import Mistake, MovieBuildError, SlideError, Where, in_order, nearest
from movie_build.fetch import web
from movie_build.flags import flag
from movie_build.look import Background, Look, Slide
from movie_build.movie import Movie, is_url
from movie_build.openai_client import OPENROUTER_URL, service_name, usual_url
from movie_build.pieces import Bench, Piece
from movie_build.script import Section
from movie_build.service import Service, Services
from movie_build.slides.deck import is_office
from movie_build.slides.protocol import PictureMaker, SlideMaker
from movie_build.slides.registry import SlideMakers, credit, draft, with_picture
from movie_build.slides.template import text_of

# Each grows when its step's code gives other bytes for the same inputs.
SLIDE, PICTURE, FETCHED, ARTWORK, DECK = 1, 1, 1, 1, 1


@dataclass(frozen=True, slots=True)
class Drawn:
    """The PNG of a section's slide, the picture encoded from it, and what is written on it.

    The movie's name is not in `text`; `names_movie` tells whether it is written there too.
    """

    slide: Piece
    picture: Piece
    text: str
    names_movie: bool


class Painter:
    """Makes the pieces of a movie's sections."""

    def __init__(self, movie: Movie, bench: Bench, services: Services, look: Look) -> None:
        self.movie = movie
        self.bench = bench
        self.look = look
        self.folder = movie.project.folder
        self.build = movie.project.build
        self.unshown: list[Mistake] = []
        self._made: dict[Path, Piece] = {}
        self._web = web(services)
        self._drafts = flag("MOVIE_BUILD_PLACEHOLDER")
        try:
            ai = _ai(movie, services)
        except MovieBuildError as error:
            raise error.placed(movie.config.drawing.where) from None
        self.makers = SlideMakers(
            self.folder, ai=ai, placeholder=self._drafts and not ai, digest=self._digest
        )

    def pieces(self, section: Section) -> Drawn:
        """The pieces of a section's slide.

        Raises:
            SlideError: what the section names is not there, or cannot be shown together.
        """
        try:
            slide, needs = self._slide(section)
            identity = self.makers.slides.identity(slide, self.look)
        except MovieBuildError as error:
            raise error.placed(section.where) from None
        self.unshown += sorted(self._unshown(section, slide.template), key=in_order)
        recipe = keys.recipe("slide", SLIDE, {"maker": identity})
        draw = partial(_draw, self.makers.slides, slide, self.look, needs)
        make = partial(draw, section.where, bool(section.page))
        # Where nothing is written, sections of any title, and of any language, share the slide.
        name = slide.title or _what_is_shown(section)
        drawn = self._piece("slides", name, recipe, ".png", make, needs)
        inputs = {"slide": drawn.key, "format": picture_format(self.look)}
        recipe = keys.recipe("picture", PICTURE, inputs)
        encode = partial(_encode, drawn, self.look)
        encoded = self._piece("pictures", name, recipe, ".h264", encode, (drawn,))
        return Drawn(
            drawn,
            replace(encoded, step="picture"),
            text_of(replace(slide, movie_title="")),
            bool(slide.movie_title),
        )

    def _unshown(self, section: Section, template: str) -> Iterator[Mistake]:
        """A warning for each key of a section that its template leaves out."""
        slides = self.makers.slides
        if section.slide_prompt and not section.image and template in ("full", "draft"):
            return  # what it shows is drawn from the prompt: models write bullets beside it
        for key in ("subtitle", "bullets", "quote", "html", "image"):
            if getattr(section, key) and not slides.shows(template, self.look, key):
                what = f"ignored: the template {template!r} does not show it"
                yield Mistake(section.where_of(key), what)

    def lacking(
        self, section: Section, wrong: MovieBuildError | None, *, theme_known: bool
    ) -> Iterator[MovieBuildError]:
        """What a section names and is not there, by its key; and what else is `wrong` with it."""
        from movie_build.slides import layers

        acts: dict[str, Callable[[], object]] = {"html": lambda: self.makers.html(section.html)}
        if section.template and theme_known:
            theme, own = self.look.theme, self.folder
            acts["template"] = lambda: layers.files_of(section.template, theme, own)
        if section.logo and not is_url(section.logo):
            acts["logo"] = lambda: self._logo(section.logo, [])
        told = set()
        for key, act in acts.items():
            try:
                act()
            except MovieBuildError as error:
                told.add(error.what)
                yield error.placed(section.where_of(key))
        if wrong and wrong.what not in told:
            yield wrong

    def _digest(self, path: Path) -> str:
        """What stands for a file's bytes: the key of one that is still to be made."""
        made = self._made.get(path)
        return made.key if made else self.bench.records.digest(path)

    def _slide(self, section: Section) -> tuple[Slide, tuple[Piece, ...]]:
        """What is drawn, and the pieces that it shows."""
        needs: list[Piece] = []

        def shown_file(name: str) -> Path:
            if not is_url(name):
                return self.folder / name
            # The author may have it from the page that the script is made from.
            needs.append(self._fetched(name, self.movie.config.source))
            return needs[-1].path

        assert self.movie.script
        image, quote = section.image, section.quote
        backdrop: Backdrop | None = section.background or self.movie.config.background
        deck = section.deck or self.movie.script.deck
        slide = Slide(
            template=section.template,
            title=section.title,
            subtitle=section.subtitle,
            bullets=section.bullets,
            picture=shown_file(image.path) if image else None,
            caption=image.caption if image else "",
            fit=image.fit if image else "",
            source=credit(image.path, image.source) if image else "",
            quote=quote.text if quote else "",
            quote_by=quote.by if quote else "",
            html=section.html,
            background=Background(self.folder / backdrop.path, backdrop.fit) if backdrop else None,
            movie_title=self.movie.script.title,
            logo=self._logo(section.logo, needs),
            prompt=section.slide_prompt,
            deck=self.folder / deck if deck and section.page else None,
            page=section.page,
        )
        slide = self.makers.settled(slide)
        if slide.deck and is_office(slide.deck):
            slide = replace(slide, deck=self._as_pdf(slide.deck).path)
        maker = self.makers.picture_maker(slide)
        if maker:
            artwork = self._artwork(maker, slide, section)
            if self._drafts and slide.prompt and not self._stands(artwork):
                return draft(slide, section.title), tuple(needs)
            needs.append(artwork)
            slide = with_picture(slide, artwork.path)
        return slide, tuple(needs)

    def _stands(self, piece: Piece) -> bool:
        """Whether a piece was made before, here or anywhere that shares the store."""
        return self.bench.fresh(piece) or self.bench.store.get(piece.key) is not None

    def _logo(self, name: str, needs: list[Piece]) -> Path | None:
        from movie_build.slides import logo

        if not name:
            return None
        if is_url(name):
            needs.append(self._fetched(name))
            return needs[-1].path
        return logo.find(name, self.folder)

    def _artwork(self, maker: PictureMaker, slide: Slide, section: Section) -> Piece:
        """The picture that a slide still lacks: from a prompt, or a page of a deck."""
        recipe = keys.recipe("artwork", ARTWORK, {"maker": maker.identity(slide, self.look)})
        converted = self._made.get(slide.deck) if slide.deck else None
        needs = (converted,) if converted else ()
        make = partial(_make, maker, slide, self.look, needs, section.where)
        name = _what_is_shown(section)
        piece = self._piece("artwork", name, recipe, ".picture", make, needs)
        piece = replace(piece, remote=bool(slide.prompt))
        self._made[piece.path] = piece
        return piece

    def _as_pdf(self, deck: Path) -> Piece:
        """A presentation as PDF: converted once, not once a page."""
        recipe = keys.recipe("deck", DECK, {"deck": self.bench.records.digest(deck)})
        piece = self._piece("artwork", deck.stem, recipe, ".pdf", partial(_convert, deck))
        self._made[piece.path] = piece
        return piece

    def _fetched(self, url: str, page: str = "") -> Piece:
        recipe = keys.recipe("fetched", FETCHED, {"url": bare(url)})
        suffix = Path(url.partition("?")[0]).suffix.lower()
        ending = suffix if suffix in (".svg", ".png", ".jpg", ".jpeg", ".webp") else ".picture"
        name = url.rsplit("/", 1)[-1]
        fetch = partial(_fetch, url, self._web, page)
        piece = self._piece("fetched", name, recipe, ending, fetch)
        piece = replace(piece, remote=True)
        self._made[piece.path] = piece
        return piece

    def _piece(
        self,
        folder: str,
        shown: str,
        recipe: str,
        ending: str,
        make: Callable[[Bench], bytes],
        needs: Sequence[Piece] = (),
    ) -> Piece:
        path = self.build / folder / keys.file_name(shown, keys.key_of(recipe), ending)
        return Piece("slide", recipe, path, make, tuple(needs))


def _what_is_shown(section: Section) -> str:
    """What to call the picture that a section shows: the same wherever it is shown."""
    if section.page:
        return f"{Path(section.deck).stem} page {section.page}".strip()
    if section.image:
        return Path(section.image.path).stem
    return section.slide_prompt or section.title


def picture_format(look: Look) -> dict[str, object]:
    """What of a look changes encoded pictures."""
    return {
        "width_px": look.width_px,
        "height_px": look.height_px,
        "fps": str(look.fps),
        "crf": look.crf,
    }


def _ai(movie: Movie, services: Services) -> PictureMaker | None:
    """Who makes pictures from prompts; nobody where no model is named."""
    drawing = movie.config.drawing
    if drawing.maker:
        return _plug_in(movie, services)
    if not drawing.model.model:
        return None
    from movie_build.slides.ai import AiPictures

    base_url = drawing_url(drawing.model)
    return AiPictures(
        services.named(service_name(usual_url(base_url), drawing.model.provider.lower())),
        model=drawing.model.model,
        base_url=base_url,
        api=drawing.api,
        style=drawing.style,
        size=drawing.size,
        quality=drawing.quality,
        usd_per_image=movie.config.price(drawing.model.model).image,
        keep=movie.project.build / "artwork",
    )


def drawing_url(model: Model) -> str | None:
    """The address of the service that draws; None is the environment's, else OpenAI's.

    Which keys are set says nothing: a picture's key is the same on every machine.
    """
    provider = model.provider.lower()
    # Only OpenRouter's models have a maker's name in front: google/gemini-2.5-flash-image.
    routed = not provider and "/" in model.model and not os.environ.get("OPENAI_BASE_URL")
    usual = OPENROUTER_URL if provider == "openrouter" or routed else None
    return model.base_url or usual


def _plug_in(movie: Movie, services: Services) -> PictureMaker:
    """A maker of pictures from another package: see docs/plugins.md."""
    name, where = movie.config.drawing.maker, movie.config.drawing.maker_where
    found = plug_ins.installed(plug_ins.SLIDES)
    if name not in found:
        raise SlideError(f"no maker {name!r}; {nearest(name, found)}", at=where)
    make = found[name].load(at=where)
    maker: PictureMaker = make(movie.config.drawing, services.named(name))
    return maker


def _draw(
    maker: SlideMaker,
    slide: Slide,
    look: Look,
    needs: tuple[Piece, ...],
    where: Where | None,
    is_page: bool,
    bench: Bench,
) -> bytes:
    try:
        for piece in needs:
            bench.take(piece)
        png = maker.draw(slide, look)
        # A deck's page is drawn as large as the slide is.
        for warning in () if is_page else maker.warnings(slide):
            telling.warn(f"{where}: {warning}")
        return png
    except MovieBuildError as error:
        raise error.placed(where) from None


def _make(
    maker: PictureMaker,
    slide: Slide,
    look: Look,
    needs: tuple[Piece, ...],
    where: Where | None,
    bench: Bench,
) -> bytes:
    try:
        for piece in needs:
            bench.take(piece)
        picture = maker.make(slide, look)
        try:
            # Before it is kept: a plug-in may give anything.
            image_file.check(picture, "made")
        except SlideError as error:
            raise SlideError(
                "what the picture maker gave is no picture that can be shown: it is to be "
                "the bytes of a whole PNG, JPEG, WebP or SVG"
            ) from error
        return picture
    except MovieBuildError as error:
        raise error.placed(where) from None


def _convert(deck: Path, _bench: Bench) -> bytes:
    from movie_build.slides.office import to_pdf

    return to_pdf(deck)


def _fetch(url: str, web: Service, page: str, _bench: Bench) -> bytes:
    from movie_build.fetch import fetch_picture

    content = fetch_picture(url, service=web, page=page)
    # Before it is kept: what is no picture today may be one tomorrow.
    image_file.check(content, bare(url))
    return content


def _encode(slide: Piece, look: Look, bench: Bench) -> bytes:
    from movie_build.pictures import encode

    return encode(bench.take(slide), look)
