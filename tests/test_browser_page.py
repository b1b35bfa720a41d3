from __future__ import annotations

import json
import os
import socket
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import httpx
import pytest
from conftest import Folder
from services.site import Reply, Site

from movie_build import browser
from movie_build.article import Article, Heading, Paragraph, Picture
from movie_build.browser_page import rendered, site_of
from movie_build.errors import SourceError
from movie_build.fetch import Limits
from movie_build.source import read

SENTENCE = "A build system remakes only what has changed, and leaves all the rest alone."
SHELL = "<!DOCTYPE html><html lang=en><head><title>Builds</title>{head}</head><body>{body}</body></html>"
FILL = f"""
const article = document.createElement('article');
article.innerHTML = '<h1>Builds</h1>' + [1, 2, 3, 4].map(n => `<p>{SENTENCE} (${{n}})</p>`).join('');
const fill = () => document.body.append(article);
"""


@pytest.fixture(scope="module", autouse=True)
def _one_browser() -> Iterator[None]:
    yield
    browser.close_shared()


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    one = Site()
    yield one
    one.close()


@pytest.fixture
def elsewhere(site: Site) -> Iterator[Site]:
    """Another site: one of another name, though on the same machine."""
    other = Site()
    other.url = other.url.replace("127.0.0.1", "localhost")
    yield other
    other.close()


def app(site: Site, script: str, path: str = "/", head: str = "", body: str = "") -> str:
    """A page that holds nothing but a script."""
    script = f"{body}<script>{FILL}{script}</script>"
    return site.serve(path, SHELL.format(head=head, body=script))


def got(url: str, tmp_path: Path, **more: Any) -> Article:
    return read(url, base=tmp_path, cache=tmp_path / "cache", render=True, **more)


def text_of(article: Article) -> str:
    return " ".join(block.text for block in article.blocks if isinstance(block, Paragraph))


def paths(site: Site) -> list[str]:
    return [path for path, _ in site.asked]


def test_a_page_written_by_its_scripts_is_read(site: Site, tmp_path: Path) -> None:
    url = site.serve(
        "/posts/one", SHELL.format(head="", body="<div id=app></div><script src=/app.js></script>")
    )
    script = """
    const told = await (await fetch('/api/post', {method: 'POST', body: '{"id": 1}'})).json();
    document.querySelector('#app').innerHTML = `<article><h1>${told.title}</h1>
      <h2>Why</h2>${told.text.map(t => `<p>${t}</p>`).join('')}<img src=pic.png alt=There></article>`;
    """
    site.serve("/app.js", f"(async () => {{{script}}})()", Content_Type="text/javascript")
    told = {"title": "On builds", "text": [f"{SENTENCE} ({n})" for n in range(4)]}
    site.serve("/api/post", json.dumps(told), Content_Type="application/json")
    article = got(url, tmp_path)
    assert (article.title, article.origin) == ("On builds", url)
    assert article.blocks[:2] == (Heading(2, "Why"), Paragraph(f"{SENTENCE} (0)"))
    assert article.blocks[-1] == Picture(f"{site.url}/posts/pic.png", "There")
    assert site.bodies == [b'{"id": 1}']
    assert paths(site).count("/posts/one") == 1
    assert "/posts/pic.png" not in paths(site)


def test_a_new_movie_is_written_from_such_a_page_with_one_option(
    site: Site, tmp_path: Path
) -> None:
    script = f"document.body.innerHTML = '<h1>Builds</h1>' + '<p>{SENTENCE}</p>'.repeat(4)"
    url = site.serve("/app", SHELL.format(head="", body=f"<script>{script}</script>"))
    folder = Folder(tmp_path)
    new = (sys.executable, "-m", "movie_build.cli", "new", "talk", "--browser")
    folder.run(*new, "--from", url)
    Folder(tmp_path / "talk").doit("script")
    assert SENTENCE in (tmp_path / "talk/script.yaml").read_text("utf-8")
    assert "name it with --from" in folder.run(*new, code=2).err


def test_without_the_browser_such_a_page_holds_no_article(site: Site, tmp_path: Path) -> None:
    url = app(site, "fill()")
    with pytest.raises(SourceError, match="--browser"):
        read(url, base=tmp_path, cache=tmp_path / "cache")
    assert SENTENCE in text_of(got(url, tmp_path))


def test_a_rendered_page_is_kept_and_rendered_anew_on_request(site: Site, tmp_path: Path) -> None:
    url = app(site, "fill()")
    first = got(url, tmp_path)
    app(site, "fill(); article.innerHTML += '<p>There is a second edition of this page now.</p>'")
    assert got(url, tmp_path) == first
    assert len(site.asked) == 1
    assert "second edition" in text_of(got(url, tmp_path, again=True))


def test_text_that_comes_late_is_waited_for(site: Site, tmp_path: Path) -> None:
    assert SENTENCE in text_of(got(app(site, "setTimeout(fill, 900)"), tmp_path))


def test_a_page_that_goes_on_to_another_is_followed_there(site: Site, tmp_path: Path) -> None:
    url = app(site, "location.replace('/next')")
    app(site, "setTimeout(fill, 100)", "/next")
    assert got(url, tmp_path).origin == f"{site.url}/next"


def test_a_page_that_never_comes_to_rest_is_taken_as_it_is(site: Site) -> None:
    url = app(site, "fill(); setInterval(() => document.body.append('.'), 50)")
    began = time.monotonic()
    assert SENTENCE.encode() in rendered(url, settle_s=1).body
    assert time.monotonic() - began < 8


def test_no_other_site_is_asked_and_the_user_is_told_which(
    site: Site, elsewhere: Site, tmp_path: Path
) -> None:
    elsewhere.serve("/lib.js", "fill()", Content_Type="text/javascript")
    elsewhere.serve("/data", "{}", Content_Type="application/json", Access_Control_Allow_Origin="*")
    site.serve("/moved", b"", status=302, Location=f"{elsewhere.url}/data")
    there = elsewhere.url
    url = app(
        site,
        f"""fill();
        fetch('{there}/data').catch(() => 0); fetch('/moved').catch(() => 0);
        navigator.sendBeacon('{there}/beacon'); new Image().src = '{there}/pixel.png';
        new Worker(URL.createObjectURL(new Blob([`fetch('{there}/worker')`])));
        setTimeout(() => location.href = '{there}/login', 50);""",
        head=f"<script src='{there}/lib.js'></script><link rel=preconnect href='{there}'>",
        body=f"<iframe src='{there}/frame'></iframe>",
    )
    said: list[str] = []
    assert SENTENCE in text_of(got(url, tmp_path, report=said.append))
    assert elsewhere.asked == []
    assert "/moved" in paths(site)
    assert said == [f"{url}: the page was not let ask other sites: localhost"]


def test_sockets_of_a_page_lead_nowhere(site: Site, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        url = app(
            site,
            f"""const socket = new WebSocket('ws://127.0.0.1:{port}/');
            socket.onerror = () => {{ fill(); article.append(typeof RTCPeerConnection); }};""",
        )
        article = got(url, tmp_path)
        assert SENTENCE in text_of(article)
        assert "undefined" in text_of(article)
        listening.setblocking(False)
        with pytest.raises(BlockingIOError):
            listening.accept()


def test_a_transport_sees_each_request_of_the_page(site: Site, tmp_path: Path) -> None:
    class NoSecrets(httpx.HTTPTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            if request.url.path == "/secret":
                raise SourceError("/secret is not asked")
            return super().handle_request(request)

    site.serve("/secret", "top secret", Content_Type="text/plain")
    url = app(site, "fill(); fetch('/secret').then(r => r.text()).then(t => article.append(t))")
    article = got(url, tmp_path, transport=NoSecrets())
    assert SENTENCE in text_of(article)
    assert "/secret" not in paths(site)


def test_cookies_of_the_page_go_with_its_requests(site: Site, tmp_path: Path) -> None:
    def data(handler: BaseHTTPRequestHandler) -> None:
        said = handler.headers.get("Cookie", "none").encode()
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(said)))
        handler.end_headers()
        handler.wfile.write(said)

    url = app(
        site, "fetch('/me').then(r => r.text()).then(t => { fill(); article.append(t + ' is me') })"
    )
    reply = site.pages["/"]
    assert isinstance(reply, Reply)
    reply.headers["Set-Cookie"] = "session=42; HttpOnly"
    site.pages["/me"] = data
    assert "session=42 is me" in text_of(got(url, tmp_path))


def test_a_script_without_end_is_stopped_and_the_browser_goes_on(
    site: Site, tmp_path: Path
) -> None:
    url = app(site, "setTimeout(() => { while (true) {} }, 50)")
    with pytest.raises(SourceError, match=r"its scripts are not done after 1\.5 s"):
        rendered(url, total_s=1.5)
    assert SENTENCE in text_of(got(app(site, "fill()", "/well"), tmp_path))


def test_a_browser_that_dies_is_told_of_and_started_again(site: Site, tmp_path: Path) -> None:
    def deadly(_: BaseHTTPRequestHandler) -> None:
        pid = browser.shared().pid
        assert pid
        os.kill(pid, 9)

    url = app(site, "fetch('/deadly')")
    site.pages["/deadly"] = deadly
    with pytest.raises(SourceError, match="cannot be rendered: the browser says"):
        got(url, tmp_path)
    assert SENTENCE in text_of(got(app(site, "fill()", "/well"), tmp_path))


def test_a_page_that_cannot_be_had_needs_no_browser(site: Site, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="404 Not Found; check the address"):
        got(f"{site.url}/none", tmp_path)


def test_what_is_no_web_page_is_read_as_what_it_is(site: Site, tmp_path: Path) -> None:
    url = site.serve("/a.md", f"# Builds\n\n{SENTENCE}\n", Content_Type="text/markdown")
    assert got(url, tmp_path).blocks == (Paragraph(SENTENCE),)
    (tmp_path / "a.html").write_text("<p>x</p>")
    with pytest.raises(SourceError, match=r"a\.html is a file, and the browser is for"):
        got("a.html", tmp_path)


def test_a_page_that_grows_too_large_is_refused(site: Site) -> None:
    url = app(site, "document.body.append('x'.repeat(300000))")
    with pytest.raises(SourceError, match=r"grows larger than 0\.2 MB"):
        rendered(url, limits=Limits(max_bytes=200_000))


def test_without_a_browser_there_is_a_clear_error(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = app(site, "fill()")
    browser.close_shared()
    monkeypatch.setenv("MOVIE_BUILD_BROWSER", "no-such-browser")
    with pytest.raises(SourceError, match="cannot be rendered: MOVIE_BUILD_BROWSER is"):
        got(url, tmp_path)


def test_several_pages_are_rendered_side_by_side(site: Site, tmp_path: Path) -> None:
    urls = [app(site, "setTimeout(fill, 200)", f"/{n}") for n in range(3)]
    bodies: dict[str, bytes] = {}
    threads = [
        threading.Thread(target=lambda url=url: bodies.update({url: rendered(url).body}))
        for url in urls
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(SENTENCE.encode() in bodies[url] for url in urls)


@pytest.mark.parametrize(
    ("url", "site"),
    [
        ("https://www.example.co.uk/a", "example.co.uk"),
        ("https://api.example.com:8443", "example.com"),
        ("https://alice.github.io/x", "alice.github.io"),
        ("http://192.168.1.10:8000/", "192.168.1.10"),
        ("http://localhost/", "localhost"),
        ("http://[::1]/", "::1"),
    ],
)
def test_a_site_is_what_one_can_register(url: str, site: str) -> None:
    assert site_of(url) == site
