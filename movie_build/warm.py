"""What the first edit would wait for, done while nothing is to be done: imports, a browser."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from movie_build.errors import MovieBuildError
from movie_build.project import Project


def begin(folder: Path) -> None:
    """Warm up for builds of the movie in `folder`, in a thread of its own."""
    threading.Thread(target=_warm, args=(folder,), name="warm", daemon=True).start()


def _warm(folder: Path) -> None:
    acts: tuple[Callable[[], None], ...] = (lambda: _read(folder), lambda: _speak(folder), _draw)
    for act in acts:
        # Told when it is really needed.
        with suppress(MovieBuildError):
            act()
    gc.collect()
    gc.freeze()


def _read(folder: Path) -> None:
    """The movie's files, understood anew: the models of their keys are made at first use."""
    from movie_build.movie import load

    load(Project(folder), cached=False)


def _speak(folder: Path) -> None:
    """A line, spoken by its voice and encoded, and thrown away; only if that asks no service."""
    from movie_build import aac, h264, mp4
    from movie_build.session import Session

    session = Session(folder, look_only=True)
    lines = [line for drawn in session.graph.sections for line in drawn.lines]
    line = next(
        (
            line
            for line in lines
            if not any(piece.remote or piece.needs for piece in line.pieces[:1])
        ),
        None,
    )
    if line:
        _ = aac, h264, mp4
        line.audio.make(session.bench)
        line.sound.make(session.bench)


def _draw() -> None:
    """A page the size of a stamp, where there is a browser already."""
    from movie_build import browser, browser_install

    if browser_install.find():
        browser.shared().screenshot(browser.Page("<p>", 64, 64))
