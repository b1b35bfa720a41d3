"""`movie-build plan` and `doit plan`: what a build would do, told without writing a byte."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import DODO, SMALL, Folder

SCRIPT = """title: Numbers
sections:
- title: First slide
  narrations:
  - This is line number one.
  - This is line number two.
- title: Second slide
  narrations:
  - This is line number three.
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a finished `movie` of three lines on two slides, and its `cache`."""
    base = tmp_path_factory.mktemp("plan")
    folder = Folder(base / "movie")
    folder.write("dodo.py", DODO)
    folder.write("movie.yaml", SMALL)
    folder.write("script.yaml", SCRIPT)
    folder.doit(env={"MOVIE_BUILD_CACHE": str(base / "cache")})
    return base


@pytest.fixture
def movie(built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    """A copy of the finished movie, with its store."""
    shutil.copytree(built, tmp_path / "copy")
    monkeypatch.setenv("MOVIE_BUILD_CACHE", str(tmp_path / "copy/cache"))
    return Folder(tmp_path / "copy/movie")


def planned(folder: Folder, *args: str) -> str:
    """What `movie-build plan` says, after seeing that it and `doit plan` write nothing."""
    base = folder.path.parent
    before = tree(base)
    said = folder.run(sys.executable, "-m", "movie_build.cli", "plan", *args).out.strip()
    assert folder.doit("plan", *args).out.strip() == said
    assert tree(base) == before
    return said


def tree(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    """Every file and folder below `folder`: size, time and bytes."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.name == "report.json":
            continue  # removed by `Folder.run`
        stat = path.stat()
        own = 0 if path.is_dir() else stat.st_mtime_ns
        content = b"" if path.is_dir() else path.read_bytes()
        found[str(path)] = (stat.st_size * path.is_file(), own, content)
    return found


def test_before_the_first_build_everything_is_to_be_made(folder: Folder) -> None:
    folder.write("script.yaml", SCRIPT)
    told = "3 lines to speak (74 characters), 2 slides, 2 pictures, 1 movie; 0 reused"
    assert planned(folder) == told
    assert sorted(path.name for path in folder.path.iterdir()) == [
        "dodo.py",
        "movie.yaml",
        "script.yaml",
    ]


def test_with_nothing_changed_nothing_is_to_be_made(movie: Folder) -> None:
    assert planned(movie) == "nothing to make; 8 reused"


def test_an_edit_is_planned_as_it_is_then_built(movie: Folder) -> None:
    movie.edit("script.yaml", "number two", "number twenty-two")
    movie.edit("script.yaml", "Second slide", "Other slide")
    said = planned(movie)
    assert said.startswith(
        "1 line to speak (31 characters), 1 slide, 1 picture, 1 movie; 4 reused; about "
    )
    assert said.endswith(" s")
    told = json.loads(planned(movie, "--json"))
    assert told["pieces"] == [
        "audio line 2 (script.yaml:6)",
        'slide 2 "Other slide" (script.yaml:7)',
        'picture 2 "Other slide" (script.yaml:7)',
        "movie dist/movie.mp4",
    ]
    made = movie.doit().made()
    assert made == {step: plan["make"] for step, plan in told["steps"].items()}
    assert planned(movie) == "nothing to make; 8 reused"


def test_what_the_store_has_is_reused(movie: Folder) -> None:
    shutil.rmtree(movie.path / "build")
    shutil.rmtree(movie.path / "dist")
    assert planned(movie).startswith("1 movie; 7 reused (7 from the store)")
    assert movie.doit().made() == {"movie": 1}


def test_a_script_that_is_still_to_be_written_is_said_to_be(folder: Folder) -> None:
    folder.write("page.md", "# Title\n\nSome words of it.\n")
    folder.write("movie.yaml", SMALL + "source: page.md\n")
    assert planned(folder) == "1 script to write from page.md, then what it says"


def test_a_paid_voice_has_its_price(folder: Folder) -> None:
    folder.write("script.yaml", SCRIPT)
    paid = "audio: {engine: openai, model: tts-1}\n"
    folder.write("movie.yaml", SMALL + paid + "prices: {tts-1: {characters: 15}}\n")
    assert "; 0 reused; about $0.0011" in planned(folder)
    folder.write("movie.yaml", SMALL + paid)
    assert "; 0 reused; price of tts-1 not known" in planned(folder)


def test_a_mistake_in_the_script_is_told_and_nothing_planned(movie: Folder) -> None:
    movie.edit("script.yaml", "narrations", "narations")
    for command in (["-m", "movie_build.cli", "plan"], ["-m", "doit", "plan"]):
        run = movie.run(sys.executable, *command, code=1)
        assert run.out == "" and "script.yaml:4: " in run.err and "did you mean" in run.err


def test_several_movies_are_planned_one_a_line(movie: Folder) -> None:
    projects = movie.path.parent / "all/projects"
    shutil.copytree(movie.path, projects / "one")
    shutil.copytree(movie.path, projects / "two")
    base = Folder(projects.parent)
    base.write("dodo.py", "from movie_build.tasks import movies\n\nmovies(globals(), __file__)\n")
    Folder(projects / "two").edit("script.yaml", "number three", "number thirty")
    one, two = planned(base).splitlines()
    assert one == "one: 1 movie; 7 reused; about 1 s"
    assert two.startswith("two: 1 line to speak (27 characters), 1 movie; 6 reused")
    assert base.doit("plan", "two").out.strip() == two.removeprefix("two: ")


def test_a_killed_build_is_planned_without_rolling_its_records_back(movie: Folder) -> None:
    """The journal that a kill leaves is rolled back in a copy, not in the project."""
    writer = (
        "import os, signal, sqlite3\n"
        "db = sqlite3.connect('build/records.sqlite', isolation_level=None)\n"
        "db.execute('PRAGMA cache_size=1')\n"
        "db.execute('BEGIN IMMEDIATE')\n"
        "db.execute('UPDATE records SET recipe = hex(randomblob(200000))')\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", writer], cwd=movie.path, check=False)
    assert done.returncode == -signal.SIGKILL
    assert (movie.path / "build/records.sqlite-journal").stat().st_size > 0
    assert planned(movie) == "nothing to make; 8 reused"


def test_a_price_of_0_is_known_and_a_server_of_ones_own_is_free(folder: Folder) -> None:
    folder.write("script.yaml", SCRIPT)
    for url, prices, told in (
        ("", "{}", "; price of tts-1 not known"),
        ("", "{tts-1: {image: 1}}", "; price of tts-1 not known"),
        ("", "{tts-1: {characters: 15}}", "; about $0.0011"),
        ("", "{tts-1: {characters: 0}}", ""),
        ("http://127.0.0.1:8880/v1", "{}", ""),
    ):
        voice = f"audio: {{engine: openai, model: tts-1, base_url: '{url}'}}\n"
        folder.write("movie.yaml", f"{SMALL}{voice}prices: {prices}\n")
        said = folder.run(sys.executable, "-m", "movie_build.cli", "plan").out.strip()
        assert said.startswith("3 lines to speak (74 characters), 2 slides, ")
        assert said.endswith(f"0 reused{told}"), (url, prices)
    folder.write("script.yaml", SCRIPT.replace("First slide", "First slide\n  slide_prompt: hills"))
    for url, told in (("", "; price of flux not known"), ("http://127.0.0.1:8880/v1", "")):
        drawing = f"slides: {{llm: {{model: flux, base_url: '{url}'}}}}\n"
        folder.write("movie.yaml", f"{SMALL}{drawing}")
        said = folder.run(sys.executable, "-m", "movie_build.cli", "plan").out.strip()
        assert said.endswith(f"0 reused{told}"), url
