"""Which characters can no font show, and which package has them.

Asked before anything is drawn: a browser draws an empty box for a character
that it has no font for, and says nothing.
"""

from __future__ import annotations

import os
import sys
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Protocol

from movie_build.errors import FontError, nearest

_FONT_FILES = (".woff2", ".woff", ".ttf", ".otf", ".ttc", ".otc")
_CJK = "fonts-noto-cjk"
_EMOJI = "fonts-noto-color-emoji"
_REST = "fonts-noto-core"


@dataclass(frozen=True, slots=True)
class Script:
    """A script by the first words of its characters' Unicode names, and the Debian package."""

    name: str
    words: tuple[str, ...]
    package: str = _REST


SCRIPTS = (
    Script("Japanese", ("HIRAGANA", "KATAKANA", "HALFWIDTH KATAKANA", "KATAKANA-HIRAGANA"), _CJK),
    Script("Chinese or Japanese", ("CJK", "KANGXI", "IDEOGRAPHIC", "FULLWIDTH", "VERTICAL"), _CJK),
    Script("Korean", ("HANGUL", "HALFWIDTH HANGUL"), _CJK),
    Script("Chinese", ("BOPOMOFO",), _CJK),
    Script("Arabic", ("ARABIC",)),
    Script("Hebrew", ("HEBREW",)),
    Script("Devanagari", ("DEVANAGARI",)),
    Script("Bengali", ("BENGALI",)),
    Script("Tamil", ("TAMIL",)),
    Script("Thai", ("THAI",)),
    Script("Greek", ("GREEK",)),
    Script("Cyrillic", ("CYRILLIC",)),
    Script("Armenian", ("ARMENIAN",)),
    Script("Georgian", ("GEORGIAN",)),
    Script("Latin", ("LATIN",)),
    Script("mathematics", ("MATHEMATICAL",), "fonts-noto-math"),
)


class _Has(Protocol):
    @property
    def families(self) -> frozenset[str]: ...

    def has(self, character: str) -> bool: ...


def missing(text: str, theme: Path) -> tuple[str, ...]:
    """The characters of `text` that no font has, neither `theme`'s nor the system's."""
    own = _theme_characters(tuple(_stamps(theme)))
    return missing_in_system("".join(c for c in text if ord(c) not in own))


def missing_in_system(text: str) -> tuple[str, ...]:
    """The characters of `text` that no font of the system has, in order."""
    wanted = [c for c in dict.fromkeys(text) if _is_visible(c)]
    # Most texts need none of the system's fonts, and finding them takes time.
    return tuple(c for c in wanted if not _system().has(c)) if wanted else ()


def check(text: str, theme: Path) -> None:
    """See that every character of `text` can be shown.

    Raises:
        FontError: some cannot; it names them, their script and the package to install.
    """
    lacking = missing(text, theme)
    if not lacking:
        return
    scripts: dict[tuple[str, str], list[str]] = {}
    for character in lacking:
        scripts.setdefault(script_of(character), []).append(character)
    kinds = "; ".join(
        f"{name}: {' '.join(map(_named, found[:8]))}"
        + (f" and {len(found) - 8} more" if len(found) > 8 else "")
        for (name, _), found in scripts.items()
    )
    packages = " ".join(dict.fromkeys(package for _, package in scripts))
    raise FontError(f"no installed font can show {kinds}; {_to_type(packages)}")


def check_family(name: str) -> None:
    """See that the system has the font family `name`.

    Raises:
        FontError: it has not; near names are told.
    """
    families = _system().families
    if any(alias.lower() in families for alias in family_names(name)):
        return
    hint = nearest(name.lower(), families)
    hint = f"; {hint}" if hint.startswith("did") else "."
    package = f", or {_to_type(_CJK)}" if name[-3:] in _CJK_ENDINGS else ""
    raise FontError(
        f"no font family {name!r} is installed{hint} "
        f"Leave style.font_family out for the theme's own font{package}"
    )


def family_names(name: str) -> tuple[str, ...]:
    """The names under which a family is found: `Noto Sans JP` is also `Noto Sans CJK JP`."""
    if name.startswith("Noto ") and name[-3:] in _CJK_ENDINGS and " CJK" not in name:
        return name, f"{name[:-3]} CJK{name[-3:]}"
    return (name,)


def script_of(character: str) -> tuple[str, str]:
    """The script of `character` as people call it, and the Debian package with a font for it."""
    name = unicodedata.name(character, "")
    for script in SCRIPTS:
        if name.startswith(script.words):
            return script.name, script.package
    # Those newer than this Python's Unicode have no category yet.
    if unicodedata.category(character) in {"So", "Cn"} and ord(character) >= 0x2600:
        return "emoji", _EMOJI
    return ("letters", _REST) if character.isalpha() else ("symbols", _REST)


def system_has_any() -> bool:
    """Whether the system has any font at all."""
    return bool(_system().families)


def last_resort(folder: Path, theme: Path) -> dict[str, str]:
    """One of `theme`'s fonts laid into `folder`; the variables by which fontconfig finds it there.

    Without a single font of the system's Chromium draws no text at all, not even
    with the fonts that a page brings.
    """
    from fontTools.ttLib import TTFont

    with TTFont(min(theme.rglob("*latin.woff2"))) as font:
        font.flavor = None
        font.save(folder / "last-resort.ttf")
    config = folder / "fonts.conf"
    config.write_text(
        "<?xml version='1.0'?><fontconfig>"
        f"<dir>{escape(str(folder))}</dir><cachedir>{escape(str(folder))}</cachedir>"
        "</fontconfig>",
        encoding="utf-8",
    )
    return {"FONTCONFIG_FILE": str(config)}


def forget() -> None:
    """Ask the system for its fonts anew: some were installed."""
    _system.cache_clear()


_CJK_ENDINGS = (" JP", " KR", " SC", " TC", " HK")


def _is_visible(character: str) -> bool:
    """Whether a font must have it: not spaces, controls, joiners, variation selectors."""
    category = unicodedata.category(character)
    if category in {"Cc", "Cf", "Zs", "Zl", "Zp", "Cs"}:
        return False
    return not (0xFE00 <= ord(character) <= 0xFE0F or 0xE0100 <= ord(character) <= 0xE01EF)


def _named(character: str) -> str:
    return f"{character} (U+{ord(character):04X})"


def _to_type(packages: str) -> str:
    if sys.platform != "linux":
        return f"install a font that has them, such as Noto (Debian's packages {packages})"
    sudo = "" if os.geteuid() == 0 else "sudo "
    return f"install them, on Debian and Ubuntu: {sudo}apt-get install {packages}"


def _stamps(theme: Path) -> Iterator[tuple[Path, int, int]]:
    for path in sorted(theme.rglob("*")):
        if path.suffix.lower() in _FONT_FILES:
            stat = path.stat()
            yield path, stat.st_size, stat.st_mtime_ns


@lru_cache(maxsize=8)
def _theme_characters(files: tuple[tuple[Path, int, int], ...]) -> frozenset[int]:
    return frozenset().union(*(_characters_of(path) for path, _, _ in files))


def _characters_of(path: Path) -> set[int]:
    from fontTools.ttLib import TTLibError

    try:
        return {code for _, codes in _read(path) for code in codes}
    except (TTLibError, OSError) as error:
        raise FontError(f"{path} is not a font that can be read: {error}") from error


def _read(path: Path) -> Iterator[tuple[str, Iterable[int]]]:
    """The family and the characters of each font in a file."""
    from fontTools.ttLib import TTCollection, TTFont

    with path.open("rb") as file:
        collection = path.suffix.lower() in {".ttc", ".otc"}
        found = TTCollection(file, lazy=True).fonts if collection else [TTFont(file, lazy=True)]
        for font in found:
            yield font["name"].getBestFamilyName() or "", font.getBestCmap() or ()


@lru_cache(maxsize=1)
def _system() -> _Has:
    from movie_build.fontconfig import load

    return load() or Scanned.of(_folders())


@dataclass(frozen=True, slots=True)
class Scanned:
    """The system's fonts, read file by file where there is no fontconfig."""

    families: frozenset[str]
    characters: frozenset[int]

    def has(self, character: str) -> bool:
        return ord(character) in self.characters

    @classmethod
    def of(cls, folders: Iterable[Path]) -> Scanned:
        from fontTools.ttLib import TTLibError

        families: set[str] = set()
        characters: set[int] = set()
        for path in sorted(p for folder in folders for p in folder.rglob("*")):
            if path.suffix.lower() not in _FONT_FILES:
                continue
            try:
                for family, codes in _read(path):
                    families.add(family.lower())
                    characters.update(codes)
            except (TTLibError, OSError, KeyError):
                # A file of the system's that is no good font: none of the user's making.
                continue
        return cls(frozenset(families), frozenset(characters))


def _folders() -> list[Path]:
    home = Path.home()
    return [
        Path("/usr/share/fonts"),
        Path("/usr/local/share/fonts"),
        home / ".local" / "share" / "fonts",
        home / ".fonts",
        Path("/System/Library/Fonts"),
        Path("/Library/Fonts"),
        home / "Library" / "Fonts",
        Path(os.environ.get("WINDIR", "C:/Windows")) / "Fonts",
    ]
