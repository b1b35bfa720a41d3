"""What the bytes of a PDF draw and unpack to, found before anybody has understood them.

Content is read as ISO 32000-1, 7.8 has it, but by patterns: text that looks like
an operator counts as one, so what is told is never less than what is there.
"""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator

# A stream that is no picture: a page's content, a font. Seldom is one larger than 10 MB.
MAX_STREAM = 100_000_000
_CHUNK = 1 << 16
# How they begin (RFC 1950, 2.2).
_DEFLATED = frozenset(bytes((8 + 16 * window,)) for window in range(8))

_SPACE = rb"[\x00\t\n\f\r ]"
_ENDS = rb"(?![^\x00\t\n\f\r ()<>\[\]{}/%])"
_BEGINS = rb"(?<![^\x00\t\n\f\r ()<>\[\]{}/%])"
_NAME = rb"/([^\x00\t\n\f\r ()<>\[\]{}/%]*)" + _SPACE + rb"+"
_WORD = rb"[^\x00\t\n\f\r ()<>\[\]{}/%]+"
_BY_NAME = re.compile(_NAME + rb"Do" + _ENDS)
# PDFium takes a string for a name, too.
_BY_STRING = re.compile(rb"[)>]" + _SPACE + rb"*Do" + _ENDS)
_DRAWS = re.compile(_BEGINS + rb"Do" + _ENDS)
_PATTERN = re.compile(_NAME + rb"(?:scn|SCN)" + _ENDS)
_STATE = re.compile(_NAME + rb"gs" + _ENDS)
_FONT = re.compile(_NAME + _WORD + _SPACE + rb"+Tf" + _ENDS)
_UNCLEAR = re.compile(rb"[)>]" + _SPACE + rb"*(?:gs|" + _WORD + _SPACE + rb"+Tf)" + _ENDS)
_PAINTS = re.compile(_BEGINS + rb"(?:[fBb]\*?|[FSs]|sh|Do|T[jJ]|EI|['\"])" + _ENDS)
_STRING = re.compile(rb"[(<][^()<>]*")
_NESTED = re.compile(rb"\([^()]*\(")
_ESCAPED = re.compile(rb"#([0-9A-Fa-f]{2})")
_STREAM = re.compile(rb"stream(?<!endstream)[^\r\n]*(?:\r?\n|\r|\Z)")
# Streams that PDFium unpacks as a whole, whatever else they say of themselves.
_OBJECTS = re.compile(rb"/(?:ObjStm|XRef)\b")
_PACKED = re.compile(rb"/(?:\w+Decode|Fl|LZW|RL|A85|AHx)\b")
_USUAL: tuple[list[bytes], ...] = ([], [b"/FlateDecode"], [b"/Fl"])


class TooHeavy(Exception):
    """A document would fill the memory; its text says with what."""


def drawn(content: bytes) -> tuple[Counter[str], int]:
    """How often `content` draws what is called by a name; and how often it is not clear what."""
    named = Counter(map(_plain, _BY_NAME.findall(content)))
    if b"%" in content:  # a comment may stand between a name and what is done with it
        return named, len(_DRAWS.findall(content)) - named.total()
    return named, len(_BY_STRING.findall(content))


def patterns(content: bytes, known: Iterable[str]) -> Iterable[str]:
    """Those of the `known` patterns that `content` paints with."""
    return _used(_PATTERN, content, known)


def states(content: bytes, known: Iterable[str]) -> Iterable[str]:
    """Those of the `known` graphics states that `content` takes on."""
    return _used(_STATE, content, known)


def fonts(content: bytes, known: Iterable[str]) -> Iterable[str]:
    """Those of the `known` fonts that `content` writes in."""
    return _used(_FONT, content, known)


def _used(names: re.Pattern[bytes], content: bytes, known: Iterable[str]) -> Iterable[str]:
    """Those of the `known` that stand before an operator; all, where that is not clear."""
    if b"%" in content or _UNCLEAR.search(content):
        return known
    return set(map(_plain, names.findall(content))).intersection(known)


def n_painted(content: bytes) -> int:
    """How many things `content` paints."""
    return len(_PAINTS.findall(content))


def n_shown(content: bytes) -> int:
    """How many characters `content` shows."""
    if _NESTED.search(content):  # where a string ends is not seen by a pattern
        return len(content)
    return sum(map(len, _STRING.findall(content)))


def _plain(written: bytes) -> str:
    """A name as the resources hold it."""
    return f"/{_ESCAPED.sub(_unescaped, written).decode('latin-1')}"


def _unescaped(found: re.Match[bytes]) -> bytes:
    return bytes((int(found[1], 16),))


def check_streams(file: bytes) -> None:
    """Refuse a file that holds a compressed stream which unpacks without end.

    PDFium unpacks some as it opens the file. Pictures are left out: they are
    not unpacked as a whole.

    Raises:
        TooHeavy: there is one.
    """
    end = 0
    for found in _STREAM.finditer(file):
        # All that stands between two streams: a word in a string must not cut it short.
        start = max(file.find(b"endstream", end, found.start()), end)
        said = _ESCAPED.sub(_unescaped, file[start : found.start()])
        end = found.end()
        if _OBJECTS.search(said):
            if _PACKED.findall(said) not in _USUAL:
                raise TooHeavy("holds objects that are packed more than once")
        elif b"/Image" in said[said.rfind(b"obj") + 1 :]:
            continue
        for size in _unpacked(file, end):
            if size > MAX_STREAM:
                raise TooHeavy(f"holds a stream that unpacks to more than {MAX_STREAM / 1e6:g} MB")


def _unpacked(file: bytes, start: int) -> Iterator[int]:
    """How many bytes a stream's beginning unpacks to, while it does."""
    if file[start : start + 1] not in _DEFLATED:
        return
    unpacker, size, chunk = zlib.decompressobj(), 0, 1 << 9
    while not unpacker.eof:
        packed = unpacker.unconsumed_tail
        if not packed:
            packed = file[start : start + chunk]
            start += chunk
            chunk = _CHUNK
        if not packed:
            return
        try:
            size += len(unpacker.decompress(packed, 16 * _CHUNK))
        except zlib.error:
            return
        yield size
