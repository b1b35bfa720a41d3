"""A line's sound as FLAC: half the size of a wav, the same samples, with words about it inside.

Tags are Vorbis comments (RFC 9639, 8.6).
"""

from __future__ import annotations

import hashlib
import io
import struct
from collections.abc import Mapping
from typing import TYPE_CHECKING

from movie_build.errors import SpeechError
from movie_build.wav import RATE_HZ

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_VORBIS_COMMENT = 4
_MOST_BLOCKS = 128
# Of the samples; in the STREAMINFO block, which comes first (RFC 9639, 8.2).
_MD5 = slice(26, 42)


def encode(samples: NDArray[np.int16], tags: Mapping[str, str]) -> bytes:
    """`samples`, one channel at 48 kHz, and `tags` (upper-case names) as a FLAC file."""
    import av

    file = io.BytesIO()
    with av.open(file, "w", format="flac", options={"fflags": "+bitexact"}) as container:
        container.metadata.update(tags)
        stream = container.add_stream("flac", rate=RATE_HZ, layout="mono", format="s16")
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), "s16", "mono")
        frame.sample_rate = RATE_HZ
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return file.getvalue()


def decode(content: bytes) -> NDArray[np.int16]:
    """The samples of a FLAC file that `encode` gave.

    Raises:
        SpeechError: it is none, is damaged, or was changed to another form.
    """
    import av
    import numpy as np

    try:
        with av.open(io.BytesIO(content), "r", format="flac") as container:
            stream = container.streams.audio[0]
            frames = list(container.decode(stream))
            form = (stream.rate, stream.channels, frames[0].format.name)
    except (av.error.FFmpegError, IndexError) as error:
        raise SpeechError("it is no FLAC file, or cut short") from error
    if form != (RATE_HZ, 1, "s16"):
        raise SpeechError(f"it is not one channel of 16 bits at {RATE_HZ} Hz")
    samples: NDArray[np.int16] = np.concatenate([frame.to_ndarray()[0] for frame in frames])
    if hashlib.md5(samples.tobytes(), usedforsecurity=False).digest() != content[_MD5]:
        raise SpeechError("it is damaged")
    return samples


def tags_of(content: bytes) -> dict[str, str]:
    """The tags of a FLAC file, their names in upper case; the beginning of the file is enough.

    Raises:
        SpeechError: it is no FLAC file.
    """
    try:
        return _tags(content)
    except (struct.error, UnicodeDecodeError, IndexError) as error:
        raise SpeechError("it is no FLAC file") from error


def _tags(content: bytes) -> dict[str, str]:
    if content[:4] != b"fLaC":
        raise SpeechError("it is no FLAC file")
    at = 4
    for _ in range(_MOST_BLOCKS):
        kind, size = content[at], int.from_bytes(content[at + 1 : at + 4], "big")
        at += 4
        if kind & 0x7F == _VORBIS_COMMENT:
            return _comments(content[at : at + size])
        if kind & 0x80:
            break
        at += size
    return {}


def _comments(block: bytes) -> dict[str, str]:
    def text(at: int) -> tuple[str, int]:
        (size,) = struct.unpack_from("<I", block, at)
        (raw,) = struct.unpack_from(f"<{size}s", block, at + 4)
        return raw.decode(), at + 4 + size

    _, at = text(0)
    (n_tags,) = struct.unpack_from("<I", block, at)
    at += 4
    found = {}
    for _ in range(n_tags):
        whole, at = text(at)
        name, _, value = whole.partition("=")
        found[name.upper()] = value
    return found
