"""One Chromium for a whole run: HTML in, PNG out.

Playwright's objects belong to one thread, so the browser has an asyncio loop of
its own; any thread may ask it for a picture. It starts when it is first asked,
and starts anew when it has crashed or hangs.

A page sees nothing but what it is given: JavaScript of its own is off, names do
not resolve, and each request is answered from `Page.files` or refused. Whoever
borrows the browser (`lend`) answers for pages of its own; names do not resolve there either.
"""

from __future__ import annotations

import asyncio
import atexit
import base64
import itertools
import mimetypes
import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import unquote, urlsplit

from movie_build import browser_install, fonts, theme
from movie_build.errors import BrowserError, SlideError

if TYPE_CHECKING:
    from playwright.async_api import Browser as PlaywrightBrowser
    from playwright.async_api import CDPSession, Playwright, Route
    from playwright.async_api import Page as Tab

T = TypeVar("T")

_CLOSING_S = 5.0
_FLAGS = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-sync",
    "--no-first-run",
    "--no-pings",
    # Also stops preconnects, which are not requests and so are never intercepted.
    "--host-resolver-rules=MAP * ~NOTFOUND",
    # The same bytes on every run: no tuning of glyphs to a screen, images decoded in place.
    "--disable-checker-imaging",
    "--disable-lcd-text",
    "--disable-partial-raster",
    "--font-render-hinting=none",
    "--force-color-profile=srgb",
    "--hide-scrollbars",
)
# Chromium's own sandbox refuses to run as root.
_AS_ROOT = ("--no-sandbox",)

_SETTLED = """async () => {
  await document.fonts.ready;
  const broken = [];
  await Promise.all([...document.images].map(async image => {
    try { await image.decode(); } catch { broken.push(image.getAttribute('src') || image.srcset); }
  }));
  return broken;
}"""


@dataclass(frozen=True, slots=True)
class Page:
    """A page to draw, `width_px` × `height_px`.

    `files` are what its URLs may name, without the leading slash: a path, or
    the bytes themselves. `fit` is the source of a JavaScript function that is
    run once all is loaded, to fit text into its boxes; it returns "", or why it
    cannot.
    """

    html: str
    width_px: int
    height_px: int
    files: Mapping[str, Path | bytes] = field(default_factory=dict)
    fit: str = ""


class Browser:
    """A browser that draws pages, up to `n_tabs` side by side. May be used from several threads."""

    def __init__(
        self,
        *,
        report: Callable[[str], None] = lambda _: None,
        n_tabs: int = 3,
        timeout_s: float = 60.0,
        n_tries: int = 3,
    ) -> None:
        self._report = report
        self._n_tabs = n_tabs
        self._timeout_s = timeout_s
        self._n_tries = n_tries
        self._guard = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._program: Path | None = None
        self._running: _Chromium | None = None
        self._scratch: Path | None = None
        self._environment: dict[str, str] = {}
        self._pages = itertools.count(1)

    def screenshot(self, page: Page) -> bytes:
        """`page` as a PNG: RGB, opaque, exactly its size; the same bytes for the same page.

        Raises:
            SlideError: the page asks for a file it was not given, or a text in it does not fit.
            BrowserError: there is no browser, or it does not answer.
        """
        loop = self._started()
        return asyncio.run_coroutine_threadsafe(self._screenshot(page), loop).result()

    def lend(self, use: Callable[[PlaywrightBrowser], Coroutine[None, None, T]], for_s: float) -> T:
        """What `use` gives, run with the browser on its own loop; `use` closes what it opens.

        Raises:
            TimeoutError: it was not over after `for_s`.
            BrowserError: there is no browser, or it does not start.
        """
        loop = self._started()
        return asyncio.run_coroutine_threadsafe(self._lend(use, for_s), loop).result()

    @property
    def pid(self) -> int | None:
        """Chromium's process id while it runs."""
        running = self._running
        return running.pid if running else None

    def close(self) -> None:
        """End the browser and its thread; a later screenshot starts them again."""
        with self._guard:
            loop, thread = self._loop, self._thread
            self._loop = self._thread = None
        if loop is None or thread is None:
            return
        asyncio.run_coroutine_threadsafe(self._stop(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
        if self._scratch:
            shutil.rmtree(self._scratch, ignore_errors=True)

    def _started(self) -> asyncio.AbstractEventLoop:
        with self._guard:
            if self._loop is None:
                self._program = browser_install.ensure(self._report)
                self._lay_font()
                self._loop = asyncio.new_event_loop()
                self._places = asyncio.Semaphore(self._n_tabs)
                self._starting = asyncio.Lock()
                self._thread = threading.Thread(
                    target=self._loop.run_forever, name="browser", daemon=True
                )
                self._thread.start()
            return self._loop

    def _lay_font(self) -> None:
        """Lay out a font for Chromium where the system has none: it would draw no text at all."""
        if fonts.system_has_any():
            return
        self._scratch = Path(tempfile.mkdtemp(prefix="movie-build-"))
        self._environment = fonts.last_resort(self._scratch, theme.find("default", Path()))

    async def _screenshot(self, page: Page) -> bytes:
        from playwright.async_api import Error

        host = f"p{next(self._pages)}.slide.invalid"
        why = ""
        async with self._places:
            for _ in range(self._n_tries):
                chromium = await self._chromium()
                try:
                    async with asyncio.timeout(self._timeout_s):
                        return await chromium.screenshot(page, host)
                except TimeoutError:
                    why = f"no picture within {self._timeout_s:g} s"
                except Error as error:
                    if chromium.is_well():
                        raise
                    why = error.message.splitlines()[0]
                await self._discard(chromium)
        raise BrowserError(
            f"the browser {self._program} fails to draw a page, "
            f"{page.width_px} × {page.height_px} ({self._n_tries} tries): {why}. "
            f"Run the build again; if it stays so, name another in {browser_install.VARIABLE}"
        )

    async def _lend(
        self, use: Callable[[PlaywrightBrowser], Coroutine[None, None, T]], for_s: float
    ) -> T:
        async with self._places:
            chromium = await self._chromium()
            if not chromium.is_well():
                await self._discard(chromium)
                chromium = await self._chromium()
            lent = asyncio.create_task(use(chromium.browser))
            if (await asyncio.wait({lent}, timeout=for_s))[0]:
                return lent.result()
            lent.cancel()
            # A page in an endless loop may not let itself be closed.
            if not (await asyncio.wait({lent}, timeout=_CLOSING_S))[0]:
                await self._discard(chromium)
                await asyncio.wait({lent}, timeout=_CLOSING_S)
            raise TimeoutError(f"not over after {for_s:g} s")

    async def _chromium(self) -> _Chromium:
        async with self._starting:
            if self._running is None:
                assert self._program is not None
                self._running = await _launch(self._program, self._environment)
            return self._running

    async def _discard(self, chromium: _Chromium) -> None:
        async with self._starting:
            if self._running is chromium:
                self._running = None
        await chromium.kill()

    async def _stop(self) -> None:
        running, self._running = self._running, None
        if running:
            await running.close()


class _Chromium:
    """A running Chromium and its idle tabs."""

    def __init__(self, playwright: Playwright, browser: PlaywrightBrowser, pid: int) -> None:
        self._playwright = playwright
        self.browser = browser
        self._idle: list[tuple[Tab, CDPSession]] = []
        self._crashed = False
        self.pid = pid

    async def screenshot(self, page: Page, host: str) -> bytes:
        tab, session = self._idle.pop() if self._idle else await self._new_tab()
        refused: list[str] = []

        async def answer(route: Route) -> None:
            await _answer(route, page, host, refused)

        await tab.route("**/*", answer)
        await tab.set_viewport_size({"width": page.width_px, "height": page.height_px})
        await tab.goto(f"http://{host}/", wait_until="load", timeout=0)
        refused += await tab.evaluate(_SETTLED)
        if refused:
            problem = f"a slide asks for {refused[0]!r}, which it cannot have: "
            problem += "it sees the project's own files only, no network; put a copy into assets/"
        else:
            problem = await tab.evaluate(page.fit) if page.fit else ""
        if not problem:
            shot = await session.send(
                "Page.captureScreenshot", {"format": "png", "optimizeForSpeed": True}
            )
        await tab.unroute("**/*", answer)
        self._idle.append((tab, session))
        if problem:
            raise SlideError(problem)
        return base64.b64decode(shot["data"])

    def is_well(self) -> bool:
        return self.browser.is_connected() and not self._crashed

    async def close(self) -> None:
        from playwright.async_api import Error

        with suppress(TimeoutError, Error):
            async with asyncio.timeout(10):
                await self.browser.close()
                await self._playwright.stop()
                return
        await self.kill()

    async def kill(self) -> None:
        from playwright.async_api import Error

        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
        with suppress(TimeoutError, Error):
            async with asyncio.timeout(10):
                await self._playwright.stop()

    async def _new_tab(self) -> tuple[Tab, CDPSession]:
        context = await self.browser.new_context(
            java_script_enabled=False, device_scale_factor=1, service_workers="block"
        )
        tab = await context.new_page()
        tab.on("crash", self._note_crash)
        return tab, await context.new_cdp_session(tab)

    def _note_crash(self, _: Tab) -> None:
        self._crashed = True


async def _launch(program: Path, environment: Mapping[str, str]) -> _Chromium:
    from playwright.async_api import Error, async_playwright

    playwright = await async_playwright().start()
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    try:
        browser = await playwright.chromium.launch(
            executable_path=program,
            args=[*_FLAGS, *(_AS_ROOT if root else ())],
            env={**os.environ, **environment},
            timeout=120_000,
            handle_sigint=False,
            handle_sigterm=False,
            handle_sighup=False,
        )
        session = await browser.new_browser_cdp_session()
        processes = (await session.send("SystemInfo.getProcessInfo"))["processInfo"]
    except Error as error:
        await playwright.stop()
        raise BrowserError(
            f"the browser {program} does not start: {error.message.strip()}\n"
            f"name another in {browser_install.VARIABLE}, or install what it lacks: "
            "python -m playwright install-deps chromium"
        ) from error
    return _Chromium(
        playwright, browser, next(p["id"] for p in processes if p["type"] == "browser")
    )


async def _answer(route: Route, page: Page, host: str, refused: list[str]) -> None:
    url = urlsplit(route.request.url)
    name = unquote(url.path).removeprefix("/")
    if url.scheme != "http" or url.netloc != host or (name and name not in page.files):
        refused.append(name if url.netloc == host else route.request.url)
        # As if stopped by the user: a page that tries to go elsewhere stays where it is.
        await route.abort("aborted")
    elif not name:
        await route.fulfill(body=page.html, content_type="text/html; charset=utf-8")
    else:
        content = page.files[name]
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        body = content if isinstance(content, bytes) else content.read_bytes()
        await route.fulfill(body=body, content_type=kind)


_shared: Browser | None = None
_shared_guard = threading.Lock()


def shared(report: Callable[[str], None] = lambda _: None) -> Browser:
    """The run's one browser; it starts when it is first asked for a picture."""
    global _shared  # noqa: PLW0603
    with _shared_guard:
        if _shared is None:
            _shared = Browser(report=report)
            atexit.register(close_shared)
        return _shared


def close_shared() -> None:
    """End the run's browser, if it was ever started."""
    global _shared
    with _shared_guard:
        browser, _shared = _shared, None
    if browser:
        atexit.unregister(close_shared)
        browser.close()
