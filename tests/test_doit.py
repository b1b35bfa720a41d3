"""What a doit user expects of a project's tasks, before its first build and after."""

from __future__ import annotations

import pytest
from conftest import DODO, SMALL, Folder

PAGE = """<!doctype html><html lang="en"><head><title>The lighthouse</title></head><body><article>
<h1>The lighthouse</h1><p>A lighthouse is a tower that guides ships at night. It stands where the
coast is dangerous. The light can be seen from more than twenty miles away.</p></article></body>
</html>"""
SCRIPT = "title: T\nsections: [{title: S, narrations: [Hello., Hello there.]}]\n"


@pytest.fixture
def unwritten(folder: Folder) -> Folder:
    """A project whose script is to be written yet."""
    folder.write("page.html", PAGE)
    folder.write("movie.yaml", SMALL + "source: page.html\n")
    return folder


@pytest.fixture
def written(folder: Folder) -> Folder:
    """A project with a script of two lines, not built yet."""
    folder.write("script.yaml", SCRIPT)
    return folder


def test_before_the_first_build_every_task_says_what_it_is(unwritten: Folder) -> None:
    told = unwritten.doit("list").out.splitlines()
    assert [line.split()[0] for line in told] == ["audio", "movie", "pictures", "script", "slides"]
    assert all(len(line.split()) > 3 for line in told)
    assert "script.yaml is there" in unwritten.doit("info", "script", code=1).out
    unwritten.doit("clean", "movie")
    unwritten.doit("forget", "movie")
    assert not (unwritten.path / "script.yaml").exists()


def test_a_file_can_be_asked_for_before_it_is_known_how_it_is_made(unwritten: Folder) -> None:
    run = unwritten.doit("dist/movie.srt")
    assert run.made()["script"] == run.made()["movie"] == 1
    assert (unwritten.path / "dist/movie.srt").exists()


def test_a_file_that_nothing_makes_is_refused(unwritten: Folder) -> None:
    for name in ("build/audio/nothing.wav", "dist/other.mp4", "nothing.wav"):
        assert name in unwritten.doit(name, code=3).err
    assert not (unwritten.path / "script.yaml").exists(), "no script is needed to know that"
    # This could be one of its lines, for all that is known before there is a script.
    line = "build/audio/a-lighthouse.0123456789abcdef.wav"
    assert line in unwritten.doit(line, code=3).err


def test_a_single_file_is_made_again_by_its_name(written: Folder) -> None:
    written.doit("audio")
    wav = next((written.path / "build/audio").glob("*.wav"))
    wav.unlink()
    run = written.doit(f"build/audio/{wav.name}")
    assert run.reused() == {"audio": 1}
    assert wav.exists()


def test_info_says_up_to_date_after_an_edit_that_was_built(written: Folder) -> None:
    written.doit("audio")
    written.doit("slides")
    for script in (SCRIPT, SCRIPT.replace("Hello there", "Hello you")):
        written.write("script.yaml", script)
        for _ in range(2):
            written.doit()
            assert "up-to-date" in written.doit("info", "movie", code=None).out
    assert ".sound" in written.doit("list", "--deps", "movie").out


OPTIONS = "DOIT_CONFIG = {'default_tasks': ['slides']}\n"


@pytest.mark.parametrize("dodo", [OPTIONS + DODO, DODO + OPTIONS])
def test_options_of_the_users_own_stand_beside_ours(written: Folder, dodo: str) -> None:
    written.write("dodo.py", dodo)
    run = written.doit()
    assert run.made() == {"slide": 1}
    assert run.out.startswith("slide    1 new")
    assert not list(written.path.glob(".doit*")), "its database is in build/ as ever"


OWN = """

def task_upload():
    return {"actions": ["echo to nowhere; echo the door is shut >&2; false"]}

def task_publish():
    return {"actions": ["true"], "file_dep": ["dist/nothing.zip"]}
"""


def test_a_task_of_the_users_own_that_fails_is_told(written: Folder) -> None:
    written.write("dodo.py", DODO + OWN)
    told = written.doit("upload", code=1).err
    assert "the door is shut" in told
    assert "upload: Command failed" in told
    assert "dist/nothing.zip" in written.doit("publish", code=2).err


def test_what_is_ignored_is_told(written: Folder) -> None:
    written.doit("ignore", "movie")
    assert "left out, as `doit ignore` said: movie;" in written.doit().err
    assert not (written.path / "dist/movie.mp4").exists()
    written.doit("forget", "movie")
    assert written.doit().made() == {"movie": 1}
