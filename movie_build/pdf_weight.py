"""How much the pages of a PDF unfold to, told before PDFium unfolds them.

A page draws forms, and they draw forms (ISO 32000-1, 8.10): ten that draw the
next one ten times each are ten thousand million drawings in a file of two
kilobytes, and PDFium makes an object of each. So a page is weighed first: the
bytes of its content, and the weight of all that this draws, as often as it
draws it. Patterns, soft masks and glyphs are drawings too.
"""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import TYPE_CHECKING

from movie_build import pdf_content
from movie_build.pdf_content import TooHeavy
from movie_build.pdf_objects import decoded, dictionary, found, list_of, streams_of

if TYPE_CHECKING:
    from pypdf.generic import DictionaryObject, StreamObject

# PDFium takes up to 175 bytes of memory for each: that of text (measured).
MAX_WEIGHT = 20_000_000
# So deep PDFium draws what is drawn, be it inside itself (measured).
_DEEPEST = 41


class Scales:
    """Weighs the pages of a document, given as PDFium itself writes it: what is weighed is drawn.

    Raises:
        Exception: of any kind: there is no telling what the document holds.
    """

    def __init__(self, written: bytes) -> None:
        from pypdf import PdfReader

        self._reader = PdfReader(BytesIO(written))
        self.n_pages = len(self._reader.pages)
        # With what the keys stand for, which so lives on: a number never means something else.
        self._known: dict[tuple[int, ...], tuple[int, object]] = {}

    def weigh(self, index: int) -> int:
        """The weight of a page, counted from 0.

        Raises:
            TooHeavy: it unfolds to more than a machine may hold.
            Exception: there is no telling.
        """
        page = self._reader.pages[index]
        drawing = _Drawing(dictionary(found(page, "/Resources")))
        content = bytearray()
        for part in list_of(found(page, "/Contents")):
            content += decoded(part) + b"\n"
            _check(len(content))
        weight = self._content(bytes(content), drawing, 0)
        for annotation in list_of(found(page, "/Annots")):
            usual = found(dictionary(found(dictionary(annotation), "/AP")), "/N")
            for appearance in streams_of(usual):
                weight += self._form(appearance, drawing, 1)
                _check(weight)
        return weight

    def _content(self, content: bytes, drawing: _Drawing, depth: int) -> int:
        """The weight of `content` and of all that it draws; it is drawn itself `depth` deep."""
        weight = len(content)
        for form, around, times in drawing.draws(content):
            weight += times * self._form(form, around, depth + 1)
            _check(weight)
        _check(weight)
        return weight

    def _form(self, form: StreamObject, around: _Drawing, depth: int) -> int:
        """The weight of `form`, drawn from `around`."""
        if depth > _DEEPEST:
            return 0
        drawing = around.within(form)
        key = (id(form), *drawing.key, depth)
        if key not in self._known:
            weight = self._content(decoded(form), drawing, depth)
            self._known[key] = weight, (form, drawing)
        return self._known[key][0]


class _Drawing:
    """What a content can draw: that of its resources, found as PDFium finds it.

    `painted` is whether it is, or is in, a pattern, a mask or a glyph: those are drawn anew for
    each thing that they are painted on.
    """

    def __init__(
        self,
        resources: DictionaryObject,
        page: DictionaryObject | None = None,
        *,
        painted: bool = False,
    ) -> None:
        self._resources = resources
        self._page = resources if page is None else page
        self._painted = painted

    @property
    def key(self) -> tuple[int, int, bool]:
        """What tells it from others while it lives."""
        return id(self._resources), id(self._page), self._painted

    def within(self, form: StreamObject) -> _Drawing:
        """What `form` can draw."""
        own = found(form, "/Resources")
        resources = self._resources if own is None else dictionary(own)
        return _Drawing(resources, self._page, painted=self._painted)

    def draws(self, content: bytes) -> Iterator[tuple[StreamObject, _Drawing, int]]:
        """What `content` draws, from where, and how often."""
        if forms := self._named("/XObject"):
            named, n_unclear = pdf_content.drawn(content)
            # More than it can be: each of them as often.
            times = {name: named[name] + n_unclear for name in (forms if n_unclear else named)}
            for name, n_times in times.items():
                for form in streams_of(found(forms, name)):
                    if str(found(form, "/Subtype")) != "/Image":
                        yield form, self, n_times
        n_painted = pdf_content.n_painted(content) if self._painted else 1
        for form, around in self._paints(content):
            yield form, around, n_painted
        n_shown = pdf_content.n_shown(content) if self._painted else 1
        for form, around in self._writes(content):
            yield form, around, n_shown

    def _paints(self, content: bytes) -> Iterator[tuple[StreamObject, _Drawing]]:
        """The patterns and masks that `content` uses."""
        around = _Drawing(self._resources, self._page, painted=True)
        if patterns := self._named("/Pattern"):
            for name in pdf_content.patterns(content, patterns):
                for form in streams_of(found(patterns, name)):
                    yield form, around
        if states := self._named("/ExtGState"):
            for name in pdf_content.states(content, states):
                mask = dictionary(found(dictionary(found(states, name)), "/SMask"))
                for form in streams_of(found(mask, "/G")):
                    yield form, around

    def _writes(self, content: bytes) -> Iterator[tuple[StreamObject, _Drawing]]:
        """The glyphs, where they are drawings, of the fonts that `content` uses."""
        if fonts := self._named("/Font"):
            for name in pdf_content.fonts(content, fonts):
                font = dictionary(found(fonts, name))
                own = found(font, "/Resources")
                resources = self._page if own is None else dictionary(own)
                around = _Drawing(resources, self._page, painted=True)
                for form in streams_of(found(font, "/CharProcs")):
                    yield form, around

    def _named(self, kind: str) -> DictionaryObject:
        """The resources of a kind, by name: the content's own, else its page's."""
        own = found(self._resources, kind)
        return dictionary(found(self._page, kind) if own is None else own)


def _check(weight: int) -> None:
    if weight > MAX_WEIGHT:
        raise TooHeavy(f"unfolds to more than {MAX_WEIGHT / 1e6:g} MB of drawing")
