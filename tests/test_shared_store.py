"""A store that a team shares: what it saves, and that it never costs a build."""

from __future__ import annotations

import os
import shutil
import socket
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from conftest import DODO, SMALL, Folder
from services import s3_server
from services.openai_server import KEY, SpeechServer, speech_server
from services.s3_server import S3

from movie_build.store_shared import SharedStore

SCRIPT = """title: Shared
sections:
- title: One slide
  narrations: [The first line., The second line.]
"""
PIECES = {"audio": 2, "slide": 1, "picture": 1}
ANYTHING = "a" * 64
COMMAND = (sys.executable, "-m", "movie_build.cli")


@pytest.fixture(scope="module")
def server() -> Iterator[S3]:
    with s3_server.running() as running:
        yield running


@pytest.fixture(scope="module")
def bought() -> Iterator[SpeechServer]:
    with speech_server() as running:
        yield running


@pytest.fixture(scope="module")
def first(server: S3, bought: SpeechServer, tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """A movie spoken by a paid voice, built by the one who filled the bucket."""
    folder = project(tmp_path_factory.mktemp("first"), bought)
    env = {**server.env, "MOVIE_BUILD_CACHE": str(folder.path.parent / "cache"), **paid()}
    run = folder.doit(env={**env, "MOVIE_BUILD_SHARED_CACHE": server.url})
    assert run.made() == {**PIECES, "movie": 1}
    assert run.err == "" or "warning" not in run.err
    return folder


@pytest.fixture
def full(server: S3, first: Folder, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3]:
    """The bucket as the first build left it, and an environment that reaches it."""
    before = server.objects()
    for name, value in {**server.env, "MOVIE_BUILD_SHARED_CACHE": server.url}.items():
        monkeypatch.setenv(name, value)
    yield server
    server.empty()
    for name, content in before.items():
        server.write(name, content)


@pytest.fixture
def clone(bought: SpeechServer, tmp_path: Path) -> Folder:
    """A fresh clone on a machine with an empty store."""
    return project(tmp_path, bought)


def project(base: Path, bought: SpeechServer) -> Folder:
    folder = Folder(base / "movie")
    folder.write("dodo.py", DODO)
    folder.write("movie.yaml", f"{SMALL}audio: {{engine: openai, base_url: '{bought.url}'}}\n")
    folder.write("script.yaml", SCRIPT)
    return folder


def paid() -> dict[str, str]:
    return {"OPENAI_API_KEY": KEY}


def origins(folder: Folder) -> dict[str, int]:
    """How many files of each origin the project's records tell."""
    with closing(sqlite3.connect(folder.path / "build/records.sqlite")) as db:
        rows = db.execute("SELECT origin, count(*) FROM records WHERE step != 'movie' GROUP BY 1")
        return dict(rows.fetchall())


def warnings(said: str) -> list[str]:
    return [line for line in said.splitlines() if line.startswith("warning")]


def test_a_fresh_clone_makes_only_the_movie_and_pays_nothing(
    full: S3, first: Folder, clone: Folder, bought: SpeechServer
) -> None:
    paid_before = bought.calls.total()
    run = clone.doit()
    assert run.made() == {"movie": 1}
    assert run.reused() == PIECES
    assert warnings(run.err) == []
    assert bought.calls.total() == paid_before
    assert clone.mp4 == first.mp4
    assert set(origins(clone)) == {"shared"}
    # It is now in the user's own store: nothing is asked of the shared one any more.
    shutil.rmtree(clone.path / "build")
    run = clone.doit(env={"MOVIE_BUILD_SHARED_CACHE": "off"})
    assert run.made() == {"movie": 1}
    assert set(origins(clone)) == {"store"}
    told = clone.run(*COMMAND, "cache").out
    assert "in a shared store" in told and full.url in told


def test_what_is_made_is_uploaded_for_the_next(full: S3, clone: Folder, tmp_path: Path) -> None:
    n_before = len(full.objects())
    clone.edit("script.yaml", "The second line.", "Another line.")
    assert clone.doit(env=paid()).made() == {"audio": 1, "movie": 1}
    assert len(full.objects()) == n_before + 4  # its take, wav, timing and encoded sound
    other = Folder(tmp_path / "other/movie")
    shutil.copytree(clone.path, other.path, ignore=shutil.ignore_patterns("build", "dist"))
    assert other.doit(env={"MOVIE_BUILD_CACHE": str(tmp_path / "empty")}).made() == {"movie": 1}


def test_damaged_objects_are_refused_made_again_and_replaced(
    full: S3, first: Folder, clone: Folder
) -> None:
    before = full.objects()
    names = sorted(before)
    for n, name in enumerate(names):
        damaged = [before[name][:-40], b"", before[names[n - 1]], b"\x00" * 100][n % 4]
        full.write(name, damaged)
    run = clone.doit(env=paid())
    assert run.made() == {**PIECES, "movie": 1}
    (told,) = warnings(run.err)
    assert "damaged objects" in told
    assert clone.mp4 == first.mp4
    assert full.objects() == before


NOBODY = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "MOVIE_BUILD_CACHE_READ_ONLY": "1"}


def test_a_reader_needs_no_credentials_and_changes_nothing(full: S3, clone: Folder) -> None:
    for name, content in full.objects().items():
        full.write(name, b"poison" if b"\x89PNG" in content else content, "public-read")
    before = full.objects()
    clone.edit("script.yaml", "The second line.", "Another line.")
    run = clone.doit(env={**NOBODY, **paid()})
    assert run.made() == {"audio": 1, "slide": 1, "movie": 1}
    assert "shared" in origins(clone)
    (told,) = warnings(run.err)
    assert "1 damaged object" in told
    assert full.objects() == before


def test_a_reader_who_is_refused_is_told_once(full: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in NOBODY.items():
        monkeypatch.setenv(name, value)
    store = SharedStore(full.url, read_only=True)
    keys = ["".join(name.split("/")[-2:]) for name in full.objects()]
    assert [store.get(key) for key in keys] == [None] * len(keys)
    (told,) = store.settle()
    assert told.startswith(f"the shared store {full.url} gave nothing: ")


def test_a_store_that_refuses_connections_is_told_once_and_the_build_succeeds(
    clone: Folder, server: S3
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    began = time.monotonic()
    env = {**server.env, **paid(), "AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{port}"}
    run = clone.doit(env={**env, "MOVIE_BUILD_SHARED_CACHE": "s3://movies/team"})
    assert time.monotonic() - began < 20
    assert run.made() == {**PIECES, "movie": 1}
    (told,) = warnings(run.err)
    assert "s3://movies/team cannot be used" in told


def test_a_bucket_that_is_not_there_is_told_once(full: S3) -> None:
    store = SharedStore("s3://no-such-bucket/team")
    for n in range(3):
        assert store.get(f"{n:064}") is None
        store.put(f"{n:064}", b"x")
    (told,) = store.settle()
    assert told.startswith("the shared store s3://no-such-bucket/team cannot be written to: ")


@pytest.fixture
def silent(server: S3, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An endpoint that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        for name, value in server.env.items():
            monkeypatch.setenv(name, value)
        port = listening.getsockname()[1]
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://127.0.0.1:{port}")
        yield


def test_a_store_that_never_answers_costs_one_time_limit(silent: None) -> None:
    store = SharedStore("s3://movies/team", timeout_s=1)
    began = time.monotonic()
    assert store.get(ANYTHING) is None
    asked_s = time.monotonic() - began
    assert asked_s < 6
    for n in range(50):
        assert store.get(f"{n:064}") is None
        store.put(f"{n:064}", b"x")
    assert time.monotonic() - began < asked_s + 3, "fifty more cost nothing"
    assert len(store.settle()) == 1


def test_uploads_that_take_too_long_are_left_and_told(silent: None) -> None:
    store = SharedStore("s3://movies/team", timeout_s=20, settle_s=0.3)
    for n in range(6):
        store.put(f"{n:064}", b"x")
    began = time.monotonic()
    (told,) = store.settle()
    assert time.monotonic() - began < 10
    assert told.startswith("6 pieces were not uploaded to s3://movies/team in time")


def test_a_frozen_build_takes_everything_from_the_shared_store(
    full: S3, first: Folder, clone: Folder, bought: SpeechServer
) -> None:
    paid_before = bought.calls.total()
    assert clone.doit(env={"MOVIE_BUILD_FROZEN": "1"}).made() == {"movie": 1}
    assert clone.mp4 == first.mp4
    shutil.rmtree(clone.path / "build")
    shutil.rmtree(os.environ["MOVIE_BUILD_CACHE"])
    assert clone.run(*COMMAND, "build", "--frozen").made() == {"movie": 1}
    assert bought.calls.total() == paid_before


def test_a_frozen_build_draws_what_needs_no_service(full: S3, clone: Folder) -> None:
    clone.edit("script.yaml", "One slide", "Another slide")
    made = clone.run(*COMMAND, "build", "--frozen").made()
    assert made == {"slide": 1, "picture": 1, "movie": 1}


def test_a_frozen_build_fails_at_once_with_all_that_is_missing(
    full: S3, clone: Folder, bought: SpeechServer
) -> None:
    paid_before = bought.calls.total()
    clone.write("script.yaml", SCRIPT + "- title: New\n  narrations: [A new one., And another.]\n")
    run = clone.run(*COMMAND, "build", ".", "--frozen", env=paid(), code=1)
    assert "script.yaml:6" in run.err
    assert 'audio line 3 "A new one." is in no store' in run.err
    assert 'audio line 4 "And another." is in no store' in run.err
    assert "The first line" not in run.err
    assert "frozen" in run.err
    assert bought.calls.total() == paid_before
    assert not list((clone.path / "build").glob("slides/*"))
    assert not list((clone.path / "dist").glob("*"))


def test_a_frozen_build_whose_source_is_not_there_is_told_that(folder: Folder) -> None:
    folder.write("movie.yaml", f"{SMALL}source: nothing.md\n")
    run = folder.doit(env={"MOVIE_BUILD_FROZEN": "1"}, code=1)
    assert "nothing.md: there is no such file" in run.err and "service" not in run.err


def test_a_frozen_build_without_a_script_names_the_service_it_would_need(folder: Folder) -> None:
    folder.write("movie.yaml", f"{SMALL}source: http://127.0.0.1:9/page\n")
    run = folder.doit(env={"MOVIE_BUILD_FROZEN": "1"}, code=1)
    assert "script.yaml: is not written" in run.err
    assert "http://127.0.0.1:9/page" in run.err
