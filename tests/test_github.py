from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from services.site import Reply, Site

from movie_build.article import Article, Heading, Paragraph, Picture
from movie_build.errors import SourceError
from movie_build.fetch import PATIENCE, Limits
from movie_build.github import Place, place_of
from movie_build.service import Service
from movie_build.source import read

SENTENCE = "A build system remakes only what has changed, and leaves all the rest alone."
README = f"# Builds\n\n{SENTENCE}\n"
RAW = "https://raw.githubusercontent.com"


class ToLoopback(httpx.HTTPTransport):
    """Asks the test's own server for all hosts; their names become the beginning of the path."""

    def __init__(self, site: Site) -> None:
        super().__init__()
        self.there = httpx.URL(site.url)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        asked = request.url
        path = f"/{asked.host}".encode() + asked.raw_path
        request.url = self.there.copy_with(raw_path=path)
        try:
            return super().handle_request(request)
        finally:
            request.url = asked


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.delenv("GITHUB_TOKEN", raising=False)
    one = Site()
    yield one
    one.close()


def serve(
    hub: Site, asked: str, path: str, text: str, *, branch: str = "main", **headers: str
) -> None:
    """What the API answers (docs.github.com/rest/repos/contents) when it is asked for `asked`."""
    told = {
        "type": "file",
        "name": path.rpartition("/")[2],
        "path": path,
        "size": len(text.encode()),
        "encoding": "base64",
        "content": base64.encodebytes(text.encode()).decode(),
        "download_url": f"{RAW}/o/r/{branch}/{path}",
        "html_url": f"https://github.com/o/r/blob/{branch}/{path}",
    }
    body = json.dumps(told)
    hub.serve(
        f"/api.github.com/repos/o/r/{asked}", body, Content_Type="application/json", **headers
    )


def got(hub: Site, url: str, tmp_path: Path, **more: Any) -> Article:
    return read(
        url,
        base=tmp_path,
        cache=tmp_path / "cache",
        transport=ToLoopback(hub),
        service=Service("source", PATIENCE, sleep=lambda _: None),
        **more,
    )


def pictures(article: Article) -> list[str]:
    return [block.src for block in article.blocks if isinstance(block, Picture)]


def asked(hub: Site) -> list[str]:
    return [path for path, _ in hub.asked]


@pytest.mark.parametrize("url", ["https://github.com/o/r", "https://www.github.com/o/r.git/#usage"])
def test_a_repository_is_its_readme(hub: Site, tmp_path: Path, url: str) -> None:
    serve(hub, "readme", "README.md", f"{README}\n> [!NOTE]\n> Mind the gap, please.\n")
    article = got(hub, url, tmp_path)
    assert (article.title, article.origin) == ("Builds", url)
    assert article.blocks == (Paragraph(SENTENCE), Paragraph("Mind the gap, please."))
    assert len(hub.asked) == 1
    assert hub.asked[0][1]["accept"] == "application/vnd.github+json"
    assert "authorization" not in hub.asked[0][1]


def test_pictures_count_from_the_file_and_from_the_root_and_badges_are_none(
    hub: Site, tmp_path: Path
) -> None:
    text = f"""{README}
![Near](img/near.png) ![Up](../up.png) ![Root](/assets/root.png) ![Far](https://example.com/far.png)
<img src="https://github.com/o/r/blob/main/shown.png?raw=true" alt="Shown">
[![CI](https://github.com/o/r/actions/workflows/ci.yml/badge.svg)](https://x.example/)
[![PyPI](https://img.shields.io/pypi/v/builds)](https://x.example/)
"""
    serve(hub, "readme/docs?ref=a%2Fb", "docs/README.md", text, branch="a/b")
    article = got(hub, "https://github.com/o/r/tree/a/b/docs", tmp_path)
    assert pictures(article) == [
        f"{RAW}/o/r/a/b/docs/img/near.png",
        f"{RAW}/o/r/a/b/up.png",
        f"{RAW}/o/r/a/b/assets/root.png",
        "https://example.com/far.png",
        f"{RAW}/o/r/main/shown.png",
    ]
    assert asked(hub)[0].endswith("/readme/b/docs?ref=a")
    # What was kept knows them as well.
    assert got(hub, "https://github.com/o/r/tree/a/b/docs", tmp_path) == article
    assert len(hub.asked) == 2


def test_a_file_of_a_branch_is_read(hub: Site, tmp_path: Path) -> None:
    serve(hub, "contents/docs/how%20to.md?ref=v2", "docs/how to.md", README, branch="v2")
    article = got(hub, "https://github.com/o/r/blob/v2/docs/how%20to.md", tmp_path)
    assert article.blocks == (Paragraph(SENTENCE),)


def test_other_mark_up_is_rendered_by_github(hub: Site, tmp_path: Path) -> None:
    serve(hub, "readme", "README.rst", "Builds\n======\n")
    api = hub.pages["/api.github.com/repos/o/r/readme"]
    assert isinstance(api, Reply)

    def answer(handler: Any) -> None:
        html = handler.headers["Accept"] == "application/vnd.github.html+json"
        more = f"<p>{SENTENCE}</p><h2>Why</h2><p>{SENTENCE}</p><img src=pic.png alt=Pic>"
        page = f"<div id=readme><article><h1>Builds</h1>{more}<p>{SENTENCE}</p></article></div>"
        body = page.encode() if html else api.body
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    hub.pages["/api.github.com/repos/o/r/readme"] = answer
    article = got(hub, "https://github.com/o/r", tmp_path)
    assert article.title == "Builds"
    assert Heading(2, "Why") in article.blocks
    assert pictures(article) == [f"{RAW}/o/r/main/pic.png"]


def test_a_file_too_large_for_the_api_is_had_raw(hub: Site, tmp_path: Path) -> None:
    told = {"encoding": "none", "content": "", "path": "README.md"}
    told["download_url"] = f"{RAW}/o/r/main/README.md?token=secret"
    hub.serve("/api.github.com/repos/o/r/readme", json.dumps(told))
    hub.serve("/raw.githubusercontent.com/o/r/main/README.md?token=secret", README)
    assert got(hub, "https://github.com/o/r", tmp_path).blocks == (Paragraph(SENTENCE),)
    (kept,) = (tmp_path / "cache").iterdir()
    assert b"secret" not in kept.read_bytes()
    with pytest.raises(SourceError, match="larger than"):
        got(hub, "https://github.com/o/r", tmp_path, again=True, limits=Limits(max_bytes=50))


@pytest.mark.parametrize("status", [403, 429])
def test_where_the_api_refuses_the_raw_file_is_taken(
    hub: Site, tmp_path: Path, status: int
) -> None:
    hub.serve("/api.github.com/repos/o/r/readme", b"{}", status=status, Retry_After="3600")
    hub.serve("/raw.githubusercontent.com/o/r/HEAD/README.md", README, Content_Type="text/plain")
    article = got(hub, "https://github.com/o/r", tmp_path)
    assert article.blocks == (Paragraph(SENTENCE),)
    hub.serve("/api.github.com/repos/o/r/readme", b"{}", status=status)
    hub.serve("/raw.githubusercontent.com/o/r/HEAD/README.md", b"", status=404)
    with pytest.raises(SourceError, match="asked too often; set GITHUB_TOKEN"):
        got(hub, "https://github.com/o/r", tmp_path, again=True)


def test_a_token_is_told_to_the_api_alone(
    hub: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "ghp-for-tests-only")
    hub.serve("/api.github.com/repos/o/r/readme", b"{}", status=401)
    with pytest.raises(SourceError, match="the token in GITHUB_TOKEN may read it") as caught:
        got(hub, "https://github.com/o/r", tmp_path)
    assert "ghp-for" not in str(caught.value)
    told = [path for path, headers in hub.asked if "authorization" in headers]
    assert told == ["/api.github.com/repos/o/r/readme"]
    assert len(hub.asked) > 1


def test_a_repository_that_is_not_there_is_named(hub: Site, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no README in GitHub's o/r, or it is not public"):
        got(hub, "https://github.com/o/r", tmp_path)
    with pytest.raises(SourceError, match=r"no file at v1/a/b\.md in GitHub's o/r"):
        got(hub, "https://github.com/o/r/blob/v1/a/b.md", tmp_path)


def test_an_answer_that_is_no_answer_is_refused(hub: Site, tmp_path: Path) -> None:
    for body in ("<html>", "[]", '{"encoding": "base64", "content": "%%"}', "{}"):
        hub.serve("/api.github.com/repos/o/r/readme", body)
        with pytest.raises(SourceError, match="not what its API promises"):
            got(hub, "https://github.com/o/r", tmp_path, again=True)


def test_asking_again_is_conditional(hub: Site, tmp_path: Path) -> None:
    serve(hub, "readme", "README.md", README, ETag='"v1"')
    first = got(hub, "https://github.com/o/r", tmp_path)
    hub.serve("/api.github.com/repos/o/r/readme", b"", status=304)
    assert got(hub, "https://github.com/o/r", tmp_path, again=True) == first
    assert hub.asked[-1][1]["if-none-match"] == '"v1"'


def test_a_server_of_github_that_fails_is_asked_again(hub: Site, tmp_path: Path) -> None:
    hub.serve("/api.github.com/repos/o/r/readme", b"", status=502)
    with pytest.raises(SourceError, match=r"502 Bad Gateway \(tried 4 times\)"):
        got(hub, "https://github.com/o/r", tmp_path)
    assert len(hub.asked) == 4


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("https://github.com/o/r/", Place("o", "r")),
        ("https://github.com/o/r/tree/main", Place("o", "r", ("main",))),
        ("https://github.com/o/r/blob/main/a.md", Place("o", "r", ("main", "a.md"), True)),
        ("https://github.com/o/r/blob/main/a.py", None),
        ("https://github.com/o/r/issues/3", None),
        ("https://github.com/o", None),
        ("https://github.com/features/actions", None),
        ("https://example.com/o/r", None),
        ("https://gist.github.com/o/r", None),
    ],
)
def test_only_repositories_and_documents_are_asked_for_so(url: str, place: Place | None) -> None:
    assert urlsplit(url).scheme == "https"
    assert place_of(url) == place
