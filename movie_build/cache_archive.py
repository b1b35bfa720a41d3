"""One file with all that a project needs now: for CI caches that count requests, or a USB stick.

A tar of objects as they are in a store, in the order of their keys and without
times or owners, so that the same pieces give the same bytes.
"""

from __future__ import annotations

import gzip
import io
import re
import tarfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from movie_build.atomic import appearing, write_bytes
from movie_build.errors import StoreError
from movie_build.in_use import used_by
from movie_build.session import Session
from movie_build.store import LAYOUT, FolderStore, object_name, sealed, unsealed

_OBJECT = re.compile(rf"{LAYOUT}/([0-9a-f]{{2}})/([0-9a-f]{{62}})")
# What a service's speakers are: without it, a machine that cannot ask would not know the keys.
_CATALOGUE = re.compile(r"voicevox/[0-9a-f]{16}\.json")


@dataclass(frozen=True, slots=True)
class Exported:
    """An archive's contents: its objects, their size, and how many pieces are not made yet."""

    n_objects: int
    n_bytes: int
    n_missing: int


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of an archive: objects that are new, that were there, and that are refused."""

    n_new: int
    n_known: int
    refused: tuple[str, ...]


def export(session: Session, path: Path, *, dry_run: bool = False) -> Exported:
    """Write all that a project needs now to the archive at `path`: `.tar`, or `.tar.gz`.

    What its pieces were made from is not needed, but what a service gave is in it too,
    because making it again may cost money.

    Raises:
        StoreError: the archive cannot be written.
    """
    used = used_by(session)
    bought = {key: piece for key, piece in used.sources.items() if piece.remote}
    pieces = dict(sorted({**used.joined, **bought}.items()))
    n_objects = n_bytes = n_missing = 0
    with ExitStack() as stack:
        add: Callable[[str, bytes], None] = lambda name, content: None  # noqa: E731
        if not dry_run:
            add = stack.enter_context(_writing(path))
        for key, piece in pieces.items():
            content = session.bench.held(piece)
            if content is None:
                n_missing += key in used.joined
                continue
            whole = sealed(key, content)
            add(f"{LAYOUT}/{object_name(key)}", whole)
            n_objects += 1
            n_bytes += len(whole)
        if any(piece.remote for piece in (*pieces.values(), *used)):
            for name, content in _catalogues(session.studio.shared):
                add(name, sealed(name, content))
    return Exported(n_objects, n_bytes, n_missing)


def bring(path: Path, store: FolderStore, root: Path, *, dry_run: bool = False) -> Imported:
    """Put the objects of the archive at `path` into `store`, each verified before.

    `root` is the folder that the store is in.

    Raises:
        StoreError: it is no such archive, or ends too early, or the store cannot be written to.
    """
    n_new = n_known = 0
    refused: list[str] = []
    for name, whole in _members(path):
        matched = _OBJECT.fullmatch(name)
        key = matched[1] + matched[2] if matched else name
        payload = unsealed(key, whole) if matched or _CATALOGUE.fullmatch(name) else None
        if payload is None:
            refused.append(name)
        elif not matched:
            if not dry_run and not (root / name).exists():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                write_bytes(root / name, payload)
        elif store.has(key) if dry_run else store.peek(key) is not None:
            n_known += 1
        else:
            n_new += 1
            if not dry_run:
                store.put(key, payload)
    if troubles := store.settle():
        raise StoreError("\n".join(troubles))
    return Imported(n_new, n_known, tuple(refused))


def _catalogues(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.glob("voicevox/*.json")):
        name = path.relative_to(folder).as_posix()
        if _CATALOGUE.fullmatch(name):
            yield name, path.read_bytes()


@contextmanager
def _writing(path: Path) -> Iterator[Callable[[str, bytes], None]]:
    """What adds a member to the archive that appears at `path`."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            part = stack.enter_context(appearing(path))
            out: IO[bytes] | gzip.GzipFile = stack.enter_context(part.open("wb"))
            if path.name.endswith((".gz", ".tgz")):
                # The name and time that gzip would note are left out: the bytes say the same.
                out = stack.enter_context(gzip.GzipFile("", "wb", 6, out, mtime=0))
            tar = stack.enter_context(
                tarfile.open(fileobj=out, mode="w|", format=tarfile.PAX_FORMAT)
            )

            def add(name: str, content: bytes) -> None:
                member = tarfile.TarInfo(name)
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))

            yield add
    except OSError as error:
        raise StoreError(f"cannot write {path}: {error.strerror or error}") from error


def _members(path: Path) -> Iterator[tuple[str, bytes]]:
    """The names and contents of an archive's files."""
    try:
        with tarfile.open(path, "r|*") as tar:
            for member in tar:
                file = tar.extractfile(member)
                if file is not None:
                    yield member.name, file.read()
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise StoreError(f"{path} is damaged, or no archive of movie-build: {error}") from error
    except OSError as error:
        raise StoreError(f"cannot read {path}: {error.strerror or error}") from error
