"""An incremental build is exactly a clean build, whatever was edited before."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from movie_build.tasks import run_doit

TEXTS = ["One.", "Two and two.", "Three of them.", "Four more, then.", "Five."]
TITLES = ["First", "Second", "Third"]

insert = st.tuples(st.just("insert"), st.integers(0, 9), st.sampled_from(TEXTS))
replace = st.tuples(st.just("replace"), st.integers(0, 9), st.sampled_from(TEXTS))
delete = st.tuples(st.just("delete"), st.integers(0, 9), st.none())
move = st.tuples(st.just("move"), st.integers(0, 9), st.integers(0, 9))
title = st.tuples(st.just("title"), st.integers(0, 1), st.sampled_from(TITLES))
setting = st.tuples(st.just("setting"), st.none(), st.sampled_from(["1.0", "1.3"]))
revert = st.tuples(st.just("revert"), st.none(), st.none())
build = st.tuples(st.just("build"), st.none(), st.none())
damage = st.tuples(st.just("damage"), st.integers(0, 99), st.none())
edits = st.lists(
    st.one_of(insert, replace, delete, move, title, setting, revert, build, build, damage),
    max_size=9,
)


class Writer:
    """Somebody who edits the files of a movie."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lines = TEXTS[:3]
        self.titles = TITLES[:2]
        self.speed = "1.0"
        self.start = (list(self.lines), list(self.titles), self.speed)

    def act(self, what: str, where: int | None, value: object) -> None:
        at = (where or 0) % len(self.lines)
        if what == "insert":
            self.lines.insert(at, str(value))
        elif what == "replace":
            self.lines[at] = str(value)
        elif what == "delete" and len(self.lines) > 2:
            del self.lines[at]
        elif what == "move":
            self.lines.insert(int(str(value)) % len(self.lines), self.lines.pop(at))
        elif what == "title":
            self.titles[where or 0] = str(value)
        elif what == "setting":
            self.speed = str(value)
        elif what == "revert":
            self.lines, self.titles, self.speed = [*self.start[0]], [*self.start[1]], self.start[2]
        elif what == "build":
            self.build()
        elif what == "damage":
            pieces = sorted(p for p in self.folder.glob("build/*/*") if p.is_file())
            if pieces:
                victim = pieces[(where or 0) % len(pieces)]
                victim.write_bytes(victim.read_bytes()[:-7])

    def build(self) -> bytes:
        half = (len(self.lines) + 1) // 2
        out = ["title: Edited", "sections:"]
        for name, lines in zip(self.titles, (self.lines[:half], self.lines[half:]), strict=True):
            out += [f"- title: {name}", "  narrations:", *(f"  - {line}" for line in lines)]
        self.folder.mkdir(exist_ok=True)
        (self.folder / "script.yaml").write_text("\n".join(out))
        (self.folder / "movie.yaml").write_text(
            f"style: {{resolution: [160, 90], fps: 10}}\naudio: {{speed_scale: {self.speed}}}\n"
        )
        before = Path.cwd()
        try:
            assert run_doit(self.folder, []) == 0
        finally:
            os.chdir(before)
        return (self.folder / "dist/movie.mp4").read_bytes()


@settings(max_examples=12, deadline=None)
@given(edits)
def test_any_edits_with_builds_between_give_the_bytes_of_a_clean_build(actions) -> None:
    with tempfile.TemporaryDirectory() as name:
        base = Path(name)
        for part in ("a", "b"):
            (base / part).mkdir()
        writer = Writer(base / "a" / "movie")
        with patch.dict(os.environ, {"MOVIE_BUILD_CACHE": str(base / "cache")}):
            for action in actions:
                writer.act(*action)
            incremental = writer.build()
        clean = Writer(base / "b" / "movie")
        clean.lines, clean.titles, clean.speed = writer.lines, writer.titles, writer.speed
        with patch.dict(os.environ, {"MOVIE_BUILD_CACHE": str(base / "none")}):
            assert clean.build() == incremental
