"""Lines as captions: phrases short enough to read, and when each is shown."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from movie_build import sentences

# Two rows of 42 columns, as broadcasters and streaming services ask; a CJK letter takes two.
_ROW_COLUMNS = 42
_MOST_COLUMNS = 2 * _ROW_COLUMNS
# Within a sentence. A mark without a space behind it may stand in a number or an address.
_BREAKS = (
    re.compile(r"(?<=[,;:])[\"'”’)]*\s+|(?<=[、，；：—])\s*|(?<=\s–)\s+"),
    re.compile(r"\s+"),
)


@dataclass(frozen=True, slots=True)
class Cue:
    """A phrase on the screen, from `start_s` to `end_s` seconds of the movie."""

    start_s: Fraction
    end_s: Fraction
    text: str


@dataclass(frozen=True, slots=True)
class Chapter:
    """A section of the movie, from `start_s` to `end_s` seconds."""

    start_s: Fraction
    end_s: Fraction
    title: str


def columns(text: str) -> int:
    """How wide `text` is: 2 for each wide letter, 1 for others, 0 for combining marks."""
    if text.isascii():
        return len(text)
    return sum(
        2 if unicodedata.east_asian_width(c) in "WF" else 0 if unicodedata.combining(c) else 1
        for c in text
    )


def phrases(text: str, language: str = "") -> list[str]:
    """`text` in parts of at most two rows, broken where it is least felt."""
    text = text.strip()
    if columns(text) <= _MOST_COLUMNS:
        return [text] if text else []
    return _filled(_sentences(text, language), 0)


def cues(text: str, start_s: Fraction, end_s: Fraction, language: str = "") -> list[Cue]:
    """The phrases of one line over its time, each for as long as its share of the letters."""
    parts = phrases(text, language)
    weights = [max(columns(part), 1) for part in parts]
    whole, before = sum(weights), 0
    out = []
    for part, weight in zip(parts, weights, strict=True):
        begin = start_s + (end_s - start_s) * before / whole
        before += weight
        out.append(Cue(begin, start_s + (end_s - start_s) * before / whole, part))
    return out


def _split(text: str, level: int) -> list[str]:
    if columns(text) <= _MOST_COLUMNS:
        return [text] if text else []
    if level == len(_BREAKS):
        return _cut(text)
    return _filled(_pieces(text, _BREAKS[level]), level + 1)


def _filled(parts: Sequence[str], level: int) -> list[str]:
    """Phrases of `parts`, so many in each as it holds; what is too long is split at `level`."""
    if len(parts) == 1:
        return _split(parts[0], level)
    n_columns = columns("".join(parts))
    target = n_columns / -(-n_columns // _MOST_COLUMNS)
    out: list[str] = []
    for part in parts:
        joined = out[-1] + part if out else part
        if out and columns(joined.strip()) <= _MOST_COLUMNS and columns(out[-1]) < target:
            out[-1] = joined
        else:
            out.append(part)
    return [phrase for joined in out for phrase in _split(joined.strip(), level)]


def _sentences(text: str, language: str) -> list[str]:
    """The sentences of `text`, each with the space behind it."""
    starts, end = [], 0
    for sentence in sentences.split(text, language):
        starts.append(text.index(sentence, end))
        end = starts[-1] + len(sentence)
    return [text[a:b] for a, b in pairwise([*starts, len(text)])]


def _pieces(text: str, at: re.Pattern[str]) -> list[str]:
    ends = [m.end() for m in at.finditer(text) if 0 < m.end() < len(text)]
    bounds = [0, *dict.fromkeys(ends), len(text)]
    return [text[a:b] for a, b in pairwise(bounds)]


def _cut(text: str) -> list[str]:
    """Text without any place to break, cut evenly; a mark stays with its letter."""
    n_parts = -(-columns(text) // _MOST_COLUMNS)
    target = -(-columns(text) // n_parts)
    parts = [""]
    for c in text:
        if columns(parts[-1]) >= target and not unicodedata.combining(c):
            parts.append("")
        parts[-1] += c
    return parts


def srt(cues: Iterable[Cue]) -> str:
    """The captions as SubRip, in rows."""
    blocks = (
        f"{n}\n{_clock(c.start_s, ',')} --> {_clock(c.end_s, ',')}\n{rows(c.text)}\n"
        for n, c in enumerate(cues, 1)
    )
    return "\n".join(blocks)


def vtt(cues: Iterable[Cue]) -> str:
    """The captions as WebVTT (W3C)."""
    blocks = (
        f"{_clock(c.start_s, '.')} --> {_clock(c.end_s, '.')}\n{_escaped(rows(c.text))}\n"
        for c in cues
    )
    return "\n".join(["WEBVTT\n", *blocks])


def chapter_list(chapters: Sequence[Chapter]) -> str:
    """The chapters as video sites read them from a description: `0:00 Title`, one a line."""
    long = bool(chapters) and chapters[-1].start_s >= 3600
    return "".join(f"{_short_clock(c.start_s, long)} {c.title}\n" for c in chapters)


def rows(text: str) -> str:
    """A phrase in one row or two of about the same width."""
    if columns(text) <= _ROW_COLUMNS:
        return text
    half = columns(text) / 2
    parts = _pieces(text, _BREAKS[1])
    if len(parts) == 1:
        parts = _pieces(text, _BREAKS[0])
    if len(parts) == 1:
        parts = list(text)
    at, best = 0, len(text)
    for part in parts[:-1]:
        at += len(part)
        if abs(columns(text[:at]) - half) < abs(columns(text[:best]) - half):
            best = at
    return f"{text[:best].rstrip()}\n{text[best:].lstrip()}".strip()


def milliseconds(time_s: Fraction) -> int:
    """The nearest whole millisecond."""
    return int(time_s * 1000 + Fraction(1, 2))


def _clock(time_s: Fraction, point: str) -> str:
    ms = milliseconds(time_s)
    return f"{ms // 3_600_000:02}:{ms // 60_000 % 60:02}:{ms // 1000 % 60:02}{point}{ms % 1000:03}"


def _short_clock(time_s: Fraction, long: bool) -> str:
    s = int(time_s)
    return f"{s // 3600}:{s // 60 % 60:02}:{s % 60:02}" if long else f"{s // 60}:{s % 60:02}"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
