"""What this machine has for making movies, and how to get what it lacks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from shutil import which

from movie_build.errors import MovieBuildError

_SAMPLES = {
    "Latin": "Aé",
    "Greek": "Ω",
    "Cyrillic": "Я",
    "Japanese": "日かカ",
    "Chinese": "们汉",
    "Korean": "한",
    "Arabic": "ع",
    "Hebrew": "ש",
    "Devanagari": "अ",
    "Thai": "ก",
    "emoji": "🎉",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked for; `needed` where no movie can be made without it."""

    name: str
    there: bool
    told: str
    needed: bool = False

    def __str__(self) -> str:
        return f"{'✓' if self.there else '✗' if self.needed else '–'} {self.name:<18} {self.told}"


def examine() -> list[Finding]:
    """Everything that was found and not found."""
    return [_browser(), *_encoders(), *_voices(), *_optional(), *_fonts()]


def mend(report: Callable[[str], None]) -> None:
    """Install the browser and the fonts that are missing.

    Raises:
        MovieBuildError: this program cannot install them; the message says what to type.
    """
    from movie_build import browser_install, fonts
    from movie_build.theme import find

    browser_install.ensure(report)
    lacking = fonts.missing("".join(_SAMPLES.values()), find("default", Path.cwd()))
    if packages := dict.fromkeys(fonts.script_of(character)[1] for character in lacking):
        browser_install.install_fonts(packages, report)
        fonts.forget()


def _browser() -> Finding:
    from movie_build.browser_install import find

    path = find()
    told = str(path) if path else "none; the build installs one, or now: movie-build doctor --fix"
    return Finding("browser", path is not None, told, needed=True)


def _encoders() -> Iterator[Finding]:
    from av.codec import codecs_available

    for codec, use in (("libx264", "pictures"), ("aac", "sound")):
        there = codec in codecs_available
        told = (
            f"encodes {use}"
            if there
            else "not in this PyAV; reinstall: pip install --force-reinstall av"
        )
        yield Finding(codec, there, told, needed=True)


def _voices() -> Iterator[Finding]:
    for engine, module, told, extra in (
        ("espeak", "espeakng_loader", "about 130 languages, comes with movie-build", ""),
        ("open_jtalk", "pyopenjtalk", "Japanese, in this process", "ja"),
        ("piper", "piper", "neural voices in this process", "piper"),
    ):
        there = find_spec(module) is not None
        way = f"pip install 'movie-build[{extra}]'" if extra else "pip install espeakng-loader"
        yield Finding(f"voice {engine}", there, told if there else f"{told}; {way}")


def _optional() -> Iterator[Finding]:
    for name, modules, told, extra in (
        ("PDF", ("pypdfium2", "pypdf"), "articles and decks from PDF", "pdf"),
        ("MCP", ("mcp",), "articles from a Model Context Protocol server", "mcp"),
        ("shared store", ("fsspec",), "a store for a team", "s3"),
    ):
        there = all(map(find_spec, modules))
        yield Finding(name, there, told if there else f"{told}; pip install 'movie-build[{extra}]'")
    office = which("soffice") or which("libreoffice")
    told = office or "decks from PPTX; on Debian and Ubuntu: apt-get install libreoffice-impress"
    yield Finding("LibreOffice", office is not None, told)


def _fonts() -> Iterator[Finding]:
    from movie_build import fonts
    from movie_build.theme import find

    theme = find("default", Path.cwd())
    for script, sample in _SAMPLES.items():
        try:
            fonts.check(sample, theme)
            yield Finding(f"font {script}", True, "there")
        except MovieBuildError as error:
            yield Finding(f"font {script}", False, error.what, needed=script == "Latin")
