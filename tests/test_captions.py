"""Captions: readable phrases, that lose nothing and cut no number in two."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from movie_build.captions import columns, cues, phrases, rows, srt

LONG = "which is why everybody in the village still talks of that very long and very dark night"
WORDS = st.sampled_from(
    "3.14159 1,234,567 10:30 U.S. e.g. p.m. a/b.html 灯台は海を照らす。 "
    "wind, sea. light? – “so” keepers".split()
)


def squeezed(text: str) -> str:
    return "".join(text.split())


@given(st.lists(WORDS, max_size=60).map(" ".join))
def test_phrases_are_the_text_each_in_two_rows_at_most(text: str) -> None:
    parts = phrases(text)
    assert squeezed("".join(parts)) == squeezed(text)
    assert all(0 < columns(part) <= 84 for part in parts)
    assert all(rows(part).count("\n") <= 1 for part in parts)


@given(st.text(max_size=300))
def test_no_letter_is_lost_of_any_text(text: str) -> None:
    assert squeezed("".join(phrases(text))) == squeezed(text)


@given(st.text(max_size=300), st.fractions(0, 100), st.fractions(1, 100))
def test_cues_follow_one_another_over_the_whole_line(
    text: str, start_s: Fraction, duration_s: Fraction
) -> None:
    told = cues(text, start_s, start_s + duration_s)
    assert all(a.end_s == b.start_s for a, b in pairwise(told))
    assert all(cue.start_s < cue.end_s for cue in told)
    if told:
        assert (told[0].start_s, told[-1].end_s) == (start_s, start_s + duration_s)


@pytest.mark.parametrize(
    "whole",
    [
        "3.14159",
        "1,234,567",
        "10:30",
        "U.S.",
        "e.g.",
        "p.m.",
        "re.example.org/a.html",
    ],
)
def test_what_belongs_together_is_never_cut(whole: str) -> None:
    for n in range(0, len(LONG), 3):
        text = f"{LONG[:n].strip()} {whole} {LONG[n:].strip()}"
        assert any(whole in part for part in phrases(text, "en")), phrases(text, "en")


def test_a_phrase_ends_where_a_sentence_does_else_at_a_comma() -> None:
    told = phrases("That lamp had burnt for a hundred years. It was put out, " + LONG, "en")
    assert told[0] == "That lamp had burnt for a hundred years."
    assert told[1] == "It was put out,"


def test_subrip_is_numbered_and_timed_to_the_millisecond() -> None:
    told = srt(cues("Hello there.", Fraction(1, 3), Fraction(3661)))
    assert told == "1\n00:00:00,333 --> 01:01:01,000\nHello there.\n"
