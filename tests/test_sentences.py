from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from movie_build.sentences import split

ENGLISH = [
    ["Dr. Smith arrived at 5 p.m. on Jan. 5.", "He left."],
    ["See Fig. 3 for details.", "It shows v2.1 of the tool."],
    ["The U.S. economy grew 3.5 percent.", "That was in the U.S.", "Then it stopped."],
    ['"He left."', "She said so."],
    ['"He left." she said.', "Nobody else spoke."],
    ["“Is it done?” she asked.", "“Yes!” he said."],
    ["Use tools, e.g. make, i.e. the old one.", "Or doit etc. and so on."],
    ["J. R. R. Tolkien wrote it.", "So did George R. R. Martin."],
    ["Wait... what?", "I mean … nothing."],
    ["Open https://example.com/a.b?c=d.", "Then read setup.py and go."],
    ["It works (mostly.)", "Really!?", "Yes."],
    ["It works (see below. It is fun.) today.", "Next."],
    ["make was written at Bell Labs.", "make is small."],
    ["It costs $5.50 vs. $6 at Acme Inc. in town.", "Good."],
    ["The St. Louis Co. has No. 5.", "Mr. Jones et al. agree."],
    ["We use Node.js and .NET.", "Both work."],
    ["iPhones sold well.", "eBay too."],
    ["We chose plan B.", "The other one failed."],
    ["1. Install it.", "Then run it."],
    ["The answer was no.", "Nobody asked again."],
]
JAPANESE = [
    ["彼は「行くよ。すぐ戻る。」と言った。", "本当か？", "はい！"],
    ["「行くよ。」", "彼は言った。"],
    ["これは（例です。）と書いた文だ。", "次の文。"],
    ["暗いから見えないのでは？と思うかもしれない。", "なぜ？", "とにかく暗い。"],
    ["価格は3.14円です。", "v2.1を使う。", "おわり！？", "さて…どうしよう。"],
    ["Python 3.11 を使います。", "U.S. は米国です。"],
    ["『本。』を読んだ。", "終わり"],
    ["彼女は叫んだ。", "「待って！」", "誰も来なかった。"],
    ["本当?", "はい。"],
]


@pytest.mark.parametrize("sentences", ENGLISH, ids=lambda s: s[0][:30])
def test_english_is_split_where_sentences_end(sentences: list[str]) -> None:
    assert split(" ".join(sentences), "en") == sentences


@pytest.mark.parametrize("sentences", JAPANESE, ids=lambda s: s[0][:12])
def test_japanese_needs_no_spaces_and_keeps_quotations_whole(sentences: list[str]) -> None:
    assert split("".join(sentences), "ja") == sentences


@pytest.mark.parametrize(
    ("language", "sentences"),
    [
        ("de", ["Das ist z. B. gut.", "Am 3. Oktober ist Feiertag.", "Er kam."]),
        ("fr", ["M. Dupont est là.", "Il est tard ?", "Oui !"]),
        ("es", ["¿Qué pasa?", "El Sr. López vino."]),
    ],
)
def test_other_languages_have_their_own_abbreviations(language: str, sentences: list[str]) -> None:
    assert split(" ".join(sentences), language) == sentences


def test_a_chinese_quotation_after_a_colon_ends_its_sentence() -> None:
    assert split("他说：“好的。”然后走了。真的吗？", "zh") == [
        "他说：“好的。”",
        "然后走了。",
        "真的吗？",
    ]


def test_an_unmatched_bracket_does_not_swallow_the_rest() -> None:
    assert split("One (two. Three. Four.", "en") == ["One (two.", "Three.", "Four."]
    assert split("「一。二。三。", "ja") == ["「一。", "二。", "三。"]


def test_a_very_long_quotation_is_split_inside() -> None:
    quotation = "“" + " ".join(["We went on and on without an end in sight."] * 8) + "”"
    assert len(split(quotation, "en")) == 8


def test_nothing_gives_nothing() -> None:
    assert split("", "en") == []
    assert split(" \n ", "ja") == []


@given(
    st.text(alphabet="aB1 .!?…\"“”()「」。！あ漢\n'e.g", max_size=80),
    st.sampled_from(["en", "ja", "de"]),
)
def test_the_pieces_joined_are_the_text(text: str, language: str) -> None:
    pieces = split(text, language)
    assert re.sub(r"\s", "", "".join(pieces)) == re.sub(r"\s", "", text)
    assert all(piece == piece.strip() and piece for piece in pieces)


def test_time_grows_with_the_text_and_not_with_its_square() -> None:
    text = "He said (and I quote) that v2.1 of it is, e.g., fine. " * 4000
    assert len(split(text, "en")) == 4000
