"""Commands, run and measured."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

_NO_BYTECODE = "PYTHONDONTWRITEBYTECODE"


@dataclass(frozen=True)
class Timed:
    """A finished command: wall time, processor time, and the most memory it held."""

    wall_s: float
    cpu_s: float
    peak_mb: float


def timed(command: Sequence[str | Path], cwd: Path, env: dict[str, str] | None = None) -> Timed:
    """Run a command; what it took. Its children count for processor time, not for memory.

    Python keeps its bytecode, as it does unless told otherwise.
    """
    set_up = {name: value for name, value in os.environ.items() if name != _NO_BYTECODE}
    began = time.monotonic()
    process = subprocess.Popen(
        list(map(str, command)),
        cwd=cwd,
        env={**set_up, **(env or {})},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    assert process.stderr
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{command} failed:\n{said.decode()}")
    return Timed(time.monotonic() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def best(runs: int, act: Callable[[], Timed]) -> Timed:
    """The quickest of several runs: the machine is noisy, and noise only adds."""
    return min((act() for _ in range(runs)), key=lambda t: t.wall_s)
