"""Which slide and which sound, from which frame and which sample: pure arithmetic.

A line and a pause last a whole number of AAC frames (1,024 samples at
48 kHz). A slide appears at the frame nearest to the first sample of its first
line. Everything is counted in whole samples and frames, so nothing drifts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from movie_build.config import Pauses

RATE_HZ = 48_000
AAC_FRAME = 1_024


@dataclass(frozen=True, slots=True)
class Spoken:
    """A line on its way into the timeline: its length in AAC frames, and who speaks it."""

    n_aac_frames: int
    speaker: str = ""
    pause_s: Fraction | None = None


@dataclass(frozen=True, slots=True)
class SoundSpan:
    """Line number `line` (None: silence) sounds for `n_aac_frames` from `start` (in AAC frames)."""

    start: int
    n_aac_frames: int
    line: int | None

    @property
    def start_s(self) -> Fraction:
        """When it begins, in seconds, exactly."""
        return Fraction(self.start * AAC_FRAME, RATE_HZ)

    @property
    def end_s(self) -> Fraction:
        """When it is over, in seconds, exactly."""
        return Fraction((self.start + self.n_aac_frames) * AAC_FRAME, RATE_HZ)


@dataclass(frozen=True, slots=True)
class SlideSpan:
    """Slide number `slide` shows for `n_frames` from frame `start`; its line begins at `due_s`."""

    start: int
    n_frames: int
    slide: int
    due_s: Fraction


@dataclass(frozen=True, slots=True)
class Timeline:
    """A whole movie in time. Spans follow one another without gap or overlap."""

    fps: Fraction
    sounds: tuple[SoundSpan, ...]
    slides: tuple[SlideSpan, ...]
    n_frames: int
    n_aac_frames: int

    @property
    def duration_s(self) -> Fraction:
        """How long the sound lasts; the pictures last until the first frame at or after that."""
        return Fraction(self.n_aac_frames * AAC_FRAME, RATE_HZ)


def lay_out(sections: Sequence[Sequence[Spoken]], pauses: Pauses, fps: Fraction) -> Timeline:
    """The timeline of `sections`, each one slide with its lines in order.

    Silence before the first line, after the last, between slides, and where
    the speaker changes on one slide; a line's own pause takes the place of
    the one that would follow it.
    """
    sounds: list[SoundSpan] = []
    first_lines: list[SoundSpan] = []
    at = 0

    def add(n_aac_frames: int, line: int | None) -> None:
        nonlocal at
        if n_aac_frames:
            sounds.append(SoundSpan(at, n_aac_frames, line))
            at += n_aac_frames

    lines = [(i, spoken) for i, section in enumerate(sections) for spoken in section]
    add(_aac_frames(pauses.initial_s), None)
    for n, (section, spoken) in enumerate(lines):
        add(spoken.n_aac_frames, n)
        if len(first_lines) <= section:
            first_lines.append(sounds[-1])
        last = n + 1 == len(lines)
        if spoken.pause_s is not None:
            after = spoken.pause_s
        elif last:
            after = Fraction(0)
        elif lines[n + 1][0] != section:
            after = pauses.slide_s
        else:
            after = pauses.speaker_s if lines[n + 1][1].speaker != spoken.speaker else Fraction(0)
        add(_aac_frames(after), None)
    add(_aac_frames(pauses.ending_s), None)

    starts = [0, *(nearest_frame(line.start_s, fps) for line in first_lines[1:])]
    n_frames = -(-at * AAC_FRAME * fps.numerator // (RATE_HZ * fps.denominator))
    slides = tuple(
        SlideSpan(start, end - start, i, first_lines[i].start_s)
        for i, (start, end) in enumerate(zip(starts, [*starts[1:], n_frames], strict=True))
    )
    return Timeline(fps, tuple(sounds), slides, n_frames, at)


def nearest_frame(time_s: Fraction, fps: Fraction) -> int:
    """The frame whose beginning is nearest to `time_s`."""
    return int(time_s * fps + Fraction(1, 2))


def _aac_frames(duration_s: Fraction) -> int:
    """The whole number of AAC frames nearest to `duration_s`."""
    return nearest_frame(duration_s, Fraction(RATE_HZ, AAC_FRAME))
