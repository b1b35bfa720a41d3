"""`movie-build script update`: a page that has changed comes into a script that the user edited."""

from __future__ import annotations

import sys

import pytest
from conftest import SMALL, Folder, Run

PAGE = """# Bread

Bread is a food made of flour and water. People have baked it for thousands of years.

## Flour

Flour is ground grain. It comes in many kinds. Rye flour is darker than wheat flour.

## Water

Water wakes the yeast. Warm water wakes it faster than cold water ever could.
"""
# The same script in another hand: quotes, comments, a block scalar, an anchor, another order.
REWRITTEN = """\
# My movie. Do not touch!
title: &name "Bread, my way"   # renamed
language: en
sections:
  - title: Flour, what it is
    bullets: [Ground grain]
    narrations:
      - |
        Flour is finely ground grain.
        It comes in many kinds.
      - &rye Rye flour is darker than wheat flour.
      # - dropped
      - Water wakes the yeast. Warm water wakes it faster than cold water ever could.
      - *rye
      - {text: "My own: line", pause: 2}

  - title: *name
    template: title
    narrations:
      - Bread is a food made of flour and water. People have baked it for thousands of years.
"""


@pytest.fixture
def movie(folder: Folder) -> Folder:
    """A movie whose script was written from `page.md`."""
    folder.write("page.md", PAGE)
    folder.write("movie.yaml", SMALL + "source: page.md\n")
    assert update(folder).out == "script.yaml: written\n"
    return folder


def update(folder: Folder, *args: str, code: int = 0) -> Run:
    """Run the command in `folder`."""
    command = ("-m", "movie_build.cli", "script", "update", *args)
    return folder.run(sys.executable, *command, code=code)


def script(folder: Folder) -> str:
    """The script's text, with its line ends."""
    return (folder.path / "script.yaml").read_bytes().decode()


def test_the_page_and_the_user_have_each_changed_something(movie: Folder) -> None:
    assert update(movie).out == "script.yaml: nothing new in the source\n"
    movie.write("script.yaml", REWRITTEN)
    movie.edit("page.md", "thousands", "ten thousands")
    movie.edit("page.md", "many kinds", "very many kinds")
    movie.edit("page.md", "darker", "much darker")
    run = update(movie)
    assert run.out == "script.yaml: updated (as it was: script.yaml.bak); 3 places to decide\n"
    told = [line.split(": ", 1)[1] for line in run.err.splitlines()]
    assert told == [
        "section “Flour, what it is”: bullets: it is changed in the new draft too; "
        "yours is in force (its own is in the comment)",
        "line “Flour is finely ground grain. It comes …”: text: it is changed in the new draft "
        "too; yours is in force (its own is in the comment)",
        "line “Rye flour is darker than wheat flour.”: it is changed in the new draft; here it "
        "has an anchor or alias, so change it by hand (its own is in the comment)",
    ]
    assert (movie.path / "script.yaml.bak").read_text() == REWRITTEN
    own = [line for line in script(movie).splitlines() if "thousands" not in line]
    for line in REWRITTEN.splitlines():
        assert line in own or "thousands" in line
    assert "baked it for ten thousands of years." in script(movie)
    assert "      # - Rye flour is much darker than wheat flour.\n" in script(movie)
    # Decided or not, it is said once.
    assert update(movie).out == "script.yaml: nothing new in the source\n"
    movie.run(sys.executable, "-m", "movie_build.cli", "check")


def test_a_dry_run_shows_the_difference_and_writes_nothing(movie: Folder) -> None:
    movie.edit("script.yaml", "It comes in many kinds.", "It comes in my kinds.")
    movie.edit("page.md", "thousands", "ten thousands")

    def files() -> dict[str, tuple[int, bytes]]:
        paths = [path for path in movie.path.rglob("*") if path.is_file()]
        return {str(path): (path.stat().st_mtime_ns, path.read_bytes()) for path in paths}

    before = files()
    run = update(movie, "--dry-run")
    assert files() == before
    assert run.out.startswith("--- script.yaml\n+++ script.yaml (updated)\n")
    assert (
        "\n+      - Bread is a food made of flour and water. People have baked it for ten"
        in run.out
    )
    assert run.err == "script.yaml: would be updated\n"
    movie.edit("page.md", "ten thousands", "thousands")
    again = update(movie, "--dry-run")
    assert (again.out, again.err) == ("", "script.yaml: nothing new in the source\n")


def test_theirs_and_mine_decide_and_leave_the_other_in_the_backup(movie: Folder) -> None:
    mine = script(movie).replace("many kinds", "my kinds") + "      - My own line.\n"
    movie.write("script.yaml", mine)
    draft = (movie.path / ".movie-build/draft.yaml").read_text()
    movie.edit("page.md", "many kinds", "all kinds")
    run = update(movie, "--mine")
    assert run.err == "" and "to decide" not in run.out
    assert script(movie) == mine
    movie.write(".movie-build/draft.yaml", draft)
    update(movie, "--theirs")
    assert "It comes in all kinds." in script(movie) and "my kinds" not in script(movie)
    assert "- My own line." in script(movie)
    assert (movie.path / "script.yaml.bak").read_text() == mine


def test_windows_line_ends_and_a_byte_order_mark_stay(movie: Folder) -> None:
    mine = "\ufeff" + script(movie).replace("many kinds", "my kinds").replace("\n", "\r\n")
    (movie.path / "script.yaml").write_bytes(mine.encode())
    movie.edit("page.md", "thousands", "ten thousands")
    update(movie)
    assert script(movie) == mine.replace("thousands", "ten thousands")


def test_without_the_last_draft_it_is_refused_with_what_to_do(movie: Folder) -> None:
    (movie.path / ".movie-build/draft.yaml").unlink()
    mine = script(movie).replace("many kinds", "my kinds")
    movie.write("script.yaml", mine)
    assert "Use --mine to keep your script" in update(movie, code=1).err
    assert update(movie, "--mine").out == "script.yaml: nothing new in the source\n"
    assert script(movie) == mine
    movie.edit("page.md", "thousands", "ten thousands")
    assert update(movie).out.startswith("script.yaml: updated")
    assert "ten thousands" in script(movie) and "my kinds" in script(movie)


def test_a_script_with_a_mistake_is_told_and_left_alone(movie: Folder) -> None:
    mine = script(movie).replace("narrations:", "narations:", 1)
    movie.write("script.yaml", mine)
    movie.edit("page.md", "thousands", "ten thousands")
    err = update(movie, code=1).err
    assert err.startswith("script.yaml:8: ") and "did you mean 'narrations'?" in err
    assert script(movie) == mine
