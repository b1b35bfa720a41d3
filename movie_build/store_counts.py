"""How often the user's store was of use: one small database beside the objects."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing, suppress
from pathlib import Path

_WAIT_S = 2


def add_counts(path: Path, counts: Mapping[str, int]) -> None:
    """Add `counts` to those at `path`. Where that cannot be, they are let go: they only inform."""
    with suppress(OSError, sqlite3.Error):
        path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(path, timeout=_WAIT_S)) as db:
            db.execute("PRAGMA synchronous=OFF")
            db.execute("CREATE TABLE IF NOT EXISTS counts (what PRIMARY KEY, n)")
            db.executemany(
                "INSERT INTO counts VALUES (?, ?) "
                "ON CONFLICT (what) DO UPDATE SET n = n + excluded.n",
                counts.items(),
            )
            db.commit()


def read_counts(path: Path) -> dict[str, int]:
    """What was counted at `path`; nothing where there is no readable file. Writes nothing."""
    if not path.exists():
        return {}
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as db:
            return dict(db.execute("SELECT what, n FROM counts"))
    except sqlite3.Error:
        return {}
