"""A page or picture over HTTP, with limits and patience: the answer, or a clear refusal."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

from movie_build import service as services
from movie_build.address import bare, login_header
from movie_build.errors import SourceError
from movie_build.hosts import is_public
from movie_build.ledger import NOTHING, Use
from movie_build.service import Retry, Service, Services, may_pass, retry_after_s

if TYPE_CHECKING:
    import httpx

    from movie_build.network import Errand

USER_AGENT = "movie-build (+https://pypi.org/project/movie-build/)"
PAGE_TYPES = "text/html,application/xhtml+xml,text/markdown,text/plain;q=0.9,*/*;q=0.1"
PICTURE_TYPES = "image/png,image/jpeg,image/webp,image/svg+xml,image/gif,image/*;q=0.8"


@dataclass(frozen=True, slots=True)
class Limits:
    """How much and how long one try of a request may take, its redirects included."""

    max_bytes: int = 20_000_000
    total_s: float = 60
    silence_s: float = 15
    max_redirects: int = 10


@dataclass(frozen=True, slots=True)
class Answer:
    """A server's answer; `url` is the address after redirects, `media_type` is lower-case."""

    url: str
    status: int
    body: bytes
    media_type: str = ""
    charset: str = ""
    language: str = ""
    etag: str = ""
    last_modified: str = ""
    headers: tuple[tuple[str, str], ...] = ()


LIMITS = Limits()
# Whoever waits at a terminal for one page wants an answer sooner than a build of 300 lines does.
PATIENCE = services.Limits(tries=4)
NO_HEADERS: Mapping[str, str] = {}


def web(services: Services) -> Service:
    """The web, as `limits: {web: …}` lets it be asked: for pages and for pictures."""
    return services.named("web", PATIENCE)


def get(
    url: str,
    *,
    accept: str = PAGE_TYPES,
    headers: Mapping[str, str] = NO_HEADERS,
    limits: Limits = LIMITS,
    transport: httpx.BaseTransport | None = None,
    client: httpx.Client | None = None,
    service: Service | None = None,
    taken: Collection[int] = (),
    errand: Errand | None = None,
) -> Answer:
    """What a GET of `url` answers, redirects followed; status 304 is an answer too.

    `transport` is the seam for who may be asked, instead of `network.Network`; a
    `client` has its own, and keeps cookies. `service` paces the request and
    tries it again where that may help. A status in `taken` is an answer, not an
    error. `errand` says for whose sake it is asked, where that is not the user's.

    Raises:
        SourceError: no answer, status 400 or above, or a limit is passed.
    """
    import httpx

    from movie_build.network import Errand

    # What stands in the address would be told in every error, and in the addresses made of it.
    wanted = {"User-Agent": USER_AGENT, "Accept": accept, **login_header(url), **headers}
    url = bare(url)
    extensions = (errand or Errand(url)).extensions

    def attempt() -> tuple[Answer, Use]:
        with nullcontext(client) if client else new_client(limits, transport) as asker:
            # Seen on every hop: redirects keep a request's extensions.
            request = asker.build_request("GET", url, headers=wanted, extensions=extensions)
            return ask(asker, request, limits, lambda found: _check(url, found, taken)), NOTHING

    try:
        if not httpx.URL(url).host:
            raise SourceError(f"{url} is not an address that can be fetched: it names no host")
        return (service or Service("source", PATIENCE)).call(attempt, SourceError)
    except httpx.InvalidURL as error:
        raise SourceError(f"{url} is not an address that can be fetched: {error}") from error


def new_client(limits: Limits, transport: httpx.BaseTransport | None) -> httpx.Client:
    """A client that follows redirects and waits for silence as `limits` say."""
    import httpx

    from movie_build.network import Network, check_name

    return httpx.Client(
        transport=transport or Network(),
        timeout=min(limits.silence_s, limits.total_s),
        follow_redirects=True,
        max_redirects=limits.max_redirects,
        event_hooks={"request": [check_name]},
    )


def ask(
    client: httpx.Client,
    request: httpx.Request,
    limits: Limits,
    check: Callable[[httpx.Response], None],
) -> Answer:
    """What `request` answers, asked once; `check` may refuse it before its body is read.

    Raises:
        Retry: another try may help: no answer in time, or it broke off.
        SourceError: none will, or a limit is passed.
    """
    import httpx

    url = str(request.url)
    # A server that trickles is cut off by the deadline between two pieces of its body.
    deadline = time.monotonic() + limits.total_s
    response: httpx.Response | None = None
    try:
        response = client.send(request, stream=True)
        check(response)
        return _answer(response, _body(url, response, limits, deadline))
    except httpx.TooManyRedirects as error:
        what = f"{url} redirects more than {limits.max_redirects} times; it may want cookies"
        raise SourceError(f"{what}: save the page in your browser and give the file") from error
    except httpx.TimeoutException as error:
        quiet_s = min(limits.silence_s, limits.total_s)
        raise Retry(f"{url} did not answer within {quiet_s:g} s") from error
    except httpx.ConnectError as error:
        what = f"cannot reach {url}: {_reason(error)}; check the address and your connection"
        raise SourceError(what) from error
    except httpx.UnsupportedProtocol as error:
        raise SourceError(f"{url} is not an address that can be fetched: {error}") from error
    except httpx.DecodingError as error:
        raise Retry(f"{url} sent damaged compressed content") from error
    except httpx.HTTPError as error:
        raise Retry(f"{url} broke off: {_reason(error)}") from error
    finally:
        if response is not None:
            response.close()


def fetch_picture(
    url: str,
    *,
    limits: Limits = LIMITS,
    transport: httpx.BaseTransport | None = None,
    service: Service | None = None,
    page: str = "",
) -> bytes:
    """The bytes of the picture at `url`, whatever its server calls them.

    `page` is the one that may have named it: no page on the internet means a
    host that only the DNS shows to be on the user's own network.

    Raises:
        SourceError: as `get`; or the answer is empty, or a web page.
    """
    from movie_build.network import Errand

    # An address that says itself that it is inside was left out of the page: the user wrote it.
    errand = Errand(url, page if is_public(page) and is_public(url) else "")
    answer = get(
        url,
        accept=PICTURE_TYPES,
        limits=limits,
        transport=transport,
        service=service,
        errand=errand,
    )
    url = bare(url)
    if answer.media_type in ("text/html", "application/xhtml+xml"):
        raise SourceError(f"{url} is {answer.media_type}, not a picture")
    if not answer.body:
        raise SourceError(f"{url} is an empty file, not a picture")
    return answer.body


def _check(url: str, response: httpx.Response, taken: Collection[int]) -> None:
    status = response.status_code
    if status < 300 or status == 304 or status in taken:
        return
    reason = f"{status} {response.reason_phrase}".strip()
    where = url if str(response.url) == url else f"{url} (at {response.url})"
    if may_pass(status):
        # The web is many sites: what one of them asks for is nothing to the others.
        raise Retry(f"{where} answered {reason}", retry_after_s(response.headers), busy=False)
    if status in (401, 402, 403, 407, 451):
        hint = "it is not open to programs: save the page in your browser and give the file"
    elif status in (404, 410):
        hint = "check the address"
    else:
        hint = "trying again will not help"
    raise SourceError(f"{where} answered {reason}; {hint}")


def _body(url: str, response: httpx.Response, limits: Limits, deadline: float) -> bytes:
    most = f"{limits.max_bytes / 1_000_000:g} MB"
    announced = response.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > limits.max_bytes:
        raise SourceError(f"{url} is larger than {most}")
    body = bytearray()
    for piece in response.iter_bytes():
        body += piece
        if len(body) > limits.max_bytes:
            raise SourceError(f"{url} is larger than {most}")
        if time.monotonic() > deadline:
            raise SourceError(f"{url} was not complete after {limits.total_s:g} s; try again later")
    return bytes(body)


def _answer(response: httpx.Response, body: bytes) -> Answer:
    headers = response.headers
    return Answer(
        url=str(response.url),
        status=response.status_code,
        body=body,
        media_type=headers.get("content-type", "").partition(";")[0].strip().lower(),
        charset=response.charset_encoding or "",
        language=headers.get("content-language", "").partition(",")[0].strip(),
        etag=headers.get("etag", ""),
        last_modified=headers.get("last-modified", ""),
        headers=tuple(headers.multi_items()),
    )


def _reason(error: Exception) -> str:
    return re.sub(r"^\[Errno -?\d+\] ", "", str(error)) or type(error).__name__
