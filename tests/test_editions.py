"""One article in two languages: two scripts and two movies, and what they have in common."""

from __future__ import annotations

import json
import time
from pathlib import Path

from conftest import Folder
from PIL import Image
from services.chat_server import chat_server, said, script_of, written
from services.image_server import KEY, image_server, picture

PAGE = """<!doctype html><html lang="en"><title>Tides</title><article><h1>Tides</h1>
<p>The sea rises and falls twice a day on most coasts of the world.</p>
<h2>The moon</h2><p>The moon pulls the water that is nearest to it.</p></article></html>
"""
SETTINGS = """source: page.html
content: {languages: [ja, en], llm: {model: a-model}}
audio: {engine: espeak}
style: {resolution: [320, 180], fps: 25}
prices: {a-model: {tokens_in: 1, tokens_out: 4}}
"""
DRAWN = """title: %s
language: %s
sections:
- title: %s
  image: {path: sea.png, fit: cover}
  narrations: [%s]
- title: %s
  slide_prompt: the sea at night
  narrations: [%s]
- title: %s
  bullets: [%s]
  narrations: [%s]
"""


def test_each_language_has_its_script_and_movie_from_one_article(folder: Folder) -> None:
    folder.write("movie.yaml", SETTINGS)
    folder.write("page.html", PAGE)
    with chat_server() as server:
        env = {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": server.url}
        run = folder.doit(env=env)
        assert [asked.article for asked in server.asked] == [server.asked[0].article] * 2
        assert "日本語で書きます" in server.asked[0].messages[0]["content"]
        assert "Write in English" in server.asked[1].messages[0]["content"]
        assert run.made()["script"] == run.made()["movie"] == 2
        names = {path.name for path in folder.path.glob("dist/*.mp4")}
        assert names == {"movie.mp4", "movie.en.mp4"}
        assert "language: ja" in (folder.path / "script.yaml").read_text("utf-8")
        assert "language: en" in (folder.path / "script.en.yaml").read_text("utf-8")
        assert folder.doit(env=env).made() == {} and len(server.asked) == 2


def test_what_is_worth_knowing_of_a_models_answer_is_told(folder: Folder) -> None:
    folder.write("movie.yaml", SETTINGS.replace("[ja, en]", "[en]"))
    folder.write("page.html", PAGE)
    with chat_server() as server:
        few = {"prompt_tokens": 9, "completion_tokens": 10}
        server.replies.append(lambda asked: written(script_of(asked), usage=few))
        run = folder.doit("script", env={"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": server.url})
    assert "warning: a-model at" in run.err and "read 9 tokens, fewer than were sent" in run.err


def test_what_stops_the_author_is_told_at_its_place(folder: Folder) -> None:
    folder.write("page.html", PAGE)
    folder.write("movie.yaml", SETTINGS.replace("[ja, en]", "[en]"))
    with chat_server() as server:
        server.model = lambda asked: said("I would rather not.")
        env = {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": server.url}
        told = folder.doit("script", env=env, code=1).err
        assert "movie.yaml:2: content.llm: a-model at" in told and "kept in build/author" in told
        assert len(server.asked) == 3
        kept = b"".join(folder.files("build/author/*.refused.json").values())
        assert b"I would rather not." in kept
        folder.write("templates/prompts/en/script.md", "Write.\n{{ schem }}")
        told = folder.doit("script", env=env, code=1).err
        assert (
            "templates/prompts/en/script.md:2: 'schem' is undefined; did you mean 'schema'" in told
        )
        folder.write("movie.yaml", "source: page.html\ncontent:\n  author: poet\n")
        told = folder.doit("script", code=1).err
        assert "movie.yaml:3: content.author: no author 'poet'; use one of: llm, outline" in told


def test_slides_are_shared_where_nothing_is_written_on_them(folder: Folder) -> None:
    Image.new("RGB", (640, 360), "navy").save(folder.path / "sea.png")
    japanese = ("潮", "ja", "海", "海です。", "夜", "夜です。", "月", "近い", "月です。")
    english = ("Tides", "en", "Sea", "The sea.", "Night", "By night.", "Moon", "Near", "The moon.")
    folder.write("script.yaml", DRAWN % japanese)
    folder.write("script.en.yaml", DRAWN % english)
    with image_server() as server:
        server.draw = slowly
        drawing = f"slides: {{llm: {{model: gpt-image-1, base_url: '{server.url}'}}}}\n"
        folder.write("movie.yaml", SETTINGS.partition("\n")[2] + drawing)
        made = folder.doit("slides", env={"OPENAI_API_KEY": KEY}).made()
        assert made == {"slide": 4}, "two of pictures alone, and one with words in each language"
        assert sum(server.calls.values()) == 1, "it is paid for once"
        movie = folder.doit(env={"OPENAI_API_KEY": KEY}).made()
        assert movie == {"audio": 6, "picture": 4, "movie": 2}


def test_one_prompt_in_several_sections_is_one_picture(folder: Folder) -> None:
    sections = "".join(
        f"- {{title: Part {n}, slide_prompt: the sea, narrations: [Line {n}.]}}\n" for n in range(4)
    )
    folder.write("script.yaml", f"title: Sea\nlanguage: en\nsections:\n{sections}")
    with image_server() as server:
        server.draw = slowly
        drawing = f"slides: {{llm: {{model: gpt-image-1, base_url: '{server.url}'}}}}\n"
        folder.write("movie.yaml", f"style: {{resolution: [320, 180]}}\n{drawing}")
        folder.doit("-n", "2", "slides", env={"OPENAI_API_KEY": KEY})
        assert sum(server.calls.values()) == 1
    costs = json.loads(Path(folder.path / "build/costs.json").read_text())
    assert [used["images"] for used in costs["services"].values()] == [1]


def slowly(prompt: str) -> bytes:
    """A picture, so late that another thread would have asked for it meanwhile."""
    time.sleep(0.5)
    return picture(prompt)
