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
_NO_KANA = re.compile(r"[A-Za-zＡ-Ｚａ-ｚ々〆\u3400-\u9fff]+")
# Open JTalk spells out words in Latin letters, which is no reading to measure another by; a noun
# that it knows stands for each, so that it understands what is around them.
_WORD = r"[A-Za-zＡ-Ｚａ-ｚ][A-Za-z0-9Ａ-Ｚａ-ｚ０-９.+#'’&/-]*"
_LATIN = re.compile(rf"{_WORD}(?: {_WORD})*")
_NOUN = "パソコン"
_VOWEL = re.compile("^([アイウエオヲ])")
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
    """A line's `reading` as written, and how its text would be read.

    `expected` is empty where the reading is none: it holds more than kana.
    """

    where: Where | None
    text: str
    reading: str
    expected: str

    def __str__(self) -> str:
        if not self.expected:
            found = ", ".join(dict.fromkeys(_NO_KANA.findall(self.reading)))
            what = f"has {found} in it, which every voice reads as it likes; write katakana"
            return f"{self.where}: reading {self.reading!r} {what}"
        return f"{self.where}: reading {self.reading!r}, but the text reads {self.expected!r}"


def disagreements(movie: Movie) -> Iterator[Disagreement]:
    """The lines with a reading that Open JTalk would not give their text, dictionary included.

    Words in Latin letters that are not in the dictionary may be read in any way.

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
            japanese = bool(_JAPANESE.search(line.text))
            if not line.reading or not (japanese or movie.language.startswith("ja")):
                continue
            if _NO_KANA.search(line.reading):
                yield Disagreement(line.where, line.text, line.reading, "")
                continue
            if not japanese:
                continue
            text = _LATIN.sub(_NOUN, spoken(line.text, words, found))
            expected = str(pyopenjtalk.g2p(text, kana=True))
            given = str(pyopenjtalk.g2p(line.reading, kana=True))
            if not _pattern(_sound(expected)).fullmatch(_sound(given)):
                shown = _kana(expected).replace(_NOUN, "…")
                yield Disagreement(line.where, line.text, line.reading, shown)


def _pattern(sound: str) -> re.Pattern[str]:
    """What matches `sound` with anything for each noun that stands for another word."""
    first, *rest = sound.split(_NOUN)
    # A vowel after a word that ends in it makes that long.
    return re.compile(first + "".join(".+" + _VOWEL.sub(r"[\1ー]", part) for part in rest))


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
