"""The dictionary: which words are replaced, in which scripts, and which lines that speaks again."""

from __future__ import annotations

import unicodedata

import pytest
from conftest import SMALL, Folder
from hypothesis import given
from hypothesis import strategies as st

from movie_build.config import Word
from movie_build.pronunciation import pattern, spoken


def said(text: str, **readings: str) -> str:
    """`text` as it is spoken; the keywords are words and their readings."""
    words = [Word(surface, reading) for surface, reading in readings.items()]
    return spoken(text, words, pattern(words))


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("we go on", "go"),
        ("go, go-go (go) go's _go_ 'go'", "go"),
        ("Python、Pythonで書く", "Python"),
        ("Это код, код!", "код"),
        ("chữ Việt là chữ của người Việt", "Việt"),
        ("كتاب و كتاب.", "كتاب"),
        ("यह हिन्दी है", "हिन्दी"),
        ("ქართული ენა", "ენა"),
        ("東京都に東京", "東京"),
        ("我们用云计算服务", "云计算"),
        ("ภาษาไทยง่าย", "ไทย"),
        ("서울에서 서울까지", "서울"),
        ("C++ とC++17", "C++"),
    ],
)
def test_a_word_is_replaced_wherever_it_stands(text: str, word: str) -> None:
    assert said(text, **{word: "•"}) == text.replace(word, "•")


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("ago, gone, ego, go2, 2go, goé", "go"),
        ("Việts và tiếng Việtê", "Việt"),
        ("Việt", "Vi"),
        ("ệt và Việt", "t"),
        ("والكتاب كتابي كتابُ", "كتاب"),
        ("हिन्दीभाषा", "हिन्दी"),
        ("हिन्दी", "हिन्"),
        ("कि की", "क"),
        ("می\u200cخواهم", "می"),
        ("קודים", "קוד"),
        ("կոդեր", "կոդ"),
        ("ქართული", "ქართ"),
        ("ＲＡＩＤ", "ＡＩ"),
        ("ที่", "ท"),
    ],
)
def test_a_part_of_a_word_is_left_alone(text: str, word: str) -> None:
    text, word = (unicodedata.normalize("NFC", one) for one in (text, word))
    assert said(text, **{word: "•"}) == text


def test_the_longest_word_that_stands_there_counts() -> None:
    readings = {
        "GitHub": "git hub",
        "GitHub Actions": "the robot",
        "東京": "トーキョー",
        "東京都": "ト",
    }
    assert said("GitHub Actions on GitHub", **readings) == "the robot on git hub"
    assert said("GitHub Actionsx", **readings) == "git hub Actionsx", "the longer is cut short"
    assert said("東京都と東京", **readings) == "トとトーキョー"


def test_a_reading_is_not_read_again() -> None:
    assert said("a b", a="b", b="a") == "b a"


def test_however_its_accents_are_typed_a_word_is_found() -> None:
    decomposed = unicodedata.normalize("NFD", "Việt")
    assert decomposed != "Việt"
    assert said("tiếng Việt", **{decomposed: "•"}) == "tiếng •"


LETTERS = "gộoक\u0940ก東ア서２7 .-’"


@given(
    text=st.text(LETTERS, max_size=12),
    words=st.dictionaries(st.text(LETTERS, min_size=1, max_size=3), st.text("xyz", max_size=2)),
)
def test_only_whole_words_change_and_all_else_stays(text: str, words: dict[str, str]) -> None:
    assert said(text, **{word: word for word in words}) == text, "read as written: nothing changes"
    absent = {word: reading for word, reading in words.items() if word not in text}
    assert said(text, **absent) == text
    for word, reading in words.items():
        assert said(word, **{word: reading}) == reading, "alone it is replaced, whatever it is"
        if word.strip():
            assert said(f"{word} {word}", **{word: reading}) == f"{reading} {reading}"


@given(st.sampled_from("goéкكहन"), st.sampled_from("goéкكहन\u0301\u0940\u200c2"))
def test_a_letter_beside_a_word_of_a_spaced_script_protects_it(letter: str, beside: str) -> None:
    word = letter * 2
    for text in (f"{word}{beside}", f"{beside}{word}"):
        assert said(text, **{word: "•"}) == text


def test_a_new_word_speaks_only_the_lines_again_in_which_it_stands_whole(folder: Folder) -> None:
    lines = [
        "Tôi viết chữ Việt.",
        "Người Việtê không có.",
        "We go on.",
        "Long ago.",
        "東京都です。",
    ]
    narrations = "".join(f"  - {line}\n" for line in lines)
    folder.write("script.yaml", f"title: T\nsections:\n- title: S\n  narrations:\n{narrations}")
    assert folder.doit("audio").made()["audio"] == 5
    words = "pronunciation: {custom: {%s}}\n"
    folder.write("movie.yaml", SMALL + words % "Việt: Vietnam, go: walk")
    assert folder.doit("audio").made() == {"audio": 2}
    folder.write("movie.yaml", SMALL + words % "Việt: Vietnam, go: run, 東京: tokyo, ago: before")
    assert folder.doit("audio").made() == {"audio": 3}
    folder.write("movie.yaml", SMALL)
    assert folder.doit("audio").made() == {}, "the old takes are there still"
