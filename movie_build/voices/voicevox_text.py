"""Text as an engine takes it: never empty, never too long, cut where a speaker would breathe."""

from __future__ import annotations

import re
import unicodedata

from movie_build import sentences
from movie_build.errors import VoiceError
from movie_build.speakable import speakable, unpronounceable

# Engines fail from about 2,700 kana, and web servers before them take 8 KB of URL, in which
# a kana is nine bytes.
LONGEST_KANA = 700
_COMMA = re.compile(r"(?<=[、，,；;：:\s])")
# A text that begins with a pause makes Open JTalk complain, and older engines fall.
_LEADING = re.compile(r"^[\s、，,。．.…・‥!！?？ー〜～)）」』】]+")


def checked(text: str) -> str:
    """`text` without what cannot be spoken at its beginning or at all.

    Raises:
        VoiceError: nothing is left: such a query crashes some engines.
    """
    kept = _LEADING.sub("", speakable(text)).strip()
    if not _spoken(kept):
        raise unpronounceable(text.strip())
    return kept


def kana(text: str) -> int:
    """About how many kana `text` is when it is spoken, rather too many than too few."""
    return sum(map(_kana, text))


def pieces(text: str, longest_kana: int = LONGEST_KANA) -> list[str]:
    """`text` in pieces of whole sentences, none too long; a sentence that is, at its commas."""
    if kana(text) <= longest_kana:
        return [text]
    found: list[str] = []
    for sentence in sentences.split(text, "ja"):
        parts = [sentence] if kana(sentence) <= longest_kana else _COMMA.split(sentence)
        for part in (short for whole in parts for short in _chopped(whole, longest_kana)):
            if found and (kana(found[-1] + part) <= longest_kana or not _spoken(part)):
                glue = " " if found[-1][-1:].isascii() and part[:1].isascii() else ""
                found[-1] += glue + part
            else:
                found.append(part)
    pieces = []
    for piece in found:
        try:
            pieces.append(checked(piece))
        except VoiceError:
            continue  # marks alone: there is nothing in them to speak
    return pieces


def _chopped(text: str, longest_kana: int) -> list[str]:
    pieces, size = [""], 0
    for character in text:
        if size + _kana(character) > longest_kana:
            pieces.append("")
            size = 0
        pieces[-1] += character
        size += _kana(character)
    return pieces


def _kana(character: str) -> int:
    code = ord(character)
    if 0x3040 <= code < 0x3100:
        return 1
    kind = unicodedata.category(character)
    # W is ダブリュー; 10000000 has ten million in it; a kanji is seldom more than three kana.
    if kind[0] in "NS" or (code < 0x3000 and kind[0] == "L"):
        return 5
    return 3 if kind[0] == "L" else 1


def _spoken(text: str) -> bool:
    # Emoji and marks have no sound in these engines; ％, ＋ and ￥ have.
    kinds = {unicodedata.category(c) for c in text}
    return (
        any(kind[0] in "LN" or kind in ("Sm", "Sc") for kind in kinds)
        or "%" in text
        or "％" in text
    )
