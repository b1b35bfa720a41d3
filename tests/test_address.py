"""Passwords that stand in addresses: their server is told them, and nobody else."""

from __future__ import annotations

import base64
import io
import os
import sys
from pathlib import Path

import pytest
from conftest import SMALL, Folder
from PIL import Image
from services.openai_server import speech_server
from services.site import Site
from services.voicevox_engine import Engine

from movie_build.address import bare, login

SECRET = "s3cret%40word"
LOGIN = f"ann:{SECRET}"
BASIC = "Basic " + base64.b64encode(b"ann:s3cret@word").decode()
PAGE = """<!doctype html><html lang="en"><head><title>Tides</title></head><body><article>
<h1>Tides</h1><p>The sea rises and falls twice a day. The moon pulls the water towards it.</p>
<img src="tides.png" alt="A chart" width="900" height="700"><p>The sun helps when it stands in
line with the moon, and the tides are highest then.</p></article></body></html>"""


def with_login(url: str) -> str:
    return url.replace("://", f"://{LOGIN}@")


def see_that_nothing_holds_it(folder: Folder, *said: str) -> None:
    """Not what was said, nor any file but the user's own `movie.yaml` and what it was read to."""
    assert not any("s3cret" in text or BASIC.split()[1] in text for text in said)
    for base in (folder.path, Path(os.environ["MOVIE_BUILD_CACHE"])):
        for path in base.rglob("*"):
            if path.is_file() and path.suffix not in (".yaml", ".understood"):
                assert b"s3cret" not in path.read_bytes(), path


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"https://{LOGIN}@example.com/a?b=c", "https://example.com/a?b=c"),
        ("https://user:p@ss@example.com", "https://example.com"),
        (f"cannot reach http://{LOGIN}@h:1/x: refused", "cannot reach http://h:1/x: refused"),
        ("https://example.com/@ann", "https://example.com/@ann"),
        ("write to ann@example.com", "write to ann@example.com"),
    ],
)
def test_an_address_is_shown_without_its_login(text: str, shown: str) -> None:
    assert bare(text) == shown


def test_the_login_is_what_stands_in_the_address_decoded() -> None:
    assert login(f"https://{LOGIN}@example.com") == ("ann", "s3cret@word")
    assert login("https://example.com/@x") is None


def test_an_engines_password_is_in_no_file_name_and_no_error(folder: Folder) -> None:
    line = "GitHubを使います。"
    folder.write(
        "script.yaml", f"title: T\nlanguage: ja\nsections: [{{title: S, narrations: [{line}]}}]\n"
    )
    config = "audio: {engine: voicevox}\npronunciation: {custom: {GitHub: ギットハブ}}\n"
    folder.write("movie.yaml", SMALL + config)
    kept = Path(os.environ["MOVIE_BUILD_CACHE"], "voicevox")
    with Engine() as engine:
        folder.doit("audio", env={"VOICEVOX_URL": engine.url})
        names = {path.name for path in kept.iterdir()}
        folder.edit("script.yaml", "使います", "使う")
        run = folder.doit("audio", env={"VOICEVOX_URL": with_login(engine.url)})
        assert run.made() == {"audio": 1}
        assert {path.name for path in kept.iterdir()} == names
    folder.edit("script.yaml", "使う", "使った")
    failed = folder.doit("audio", env={"VOICEVOX_URL": with_login(engine.url)}, code=1)
    assert "no VOICEVOX engine answers" in failed.err
    wrong = folder.doit("audio", env={"VOICEVOX_URL": f"ftp://{LOGIN}@host"}, code=1)
    assert "is no engine's URL" in wrong.err
    see_that_nothing_holds_it(folder, run.err, run.out, failed.err, wrong.err)


def test_a_services_password_reaches_it_and_nothing_else(folder: Folder) -> None:
    folder.write("script.yaml", "title: T\nsections: [{title: S, narrations: [A line of it.]}]\n")
    with speech_server() as server:
        url = with_login(server.url)
        folder.write(
            "movie.yaml",
            f"{SMALL}audio: {{engine: openai, model: m, voice: v, base_url: '{url}'}}\n",
        )
        server.key = "another"
        refused = folder.doit("audio", code=1, env={"OPENAI_LOG": "debug"})
        assert "401" in refused.err
        folder.edit("movie.yaml", url, server.url)
        # The client's own log, at its most talkative.
        told = {"OPENAI_LOG": "debug", "OPENAI_API_KEY": "sk-s3cret"}
        logged = folder.doit("audio", code=1, env=told)
        assert "401" in logged.err and "Building HTTP request" in logged.err
        see_that_nothing_holds_it(folder, refused.err, refused.out, logged.err, logged.out)


def test_a_sources_password_reaches_its_site_and_nothing_else(folder: Folder) -> None:
    site = Site()
    url = with_login(site.serve("/tides.html", PAGE))
    picture = io.BytesIO()
    Image.new("RGB", (900, 700), "teal").save(picture, "PNG")
    site.serve("/tides.png", picture.getvalue(), Content_Type="image/png")
    folder.write("movie.yaml", f"{SMALL}source: {url}\n")
    said = []
    for command in ("check", "plan", "why"):
        run = folder.run(sys.executable, "-m", "movie_build.cli", command)
        said += [run.err, run.out]
    run = folder.doit()
    assert site.asked[0] == ("/tides.html", {**site.asked[0][1], "authorization": BASIC})
    script = (folder.path / "script.yaml").read_text()
    assert "tides.png" in script and "s3cret" not in script
    # A picture that the user asks for so is another matter: it is fetched with the password.
    folder.write("script.yaml", script.replace(site.url, with_login(site.url)))
    assert folder.doit().made() == {}
    listed = folder.doit("list", "--all")
    site.serve("/tides.html", "gone", status=403)
    failed = folder.doit("script", "--overwrite", code=1)
    assert "answered 403" in failed.err
    see_that_nothing_holds_it(folder, run.err, run.out, listed.out, failed.err, *said)
    site.close()
