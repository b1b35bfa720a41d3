"""How doit is to work here: what stands in a dodo.py's `DOIT_CONFIG`, beside the user's own."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from movie_build import doit_database
from movie_build.refused import Refused
from movie_build.session import Session


def put(
    namespace: dict[str, Any],
    sessions: list[Session],
    dep_file: Path,
    default: list[str],
    refused: list[Refused] | None = None,
) -> None:
    """Put the configuration of a run over `sessions` into a dodo.py's namespace.

    `refused` are those of several movies that turn out not to be built; None where there is one.

    Raises:
        StoreError: doit's database cannot be written.
    """
    doit_database.prepare(dep_file)
    config = {
        "default_tasks": default,
        "reporter": _reporter(sessions, refused),
        "backend": "sqlite3",
        "dep_file": str(dep_file),
        "check_file_uptodate": "timestamp",
        "par_type": "thread",
        "num_process": os.cpu_count() or 1,
        "verbosity": 0,
        # One movie's mistake is no reason to leave the others unbuilt; each stops by itself.
        "continue": refused is not None,
    }
    namespace["DOIT_CONFIG"] = {**config, **namespace.get("DOIT_CONFIG", {})}
    _stay(namespace, config)


def _stay(namespace: dict[str, Any], config: dict[str, Any]) -> None:
    """See that a `DOIT_CONFIG` which dodo.py sets after its movie, too, only adds to `config`.

    Without our reporter nothing would be told, and with another database all be looked at anew.
    """

    class Dodo(ModuleType):
        @property
        def DOIT_CONFIG(self) -> Any:
            own = vars(self)["DOIT_CONFIG"]
            return {**config, **own} if isinstance(own, dict) else own  # which doit refuses

    module = sys.modules.get(str(namespace.get("__name__")))
    if module is not None and vars(module) is namespace:
        module.__class__ = Dodo


def _reporter(sessions: list[Session], told: list[Refused] | None) -> type:
    """The reporter of a run over `sessions`; `told` are movies that turned out to be refused."""
    from movie_build.reporter import Reporter

    class BoundReporter(Reporter):
        desc = "one line a step, then the movie"

        def __init__(self, outstream: Any, options: Any) -> None:
            super().__init__(outstream, sessions, told)

    return BoundReporter
