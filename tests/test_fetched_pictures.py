"""Pictures that the script names by their addresses: fetched once, and only if they are pictures."""

from __future__ import annotations

import io
import struct
import threading
import time
import zlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler

import pytest
from conftest import Folder
from PIL import Image
from services.site import Site

SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 6"><path d="M0 0h8v6z"/></svg>'


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    yield site
    site.close()


def png() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (1000, 700), "teal").save(file, "PNG")
    return file.getvalue()


def bomb(side_px: int) -> bytes:
    """A PNG of a few kilobytes that says it is `side_px` wide and high."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        crc = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + crc

    head = struct.pack(">IIBBBBB", side_px, side_px, 1, 0, 0, 0, 0)
    start = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head)
    return start + chunk(b"IDAT", zlib.compress(bytes(1_000_000))) + chunk(b"IEND", b"")


def write(folder: Folder, *addresses: str) -> None:
    sections = "".join(
        f"- {{title: Part {n}, image: '{url}', narrations: [Hello.]}}\n"
        for n, url in enumerate(addresses)
    )
    folder.write("script.yaml", f"title: Pictures\nlanguage: en\nsections:\n{sections}")


def test_what_is_no_picture_is_told_by_its_address_and_asked_for_again(
    folder: Folder, site: Site
) -> None:
    kinds = {"Content_Type": "image/png"}
    urls = [
        site.serve("/notice.png", b"come back later", **kinds),
        site.serve("/half.png", png()[:900], **kinds),
        site.serve("/bomb.png", bomb(60_000), **kinds),
        site.serve("/login.png", "<html>Who are you?</html>"),
    ]
    write(folder, *urls)
    run = folder.doit("run", "--continue", "slides", code=None)
    told = [line.partition("sections[")[2] for line in run.err.splitlines() if "sections[" in line]
    assert [line[0] for line in told] == list("0123")
    for url, line, what in zip(
        urls, told, ("is not a picture", "is damaged", "is too large", "not a picture"), strict=True
    ):
        assert url in line and what in line
    assert str(folder.path) not in run.err
    for url in urls:
        site.serve(url.removeprefix(site.url), png(), **kinds)
    assert folder.doit("slides").made() == {"slide": 4}


def test_pictures_are_asked_for_as_the_limits_of_the_web_say(folder: Folder, site: Site) -> None:
    at_work, most, guard = 0, 0, threading.Lock()

    def picture(handler: BaseHTTPRequestHandler) -> None:
        nonlocal at_work, most
        with guard:
            at_work += 1
            most = max(most, at_work)
        time.sleep(0.1)
        with guard:
            at_work -= 1
        handler.send_response(200)
        handler.end_headers()
        handler.wfile.write(png())

    site.pages |= {f"/{n}.png": picture for n in range(4)}
    write(folder, *[f"{site.url}/{n}.png" for n in range(4)])
    folder.edit("movie.yaml", "style:", "limits: {web: {at_once: 1}}\nstyle:")
    assert folder.doit("-n", "4", "slides").made() == {"slide": 4}
    assert (most, len(site.asked)) == (1, 4)


def test_a_picture_is_known_by_its_bytes_whatever_its_server_calls_it(
    folder: Folder, site: Site
) -> None:
    write(
        folder,
        site.serve("/d.svg", SVG, Content_Type="text/plain; charset=utf-8"),
        site.serve("/e", SVG, Content_Type="application/xml"),
        site.serve("/p.txt", png(), Content_Type="text/plain"),
    )
    assert folder.doit("slides").made() == {"slide": 3}
    n_asked = len(site.asked)
    assert folder.doit("slides").made() == {} and len(site.asked) == n_asked
