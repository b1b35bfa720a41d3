"""The bytes of a sound file → PCM, or what is wrong with them."""

from __future__ import annotations

import io

from movie_build.pcm import Pcm
from movie_build.sound_container import BrokenSound, container, is_text, whole

# Encoders pad, and containers round: this much of what a header promises may be missing.
_MISSING_S = 0.15


def decoded(sound: bytes, raw_rate_hz: int | None = None) -> Pcm:
    """The sound of a wav, mp3, flac, Ogg, AAC, MP4, Matroska, AIFF, CAF or AU file, mixed to mono.

    With `raw_rate_hz`, bytes without a header are 16-bit little-endian mono samples at that rate.

    Raises:
        BrokenSound: it is empty, no sound, cut short, or cannot be decoded to its end.
    """
    if not sound:
        raise BrokenSound("it is empty")
    name = container(sound)
    if name is not None:
        return _mixed_down(whole(sound, name), name)
    if is_text(sound):
        raise BrokenSound("it is text and no sound")
    if raw_rate_hz is None:
        raise BrokenSound("it is no sound in a known format")
    return _raw(sound, raw_rate_hz)


def _raw(sound: bytes, rate_hz: int) -> Pcm:
    import numpy as np

    if len(sound) % 2:
        raise BrokenSound("the sound is cut short in the middle of a sample")
    return Pcm(np.frombuffer(sound, "<i2").astype(np.float32) / np.float32(32768), rate_hz)


def _mixed_down(sound: bytes, name: str) -> Pcm:
    import av
    import numpy as np

    try:
        # A tag in a legacy encoding is no reason to refuse a sound.
        with av.open(io.BytesIO(sound), "r", format=name, metadata_errors="replace") as file:
            if not file.streams.audio:
                raise BrokenSound("it holds no sound")
            stream = file.streams.audio[0]
            # Layouts with a centre are mixed as ITU-R BS.775 has it.
            mixer = av.AudioResampler(format="fltp", layout="mono", rate=stream.rate)
            chunks = [
                mixed.to_ndarray()[0]
                for frame in (*file.decode(stream), None)
                for mixed in mixer.resample(frame)
            ]
            rate_hz = stream.rate
            promised_s = (file.duration or 0) / av.time_base
    except av.error.FFmpegError as error:
        raise BrokenSound(f"it cannot be decoded ({error.strerror})") from error
    if not any(map(len, chunks)):
        raise BrokenSound("it holds no sound")
    pcm = Pcm(np.concatenate(chunks).astype(np.float32, copy=False), rate_hz)
    if pcm.duration_s < promised_s - _MISSING_S:
        raise BrokenSound(
            f"the sound is cut short: {pcm.duration_s:.1f} s of {promised_s:.1f} s are there"
        )
    return pcm
