"""The user's store as a thing to look at and to keep small."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from movie_build.errors import MovieBuildError, StoreError
from movie_build.pieces import SHARED, STORED
from movie_build.session import Session
from movie_build.store import FolderStore, counts_path, default_folder
from movie_build.store_counts import read_counts

_SIZE = re.compile(r"([\d.]+)\s*(?:([kmgt]?)(i?)b?)", re.IGNORECASE)
_AGE = re.compile(r"([\d.]+)\s*([smhdw])", re.IGNORECASE)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_LEFTOVER_S = 86_400
_PUSH_S = 3_600.0


@dataclass(frozen=True, slots=True)
class Kept:
    """An object of the store; `used_at` is when it was last put or taken, in Unix seconds."""

    key: str
    path: Path
    n_bytes: int
    used_at: float


@dataclass(frozen=True, slots=True)
class Contents:
    """What is in the user's store, and how often something was found in it, or not."""

    folder: str
    entries: int
    n_bytes: int
    hits: int
    shared_hits: int
    misses: int


@dataclass(frozen=True, slots=True)
class Swept:
    """What was, or would be, removed; what stays; and what stays only because it is in use."""

    removed: tuple[Kept, ...]
    kept: tuple[Kept, ...]
    spared: tuple[Kept, ...]


def contents() -> Contents:
    """What is in the user's store. Writes nothing."""
    kept = list(objects())
    counts = read_counts(counts_path())
    return Contents(
        folder=str(default_folder()),
        entries=len(kept),
        n_bytes=sum(one.n_bytes for one in kept),
        hits=counts.get(STORED, 0),
        shared_hits=counts.get(SHARED, 0),
        misses=counts.get("missed", 0),
    )


def objects() -> Iterator[Kept]:
    """The objects of the user's store."""
    for path in FolderStore(default_folder()).folder.glob("??/*"):
        if path.name.startswith("."):
            continue
        try:
            stat = path.stat()
        except FileNotFoundError:
            continue
        yield Kept(path.parent.name + path.name, path, stat.st_size, stat.st_mtime)


def sweep(
    *,
    max_bytes: int | None,
    unused_s: float | None,
    in_use: Callable[[str], bool],
    dry_run: bool,
) -> Swept:
    """Remove what was not used for `unused_s`, then the longest unused until `max_bytes` are left.

    Raises:
        StoreError: an object cannot be removed.
    """
    now = time.time()
    oldest_first = sorted(objects(), key=lambda one: (one.used_at, one.key))
    left_bytes = sum(one.n_bytes for one in oldest_first)
    removed, kept, spared = [], [], []
    for one in oldest_first:
        too_old = unused_s is not None and now - one.used_at > unused_s
        too_much = max_bytes is not None and left_bytes > max_bytes
        if not (too_old or too_much):
            kept.append(one)
        elif in_use(one.key):
            spared.append(one)
        else:
            removed.append(one)
            left_bytes -= one.n_bytes
    if not dry_run:
        for one in removed:
            _remove(one.path)
        for path in FolderStore(default_folder()).folder.glob("??/.part-*"):
            if now - path.stat().st_mtime > _LEFTOVER_S:
                _remove(path)
    return Swept(tuple(removed), tuple(kept), tuple(spared))


def push(session: Session) -> tuple[int, int]:
    """Send what a project needs and the shared store lacks; how many were sent, of how many.

    Raises:
        StoreError: there is no shared store, or it cannot be written to.
    """
    from movie_build.in_use import used_by
    from movie_build.store_shared import SharedStore

    shared = session.bench.store.layers[-1]
    if not isinstance(shared, SharedStore):
        raise StoreError("no shared store is set: name one under `cache: {shared: …}`")
    if shared.read_only:
        raise StoreError(f"the shared store {shared.url} is only read, by your settings")
    pieces = {piece.key: piece for piece in used_by(session)}
    n_sent = 0
    for key in sorted(pieces.keys() - shared.having(pieces)):
        content = session.bench.held(pieces[key])
        if content is not None:
            shared.put(key, content)
            n_sent += 1
    if troubles := shared.settle(_PUSH_S):
        raise StoreError("\n".join(troubles))
    return n_sent, len(pieces)


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise StoreError(f"cannot remove {path}: {error.strerror}") from error


def parse_size(text: str) -> int:
    """`2GB`, `500 MB`, `1.5GiB` or a number, in bytes.

    Raises:
        MovieBuildError: it is none of these.
    """
    match = _SIZE.fullmatch(text.strip())
    if not match or match[1].count(".") > 1:
        raise MovieBuildError(f"{text!r} is no size: write it like 500MB or 2GB")
    power = " kmgt".index((match[2] or " ").lower())
    return int(float(match[1]) * (1024 if match[3] else 1000) ** power)


def parse_age(text: str) -> float:
    """`30d`, `12h`, `2w`, in seconds.

    Raises:
        MovieBuildError: it is none of these.
    """
    match = _AGE.fullmatch(text.strip())
    if not match or match[1].count(".") > 1:
        raise MovieBuildError(f"{text!r} is no age: write it like 30d, 12h or 2w")
    return float(match[1]) * _SECONDS[match[2].lower()]


def shown_size(n_bytes: float) -> str:
    """`812 B`, `1.3 GB`."""
    for unit in ("B", "kB", "MB", "GB"):
        if n_bytes < 999.5:
            return (
                f"{n_bytes:.0f} {unit}" if unit == "B" or n_bytes >= 10 else f"{n_bytes:.1f} {unit}"
            )
        n_bytes /= 1000
    return f"{n_bytes:.1f} TB"
