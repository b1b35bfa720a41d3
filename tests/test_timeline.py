"""The timeline's laws hold for every movie, not only for those we thought of."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from movie_build.config import Pauses
from movie_build.timeline import AAC_FRAME, RATE_HZ, Spoken, lay_out

pauses = st.builds(
    Pauses, *[st.fractions(min_value=0, max_value=5, max_denominator=1000) for _ in range(4)]
)
rates = st.sampled_from(
    [Fraction(n) for n in (1, 24, 25, 30, 60)] + [Fraction(30000, 1001), Fraction(24000, 1001)]
)
lines = st.builds(
    Spoken,
    st.integers(4, 2000),
    st.sampled_from(["", "a", "b"]),
    st.none() | st.fractions(min_value=0, max_value=3, max_denominator=100),
)
movies = st.lists(st.lists(lines, min_size=1, max_size=6), min_size=1, max_size=8)


@given(movies, pauses, rates)
def test_there_is_no_gap_no_overlap_and_under_a_frame_of_drift(sections, silence, fps):
    timeline = lay_out(sections, silence, fps)
    at = 0
    for span in timeline.sounds:
        assert span.start == at
        at += span.n_aac_frames
    assert at == timeline.n_aac_frames
    at = 0
    for slide in timeline.slides:
        assert slide.start == at
        at += slide.n_frames
    assert at == timeline.n_frames
    for slide in timeline.slides[1:]:
        assert abs(slide.start / fps - slide.due_s) <= 1 / (2 * fps)
    assert 0 <= timeline.n_frames / fps - timeline.duration_s < 1 / fps


@given(movies, pauses, rates)
def test_every_line_sounds_once_in_order(sections, silence, fps):
    spoken = [line for section in sections for line in section]
    heard = [s for s in lay_out(sections, silence, fps).sounds if s.line is not None]
    assert [s.line for s in heard] == list(range(len(spoken)))
    assert [s.n_aac_frames for s in heard] == [line.n_aac_frames for line in spoken]


@given(movies, rates)
def test_a_new_slide_never_comes_before_the_line_it_belongs_to_by_half_a_frame(sections, fps):
    timeline = lay_out(sections, Pauses(), fps)
    starts = {s.line: s.start_s for s in timeline.sounds if s.line is not None}
    first = 0
    for slide, section in zip(timeline.slides, sections, strict=True):
        assert slide.due_s == starts[first]
        first += len(section)


def test_the_pauses_stand_where_they_belong():
    silence = Pauses(Fraction(2), Fraction(3), Fraction(1), Fraction(4))
    a, b = Spoken(100, "a"), Spoken(50, "b")
    timeline = lay_out([[a, a, b], [a]], silence, Fraction(30))
    told = [(s.line, round(s.n_aac_frames * AAC_FRAME / RATE_HZ)) for s in timeline.sounds]
    assert told == [(None, 2), (0, 2), (1, 2), (None, 1), (2, 1), (None, 3), (3, 2), (None, 4)]


def test_a_lines_own_pause_takes_the_place_of_the_one_that_would_follow():
    line, own = Spoken(100), Spoken(100, pause_s=Fraction(5))
    timeline = lay_out([[own], [line]], Pauses(), Fraction(30))
    silences = [s.end_s - s.start_s for s in timeline.sounds if s.line is None]
    assert [round(s) for s in silences] == [1, 5, 1]


def test_two_thousand_hours_do_not_drift():
    sections = [[Spoken(2000)] for _ in range(200_000)]
    fps = Fraction(30000, 1001)
    last = lay_out(sections, Pauses(), fps).slides[-1]
    assert abs(last.start / fps - last.due_s) <= 1 / (2 * fps)
