"""The cache as a thing to look at, to keep small and to carry; and litter in `build/`."""

from __future__ import annotations

import gzip
import io
import json
import os
import shutil
import tarfile
import time
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner
from conftest import DODO, SMALL, Folder

from movie_build import cache, store_users
from movie_build.build_gc import litter
from movie_build.cli import main
from movie_build.errors import MovieBuildError
from movie_build.session import Session
from movie_build.store import FolderStore, default_folder, sealed

SCRIPT = """title: Kept
sections:
- title: One slide
  narrations: [The first line., The second line.]
"""
PIECES = {"audio": 2, "slide": 1, "picture": 1}
N_PIECES = 6  # two wavs, two encoded sounds, one slide, one picture


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `movie`, finished, and the `cache` that it filled."""
    base = tmp_path_factory.mktemp("built")
    folder = project(base / "movie")
    folder.doit(env={"MOVIE_BUILD_CACHE": str(base / "cache")})
    return base


@pytest.fixture
def movie(built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    """A copy of the finished movie, with a store of its own."""
    shutil.copytree(built, tmp_path / "here")
    monkeypatch.setenv("MOVIE_BUILD_CACHE", str(tmp_path / "here/cache"))
    shutil.rmtree(tmp_path / "here/cache/projects")  # of this store, only the copy is a user
    store_users.note(tmp_path / "here/movie", tmp_path / "here/cache")
    return Folder(tmp_path / "here/movie")


def project(path: Path) -> Folder:
    folder = Folder(path)
    folder.write("dodo.py", DODO)
    folder.write("movie.yaml", SMALL)
    folder.write("script.yaml", SCRIPT)
    return folder


@dataclass(frozen=True)
class Told:
    """What a command wrote."""

    out: str
    err: str


def command(folder: Folder, *args: str, code: int = 0) -> Told:
    """Run `movie-build` in a folder, in this process; `code` is what it must exit with."""
    with chdir(folder.path):
        done = CliRunner().invoke(main, args)
    assert done.exit_code == code, done.output
    return Told(done.stdout, done.stderr)


def tree(*folders: Path) -> dict[str, tuple[int, int]]:
    """Every file under `folders`, with its size and time; reports are the test's own affair."""
    return {
        str(path): (path.stat().st_size, path.stat().st_mtime_ns)
        for folder in folders
        for path in folder.rglob("*")
        if path.is_file() and path.name != "report.json"
    }


def put(name: str, n_bytes: int, days_ago: float) -> str:
    """Put an object that no project uses into the store, last used so long ago; its key."""
    store, key = FolderStore(default_folder()), name * 64
    store.put(key, bytes(n_bytes))
    then = time.time() - days_ago * 86_400
    os.utime(store.path(key), (then, then))
    return key


def test_the_cache_tells_where_it_is_its_size_and_its_hits(movie: Folder) -> None:
    told = json.loads(command(movie, "cache", "--json").out)
    assert told["folder"] == os.environ["MOVIE_BUILD_CACHE"]
    assert (told["entries"], told["hits"], told["misses"]) == (N_PIECES, 0, N_PIECES)
    assert told["n_bytes"] == sum(one.n_bytes for one in cache.objects())
    shutil.rmtree(movie.path / "build")
    movie.doit()
    assert json.loads(command(movie, "cache", "--json").out)["hits"] == N_PIECES
    shown = command(movie, "cache").out
    assert "entries  6" in shown and "hits     6" in shown and "shared" in shown


def test_a_build_with_nothing_to_do_does_not_touch_the_store(movie: Folder) -> None:
    before = tree(default_folder())
    assert movie.doit().made() == {}
    assert tree(default_folder()) == before


def test_looking_and_trying_write_nothing(movie: Folder, tmp_path: Path) -> None:
    movie.edit("script.yaml", "The second line.", "Another line.")
    (movie.path / "build/audio/gone.0123456789abcdef.wav").write_bytes(b"x")
    put("a", 10, 90)
    command(movie, "cache", "export", str(tmp_path / "x.tar"))
    before = tree(movie.path, default_folder())
    command(movie, "cache")
    command(movie, "cache", "gc", "--max-size", "0", "--older-than", "1d", "--dry-run")
    command(movie, "cache", "gc", "--max-size", "0", "--force", "--dry-run")
    command(movie, "cache", "export", str(tmp_path / "y.tar"), "--dry-run")
    command(movie, "gc", "--dry-run")
    assert not (tmp_path / "y.tar").exists()
    command(movie, "cache", "import", str(tmp_path / "x.tar"), "--dry-run")
    assert tree(movie.path, default_folder()) == before


def test_the_longest_unused_go_first_and_what_projects_use_stays(movie: Folder) -> None:
    old, newer = put("a", 100_000, 50), put("b", 100_000, 5)
    store = FolderStore(default_folder())
    limit = str(cache.contents().n_bytes - 1)
    told = command(movie, "cache", "gc", "--max-size", limit).out
    assert told.startswith("1 entry removed, 100 kB")
    assert (store.has(old), store.has(newer)) == (False, True)
    told = command(movie, "cache", "gc", "--max-size", "0").out
    assert not store.has(newer)
    assert "only because projects use them" in told
    shutil.rmtree(movie.path / "build")
    assert movie.doit().made() == {"movie": 1}


def test_old_ones_are_removed_by_when_they_were_last_taken(movie: Folder) -> None:
    old, taken = put("a", 10, 40), put("b", 10, 40)
    store = FolderStore(default_folder())
    assert store.get(taken) == bytes(10)
    command(movie, "cache", "gc", "--older-than", "30d")
    assert (store.has(old), store.has(taken)) == (False, True)


def test_what_any_project_that_was_built_here_uses_stays_unless_told(
    movie: Folder, tmp_path: Path
) -> None:
    elsewhere = Folder(tmp_path / "elsewhere")
    elsewhere.path.mkdir()
    movie.edit("script.yaml", "The second line.", "Another line.")
    movie.doit()
    for n_left in (N_PIECES + 2, N_PIECES):
        told = command(elsewhere, "cache", "gc", "--max-size", "0").out
        assert cache.contents().entries == N_PIECES
        assert told.startswith(f"{n_left - N_PIECES} entries removed")
    moved = movie.path.rename(tmp_path / "moved")
    command(elsewhere, "cache", "gc", "--max-size", "0", "--project", str(moved))
    assert cache.contents().entries == N_PIECES
    moved.rename(movie.path)
    command(movie, "cache", "gc", "--max-size", "0", "--force")
    assert cache.contents().entries == 0
    movie.doit("clean", "-a")
    assert movie.doit().made() == {**PIECES, "movie": 1}


def test_a_project_that_cannot_be_understood_keeps_what_it_last_had(movie: Folder) -> None:
    movie.write("script.yaml", "titel: broken\n")
    command(movie, "cache", "gc", "--max-size", "0")
    assert cache.contents().entries == N_PIECES
    shutil.rmtree(movie.path / "build")
    told = command(movie, "cache", "gc", "--max-size", "0", code=1).err
    assert "nothing tells what movie still uses" in told and "--force" in told
    assert cache.contents().entries == N_PIECES


@pytest.mark.parametrize(
    ("text", "n_bytes"),
    [("2GB", 2 * 10**9), ("500 mb", 5 * 10**8), ("1.5KiB", 1536), ("7", 7), ("0", 0)],
)
def test_sizes(text: str, n_bytes: int) -> None:
    assert cache.parse_size(text) == n_bytes


@pytest.mark.parametrize(
    ("text", "seconds"), [("30d", 2_592_000), ("1.5h", 5400), ("2w", 1_209_600)]
)
def test_ages(text: str, seconds: float) -> None:
    assert cache.parse_age(text) == seconds


@pytest.mark.parametrize("text", ["", "big", "-1", "1..5", "3 days ago", "2PB"])
def test_what_is_no_size_or_age_is_refused(text: str) -> None:
    for parse in (cache.parse_size, cache.parse_age):
        with pytest.raises(MovieBuildError):
            parse(text)


def test_gc_removes_what_the_script_does_not_refer_to_and_nothing_else(movie: Folder) -> None:
    movie.edit("script.yaml", "The second line.", "Another line.")
    movie.doit()
    for name in ("source/page.0123456789abcdef.json", "audio/mine.wav", "costs.json"):
        movie.write(f"build/{name}", "{}")
    movie.write("build/audio/lost.0123456789abcdef.wav", "left by a killed build")
    before = set(tree(movie.path))
    listed = command(movie, "gc", "--dry-run").out.splitlines()
    assert len(listed) == 4 and "3 pieces would be removed" in listed[-1]
    assert set(tree(movie.path)) == before
    assert "3 pieces removed" in command(movie, "gc").out
    gone = {str(Path(path).relative_to(movie.path)) for path in before - set(tree(movie.path))}
    assert gone == set(listed[:-1])
    assert all(name.startswith(("build/audio/the-second", "build/audio/lost")) for name in gone)
    assert movie.doit().made() == {}


def test_gc_keeps_what_is_pinned(movie: Folder) -> None:
    movie.edit("script.yaml", "The second line.", "Another line.")
    movie.doit()
    session = Session(movie.path, look_only=True)
    (old,) = (
        r.key for r in session.records.all() if r.name.endswith(".wav") and "second" in r.name
    )
    assert len(litter(session).files) == 2
    kept = litter(session, is_pinned=old.__eq__)
    assert len(kept.files) == 1 and kept.files[0].suffix == ".sound"


def test_gc_of_a_project_without_a_script_is_refused(movie: Folder) -> None:
    (movie.path / "script.yaml").unlink()
    movie.write("movie.yaml", f"{SMALL}source: page.html\n")
    before = tree(movie.path)
    assert "script.yaml is not written yet" in command(movie, "gc", code=1).err
    assert set(before) <= set(tree(movie.path))


@pytest.mark.parametrize("name", ["all.tar", "all.tar.gz"])
def test_an_archive_builds_the_movie_on_another_machine(
    movie: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    put("a", 10, 0)
    archive = tmp_path / name
    told = command(movie, "cache", "export", str(archive))
    assert told.out.startswith(f"{N_PIECES} pieces")
    first = archive.read_bytes()
    command(movie, "cache", "export", str(archive))
    assert archive.read_bytes() == first
    other = project(tmp_path / "other/movie")
    monkeypatch.setenv("MOVIE_BUILD_CACHE", str(tmp_path / "other/cache"))
    assert (
        f"{N_PIECES} pieces imported, 0 were there"
        in command(other, "cache", "import", str(archive)).out
    )
    assert (
        f"0 pieces imported, {N_PIECES} were there"
        in command(other, "cache", "import", str(archive)).out
    )
    assert other.doit().made() == {"movie": 1}
    assert other.mp4 == movie.mp4


def test_an_archive_tells_what_is_not_made_yet(movie: Folder, tmp_path: Path) -> None:
    movie.edit("script.yaml", "The second line.", "Another line.")
    told = command(movie, "cache", "export", str(tmp_path / "x.tar"))
    assert "2 pieces not made yet" in told.err
    assert told.out.startswith("4 pieces")


def test_an_archive_comes_from_the_store_where_build_was_cleaned(
    movie: Folder, tmp_path: Path
) -> None:
    command(movie, "cache", "export", str(tmp_path / "x.tar"))
    shutil.rmtree(movie.path / "build")
    command(movie, "cache", "export", str(tmp_path / "y.tar"))
    assert (tmp_path / "x.tar").read_bytes() == (tmp_path / "y.tar").read_bytes()
    assert not (movie.path / "build").exists()


def archive_of(path: Path, members: dict[str, bytes]) -> None:
    with tarfile.open(path, "w") as tar:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))


def test_what_is_damaged_or_foreign_in_an_archive_is_refused_by_name(
    folder: Folder, tmp_path: Path
) -> None:
    good, bad = "a" * 64, "b" * 64
    members = {
        f"v2/aa/{good[2:]}": sealed(good, b"right"),
        f"v2/bb/{bad[2:]}": sealed(good, b"right"),
        "v2/../../escaped": sealed(good, b"right"),
        "/etc/movie-build": b"x",
    }
    archive_of(tmp_path / "x.tar", members)
    run = command(folder, "cache", "import", str(tmp_path / "x.tar"), code=1)
    assert "1 piece imported" in run.out
    assert "3 pieces damaged or foreign" in run.err and f"v2/bb/{bad[2:]}" in run.err
    store = FolderStore(default_folder())
    assert (store.get(good), store.get(bad)) == (b"right", None)
    assert not list(tmp_path.rglob("escaped"))


@pytest.mark.parametrize("damage", ["cut", "no archive", "missing"])
def test_an_archive_that_cannot_be_read_is_told(movie: Folder, tmp_path: Path, damage: str) -> None:
    archive = tmp_path / "x.tar.gz"
    command(movie, "cache", "export", str(archive))
    if damage == "cut":
        archive.write_bytes(archive.read_bytes()[:-5000])
    elif damage == "no archive":
        archive.write_bytes(gzip.compress(b"hello " * 1000))
    else:
        archive.unlink()
    run = command(movie, "cache", "import", str(archive), code=1)
    assert str(archive) in run.err


def test_pushing_sends_what_the_shared_store_lacks(movie: Folder, tmp_path: Path) -> None:
    assert "no shared store is set" in command(movie, "cache", "push", code=1).err
    shared = (tmp_path / "team").as_uri()
    movie.write("movie.yaml", f"{SMALL}cache: {{shared: '{shared}'}}\n")
    assert command(movie, "cache", "push").out == f"{N_PIECES} of {N_PIECES} pieces sent\n"
    assert command(movie, "cache", "push").out == f"0 of {N_PIECES} pieces sent\n"
    shutil.rmtree(movie.path / "build")
    shutil.rmtree(default_folder())
    assert movie.doit().made() == {"movie": 1}
