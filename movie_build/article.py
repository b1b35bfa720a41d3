"""An article, taken apart: what a source gives and an author reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading; `level` is 1 to 6 as in HTML."""

    level: int
    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Running text without mark-up."""

    text: str


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list, flattened to one level."""

    items: tuple[str, ...]
    ordered: bool = False


@dataclass(frozen=True, slots=True)
class Quote:
    """A block quotation and, if it is named, who said it."""

    text: str
    by: str = ""


@dataclass(frozen=True, slots=True)
class Code:
    """A code block, as it stands."""

    text: str
    language: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table; the first row is its head."""

    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture: `src` is an absolute URL, or a path relative to the article's file."""

    src: str
    alt: str = ""
    caption: str = ""


Block: TypeAlias = Heading | Paragraph | Bullets | Quote | Code | Table | Picture


@dataclass(frozen=True, slots=True)
class Article:
    """A page's content in reading order.

    `origin` is the URL after redirects, or the file's path; `language` is a
    BCP 47 tag such as `en` or `ja`, empty where the page does not tell.
    `readings` are words and, in kana, how the page says that they are read.
    """

    title: str
    origin: str
    blocks: tuple[Block, ...]
    description: str = ""
    language: str = ""
    readings: tuple[tuple[str, str], ...] = ()
