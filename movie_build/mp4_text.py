"""Texts that lie in time: chapters and captions as tracks of an MP4.

Formats: QuickTime File Format (text media, chapter lists), 3GPP TS 26.245 (captions).
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from struct import pack

from movie_build.captions import Chapter, Cue
from movie_build.errors import EncodeError
from movie_build.mp4_boxes import IDENTITY, SampleTable, Track, TrackHeader, box, full_box

_TEXT_TIMESCALE = 48_000


def chapter_list(chapters: Sequence[Chapter]) -> bytes:
    """The chapters' starts and titles as Nero's chpl box, which has room for 255 of 255 bytes."""
    entries = []
    for chapter in chapters[:255]:
        title = chapter.title.encode()[:255].decode(errors="ignore").encode()
        entries.append(pack(">QB", round(chapter.start_s * 10_000_000), len(title)) + title)
    return full_box("chpl", 1, 0, pack(">IB", 0, len(entries)), *entries) if entries else b""


def chapter_track(chapters: Sequence[Chapter], number: int) -> Track:
    """QuickTime's chapters: a text track that the video refers to."""
    previous_end_s = Fraction(0)
    for chapter in chapters:
        if not chapter.start_s == previous_end_s < chapter.end_s:
            raise ValueError(f"chapter {chapter.title!r} does not follow the one before it")
        previous_end_s = chapter.end_s
    header = TrackHeader(
        number=number,
        handler="text",
        name="Chapters",
        timescale=_TEXT_TIMESCALE,
        # display flags, justification, colour, box, font, colour and font name: all default
        description=box("text", pack(">6xHII37xB6xB", 1, 1, 1, 0, 0)),
        media_header=box(
            "gmhd",
            full_box("gmin", 0, 0, pack(">4H4x", 0x40, 0x8000, 0x8000, 0x8000)),
            box("text", pack(">9i", *IDENTITY)),
        ),
        is_enabled=False,
    )
    return _text_track(header, [(c.start_s, c.end_s, c.title) for c in chapters], is_chapter=True)


def caption_track(
    cues: Sequence[Cue], size_px: tuple[int, int], language: str, number: int
) -> Track:
    """Captions that can be switched on, centred in the lowest sixth of the picture."""
    width_px, picture_height_px = size_px
    height_px = picture_height_px // 6
    font = b"Sans-Serif"
    style = pack(">HHHBB4B", 0, 0, 1, 0, max(12, picture_height_px // 20), 255, 255, 255, 255)
    description = box(
        "tx3g",
        pack(">6xH", 1),
        pack(">Ibb4B", 0, 1, -1, 0, 0, 0, 0),
        pack(">4h", 0, 0, height_px, width_px),
        style,
        box("ftab", pack(">HHB", 1, 1, len(font)), font),
    )
    header = TrackHeader(
        number=number,
        handler="sbtl",
        name="Captions",
        timescale=_TEXT_TIMESCALE,
        description=description,
        media_header=full_box("nmhd", 0, 0),
        language=language,
        is_enabled=False,
        group=2,
        size_px=(width_px, height_px),
        top_px=picture_height_px - height_px,
    )
    return _text_track(header, [(cue.start_s, cue.end_s, cue.text) for cue in cues])


def _text_track(
    header: TrackHeader,
    texts: Sequence[tuple[Fraction, Fraction, str]],
    *,
    is_chapter: bool = False,
) -> Track:
    """A track of `texts`, each with its start and end; between them it shows nothing."""
    runs: list[tuple[int, int]] = []
    samples: list[bytes] = []
    now = 0
    for start_s, end_s, text in texts:
        start, end = round(start_s * _TEXT_TIMESCALE), round(end_s * _TEXT_TIMESCALE)
        if not now <= start < end:
            raise ValueError(f"{text!r} at {float(start_s)} s is out of order")
        if start > now:
            runs.append((1, start - now))
            samples.append(_text_sample("", is_chapter=is_chapter))
        runs.append((1, end - start))
        samples.append(_text_sample(text, is_chapter=is_chapter))
        now = end
    return Track(header, SampleTable.of_runs(runs, header.timescale), iter(samples))


def _text_sample(text: str, *, is_chapter: bool) -> bytes:
    encoded = text.encode()
    if len(encoded) > 0xFFFF:
        raise EncodeError(f"a text of {len(encoded)} bytes is too long for a caption or chapter")
    utf8 = box("encd", pack(">I", 0x100)) if is_chapter else b""
    return pack(">H", len(encoded)) + encoded + utf8
