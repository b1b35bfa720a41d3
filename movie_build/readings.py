"""Japanese lines whose reading and text disagree, by Open JTalk's own reading of the text."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from movie_build.errors import MissingExtra, Where
from movie_build.movie import Movie
from movie_build.pronunciation import pattern, spoken

_KANA = re.compile(r"[ァ-ヴー]")
_JAPANESE = re.compile(r"[぀-ヿ一-鿿]")
# Long vowels are written in several ways that sound alike.
_LONG = {
    **dict.fromkeys("アカサタナハマヤラワガザダバパャァ", "ア"),
    **dict.fromkeys("イキシチニヒミリギジヂビピィ", "イ"),
    **dict.fromkeys("ウクスツヌフムユルグズヅブプュゥヴ", "ウ"),
    **dict.fromkeys("エケセテネヘメレゲゼデベペェ", "エイ"),
    **dict.fromkeys("オコソトノホモヨロヲゴゾドボポョォ", "オウ"),
}


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A line's `reading` as written, and how its text would be read."""

    where: Where | None
    text: str
    reading: str
    expected: str

    def __str__(self) -> str:
        return f"{self.where}: reading {self.reading!r}, but the text reads {self.expected!r}"


def disagreements(movie: Movie) -> Iterator[Disagreement]:
    """The lines with a reading that Open JTalk would not give their text, dictionary included.

    Raises:
        MissingExtra: Open JTalk is not installed.
    """
    try:
        import pyopenjtalk
    except ImportError as error:
        raise MissingExtra("ja", "checking readings") from error
    words = movie.config.dictionary
    found = pattern(words)
    for section in movie.script.sections if movie.script else ():
        for line in section.narrations:
            if not line.reading or not _JAPANESE.search(line.text):
                continue
            expected = str(pyopenjtalk.g2p(spoken(line.text, words, found), kana=True))
            given = str(pyopenjtalk.g2p(line.reading, kana=True))
            if _sound(given) != _sound(expected):
                yield Disagreement(line.where, line.text, line.reading, _kana(expected))


def _kana(text: str) -> str:
    return "".join(_KANA.findall(unicodedata.normalize("NFKC", text)))


def _sound(text: str) -> str:
    """Kana as it sounds: one sign for every long vowel, ヲ as オ, ヅ as ズ, ヂ as ジ."""
    out = ""
    for c in _kana(text):
        if out and c in _LONG.get(out[-1], ""):
            out += "ー"
        else:
            out += c
    return out.translate(str.maketrans("ヲヅヂ", "オズジ"))
