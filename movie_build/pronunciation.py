"""The dictionary: words written one way and spoken another."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from movie_build.config import Word

# Scripts that put no space between words, or write particles onto them as Korean does: Thai to
# Burmese, jamo, Khmer, Tai, Balinese, kana and Han to Yi, Javanese to Tai Viet, Hangul.
_UNSPACED = re.compile(
    "[\u0e00-\u109f\u1100-\u11ff\u1780-\u17ff\u1950-\u1aaf\u1b00-\u1b7f\u2e80-\ua4cf"
    "\ua960-\uaadf\uac00-\ud7ff\uf900-\ufaff\uff66-\uffdc\U00016fe0-\U0001b2ff"
    "\U00020000-\U0003ffff]"
)
# Inside a word of Persian or Hindi they part or join letters.
_JOINERS = "\u200c\u200d"
_VARIANT = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")


def pattern(words: Sequence[Word]) -> re.Pattern[str] | None:
    """What finds where words may stand in a text (`spoken` decides); None if there are none."""
    surfaces = [re.escape(surface) for surface in _readings(words)]
    return re.compile("|".join(surfaces)) if surfaces else None


def spoken(text: str, words: Sequence[Word], found: re.Pattern[str] | None) -> str:
    """`text` with each dictionary word replaced by its reading; `found` is `pattern(words)`.

    Of words that begin at the same place the longest counts. One that begins or
    ends with a letter of a spaced script must stand alone there: `go` is not
    found in `ago`, `東京` is found in `東京都`.
    """
    if found is None or not found.search(text):
        return text
    readings = _readings(words)
    longest_first = sorted(readings, key=len, reverse=True)
    said: list[str] = []
    at = 0
    while match := found.search(text, at):
        start = match.start()
        said.append(text[at:start])
        for surface in longest_first:
            at = start + len(surface)
            if text.startswith(surface, start) and _is_whole(text, start, at):
                said.append(readings[surface])
                break
        else:
            at = start + 1
            said.append(text[start])
    return "".join(said) + text[at:]


def _readings(words: Sequence[Word]) -> dict[str, str]:
    """Readings by surface, written as texts are when they are spoken."""
    return {unicodedata.normalize("NFC", w.surface): w.reading for w in words if w.surface}


def _is_whole(text: str, start: int, end: int) -> bool:
    """Whether no word goes on at the edges of `text[start:end]`."""
    after = text[end : end + 1]
    if after and unicodedata.category(after)[0] == "M" and not _VARIANT.match(after):
        return False  # the last letter goes on, whatever its script
    return not (
        (_is_spaced(text[start]) and _is_spaced(text[start - 1 : start]))
        or (_is_spaced(text[end - 1]) and _is_spaced(after))
    )


def _is_spaced(char: str) -> bool:
    """Whether `char` is a letter, mark or digit of a script with spaces between words."""
    if not char or _UNSPACED.match(char):
        return False
    return char in _JOINERS or unicodedata.category(char)[0] in "LMN"
