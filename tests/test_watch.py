"""`movie-build watch`: every save is a finished movie, and no mistake ends it."""

from __future__ import annotations

import queue
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from conftest import SMALL, Folder
from PIL import Image

from movie_build.saves import Followed, Saves

TEMPLATES = Path(__file__).parents[1] / "templates"
LINES = [f"This is line number {n} of the movie." for n in range(1, 7)]
SCRIPT = "title: T\nsections:\n- title: One slide\n  narrations:\n" + "".join(
    f"  - {line}\n" for line in LINES
)
BUILT = "dist/movie.mp4"


class Watcher:
    """`movie-build watch` at work in a folder; what it prints is read line by line."""

    def __init__(self, folder: Folder) -> None:
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-m", "movie_build.cli", "watch"],
            cwd=folder.path,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._lines: queue.Queue[str] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self._lines.put(line)

    def until(self, text: str) -> list[str]:
        """The lines printed up to the first that has `text` in it."""
        said = []
        ends = time.monotonic() + 60
        while time.monotonic() < ends:
            try:
                said.append(self._lines.get(timeout=0.2))
            except queue.Empty:
                assert self.process.poll() is None, "".join(said)
                continue
            assert "Traceback" not in said[-1], self.until("Error")
            if text in said[-1]:
                return said
        raise AssertionError(f"no {text!r} in:\n{''.join(said)}")

    def made(self) -> dict[str, int]:
        """How many units of each step the next build that is told made."""
        counts = [line.split() for line in self.until(BUILT) if "reused" in line]
        return {words[0]: int(words[1]) for words in counts if words[1] != "0"}

    def says_nothing(self, for_s: float) -> bool:
        """Whether nothing is printed for a while."""
        time.sleep(for_s)
        return self._lines.empty()

    def end(self, sent: int = signal.SIGINT) -> int:
        """Stop it by a signal; its exit code."""
        self.process.send_signal(sent)
        return self.process.wait(20)

    def close(self) -> None:
        """End it whatever it is at."""
        self.process.kill()
        self.process.wait()
        self._reader.join()
        assert self.process.stdout
        self.process.stdout.close()


@contextmanager
def watched(folder: Folder) -> Iterator[Watcher]:
    """A watcher that has made the first movie."""
    watcher = Watcher(folder)
    try:
        watcher.until("watching movie")
        yield watcher
    finally:
        watcher.close()


@pytest.fixture
def watching(folder: Folder) -> Iterator[Watcher]:
    """A watcher in a folder that has no dodo.py."""
    folder.write("script.yaml", SCRIPT)
    (folder.path / "dodo.py").unlink()
    with watched(folder) as watcher:
        yield watcher


def saved_like_an_editor(path: Path, text: str) -> None:
    """Written beside it, then put in its place, as many editors save."""
    beside = path.with_name(f".{path.name}.swp")
    beside.write_text(text)
    beside.replace(path)


def clean_build(folder: Folder, elsewhere: Path) -> bytes:
    """The movie of the same files, built from nothing."""
    clean = Folder(elsewhere / "movie")
    for name in ("script.yaml", "movie.yaml"):
        clean.write(name, (folder.path / name).read_text())
    clean.run(
        sys.executable,
        "-m",
        "movie_build.cli",
        "build",
        env={"MOVIE_BUILD_CACHE": str(elsewhere / "cache")},
    )
    return clean.mp4


def test_each_save_makes_what_changed_and_no_more(watching: Watcher, tmp_path: Path) -> None:
    folder = watching.folder
    folder.edit("script.yaml", "number 3", "number three")
    assert watching.made() == {"audio": 1, "movie": 1}
    script = folder.path / "script.yaml"
    saved_like_an_editor(script, script.read_text().replace("One slide", "Another title"))
    assert watching.made() == {"slide": 1, "picture": 1, "movie": 1}
    folder.write("movie.yaml", SMALL + "narration: {ending_pause: 2}\n")
    assert watching.made() == {"movie": 1}
    assert folder.mp4 == clean_build(folder, tmp_path / "clean")
    # Its own files, and those that no movie is made from, are none of its business.
    folder.write("build/anything.txt", "x")
    folder.write("notes.txt~", "x")
    assert watching.says_nothing(0.7)
    assert watching.end() == 0


def test_a_mistake_is_told_and_waited_on(watching: Watcher) -> None:
    before = watching.folder.mp4
    watching.folder.edit("script.yaml", "narrations", "narations")
    (told,) = watching.until("narations")
    assert told == (
        "script.yaml:4: sections[0].narations: no such key; did you mean 'narrations'?\n"
    )
    assert watching.folder.mp4 == before
    watching.folder.edit("script.yaml", "narations", "narrations")
    assert watching.made() == {}
    watching.folder.edit("script.yaml", LINES[0], "...")
    assert any("script.yaml:5" in line for line in watching.until("script.yaml:5"))
    watching.folder.edit("script.yaml", "...", "Something that can be said.")
    assert watching.made() == {"audio": 1, "movie": 1}


def test_a_script_that_goes_away_is_waited_for(watching: Watcher) -> None:
    script = watching.folder.path / "script.yaml"
    text = script.read_text()
    script.unlink()
    watching.until("script.yaml")
    script.write_text(text.replace("number 1", "number one"))
    assert watching.made() == {"audio": 1, "movie": 1}


def test_a_save_during_a_build_is_in_the_movie(watching: Watcher, tmp_path: Path) -> None:
    for n in range(4):
        text = SCRIPT.replace("line number", f"{'very ' * n} long line number")
        watching.folder.write("script.yaml", text)
        time.sleep(0.15)
    watching.until(BUILT)
    wanted = clean_build(watching.folder, tmp_path / "clean")
    ends = time.monotonic() + 30
    while watching.folder.mp4 != wanted and time.monotonic() < ends:
        time.sleep(0.1)
    assert watching.folder.mp4 == wanted


def test_a_save_that_takes_its_time_is_waited_for(watching: Watcher) -> None:
    script = watching.folder.path / "script.yaml"
    text = script.read_text().replace("number 2", "number two")
    half = text.index("ations")
    with script.open("w") as file:  # emptied; then written as a busy machine gets to it
        time.sleep(0.15)
        file.write(text[:half])
        file.flush()
        time.sleep(0.3)
        file.write(text[half:])
    said = watching.until(BUILT)
    assert not [line for line in said if "script.yaml" in line], "half of it was read"
    assert [line.split()[:2] for line in said[:1]] == [["audio", "1"]], said


def test_a_save_under_way_is_seen_though_others_are_followed_meanwhile(tmp_path: Path) -> None:
    script, theme = tmp_path / "movie/script.yaml", tmp_path / "theme"
    for folder in (script.parent, theme):
        folder.mkdir()
    none: frozenset[Path] = frozenset()
    saves = Saves(Followed(script.parent, none, none))
    try:
        with script.open("w") as file:
            file.write("title: T")
            file.flush()
            time.sleep(0.3)
            assert not saves.seen.is_set()
            saves.follow(Followed(script.parent, none, none, frozenset([theme])))
        assert saves.seen.wait(5)
        assert saves.another(), "no save is waited for without end"
        saves.seen.clear()
        assert not saves.another()
    finally:
        saves.close()


def test_a_theme_and_a_picture_are_watched_wherever_they_lie(
    folder: Folder, tmp_path: Path
) -> None:
    css = shutil.copytree(TEMPLATES / "default", tmp_path / "theme") / "slide.css"
    picture = tmp_path / "a.png"
    Image.new("RGB", (800, 600), "navy").save(picture)
    folder.write("movie.yaml", SMALL.replace("{", "{theme: ../theme, "))
    folder.write("script.yaml", SCRIPT.replace("  narr", "  image: ../a.png\n  narr"))
    # The slide may have been made by a build that began at half of the save and was left.
    remade = {"picture": 1, "movie": 1}.items()
    with watched(folder) as watcher:
        Image.new("RGB", (800, 600), "teal").save(picture)
        assert watcher.made().items() >= remade
        css.write_text(css.read_text() + "h1 { letter-spacing: 0.2em }")
        assert watcher.made().items() >= remade
        assert watcher.end(signal.SIGTERM) == 143
