"""Voices as a movie's settings name them, in whole builds."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import SMALL, Folder
from PIL import Image
from services.openai_server import speech_server
from services.voicevox_engine import Engine

JA = """title: 天気
language: ja
sections:
- title: 明日
  narrations:
  - 明日は晴れです。
  - {text: 私はGitHubを使います。, persona_id: b}
  - 今日は雨です。
"""


@pytest.fixture
def japanese(folder: Folder) -> Folder:
    folder.write("script.yaml", JA)
    return folder


def settings(persona: str = "{speaker: ずんだもん/ノーマル}", words: str = "") -> str:
    return (
        SMALL + f"audio: {{speaker_id: 3}}\npersonas: [{{id: b, synthesizer: {persona}}}]\n{words}"
    )


def test_voicevox_speaks_by_number_and_by_name_and_tells_its_timing(japanese: Folder) -> None:
    with Engine() as engine:
        env = {"VOICEVOX_URL": engine.url}
        japanese.write("movie.yaml", settings())
        assert japanese.doit(env=env).made()["audio"] == 3
        timing = json.loads(next(iter(japanese.files("build/audio/*.timing.json").values())))[
            "timing"
        ]
        assert timing[0]["start_s"] < timing[-1]["end_s"]
        assert any(mora["text"] for mora in timing)
    # Nothing is to be spoken: nobody is asked, though the engine is gone.
    assert japanese.doit(env=env).made() == {}


def test_a_dictionary_word_reaches_the_engine_and_only_its_line_is_spoken_again(
    japanese: Folder,
) -> None:
    with Engine() as engine:
        env = {"VOICEVOX_URL": engine.url}
        japanese.write("movie.yaml", settings())
        japanese.doit(env=env)
        word = "pronunciation: {custom: {GitHub: {reading: ギットハブ, accent: 4}, 雪: ユキ}}\n"
        japanese.write("movie.yaml", settings(words=word))
        assert japanese.doit(env=env).made() == {"audio": 1, "movie": 1}
        assert not engine.words(), "ours are taken back"


def test_no_engine_is_told_with_what_to_do(japanese: Folder) -> None:
    japanese.write("movie.yaml", settings())
    run = japanese.doit(env={"VOICEVOX_URL": "http://127.0.0.1:9"}, code=1)
    assert "script.yaml:6" in run.err and "start VOICEVOX" in run.err


def test_a_key_that_an_engine_does_not_heed_is_refused_by_name(japanese: Folder) -> None:
    japanese.write("movie.yaml", SMALL + "audio:\n  engine: open_jtalk\n  instructions: gently\n")
    japanese.edit("script.yaml", ", persona_id: b", "")
    run = japanese.doit(code=1)
    assert "movie.yaml:2: audio: the voice engine open_jtalk has no instructions" in run.err


def test_a_paid_take_is_kept_and_never_paid_for_twice(folder: Folder) -> None:
    with speech_server() as server:
        folder.write(
            "movie.yaml",
            SMALL
            + f"audio: {{engine: openai, model: m, voice: v, base_url: '{server.url}'}}\n"
            + "prices: {m: {characters: 15}}\n",
        )
        folder.write(
            "script.yaml", "title: T\nsections: [{title: S, narrations: [One line., Two.]}]\n"
        )
        env = {"OPENAI_API_KEY": "sk-secret-key"}
        run = folder.doit(env=env)
        costs = json.loads((folder.path / "build/costs.json").read_text())
        assert costs["services"]["127.0.0.1"]["calls"] == 2
        assert costs["services"]["127.0.0.1"]["characters"] == len("One line.Two.")
        assert costs["total_usd"] > 0
        assert run.report["costs"] == costs["services"]
        assert "127.0.0.1 2 calls, 13 characters, $0.00019" in run.out
        shutil.rmtree(folder.path / "build/audio")
        shutil.rmtree(folder.path / "build/takes")
        assert folder.doit(env=env).report["costs"] == {}
        again = json.loads((folder.path / "build/costs.json").read_text())
        assert again == costs
        for path in folder.path.rglob("*"):
            assert path.is_dir() or b"sk-secret-key" not in path.read_bytes(), path


def test_the_budget_stops_before_the_call_that_would_exceed_it(folder: Folder) -> None:
    with speech_server() as server:
        folder.write(
            "movie.yaml",
            SMALL
            + f"audio: {{engine: openai, model: m, voice: v, base_url: '{server.url}'}}\n"
            + "prices: {m: {characters: 1000}}\nbudget: 0.012\n",
        )
        folder.write(
            "script.yaml", "title: T\nsections: [{title: S, narrations: [One line., Two lines.]}]\n"
        )
        run = folder.doit("-n", "1", env={"OPENAI_API_KEY": "k"}, code=1)
        assert "raise `budget` in movie.yaml" in run.err
        assert run.made()["audio"] == 1


@pytest.fixture(scope="module")
def plug_in(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a process that has the example package installed."""
    tmp_path = tmp_path_factory.mktemp("plug-in")
    site = tmp_path / "site"
    source = shutil.copytree(Path(__file__).parent / "plugins/buzz", tmp_path / "buzz")
    command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index"]
    command += ["--no-build-isolation", "--target", str(site), str(source)]
    subprocess.run(command, check=True, env={**os.environ, "PYTHONWARNINGS": "ignore"})
    return {"PYTHONPATH": str(site)}


def test_the_example_in_the_documentation_is_the_package_that_is_tested() -> None:
    root = Path(__file__).parents[1]
    told = (root / "docs/plugins.md").read_text()
    python, toml = re.findall(r"```(?:python|toml)\n(.*?)```", told, re.DOTALL)[:2]
    package = root / "tests/plugins/buzz"
    assert python == (package / "buzz.py").read_text()
    assert toml in (package / "pyproject.toml").read_text()
    assert len(python.splitlines()) <= 21


def test_an_author_and_a_picture_maker_of_a_plug_in_make_a_movie(
    folder: Folder, plug_in: dict[str, str]
) -> None:
    folder.write("page.html", PAGE)
    config = "source: page.html\ncontent: {author: shouting}\nslides: {maker: one-colour}\n"
    folder.write("movie.yaml", SMALL + config)
    folder.doit(env=plug_in)
    assert "TIDES!" in (folder.path / "script.yaml").read_text()
    (png,) = folder.files("build/slides/*.png").values()
    with Image.open(io.BytesIO(png)) as image:
        assert image.convert("RGB").getpixel((160, 90)) == (0, 128, 0)
    folder.edit("script.yaml", "slide_prompt: green", "slide_prompt: nothing")
    told = folder.doit(env=plug_in, code=1).err
    assert "script.yaml:5: sections[0]: what the picture maker gave is no picture" in told
    assert b"" not in folder.files("build/artwork/*").values()
    folder.write("movie.yaml", SMALL + "slides: {maker: one-color}\n")
    told = folder.doit(env=plug_in, code=1).err
    assert "movie.yaml:2: slides.maker: no maker 'one-color'; did you mean 'one-colour'?" in told


@pytest.mark.parametrize(
    ("config", "place"),
    [
        ("audio: {engine: buzz}", "audio"),
        ("content: {author: shouting}", "content.author"),
        ("slides: {maker: one-colour}", "slides.maker"),
    ],
)
def test_a_plug_in_that_cannot_be_imported_is_told_at_the_key_that_names_it(
    folder: Folder, plug_in: dict[str, str], tmp_path: Path, config: str, place: str
) -> None:
    site = shutil.copytree(plug_in["PYTHONPATH"], tmp_path / "site")
    for module in site.glob("buzz*.py"):
        module.write_text("import not_there\n")
    folder.write("page.html", PAGE)
    folder.write("movie.yaml", f"source: page.html\n{config}\n")
    told = folder.doit(env={"PYTHONPATH": str(site)}, code=1).err
    assert f"movie.yaml:2: {place}: the plug-in" in told
    assert "No module named 'not_there'" in told and "pip install -U" in told
    assert "Traceback" not in told


def test_what_an_author_of_a_plug_in_gives_must_be_a_script(
    folder: Folder, plug_in: dict[str, str]
) -> None:
    folder.write("page.html", PAGE.replace("Tides", "Nothing"))
    folder.write("movie.yaml", "source: page.html\ncontent: {author: shouting}\n")
    told = folder.doit(env=plug_in, code=1).err
    assert "movie.yaml:2: content.author: 'shouting' gave no usable script: script.yaml:" in told
    assert "an empty line cannot be spoken" in told
    assert not (folder.path / "script.yaml").exists()


def test_the_voice_of_a_plug_in_is_installed_and_speaks(
    folder: Folder, plug_in: dict[str, str]
) -> None:
    folder.write("movie.yaml", SMALL + "audio: {engine: buzz, options: {pitch_hz: 330}}\n")
    folder.write(
        "script.yaml", "title: T\nsections: [{title: S, narrations: [A long enough line.]}]\n"
    )
    env = plug_in
    assert folder.doit(env=env).made()["audio"] == 1
    folder.write(
        "movie.yaml",
        SMALL + "audio: {engine: buzz, options: {pitch_hz: 440}}\nlimits: {buzz: {at_once: 1}}\n",
    )
    assert folder.doit(env=env).made() == {"audio": 1, "movie": 1}
    folder.write("movie.yaml", SMALL + "audio: {engine: buz}\n")
    told = folder.doit(env=env, code=1).err
    assert "movie.yaml:2: audio: no voice engine 'buz'; did you mean 'buzz'?" in told


PAGE = """<!doctype html><html lang="en"><head><title>Tides</title></head><body><article>
<h1>Tides</h1><p>The sea rises and falls twice a day. The moon pulls the water towards it. The sun
helps when it stands in line with the moon.</p><h2>Spring tides</h2><p>At new moon and at full moon
the tides are highest. Sailors wait for them to leave shallow harbours.</p></article></body></html>"""


def test_each_language_gets_a_script_and_a_movie_of_its_own(folder: Folder) -> None:
    folder.write("page.html", PAGE)
    folder.write("movie.yaml", SMALL + "source: page.html\ncontent: {languages: [en, de]}\n")
    assert "does not translate" in folder.doit(code=None).err
    german = (folder.path / "script.yaml").read_text().replace("language: en", "language: de")
    folder.write("script.de.yaml", german)
    run = folder.doit()
    assert run.made()["movie"] == 2
    for name in ("dist/movie.mp4", "dist/movie.de.mp4", "dist/movie.de.srt"):
        assert (folder.path / name).exists()
    assert run.report["movies"]["de"]["path"] == "dist/movie.de.mp4"
    assert folder.doit().made() == {}
    folder.edit(
        "script.de.yaml", "The sea rises and falls twice a day.", "Das Meer steigt und fällt."
    )
    assert folder.doit().made() == {"audio": 1, "movie": 1}
    listed = folder.doit("list").out
    assert "movie:de" in listed and "script:de" in listed


def test_readings_that_disagree_with_their_text_are_listed(folder: Folder) -> None:
    folder.write(
        "script.yaml",
        "title: T\nlanguage: ja\nsections:\n- title: S\n  narrations:\n"
        "  - {text: 東京へ行く。, reading: トウキョウエイク}\n"
        "  - {text: 東京へ行く。, reading: キョウトエイク}\n",
    )
    run = folder.run(*CHECK, "--readings")
    assert "script.yaml:7" in run.out and "キョウトエイク" in run.out
    assert "script.yaml:6" not in run.out


CHECK = (sys.executable, "-m", "movie_build.cli", "check")
TERMS = """title: T
language: ja
sections:
- title: S
  narrations:
  - {text: GitHubを使うと便利です。, reading: ギットハブヲツカウトベンリデス}
  - {text: GitHubを使うと便利です。, reading: ギットハブヲツカウトフベンデス}
  - {text: 東京へ行く。, reading: 東京エイク}
  - {text: KubernetesとDocker Composeを学ぶ。, reading: クバネティストドッカーコンポーズヲマナブ}
  - {text: GitHub Actions, reading: GitHubアクションズ}
  - {text: GitHub Actions, reading: ギットハブアクションズ}
"""


def test_readings_of_terms_are_checked_where_the_front_end_knows_better(folder: Folder) -> None:
    folder.write("script.yaml", TERMS)
    said = folder.run(*CHECK, "--readings").out.splitlines()
    assert [line.partition(": ")[0] for line in said] == [
        *("script.yaml:7", "script.yaml:8", "script.yaml:10"),
        "movie",
    ]
    assert "but the text reads '…ヲツカウトベンリデス'" in said[0]
    assert "has 東京 in it" in said[1] and "has GitHub in it" in said[2]


def test_check_tells_every_mistake_with_the_voices_in_one_run(folder: Folder) -> None:
    folder.write(
        "movie.yaml",
        SMALL
        + "audio:\n  engine: open_jtalk\n  instructions: gently\n  model: m\n"
        + "personas:\n- {id: a, synthesizer: {engine: espaek}}\n"
        + "- {id: b, synthesizer: {engine: espeak, format: mp3}}\n"
        + "- {id: c, synthesizer: {engine: recorded}}\n",
    )
    folder.write(
        "script.yaml",
        "title: T\nsections:\n- title: S\n  narrations:\n  - {text: One., persona_id: a}\n"
        "  - {text: Two., persona_id: c}\n  - {text: Three., persona_id: c}\n"
        "  - {text: Four., voice: pipr/x}\n  - Five.\n",
    )
    told = folder.run(*CHECK, code=1).err.splitlines()
    assert told == [
        "movie.yaml:2: audio: the voice engine open_jtalk has no model; remove it",
        "movie.yaml:2: audio: the voice engine open_jtalk has no instructions; remove it",
        "movie.yaml:7: personas[0].synthesizer: no voice engine 'espaek'; did you mean 'espeak'?",
        "movie.yaml:8: personas[1].synthesizer: the voice engine espeak has no format; remove it",
        "script.yaml:6: sections[0].narrations[1]: the engine recorded plays files, and 'Two.' "
        "names none: give the line its `recording: assets/NAME.wav`, or another `voice`",
        "script.yaml:7: sections[0].narrations[2]: the engine recorded plays files, and 'Three.' "
        "names none: give the line its `recording: assets/NAME.wav`, or another `voice`",
        "script.yaml:8: sections[0].narrations[3].voice: no voice engine 'pipr'; did you mean "
        "'piper'?",
    ]


def test_a_voice_that_cannot_be_is_told_before_a_script_is_written(folder: Folder) -> None:
    folder.write("page.html", PAGE)
    config = "source: page.html\ncontent: {languages: [en, de]}\naudio: {engine: opnai}\n"
    folder.write("movie.yaml", SMALL + config)
    for run in (folder.run(*CHECK, code=1), folder.doit(code=None)):
        assert "movie.yaml:4: audio: no voice engine 'opnai'; did you mean 'openai'?" in run.err
    assert not (folder.path / "script.yaml").exists()


def test_the_scripts_of_all_languages_are_checked(folder: Folder) -> None:
    folder.write("movie.yaml", SMALL + "content: {languages: [en, ja]}\n")
    script = "title: T\nsections:\n- title: S\n  narrations:\n"
    folder.write("script.yaml", script + "  - {text: One., voice: pipr/x}\n")
    folder.write("script.ja.yaml", script + "  - {text: 二です。, persona_id: who}\n")
    assert "script.ja.yaml:5" in folder.run(*CHECK, code=1).err
    folder.edit("script.ja.yaml", "persona_id: who", "reading: サンデス")
    assert "script.yaml:5" in folder.run(*CHECK, code=1).err
    folder.edit("script.yaml", ", voice: pipr/x", "")
    assert "script.ja.yaml:5" in folder.run(*CHECK, "--readings").out
