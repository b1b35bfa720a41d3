"""The boxes of an MP4's index: what each track holds, and where in the file it lies.

Boxes are of ISO/IEC 14496-12 where nothing else is said. All times of creation
are zero, so that the same movie has the same bytes whenever it is made.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import groupby
from struct import pack

from movie_build.errors import EncodeError

MOVIE_TIMESCALE = 48_000
# the matrix of a picture shown as it is
IDENTITY = (0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
_ENABLED, _IN_MOVIE = 1, 2
# ISO 639-1 to ISO 639-2/T, which is all that a media header can name
_LANGUAGES = (
    "af=afr am=amh ar=ara az=aze be=bel bg=bul bn=ben bs=bos ca=cat cs=ces cy=cym da=dan"
    " de=deu el=ell en=eng eo=epo es=spa et=est eu=eus fa=fas fi=fin fr=fra ga=gle gl=glg"
    " gu=guj he=heb hi=hin hr=hrv hu=hun hy=hye id=ind is=isl it=ita ja=jpn ka=kat kk=kaz"
    " km=khm kn=kan ko=kor la=lat lo=lao lt=lit lv=lav mk=mkd ml=mal mn=mon mr=mar ms=msa"
    " my=mya nb=nob ne=nep nl=nld nn=nno no=nor pa=pan pl=pol pt=por ro=ron ru=rus si=sin"
    " sk=slk sl=slv sq=sqi sr=srp sv=swe sw=swa ta=tam te=tel th=tha tl=tgl tr=tur uk=ukr"
    " ur=urd uz=uzb vi=vie zh=zho zu=zul"
)
_ISO_639_2 = dict(pair.split("=") for pair in _LANGUAGES.split())


def box(kind: str, *parts: bytes) -> bytes:
    """A box of four-letter `kind` that holds `parts`."""
    content = b"".join(parts)
    return pack(">I4s", 8 + len(content), kind.encode("latin-1")) + content


def full_box(kind: str, version: int, flags: int, *parts: bytes) -> bytes:
    """A box with a version and flags."""
    return box(kind, pack(">I", version << 24 | flags), *parts)


@dataclass(slots=True)
class SampleTable:
    """Where a track's samples are and how long each lasts.

    `runs` are (number of samples, ticks of each); `chunking` is the number of
    samples in each second's chunk, which may be 0. Sizes in bytes and the
    chunks' places in the file are filled in as the samples are written.
    """

    runs: Sequence[tuple[int, int]]
    chunking: Sequence[int]
    keyframes: array[int] | None = None
    sizes: array[int] = field(default_factory=lambda: array("I"))
    offsets: array[int] = field(default_factory=lambda: array("Q"))

    @classmethod
    def of_runs(
        cls, runs: Sequence[tuple[int, int]], timescale: int, keyframes: array[int] | None = None
    ) -> SampleTable:
        """A table to fill, with a chunk for every second in which a sample begins."""
        chunking, tick = [0], 0
        for count, ticks in runs:
            n_left = count
            while n_left:
                n_ticks_left = len(chunking) * timescale - tick
                n_now = min(n_left, -(-n_ticks_left // ticks))
                if n_now > 0:
                    chunking[-1] += n_now
                    tick += n_now * ticks
                    n_left -= n_now
                else:
                    chunking.append(0)
        return cls(runs, chunking, keyframes)

    @property
    def n_ticks(self) -> int:
        """The length of all samples together."""
        return sum(count * ticks for count, ticks in self.runs)

    def unwritten(self) -> SampleTable:
        """The table with every number in place, all sizes and offsets zero: it is as long."""
        n_chunks = sum(map(bool, self.chunking))
        return SampleTable(
            self.runs,
            self.chunking,
            self.keyframes,
            array("I", [0]) * sum(count for count, _ in self.runs),
            array("Q", [0]) * n_chunks,
        )

    def boxes(self) -> bytes:
        """The table as boxes: stts, stss, stsc, stsz, co64."""
        counts = [count for count in self.chunking if count]
        chunk_runs, first = [], 1
        for count, group in groupby(counts):
            chunk_runs.append((first, count))
            first += len(list(group))
        sync = b""
        if self.keyframes is not None:
            numbers = array("I", [frame + 1 for frame in self.keyframes])
            sync = full_box("stss", 0, 0, pack(">I", len(numbers)), _big_endian(numbers))
        return b"".join(
            (
                full_box("stts", 0, 0, _rows(self.runs)),
                sync,
                full_box("stsc", 0, 0, _rows([(first, n, 1) for first, n in chunk_runs])),
                full_box("stsz", 0, 0, pack(">II", 0, len(self.sizes)), _big_endian(self.sizes)),
                full_box("co64", 0, 0, pack(">I", len(self.offsets)), _big_endian(self.offsets)),
            )
        )


@dataclass(frozen=True, slots=True)
class TrackHeader:
    """What a track is: its handler, its sample description, where and how it is shown.

    `skipped_ticks` at the start are decoded but not presented; `extra` are
    further boxes for the sample table, `chapters` the number of the track that
    names the chapters.
    """

    number: int
    handler: str
    name: str
    timescale: int
    description: bytes
    media_header: bytes
    language: str = ""
    is_enabled: bool = True
    group: int = 0
    volume: int = 0
    size_px: tuple[int, int] = (0, 0)
    top_px: int = 0
    skipped_ticks: int = 0
    extra: bytes = b""
    chapters: int = 0


@dataclass(frozen=True, slots=True)
class Track:
    """A track to write: its header, its table, and its samples in order."""

    header: TrackHeader
    table: SampleTable
    samples: Iterator[bytes]


def track_box(track: TrackHeader, table: SampleTable) -> bytes:
    """The trak box of a track.

    Raises:
        EncodeError: the track is too long for 32-bit times.
    """
    n_presented = table.n_ticks - track.skipped_ticks
    duration = round(Fraction(n_presented * MOVIE_TIMESCALE, track.timescale))
    if max(table.n_ticks, duration) >= 1 << 32:
        hours = n_presented // track.timescale // 3600
        raise EncodeError(
            f"a movie of {hours} hours at this frame rate is too long for an MP4's clock;"
            " split it, or use a frame rate such as 30 or 30000/1001"
        )
    matrix = (*IDENTITY[:7], track.top_px << 16, IDENTITY[8])
    width_px, height_px = track.size_px
    tkhd = full_box(
        "tkhd",
        0,
        _IN_MOVIE | (_ENABLED if track.is_enabled else 0),
        pack(">5I8x", 0, 0, track.number, 0, duration),
        pack(">4H", 0, track.group, track.volume, 0),
        pack(">9i2I", *matrix, width_px << 16, height_px << 16),
    )
    edits = full_box("elst", 0, 0, pack(">IIiI", 1, duration, track.skipped_ticks, 0x10000))
    media = (
        full_box("mdhd", 0, 0, pack(">4I", 0, 0, track.timescale, table.n_ticks),
                 pack(">HH", _packed_language(track.language), 0)),
        _handler(track.handler, track.name),
        full_box("elng", 0, 0, track.language.encode() + b"\0") if track.language else b"",
        box(
            "minf",
            track.media_header,
            box("dinf", full_box("dref", 0, 0, pack(">I", 1), full_box("url ", 0, 1))),
            box("stbl", full_box("stsd", 0, 0, pack(">I", 1), track.description),
                table.boxes(), track.extra),
        ),
    )  # fmt: skip
    chapters = box("tref", box("chap", pack(">I", track.chapters))) if track.chapters else b""
    return box("trak", tkhd, box("edts", edits), chapters, box("mdia", *media))


def movie_header(tracks: Sequence[tuple[TrackHeader, SampleTable]]) -> bytes:
    """The mvhd box of a movie of `tracks`."""
    duration = max(
        round(Fraction((table.n_ticks - track.skipped_ticks) * MOVIE_TIMESCALE, track.timescale))
        for track, table in tracks
    )
    return full_box(
        "mvhd",
        0,
        0,
        pack(">4I", 0, 0, MOVIE_TIMESCALE, duration),
        pack(">IH10x9i24xI", 0x10000, 0x100, *IDENTITY, len(tracks) + 1),
    )


def metadata_box(title: str, description: str) -> bytes:
    """What a movie is called and is about, as players look for it: iTunes metadata, in a meta box.

    Nothing where both are empty.
    """
    values = b"".join(
        box(kind, box("data", pack(">II", 1, 0), text.encode()))
        for kind, text in (("\xa9nam", title), ("desc", description))
        if text
    )
    handler = full_box("hdlr", 0, 0, pack(">I4s4s9x", 0, b"mdir", b"appl"))
    return full_box("meta", 0, 0, handler, box("ilst", values)) if values else b""


def _handler(kind: str, name: str) -> bytes:
    return full_box("hdlr", 0, 0, pack(">I4s12x", 0, kind.encode()), name.encode() + b"\0")


def _packed_language(tag: str) -> int:
    primary = tag.partition("-")[0].lower()
    code = _ISO_639_2.get(primary, primary)
    if len(code) != 3 or not (code.isascii() and code.isalpha()):
        code = "und"
    first, second, third = (ord(letter) - 0x60 for letter in code)
    return first << 10 | second << 5 | third


def _rows(rows: Sequence[tuple[int, ...]]) -> bytes:
    return pack(">I", len(rows)) + _big_endian(array("I", [n for row in rows for n in row]))


def _big_endian(numbers: array[int]) -> bytes:
    if sys.byteorder == "little":
        numbers = numbers[:]
        numbers.byteswap()
    return numbers.tobytes()
