"""Chromium's player on a finished movie."""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from encoded_movie import COLOURS, five_pictures

from movie_build import browser_install

_PLAY = """async ([movie, times]) => {
  const bytes = Uint8Array.from(atob(movie), c => c.charCodeAt(0));
  const video = document.createElement("video");
  const when = name => new Promise((ok, fail) => {
    video.addEventListener(name, ok, {once: true});
    video.addEventListener("error", () => fail(new Error(video.error.message)), {once: true});
  });
  const loaded = when("loadeddata");
  video.src = URL.createObjectURL(new Blob([bytes], {type: "video/mp4"}));
  await loaded;
  const canvas = new OffscreenCanvas(video.videoWidth, video.videoHeight);
  const pen = canvas.getContext("2d", {willReadFrequently: true});
  const colours = [];
  for (const time of times) {
    const sought = when("seeked");
    video.currentTime = time;
    await sought;
    pen.drawImage(video, 0, 0);
    colours.push(Array.from(pen.getImageData(canvas.width / 4, canvas.height / 2, 1, 1).data));
  }
  video.muted = true;
  video.playbackRate = 4;
  const ended = when("ended");
  await video.play();
  await ended;
  return {
    colours, duration: video.duration, error: video.error && video.error.message,
    broken: video.getVideoPlaybackQuality().corruptedVideoFrames,
    sound: video.webkitAudioDecodedByteCount,
  };
}"""


def test_chromium_plays_and_seeks(tmp_path: Path) -> None:
    from playwright.sync_api import sync_playwright

    movie = five_pictures()
    path = movie.write(tmp_path / "movie.mp4")
    starts = np.cumsum([0, *(n for n, _ in movie.shots)])
    # the middle of each picture, backwards, and then into the last one's second key frame
    order = [*reversed(range(len(movie.shots))), len(movie.shots) - 1]
    frames = [(starts[n] + starts[n + 1] - 1) / 2 for n in order[:-1]] + [starts[-1] - 2]
    times = [float((frame + 0.5) / 25) for frame in frames]
    flags = ["--autoplay-policy=no-user-gesture-required"]
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=browser_install.find(),
            args=flags if os.getuid() else [*flags, "--no-sandbox"],
        )
        page = chromium.new_page()
        codecs = 'video/mp4; codecs="avc1.64000d, mp4a.40.2"'
        if not page.evaluate("c => document.createElement('video').canPlayType(c)", codecs):
            chromium.close()
            pytest.skip("this Chromium was built without H.264")
        movie_base64 = base64.b64encode(path.read_bytes()).decode()
        told: dict[str, Any] = page.evaluate(_PLAY, [movie_base64, times])
        chromium.close()
    assert (told["error"], told["broken"]) == (None, 0)
    assert told["sound"] > 0
    assert told["duration"] == pytest.approx(movie.n_frames / 25, abs=0.05)
    for colour, n in zip(told["colours"], order, strict=True):
        # Chromium's own conversion to RGB is off by up to 9 in a deep blue or yellow
        assert np.abs(np.array(colour[:3]) - COLOURS[n]).max() <= 10
