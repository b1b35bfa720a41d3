"""What is made again and what is not, seen from outside: `doit` in a project's folder."""

from __future__ import annotations

import io
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import av
import numpy as np
import pytest
from conftest import DODO, SMALL, Folder

NUMBERS = "one two three four five six seven eight nine ten eleven twelve".split()


def script_of(lines: list[str], per_section: int = 3) -> str:
    """A script with `lines`, so many to a section."""
    out = ["title: Numbers", "sections:"]
    for i in range(0, len(lines), per_section):
        out += [f"- title: Slide {i // per_section + 1}", "  narrations:"]
        out += [f"  - {line}" for line in lines[i : i + per_section]]
    return "\n".join([*out, "description: Said one by one"]) + "\n"


LINES = [f"This is line number {n}." for n in NUMBERS]


@pytest.fixture(scope="module")
def built_numbers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `movie`, a finished movie of twelve lines on four slides, and its `cache`."""
    base = tmp_path_factory.mktemp("numbers")
    folder = Folder(base / "movie")
    folder.write("dodo.py", DODO)
    folder.write("movie.yaml", SMALL)
    folder.write("script.yaml", script_of(LINES))
    run = folder.doit(env={"MOVIE_BUILD_CACHE": str(base / "cache")})
    assert run.made() == {"audio": 12, "slide": 4, "picture": 4, "movie": 1}
    return base


@pytest.fixture
def numbers(built_numbers: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    """A copy of the finished movie of twelve lines on four slides, with a store of its own."""
    shutil.copytree(built_numbers, tmp_path / "numbers")
    monkeypatch.setenv("MOVIE_BUILD_CACHE", str(tmp_path / "numbers/cache"))
    return Folder(tmp_path / "numbers/movie")


def test_nothing_changed_makes_nothing_and_imports_nothing_heavy(numbers: Folder) -> None:
    before = numbers.mp4
    run = numbers.doit(env={"PYTHONPROFILEIMPORTTIME": "1"})
    assert run.made() == {}
    assert run.reused() == {"audio": 12, "slide": 4, "picture": 4, "movie": 1}
    imported = {line.rsplit("|", 1)[-1].strip() for line in run.err.splitlines()}
    assert "movie_build.tasks" in imported
    heavy = {"av", "numpy", "playwright", "PIL", "pydantic", "yaml", "openai", "jinja2", "httpx"}
    assert not imported & heavy
    assert numbers.mp4 == before


def test_one_line_edited_makes_one_line_and_the_movie(numbers: Folder) -> None:
    numbers.edit("script.yaml", "line number five", "row number five")
    assert numbers.doit().made() == {"audio": 1, "movie": 1}


def test_inserted_moved_deleted_reverted(numbers: Folder) -> None:
    first = numbers.mp4
    lines = LINES.copy()
    lines.insert(6, "This one is new.")
    numbers.write("script.yaml", script_of(lines, 4))
    assert numbers.doit().made()["audio"] == 1
    lines.append(lines.pop(2))
    numbers.write("script.yaml", script_of(lines, 4))
    assert "audio" not in numbers.doit().made()
    del lines[0]
    numbers.write("script.yaml", script_of(lines, 4))
    assert "audio" not in numbers.doit().made()
    numbers.write("script.yaml", script_of(LINES))
    assert numbers.doit().made() == {"movie": 1}
    assert numbers.mp4 == first


def test_in_a_script_of_300_lines_an_edit_costs_what_changed(folder: Folder) -> None:
    lines = [f"Line {n}." for n in range(300)]
    folder.write("script.yaml", script_of(lines, 30))
    first = folder.doit()
    assert first.made() == {"audio": 300, "slide": 10, "picture": 10, "movie": 1}
    before = folder.mp4
    edits = (
        ("edited", [*lines[:99], "Another line.", *lines[100:]], 1),
        ("inserted", [*lines[:150], "A line more.", *lines[150:]], 1),
        ("moved", [*lines[:20], *lines[21:], lines[20]], 0),
        ("deleted", lines[:-1], 0),
        ("reverted", lines, 0),
    )
    for what, edited, n_spoken in edits:
        folder.write("script.yaml", script_of(edited, len(edited) // 10 + 1))
        run = folder.doit()
        assert run.made().get("audio", 0) == n_spoken, what
        assert run.reused()["audio"] == len(edited) - n_spoken, what
    folder.write("script.yaml", script_of(lines, 30))
    folder.doit()
    assert folder.mp4 == before


def test_a_slide_title_edited_draws_one_slide(numbers: Folder) -> None:
    numbers.edit("script.yaml", "title: Slide 2", "title: Another slide")
    assert numbers.doit().made() == {"slide": 1, "picture": 1, "movie": 1}


def test_a_voice_setting_speaks_every_line_of_that_voice(folder: Folder) -> None:
    personas = "personas: [{id: a, synthesizer: {speed_scale: %s}}, {id: b}]\n"
    folder.write("movie.yaml", SMALL + personas % 1.0)
    folder.write(
        "script.yaml",
        "title: T\nsections:\n- title: S\n  narrations:\n"
        "  - {text: First one., persona_id: a}\n  - {text: Second one., persona_id: b}\n"
        "  - {text: Third one., persona_id: a}\n",
    )
    folder.doit()
    folder.write("movie.yaml", SMALL + personas % 1.2)
    assert folder.doit().made() == {"audio": 2, "movie": 1}


def test_a_dictionary_word_speaks_only_the_lines_that_have_it(numbers: Folder) -> None:
    numbers.write("movie.yaml", SMALL + "pronunciation: {custom: {five: fife, nothing: nil}}\n")
    assert numbers.doit().made() == {"audio": 1, "movie": 1}
    numbers.write("movie.yaml", SMALL + "pronunciation: {custom: {five: fife, here: hear}}\n")
    assert numbers.doit().made() == {}


def test_a_setting_of_the_pauses_makes_only_the_movie(numbers: Folder) -> None:
    numbers.write("movie.yaml", SMALL + "narration: {ending_pause: 2.5}\n")
    assert numbers.doit().made() == {"movie": 1}


def test_a_change_of_notes_or_comments_makes_nothing(numbers: Folder) -> None:
    numbers.edit(
        "script.yaml", "- title: Slide 2\n", "# a comment\n- title: Slide 2\n  notes: mine\n"
    )
    assert numbers.doit().made() == {}


def test_identical_lines_are_one_piece(folder: Folder) -> None:
    folder.write("script.yaml", script_of(["Again and again."] * 7))
    assert folder.doit().made()["audio"] == 1
    assert len(folder.files("build/audio/*.wav")) == 1


@pytest.mark.parametrize(
    "pattern", ["audio/*.wav", "audio/*.sound", "slides/*.png", "pictures/*.h264"]
)
@pytest.mark.parametrize(
    "damage", ["truncated", "other bytes", "deleted", "other bytes, same time"]
)
def test_a_damaged_piece_is_found_and_made_again(
    numbers: Folder, pattern: str, damage: str
) -> None:
    first = numbers.mp4
    pieces = numbers.files(f"build/{pattern}")
    victim = next((numbers.path / "build").glob(pattern))
    content, stat = victim.read_bytes(), victim.stat()
    if damage == "deleted":
        victim.unlink()
    elif damage == "truncated":
        victim.write_bytes(content[: len(content) // 2])
    else:
        middle = len(content) // 2
        victim.write_bytes(
            content[:middle] + bytes([content[middle] ^ 0xFF]) + content[middle + 1 :]
        )
    shutil.rmtree(os.environ["MOVIE_BUILD_CACHE"])
    if damage == "other bytes, same time":
        os.utime(victim, ns=(stat.st_atime_ns, stat.st_mtime_ns))
        # Its bytes are looked at when they are taken: by a new movie, or what is made from it.
        for taken in ("build/audio/*.sound", "build/pictures/*.h264", "dist/*.mp4"):
            if victim not in (found := list(numbers.path.glob(taken))):
                for path in found:
                    path.unlink()
    run = numbers.doit()
    assert sum(run.made().values()) >= 1
    assert numbers.mp4 == first
    assert numbers.files(f"build/{pattern}") == pieces


@pytest.mark.parametrize("damage", ["truncated", "deleted", "appended"])
def test_a_damaged_movie_is_joined_again(numbers: Folder, damage: str) -> None:
    first = numbers.mp4
    (path,) = (numbers.path / "dist").glob("*.mp4")
    if damage == "deleted":
        path.unlink()
    else:
        path.write_bytes(first[: len(first) // 2] if damage == "truncated" else first + b"x")
    assert numbers.doit().made() == {"movie": 1}
    assert numbers.mp4 == first


def test_a_damaged_object_in_the_store_is_made_again(numbers: Folder) -> None:
    first = numbers.mp4
    for path in Path(os.environ["MOVIE_BUILD_CACHE"]).rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    shutil.rmtree(numbers.path / "build")
    run = numbers.doit()
    assert run.made() == {"audio": 12, "slide": 4, "picture": 4, "movie": 1}
    assert numbers.mp4 == first


def test_the_store_gives_back_what_was_cleaned_away(numbers: Folder) -> None:
    first = numbers.mp4
    shutil.rmtree(numbers.path / "build")
    shutil.rmtree(numbers.path / "dist")
    run = numbers.doit()
    assert run.made() == {"movie": 1}
    assert run.reused() == {"audio": 12, "slide": 4, "picture": 4}
    assert numbers.mp4 == first


def test_a_project_copied_elsewhere_makes_nothing(numbers: Folder, tmp_path: Path) -> None:
    copy = Folder(Path(shutil.copytree(numbers.path, tmp_path / "elsewhere" / "movie")))
    for path in copy.path.rglob("*"):
        os.utime(path)
    assert copy.doit().made() == {}


def test_killed_at_any_moment_it_goes_on_from_there(folder: Folder, tmp_path: Path) -> None:
    folder.write("script.yaml", script_of(LINES))
    folder.doit()
    wanted = folder.mp4
    killed = Folder(tmp_path / "killed" / "movie")
    shutil.copytree(folder.path, killed.path, ignore=shutil.ignore_patterns("build", "dist"))
    env = {**os.environ, "MOVIE_BUILD_CACHE": str(tmp_path / "other-cache")}
    whole: set[str] = set()
    for wait_s in sorted(random.uniform(0.1, 2.5) for _ in range(6)):
        process = subprocess.Popen(
            [sys.executable, "-m", "doit"],
            cwd=killed.path,
            env=env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            process.wait(wait_s)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
        pieces = {
            p.name: p.stat().st_mtime_ns
            for kind in ("audio/*.wav", "slides/*.png", "pictures/*.h264")
            for p in (killed.path / "build").glob(kind)
        }
        now = {f"{name} {time_ns}" for name, time_ns in pieces.items()}
        assert whole <= now, "a piece that was complete was made again"
        whole = now
    run = killed.doit(env=env)
    assert killed.mp4 == wanted
    assert sum(run.made().values()) + sum(run.reused().values()) == 21
    assert not list(killed.path.rglob(".part-*"))


def test_two_builds_at_once_wait_for_each_other(folder: Folder) -> None:
    folder.write("script.yaml", script_of(LINES))
    command = [sys.executable, "-m", "doit"]
    both = [
        subprocess.Popen(command, cwd=folder.path, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    told = [process.communicate(timeout=120)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], told
    assert sum("another build is at work here" in err for err in told) <= 1
    assert not list(folder.path.glob("build/.part-*"))
    assert folder.doit().made() == {}


@pytest.mark.parametrize(
    "line",
    [
        "Emoji 🎉 and 'quotes' and \"more\".",
        "a = b: c; d & e < f > g",
        "مرحبا بالعالم",
        "word " * 400,
        "C:\\path\\to # not a comment",
        "[[phonemes]] and <tags/> {{ braces }}",
    ],
)
def test_any_text_can_be_a_line(folder: Folder, line: str) -> None:
    quoted = line.replace("\\", "\\\\").replace('"', '\\"')
    folder.write("script.yaml", f'title: T\nsections:\n- title: S\n  narrations:\n  - "{quoted}"\n')
    assert folder.doit().made() == {"audio": 1, "slide": 1, "picture": 1, "movie": 1}
    assert line.split()[0] in (folder.path / "dist/movie.srt").read_text(encoding="utf-8")


def test_one_line_is_a_movie(folder: Folder) -> None:
    folder.write("script.yaml", "title: T\nsections: [{title: S, narrations: [Hello.]}]\n")
    movie = folder.doit().report["movie"]
    assert (movie["lines"], movie["slides"]) == (1, 1)


def test_two_thousand_lines_are_a_movie(folder: Folder) -> None:
    folder.write("script.yaml", script_of([LINES[n % 12] for n in range(2000)], per_section=500))
    run = folder.doit()
    assert run.made() == {"audio": 12, "slide": 4, "picture": 4, "movie": 1}
    movie = run.report["movie"]
    assert (movie["lines"], movie["slides"]) == (2000, 4)
    assert movie["max_drift_s"] <= 0.5 / 25
    with av.open(str(folder.path / "dist/movie.mp4")) as opened:
        assert opened.streams.video[0].frames == movie["frames"]
        assert abs(opened.duration / av.time_base - movie["duration_s"]) < 1 / 25
    folder.write("script.yaml", script_of([f"Line {n} of many." for n in range(2000)]))
    assert len(folder.doit("list", "--all").out.splitlines()) > 2000


def test_a_blank_line_is_a_clear_error_and_harms_nothing(numbers: Folder) -> None:
    first = numbers.mp4
    numbers.edit("script.yaml", "  - This is line number two.", "  - ''")
    run = numbers.doit(code=1)
    assert "script.yaml:6: sections[0].narrations[1]: an empty line cannot be spoken" in run.err
    assert numbers.mp4 == first


def test_an_unspeakable_line_fails_by_its_place(folder: Folder) -> None:
    folder.write(
        "script.yaml", "title: T\nsections:\n- title: S\n  narrations:\n  - Fine.\n  - '…'\n"
    )
    run = folder.doit(code=1)
    assert "script.yaml:6: sections[0].narrations[1]:" in run.err
    assert not (folder.path / "dist/movie.mp4").exists()


def test_the_movie_is_what_its_pieces_say(numbers: Folder) -> None:
    report = numbers.doit().report["movie"]
    with av.open(str(numbers.path / "dist/movie.mp4")) as movie:
        video, audio = movie.streams.video[0], movie.streams.audio[0]
        assert (video.width, video.height, video.average_rate) == (320, 180, 25)
        frames = [f.to_ndarray(format="rgb24") for f in movie.decode(video)]
        assert audio.sample_rate == 48000
        assert movie.metadata["title"] == "Numbers"
        assert movie.metadata["description"] == "Said one by one"
        assert [c["metadata"]["title"] for c in movie.chapters()] == [
            f"Slide {n}" for n in (1, 2, 3, 4)
        ]
        assert any(s.type == "subtitle" for s in movie.streams)
    assert len(frames) == report["frames"]
    assert report["max_drift_s"] < 1 / 25
    assert -18 < report["loudness_lufs"] < -14
    stills = [k for k, f in enumerate(frames) if k == 0 or (f != frames[k - 1]).any()]
    assert len(stills) == 4
    for start, (_, png) in zip(stills, numbers.files("build/slides/*.png").items(), strict=True):
        with av.open(io.BytesIO(png)) as image:
            wanted = next(image.decode(video=0)).to_ndarray(format="rgb24").astype(int)
        assert np.abs(frames[start].astype(int) - wanted).mean() < 4


def test_every_line_is_heard_sample_for_sample_from_when_its_slide_appears(
    numbers: Folder,
) -> None:
    with av.open(str(numbers.path / "dist/movie.mp4")) as movie:
        pictures = [f.to_ndarray(format="gray") for f in movie.decode(video=0)]
    with av.open(str(numbers.path / "dist/movie.mp4")) as movie:
        heard = np.concatenate([f.to_ndarray()[0] for f in movie.decode(audio=0)])
    wavs = numbers.files("build/audio/*.wav")
    starts, end = [], 0
    for number in NUMBERS:
        (name,) = (name for name in wavs if name.startswith(f"this-is-line-number-{number}."))
        line = (np.frombuffer(wavs[name][44:], "<i2") / 32768).astype(np.float32)
        places = range(end, min(end + 2 * 48000, len(heard) - len(line)) + 1, 1024)
        start = max(places, key=lambda k, line=line: float(heard[k : k + len(line)] @ line))
        end = start + len(line)
        noise = heard[start:end] - line
        assert 10 * np.log10((line @ line) / (noise @ noise)) > 25, "another line, or elsewhere"
        starts.append(start)
    changes = [k for k in range(1, len(pictures)) if (pictures[k] != pictures[k - 1]).any()]
    for change, start in zip(changes, starts[3::3], strict=True):
        assert abs(change / 25 - start / 48000) <= 0.5 / 25


def test_a_page_becomes_a_movie_and_the_script_is_then_the_users(folder: Folder) -> None:
    folder.write("page.html", PAGE)
    folder.write("movie.yaml", SMALL + "source: page.html\n")
    before = folder.doit("list", "--all").out
    assert "script" in before and "movie" in before
    run = folder.doit()
    assert run.made()["script"] == 1
    assert "lighthouse" in (folder.path / "script.yaml").read_text().lower()
    assert folder.doit().made() == {}
    listed = folder.doit("list", "--all").out
    assert "audio:" in listed and "slides:" in listed
    assert "movie.mp4" in folder.doit("info", "movie").out
    folder.edit("script.yaml", "title: ", "title: My ")
    mine = (folder.path / "script.yaml").read_text()
    refused = folder.doit("script", code=1)
    assert "script.yaml is yours" in refused.err and "--overwrite" in refused.err
    assert folder.doit("-a", "script", code=1).err.count("is yours") == 1
    assert (folder.path / "script.yaml").read_text() == mine
    folder.doit("script", "--overwrite")
    assert (folder.path / "script.yaml.bak").read_text() == mine
    assert (folder.path / "script.yaml").read_text() != mine


@pytest.mark.parametrize("command", [["-n", "1"], ["audio"], ["slides"], ["movie"], ["--continue"]])
def test_the_first_build_works_however_it_is_asked_for(folder: Folder, command: list[str]) -> None:
    folder.write("page.html", PAGE)
    folder.write("movie.yaml", SMALL + "source: page.html\n")
    made = folder.doit(*command).made()
    assert made["script"] == 1
    assert ("movie" in made) == (command not in (["audio"], ["slides"]))
    assert made.get("audio", 0) > 2 or command == ["slides"]


def test_a_source_that_cannot_be_read_fails_without_a_script(folder: Folder) -> None:
    folder.write("movie.yaml", SMALL + "source: nowhere.html\n")
    for args in ([], ["--continue"]):
        run = folder.doit(*args, code=None)
        assert run.code in (1, 2) and "nowhere.html" in run.err
        assert not (folder.path / "script.yaml").exists()


def test_clean_forget_and_one_process_do_what_doit_users_expect(numbers: Folder) -> None:
    first = numbers.mp4
    numbers.doit("forget")
    assert "audio" not in numbers.doit().made()
    numbers.doit("clean")
    assert not list((numbers.path / "dist").glob("*.mp4"))
    assert numbers.doit("-n", "1").made() == {"movie": 1}
    numbers.doit("clean", "audio")
    assert not numbers.files("build/audio/*.wav")
    assert numbers.doit().reused()["audio"] == 12
    assert numbers.mp4 == first


def test_the_same_movie_from_one_process_or_eight_and_in_any_folder(tmp_path: Path) -> None:
    movies = []
    for name, n in (("a", "1"), ("b", "8")):
        folder = Folder(tmp_path / name / "movie")
        folder.write("dodo.py", DODO)
        folder.write("movie.yaml", SMALL)
        folder.write("script.yaml", script_of(LINES[:5]))
        folder.doit("-n", n, env={"MOVIE_BUILD_CACHE": str(tmp_path / f"cache-{name}")})
        movies.append(folder.mp4)
    assert movies[0] == movies[1]


def test_every_project_of_a_folder_builds_and_one_broken_one_stops_no_other(tmp_path: Path) -> None:
    root = Folder(tmp_path)
    root.write(
        "dodo.py", "from movie_build.tasks import movies\nmovies(globals(), __file__, 'projects')\n"
    )
    for name in ("good", "fine", "broken", "mute"):
        root.write(f"projects/{name}/dodo.py", DODO)
        root.write(f"projects/{name}/movie.yaml", SMALL)
        text = "title: T\nsections: [{title: S, narrations: [Hello.]}]\n"
        root.write(f"projects/{name}/script.yaml", text if name != "broken" else "titel: T\n")
    mute = "[{text: Hello., recording: dodo.py}]"
    root.edit("projects/mute/script.yaml", "[Hello.]", mute)
    root.write("projects/mute/movie.yaml", SMALL + "audio:\n  enable_furigana: true\n")
    run = root.doit(code=None)
    assert run.code != 0
    assert "broken/script.yaml:1: titel: no such key" in run.err
    assert "\nprojects/mute/script.yaml:2: " in run.err
    assert "warning: projects/mute/movie.yaml:3: audio.enable_furigana: " in run.err
    for name in ("good", "fine"):
        assert (tmp_path / f"projects/{name}/dist/{name}.mp4").exists()
    root.doit("good")
    assert "good:movie" in root.doit("list", "--all").out


def test_beside_others_a_movie_stops_at_its_failure_as_it_does_alone(tmp_path: Path) -> None:
    root = Folder(tmp_path)
    root.write("dodo.py", "from movie_build.tasks import movies\nmovies(globals(), __file__)\n")
    lines = ["{text: Hi, recording: a.wav}", *LINES[:4]]
    for name, text in (("bad", ", ".join(lines)), ("good", "Hello.")):
        root.write(f"projects/{name}/dodo.py", DODO)
        root.write(f"projects/{name}/movie.yaml", SMALL)
        script = f"title: T\nsections: [{{title: S, narrations: [{text}]}}]\n"
        root.write(f"projects/{name}/script.yaml", script)
    root.write("projects/bad/a.wav", "no sound")
    assert "bad/script.yaml:2: " in root.doit("-n", "1", code=1).err
    assert (tmp_path / "projects/good/dist/good.mp4").exists()
    spoken = tmp_path / "projects/bad/build/audio"
    assert not list(spoken.glob("*.wav"))
    root.doit("-n", "1", "--continue", code=1)
    assert len(list(spoken.glob("*.wav"))) == 4


def test_the_time_of_a_run_is_told(numbers: Folder) -> None:
    began = time.monotonic()
    run = numbers.doit()
    assert 0 <= run.report["seconds"] <= time.monotonic() - began
    assert "audio    0 new, 12 reused" in run.out
    assert "dist/movie.mp4" in run.out


PAGE = """<!doctype html><html lang="en"><head><title>The lighthouse | Coast</title></head><body>
<nav><a href="/">Home</a></nav><article><h1>The lighthouse</h1>
<p>A lighthouse is a tower that guides ships at night. It stands where the coast is dangerous.
The light can be seen from more than twenty miles away when the air is clear.</p>
<h2>The lamp</h2><p>The first lamps burned oil, and a keeper had to climb the stairs every evening.
Electric lamps came in the nineteenth century and made the work much easier.</p>
<h2>The lens</h2><p>Augustin Fresnel invented a lens made of many rings of glass. It bends the light
into a narrow beam. A small lamp could now be seen from far away.</p>
<ul><li>Thin and light</li><li>Cheap to make</li><li>Very bright</li></ul></article></body></html>"""


def test_every_project_of_a_folder_is_written_from_its_source(tmp_path: Path) -> None:
    root = Folder(tmp_path)
    root.write("dodo.py", "from movie_build.tasks import movies\nmovies(globals(), __file__)\n")
    for name in ("one", "two"):
        root.write(f"projects/{name}/dodo.py", DODO)
        root.write(f"projects/{name}/movie.yaml", SMALL + "source: page.html\n")
        root.write(f"projects/{name}/page.html", PAGE)
    assert "projects/one/dist/one.mp4  0:" in root.doit("one").out
    assert (tmp_path / "projects/one/dist/one.mp4").exists()
    assert not (tmp_path / "projects/two/script.yaml").exists()
    root.doit()
    assert (tmp_path / "projects/two/dist/two.mp4").exists()
    assert root.doit("two:audio").code == 0


def test_a_voice_that_is_not_installed_fails_by_its_extra_and_stops_no_other(
    tmp_path: Path,
) -> None:
    root = Folder(tmp_path)
    root.write("dodo.py", "from movie_build.tasks import movies\nmovies(globals(), __file__)\n")
    hide = "import sys\nsys.modules['pyopenjtalk'] = None\n"
    root.write("sitecustomize.py", hide)
    for name, page, language in (("en", PAGE, "en"), ("ja", JAPANESE, "ja")):
        root.write(f"projects/{name}/dodo.py", DODO)
        config = f"source: page.html\ncontent: {{languages: [{language}]}}\n"
        root.write(f"projects/{name}/movie.yaml", SMALL + config)
        root.write(f"projects/{name}/page.html", page)
    env = {"PYTHONPATH": str(tmp_path)}
    run = root.doit("-n", "1", code=1, env=env)
    assert "ja/script.yaml:" in run.err and "pip install 'movie-build[ja]'" in run.err
    assert (tmp_path / "projects/en/dist/en.mp4").exists()
    assert (tmp_path / "projects/ja/script.yaml").exists()
    again = root.doit("ja", code=1, env=env)
    assert "ja/script.yaml:" in again.err and "movie-build[ja]" in again.err


JAPANESE = """<!doctype html><html lang="ja"><head><title>灯台</title></head><body><article>
<h1>灯台の話</h1><p>灯台は、夜に船を導く塔です。岬や島の先に立っています。天気のよい夜には、その光が
三十キロ先からも見えます。昔は油を燃やしていました。</p><h2>レンズ</h2><p>フレネルは、薄い輪を重ねた
レンズを考えました。小さな光でも、遠くまで届くようになりました。今も多くの灯台で使われています。</p>
</article></body></html>"""
