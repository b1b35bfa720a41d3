from __future__ import annotations

import email.utils
import gzip
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from services.site import Reply, Site

from movie_build.article import Article, Paragraph, Picture
from movie_build.charset import decode
from movie_build.errors import SourceError
from movie_build.fetch import PATIENCE, Limits, fetch_picture
from movie_build.service import Service
from movie_build.source import read

SENTENCE = "A build system remakes only what has changed, and leaves all the rest alone."
JAPANESE = "変わったところだけを作り直すので、とても速く終わります。"


def page(text: str = SENTENCE, head: str = "", lang: str = "en") -> str:
    filler = "".join(f"<p>{text} ({n})</p>" for n in range(4))
    top = f"<html lang={lang}><head><title>Builds</title>{head}</head>"
    return f"{top}<body><article><h1>Builds</h1>{filler}</article></body></html>"


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    one = Site()
    yield one
    one.close()


def got(
    source: str,
    tmp_path: Path,
    *,
    again: bool = False,
    limits: Limits | None = None,
    waited_s: list[float] | None = None,
) -> Article:
    waits = [] if waited_s is None else waited_s
    return read(
        source,
        base=tmp_path,
        cache=tmp_path / "cache",
        again=again,
        limits=limits or Limits(),
        service=Service("source", PATIENCE, sleep=waits.append),
    )


def text_of(article: Article) -> str:
    return " ".join(block.text for block in article.blocks if isinstance(block, Paragraph))


def test_a_page_is_asked_for_once_and_then_kept(site: Site, tmp_path: Path) -> None:
    url = site.serve("/a", page())
    first = got(url, tmp_path)
    site.serve("/a", page("Something else is said here, and it is said at some length."))
    assert got(url, tmp_path) == first
    assert len(site.asked) == 1


def test_asking_again_sends_the_conditions_and_304_keeps_what_was_there(
    site: Site, tmp_path: Path
) -> None:
    url = site.serve("/a", page(), ETag='"v1"', Last_Modified="Mon, 05 Jan 2026 10:00:00 GMT")
    first = got(url, tmp_path)
    site.serve("/a", b"", status=304)
    assert got(url, tmp_path, again=True) == first
    conditions = site.asked[-1][1]
    assert conditions["if-none-match"] == '"v1"'
    assert conditions["if-modified-since"] == "Mon, 05 Jan 2026 10:00:00 GMT"


def test_asking_again_takes_what_is_new(site: Site, tmp_path: Path) -> None:
    url = site.serve("/a", page(), ETag='"v1"')
    got(url, tmp_path)
    site.serve("/a", page("The second edition says it better than the first one ever did."))
    assert "second edition" in text_of(got(url, tmp_path, again=True))
    assert "second edition" in text_of(got(url, tmp_path))


def test_a_damaged_memory_is_not_used(site: Site, tmp_path: Path) -> None:
    url = site.serve("/a", page())
    first = got(url, tmp_path)
    (kept,) = (tmp_path / "cache").iterdir()
    kept.write_bytes(kept.read_bytes()[:-10])
    assert got(url, tmp_path) == first
    assert len(site.asked) == 2


def test_redirects_are_followed_and_pictures_count_from_the_last_address(
    site: Site, tmp_path: Path
) -> None:
    body = page().replace("</article>", "<img src='pic.png' alt='x'></article>")
    url = site.serve("/old", b"", status=301, Location="/new/place")
    site.serve("/new/place", body)
    article = got(url, tmp_path)
    assert article.origin == f"{site.url}/new/place"
    pictures = [block.src for block in article.blocks if isinstance(block, Picture)]
    assert pictures == [f"{site.url}/new/pic.png"]


def test_a_redirect_without_end_is_given_up(site: Site, tmp_path: Path) -> None:
    url = site.serve("/loop", b"", status=302, Location="/loop")
    with pytest.raises(SourceError, match="redirects more than 10 times"):
        got(url, tmp_path)


@pytest.mark.parametrize(
    ("encoding", "header", "head"),
    [
        ("utf-8", "text/html", ""),
        ("shift_jis", "text/html; charset=Shift_JIS", ""),
        ("euc-jp", "text/html", "<meta charset='euc-jp'>"),
        (
            "shift_jis",
            "text/html",
            '<meta http-equiv="Content-Type" content="text/html; charset=x-sjis">',
        ),
        ("utf-8-sig", "text/html; charset=shift_jis", ""),
        ("utf-16", "text/html", ""),
        ("euc-jp", "text/html; charset=EUC-JP", "<meta charset='shift_jis'>"),
        ("shift_jis", "text/html", ""),
        ("euc-jp", "text/html", ""),
        ("iso2022_jp", "text/html", ""),
        ("utf-8", "text/html; charset=ISO-8859-1", ""),
    ],
)
def test_japanese_is_read_in_whichever_encoding_it_comes(
    site: Site, tmp_path: Path, encoding: str, header: str, head: str
) -> None:
    body = page(JAPANESE, head, lang="ja").encode(encoding)
    article = got(site.serve("/j", body, Content_Type=header), tmp_path)
    assert JAPANESE in text_of(article)
    assert article.language == "ja"


def test_latin_1_is_read_as_browsers_do() -> None:
    assert decode(b"\x93caf\xe9\x94", "iso-8859-1") == "“café”"
    assert decode(b'<meta charset="latin1">na\xefve').endswith("naïve")


def test_bytes_that_fit_nothing_are_replaced_and_do_not_crash() -> None:
    assert "�" in decode(b"abc \xff\xfe\xfd", "utf-8")
    assert decode(b"abc", "no-such-charset") == "abc"


def test_compressed_pages_are_read(site: Site, tmp_path: Path) -> None:
    url = site.serve("/z", gzip.compress(page().encode()), Content_Encoding="gzip")
    assert SENTENCE in text_of(got(url, tmp_path))


@pytest.mark.parametrize("announced", [True, False])
def test_a_page_over_the_size_limit_is_refused(site: Site, tmp_path: Path, announced: bool) -> None:
    def endless(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "text/html")
        if announced:
            handler.send_header("Content-Length", "99000000")
        handler.end_headers()
        try:
            for _ in range(1000):
                handler.wfile.write(b"x" * 10_000)
        except OSError:
            pass

    site.pages["/big"] = endless
    with pytest.raises(SourceError, match=r"larger than 0\.1 MB"):
        got(f"{site.url}/big", tmp_path, limits=Limits(max_bytes=100_000))


def test_a_small_answer_that_unpacks_to_a_large_one_is_refused(site: Site, tmp_path: Path) -> None:
    url = site.serve("/bomb", gzip.compress(b" " * 30_000_000), Content_Encoding="gzip")
    with pytest.raises(SourceError, match="larger than 20 MB"):
        got(url, tmp_path)


def test_a_server_that_trickles_is_cut_off(site: Site, tmp_path: Path) -> None:
    over = threading.Event()

    def trickle(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "text/html")
        handler.end_headers()
        try:
            while not over.wait(0.05):
                handler.wfile.write(b"<p>x</p>")
                handler.wfile.flush()
        except OSError:
            pass

    site.pages["/slow"] = trickle
    began = time.monotonic()
    with pytest.raises(SourceError, match=r"not complete after 0\.3 s"):
        got(f"{site.url}/slow", tmp_path, limits=Limits(total_s=0.3))
    over.set()
    assert time.monotonic() - began < 5


def test_a_server_that_says_nothing_is_given_up(site: Site, tmp_path: Path) -> None:
    over = threading.Event()

    def mute(_: BaseHTTPRequestHandler) -> None:
        over.wait(10)

    site.pages["/mute"] = mute
    with pytest.raises(SourceError, match=r"did not answer within 0\.2 s \(tried 4 times\)"):
        got(f"{site.url}/mute", tmp_path, limits=Limits(silence_s=0.2))
    over.set()


def test_a_broken_off_answer_is_an_error(site: Site, tmp_path: Path) -> None:
    url = site.serve("/cut", page(), Content_Length="99999", Connection="close")
    with pytest.raises(SourceError, match="broke off"):
        got(url, tmp_path)
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize(
    ("status", "headers", "said"),
    [
        (404, {}, "404 Not Found; check the address"),
        (403, {}, "403 Forbidden; it is not open to programs"),
        (429, {"Retry_After": "30"}, "429 Too Many Requests (tried 4 times); run doit again later"),
        (429, {"Retry_After": "4000"}, "429 Too Many Requests; it asks to wait 4"),
        (503, {}, "503 Service Unavailable (tried 4 times); run doit again later"),
        (400, {}, "400 Bad Request; trying again will not help"),
    ],
)
def test_an_error_status_says_what_to_do(
    site: Site, tmp_path: Path, status: int, headers: dict[str, str], said: str
) -> None:
    url = site.serve("/e", b"<p>sorry</p>", status=status, **headers)
    with pytest.raises(SourceError) as caught:
        got(url, tmp_path)
    assert said in str(caught.value)
    assert not (tmp_path / "cache").exists()


def test_a_server_that_fails_at_times_is_asked_again_as_it_asks_for(
    site: Site, tmp_path: Path
) -> None:
    url = f"{site.url}/moody"
    date = email.utils.formatdate(time.time() + 20, usegmt=True)
    moods = [
        Reply(status=503, headers={"Retry-After": "7"}),
        Reply(status=429, headers={"Retry-After": date}),
        Reply(page().encode(), headers={"Content-Type": "text/html", "Content-Length": "99999"}),
        Reply(page().encode()),
    ]

    def answer(handler: BaseHTTPRequestHandler) -> None:
        reply = moods.pop(0)
        handler.send_response(reply.status)
        for name, value in reply.headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(reply.body)

    site.pages["/moody"] = answer
    waited_s: list[float] = []
    assert SENTENCE in text_of(got(url, tmp_path, waited_s=waited_s))
    assert not moods
    assert waited_s == [
        pytest.approx(7, abs=0.2),
        pytest.approx(19.5, abs=1.5),
        pytest.approx(1.5, abs=0.6),
    ]


def test_what_trying_again_does_not_mend_is_asked_for_once(site: Site, tmp_path: Path) -> None:
    with pytest.raises(SourceError):
        got(site.serve("/gone", b"", status=404), tmp_path)
    assert len(site.asked) == 1


def test_what_is_no_text_is_refused_by_name(site: Site, tmp_path: Path) -> None:
    url = site.serve("/a.zip", b"PK\x03\x04", Content_Type="application/zip")
    with pytest.raises(SourceError, match="is application/zip; what can be read is a web page"):
        got(url, tmp_path)


@pytest.mark.parametrize("body", ["", "<html></html>", "<html><body><nav>Home</nav></body></html>"])
def test_a_page_without_an_article_says_so(site: Site, tmp_path: Path, body: str) -> None:
    with pytest.raises(SourceError, match=r"holds no article.*JavaScript.*--browser"):
        got(site.serve("/none", body), tmp_path)


def test_a_host_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"cannot reach http://127\.0\.0\.1:1/"):
        got("http://127.0.0.1:1/", tmp_path)


@pytest.mark.parametrize("address", ["http://", "http://a b/", "http://[::1"])
def test_an_address_that_is_none_is_a_clear_error(tmp_path: Path, address: str) -> None:
    with pytest.raises(SourceError):
        got(address, tmp_path)


def test_other_schemes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="ftp is not read; use http, https or a path"):
        got("ftp://example.com/a", tmp_path)


def test_files_are_read_from_the_project(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/a.md").write_text(
        f"# Builds\n\n{SENTENCE}\n\n![There](p.png)\n\n![Not](q.png)\n"
    )
    (tmp_path / "docs/p.png").write_bytes(b"\x89PNG")
    article = got("docs/a.md", tmp_path)
    assert (article.title, article.origin) == ("Builds", "docs/a.md")
    assert article.blocks == (Paragraph(SENTENCE), Picture("p.png", "There"))


def test_a_file_that_is_not_there_or_is_a_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"source no\.html: there is no such file"):
        got("no.html", tmp_path)
    (tmp_path / "sub").mkdir()
    with pytest.raises(SourceError, match="source sub is a folder"):
        got("sub", tmp_path)
    (tmp_path / "empty.txt").write_bytes(b"")
    with pytest.raises(SourceError, match="holds no article"):
        got("empty.txt", tmp_path)
    (tmp_path / "film.bin").write_bytes(bytes(range(256)))
    with pytest.raises(SourceError, match="is an unknown kind of file"):
        got("film.bin", tmp_path)


def test_markdown_served_as_plain_text_is_markdown(site: Site, tmp_path: Path) -> None:
    url = site.serve("/read.me.md", f"# Builds\n\n{SENTENCE}\n", Content_Type="text/plain")
    assert got(url, tmp_path).title == "Builds"


def test_a_picture_is_fetched_and_anything_else_is_refused(site: Site) -> None:
    url = site.serve("/p.png", b"\x89PNG...", Content_Type="image/png")
    assert fetch_picture(url) == b"\x89PNG..."
    # GitHub's raw files, for one, are all text.
    url = site.serve("/d.svg", b"<svg/>", Content_Type="text/plain")
    assert fetch_picture(url) == b"<svg/>"
    with pytest.raises(SourceError, match="is text/html, not a picture"):
        fetch_picture(site.serve("/login", page()))
    with pytest.raises(SourceError, match="is an empty file"):
        fetch_picture(site.serve("/e.png", b"", Content_Type="image/png"))


def test_a_transport_can_refuse_every_hop(site: Site, tmp_path: Path) -> None:
    import httpx

    class OnlyHere(httpx.HTTPTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            if request.url.host != "127.0.0.1":
                raise SourceError(f"{request.url.host} is not asked")
            return super().handle_request(request)

    url = site.serve("/away", b"", status=302, Location="http://localhost.invalid/")
    with pytest.raises(SourceError, match=r"localhost\.invalid is not asked"):
        read(url, base=tmp_path, cache=tmp_path / "cache", transport=OnlyHere())


@pytest.mark.parametrize(
    "inside",
    (
        "http://127.0.0.1:1/x",
        "http://192.168.0.1/",
        "http://169.254.169.254/",
        "http://router/",
        "http://[::1]/",
        "http://0x7f.1/",
        "http://2130706433/",
        "http://printer.local/",
    ),
)
def test_a_page_of_the_internet_does_not_lead_to_ones_own_network(
    inside: str, tmp_path: Path
) -> None:
    import httpx

    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return httpx.Response(302, headers={"Location": inside})

    with pytest.raises(SourceError, match=r"example\.com/a redirects to .* your own network"):
        read(
            "https://example.com/a",
            base=tmp_path,
            cache=tmp_path / "cache",
            transport=httpx.MockTransport(answer),
        )
    assert asked == ["https://example.com/a"]


def test_a_page_of_the_internet_has_no_pictures_on_ones_own_network(tmp_path: Path) -> None:
    import httpx

    images = "".join(
        f"<p>{SENTENCE}</p><img src='{src}' alt='A picture of something'>"
        for src in ("http://192.168.0.1/reboot.png", "http://localhost/a.png", "/there.png")
    )
    body = f"<html><article>{images}</article></html>"
    article = read(
        "https://example.com/a",
        base=tmp_path,
        cache=tmp_path / "cache",
        transport=httpx.MockTransport(lambda _: httpx.Response(200, html=body)),
    )
    shown = [block.src for block in article.blocks if isinstance(block, Picture)]
    assert shown == ["https://example.com/there.png"]
