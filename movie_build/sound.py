"""A line's sound as the movie takes it: its packets, and the energies its loudness is told by."""

from __future__ import annotations

import struct
from array import array
from dataclasses import dataclass

from movie_build.errors import EncodeError
from movie_build.timeline import AAC_FRAME

_HEAD = struct.Struct("<4sII")
_MAGIC = b"MBS1"


@dataclass(frozen=True, slots=True)
class LineSound:
    """An encoded line: `energies` are the K-weighted mean squares of its 100 ms blocks."""

    n_aac_frames: int
    energies: array[float]
    packets: bytes


def encode(wav: bytes) -> bytes:
    """A finished wav (see `speech`), encoded; read again by `parse`."""
    from movie_build import aac, loudness
    from movie_build.wav import samples_of

    samples = samples_of(wav)
    energies = array("d", loudness.block_energies(samples))
    n_aac_frames = len(samples) // AAC_FRAME
    return (
        _HEAD.pack(_MAGIC, n_aac_frames, len(energies))
        + energies.tobytes()
        + aac.encode_line(samples)
    )


def parse(blob: bytes) -> LineSound:
    """The line that `encode` gave as bytes.

    Raises:
        EncodeError: these are no such bytes.
    """
    try:
        magic, n_aac_frames, n_energies = _HEAD.unpack_from(blob)
    except struct.error as error:
        raise EncodeError("a line's sound is cut short") from error
    start = _HEAD.size + 8 * n_energies
    if magic != _MAGIC or len(blob) <= start:
        raise EncodeError("a line's sound is damaged")
    return LineSound(n_aac_frames, array("d", blob[_HEAD.size : start]), blob[start:])
