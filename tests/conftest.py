"""What all tests share: an environment without keys or network, and projects to build."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # In the background of a script Ctrl-C is ignored, and so by all that a test starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)

_LOOPBACK = {"127.0.0.1", "::1", "localhost"}
_REAL_CONNECT = socket.socket.connect


def _connect_to_loopback(self: socket.socket, address: Any) -> None:
    if isinstance(address, tuple) and address[0] not in _LOOPBACK:
        raise AssertionError(f"a test tried to reach {address}")
    _REAL_CONNECT(self, address)


def pytest_configure(config: pytest.Config) -> None:
    """Install what drawing slides needs, once, before the network is closed."""
    from movie_build.browser_install import ensure, install_fonts
    from movie_build.fonts import missing_in_system

    if hasattr(config, "workerinput"):
        return
    ensure(print)
    if missing_in_system("日本語"):
        install_fonts(report=print)


@pytest.fixture(autouse=True)
def _closed_world(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """No API key, no address but loopback, and a store of the test's own."""
    for name in list(os.environ):
        if name.endswith(("_API_KEY", "_BASE_URL")) or name.startswith("VOICEVOX"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("MOVIE_BUILD_CACHE", str(tmp_path_factory.mktemp("cache")))
    monkeypatch.setattr(socket.socket, "connect", _connect_to_loopback)
    yield


@dataclass(frozen=True)
class Run:
    """A finished command."""

    code: int
    out: str
    err: str
    report: dict[str, Any]

    def made(self) -> dict[str, int]:
        """How many units of each step were made; steps that made none are left out."""
        return {s: n["made"] for s, n in self.report["steps"].items() if n["made"]}

    def reused(self) -> dict[str, int]:
        """How many units of each step were there already."""
        return {s: n["reused"] for s, n in self.report["steps"].items() if n["reused"]}


@dataclass(frozen=True)
class Folder:
    """A movie's folder in a temporary place."""

    path: Path

    def doit(self, *args: str, env: dict[str, str] | None = None, code: int | None = 0) -> Run:
        """Run doit in the folder, in a process of its own; `code` is what it must exit with."""
        return self.run(sys.executable, "-m", "doit", *args, env=env, code=code)

    def run(self, *command: str, env: dict[str, str] | None = None, code: int | None = 0) -> Run:
        """Run a command in the folder."""
        report = self.path / "build" / "report.json"
        with suppress(OSError):  # a test may have made the folder read-only
            report.unlink(missing_ok=True)
        done = subprocess.run(
            command,
            cwd=self.path,
            env={**os.environ, **(env or {})},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        said = f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
        assert code is None or done.returncode == code, said
        assert "Traceback" not in done.stderr + done.stdout, said
        told = json.loads(report.read_text()) if report.exists() else {}
        return Run(done.returncode, done.stdout, done.stderr, told)

    def write(self, name: str, text: str) -> None:
        """Write a file of the project."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace `old`, which must be there, in a file of the project."""
        text = (self.path / name).read_text(encoding="utf-8")
        assert old in text
        self.write(name, text.replace(old, new, 1))

    def files(self, pattern: str) -> dict[str, bytes]:
        """The files of a pattern, by name."""
        return {p.name: p.read_bytes() for p in sorted(self.path.glob(pattern))}

    @property
    def mp4(self) -> bytes:
        """The finished movie's bytes."""
        (path,) = (self.path / "dist").glob("*.mp4")
        return path.read_bytes()


SMALL = "style: {resolution: [320, 180], fps: 25}\n"
DODO = "from movie_build.tasks import movie\n\nmovie(globals(), __file__)\n"


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """An empty movie folder with a small size and a dodo.py."""
    path = tmp_path / "movie"
    path.mkdir()
    made = Folder(path)
    made.write("dodo.py", DODO)
    made.write("movie.yaml", SMALL)
    return made


@pytest.fixture
def copied(tmp_path: Path) -> Any:
    """Copies a folder of the repository, without what was built in it."""

    def copy(source: Path) -> Folder:
        target = tmp_path / source.name
        shutil.copytree(
            source, target, ignore=shutil.ignore_patterns("build", "dist", "__pycache__")
        )
        return Folder(target)

    return copy
