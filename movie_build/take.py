"""What a voice gave for a line, untouched: kept, because it may have cost money."""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass

from movie_build.errors import SpeechError
from movie_build.pcm import Pcm

_HEAD = struct.Struct("<8sI")
_MAGIC = b"MBTAKE1\n"


@dataclass(frozen=True, slots=True)
class Timed:
    """A sound of the line, such as a mora, from `start_s` to `end_s`; silence has no text.

    `vowel` is the shape of the mouth, where it is known: a i u e o (upper case: voiceless),
    N, cl; pau and sil are silence. It is not kept.
    """

    text: str
    start_s: float
    end_s: float
    vowel: str = ""


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


def joined(takes: Sequence[Take]) -> Take:
    """`takes` one after the other, at the first one's rate; timing only where all tell it."""
    import numpy as np

    from movie_build.resample import resampled

    rate_hz = takes[0].pcm.rate_hz
    # Another release of a server may have another rate, and what it gave before is paid for.
    sounds = [
        take.pcm.samples
        if take.pcm.rate_hz == rate_hz
        else resampled(take.pcm.samples, take.pcm.rate_hz, rate_hz)
        for take in takes
    ]
    timing: list[Timed] = []
    n_before = 0
    for take, sound in zip(takes, sounds, strict=True):
        at_s = n_before / rate_hz
        timing += [Timed(t.text, t.start_s + at_s, t.end_s + at_s, t.vowel) for t in take.timing]
        n_before += len(sound)
    all_tell = all(take.timing for take in takes)
    return Take(Pcm(np.concatenate(sounds), rate_hz), tuple(timing) if all_tell else ())


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
