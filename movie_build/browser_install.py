"""Where the browser is, and how one comes onto a machine that has none."""

from __future__ import annotations

import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from movie_build.errors import BrowserError, FontError

VARIABLE = "MOVIE_BUILD_BROWSER"
CJK_FONTS = "fonts-noto-cjk"

_ON_PATH = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
_PLAYWRIGHT_PROGRAMS = (
    "*/chrome-headless-shell",
    "*/chrome-headless-shell.exe",
    "*/headless_shell",
    "*/headless_shell.exe",
    "*/chrome",
    "*/chrome.exe",
    "*/*.app/Contents/MacOS/*",
)
_DOWNLOAD = ("install", "--only-shell", "chromium")
_SILENT_S = 60.0
_LONGEST_S = 900.0


def find() -> Path | None:
    """The browser to use, or None: `$MOVIE_BUILD_BROWSER`, Playwright's own, one on PATH.

    Raises:
        BrowserError: the variable names something that cannot be run.
    """
    named = os.environ.get(VARIABLE)
    if named:
        program = shutil.which(named)
        if program is None:
            raise BrowserError(
                f"{VARIABLE} is {named!r}, which is not a program: correct or unset it"
            )
        return Path(program)
    return _of_playwright() or _first_on_path()


def ensure(report: Callable[[str], None]) -> Path:
    """The browser to use; where there is none, one is installed and `report` is told.

    Raises:
        BrowserError: none is there and none could be installed; the message says what to type.
    """
    found = find()
    if found is not None:
        return found
    why: list[str] = []
    for way in _ways():
        report(f"no browser found, installing one: {way.shown}")
        problem = way.run()
        found = find()
        if found is not None and problem is None:
            report(f"installed {found}")
            return found
        why.append(f"{way.shown}: {problem or 'it installed no browser'}")
    raise BrowserError(
        "no browser to draw slides with, and none could be installed.\n"
        + "".join(f"  tried {line}\n" for line in why)
        + f"Install one by hand: {_to_type('chromium')}\n"
        + "  or: python -m playwright install --with-deps --only-shell chromium\n"
        + f"  or name one you have: export {VARIABLE}=/path/to/chrome"
    )


def install_fonts(
    packages: Iterable[str] = (CJK_FONTS,), report: Callable[[str], None] = lambda _: None
) -> None:
    """Install Debian packages of fonts, where this can be done without asking.

    Raises:
        FontError: it cannot; the message says what to type.
    """
    for package in packages:
        problem: str | None = "this is not Debian or Ubuntu as root"
        if _apt_is_ours():
            report(f"installing {package}")
            problem = _apt(package)
        if problem is not None:
            raise FontError(f"cannot install {package} ({problem}); type: {_to_type(package)}")


@dataclass(frozen=True, slots=True)
class _Way:
    """One way to install a browser: `run` gives None, or what went wrong."""

    shown: str
    run: Callable[[], str | None]


def _ways() -> list[_Way]:
    ways = [_Way(f"playwright {' '.join(_DOWNLOAD)}", _by_playwright)]
    if _apt_is_ours():
        ways += [
            _Way(f"apt-get install {package}", partial(_apt, package))
            for package in ("chromium-headless-shell", "chromium")
        ]
    return ways


def _by_playwright() -> str | None:
    problem = _run([sys.executable, "-m", "playwright", *_DOWNLOAD])
    program = _of_playwright()
    if problem is None and program is not None:
        # On a bare machine the download succeeds, and libraries it needs are missing.
        problem = _run([str(program), "--version"])
        if problem is not None and _apt_is_ours():
            problem = _run([sys.executable, "-m", "playwright", "install-deps", "chromium"])
        if problem is not None:
            shutil.rmtree(_playwright_folder(program), ignore_errors=True)
    return problem


def _of_playwright() -> Path | None:
    spec = find_spec("playwright")
    if spec is None or spec.origin is None:
        return None
    package = Path(spec.origin).parent / "driver" / "package"
    try:
        browsers = json.loads((package / "browsers.json").read_text("utf-8"))["browsers"]
    except (OSError, ValueError, KeyError):
        return None
    revision = next((b["revision"] for b in browsers if b["name"] == "chromium"), None)
    for kind in ("chromium_headless_shell", "chromium"):
        folder = _downloads(package) / f"{kind}-{revision}"
        # Playwright writes the mark last, so a half-unpacked download does not count.
        if not (folder / "INSTALLATION_COMPLETE").exists():
            continue
        for pattern in _PLAYWRIGHT_PROGRAMS:
            for program in sorted(folder.glob(pattern)):
                if program.is_file() and os.access(program, os.X_OK):
                    return program
    return None


def _playwright_folder(program: Path) -> Path:
    return next(p for p in program.parents if p.name.startswith("chromium"))


def _downloads(package: Path) -> Path:
    """Playwright's own rule for where it keeps browsers."""
    named = os.environ.get("PLAYWRIGHT_BROWSERS_PATH")
    if named == "0":
        return package / ".local-browsers"
    if named:
        return Path(named)
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "ms-playwright"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home())) / "ms-playwright"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ms-playwright"


def _first_on_path() -> Path | None:
    found = (shutil.which(name) for name in _ON_PATH)
    return next((Path(program) for program in found if program), None)


def _apt_is_ours() -> bool:
    return sys.platform == "linux" and os.geteuid() == 0 and shutil.which("apt-get") is not None


def _to_type(package: str) -> str:
    if shutil.which("apt-get"):
        sudo = "" if _apt_is_ours() else "sudo "
        return f"{sudo}apt-get update && {sudo}apt-get install {package}"
    return f"install the package {package} with your system's package manager"


def _apt(package: str) -> str | None:
    """None once the Debian package is there, else what went wrong."""
    wait = ["-o", "DPkg::Lock::Timeout=300"]
    install = ["apt-get", "install", "-y", "--no-install-recommends", *wait, package]
    if _run(install) is None:
        return None
    # The lists may be old, or none. Whether all of them could be renewed matters little.
    _run(["apt-get", "update", *wait])
    return _run(install)


def _run(command: Sequence[str]) -> str | None:
    """None if `command` succeeds, else its last words; stopped when silent for a minute."""
    # Its own session, so that what it has started ends with it.
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
    )
    assert process.stdout is not None
    lines: queue.Queue[str | None] = queue.Queue()
    reader = threading.Thread(target=_read, args=(process.stdout, lines), daemon=True)
    reader.start()
    end = time.monotonic() + _LONGEST_S
    last = ""
    try:
        while (
            line := lines.get(timeout=max(0.0, min(_SILENT_S, end - time.monotonic())))
        ) is not None:
            # A Node.js failure ends in its stack; what went wrong stands above it.
            if line.strip() and not line.lstrip().startswith("at "):
                last = line.strip()
        code = process.wait()
    except queue.Empty:
        return f"no answer within {_SILENT_S:.0f} s" + (f" after {last!r}" if last else "")
    finally:
        if process.poll() is None:
            _stop(process)
        reader.join(timeout=5)
        process.stdout.close()
    return None if code == 0 else last or f"exit code {code}"


def _read(stream: Iterable[str], lines: queue.Queue[str | None]) -> None:
    for line in stream:
        lines.put(line)
    lines.put(None)


def _stop(process: subprocess.Popen[str]) -> None:
    if sys.platform == "win32":
        process.kill()
    else:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
