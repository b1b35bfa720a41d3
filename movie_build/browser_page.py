"""A page of the web as it is once its JavaScript has run.

The shared browser has no network of its own. Each request of the page is taken
from it, asked here if it goes to the page's own site (what one may register a
name under, by the Public Suffix List), and refused if not; so whoever may not
be asked for a page (`transport`) cannot be reached by the page's scripts either.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from movie_build import browser
from movie_build.address import bare
from movie_build.errors import BrowserError, SourceError
from movie_build.fetch import LIMITS, USER_AGENT, Answer, Limits, ask, get, new_client
from movie_build.service import Retry

if TYPE_CHECKING:
    import httpx
    from playwright.async_api import Browser, Route
    from playwright.async_api import Page as Tab

    from movie_build.network import Errand
    from movie_build.service import Service

WEB_PAGES = ("text/html", "application/xhtml+xml")
MAX_REQUESTS = 400
MAX_BYTES = 100_000_000

# Pictures, sounds and fonts do not change what a page says.
_ASKED_FOR = ("document", "script", "stylesheet", "xhr", "fetch", "other")
_OURS = ("user-agent", "accept-encoding", "host", "content-length", "connection", "cookie")
_NOT_PASSED_ON = ("content-encoding", "content-length", "transfer-encoding", "connection")
# Peers are reached by number, so no name that fails to resolve keeps a page from them.
_NO_PEERS = "delete window.RTCPeerConnection; delete window.webkitRTCPeerConnection;"
_QUIET_MS = 400
_FEW_CHARS = 200
_SETTLED = """([quiet, longest]) => new Promise(resolve => {
  const said = calm => resolve([calm, (document.body?.innerText ?? '').length]);
  let timer = setTimeout(said, quiet, true);
  new MutationObserver(() => {
    clearTimeout(timer);
    timer = setTimeout(said, quiet, true);
  }).observe(document, {subtree: true, childList: true, characterData: true});
  setTimeout(said, longest, false);
})"""


def rendered(
    url: str,
    *,
    limits: Limits = LIMITS,
    transport: httpx.BaseTransport | None = None,
    service: Service | None = None,
    report: Callable[[str], None] = lambda _: None,
    total_s: float = 60.0,
    settle_s: float = 10.0,
) -> Answer:
    """What the page at `url` has become when it comes to rest, `settle_s` later at most.

    What is no web page comes as it is. `report` is told which sites the page
    wanted and was not let ask, and of a browser that has to be installed.

    Raises:
        SourceError: the page or the browser cannot be had, or is not done in `total_s`.
    """
    from playwright.async_api import Error

    from movie_build.network import Errand

    errand = Errand(bare(url))
    with new_client(limits, transport) as client:
        first = get(url, limits=limits, client=client, service=service, errand=errand)
        url = bare(url)
        if first.media_type not in ("", *WEB_PAGES):
            return first
        visit = _Visit(client, errand, first, limits, settle_s)
        try:
            answer = browser.shared(report).lend(visit.answer, total_s)
        except TimeoutError as error:
            what = f"{url}: its scripts are not done after {total_s:g} s"
            hint = "save the page in your browser and give the file"
            raise SourceError(f"{what}; {hint}") from error
        except BrowserError as error:
            raise SourceError(f"{url} cannot be rendered: {error}") from error
        except Error as error:
            why = error.message.splitlines()[0]
            raise SourceError(f"{url} cannot be rendered: the browser says: {why}") from error
    if visit.refused:
        sites = ", ".join(sorted(visit.refused))
        report(f"{url}: the page was not let ask other sites: {sites}")
    return answer


def site_of(url: str) -> str:
    """The registrable domain of `url`, such as `example.co.uk`; of a number or local name, that."""
    from tld import get_fld

    return get_fld(url, fail_silently=True) or urlsplit(url).hostname or ""


class _Visit:
    """One page in a browser window of its own, and the answers to its requests."""

    def __init__(
        self,
        client: httpx.Client,
        errand: Errand,
        first: Answer,
        limits: Limits,
        settle_s: float,
    ) -> None:
        self.refused: set[str] = set()
        self._client = client
        self._errand = errand
        self._first = first
        self._limits = limits
        self._settle_s = settle_s
        self._site = site_of(first.url)
        self._shown = False
        self._n_open = 0
        self._n_asked = 0
        self._n_bytes = 0
        client.event_hooks = {"request": [self._check_hop]}

    async def answer(self, chromium: Browser) -> Answer:
        """The page's DOM as a web page, at the address where it ended."""
        context = await chromium.new_context(
            user_agent=USER_AGENT, service_workers="block", accept_downloads=False
        )
        try:
            await context.add_init_script(_NO_PEERS)
            await context.route("**/*", self._route)
            tab = await context.new_page()
            await tab.goto(self._first.url, wait_until="domcontentloaded", timeout=0)
            await self._settle(tab)
            html = (await tab.content()).encode("utf-8", "replace")
            where = tab.url
            await context.unroute_all(behavior="ignoreErrors")
        finally:
            await context.close()
        if len(html) > self._limits.max_bytes:
            most = f"{self._limits.max_bytes / 1e6:g} MB"
            raise SourceError(f"{self._first.url} grows larger than {most}")
        on_site = where.startswith(("http://", "https://")) and site_of(where) == self._site
        return replace(
            self._first,
            url=where if on_site else self._first.url,
            body=html,
            media_type="text/html",
            charset="utf-8",
            etag="",
            last_modified="",
        )

    async def _settle(self, tab: Tab) -> None:
        """Wait until the page says something, changes no more, and waits for no answer."""
        from playwright.async_api import Error

        end_s = asyncio.get_running_loop().time() + self._settle_s
        while (left_s := end_s - asyncio.get_running_loop().time()) > 0:
            try:
                calm, n_chars = await tab.evaluate(_SETTLED, [_QUIET_MS, left_s * 1000])
            except Error as error:
                # The page went on to another one.
                if "context was destroyed" not in error.message:
                    raise
                await tab.wait_for_load_state("domcontentloaded", timeout=0)
                continue
            if calm and not self._n_open and n_chars >= _FEW_CHARS:
                return

    async def _route(self, route: Route) -> None:
        request = route.request
        if request.resource_type not in _ASKED_FOR or not request.url.startswith("http"):
            await route.abort("blockedbyclient")
            return
        if not self._shown and request.is_navigation_request() and self._is_first(request.url):
            self._shown = True
            await _fulfil(route, self._first)
            return
        self._n_open += 1
        try:
            answer = await asyncio.to_thread(self._ask, route)
        except (Retry, SourceError):
            # As if stopped by the user: a page that tries to go elsewhere stays where it is.
            await route.abort("aborted" if request.is_navigation_request() else "failed")
        else:
            await _fulfil(route, answer)
        finally:
            self._n_open -= 1

    def _is_first(self, url: str) -> bool:
        return url.partition("#")[0] == self._first.url.partition("#")[0]

    def _ask(self, route: Route) -> Answer:
        request = route.request
        self._n_asked += 1
        if self._n_asked > MAX_REQUESTS or self._n_bytes > MAX_BYTES:
            raise SourceError(f"{self._first.url} asks for too much")
        headers = {name: value for name, value in request.headers.items() if name not in _OURS}
        sent = self._client.build_request(
            request.method,
            request.url,
            headers={**headers, "User-Agent": USER_AGENT},
            content=request.post_data_buffer,
            extensions=self._errand.extensions,
        )
        answer = ask(self._client, sent, self._limits, lambda _: None)
        self._n_bytes += len(answer.body)
        return answer

    def _check_hop(self, request: httpx.Request) -> None:
        """Let none but the page's own site be asked, by redirects neither."""
        url = str(request.url)
        if site_of(url) != self._site:
            self.refused.add(request.url.host)
            raise SourceError(f"{url} is not on {self._site}")


async def _fulfil(route: Route, answer: Answer) -> None:
    from playwright.async_api import Error

    headers: dict[str, str] = {}
    for name, value in answer.headers:
        if name not in _NOT_PASSED_ON:
            # Cookies are never on one line (RFC 6265, 3).
            between = "\n" if name == "set-cookie" else ", "
            headers[name] = f"{headers[name]}{between}{value}" if name in headers else value
    # The window may have been closed meanwhile.
    with suppress(Error):
        await route.fulfill(status=answer.status, headers=headers, body=answer.body)
