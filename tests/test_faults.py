"""What a build survives: a full disk, a read-only folder, signals, odd files."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import DODO, SMALL, Folder

LINES = [f"  - This is line number {n}, and it is long enough." for n in range(8)]
SCRIPT = "title: T\nsections:\n- title: S\n  narrations:\n" + "\n".join(LINES) + "\n"


def mounted(path: Path, size: str) -> bool:
    """Mount a small file system of its own at `path`, where this machine allows it."""
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(path)]
    return (
        os.geteuid() == 0
        and subprocess.run(command, capture_output=True, check=False).returncode == 0
    )


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Folder]:
    """A folder on a disk of 600 KB."""
    path = tmp_path / "disk"
    path.mkdir()
    if not mounted(path, "600k"):
        pytest.skip("needs the right to mount a file system")
    folder = Folder(path / "movie")
    folder.write("dodo.py", DODO)
    folder.write("movie.yaml", SMALL)
    folder.write("script.yaml", SCRIPT)
    yield folder
    subprocess.run(["umount", str(path)], check=True)


def test_a_full_disk_is_told_leaves_nothing_half_and_goes_on_when_there_is_space(
    small_disk: Folder, tmp_path: Path
) -> None:
    run = small_disk.doit(code=1)
    assert "No space left on device" in run.err
    assert not list(small_disk.path.rglob("*part-*"))
    kept = len(small_disk.files("build/audio/*.wav"))
    subprocess.run(["mount", "-o", "remount,size=20m", str(small_disk.path.parent)], check=True)
    shutil.rmtree(os.environ["MOVIE_BUILD_CACHE"])
    run = small_disk.doit()
    assert run.report["steps"]["audio"]["made"] <= 8 - kept + 1
    assert run.report["movie"]["lines"] == 8


def test_a_read_only_folder_is_told(small_disk: Folder) -> None:
    disk = str(small_disk.path.parent)
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    assert small_disk.doit(code=1).err == "cannot write build/doit.db: Read-only file system\n"
    command = [sys.executable, "-m", "movie_build.cli"]
    assert "8 lines" in small_disk.run(*command, "check").out
    assert "8 lines to speak" in small_disk.run(*command, "plan").out
    subprocess.run(["mount", "-o", "remount,rw,size=20m", disk], check=True)
    small_disk.doit()
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    assert "cannot write" in small_disk.doit(code=1).err
    assert "audio:" in small_disk.doit("list", "--all").out


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_build_and_the_next_goes_on(folder: Folder, sent: int, code: int) -> None:
    folder.write("script.yaml", SCRIPT)
    process = subprocess.Popen(
        [sys.executable, "-m", "doit"], cwd=folder.path, stderr=subprocess.PIPE, text=True
    )
    until = time.monotonic() + 20
    while not [*folder.path.glob("build/audio/[!.]*.sound")] and time.monotonic() < until:
        time.sleep(0.01)
    process.send_signal(sent)
    _, err = process.communicate(timeout=30)
    assert process.returncode in (code, -sent), err
    assert "Traceback" not in err
    made = folder.doit().report["steps"]["audio"]["made"]
    assert made < 8


# What kills a process as a file of this name is finished, and is to get it.
KILLER = """import os, signal
rename = os.replace
def replace(part, path, **how):
    if str(path).endswith(os.environ["KILLED_AT"]):
        os.kill(os.getpid(), signal.SIGKILL)
    return rename(part, path, **how)
os.replace = replace
"""


def test_killed_as_a_file_gets_its_name_the_next_build_is_as_if_it_was_not(
    folder: Folder, tmp_path: Path
) -> None:
    folder.write("script.yaml", SCRIPT)
    folder.doit()
    fault = Folder(tmp_path / "fault")
    fault.write("sitecustomize.py", KILLER)
    for n, ending in enumerate((".wav", ".mp4", ".srt")):
        folder.edit("script.yaml", f"number {n}", f"number {n} of eight")
        env = {"PYTHONPATH": str(fault.path), "KILLED_AT": ending}
        folder.doit(env=env, code=-signal.SIGKILL)
    made = folder.doit().made()
    assert made == {"movie": 1}, "the lines were whole, and the movie was not known to be"
    clean = Folder(tmp_path / "clean" / "movie")
    shutil.copytree(folder.path, clean.path, ignore=shutil.ignore_patterns("build", "dist"))
    clean.doit()
    assert folder.files("dist/*") == clean.files("dist/*")
    assert not list(folder.path.rglob("*part-*"))


def test_text_in_any_normal_form_is_one_piece(folder: Folder) -> None:
    nfc = "Café and naïve, that is what it says."
    nfd = unicodedata.normalize("NFD", nfc)
    assert nfc != nfd
    words = SMALL + "pronunciation: {custom: {Café: a coffee house}}\n"
    slide = "title: Émile\nsections:\n- title: Ça va\n  bullets: [Déjà vu]\n"
    text = f"{slide}  quote: {{text: Où est-il, by: Émile}}\n  narrations: ['{nfc}', '{nfd}']\n"
    folder.write("movie.yaml", words)
    folder.write("script.yaml", text)
    assert folder.doit().made()["audio"] == 1
    folder.write("movie.yaml", unicodedata.normalize("NFD", words))
    folder.write("script.yaml", unicodedata.normalize("NFD", text))
    assert folder.doit().made() == {}


def test_links_and_windows_files_are_fine(folder: Folder, tmp_path: Path) -> None:
    real = tmp_path / "real.yaml"
    real.write_bytes(b"\xef\xbb\xbf" + SCRIPT.replace("\n", "\r\n").encode())
    (folder.path / "script.yaml").symlink_to(real)
    link = tmp_path / "link"
    link.symlink_to(folder.path)
    assert Folder(link).doit().made()["audio"] == 8
    assert folder.doit().made() == {}


def test_a_clock_that_jumps_makes_nothing_again(folder: Folder) -> None:
    folder.write("script.yaml", SCRIPT)
    folder.doit()
    for path in folder.path.rglob("*"):
        if path.is_file():
            os.utime(path, (0, 0))
    assert folder.doit().made() == {}
    for path in folder.path.rglob("*"):
        if path.is_file():
            os.utime(path, (4_000_000_000, 4_000_000_000))
    assert folder.doit().made() == {}


def test_a_script_of_ten_megabytes_is_read(folder: Folder) -> None:
    notes = "x" * 1_000 + "\n"
    text = "title: T\nsections:\n- title: S\n  notes: |\n" + ("    " + notes) * 10_000
    folder.write("script.yaml", text + "  narrations: [Hello there.]\n")
    done = folder.run(sys.executable, "-m", "movie_build.cli", "check")
    assert "1 line " in done.out


def test_a_torn_database_of_either_kind_is_made_anew(folder: Folder) -> None:
    folder.write("script.yaml", SCRIPT)
    folder.doit()
    first = folder.mp4
    for name in ("records.sqlite", "doit.db"):
        (folder.path / "build" / name).write_bytes(b"not a database" * 100)
        folder.doit()
        assert folder.mp4 == first
