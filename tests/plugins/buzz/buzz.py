"""A voice of another package: every letter is a tone."""

import numpy as np

from movie_build.pcm import Pcm


class Buzz:
    remote = False  # it costs nothing: what it gives need not be kept as a take

    def __init__(self, options, service):
        self.pitch_hz = options.get("pitch_hz", 220)

    def identity(self):
        return {"engine": "buzz", "version": 1, "pitch_hz": self.pitch_hz}

    def speak(self, text):
        time_s = np.arange(int(0.08 * len(text) * 48_000)) / 48_000
        return Pcm((0.3 * np.sin(2 * np.pi * self.pitch_hz * time_s)).astype(np.float32), 48_000)
