"""An article as a model reads it: Markdown between two lines that nothing in it can imitate."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from hashlib import sha256

from movie_build.article import Block, Bullets, Code, Heading, Paragraph, Picture, Quote, Table

_INVISIBLE = {"Cc", "Cs", "Co"}
# Direction overrides and tag characters: text that a reader does not see and a model does.
_HIDDEN = {*range(0x202A, 0x202F), *range(0x2066, 0x206A), *range(0xE0000, 0xE0080), 0xFEFF, 0x200B}


def visible(text: str) -> str:
    """`text` without control characters, lone surrogates and hidden text; lines stay lines."""
    return "".join(
        char
        for char in unicodedata.normalize("NFC", text)
        if char in "\n\t"
        or (unicodedata.category(char) not in _INVISIBLE and ord(char) not in _HIDDEN)
    )


def block_text(block: Block, pictures: Mapping[str, int]) -> str:
    """`block` as Markdown; a picture as its number and what is said of it. Nothing is left out."""
    match block:
        case Heading(level, text):
            told = f"{'#' * level} {text}"
        case Paragraph(text):
            told = text
        case Bullets(items, ordered):
            told = "\n".join(
                f"{f'{n}.' if ordered else '-'} {item}" for n, item in enumerate(items, 1)
            )
        case Quote(text, by):
            told = f"> {text}" + (f"\n> — {by}" if by else "")
        case Code(text, language):
            told = f"```{language}\n{text}\n```"
        case Table(rows):
            told = "\n".join(" | ".join(row) for row in rows)
        case Picture(src, alt, caption):
            said = "; ".join(part for part in (alt.strip(), caption.strip()) if part)
            number = pictures.get(src)
            told = f"[picture {number}: {said}]" if number else said
    return visible(told)


def mark_for(*texts: str) -> str:
    """A mark that occurs in none of `texts`: the same for the same texts."""
    digest = sha256("\0".join(texts).encode("utf-8", "surrogatepass")).hexdigest()
    whole = "\n".join(texts).upper()
    mark = f"DATA-{digest[:16].upper()}"
    while mark in whole:
        digest = sha256(digest.encode()).hexdigest()
        mark = f"DATA-{digest[:16].upper()}"
    return mark


def marked_off(mark: str, parts: Sequence[tuple[str, str]]) -> str:
    """Named texts between the lines that begin and end data."""
    body = "\n\n".join(f"[{name}]\n{text}" for name, text in parts if text)
    return f"<<<BEGIN {mark}>>>\n{body}\n<<<END {mark}>>>"
