"""Whom requests reach: judged by what the DNS answers, and asked at the address that was judged."""

from __future__ import annotations

import datetime
import re
import ssl
from collections.abc import Iterator, Sequence
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from services.site import Site

from movie_build import browser
from movie_build.address import bare
from movie_build.browser_page import rendered
from movie_build.errors import SlideError, SourceError
from movie_build.fetch import PATIENCE, fetch_picture, get
from movie_build.network import Network, direct
from movie_build.service import Service
from movie_build.slides.ai_download import picture_at
from movie_build.source import read

OUTSIDE, ALSO_OUTSIDE = "93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946"
INSIDE = ["10.0.0.1", "127.0.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.9", "::1", "fd00::1"]
SENTENCE = "A build system remakes only what has changed, and leaves all the rest alone. "


class World:
    """An internet whose every address is `site`; `names` are the answers of its DNS, in turn."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.names: dict[str, list[Sequence[str]]] = {}
        self.looked_up: list[str] = []
        self.reached: list[str] = []
        self.tls: ssl.SSLContext | bool = True

    def look_up(self, host: str, port: int) -> Sequence[str]:
        self.looked_up.append(host)
        answers = self.names.get(host) or [[host]] * host.replace(".", "").isdigit()
        if not answers:
            raise OSError("Name or service not known")
        return answers.pop(0) if len(answers) > 1 else answers[0]

    def inner(self, _proxy: str | None) -> httpx.BaseTransport:
        world, port = self, self.site.server.server_port

        class Here(httpx.HTTPTransport):
            def handle_request(self, request: httpx.Request) -> httpx.Response:
                world.reached.append(request.url.host)
                request.url = request.url.copy_with(host="127.0.0.1", port=port)
                return super().handle_request(request)

        return Here(verify=self.tls)

    @property
    def transport(self) -> Network:
        return Network(self.look_up, self.inner)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    site = Site()
    yield World(site)
    site.close()


def once() -> Service:
    return Service("web", PATIENCE, sleep=lambda _: None)


def test_a_host_is_asked_by_its_name_at_the_address_that_was_looked_up(world: World) -> None:
    world.names["blog.example.com"] = [[OUTSIDE]]
    world.site.serve("/a", "hello")
    answer = get("http://blog.example.com/a", transport=world.transport)
    assert (answer.body, answer.url) == (b"hello", "http://blog.example.com/a")
    assert world.site.asked[0][1]["host"] == "blog.example.com"
    assert (world.reached, world.looked_up) == ([OUTSIDE], ["blog.example.com"])


@pytest.mark.parametrize("address", INSIDE)
def test_a_redirect_to_a_name_that_is_found_inside_is_not_followed(
    world: World, address: str, tmp_path: Path
) -> None:
    world.names = {"blog.example.com": [[OUTSIDE]], "nice.example.net": [[address]]}
    world.site.serve("/a", "", status=302, Location="http://nice.example.net/admin")
    with pytest.raises(
        SourceError,
        match=r"^http://blog\.example\.com/a redirects to http://nice\.example\.net/admin, which is "
        rf"on your own network \({address}\) and is not asked; if you trust it, give that address",
    ):
        read(
            "http://blog.example.com/a",
            base=tmp_path,
            cache=tmp_path / "cache",
            transport=world.transport,
        )
    assert world.reached == [OUTSIDE]


def test_a_second_answer_of_the_dns_leads_nowhere_else(world: World) -> None:
    world.names["blog.example.com"] = [[OUTSIDE], ["127.0.0.1"]]
    world.site.serve("/a", "hello")
    assert get("http://blog.example.com/a", transport=world.transport).body == b"hello"
    assert (world.reached, len(world.looked_up)) == ([OUTSIDE], 1)
    world.names["blog.example.com"] = [[OUTSIDE], ["127.0.0.1"]]
    world.site.serve("/b", "", status=302, Location="/a")
    with pytest.raises(SourceError, match=r"on your own network \(127\.0\.0\.1\)"):
        get("http://blog.example.com/b", transport=world.transport)
    assert world.reached == [OUTSIDE, OUTSIDE]


def test_of_a_host_inside_and_outside_only_the_outside_is_asked(world: World) -> None:
    world.names["blog.example.com"] = [["10.0.0.1", OUTSIDE, ALSO_OUTSIDE]]
    world.site.serve("/a", "hello")
    assert get("http://blog.example.com/a", transport=world.transport).body == b"hello"
    assert world.reached == [OUTSIDE]


def test_the_next_address_is_asked_where_one_cannot_be_reached(world: World) -> None:
    world.names["blog.example.com"] = [[ALSO_OUTSIDE, OUTSIDE]]
    world.site.serve("/a", "hello")
    usual = world.inner

    def broken(proxy: str | None) -> httpx.BaseTransport:
        here = usual(proxy)

        def ask(request: httpx.Request) -> httpx.Response:
            if request.url.host == ALSO_OUTSIDE:
                raise httpx.ConnectError("Network is unreachable")
            return here.handle_request(request)

        return httpx.MockTransport(ask)

    transport = Network(world.look_up, broken)
    assert get("http://blog.example.com/a", transport=transport).body == b"hello"


def test_what_the_user_names_inside_is_asked_and_may_lead_on_inside(world: World) -> None:
    world.names = {"wiki.example.com": [["10.0.0.1"]], "files.example.com": [["10.0.0.2"]]}
    world.site.serve("/a", "", status=302, Location="http://files.example.com/b")
    world.site.serve("/b", "", status=302, Location="http://192.168.0.7/c")
    world.site.serve("/c", "hello")
    assert get("http://wiki.example.com/a", transport=world.transport).body == b"hello"
    assert world.reached == ["10.0.0.1", "10.0.0.2", "192.168.0.7"]


def test_a_proxy_looks_up_itself_and_names_still_count(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", world.site.url)
    monkeypatch.setenv("NO_PROXY", "direct.example.com")
    transport = Network(world.look_up)
    world.site.serve("http://blog.example.com/a", "hello")
    assert get("http://blog.example.com/a", transport=transport).body == b"hello"
    world.site.serve("http://blog.example.com/b", "", status=302, Location="http://10.0.0.1/")
    with pytest.raises(
        SourceError, match=r"redirects to http://10\.0\.0\.1/, which is on your own"
    ):
        get("http://blog.example.com/b", transport=transport)
    assert world.looked_up == []
    world.names["direct.example.com"] = [[OUTSIDE]]
    world.site.serve("/c", "straight")
    transport = Network(world.look_up, world.inner)
    assert get("http://direct.example.com/c", transport=transport).body == b"straight"
    assert world.reached == [OUTSIDE]
    # Where the proxy has asked for the page, its name alone says that it is on the internet.
    world.names["direct.example.com"] = [["10.0.0.1"]]
    world.site.serve(
        "http://blog.example.com/d", "", status=302, Location="http://direct.example.com/c"
    )
    mixed = Network(world.look_up, lambda proxy: direct(proxy) if proxy else world.inner(None))
    with pytest.raises(SourceError, match=r"which is on your own network \(10\.0\.0\.1\)"):
        get("http://blog.example.com/d", transport=mixed)
    assert world.reached == [OUTSIDE]


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://127.0.0.1:9/", "cannot reach .*/: Connection refused; check the address"),
        (f"http://{'a' * 80}.com/", "cannot reach .*/: no host can be called that; check the"),
        ("http://a..b/", "cannot reach http://a..b/: no host can be called that; check the"),
        ("https://", "^https:// is not an address that can be fetched: it names no host$"),
        ("http://[::1/", "is not an address that can be fetched: Invalid port"),
    ],
)
def test_what_cannot_be_reached_is_told_in_plain_words(url: str, told: str) -> None:
    with pytest.raises(SourceError, match=told):
        get(url, service=once())


def test_a_name_that_is_not_found_is_told(world: World) -> None:
    with pytest.raises(SourceError, match=r"cannot reach .*: Name or service not known; check the"):
        get("http://nowhere.example.com/", transport=world.transport, service=once())


@pytest.mark.parametrize(
    ("page", "at", "asked"),
    [
        ("http://blog.example.com/", OUTSIDE, False),
        ("http://blog.example.com/", "10.0.0.9", True),  # the page is inside too
        ("article.html", OUTSIDE, True),
        ("", OUTSIDE, True),
    ],
)
def test_no_page_of_the_internet_has_pictures_that_are_found_inside(
    world: World, page: str, at: str, asked: bool
) -> None:
    world.names = {"blog.example.com": [[at]], "cdn.example.net": [["10.0.0.1"]]}
    world.site.serve("/p.png", b"\x89PNG", Content_Type="image/png")
    url = "http://cdn.example.net/p.png"
    if asked:
        assert fetch_picture(url, transport=world.transport, page=page) == b"\x89PNG"
        return
    with pytest.raises(
        SourceError,
        match=r"http://blog\.example\.com/ may have named http://cdn\.example\.net/p\.png, which is "
        r"on your own network \(10\.0\.0\.1\) and is not asked; .* save it and name the file",
    ):
        fetch_picture(url, transport=world.transport, page=page)
    assert world.reached == []


def test_no_refusal_tells_the_passwords_of_addresses(world: World) -> None:
    world.names = {"blog.example.com": [[OUTSIDE]], "cdn.example.net": [["10.0.0.1"]]}
    world.site.serve("/a", "", status=302, Location="http://u:s3cret@cdn.example.net/p.png")
    world.site.serve("/page.png", "<p>", Content_Type="text/html")
    page = "http://u:s3cret@blog.example.com/"
    inside = "http://u:s3cret@cdn.example.net/p.png"
    for url, told in (
        (inside, f"{page} may have named {inside}, which is on your own network"),
        (f"{page}a", f"may have named {page}a, which redirects to {inside}, which is on your own"),
        (f"{page}page.png", f"{page}page.png is text/html, not a picture"),
    ):
        with pytest.raises(SourceError, match=re.escape(bare(told))) as caught:
            fetch_picture(url, transport=world.transport, page=page)
        assert "s3cret" not in str(caught.value)


def test_a_picture_that_the_user_names_inside_is_fetched_whatever_the_page(world: World) -> None:
    world.names["blog.example.com"] = [[OUTSIDE]]
    world.site.serve("/p.png", b"\x89PNG", Content_Type="image/png")
    page = "http://blog.example.com/"
    got = fetch_picture("http://10.0.0.1/p.png", transport=world.transport, page=page)
    assert got == b"\x89PNG"


def test_a_service_of_the_internet_names_no_picture_that_is_found_inside(world: World) -> None:
    world.names = {
        "draws.example.com": [[OUTSIDE]],
        "mine.example.com": [["10.0.0.3"]],
        "cdn.example.net": [["10.0.0.1"]],
    }
    world.site.serve("/p.png?sig=secret", b"picture")
    url = "http://cdn.example.net/p.png?sig=secret"
    with pytest.raises(SlideError, match=r"gives http://cdn\.example\.net/p\.png as .* not asked$"):
        picture_at(
            url, service_url="http://draws.example.com/v1", timeout_s=5, transport=world.transport
        )
    assert world.reached == []
    own = "http://mine.example.com/v1"
    got = picture_at(url, service_url=own, timeout_s=5, transport=world.transport)
    assert got == b"picture"


def test_a_script_of_a_page_does_not_reach_inside_by_another_answer(world: World) -> None:
    world.names["app.example.com"] = [[OUTSIDE], ["127.0.0.1"]]
    world.site.serve("/secret", "top secret", Content_Type="text/plain")
    script = "fetch('/secret').then(r => r.text()).then(t => document.body.append(t))"
    world.site.serve(
        "/", f"<html><body><p>{SENTENCE * 5}</p><script>{script}</script></body></html>"
    )
    try:
        answer = rendered("http://app.example.com/", transport=world.transport, settle_s=3)
    finally:
        browser.close_shared()
    assert SENTENCE in answer.body.decode() and b"top secret" not in answer.body
    assert [path for path, _ in world.site.asked] == ["/"]


def test_a_certificate_is_checked_for_the_name_not_for_the_address(
    world: World, tmp_path: Path
) -> None:
    certificate = self_signed("blog.example.com", tmp_path)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate)
    world.site.server.socket = server.wrap_socket(world.site.server.socket, server_side=True)
    world.tls = ssl.create_default_context(cafile=certificate)
    world.names = {"blog.example.com": [[OUTSIDE]], "evil.example.com": [[OUTSIDE]]}
    world.site.serve("/a", "hello")
    assert get("https://blog.example.com/a", transport=world.transport).body == b"hello"
    with pytest.raises(SourceError, match="certificate verify failed"):
        get("https://evil.example.com/a", transport=world.transport, service=once())


def self_signed(name: str, folder: Path) -> Path:
    """A file with a certificate for `name` and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    day = datetime.timedelta(days=1)
    made = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - day)
        .not_valid_after(now + day)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file = folder / "certificate.pem"
    file.write_bytes(made.public_bytes(pem) + secret)
    return file
