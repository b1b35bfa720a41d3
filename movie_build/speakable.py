"""The text that a voice engine is given: what can be spoken, and nothing that could steer it."""

from __future__ import annotations

import unicodedata

from movie_build.errors import VoiceError


def speakable(text: str) -> str:
    """`text` without control characters, lone surrogates and byte-order marks.

    Engines take some control characters for commands, and end at a zero.

    Raises:
        VoiceError: it has no letter, digit or symbol, so there is nothing to speak.
    """
    kept = "".join(
        " " if c == "\ufeff" or unicodedata.category(c) in ("Cc", "Cs") else c for c in text
    ).strip()
    if not kept:
        raise VoiceError("the line is blank: write what is to be said, or remove it")
    if not any(unicodedata.category(c)[0] in "LNS" for c in kept):
        raise unpronounceable(kept)
    return kept


def unpronounceable(text: str) -> VoiceError:
    """The error that `text` holds nothing that its voice can pronounce."""
    shown = text if len(text) <= 40 else f"{text[:39]}…"
    return VoiceError(
        f"nothing in {shown!r} can be spoken by this voice: write words, or give a reading"
    )
