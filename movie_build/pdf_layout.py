"""The lines of a PDF → the blocks of an article: what belongs together, by size and place.

A PDF says where each letter stands and nothing of paragraphs, so all is told by
looks. The best of them: a line that ends where the next line's first word would
still have fitted was ended on purpose.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median

from movie_build.article import Block, Bullets, Code, Heading, Paragraph, Table
from movie_build.blocks import tidy
from movie_build.pdf_lines import Line

_BULLET = re.compile("(?:[•‣▪■●◦·∙○➢➤✓\uf0b7\uf0a7\uf0d8]|[-–—*](?=\\s)|o(?=\\s))\\s*(.*)")
_NUMBER = re.compile(r"\(?(\d{1,2}|[a-z])[.)]\s+(\S.*)")
_SENTENCE_END = re.compile(r"[.!?…。！？][”’\"'」』)）\]]*$")
_LEADERS = re.compile(r"(?:\.\s?){5,}\s*\d*$|…{2,}\s*\d*$")
_LIGATURES = str.maketrans({"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st"})
_HEADING_SIZE = 1.13
_LONGEST_HEADING = 160
_LONGEST_BOLD_HEADING = 90
_LONGEST_CELL = 40
_NEW_PARAGRAPH_PITCH = 1.4
_INDENT_EM = 0.8


@dataclass(frozen=True, slots=True)
class Measures:
    """What is usual in a document: its size of text and the distance of lines, in points.

    `words` are those that stand within lines, to tell a hyphen from a broken word.
    """

    size: float
    pitch: float
    bold: bool
    words: frozenset[str]


@dataclass(frozen=True, slots=True)
class Placed:
    """A block, with the page and the letters' size of its first line."""

    block: Block
    page: int
    size: float


def measures(lines: Sequence[Line]) -> Measures:
    """The usual looks of `lines`, of which there is one at least."""
    sizes: Counter[float] = Counter()
    n_bold = 0
    for line in lines:
        sizes[line.size] += len(line.text) // (4 if line.mono else 1) + 1
        n_bold += len(line.text) * line.bold
    size = sizes.most_common(1)[0][0]
    pitches = [
        lower.top - upper.top
        for upper, lower in pairwise(lines)
        if upper.page == lower.page
        and upper.size == lower.size == size
        and 0.5 * size < lower.top - upper.top < 3 * size
    ]
    words = frozenset(
        word
        for line in lines
        for word in re.findall(r"\w[\w-]*\w", line.text.lower())[: -1 if line.hyphen else None]
    )
    pitch = median(pitches) if pitches else 1.25 * size
    return Measures(size, pitch, 2 * n_bold > sum(len(line.text) for line in lines), words)


def blocks_of_lines(lines: Sequence[Line], usual: Measures) -> list[Placed]:
    """The blocks that `lines` make, in their order; headings have the rank of their size."""
    lines = [line for line in lines if not _LEADERS.search(line.text)]
    edges = _right_edges(lines)
    found: list[Placed] = []
    for group in _groups(lines, edges, usual):
        block = _block(group, usual)
        if block is not None:
            found.append(Placed(block, group[0].page, group[0].size))
    return _ranked(_lists_joined(found))


def _groups(
    lines: Sequence[Line], edges: Sequence[float], usual: Measures
) -> Iterator[Sequence[Line]]:
    """Runs of lines that make one block each."""
    start = 0
    for at in range(1, len(lines) + 1):
        if at == len(lines) or not _belongs(lines, start, at, edges, usual):
            yield lines[start:at]
            start = at


def _belongs(
    lines: Sequence[Line], start: int, at: int, edges: Sequence[float], usual: Measures
) -> bool:
    """Whether the line `at` goes on with the block that began with the line `start`."""
    first, last, line = lines[start], lines[at - 1], lines[at]
    kind, next_kind = _kind(first, usual), _kind(line, usual)
    below = line.page == last.page and line.top - last.top > 0
    if kind in ("code", "row"):
        return kind == next_kind and below and line.top - last.top < 3 * usual.pitch
    if kind in ("heading", "bold") and kind == next_kind:
        near = below and line.top - last.top < 1.8 * line.size
        return near and line.size == last.size and not _NUMBER.match(line.text)
    if kind == "item":
        # A bullet that stands alone has its text in the next line.
        alone = len(first.text) == 1 and at - start == 1
        hangs = line.page != first.page or line.left >= first.left - 0.3 * usual.size
        goes_on = hangs and _runs_on(last, line, edges[at - 1], usual, indented=True)
        return next_kind == "text" and (alone or goes_on)
    # A line all in bold may be the middle of a paragraph.
    mixed = {kind, next_kind} <= {"bold", "text"}
    return (kind == next_kind or mixed) and _runs_on(last, line, edges[at - 1], usual)


def _runs_on(
    last: Line, line: Line, edge: float, usual: Measures, *, indented: bool = False
) -> bool:
    """Whether the text of `last`, whose column ends at `edge`, goes on in `line`."""
    if abs(line.size - last.size) > 1 or last.hyphen:
        return last.hyphen
    would_fit = edge - last.right > line.first_pt + 0.6 * last.size
    down_pt = line.top - last.top
    if line.page != last.page or down_pt < -0.5 * last.size:
        return not would_fit and not _SENTENCE_END.search(last.text)
    # Pieces of one line that PDFium told apart.
    if abs(down_pt) < 0.4 * last.size:
        return True
    apart = down_pt > _NEW_PARAGRAPH_PITCH * max(usual.pitch, 1.1 * line.size)
    moved_in = not indented and line.left - last.left > _INDENT_EM * line.size
    return not (apart or moved_in or would_fit)


def _kind(line: Line, usual: Measures) -> str:
    if line.mono:
        return "code"
    if line.size >= _HEADING_SIZE * usual.size:
        return "heading"
    if _BULLET.fullmatch(line.text) or _NUMBER.fullmatch(line.text):
        return "item"
    if len(line.cells) > 1 and sum(map(len, line.cells)) <= _LONGEST_CELL * len(line.cells):
        return "row"
    short = len(line.text) <= _LONGEST_BOLD_HEADING and line.text[-1] not in ".,;:、。，："
    return "bold" if line.bold and not usual.bold and short else "text"


def _block(group: Sequence[Line], usual: Measures) -> Block | None:
    kind = _kind(group[0], usual)
    if kind == "code":
        return _code(group)
    if kind == "row" and len(group) > 1:
        width = max(len(line.cells) for line in group)
        return Table(tuple(line.cells + ("",) * (width - len(line.cells)) for line in group))
    text = tidy(_joined(group, usual.words).translate(_LIGATURES))
    if not any(char.isalnum() for char in text):
        return None
    whole_bold = kind == "bold" and all(_kind(line, usual) == "bold" for line in group)
    if (kind == "heading" or whole_bold) and len(text) <= _LONGEST_HEADING:
        return Heading(1, text)
    if kind == "item":
        numbered = _NUMBER.fullmatch(text)
        bullet = _BULLET.fullmatch(text)
        item = numbered[2] if numbered else bullet[1] if bullet else text
        return Bullets((item,), ordered=numbered is not None) if item else None
    return Paragraph(text)


def _code(group: Sequence[Line]) -> Code:
    """Code, with its indentation as it is seen."""
    left = min(line.left for line in group)
    texts = []
    for line in group:
        letter_pt = (line.right - line.left) / len(line.text)
        texts.append(" " * round((line.left - left) / letter_pt) + line.text)
    return Code("\n".join(texts))


def _joined(group: Sequence[Line], words: frozenset[str]) -> str:
    text = group[0].text
    for last, line in pairwise(group):
        if not last.hyphen:
            text += f"\n{line.text}"
            continue
        before, after = re.search(r"[\w-]*$", text), re.match(r"\w*", line.text)
        one, other = before[0] if before else "", after[0] if after else ""
        hyphenated = f"{one}-{other}".lower() in words
        whole = f"{one}{other}".lower() in words or line.text[:1].islower()
        text += line.text if whole and not hyphenated else f"-{line.text}"
    return text


def _right_edges(lines: Sequence[Line]) -> list[float]:
    """Where the column of each line ends: the farthest end of the lines that begin near it."""
    by_page: dict[tuple[int, float], list[Line]] = {}
    for line in lines:
        by_page.setdefault((line.page, line.size), []).append(line)
    edges = []
    for line in lines:
        near = by_page[line.page, line.size]
        edges.append(max(o.right for o in near if abs(o.left - line.left) < 5 * line.size))
    return edges


def _lists_joined(found: Sequence[Placed]) -> list[Placed]:
    """The items that follow one another as one list."""
    joined: list[Placed] = []
    for one in found:
        last = joined[-1].block if joined else None
        if (
            isinstance(one.block, Bullets)
            and isinstance(last, Bullets)
            and last.ordered == one.block.ordered
        ):
            items = Bullets(last.items + one.block.items, last.ordered)
            joined[-1] = replace(joined[-1], block=items)
        else:
            joined.append(one)
    return joined


def _ranked(found: Sequence[Placed]) -> list[Placed]:
    """The blocks, with each heading's level told by its size."""
    sizes = sorted({p.size for p in found if isinstance(p.block, Heading)}, reverse=True)
    level = {size: min(6, at + 1) for at, size in enumerate(sizes)}
    return [
        replace(p, block=Heading(level[p.size], p.block.text))
        if isinstance(p.block, Heading)
        else p
        for p in found
    ]
