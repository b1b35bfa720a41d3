"""The browser: pictures that are exact and repeatable, pages that reach nothing, recovery."""

from __future__ import annotations

import io
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image

from movie_build import browser_install
from movie_build.browser import Browser, Page
from movie_build.errors import BrowserError, SlideError

PLAIN = "<!doctype html><body style='margin:0;background:#2a6496'>"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    browser = Browser()
    yield browser
    browser.close()


def pixels(png: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(png))
    image.load()
    return image


@pytest.mark.parametrize("size", [(1920, 1080), (426, 240), (1080, 1920), (66, 64)])
def test_a_picture_has_exactly_the_size_asked_for_and_no_alpha(
    browser: Browser, size: tuple[int, int]
) -> None:
    image = pixels(browser.screenshot(Page(PLAIN, *size)))
    assert image.size == size
    assert image.mode == "RGB"
    assert image.getcolors() == [(size[0] * size[1], (0x2A, 0x64, 0x96))]


def test_the_same_page_gives_the_same_bytes_in_every_thread_and_after_a_restart(
    browser: Browser,
) -> None:
    pages = [
        Page(f"<h1 style='font:{20 + n}px serif'>Tides {n}</h1><p style='rotate:3deg'>x", 640, 360)
        for n in range(4)
    ]
    first = [browser.screenshot(page) for page in pages]
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(browser.screenshot, pages * 2)) == first * 2
    browser.close()
    assert browser.screenshot(pages[0]) == first[0]


def test_a_page_sees_the_files_it_is_given_and_no_others(browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "a.css").write_text("body { background: #010203 }")
    files: dict[str, Path | bytes] = {"x/a.css": tmp_path / "a.css"}
    html = "<link rel=stylesheet href='/x/a.css'>"
    assert pixels(browser.screenshot(Page(html, 64, 64, files))).getpixel((9, 9)) == (1, 2, 3)
    with pytest.raises(SlideError, match=r"'x/a\.css'.*assets/"):
        browser.screenshot(Page(html, 64, 64))


@pytest.mark.parametrize(
    "tag",
    [
        "<img src='http://127.0.0.1:PORT/a'>",
        "<link rel=stylesheet href='http://127.0.0.1:PORT/a'>",
        "<iframe src='http://127.0.0.1:PORT/a'></iframe>",
        "<meta http-equiv=refresh content='0;url=http://127.0.0.1:PORT/a'>",
        "<link rel=preconnect href='http://127.0.0.1:PORT/'>",
        "<style>@import 'http://127.0.0.1:PORT/a';</style>",
        "<script>fetch('http://127.0.0.1:PORT/a'); new WebSocket('ws://127.0.0.1:PORT/')</script>",
        "<img src='file:///etc/passwd'>",
        "<iframe src='file:///etc/passwd'></iframe>",
    ],
)
def test_a_page_reaches_neither_network_nor_disk(browser: Browser, tag: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        html = PLAIN + tag.replace("PORT", str(server.getsockname()[1]))
        try:
            image = pixels(browser.screenshot(Page(html, 400, 300)))
        except SlideError as refused:
            assert "127.0.0.1" in str(refused) or "file:///etc/passwd" in str(refused)
        else:
            # What may be left is the frame of an empty box: none of the file's text.
            assert len(image.getcolors(1 << 16) or ()) < 12
        with pytest.raises(TimeoutError):
            server.accept()


def test_a_pages_own_javascript_does_not_run(browser: Browser) -> None:
    html = PLAIN + "<script>document.body.style.background = 'black'</script>"
    html += "<img src='/no' onerror=\"document.body.style.background = 'black'\" hidden>"
    page = Page(html, 64, 64, {"no": b"no picture"})
    with pytest.raises(SlideError, match="/no"):
        browser.screenshot(page)
    html = PLAIN + "<script>document.body.style.background = 'black'</script>"
    assert pixels(browser.screenshot(Page(html, 64, 64))).getpixel((5, 5)) == (0x2A, 0x64, 0x96)


def test_what_the_fit_function_says_is_the_slides_error(browser: Browser) -> None:
    with pytest.raises(SlideError, match=r"^it does not fit$"):
        browser.screenshot(Page(PLAIN, 64, 64, fit="() => 'it does not fit'"))
    black = "() => { document.body.style.background = 'black'; return '' }"
    assert pixels(browser.screenshot(Page(PLAIN, 64, 64, fit=black))).getpixel((5, 5)) == (0, 0, 0)


def test_a_browser_that_crashes_while_many_draw_is_started_anew() -> None:
    browser = Browser()
    try:
        assert browser.pid is None
        expected = browser.screenshot(Page(PLAIN, 320, 180))
        first = browser.pid
        assert first is not None
        with ThreadPoolExecutor(4) as threads:
            jobs = [threads.submit(browser.screenshot, Page(PLAIN, 320, 180)) for _ in range(24)]
            jobs[3].result()
            os.kill(first, signal.SIGKILL)
            assert {job.result() for job in jobs} == {expected}
        assert browser.pid not in {None, first}
    finally:
        browser.close()


def test_a_browser_that_hangs_is_started_anew() -> None:
    browser = Browser(timeout_s=2)
    try:
        expected = browser.screenshot(Page(PLAIN, 320, 180))
        hung = browser.pid
        assert hung is not None
        os.kill(hung, signal.SIGSTOP)
        assert browser.screenshot(Page(PLAIN, 320, 180)) == expected
        with pytest.raises(ProcessLookupError):
            os.kill(hung, 0)
    finally:
        browser.close()


def test_a_browser_that_never_answers_is_an_error_in_the_end() -> None:
    browser = Browser(timeout_s=0.001, n_tries=2)
    try:
        with pytest.raises(BrowserError, match=r"2 tries.*MOVIE_BUILD_BROWSER"):
            browser.screenshot(Page(PLAIN, 320, 180))
    finally:
        browser.close()


def test_the_shared_browser_ends_with_the_interpreter() -> None:
    code = (
        "from movie_build.browser import Page, shared\n"
        "shared().screenshot(Page('x', 64, 64)); print(shared().pid)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    with pytest.raises(ProcessLookupError):
        os.kill(int(done.stdout), 0)


def test_closing_leaves_no_thread_and_may_be_done_twice() -> None:
    browser = Browser()
    browser.screenshot(Page(PLAIN, 64, 64))
    browser.close()
    browser.close()
    assert "browser" not in {t.name for t in threading.enumerate() if t.ident == browser.pid}
    assert browser.pid is None


def test_the_named_browser_comes_first_then_playwrights_then_the_paths(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def program(path: Path) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("#!/bin/sh\n")
        path.chmod(0o755)
        return path

    monkeypatch.delenv("MOVIE_BUILD_BROWSER", raising=False)
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path / "downloads"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert browser_install.find() is None
    chrome = program(tmp_path / "bin" / "google-chrome")
    assert browser_install.find() == chrome
    shell = program(tmp_path / "bin" / "chromium-headless-shell")
    assert browser_install.find() == shell
    revision = playwright_revision()
    folder = tmp_path / "downloads" / f"chromium_headless_shell-{revision}"
    own = program(folder / "chrome-headless-shell-linux64" / "chrome-headless-shell")
    assert browser_install.find() == shell, "an unfinished download does not count"
    (folder / "INSTALLATION_COMPLETE").touch()
    assert browser_install.find() == own
    monkeypatch.setenv("MOVIE_BUILD_BROWSER", str(chrome))
    assert browser_install.find() == chrome
    monkeypatch.setenv("MOVIE_BUILD_BROWSER", "/no/such/browser")
    with pytest.raises(BrowserError, match=r"/no/such/browser.*correct or unset"):
        browser_install.find()


def playwright_revision() -> str:
    import json

    import playwright

    listed = Path(playwright.__file__).parent / "driver" / "package" / "browsers.json"
    browsers = json.loads(listed.read_text())["browsers"]
    return next(b["revision"] for b in browsers if b["name"] == "chromium")


def test_where_none_can_be_installed_the_message_says_what_to_type(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MOVIE_BUILD_BROWSER", raising=False)
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path / "downloads"))
    monkeypatch.setenv("PLAYWRIGHT_DOWNLOAD_HOST", "http://127.0.0.1:9")
    monkeypatch.setenv("PATH", str(tmp_path))
    told: list[str] = []
    with pytest.raises(BrowserError) as error:
        browser_install.ensure(told.append)
    assert "playwright install" in told[0]
    for words in ("tried playwright", "--with-deps", "export MOVIE_BUILD_BROWSER="):
        assert words in str(error.value)


def test_a_browser_that_cannot_start_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "chrome"
    broken.write_text("#!/bin/sh\necho libnss3.so: cannot open shared object file >&2; exit 127\n")
    broken.chmod(0o755)
    monkeypatch.setenv("MOVIE_BUILD_BROWSER", str(broken))
    browser = Browser()
    try:
        with pytest.raises(BrowserError, match=r"(?s)chrome does not start.*libnss3.*install-deps"):
            browser.screenshot(Page(PLAIN, 64, 64))
    finally:
        browser.close()
