"""Whole builds with a voice that is paid for: what it gave is kept, and what was no take is not."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256

import av
import numpy as np
import pytest
from conftest import SMALL, Folder
from services.openai_server import BROKEN, SpeechServer, speech_server
from services.sounds import encoded, heard_hz, said, tones_hz
from services.voicevox_engine import Engine

from movie_build.keys import slug
from movie_build.pcm import Pcm
from movie_build.take import read_take

KEY = "sk-a-secret-key"
ENV = {"OPENAI_API_KEY": KEY}
LINE = "This is what line number {} says, and it says it only once."


@pytest.fixture
def server() -> Iterator[SpeechServer]:
    """A server whose sound is as long as its text would take."""
    with speech_server() as running:
        running.answer = spoken
        yield running


def spoken(text: str, format: str) -> tuple[bytes, str]:
    return encoded(np.tile(said(text), 1 + len(text) // 6), format), "audio/mpeg"


def write(
    folder: Folder, server: SpeechServer, n_lines: int, settings: str = "", line: str = LINE
) -> list[str]:
    """Make `folder` a movie of lines that `server` speaks; the lines."""
    lines = [line.format(n) for n in range(n_lines)]
    audio = f"audio: {{engine: openai, model: m, voice: v, base_url: '{server.url}'}}\n"
    folder.write("movie.yaml", f"{SMALL}{audio}prices: {{m: {{characters: 15}}}}\n{settings}")
    told = "".join(f"  - {line}\n" for line in lines)
    folder.write("script.yaml", f"title: T\nsections:\n- title: S\n  narrations:\n{told}")
    return lines


def test_what_cannot_be_the_line_is_asked_for_once_more_and_never_kept(
    folder: Folder, server: SpeechServer
) -> None:
    (line,) = write(folder, server, 1)
    server.answer = lambda text, format: (encoded(said(text), format), "audio/mpeg")
    run = folder.doit("audio", code=1, env=ENV)
    assert "script.yaml:5" in run.err and "something is missing" in run.err
    assert server.calls[line] == 2
    server.answer = spoken
    assert folder.doit("audio", env=ENV).made() == {"audio": 1}
    assert server.calls[line] == 3


def test_a_budget_asks_nothing_of_a_service_whose_price_is_not_known(folder: Folder) -> None:
    folder.write("script.yaml", f"title: T\nsections: [{{title: S, narrations: ['{LINE}']}}]\n")
    folder.write("movie.yaml", SMALL + "audio: {engine: openai, model: tts-1}\nbudget: 0.5\n")
    run = folder.doit("audio", code=1, env=ENV)
    assert "openai: a budget cannot be held while the price of 'tts-1' is not known" in run.err
    assert "`tts-1: {characters: …}` to `prices` in movie.yaml" in run.err


@contextmanager
def building(folder: Folder, n_threads: int) -> Iterator[subprocess.Popen[str]]:
    """A build of the lines, under way."""
    command = [sys.executable, "-m", "doit", "-n", str(n_threads), "audio"]
    process = subprocess.Popen(
        command, cwd=folder.path, env={**os.environ, **ENV}, stderr=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def wait_until(holds: Callable[[], bool]) -> None:
    until_s = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < until_s
        time.sleep(0.01)


def test_killed_at_any_moment_nothing_that_was_answered_is_paid_for_again(
    folder: Folder, server: SpeechServer
) -> None:
    lines = write(folder, server, 9)
    dead = threading.Event()
    answers = itertools.count(1)

    def until_the_kill(text: str, format: str) -> tuple[bytes, str]:
        if next(answers) > 4:
            dead.wait(30)
            raise ConnectionAbortedError
        return spoken(text, format)

    server.answer = until_the_kill
    with building(folder, 3) as process:
        wait_until(lambda: len(folder.files("build/takes/*.take")) == 4)
        wait_until(lambda: server.calls.total() == 7)
        process.send_signal(signal.SIGKILL)
        process.wait()
    dead.set()
    server.answer = spoken
    assert folder.doit("audio", env=ENV).report["costs"]["127.0.0.1"]["calls"] == 5
    assert server.finished == dict.fromkeys(lines, 1)


def test_what_is_asked_for_when_the_run_is_stopped_is_waited_for_and_kept(
    folder: Folder, server: SpeechServer
) -> None:
    lines = write(folder, server, 5)
    stopped = threading.Event()

    def after_the_signal(text: str, format: str) -> tuple[bytes, str]:
        stopped.wait(30)
        return spoken(text, format)

    server.answer = after_the_signal
    with building(folder, 2) as process:
        wait_until(lambda: server.calls.total() == 2)
        process.send_signal(signal.SIGINT)
        assert process.stderr
        told = next(line for line in process.stderr if line.startswith("waiting"))
        assert told == "waiting for 2 answers under way; Ctrl-C again ends at once\n"
        stopped.set()
        assert process.wait(30) == 130
    assert server.calls.total() == 2
    folder.doit("audio", env=ENV)
    assert server.finished == dict.fromkeys(lines, 1)


# Every way to fail; those that make everybody wait come less often, to be quick.
WAYS = (*BROKEN * 3, *("500", "reset", "no answer") * 3, "429", "429 and seconds", "429 and a date")


def one_call_in_five(text: str, nth: int) -> str:
    """How the `nth` call for `text` fails: always the same 20 % of them."""
    n = int.from_bytes(sha256(f"{text} {nth}".encode()).digest()[:4])
    return WAYS[n // 5 % len(WAYS)] if n % 5 == 0 else ""


def test_a_movie_of_300_lines_from_a_failing_service_is_right_and_each_is_paid_for_once(
    folder: Folder, server: SpeechServer
) -> None:
    host = "127.0.0.1"
    settings = f"limits: {{{host}: {{at_once: 16}}}}\nbudget: 1\n"
    lines = write(folder, server, 300, settings, "Line {}.")
    assert len(set(map(tones_hz, lines))) == 300, "tones must tell lines apart"
    server.fault, server.retry_after_s = one_call_in_five, 1
    server.answer = lambda text, format: (encoded(said(text), format), "audio/mpeg")
    run = folder.doit("-n", "16", env=ENV)

    assert run.made() == {"audio": 300, "slide": 1, "picture": 1, "movie": 1}
    assert server.finished == dict.fromkeys(lines, 1)
    assert set(server.failed) == set(WAYS)
    assert server.failed.total() / server.calls.total() == pytest.approx(0.2, abs=0.01)
    takes = folder.files("build/takes/*.take")
    by_slug = {slug(line): line for line in lines}
    assert len(takes) == len(by_slug) == 300
    for name, content in takes.items():
        assert heard_hz(read_take(content).pcm) == tones_hz(by_slug[name.partition(".")[0]]), name
    assert [heard_hz(sound) for sound in heard_lines(folder, lines)] == [*map(tones_hz, lines)]
    costs = json.loads((folder.path / "build/costs.json").read_text())
    use, n_broken = costs["services"][host], sum(server.failed[way] for way in BROKEN)
    assert (use["calls"], use["broken"]) == (300 + n_broken, n_broken)
    assert costs["total_usd"] == pytest.approx(use["characters"] * 15 / 1e6, abs=1e-6)

    n_calls = server.calls.total()
    assert folder.doit(env=ENV).made() == {} and server.calls.total() == n_calls


def heard_lines(folder: Folder, lines: list[str]) -> Iterator[Pcm]:
    """What is heard in the movie while each of `lines` stands in its captions."""
    with av.open(str(folder.path / "dist/movie.mp4")) as movie:
        resampler = av.AudioResampler("flt", "mono", 48_000)
        frames = [f for packet in movie.decode(audio=0) for f in resampler.resample(packet)]
    sound = np.concatenate([frame.to_ndarray()[0] for frame in frames])
    cues = [
        cue.split("\n", 2) for cue in (folder.path / "dist/movie.srt").read_text().split("\n\n")
    ]
    left = iter([(*map(second, times.split(" --> ")), text) for _, times, text in cues])
    for line in lines:
        start_s, end_s, text = next(left)
        while words(text) != words(line):
            _, end_s, more = next(left)
            text = f"{text} {more}"
        yield Pcm(sound[round(start_s * 48_000) : round(end_s * 48_000)], 48_000)


def second(time: str) -> float:
    """`00:01:02,500` in seconds."""
    hours, minutes, seconds = time.replace(",", ".").split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)


def words(text: str) -> list[str]:
    return text.split()


def test_of_a_line_too_long_for_one_call_no_part_is_paid_for_twice(
    folder: Folder, server: SpeechServer
) -> None:
    parts = [f"Part {n} says {letter * 4000}." for n, letter in enumerate("aeo")]
    dead = threading.Event()

    def until_the_kill(text: str, format: str) -> tuple[bytes, str]:
        if text == parts[2] and not dead.is_set():
            dead.wait(30)
            raise ConnectionAbortedError
        return encoded(np.tile(said(text), 3), format), "audio/mpeg"

    server.answer = until_the_kill
    write(folder, server, 0)
    folder.write(
        "script.yaml", f"title: T\nsections: [{{title: S, narrations: [{' '.join(parts)}]}}]"
    )
    with building(folder, 1) as process:
        wait_until(lambda: server.calls.total() == 3)
        process.send_signal(signal.SIGKILL)
        process.wait()
    dead.set()
    assert folder.doit("audio", env=ENV).report["costs"]["127.0.0.1"]["calls"] == 1
    assert server.finished == dict.fromkeys(parts, 1)
    (take,) = map(read_take, folder.files("build/takes/*.take").values())
    third = len(take.pcm.samples) // 3
    heard = [Pcm(take.pcm.samples[n * third :][:third], take.pcm.rate_hz) for n in range(3)]
    assert [*map(heard_hz, heard)] == [*map(tones_hz, parts)]


def test_of_a_line_too_long_for_an_engine_no_part_is_spoken_twice(folder: Folder) -> None:
    parts = ["これはとてもながいぶんです。" * 50, "そしてこれはさいごのぶんです。" * 45]
    script = f"title: T\nlanguage: ja\nsections: [{{title: S, narrations: [{''.join(parts)}]}}]\n"
    folder.write("script.yaml", script)
    with Engine() as engine:
        folder.write(
            "movie.yaml", f"{SMALL}audio: {{engine: voicevox, base_url: '{engine.url}'}}\n"
        )
        engine.fail("/synthesis", "", "400")
        assert "script.yaml:3" in folder.doit("audio", code=1).err
        folder.doit("audio")
        asked = [params["text"] for params in engine.asked("/audio_query")]
        assert asked == [*parts, parts[1]]
    (timing,) = folder.files("build/audio/*.timing.json").values()
    assert "".join(mora["text"] for mora in json.loads(timing)["timing"]).endswith("ブンデス")


def test_a_server_of_ones_own_is_counted_and_limited_by_its_host_and_free(
    folder: Folder, server: SpeechServer
) -> None:
    under_way, most, lock = [0], [0], threading.Lock()

    def counted(text: str, format: str) -> tuple[bytes, str]:
        with lock:
            under_way[0] += 1
            most[0] = max(most[0], under_way[0])
        time.sleep(0.02)
        with lock:
            under_way[0] -= 1
        return spoken(text, format)

    server.answer = counted
    write(folder, server, 6, "limits: {127.0.0.1: {at_once: 1}}\nbudget: 0\n")
    folder.edit("movie.yaml", "prices: {m: {characters: 15}}\n", "")
    run = folder.doit("-n", "6", "audio")
    assert most[0] == 1
    assert run.report["costs"].keys() == {"127.0.0.1"}
    assert "127.0.0.1 6 calls" in run.out and "$" not in run.out
