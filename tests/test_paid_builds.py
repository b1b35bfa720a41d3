"""Whole builds with a voice that is paid for: what it gave is kept, and what was no take is not."""

from __future__ import annotations

from collections.abc import Iterator

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
