"""Presentations to PDF, by the LibreOffice that is installed: it needs a process of its own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path

from movie_build.errors import SlideError

_NAMES = ("soffice", "libreoffice")
_ELSEWHERE = (
    Path("/Applications/LibreOffice.app/Contents/MacOS/soffice"),
    Path("C:/Program Files/LibreOffice/program/soffice.exe"),
)


def to_pdf(deck: Path, *, timeout_s: float = 300) -> bytes:
    """The presentation `deck` as a PDF, converted by LibreOffice; hidden pages are not in it.

    Raises:
        SlideError: LibreOffice is not installed, fails, or takes longer than `timeout_s`.
    """
    program = _office()
    if program is None:
        raise SlideError(
            f"{deck.name} needs LibreOffice to be drawn, which is not installed: "
            "apt install libreoffice-impress (macOS: brew install --cask libreoffice), "
            "or save the presentation as PDF and name that"
        )
    with tempfile.TemporaryDirectory(prefix="movie-build-") as scratch:
        folder = Path(scratch)
        # A profile of its own: a LibreOffice that the user has open would take the job and drop it.
        profile = (folder / "profile").as_uri()
        command = [str(program), "--headless", "--norestore", f"-env:UserInstallation={profile}"]
        command += ["--convert-to", "pdf", "--outdir", str(folder), str(deck)]
        said = _run(command, deck.name, timeout_s)
        try:
            # LibreOffice ends with status 0 also where it made nothing.
            return (folder / f"{deck.stem}.pdf").read_bytes()
        except FileNotFoundError:
            why = f" ({said})" if said else ""
            raise SlideError(
                f"LibreOffice cannot read {deck.name}{why}: save it anew, or as PDF"
            ) from None


def _office() -> Path | None:
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    return Path(found) if found else next((p for p in _ELSEWHERE if p.is_file()), None)


def _run(command: list[str], name: str, timeout_s: float) -> str:
    """What a command said last; it and what it started are ended when it takes too long."""
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    ) as process:
        try:
            said = process.communicate(timeout=timeout_s)[0]
        except subprocess.TimeoutExpired:
            raise SlideError(
                f"LibreOffice was not done with {name} after {timeout_s:g} s: save it as PDF"
            ) from None
        finally:
            if process.returncode is None:
                _end(process)
    lines = said.decode(errors="replace").strip().splitlines()
    return lines[-1][:200] if lines else ""


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process and its children: soffice is a script that starts the program proper."""
    with suppress(ProcessLookupError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    process.wait()
