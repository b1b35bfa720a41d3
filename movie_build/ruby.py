"""Ruby in a page: words with their readings beside them, as Japanese pages give for rare ones."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_KANA = re.compile("[\u3041-\u3096\u30a1-\u30fa\u30fc\u30fb]+")
_BESIDE = frozenset({"rt", "rtc", "rp"})


def readings_in(content: HtmlElement) -> tuple[tuple[str, str], ...]:
    """Words and their kana readings, in order of appearance.

    A word that is read in two ways is left out: it cannot stand in a dictionary.
    """
    readings: dict[str, set[str]] = {}
    for ruby in content.iter("ruby"):
        word = _bare("".join(_base(ruby)))
        reading = _bare("".join("".join(rt.itertext()) for rt in ruby.iter("rt")))
        if word and _KANA.fullmatch(reading) and not _KANA.fullmatch(word):
            readings.setdefault(word, set()).add(reading)
    return tuple((word, next(iter(said))) for word, said in readings.items() if len(said) == 1)


def _base(element: HtmlElement) -> Iterator[str]:
    """The text of a `ruby` element without what stands beside it."""
    yield element.text or ""
    for child in element:
        if child.tag not in _BESIDE:
            yield from _base(child)
        yield child.tail or ""


def _bare(text: str) -> str:
    return re.sub(r"\s+", "", text)
