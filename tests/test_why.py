"""`movie-build why`: each stale piece's reason, and where those that stand came from."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest
from conftest import DODO, SMALL, Folder
from services.image_server import KEY, image_server, picture

from movie_build.difference import paired, texts

SCRIPT = """title: Numbers
sections:
- title: First slide
  narrations:
  - There are forty lines of it.
  - {text: React is a library., id: lib}
  - {text: Somebody else speaks., persona_id: a}
- title: Second slide
  image: assets/dot.png
  narrations:
  - This is the last line.
"""
PERSONAS = "personas: [{id: a, synthesizer: {speed_scale: 1.0}}, {id: b}]\n"
CONFIG = SMALL.replace("fps: 25}", "fps: 25, theme: own}") + PERSONAS


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a finished `movie` with a theme of its own, and its `cache`."""
    from PIL import Image

    base = tmp_path_factory.mktemp("why")
    folder = Folder(base / "movie")
    folder.write("dodo.py", DODO)
    folder.write("movie.yaml", CONFIG)
    folder.write("script.yaml", SCRIPT)
    (folder.path / "assets").mkdir()
    Image.new("RGB", (8, 8), "red").save(folder.path / "assets/dot.png")
    theme = Path(__file__).parents[1] / "templates/default"
    shutil.copytree(theme, folder.path / "templates/own")
    folder.doit(env={"MOVIE_BUILD_CACHE": str(base / "cache")})
    return base


@pytest.fixture
def movie(built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    """A copy of the finished movie, with its store."""
    shutil.copytree(built, tmp_path / "copy")
    monkeypatch.setenv("MOVIE_BUILD_CACHE", str(tmp_path / "copy/cache"))
    return Folder(tmp_path / "copy/movie")


def why(folder: Folder, *args: str, code: int = 0) -> list[str]:
    """What `movie-build why` says, by line."""
    run = folder.run(sys.executable, "-m", "movie_build.cli", "why", *args, code=code)
    return (run.out + run.err).splitlines()


def test_with_nothing_changed_all_stands(movie: Folder) -> None:
    assert why(movie) == ["nothing is stale: 8 pieces and dist/movie.mp4 stand"]


def test_words_that_changed_are_shown(movie: Folder) -> None:
    movie.edit("script.yaml", "forty", "fifty")
    assert why(movie) == [
        'audio line 1 (script.yaml:5): text changed: "forty" → "fifty"',
        "movie dist/movie.mp4: 1 line changed",
    ]
    assert why(movie, "1") == why(movie)[:1]


def test_an_inserted_line_is_one_new_line(movie: Folder) -> None:
    movie.edit("script.yaml", "  - There are", "  - This one is new.\n  - There are")
    assert why(movie) == [
        "audio line 1 (script.yaml:5): new line",
        "movie dist/movie.mp4: 1 line new",
    ]


def test_lines_in_another_order_are_only_that(movie: Folder) -> None:
    first, second = (
        "  - There are forty lines of it.\n",
        "  - {text: React is a library., id: lib}\n",
    )
    movie.edit("script.yaml", first + second, second + first)
    assert why(movie) == ["movie dist/movie.mp4: lines in another order"]


def test_a_line_is_known_by_its_id(movie: Folder) -> None:
    movie.edit("script.yaml", "React is a library.", "Nothing is as it was before")
    movie.edit("script.yaml", "  - There are forty lines of it.\n", "")
    told = why(movie)
    assert told[0].startswith('audio line 1 (script.yaml:5): text changed: "React is a library."')
    assert told[1:] == ["movie dist/movie.mp4: 1 line changed, 1 line gone"]


def test_settings_are_named_as_the_user_set_them(movie: Folder) -> None:
    movie.edit("movie.yaml", "speed_scale: 1.0", "speed_scale: 1.1")
    movie.edit("movie.yaml", "fps: 25", "fps: 30")
    movie.write(
        "movie.yaml", (movie.path / "movie.yaml").read_text() + "narration: {ending_pause: 2.5}\n"
    )
    assert why(movie) == [
        "audio line 3 (script.yaml:7): voice speed 1.0 → 1.1",
        'picture 1 "First slide" (script.yaml:3): fps 25 → 30',
        'picture 2 "Second slide" (script.yaml:8): fps 25 → 30',
        "movie dist/movie.mp4: 1 line changed, fps 25 → 30, ending_pause 1.0 → 2.5",
    ]


def test_a_voice_and_a_speaker_are_named(movie: Folder) -> None:
    movie.edit("script.yaml", "persona_id: a", "persona_id: b")
    assert why(movie) == ["movie dist/movie.mp4: speaker of line 3 a → b"]
    voice = "id: lib, voice: {engine: espeak, voice: en-gb, speed_scale: 1.1}"
    movie.edit("script.yaml", "id: lib", voice)
    assert why(movie, "2") == [
        "audio line 2 (script.yaml:6): voice en-us → en-gb, voice speed 1.0 → 1.1"
    ]
    movie.edit("movie.yaml", "personas:", "audio: {engine: openai, model: m, voice: v}\npersonas:")
    assert why(movie, "1") == [
        "audio line 1 (script.yaml:5): voice engine espeak-ng → openai, voice en-us → v, "
        "voice model added: m"
    ]


def test_how_a_slide_looks_is_told_as_the_user_set_it(movie: Folder) -> None:
    movie.edit("movie.yaml", "320, 180", "640, 360")
    movie.edit("movie.yaml", "fps: 25", "fps: 25, background_color: '#102030'")
    movie.edit("script.yaml", "title: First slide", "title: First slide\n  background: "
               "{path: assets/dot.png}")  # fmt: skip
    movie.write("templates/style.css", "h1 { color: red }")
    told = why(movie)
    assert told[0] == (
        'slide 1 "First slide" (script.yaml:3): resolution 320×180 → 640×360, '
        "background_color added: #102030, background added: assets/dot.png, "
        "templates/style.css added"
    )
    assert told[2].endswith(": its slide changed, resolution 320×180 → 640×360")


def test_a_movie_of_another_name_is_told_from_a_changed_one(movie: Folder) -> None:
    movie.edit("movie.yaml", "personas", "project: {name: other}\npersonas")
    was = "never built under this name; it was dist/movie.mp4"
    assert why(movie) == [f"movie dist/other.mp4: {was}"]


def test_a_prompt_and_who_draws_it_are_told(folder: Folder) -> None:
    with image_server() as server:
        env = {"OPENAI_API_KEY": KEY}
        drawn = "slides: {style: %s, llm: {model: %s, base_url: '" + server.url + "'}}\n"
        folder.write("movie.yaml", SMALL + drawn % ("flat", "one"))
        script = "title: T\nsections:\n- title: S\n  slide_prompt: a red house\n"
        folder.write("script.yaml", script + "  narrations: [One line.]\n")
        folder.doit(env=env)
        assert why(folder, "script.yaml:3")[0].startswith('slide 1 "S" (script.yaml:3): made here')
        folder.edit("script.yaml", "red", "blue")
        prompt = 'slide_prompt changed: "red" → "blue"'
        assert why(folder)[0] == f'slide 1 "S" (script.yaml:3): {prompt}'
        folder.write("movie.yaml", SMALL + drawn % ("deep", "two"))
        assert why(folder)[0] == (
            f'slide 1 "S" (script.yaml:3): {prompt}, slides.style changed: "flat" → "deep", '
            "slides.llm.model one → two"
        )
        (folder.path / "assets").mkdir()
        (folder.path / "assets/a.png").write_bytes(picture("a"))
        folder.edit("script.yaml", "  slide_prompt: a blue house", "  image: assets/a.png")
        assert why(folder)[0] == (
            'slide 1 "S" (script.yaml:3): template full → picture, '
            'slide_prompt removed: "a red house", image added: assets/a.png'
        )


def test_a_dictionary_entry_is_named(movie: Folder) -> None:
    words = "pronunciation: {custom: {React: %s, unused: nothing}}\n"
    movie.write("movie.yaml", CONFIG + words % "ree-akt")
    assert why(movie, "2") == ['audio line 2 (script.yaml:6): dictionary entry "React" added']
    movie.doit()
    movie.write("movie.yaml", CONFIG + words % "riakt")
    assert why(movie) == [
        'audio line 2 (script.yaml:6): dictionary entry "React" changed',
        "movie dist/movie.mp4: 1 line changed",
    ]


def test_a_file_of_the_theme_and_a_picture_are_named(movie: Folder) -> None:
    css = movie.path / "templates/own/slide.css"
    css.write_text(css.read_text() + "\n/* changed */\n")
    (movie.path / "assets/dot.png").write_bytes((movie.path / "assets/dot.png").read_bytes() + b" ")
    movie.edit("script.yaml", "First slide", "Another slide")
    told = why(movie)
    assert told[0] == (
        'slide 1 "Another slide" (script.yaml:3): title changed: "First" → "Another", '
        "theme slide.css changed"
    )
    assert (
        told[1] == 'slide 2 "Second slide" (script.yaml:8): image assets/dot.png changed, '
        "theme slide.css changed"
    )
    assert told[2].endswith(": its slide changed")


def test_a_missing_and_a_damaged_file_are_told_apart(movie: Folder) -> None:
    for path in (movie.path / "build/audio").glob("there-are-forty*.wav"):
        path.unlink()
    for path in (movie.path / "build/audio").glob("this-is-the-last*.wav"):
        path.write_bytes(path.read_bytes()[:100])
    (movie.path / "dist/movie.srt").unlink()
    assert why(movie) == [
        "audio line 1 (script.yaml:5): file missing; the store has it",
        "audio line 4 (script.yaml:11): damaged; the store has it",
        "movie dist/movie.mp4: dist/movie.srt file missing",
    ]


def test_a_piece_that_stands_tells_where_it_came_from(movie: Folder) -> None:
    wav = next((movie.path / "build/audio").glob("this-is-the-last*.wav"))
    asked = ("4", "script.yaml:11", ":12", str(wav), wav.name, wav.stem, wav.stem[-16:])
    told = {asking: why(movie, asking) for asking in asked}
    assert {tuple(lines) for lines in told.values()} == {tuple(told["4"])}
    assert told["4"][0].startswith("audio line 4 (script.yaml:11): made here 20")
    shutil.rmtree(movie.path / "build")
    movie.doit()
    assert why(movie, "4")[0].startswith("audio line 4 (script.yaml:11): from the store, 20")
    assert why(movie, "movie")[0].startswith("movie dist/movie.mp4: made here 20")


def test_a_line_or_slide_is_called_as_take_calls_it(movie: Folder) -> None:
    movie.edit("script.yaml", "forty", "fifty")
    for name in ("1", "line 1", "there are FIFTY", ":5", "there-are-fifty-lines-of-it"):
        assert why(movie, name) == [
            'audio line 1 (script.yaml:5): text changed: "forty" → "fifty"'
        ], name
    assert why(movie, "lib")[0].startswith("audio line 2 (script.yaml:6): made here")
    for name in ("slide 2", "slide:2", "second", "Second slide", "script.yaml:8"):
        slide, picture = why(movie, name)
        assert slide.startswith('slide 2 "Second slide" (script.yaml:8): made here'), name
        assert picture.startswith('picture 2 "Second slide" (script.yaml:8): made here'), name


def test_a_name_of_several_is_refused_unless_they_are_one_piece(movie: Folder) -> None:
    assert why(movie, "slide", code=1) == [
        "2 slides have 'slide' in them; name one:",
        "  slide 1 (script.yaml:3) “First slide”",
        "  slide 2 (script.yaml:8) “Second slide”",
    ]
    assert why(movie, "li", code=1)[0] == "5 lines and slides have 'li' in them; name one:"
    movie.edit("script.yaml", "There are forty lines of it.", "This is the last line.")
    assert why(movie, "the last")[0].startswith("audio lines 1, 4 (script.yaml:5): made here")


def test_what_is_no_piece_is_refused_with_what_there_is(movie: Folder) -> None:
    assert why(movie, "99", code=1) == [
        "nothing is called '99': name a line by its number (1 to 4), id or a part of its text, a "
        "slide by its title or as 'slide 2', a place such as script.yaml:12, a file under build/, "
        "or the beginning of a key"
    ]
    wav = next((movie.path / "build/audio").glob("there-are-forty*.wav"))
    movie.edit("script.yaml", "forty", "fifty")
    (told,) = why(movie, wav.name, code=1)
    assert told.startswith(f"build/audio/{wav.name} is not part of the movie any more; it was made")


def test_without_a_build_nothing_was_ever_built(folder: Folder) -> None:
    folder.write("script.yaml", "title: T\nsections:\n- title: S\n  narrations: [One line.]\n")
    assert why(folder) == [
        "audio line 1 (script.yaml:4): never built here",
        'slide 1 "S" (script.yaml:3): never built here',
        'picture 1 "S" (script.yaml:3): never built here',
        "movie dist/movie.mp4: never built here",
    ]
    assert why(folder, str(folder.path)) == why(folder)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("There are forty.", "There are fifty.", 'text changed: "forty" → "fifty"'),
        ("A red house.", "A very red house.", 'text changed: "very" added'),
        ("明日は晴れです", "明日は雨です", 'text changed: "晴れ" → "雨"'),
        (
            "One thing.",
            "Quite another matter",
            'text changed: "One thing." → "Quite another matter"',
        ),
        ("", "Something", 'text added: "Something"'),
    ],
)
def test_a_difference_is_told_by_its_words(old: str, new: str, told: str) -> None:
    assert texts("text", old, new) == told


def test_lines_are_paired_however_they_were_moved_about() -> None:
    old = [f"line {n}" for n in range(300)]
    new = ["quite new", *old[100:200], "line 50 changed", *old[200:], *old[:50], *old[51:100]]
    was = paired(old, new, lambda _: "", str)
    assert was[0] is None
    assert [a for a, b in zip(was, new, strict=True) if a == b] == [x for x in new if x in old]
