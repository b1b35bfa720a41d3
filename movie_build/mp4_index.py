"""What a finished MP4 says of itself: read back from its index, without decoding."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from struct import error as StructError
from struct import unpack_from

from movie_build.aac import FRAME
from movie_build.errors import EncodeError


@dataclass(frozen=True, slots=True)
class MovieFacts:
    """The times that a player will keep to.

    `picture_starts` are the frames at which an IDR picture stands, from 0.
    `audio_start_s` is when the first sample after the encoder's priming is
    heard; `n_audio_frames` counts AAC frames from there, and `audio_sizes` are
    their packets' sizes in bytes, the one before each frame being the first of
    the two that it is decoded from.
    """

    width_px: int
    height_px: int
    n_frames: int
    fps: Fraction
    picture_starts: tuple[int, ...]
    rate_hz: int
    n_audio_frames: int
    audio_start_s: Fraction
    audio_sizes: array[int]
    duration_s: Fraction

    def frame_start_s(self, frame: int) -> Fraction:
        """When frame `frame` is shown."""
        return frame / self.fps

    def audio_frame_start_s(self, frame: int) -> Fraction:
        """When the first sample of AAC frame `frame` is heard."""
        return self.audio_start_s + Fraction(frame * FRAME, self.rate_hz)


@dataclass(frozen=True, slots=True)
class _Boxes:
    """The boxes in `data` from `start` to `end`."""

    data: bytes
    start: int
    end: int

    def __iter__(self) -> Iterator[tuple[str, _Boxes]]:
        position = self.start
        while position + 8 <= self.end:
            size, kind = unpack_from(">I4s", self.data, position)
            if not 8 <= size <= self.end - position:
                raise EncodeError(f"the box {kind!r} is cut short")
            yield kind.decode("latin-1"), _Boxes(self.data, position + 8, position + size)
            position += size

    def __getitem__(self, path: str) -> _Boxes:
        found = self
        for kind in path.split("."):
            inner = next((boxes for name, boxes in found if name == kind), None)
            if inner is None:
                raise EncodeError(f"there is no box {path!r}")
            found = inner
        return found

    def unpack(self, layout: str, offset: int) -> tuple[int, ...]:
        """Numbers at `offset` bytes into the box."""
        return unpack_from(layout, self.data, self.start + offset)

    def numbers(self, typecode: str, offset: int, count: int) -> array[int]:
        """`count` big-endian numbers at `offset` bytes into the box."""
        numbers = array(typecode)
        first = self.start + offset
        numbers.frombytes(self.data[first : first + count * numbers.itemsize])
        if len(numbers) != count:
            raise EncodeError("a table is cut short")
        if sys.byteorder == "little":
            numbers.byteswap()
        return numbers


def read_facts(path: Path) -> MovieFacts:
    """The facts of the movie at `path`, which `mp4.write_movie` wrote.

    Raises:
        EncodeError: it is no such movie, or it is damaged.
    """
    try:
        return _facts(_index(path), path.stat().st_size)
    except (EncodeError, StructError, ValueError, ArithmeticError, LookupError) as error:
        raise EncodeError(f"{path.name} is damaged ({error}); delete it and build again") from error


def _index(path: Path) -> _Boxes:
    with path.open("rb") as file:
        n_bytes = path.stat().st_size
        while len(head := file.read(16)) >= 8:
            size, kind = unpack_from(">I4s", head)
            position = file.tell() - len(head)
            if kind == b"moov":
                file.seek(position + 8)
                content = file.read(size - 8)
                if len(content) == size - 8:
                    return _Boxes(content, 0, len(content))
                break
            if kind == b"mdat" or size < 8 or position + size > n_bytes:
                break
            file.seek(position + size)
    raise EncodeError("it does not begin with a movie's index")


def _facts(index: _Boxes, n_file_bytes: int) -> MovieFacts:
    tracks = {}
    data_end = 0
    for kind, boxes in index:
        if kind == "trak":
            handler = boxes["mdia.hdlr"]
            tracks[handler.data[handler.start + 8 : handler.start + 12]] = boxes
            data_end = max(data_end, _data_end(boxes["mdia.minf.stbl"]))
    if data_end != n_file_bytes:
        raise EncodeError(f"it has {n_file_bytes} bytes where its index tells of {data_end}")
    video, audio = tracks[b"vide"], tracks[b"soun"]
    n_frames, fps = _constant_rate(video)
    n_packets, packets_per_s = _constant_rate(audio)
    stss = video["mdia.minf.stbl.stss"]
    width, height = video["tkhd"].unpack(">II", 76)
    _, _, media_time = audio["edts.elst"].unpack(">IIi", 4)
    (rate_hz,) = audio["mdia.mdhd"].unpack(">I", 12)
    return MovieFacts(
        width_px=width >> 16,
        height_px=height >> 16,
        n_frames=n_frames,
        fps=fps,
        picture_starts=tuple(n - 1 for n in stss.numbers("I", 8, *stss.unpack(">I", 4))),
        rate_hz=rate_hz,
        n_audio_frames=n_packets - 1,
        audio_start_s=Fraction(1) / packets_per_s - Fraction(media_time, rate_hz),
        audio_sizes=_sizes(audio["mdia.minf.stbl"])[:-1],
        duration_s=max(n_frames / fps, (n_packets - 1) / packets_per_s),
    )


def _constant_rate(track: _Boxes) -> tuple[int, Fraction]:
    """The number of samples of a track in which all last equally long, and how many a second."""
    (timescale,) = track["mdia.mdhd"].unpack(">I", 12)
    n_runs, count, ticks = track["mdia.minf.stbl.stts"].unpack(">III", 4)
    if n_runs != 1:
        raise EncodeError("its rate is not constant")
    return count, Fraction(timescale, ticks)


def _sizes(table: _Boxes) -> array[int]:
    stsz = table["stsz"]
    _, count = stsz.unpack(">II", 4)
    return stsz.numbers("I", 12, count)


def _data_end(table: _Boxes) -> int:
    """Where the last chunk of a sample table ends in the file."""
    co64, stsc = table["co64"], table["stsc"]
    (n_chunks,) = co64.unpack(">I", 4)
    (n_runs,) = stsc.unpack(">I", 4)
    n_last = stsc.numbers("I", 8, 3 * n_runs)[-2]
    return co64.numbers("Q", 8, n_chunks)[-1] + sum(_sizes(table)[-n_last:])
