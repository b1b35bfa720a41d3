"""The system's fonts, asked from libfontconfig in this process: the library Chromium asks too."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from ctypes import POINTER, Structure, byref, c_char_p, c_int, c_uint32, c_void_p
from dataclasses import dataclass

_LIBRARY = "libfontconfig.1.dylib" if sys.platform == "darwin" else "libfontconfig.so.1"
_MATCH = 0  # FcResultMatch
# Chromium draws with no others (bitmap and Type 1 fonts).
_DRAWN = {b"TrueType", b"CFF"}


class _FontSet(Structure):
    _fields_ = (("nfont", c_int), ("sfont", c_int), ("fonts", POINTER(c_void_p)))


@dataclass(frozen=True, slots=True)
class SystemFonts:
    """Characters that some font has, tested by `has`, and the families' names in lower case."""

    families: frozenset[str]
    _library: ctypes.CDLL
    _characters: int

    def has(self, character: str) -> bool:
        """Whether some font of the system has `character`."""
        return bool(self._library.FcCharSetHasChar(self._characters, ord(character)))


def load() -> SystemFonts | None:
    """The fonts installed now, or None where there is no libfontconfig.

    Freed only with the process: it is read once.
    """
    try:
        library = ctypes.CDLL(_LIBRARY)
    except OSError:
        return None
    _declare(library)
    config = library.FcInitLoadConfigAndFonts()
    if not config:
        return None
    pattern = library.FcPatternCreate()
    wanted = library.FcObjectSetCreate()
    for name in (b"family", b"charset", b"fontformat"):
        library.FcObjectSetAdd(wanted, name)
    found = library.FcFontList(config, pattern, wanted)
    characters = library.FcCharSetCreate()
    families: set[str] = set()
    if found:
        for index in range(found.contents.nfont):
            font = found.contents.fonts[index]
            if next(_texts(library, font, b"fontformat"), b"") not in _DRAWN:
                continue
            families.update(
                f.decode("utf-8", "replace").lower() for f in _texts(library, font, b"family")
            )
            charset = c_void_p()
            if library.FcPatternGetCharSet(font, b"charset", 0, byref(charset)) == _MATCH:
                library.FcCharSetMerge(characters, charset, None)
        library.FcFontSetDestroy(found)
    library.FcObjectSetDestroy(wanted)
    library.FcPatternDestroy(pattern)
    library.FcConfigDestroy(config)
    return SystemFonts(frozenset(families), library, characters)


def _texts(library: ctypes.CDLL, font: int, name: bytes) -> Iterator[bytes]:
    text = c_char_p()
    index = 0
    while library.FcPatternGetString(font, name, index, byref(text)) == _MATCH:
        yield text.value or b""
        index += 1


def _declare(library: ctypes.CDLL) -> None:
    for name, result, arguments in (
        ("FcInitLoadConfigAndFonts", c_void_p, ()),
        ("FcConfigDestroy", None, (c_void_p,)),
        ("FcPatternCreate", c_void_p, ()),
        ("FcPatternDestroy", None, (c_void_p,)),
        ("FcObjectSetCreate", c_void_p, ()),
        ("FcObjectSetAdd", c_int, (c_void_p, c_char_p)),
        ("FcObjectSetDestroy", None, (c_void_p,)),
        ("FcFontList", POINTER(_FontSet), (c_void_p, c_void_p, c_void_p)),
        ("FcFontSetDestroy", None, (POINTER(_FontSet),)),
        ("FcPatternGetString", c_int, (c_void_p, c_char_p, c_int, POINTER(c_char_p))),
        ("FcPatternGetCharSet", c_int, (c_void_p, c_char_p, c_int, POINTER(c_void_p))),
        ("FcCharSetCreate", c_void_p, ()),
        ("FcCharSetMerge", c_int, (c_void_p, c_void_p, c_void_p)),
        ("FcCharSetHasChar", c_int, (c_void_p, c_uint32)),
    ):
        function = getattr(library, name)
        function.restype = result
        function.argtypes = arguments
