"""An article in chunks that fit a model's window: every block in exactly one, nothing left out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from movie_build.article import Block, Bullets, Code, Heading, Paragraph, Picture, Quote, Table
from movie_build.sentences import split

# A heading may be this far from the middle and still be the better place to cut.
_MIDDLE = (0.2, 0.8)


@dataclass(frozen=True, slots=True)
class Chunk:
    """Blocks that stand together; `trail` are the headings above them, highest first."""

    blocks: tuple[Block, ...]
    trail: tuple[Heading, ...] = ()


def chunks(
    whole: Chunk, fits: Callable[[Chunk], bool], size: Callable[[Block], int]
) -> list[Chunk]:
    """`whole` cut at headings, else between blocks, else between sentences, until all `fits`.

    Raises:
        ValueError: a chunk of one character does not fit.
    """
    if fits(whole):
        return [whole]
    two = halves(whole, size)
    if not two:
        raise ValueError("a single character does not fit")
    return [piece for half in two for piece in chunks(half, fits, size)]


def halves(chunk: Chunk, size: Callable[[Block], int]) -> tuple[Chunk, Chunk] | None:
    """`chunk` in two, as near the middle as its headings allow; None if it cannot be cut."""
    blocks = chunk.blocks
    # A heading is not parted from what it is the heading of.
    places = [at for at in range(1, len(blocks)) if not isinstance(blocks[at - 1], Heading)]
    if places:
        at = _nearest(blocks, places, size)
        return replace(chunk, blocks=blocks[:at]), Chunk(blocks[at:], _trail(chunk, at))
    pair = _cut(blocks[-1])
    if pair:
        above = _trail(chunk, len(blocks) - 1)
        return replace(chunk, blocks=(*blocks[:-1], pair[0])), Chunk((pair[1],), above)
    if len(blocks) > 1:
        at = len(blocks) // 2
        return replace(chunk, blocks=blocks[:at]), Chunk(blocks[at:], _trail(chunk, at))
    return None


def _nearest(blocks: Sequence[Block], places: list[int], size: Callable[[Block], int]) -> int:
    """The one of `places` nearest the middle: before the highest heading, where there is one."""
    before = [0, *accumulate(max(1, size(block)) for block in blocks)]

    def share(at: int) -> float:
        return before[at] / before[-1]

    low, high = _MIDDLE
    heads = [
        (head.level, at)
        for at in places
        if isinstance(head := blocks[at], Heading) and low <= share(at) <= high
    ]
    top = min((level for level, _ in heads), default=0)
    best = [at for level, at in heads if level == top] or places
    return min(best, key=lambda at: abs(share(at) - 0.5))


def _trail(chunk: Chunk, at: int) -> tuple[Heading, ...]:
    """The headings above block `at`, of higher rank than it where it is a heading itself."""
    trail = list(chunk.trail)
    for block in chunk.blocks[:at]:
        if isinstance(block, Heading):
            trail = [head for head in trail if head.level < block.level] + [block]
    first = chunk.blocks[at]
    if isinstance(first, Heading):
        trail = [head for head in trail if head.level < first.level]
    return tuple(trail)


def _cut(block: Block) -> tuple[Block, Block] | None:  # noqa: PLR0911 (a case a kind)
    """A block in two of its kind; together they hold all that it holds."""
    match block:
        case Bullets(items) if len(items) > 1:
            middle = len(items) // 2
            return replace(block, items=items[:middle]), replace(block, items=items[middle:])
        case Bullets((item,)) if pair := _text(item):
            return replace(block, items=(pair[0],)), replace(block, items=(pair[1],))
        case Table(rows) if len(rows) > 1:
            middle = len(rows) // 2
            return Table(rows[:middle]), Table(rows[middle:])
        case Table(((first, *others),)) if others:
            return Table(((first,),)), Table((tuple(others),))
        case Table(((cell,),)) if pair := _text(cell):
            return Table(((pair[0],),)), Table(((pair[1],),))
        case Code(text) if "\n" in text.strip("\n"):
            lines = text.splitlines(keepends=True)
            middle = len(lines) // 2
            first_half, second_half = "".join(lines[:middle]), "".join(lines[middle:])
            return replace(block, text=first_half), replace(block, text=second_half)
        case Picture(_, alt, caption) if pair := _text(f"{alt} {caption}".strip()):
            return replace(block, alt=pair[0], caption=""), Paragraph(pair[1])
        case Heading(_, text) if pair := _text(text):
            return replace(block, text=pair[0]), Paragraph(pair[1])
        case Paragraph(text) | Quote(text) | Code(text) if pair := _text(text):
            return replace(block, text=pair[0]), replace(block, text=pair[1])
    return None


def _text(text: str) -> tuple[str, str] | None:
    """`text` cut between the sentences nearest its middle, else at a space, else anywhere."""
    if len(text) < 2:
        return None
    sentences = split(text)
    if len(sentences) > 1:
        total, told, best = sum(map(len, sentences)), 0, 1
        off = total
        for n, sentence in enumerate(sentences[:-1], 1):
            told += len(sentence)
            if abs(told - total / 2) < off:
                off, best = int(abs(told - total / 2)), n
        start = 0
        for sentence in sentences[:best]:
            start = text.index(sentence, start) + len(sentence)
        return text[:start].strip(), text[start:].strip()
    middle = len(text) // 2
    space = text.rfind(" ", 1, middle)
    at = space if space > 0 else middle
    first, second = text[:at], text[at:]
    return (first.strip(), second.strip()) if first.strip() and second.strip() else (first, second)
