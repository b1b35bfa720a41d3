"""Keys: a piece's name is the digest of everything that changes its bytes."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache

# What `file_name` gives, as a pattern, up to the ending.
FILE_NAME = r"[^/]+\.[0-9a-f]{16}"
_WORD = re.compile(r"[\w]+")


def recipe(step: str, version: int, inputs: Mapping[str, object]) -> str:
    """Canonical JSON of what goes into a piece; `version` grows when the step's code does."""
    whole = {"step": step, "version": version, **inputs}
    return json.dumps(whole, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


# Asked twice in a row: for a piece and for its file's name.
@lru_cache(maxsize=16)
def key_of(recipe: str) -> str:
    """The key of a recipe: SHA-256, 64 hex digits."""
    return digest(recipe.encode("utf-8", "surrogatepass"))


def digest(content: bytes) -> str:
    """The SHA-256 of `content`, 64 hex digits."""
    return hashlib.sha256(content).hexdigest()


def normal(text: str) -> str:
    """`text` as it is spoken and shown: NFC, white space folded to single spaces."""
    return " ".join(unicodedata.normalize("NFC", text).split())


@lru_cache(maxsize=16)
def slug(text: str, *, longest: int = 40) -> str:
    """The beginning of `text` as a file name: letters and digits of any script, hyphens between."""
    words: list[str] = []
    room = longest
    for word in _WORD.findall(unicodedata.normalize("NFC", text[:200]).lower()):
        kept = word[:room]
        words.append(kept)
        room -= len(kept) + 1
        if room <= 0:
            break
    return "-".join(words).strip("-_") or "piece"


def file_name(text: str, key: str, ending: str) -> str:
    """`only-the-changed-lines.3f9ac21b77d0e415.wav`: readable first, then 16 digits of the key.

    Most file systems allow 255 bytes, and a letter may take four.
    """
    start = slug(text)
    while len(start.encode()) > 160:
        start = start[:-1]
    return f"{start}.{key[:16]}{ending}"
