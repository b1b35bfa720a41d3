"""How a run is told while it works and when it ends: displays, lines, annotations, signals."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import shutil
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from conftest import DODO, SMALL, Folder
from PIL import Image

from movie_build import pace, progress
from movie_build.display import StepState, _Lines, _State
from movie_build.errors import Where
from movie_build.github_actions import annotation
from movie_build.session import Session
from movie_build.store import default_folder
from movie_build.units import kind_of, units_of

BUILD = (sys.executable, "-m", "movie_build.cli", "build")
SCRIPT = """title: Numbers
sections:
- title: First slide
  narrations:
  - This is line number one.
  - {text: Broken one, recording: assets/bad.wav}
- title: Second slide
  narrations:
  - This is line number three.
  - {text: Broken two, recording: assets/worse.wav}
"""
NAMES = ("NO_COLOR", "FORCE_COLOR", "CI", "GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY")


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the environment of the tests' own run."""
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a finished movie, and its `cache`."""
    base = tmp_path_factory.mktemp("progress")
    folder = Folder(base / "movie")
    folder.write("dodo.py", DODO)
    folder.write("movie.yaml", SMALL)
    folder.write(
        "script.yaml",
        SCRIPT.replace(", recording: assets/bad.wav", "").replace(
            ", recording: assets/worse.wav", ""
        ),
    )
    folder.doit(env={"MOVIE_BUILD_CACHE": str(base / "cache")})
    return base


@pytest.fixture
def movie(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    """A copy of the finished movie, with its store."""
    shutil.copytree(finished, tmp_path / "copy")
    monkeypatch.setenv("MOVIE_BUILD_CACHE", str(tmp_path / "copy/cache"))
    return Folder(tmp_path / "copy/movie")


@pytest.fixture
def broken(folder: Folder) -> Folder:
    """A movie of two slides and four lines, of which the recordings of two are no sound."""
    folder.write("script.yaml", SCRIPT)
    folder.write("assets/bad.wav", "no sound")
    folder.write("assets/worse.wav", "no sound either")
    return folder


LONG = "has more to say than there is room for in a terminal of eighty columns."


def on_terminal(folder: Folder, **env: str) -> tuple[str, str]:
    """Build in a process whose stderr is a terminal: what was drawn there, and stdout."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    drawn: list[bytes] = []
    reader = threading.Thread(target=_read, args=(ours, drawn))
    reader.start()
    whole = {**os.environ, "TERM": "xterm-256color", **env}
    command = [sys.executable, "-m", "doit"]
    with subprocess.Popen(
        command, cwd=folder.path, env=whole, stdout=subprocess.PIPE, stderr=theirs, text=True
    ) as process:
        os.close(theirs)
        out = process.communicate(timeout=120)[0]
    reader.join(timeout=10)
    os.close(ours)
    assert process.returncode == 0, b"".join(drawn)
    return b"".join(drawn).decode(), out


def _read(terminal: int, into: list[bytes]) -> None:
    try:
        while content := os.read(terminal, 65536):
            into.append(content)
    except OSError:
        return  # the other end is closed


def test_on_a_terminal_one_display_moves_and_leaves_nothing_behind(folder: Folder) -> None:
    script = SCRIPT.replace("recording: assets/", "id: ").replace(".wav", "")
    folder.write("script.yaml", re.sub(r"\b(one|two|three)\b", rf"\1 which {LONG}", script))
    drawn, out = on_terminal(folder)
    assert "\x1b[1A" in drawn and "\x1b[?25l" in drawn
    plain = re.sub("\x1b\\[[0-9;?]*[A-Za-z]", "", drawn)
    assert {"audio", "slide", "picture", "movie"} <= set(plain.split())
    assert " 4/4" in plain and re.search(r'[12] "(First|Second) slide"', plain)
    assert re.search(r"\n\d+ s", plain)
    tables = [line for line in plain.splitlines() if "━" in line or "/4" in line]
    assert all(re.match(r"(audio  |slide  |picture|movie  ) .{20} \d/\d", x) for x in tables), plain
    assert all(len(line) <= 80 for line in plain.splitlines())
    assert drawn.endswith(("\x1b[1A\x1b[2K", "\x1b[2K")), "the display is taken away"
    assert "\x1b[?25h" in drawn, "the cursor is back"
    assert out.splitlines()[0] == "audio    4 new, 0 reused" and "\x1b" not in out


@pytest.mark.parametrize("env", [{"CI": "true"}, {"TERM": "dumb"}])
def test_a_terminal_that_cannot_move_gets_lines(folder: Folder, env: dict[str, str]) -> None:
    folder.write("script.yaml", "title: T\nsections:\n- title: S\n  narrations: [One line.]\n")
    drawn, _ = on_terminal(folder, NO_COLOR="1", **env)
    assert "\x1b" not in drawn
    assert drawn.splitlines()[-1].split()[0] in ("slide", "picture", "movie")


def test_no_color_is_a_display_without_colors(folder: Folder) -> None:
    folder.write("script.yaml", "title: T\nsections:\n- title: S\n  narrations: [One line.]\n")
    drawn, _ = on_terminal(folder, NO_COLOR="1")
    assert "\x1b[1A" in drawn
    assert not re.search("\x1b\\[(3|4|9|38;|48;)[0-9;]*m", drawn)


def test_without_a_terminal_there_is_a_line_a_step(folder: Folder) -> None:
    folder.write("script.yaml", SCRIPT.replace("recording: assets/", "id: ").replace(".wav", ""))
    run = folder.doit()
    steps = [line.split()[0] for line in run.err.splitlines()]
    assert "slide" in steps
    assert len(steps) == len(set(steps)), run.err
    assert re.search(r"^slide    drawing 2$", run.err, re.MULTILINE)
    assert run.out.splitlines()[-1].startswith("dist/movie.mp4  0:")
    assert "\x1b" not in run.out + run.err


def test_colors_are_forced_without_moving_the_cursor(folder: Folder) -> None:
    folder.write("script.yaml", "title: T\nsections:\n- title: S\n  narrations: [One line.]\n")
    run = folder.doit(env={"FORCE_COLOR": "1"})
    assert "\x1b[1mslide   \x1b[0m drawing" in run.err
    assert set(re.findall("\x1b\\[[0-9;?]*[A-Za-z]", run.err)) == {"\x1b[1m", "\x1b[0m"}


def test_a_long_step_is_told_every_five_seconds_not_every_piece(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    lines = _Lines()
    for done in range(1000):
        now += 0.1
        lines.show(_Speaking(done))  # type: ignore[arg-type]
    said = capsys.readouterr().err.splitlines()
    assert said[0] == "audio    speaking 1,000"
    assert said[1] == "audio    50 of 1,000; line 51; about 95 s left"
    assert 18 <= len(said) <= 21


class _Speaking:
    """A thousand lines to speak, ten a second."""

    def __init__(self, done: int) -> None:
        self.done = done

    def steps(self) -> list[StepState]:
        return [StepState("audio", self.done, 1000, True, f"line {self.done + 1}")]

    def to_make(self, step: str) -> int:
        return 1000 - self.done

    def left(self) -> str:
        return f"about {(1000 - self.done) // 10} s left"


def test_the_time_that_is_left_is_told_until_something_takes_far_longer(folder: Folder) -> None:
    folder.write("script.yaml", "title: T\nsections: [{title: S, narrations: [One, Two]}]\n")
    session = Session(folder.path)
    state = _State([session])
    state.look_ahead()
    assert state.left() == "", "nothing is known yet"
    kinds = {"movie", *map(kind_of, units_of(session.graph))}
    pace.learn(default_folder(), {kind: [3.0] for kind in kinds})
    state = _State([session])
    state.look_ahead()
    assert re.fullmatch(r"about \d+ s left", state.left())
    unit = "slide", "any"
    seconds = []
    for ran_s in (0, 1, 2):
        session.at_work[unit] = time.monotonic() - ran_s
        seconds.append(int(re.sub(r"\D", "", state.left())))
    assert seconds[0] - 1 == seconds[1] == seconds[2] + 1
    session.at_work[unit] = time.monotonic() - 60
    assert state.left() == "", "a server that hangs may do so for any time"


def test_quiet_prints_the_path_and_nothing_else(movie: Folder) -> None:
    for command in (BUILD, (*BUILD, ".")):
        run = movie.run(*command, "-q")
        assert (run.out, run.err) == ("dist/movie.mp4\n", "")
    run = Folder(movie.path.parent).run(*BUILD, "movie", "--quiet")
    assert (run.out, run.err) == ("movie/dist/movie.mp4\n", "")
    movie.edit("script.yaml", "number one", "number nine")
    run = movie.doit(env={"MOVIE_BUILD_QUIET": "1"})
    assert (run.out, run.err) == ("dist/movie.mp4\n", "")
    assert run.made() == {"audio": 1, "movie": 1}


def test_quiet_tells_no_warning_of_a_slide(folder: Folder) -> None:
    folder.write(
        "script.yaml", "title: T\nsections: [{title: S, image: a.png, narrations: [One line.]}]\n"
    )
    Image.new("RGB", (8, 8), "red").save(folder.path / "a.png")
    run = folder.run(*BUILD, "-q")
    assert (run.out, run.err) == ("dist/movie.mp4\n", "")
    folder.edit("script.yaml", "title: S", "title: Z")
    assert "only 8 × 8 pixels" in folder.run(*BUILD).err


def test_verbose_tells_each_piece_that_is_made(movie: Folder) -> None:
    commands = [(*BUILD, "-v"), (sys.executable, "-m", "doit", "-v", "1")]
    for command, word in zip(commands, ("nine", "ten"), strict=True):
        movie.edit("script.yaml", "This is line number", f"This is line {word}, number")
        told = movie.run(*command).err.splitlines()
        assert re.fullmatch(rf"audio +[\d.]+ s  This is line {word}, number \w+\.", told[0])
        assert re.fullmatch(r"movie +[\d.]+ s  join everything to dist/movie.mp4", told[1])
        assert len(told) == 2


def test_nothing_to_do_shows_and_imports_no_display(movie: Folder) -> None:
    run = movie.doit(env={"PYTHONPROFILEIMPORTTIME": "1"})
    imported = {line.rsplit("|", 1)[-1].strip() for line in run.err.splitlines()}
    assert "movie_build.reporter" in imported
    assert not imported & {"rich", "rich.console", "movie_build.plan", "movie_build.junit"}


def test_keep_going_makes_what_can_be_made_and_lists_every_failure(broken: Folder) -> None:
    run = broken.run(*BUILD, "--keep-going", code=1)
    assert run.made() == {"audio": 2, "slide": 2, "picture": 2}
    failures = [line for line in run.err.splitlines() if line.startswith("script.yaml:")]
    assert [line.split(":")[1] for line in failures] == ["6", "10"]
    assert "audio    2 new, 0 reused, 2 failed" in run.out
    assert not (broken.path / "dist/movie.mp4").exists()


def test_in_github_actions_mistakes_are_annotations_and_a_table(
    broken: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    summary = broken.path.parent / "summary.md"
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(broken.path.parent))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    summary.write_text("before\n")
    run = broken.run(*BUILD, "--keep-going", code=1)
    commands = [line for line in run.err.splitlines() if line.startswith("::error ")]
    assert len(commands) == 2
    assert commands[0].startswith("::error file=movie/script.yaml,line=6")
    told = summary.read_text()
    assert told.startswith("before\n### movie\n\n| step | new | reused | failed | seconds |\n")
    assert "| audio | 2 | 0 | 2 | " in told and "- script.yaml:6: " in told
    broken.write("script.yaml", "titel: x\n")
    run = broken.doit(code=1)
    assert "::error file=movie/script.yaml,line=1" in run.err
    assert [line for line in run.err.splitlines() if line.startswith("script.yaml:1:")]


def test_quiet_leaves_annotations_to_ci(movie: Folder) -> None:
    movie.write("movie.yaml", SMALL + "audio:\n  enable_furigana: true\n")
    run = movie.run(*BUILD, "-q", env={"GITHUB_ACTIONS": "true"})
    assert run.out == "dist/movie.mp4\n"
    (told,) = run.err.splitlines()
    assert told.startswith("::warning file=movie.yaml,line=3::audio.enable_furigana: ignored")
    assert movie.run(*BUILD, "-q").err == ""


def test_an_annotation_is_escaped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path))
    at = Where("a,b:c.yaml", 3, 7)
    told = annotation("error", at, "50 % of\nthis::", tmp_path)
    assert told == "::error file=a%2Cb%3Ac.yaml,line=3,col=7::50 %25 of%0Athis::"


def test_a_report_is_heard_where_it_is_listened_to() -> None:
    heard: list[str] = []
    progress.report("movie", "nobody listens")
    with progress.heard_by(lambda told: heard.append(f"{told.step}: {told}")):
        progress.report("movie", "writing", 3, 4)
        progress.report("script", "tokens", 1200)
        later = progress.told("slide")
        thread = threading.Thread(target=progress.report, args=("movie", "another thread"))
        thread.start()
        thread.join()
    later("installing")
    progress.report("movie", "nobody listens any more")
    assert heard == ["movie: writing 75 %", "script: tokens 1,200", "slide: installing"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("threads", [[], ["-n", "0"]])
def test_a_signal_ends_a_run_in_one_line_and_keeps_what_was_made(
    folder: Folder, number: signal.Signals, threads: list[str]
) -> None:
    lines = "\n".join(f"  - This is the line with the number {n}." for n in range(40))
    folder.write("script.yaml", f"title: T\nsections:\n- title: S\n  narrations:\n{lines}\n")
    with _running(folder, *threads) as process:
        while len(list(folder.path.glob("build/audio/*.sound"))) < 5:
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 128 + number
    assert out == ""
    told = [line for line in err.splitlines() if not line.startswith(("audio ", "slide "))]
    assert len(told) == 1
    made = re.fullmatch(r"stopped; what was made stays \((\d+)\), the next .*", told[0])
    assert made and int(made[1]) >= 4
    report = folder.path / "build/report.json"
    assert '"made": ' + made[1] in report.read_text()
    said = folder.doit("-n", "2", "audio")
    assert said.reused()["audio"] >= int(made[1])


@contextmanager
def _running(folder: Folder, *args: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "doit", *args]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=folder.path, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            yield process
        finally:
            process.kill()
