"""How many tokens a text is at most, and at least, whatever the model's tokenizer."""

from __future__ import annotations

import math
import re

_WORDS = re.compile(r"[A-Za-z]{2,}")
_PLAIN = re.compile(r"[A-Za-z ]+")
_WIDE = re.compile(r"[\u0080-\uffff]+")
_RARE = re.compile(r"[\U00010000-\U0010ffff]+")
_CJK = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


def at_most(text: str) -> int:
    """An upper estimate: for planning what goes into a model's window."""
    plain, wide, rare = (sum(map(len, kind.findall(text))) for kind in (_PLAIN, _WIDE, _RARE))
    marks = len(text) - plain - wide - rare
    # Byte-level tokenizers fall back to bytes where they know no better.
    return math.ceil(0.3 * plain + 0.8 * marks + 1.5 * wide + 3.5 * rare)


def at_least(text: str) -> int:
    """A lower estimate: a model that counted fewer tokens has not been given the whole text."""
    return math.floor(0.5 * len(_WORDS.findall(text)) + 0.2 * len(_CJK.findall(text)))
