"""The dictionary: words written one way and spoken another."""

from __future__ import annotations

import re
from collections.abc import Sequence

from movie_build.config import Word

_LETTER = r"[A-Za-z0-9À-ɏͰ-ӿ]"


def pattern(words: Sequence[Word]) -> re.Pattern[str] | None:
    """What finds the words in a text, the longest first; None if there are none.

    A word that begins or ends with a letter of a spaced script must stand
    alone there: `go` is not found in `ago`, `東京` is found in `東京都`.
    """
    forms = []
    for surface in sorted({w.surface for w in words if w.surface}, key=len, reverse=True):
        before = rf"(?<!{_LETTER})" if re.match(_LETTER, surface[0]) else ""
        after = rf"(?!{_LETTER})" if re.match(_LETTER, surface[-1]) else ""
        forms.append(f"{before}{re.escape(surface)}{after}")
    return re.compile("|".join(forms)) if forms else None


def spoken(text: str, words: Sequence[Word], found: re.Pattern[str] | None) -> str:
    """`text` with each dictionary word replaced by its reading; `found` is `pattern(words)`."""
    if found is None:
        return text
    readings = {word.surface: word.reading for word in words}
    return found.sub(lambda match: readings[match.group()], text)
