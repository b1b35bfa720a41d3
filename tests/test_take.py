"""Approved takes: kept in the project, heard whoever would speak the line now."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import DODO, SMALL, Folder, Run

from movie_build import flac, pins
from movie_build.project import Project
from movie_build.script import Line
from movie_build.wav import samples_of

SCRIPT = """\
title: Takes
sections:
- title: One
  narrations:
  - This is the first line.
  - id: middle
    text: The second line is in the middle.
- title: Two
  narrations:
  - The third line ends it.
"""
FASTER = SMALL + "audio: {speed_scale: 1.3}\n"


@pytest.fixture(scope="module")
def built_takes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("takes")
    folder = Folder(base / "movie")
    for name, text in (("dodo.py", DODO), ("movie.yaml", SMALL), ("script.yaml", SCRIPT)):
        folder.write(name, text)
    folder.doit(env={"MOVIE_BUILD_CACHE": str(base / "cache")})
    return base


@pytest.fixture
def movie(built_takes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    """A copy of a finished movie of three lines, with a store of its own."""
    shutil.copytree(built_takes, tmp_path / "takes")
    monkeypatch.setenv("MOVIE_BUILD_CACHE", str(tmp_path / "takes/cache"))
    return Folder(tmp_path / "takes/movie")


def take(folder: Folder, *args: str, code: int = 0) -> Run:
    return folder.run(sys.executable, "-m", "movie_build.cli", "take", *args, code=code)


def wavs(folder: Folder) -> dict[str, bytes]:
    """The wavs in use, by their line's slug."""
    return {name.split(".")[0]: wav for name, wav in folder.files("build/audio/*.wav").items()}


def test_a_kept_take_is_heard_through_a_change_of_voice(movie: Folder) -> None:
    before = wavs(movie)
    said = take(movie, "2", "--keep").out
    assert "line 2 (script.yaml:6)" in said and "assets/takes/the-second-line" in said
    shutil.rmtree(movie.path / "build/audio")
    movie.write("movie.yaml", FASTER)
    assert movie.doit().made() == {"audio": 2, "movie": 1}
    after = wavs(movie)
    second = "the-second-line-is-in-the-middle"
    assert after[second] == before[second]
    assert all(after[name] != before[name] for name in before if name != second)


def test_keeping_and_releasing_make_nothing_again(movie: Folder) -> None:
    before = movie.mp4
    take(movie, "the second", "--keep")
    assert movie.doit().made() == {}
    assert "movie build/dist" not in movie.run(sys.executable, "-m", "movie_build.cli", "why").out
    take(movie, "middle", "--release")
    assert movie.doit().made() == {}
    assert movie.mp4 == before
    assert not movie.files("assets/takes/*")


def test_plan_and_why_show_what_is_kept(movie: Folder) -> None:
    def told(command: str, *args: str) -> list[str]:
        return movie.run(sys.executable, "-m", "movie_build.cli", command, *args).out.splitlines()

    take(movie, "2", "--keep")
    assert told("plan") == ["nothing to make; 8 reused; 1 kept take"]
    (wav,) = (movie.path / "assets/takes").iterdir()
    (whence,) = told("why", "2")
    assert whence.startswith(
        f"audio line 2 (script.yaml:6): kept take assets/takes/{wav.name} (esp"
    )
    movie.write("movie.yaml", FASTER)
    assert told("plan")[0].startswith("2 lines to speak (46 characters), 1 movie; 5 reused; 1 kept")
    assert told("why") == [
        "audio line 1 (script.yaml:5): voice speed 1.0 → 1.3",
        "audio line 3 (script.yaml:10): voice speed 1.0 → 1.3",
        "movie dist/movie.mp4: 2 lines changed",
    ]
    movie.edit("script.yaml", "in the middle", "at the middle")
    assert told("why", "2") == [
        'audio line 2 (script.yaml:6): text changed: "in" → "at", '
        "the take kept of it is not heard any more"
    ]
    assert "kept" not in told("plan")[0]


def test_a_kept_take_that_has_only_to_be_unpacked_is_reused(
    movie: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    take(movie, "2", "--keep")
    shutil.rmtree(movie.path / "build")
    monkeypatch.setenv("MOVIE_BUILD_CACHE", str(tmp_path / "empty"))
    told = movie.run(sys.executable, "-m", "movie_build.cli", "plan").out
    assert told.startswith("2 lines to speak (46 characters), 2 slides, 2 pictures, 1 movie; 1 re")
    run = movie.doit()
    assert (run.made()["audio"], run.reused()) == (2, {"audio": 1})


def test_a_clean_checkout_elsewhere_without_any_store_hears_the_same(
    movie: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    take(movie, "2", "--keep")
    movie.write("movie.yaml", FASTER)
    movie.doit()
    elsewhere = Folder(tmp_path / "elsewhere" / "movie")
    shutil.copytree(movie.path, elsewhere.path, ignore=shutil.ignore_patterns("build", "dist"))
    monkeypatch.setenv("MOVIE_BUILD_CACHE", str(tmp_path / "another"))
    elsewhere.doit()
    assert elsewhere.mp4 == movie.mp4


def test_a_changed_text_is_spoken_and_warned_of_at_its_line(movie: Folder) -> None:
    take(movie, "2", "--keep")
    movie.edit("script.yaml", "is in the middle", "stands in the middle")
    run = movie.doit()
    assert run.made() == {"audio": 1, "movie": 1}
    warning = next(line for line in run.err.splitlines() if "take" in line)
    assert warning.startswith("warning: script.yaml:6")
    assert '"is" → "stands"' in warning and "take 2 --keep" in warning
    assert "not heard, it has changed" in take(movie, "--list").out
    take(movie, "2", "--keep")
    assert "warning" not in movie.doit().err
    (kept,) = movie.files("assets/takes/*")
    assert kept.startswith("the-second-line-stands")


def test_moving_a_line_keeps_its_take_and_removing_it_says_nothing(movie: Folder) -> None:
    take(movie, "3", "--keep")
    movie.write("movie.yaml", FASTER)
    movie.doit()
    heard = movie.mp4
    movie.edit("script.yaml", "  - This is the first line.\n", "  - The third line ends it.\n")
    assert "warning" not in movie.doit().err
    assert movie.mp4 != heard
    movie.edit("script.yaml", "  - The third line ends it.\n", "")
    movie.edit("script.yaml", "  - The third line ends it.\n", "  - 1 2 3 4 5 6 7 8 9.\n")
    assert "warning" not in movie.doit().err
    assert "no line says this" in take(movie, "--list").out


def test_a_line_is_called_by_number_place_id_or_text(movie: Folder) -> None:
    for name in ("2", "script.yaml:7", "middle", "SECOND line"):
        assert take(movie, name).out.startswith("line 2 (script.yaml:6)"), name
    assert "3 lines have 'line' in them" in take(movie, "line", code=1).err
    assert "no line is called 'fourth'" in take(movie, "fourth", code=1).err
    assert "there is no line 9" in take(movie, "9", code=1).err
    assert "'slide 1' is a slide: name one of its lines" in take(movie, "slide 1", code=1).err
    assert "no take of it is kept" in take(movie, "1", "--release", code=1).err


def test_what_was_not_heard_is_not_kept(movie: Folder) -> None:
    movie.edit("script.yaml", "first line", "very first line")
    run = take(movie, "1", "--keep", code=1)
    assert run.err.startswith("script.yaml:5") and "run doit" in run.err
    assert not movie.files("assets/takes/*")


def test_a_damaged_take_fails_with_its_line_and_is_never_spoken_instead(movie: Folder) -> None:
    take(movie, "2", "--keep")
    (path,) = (movie.path / "assets/takes").iterdir()
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * 2 // 3])
    shutil.rmtree(movie.path / "build")
    shutil.rmtree(Path(movie.path.parent / "cache"))
    run = movie.doit(code=1)
    assert "script.yaml:6" in run.err and path.name in run.err and "git" in run.err


def test_a_take_is_flac_with_the_wavs_own_samples_and_what_was_said(movie: Folder) -> None:
    take(movie, "1", "--keep")
    (content,) = movie.files("assets/takes/*").values()
    wav = wavs(movie)["this-is-the-first-line"]
    assert (flac.decode(content) == samples_of(wav)).all()
    assert len(content) < len(wav) * 0.7
    told = json.loads(flac.tags_of(content)["MOVIE_BUILD"])
    assert told["said"]["text"] == flac.tags_of(content)["TITLE"] == "This is the first line."
    assert told["spoken_by"] == "espeak-ng en-us"
    kept = pins.load(Project(movie.path))
    assert kept.pinned(Line("This is  the first line."))
    assert not kept.pinned(Line("This is the first line.", reading="zis"))
    assert not kept.pinned(Line("This is the first line.", persona_id="a"))


def test_takes_are_kept_by_git_and_listed(movie: Folder) -> None:
    movie.write(".gitignore", "build/\ndist/\n")
    take(movie, "1", "--keep")
    subprocess.run(["git", "init", "-q"], cwd=movie.path, check=True)
    subprocess.run(["git", "add", "."], cwd=movie.path, check=True)
    listed = subprocess.run(
        ["git", "ls-files"], cwd=movie.path, check=True, capture_output=True, text=True
    )
    assert "assets/takes/this-is-the-first-line" in listed.stdout
    assert take(movie, "--list").out.startswith("line 1 (script.yaml:5)")
