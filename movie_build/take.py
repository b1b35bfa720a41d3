"""What a voice gave for a line, untouched: kept, because it may have cost money."""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass

from movie_build.errors import SpeechError
from movie_build.pcm import Pcm

_HEAD = struct.Struct("<8sI")
_MAGIC = b"MBTAKE1\n"


@dataclass(frozen=True, slots=True)
class Timed:
    """A sound of the line, such as a mora, from `start_s` to `end_s`; silence has no text."""

    text: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True, eq=False)
class Take:
    """A line as it was spoken; `timing` is empty where the voice does not tell it."""

    pcm: Pcm
    timing: tuple[Timed, ...] = ()

    def to_bytes(self) -> bytes:
        """The take as a file: a JSON head, then the samples as float32, little-endian."""
        timing = [[t.text, t.start_s, t.end_s] for t in self.timing]
        head = json.dumps({"rate_hz": self.pcm.rate_hz, "timing": timing}).encode()
        samples = self.pcm.samples.astype("<f4", copy=False).tobytes()
        return _HEAD.pack(_MAGIC, len(head)) + head + samples


def read_take(content: bytes) -> Take:
    """The take that `to_bytes` gave.

    Raises:
        SpeechError: these are no such bytes.
    """
    import numpy as np

    if len(content) < _HEAD.size or not content.startswith(_MAGIC):
        raise SpeechError("a kept take is damaged; delete it and build again")
    _, n_head_bytes = _HEAD.unpack_from(content)
    start = _HEAD.size + n_head_bytes
    head = json.loads(content[_HEAD.size : start])
    samples = np.frombuffer(content, "<f4", offset=start).astype(np.float32)
    return Take(Pcm(samples, head["rate_hz"]), tuple(Timed(*timed) for timed in head["timing"]))
