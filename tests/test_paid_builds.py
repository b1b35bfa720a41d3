"""Whole builds with a voice that is paid for: what it gave is kept, and what was no take is not."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from conftest import SMALL, Folder
from services.openai_server import SpeechServer, speech_server
from services.sounds import encoded, said

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


def write(folder: Folder, server: SpeechServer, n_lines: int, settings: str = "") -> list[str]:
    """Make `folder` a movie of lines that `server` speaks; the lines."""
    lines = [LINE.format(n) for n in range(n_lines)]
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
    assert "`prices` in movie.yaml" in run.err


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
    assert folder.doit("audio", env=ENV).report["costs"]["openai"]["calls"] == 5
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
