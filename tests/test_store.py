"""What every place that keeps objects does: a folder, a file:// URL, an S3 bucket."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pytest
from services import s3_server
from services.s3_server import S3

from movie_build.errors import MovieBuildError
from movie_build.store import FolderStore, Found, Layer, Store, open_store
from movie_build.store_counts import read_counts
from movie_build.store_shared import SharedStore


def key_of(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


KEY, OTHER = key_of("one"), key_of("other")


@dataclass(frozen=True)
class Place:
    """A store, and a way round it to what it keeps, by key."""

    open: Callable[[], Layer]
    read: Callable[[str], bytes | None]
    write: Callable[[str, bytes], None]


@pytest.fixture(scope="module")
def s3() -> Iterator[S3]:
    with s3_server.running() as server:
        yield server


@pytest.fixture(params=["folder", "file", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    if request.param == "s3":
        server: S3 = request.getfixturevalue("s3")
        for name, value in server.env.items():
            monkeypatch.setenv(name, value)
        server.empty()
        return Place(
            lambda: SharedStore(server.url),
            lambda key: server.objects().get(f"team/v2/{key[:2]}/{key[2:]}"),
            lambda key, content: server.write(f"team/v2/{key[:2]}/{key[2:]}", content),
        )

    def path(key: str) -> Path:
        return tmp_path / "kept/v2" / key[:2] / key[2:]

    def read(key: str) -> bytes | None:
        return path(key).read_bytes() if path(key).exists() else None

    def write(key: str, content: bytes) -> None:
        path(key).parent.mkdir(parents=True, exist_ok=True)
        path(key).write_bytes(content)

    kept = tmp_path / "kept"
    if request.param == "folder":
        return Place(lambda: FolderStore(kept), read, write)
    return Place(lambda: SharedStore(kept.as_uri()), read, write)


def test_what_is_put_is_what_another_one_gets(place: Place) -> None:
    payloads = {key_of(str(len(p))): p for p in (b"", b"x", bytes(range(256)) * 4000)}
    first, second = place.open(), place.open()
    for key, payload in payloads.items():
        first.put(key, payload)
    assert first.settle() == []
    for key, payload in payloads.items():
        assert second.get(key) == payload
        assert second.has(key)


def test_what_was_not_put_is_not_there(place: Place) -> None:
    store = place.open()
    store.put(OTHER, b"other")
    store.settle()
    assert store.get(KEY) is None
    assert not store.has(KEY)
    assert store.settle() == []


def truncated(content: bytes) -> bytes:
    return content[: len(content) // 2]


def emptied(content: bytes) -> bytes:
    return b""


def bit_flipped(content: bytes) -> bytes:
    return content[:3] + bytes([content[3] ^ 1]) + content[4:]


def resealed_without_key(content: bytes) -> bytes:
    return b"poison" + hashlib.sha256(b"poison").digest()


def test_a_damaged_object_is_refused_removed_and_can_be_put_again(place: Place) -> None:
    store = place.open()
    for damage in (truncated, emptied, bit_flipped, resealed_without_key):
        store.put(KEY, b"a payload")
        store.settle()
        whole = place.read(KEY)
        assert whole
        place.write(KEY, damage(whole))
        assert store.get(KEY) is None, damage
        assert place.read(KEY) is None, damage
        store.put(KEY, b"a payload")
        store.settle()
        assert store.get(KEY) == b"a payload"


def test_an_object_under_another_key_is_refused(place: Place) -> None:
    store = place.open()
    store.put(OTHER, b"another line")
    store.settle()
    moved = place.read(OTHER)
    assert moved
    place.write(KEY, moved)
    assert store.get(KEY) is None
    assert store.get(OTHER) == b"another line"


def test_many_threads_put_and_get_the_same_keys(place: Place) -> None:
    stores = [place.open(), place.open()]
    payloads = {key_of(str(n)): bytes([n]) * 20_000 for n in range(8)}

    def work(n: int) -> list[bytes | None]:
        store = stores[n % 2]
        for key, payload in payloads.items():
            store.put(key, payload)
        return [store.get(key) for key in payloads]

    with ThreadPoolExecutor(8) as pool:
        for got in pool.map(work, range(8)):
            for found, payload in zip(got, payloads.values(), strict=True):
                assert found in (None, payload)
    for store in stores:
        assert store.settle() == []
    assert [stores[0].get(key) for key in payloads] == list(payloads.values())


def test_layers_are_asked_in_order_and_the_nearer_learn(tmp_path: Path) -> None:
    near, far = FolderStore(tmp_path / "near"), FolderStore(tmp_path / "far", "shared")
    store = Store([near, far], tmp_path / "counts.sqlite")
    far.put(KEY, b"from afar")
    assert store.having([KEY, OTHER]) == {KEY}
    assert store.get(OTHER) is None
    assert store.get(KEY) == Found(b"from afar", "shared")
    assert near.get(KEY) == b"from afar"
    assert store.get(KEY) == Found(b"from afar", "store")
    store.put(OTHER, b"new")
    assert (near.get(OTHER), far.get(OTHER)) == (b"new", b"new")
    assert store.settle() == []
    assert read_counts(tmp_path / "counts.sqlite") == {"missed": 1, "shared": 1, "store": 1}


def test_hits_of_several_processes_add_up(tmp_path: Path) -> None:
    for _ in range(3):
        store = Store([FolderStore(tmp_path / "kept")], tmp_path / "counts.sqlite")
        store.put(KEY, b"x")
        store.get(KEY)
        store.settle()
        store.settle()
    assert read_counts(tmp_path / "counts.sqlite") == {"store": 3}


def test_a_folder_that_cannot_be_written_to_is_told_once(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("a file where the folder should be")
    store = FolderStore(tmp_path / "kept")
    for key in (KEY, OTHER):
        store.put(key, b"x")
    (told,) = store.settle()
    assert "cannot be written to" in told and str(tmp_path) in told
    assert store.settle() == []


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("nas/movies", "the shared store 'nas/movies' is no URL; write one such as s3://bucket/"),
        ("s3:/bucket", "the shared store 's3:/bucket' is no URL"),
        ("foo://x", "no kind of URL 'foo'; use s3, gs, az, sftp or file, for example"),
        ("memroy://movies", "no kind of URL 'memroy'; did you mean 'memory'?"),
        ("gs://movies", "needs an extra: pip install 'movie-build[gcs]'"),
    ],
)
def test_a_kind_of_url_that_cannot_be_opened_is_told_before_it_is_needed(
    url: str, told: str
) -> None:
    if url.startswith("gs") and find_spec("gcsfs"):
        pytest.skip("gcsfs is installed here")
    with pytest.raises(MovieBuildError, match=re.escape(told)):
        open_store(shared=url)


@pytest.mark.parametrize(
    ("variable", "config", "expected"),
    [
        ("", "", 1),
        ("", "file:///nowhere", 2),
        ("off", "file:///nowhere", 1),
        ("file:///elsewhere", "", 2),
    ],
)
def test_the_environment_overrides_the_settings(
    variable: str, config: str, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOVIE_BUILD_SHARED_CACHE", variable)
    store = open_store(shared=config)
    assert len(store.layers) == expected
    if variable.startswith("file"):
        shared = store.layers[1]
        assert isinstance(shared, SharedStore) and shared.url == variable


@pytest.mark.parametrize(("said", "read_only"), [("", True), ("0", False), ("1", True)])
def test_read_only_by_settings_or_environment(
    said: str, read_only: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOVIE_BUILD_CACHE_READ_ONLY", said)
    shared = open_store(shared="file:///nowhere", read_only=True).layers[1]
    assert isinstance(shared, SharedStore) and shared.read_only == read_only
