"""A PDF → its article, without what only belongs to its pages."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from movie_build.article import Article, Block, Heading, Paragraph
from movie_build.blocks import tidy
from movie_build.extract import assembled
from movie_build.pdf_layout import Measures, Placed, blocks_of_lines, measures
from movie_build.pdf_lines import Line, PdfText, read_lines

# Running heads and page numbers stand within this share of the page from its edges.
_EDGE = 0.12
_PAGE_NUMBER = re.compile(
    r"(?:page|p\.|seite|頁)?\s*[-–—(]?\s*(?:\d{1,4}|[ivxlc]{1,6})\s*[-–—)]?"
    r"(?:\s*(?:/|of|von|/)\s*\d{1,4})?\s*(?:頁|ページ)?",
    re.I,
)
# And this far from the text, at least.
_APART_EM = 0.4
_NOTE_SIZE = 0.87
_NOTES_BELOW = 0.55
# Smaller than this are readings beside words, and marks.
_SMALLEST_SIZE = 0.65
_NOT_TOLD = re.compile(
    r"(?:[\dIVX]+\.?\s*)?(?:references|bibliography|works cited|literature|contents"
    r"|table of contents|参考文献|引用文献|目\s*次)",
    re.I,
)
_NO_TITLE = re.compile(
    r"^(?:microsoft|untitled|powerpoint|slide \d|presentation|document|無題)"
    r"|\.(?:docx?|pptx?|xlsx?|indd|tex|dvi|qxd|pdf|odt|odp|rtf|md|html?)$",
    re.I,
)


def from_pdf(
    body: bytes,
    origin: str,
    language: str = "",
    *,
    report: Callable[[str], None] = lambda _: None,
) -> Article:
    """The article in the PDF `body`; `report` is told of pages that could not be read.

    Raises:
        SourceError: it is no PDF, damaged, locked, too long, or has no text to read.
    """
    pdf = read_lines(body, origin)
    silent = [number for number, lines in enumerate(pdf.pages, 1) if not lines]
    if silent:
        shown = ", ".join(map(str, silent[:10])) + (", …" if len(silent) > 10 else "")
        report(f"{origin}: no text on page {shown} of {len(pdf.pages)}: it is empty or a picture")
    told = [
        line for line in _without_edges(pdf) if line.mono or not re.fullmatch(r"\W*", line.text)
    ]
    if not told:
        return assembled("", origin, [], "", language)
    usual = measures(told)
    blocks = blocks_of_lines(_without_small_print(told, pdf, usual), usual)
    title, rest = _titled(blocks, usual, pdf.title)
    return assembled(title, origin, list(_to_tell(rest)), "", pdf.language or language)


def _without_edges(pdf: PdfText) -> Iterator[Line]:
    """The lines without running heads, running feet and page numbers."""
    at_edge = [
        line
        for lines, height in zip(pdf.pages, pdf.heights, strict=True)
        for line in lines
        if line.bottom < _EDGE * height or line.top > (1 - _EDGE) * height
    ]
    alike: dict[tuple[str, int], set[int]] = {}
    numbered: dict[int, set[int]] = {}
    for line in at_edge:
        alike.setdefault(_running(line), set()).add(line.page)
        for offset in _offsets(line):
            numbered.setdefault(offset, set()).add(line.page)
    enough = 2 if len(pdf.pages) <= 3 else 3
    alone = {
        line
        for line in at_edge
        if len(alike[_running(line)]) >= enough
        or any(len(numbered[offset]) >= 3 for offset in _offsets(line))
        or _PAGE_NUMBER.fullmatch(line.text)
    }
    for lines in pdf.pages:
        downwards = sorted(lines, key=lambda line: line.top)
        running = {*_outermost(downwards, alone), *_outermost(downwards[::-1], alone)}
        yield from (line for line in lines if line not in running)


def _outermost(lines: Sequence[Line], alone: set[Line]) -> Iterator[Line]:
    """The `lines` of a page, from its edge inwards, up to the first that belongs to the text.

    A line that stands close to one of the text belongs to it.
    """
    group: list[Line] = []
    for line in lines:
        if group and max(line.top - group[-1].bottom, group[-1].top - line.bottom) > (
            _APART_EM * line.size
        ):
            yield from group
            group = []
        if line not in alone:
            return
        group.append(line)
    yield from group


def _running(line: Line) -> tuple[str, int]:
    """What a running head has in common on all its pages: its words, and how far down it is."""
    return re.sub(r"\d+|\b[ivxlc]+\b", "#", line.text), round(line.top / 4)


def _offsets(line: Line) -> list[int]:
    """How far the numbers that begin and end a line are from that of its page."""
    return [int(number) - line.page for number in re.findall(r"^\d{1,4}\b|\b\d{1,4}$", line.text)]


def _without_small_print(lines: Sequence[Line], pdf: PdfText, usual: Measures) -> list[Line]:
    """The lines without the notes at a page's foot, and without what stands between lines."""
    last_full: dict[int, int] = {}
    for at, line in enumerate(lines):
        if line.size >= _NOTE_SIZE * usual.size:
            last_full[line.page] = at
    return [
        line
        for at, line in enumerate(lines)
        if line.size >= _SMALLEST_SIZE * usual.size
        and not (
            line.size < _NOTE_SIZE * usual.size
            and line.top > _NOTES_BELOW * pdf.heights[line.page]
            and at > last_full.get(line.page, len(lines))
        )
    ]


def _titled(blocks: Sequence[Placed], usual: Measures, named: str) -> tuple[str, Sequence[Placed]]:
    """The title, and what comes after it: the largest heading of the first page, else its name."""
    heads = [
        (placed.size, -at)
        for at, placed in enumerate(blocks)
        if placed.page == blocks[0].page and isinstance(placed.block, Heading)
    ]
    if heads:
        size, at = max(heads)[0], -max(heads)[1]
        before = [p.block for p in blocks[:at]]
        # Before a title stand a journal's name, a number, a date.
        if (size > usual.size or not at) and all(map(_is_label, before)):
            title = blocks[at].block
            assert isinstance(title, Heading)
            return title.text, blocks[at + 1 :]
    named = tidy(named)
    return ("" if _NO_TITLE.search(named) else named), blocks


def _is_label(block: Block) -> bool:
    return isinstance(block, Heading | Paragraph) and len(block.text) <= 120


def _to_tell(blocks: Sequence[Placed]) -> Iterator[Block]:
    """The blocks without lists of references and contents, up to the next heading of their rank."""
    left_out = 0
    for block in (placed.block for placed in blocks):
        if isinstance(block, Heading) and not 0 < left_out < block.level:
            left_out = block.level if _NOT_TOLD.fullmatch(block.text) else 0
        if not left_out:
            yield block
