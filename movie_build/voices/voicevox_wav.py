"""A wav that an engine sent → sound, or the reason why it is none (RIFF; formats 1 and 3)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from movie_build.pcm import Pcm
from movie_build.service import Retry

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
# −66 dBFS: below this there is no voice, only a noise floor.
_SILENT_PEAK = 0.0005


def decoded(wav: bytes, whose: str) -> Pcm:
    """The sound of `wav`, all its channels mixed to one; `whose` is named in the reason.

    Raises:
        Retry: it is no wav, is cut short, or holds no sound. Asked again, an engine may do better.
    """
    import numpy as np

    if wav[:4] != b"RIFF" or wav[8:12] != b"WAVE":
        from movie_build.voices.voicevox_http import said

        raise Retry(
            f"{whose} sent no wav but {said(wav[:2000])!r}" if wav else f"{whose} sent nothing"
        )
    form, content = b"", None
    at = 12
    while at + 8 <= len(wav):
        name, size = struct.unpack_from("<4sI", wav, at)
        chunk = wav[at + 8 : at + 8 + size]
        if len(chunk) < size:
            raise Retry(f"{whose} sent a wav that is cut short: {len(chunk)} bytes of {size}")
        if name == b"fmt ":
            form = chunk
        elif name == b"data":
            content = chunk
            break
        at += 8 + size + size % 2
    if len(form) < 16 or content is None:
        raise Retry(f"{whose} sent a wav without sound in it")
    samples, rate_hz = _samples(form, content, whose)
    if not len(samples):
        raise Retry(f"{whose} sent a wav header without samples")
    if not np.isfinite(samples).all():
        raise Retry(f"{whose} sent damaged sound (no numbers)")
    if np.abs(samples).max() < _SILENT_PEAK:
        raise Retry(f"{whose} sent silence")
    return Pcm(samples, rate_hz)


def _samples(form: bytes, content: bytes, whose: str) -> tuple[NDArray[np.float32], int]:
    import numpy as np

    kind, n_channels, rate_hz, _, frame, bits = struct.unpack_from("<HHIIHH", form)
    if kind == _EXTENSIBLE and len(form) >= 26:
        (kind,) = struct.unpack_from("<H", form, 24)
    types = {
        (_PCM, 16): ("<i2", 2.0**15),
        (_PCM, 32): ("<i4", 2.0**31),
        (_FLOAT, 32): ("<f4", 1.0),
        (_FLOAT, 64): ("<f8", 1.0),
    }
    if (
        (kind, bits) not in types
        or not n_channels
        or not rate_hz
        or frame != n_channels * bits // 8
    ):
        raise Retry(f"{whose} sent a wav of a kind that is not known (format {kind}, {bits} bits)")
    dtype, full_scale = types[kind, bits]
    if len(content) % frame:
        raise Retry(f"{whose} sent a wav that ends within a sample")
    channels = np.frombuffer(content, dtype).reshape(-1, n_channels)
    return (channels.mean(axis=1) / full_scale).astype(np.float32), rate_hz
