"""doit's own database: disposable, since what a piece is made from stands in its name."""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from movie_build.atomic import appearing
from movie_build.errors import StoreError

_MAGIC = b"SQLite format 3"


def prepare(file: Path) -> None:
    """See that doit can open its database at `file`; a damaged one is made anew.

    Raises:
        StoreError: it cannot be written.
    """
    try:
        file.parent.mkdir(exist_ok=True)
        if file.exists() and not _is_database(file):
            file.unlink(missing_ok=True)
        if not file.exists():
            _make(file)
    except (OSError, sqlite3.OperationalError) as error:
        where = f"{file.parent.name}/{file.name}"
        why = getattr(error, "strerror", None) or error
        raise StoreError(f"cannot write {where}: {why}") from error


def _make(file: Path) -> None:
    """Whole or not at all, and never in the place of one that another process has just made."""
    with (
        suppress(FileExistsError),
        appearing(file, replace=False) as part,
        closing(sqlite3.connect(part)) as db,
    ):
        db.execute("create table doit (task_id text not null primary key, task_data json)")


def _is_database(file: Path) -> bool:
    with file.open("rb") as opened:
        return opened.read(len(_MAGIC)) == _MAGIC
