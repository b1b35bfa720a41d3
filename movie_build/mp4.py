"""The movie's file: encoded pictures, sound, captions and chapters in one MP4.

Written here box by box rather than by FFmpeg's muxer, because all of a slide
movie is known before it begins: the index goes to the front in one pass, a
second of a track is one chunk (FFmpeg makes a chunk of nearly every packet, and
an index entry for it costs as much as a repeated picture), and nothing is held
in memory but that second and the index. Formats: ISO/IEC 14496-12 (file),
14496-14 (AAC), 14496-15 (H.264), 3GPP TS 26.245 (captions).
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path
from struct import pack
from typing import BinaryIO

from movie_build import aac, h264
from movie_build.captions import Chapter, Cue
from movie_build.errors import EncodeError
from movie_build.mp4_boxes import (
    SampleTable,
    Track,
    TrackHeader,
    box,
    full_box,
    metadata_box,
    movie_header,
    track_box,
)
from movie_build.mp4_index import MovieFacts, read_facts
from movie_build.mp4_text import caption_track, chapter_list, chapter_track

__all__ = ["MovieFacts", "Shot", "Sound", "read_facts", "write_movie"]

KEYFRAME_INTERVAL_S = Fraction(10)
_MIN_VIDEO_TIMESCALE = 10_000  # some players count in the track's ticks
_FILE_TYPE = box("ftyp", b"isom", pack(">I", 0x200), b"isomiso2avc1mp41")
_LONG_HEADER = 16
_VIDEO, _AUDIO = 1, 2


@dataclass(frozen=True, slots=True)
class Shot:
    """A picture, as `h264.encode_picture` gave it, shown for `n_frames` frames."""

    n_frames: int
    picture: Callable[[], bytes]


@dataclass(frozen=True, slots=True)
class Sound:
    """A line, as `aac.encode_line` gave it, of `n_frames` AAC frames; None is silence."""

    n_frames: int
    line: Callable[[], bytes] | None


def write_movie(
    path: Path,
    *,
    fmt: h264.VideoFormat,
    shots: Iterable[Shot],
    sounds: Iterable[Sound],
    title: str,
    description: str,
    chapters: Sequence[Chapter],
    cues: Sequence[Cue],
    language: str,
) -> None:
    """Write the movie to `path`, index first; the same arguments give the same bytes.

    Frame n of the video starts at n / fps, sample n of the sound at n / 48000.
    Chapters follow one another from 0 on; cues are in order and do not overlap.
    `language` is a BCP 47 tag, or empty. Pieces are read as they are written.

    Raises:
        EncodeError: a piece is damaged or does not fit, or the movie is too long.
    """
    shots = [shot for shot in shots if shot.n_frames]
    sounds = [sound for sound in sounds if sound.n_frames]
    _check_lengths(shots, sounds, fmt.fps)
    chapter_number = 3 if chapters else 0
    tracks = [
        _video_track(shots, fmt, chapter_number),
        _sound_track(sounds, language),
    ]
    if chapters:
        tracks.append(chapter_track(chapters, chapter_number))
    if cues:
        tracks.append(caption_track(cues, (fmt.width_px, fmt.height_px), language, len(tracks) + 1))
    user_data = box("udta", metadata_box(title, description), chapter_list(chapters))

    def index(tables: Sequence[SampleTable]) -> bytes:
        headers = [track.header for track in tracks]
        pairs = list(zip(headers, tables, strict=True))
        boxes = (track_box(header, table) for header, table in pairs)
        return box("moov", movie_header(pairs), *boxes, user_data)

    n_index_bytes = len(index([track.table.unwritten() for track in tracks]))
    with path.open("wb") as file:
        data_start = len(_FILE_TYPE) + n_index_bytes
        file.seek(data_start + _LONG_HEADER)
        _write_samples(file, tracks)
        data_end = file.tell()
        file.seek(0)
        file.write(_FILE_TYPE)
        file.write(index([track.table for track in tracks]))
        file.write(pack(">I4sQ", 1, b"mdat", data_end - data_start))


def _write_samples(file: BinaryIO, tracks: Sequence[Track]) -> None:
    """Write every second of every track in turn, and note in the tables where."""
    position = file.tell()
    n_seconds = max(len(track.table.chunking) for track in tracks)
    for second in range(n_seconds):
        for track in tracks:
            table = track.table
            n_samples = table.chunking[second] if second < len(table.chunking) else 0
            if n_samples:
                samples = list(islice(track.samples, n_samples))
                table.sizes.extend(map(len, samples))
                table.offsets.append(position)
                position += file.write(b"".join(samples))


def _check_lengths(shots: Sequence[Shot], sounds: Sequence[Sound], fps: Fraction) -> None:
    if not shots or not sounds:
        raise ValueError("a movie needs pictures and sound")
    picture_s = sum(shot.n_frames for shot in shots) / fps
    sound_s = Fraction(sum(sound.n_frames for sound in sounds) * aac.FRAME, aac.RATE_HZ)
    if abs(picture_s - sound_s) > max(1 / fps, Fraction(aac.FRAME, aac.RATE_HZ)):
        raise ValueError(f"{float(picture_s)} s of pictures, but {float(sound_s)} s of sound")


def _video_track(shots: Sequence[Shot], fmt: h264.VideoFormat, chapters: int) -> Track:
    interval = max(1, int(KEYFRAME_INTERVAL_S * fmt.fps))
    timescale, ticks = fmt.fps.numerator, fmt.fps.denominator
    while timescale < _MIN_VIDEO_TIMESCALE:
        timescale, ticks = 2 * timescale, 2 * ticks
    first = h264.read_picture(shots[0].picture(), fmt)
    keyframes, n_frames = array("I"), 0
    for shot in shots:
        keyframes.extend(n_frames + frame for frame in h264.keyframes(shot.n_frames, interval))
        n_frames += shot.n_frames

    def samples() -> Iterator[bytes]:
        repeater = h264.Repeater(first, interval)
        for shot in shots:
            yield from repeater.still(h264.read_picture(shot.picture(), fmt), shot.n_frames)

    header = TrackHeader(
        number=_VIDEO,
        handler="vide",
        name="Pictures",
        timescale=timescale,
        description=_avc_description(first, fmt),
        media_header=full_box("vmhd", 0, 1, bytes(8)),
        size_px=(fmt.width_px, fmt.height_px),
        chapters=chapters,
    )
    runs = [(n_frames, ticks)]
    return Track(header, SampleTable.of_runs(runs, timescale, keyframes), samples())


def _avc_description(picture: h264.EncodedPicture, fmt: h264.VideoFormat) -> bytes:
    """The avc1 sample entry (ISO/IEC 14496-15 5.3.3.1), with colour and pixel shape."""
    sps, pps_list = picture.sps, (picture.pps, picture.skip_pps)
    config = b"".join(
        (
            b"\x01" + sps[1:4] + b"\xff\xe1",  # lengths of four bytes, one SPS
            pack(">H", len(sps)) + sps,
            bytes([len(pps_list)]),
            *(pack(">H", len(pps)) + pps for pps in pps_list),
            b"\xfd\xf8\xf8\x00",  # 4:2:0, 8 bits, no SPS extension: for the High profiles
        )
    )
    return box(
        "avc1",
        pack(">6xH16xHH", 1, fmt.width_px, fmt.height_px),
        pack(">IIIH32xHh", 72 << 16, 72 << 16, 0, 1, 24, -1),
        box("avcC", config),
        box("colr", b"nclx", pack(">HHHB", 1, 1, 1, 0)),
        box("pasp", pack(">II", 1, 1)),
    )


def _sound_track(sounds: Sequence[Sound], language: str) -> Track:
    def samples() -> Iterator[bytes]:
        for sound in sounds:
            line = (
                aac.silence(sound.n_frames) if sound.line is None else aac.parse_line(sound.line())
            )
            if line.n_frames != sound.n_frames:
                raise EncodeError(
                    f"a line's encoded sound has {line.n_frames} frames, not {sound.n_frames};"
                    " delete it and build again"
                )
            start = 0
            for size in line.sizes:
                yield line.payload[start : start + size]
                start += size
        yield aac.SILENT_PACKET  # the other half of the last frame

    header = TrackHeader(
        number=_AUDIO,
        handler="soun",
        name="Sound",
        timescale=aac.RATE_HZ,
        description=_aac_description(),
        media_header=full_box("smhd", 0, 0, bytes(4)),
        language=language,
        group=1,
        volume=0x100,
        # the first packet begins one frame before the first sample
        skipped_ticks=aac.FRAME,
        # a decoder that starts anywhere needs the frame before, too
        extra=full_box("sgpd", 1, 0, b"roll", pack(">IIh", 2, 1, -1))
        + full_box("sbgp", 0, 0, b"roll", pack(">III", 1, 1 + _n_frames(sounds), 1)),
    )
    runs = [(1 + _n_frames(sounds), aac.FRAME)]
    return Track(header, SampleTable.of_runs(runs, aac.RATE_HZ), samples())


def _n_frames(sounds: Sequence[Sound]) -> int:
    return sum(sound.n_frames for sound in sounds)


def _aac_description() -> bytes:
    """The mp4a sample entry (ISO/IEC 14496-14 5.6) with its ES descriptor (14496-1 7.2.6.5)."""

    def descriptor(tag: int, content: bytes) -> bytes:
        return bytes([tag, len(content)]) + content

    decoder = b"\x40\x15" + bytes(3) + pack(">II", aac.BIT_RATE, aac.BIT_RATE)
    config = descriptor(4, decoder + descriptor(5, aac.AUDIO_SPECIFIC_CONFIG))
    es = descriptor(3, pack(">HB", 0, 0) + config + descriptor(6, b"\x02"))
    entry = pack(">6xH8xHH4xI", 1, 1, 16, aac.RATE_HZ << 16)
    return box("mp4a", entry, full_box("esds", 0, 0, es))
