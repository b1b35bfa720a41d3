"""Sounds that tell which text they are: three tones, by the text's hash."""

from __future__ import annotations

import hashlib
import io
import struct

import av
import numpy as np
from numpy.typing import NDArray

from movie_build.pcm import Pcm

RATE_HZ = 24000
DURATION_S = 0.3
# Bands in Hz: from, step, number of steps.
_BANDS = ((300, 20, 60), (2000, 20, 125), (5000, 20, 150))
_ENCODERS = {
    "mp3": ("mp3", "libmp3lame"),
    "flac": ("flac", "flac"),
    "opus": ("ogg", "libopus"),
    "aac": ("adts", "aac"),
}
UNKNOWN_SIZE = 0xFFFFFFFF


def tones_hz(text: str) -> tuple[int, ...]:
    """The tones that say `text`."""
    n = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8])
    tones = []
    for start, step, steps in _BANDS:
        n, k = divmod(n, steps)
        tones.append(start + step * k)
    return tuple(tones)


def said(text: str) -> NDArray[np.int16]:
    """`text` spoken, at `RATE_HZ`."""
    t = np.arange(int(RATE_HZ * DURATION_S)) / RATE_HZ
    sound = sum(np.sin(2 * np.pi * tone * t) for tone in tones_hz(text))
    return (sound / 4 * 32767).astype("<i2")


def heard_hz(pcm: Pcm) -> tuple[int, ...]:
    """The tones that are heard: the strongest of each band, as `tones_hz` gives them."""
    spectrum = np.abs(np.fft.rfft(pcm.samples * np.hanning(len(pcm.samples))))
    hz = np.fft.rfftfreq(len(pcm.samples), 1 / pcm.rate_hz)
    tones = []
    for start, step, steps in _BANDS:
        band = (hz > start - step / 2) & (hz < start + step * steps)
        loudest = hz[band][spectrum[band].argmax()]
        tones.append(start + step * round((loudest - start) / step))
    return tuple(tones)


def wav(samples: NDArray[np.int16], told_bytes: int | None = None) -> bytes:
    """A wav file; `told_bytes` is what its header says instead of the truth."""
    size = samples.nbytes if told_bytes is None else told_bytes
    riff = size if size in (0, UNKNOWN_SIZE) else size + 36
    fmt = struct.pack("<IHHIIHH", 16, 1, 1, RATE_HZ, 2 * RATE_HZ, 2, 16)
    head = b"RIFF" + struct.pack("<I", riff) + b"WAVEfmt " + fmt + b"data" + struct.pack("<I", size)
    return head + samples.tobytes()


def encoded(samples: NDArray[np.int16], format: str) -> bytes:
    """A file of `format` as OpenAI names it; a wav as OpenAI sends it, its size unknown."""
    if format == "pcm":
        return samples.tobytes()
    if format == "wav":
        return wav(samples, UNKNOWN_SIZE)
    container, codec = _ENCODERS[format]
    file = io.BytesIO()
    with av.open(file, "w", format=container) as output:
        stream = output.add_stream(codec, rate=RATE_HZ, layout="mono")
        assert isinstance(stream, av.AudioStream)
        frame = av.AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
        frame.sample_rate = RATE_HZ
        resampler = av.AudioResampler(stream.format, "mono", RATE_HZ, stream.frame_size or 1024)
        for piece in (*resampler.resample(frame), *resampler.resample(None)):
            output.mux(stream.encode(piece))
        output.mux(stream.encode(None))
    return file.getvalue()
