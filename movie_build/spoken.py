"""Written text → text to be spoken, and how long speaking takes."""

from __future__ import annotations

import re

from movie_build.script import Script

WORDS_PER_MINUTE = 155
# East Asian scripts: kana and kanji as they are written, as a news reader speaks them.
CHARS_PER_MINUTE = 330

CJK = "\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u9fff\uf900-\ufaff\uac00-\ud7af"
_CJK_CHAR = re.compile(f"[{CJK}]")
_WORD = re.compile(rf"(?:(?![{CJK}])[\w'’.,-])+")
_URL = re.compile(
    # Hiragana goes on with the sentence: https://example.comをご覧ください
    r"(?:https?://(?:www\.)?|www\.)([^\s<>「」（）()/?#ぁ-ん]*[^\s<>「」（）()/?#.,;:!?。、ぁ-ん])"
    r"(?:[/?#](?:[^\s<>「」（）()ぁ-ん]|(?<=[/?#=_-])[ぁ-ん]+)*(?<![.,;:!?。、]))?"
)
_URL_ASIDE = re.compile(rf"\s*[(（<]\s*{_URL.pattern}\s*[)）>]")
_MARKS = re.compile(
    r"\s*\[(?:\d{1,3}|[a-z]|note \d+|citation needed|要出典|注\s*\d+)\]|[*†‡¶↩↑]+(?=[\s.,;]|$)"
)
_ASIDE = re.compile(
    r"\s*[(（](?:[^()（）]*\b(?:click|tap|see (?:here|below|above|figure|fig\.|table|section)|link|"
    r"pdf|source:|via)\b[^()（）]*|[^()（）]*(?:クリック|タップ|参照|リンク|下図|上図|図\d)[^()（）]*|\s*)[)）]",
    re.IGNORECASE,
)
# A name in other letters or in phonetic ones: (/ˈfɛərɒs/; Ancient Greek: ὁ Φάρος)
_TRANSCRIBED = re.compile(
    r"\s*[(（][^()（）]*(?:[ˈˌəɛɔɪʊɑʃʒŋ]|\bIPA\b|\bpronounced\b|\b(?:Greek|Latin|Arabic|Hebrew|Persian"
    r"|Russian|Chinese|Japanese|Korean|Sanskrit|Hindi|Turkish|French|German|Spanish|Italian"
    r"|pinyin|romani[sz]ed)\s?:)[^()（）]*[)）]"
)
# ぜひどうぞ♪ These end a sentence.
_SUNG = re.compile("(?<=[\u3041-\u309f\u30fc])[♪♫☆★]+(?![。！？、」』）])")
# What is typed, not said: $(…), <name>, --option, call("…"), a && b
_TYPED = re.compile(
    r"\$[({]|\$[A-Z_]{3,}/|<[\w./-]+>|&&|\|\||(?:^|\s)--?[a-z][\w-]*(?=[\s.,;=]|$)"
    r"|\w\([\"']|=>|\(\w+\) -> "
)
_EMPTY = re.compile(r"\(\s*\)|（\s*）|「\s*」|『\s*』|“\s*”|(?<!\S)\"\"(?!\S)")
# 渋川春海（しぶかわはるみ）: spoken, the name would come twice.
_FURIGANA = re.compile("(?<=[\u3400-\u9fff々])[(（][\u3041-\u30ff・\\s]+[)）]")
_EMOJI = re.compile("[\U0001f000-\U0001faff\u2600-\u27bf\ufe0f\u200d]+")


def is_cjk(language: str) -> bool:
    """Whether a language is written without spaces and counted by characters."""
    return language.partition("-")[0].lower() in ("ja", "zh", "ko")


def has_cjk(text: str) -> bool:
    """Whether anything in `text` is written in an East Asian script."""
    return bool(_CJK_CHAR.search(text))


def speakable(text: str) -> str:
    """`text` without what only makes sense to the eye; empty if nothing else is left."""
    text = _TRANSCRIBED.sub("", _ASIDE.sub("", _MARKS.sub("", text)))
    text = _URL.sub(r"\1", _URL_ASIDE.sub("", text))
    text = _SUNG.sub("。", text)
    text = _EMPTY.sub("", _EMOJI.sub("", _FURIGANA.sub("", text)))
    text = re.sub(r"\s+([.,;:!?。、])(?=\s|$)", r"\1", re.sub(r"\s+", " ", text)).strip()
    text = re.sub("([。、])[。、]+", r"\1", text)
    return text if any(map(str.isalnum, text)) else ""


def is_prose(sentence: str) -> bool:
    """Whether `sentence` is words: with more symbols than some it is code or a formula."""
    letters = sum(map(str.isalpha, sentence))
    symbols = sum(not char.isalnum() and not char.isspace() for char in sentence)
    return letters > 0 and symbols <= 0.35 * letters + 4 and not _TYPED.search(sentence)


def seconds(text: str) -> float:
    """About how long it takes to speak `text`."""
    n_chars = len(_CJK_CHAR.findall(text))
    n_words = sum(any(char.isalnum() for char in word) for word in _WORD.findall(text))
    return 60 * (n_chars / CHARS_PER_MINUTE + n_words / WORDS_PER_MINUTE)


def spoken_minutes(script: Script) -> float:
    """About how long the lines of `script` take to speak, without the pauses between them."""
    lines = (line for section in script.sections for line in section.narrations)
    return sum(seconds(line.reading or line.text) for line in lines) / 60
