"""One HTTP request with limits: what a server answers, or a clear refusal."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from movie_build.errors import SourceError

if TYPE_CHECKING:
    import httpx

USER_AGENT = "movie-build (+https://pypi.org/project/movie-build/)"
PAGE_TYPES = "text/html,application/xhtml+xml,text/markdown,text/plain;q=0.9,*/*;q=0.1"
PICTURE_TYPES = "image/png,image/jpeg,image/webp,image/svg+xml,image/gif,image/*;q=0.8"


@dataclass(frozen=True, slots=True)
class Limits:
    """How much and how long one request may take, its redirects included."""

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


LIMITS = Limits()
NO_HEADERS: Mapping[str, str] = {}


def get(
    url: str,
    *,
    accept: str = PAGE_TYPES,
    headers: Mapping[str, str] = NO_HEADERS,
    limits: Limits = LIMITS,
    transport: httpx.BaseTransport | None = None,
) -> Answer:
    """What a GET of `url` answers, redirects followed; status 304 is an answer too.

    `transport` is the seam for who may be asked: one that looks at the host of
    every hop can refuse it.

    Raises:
        SourceError: no answer, status 400 or above, or a limit is passed.
    """
    import httpx

    wanted = {"User-Agent": USER_AGENT, "Accept": accept, **headers}
    # A server that trickles is cut off by the deadline between two pieces of its body.
    deadline = time.monotonic() + limits.total_s
    quiet = httpx.Timeout(min(limits.silence_s, limits.total_s))
    try:
        with (
            httpx.Client(
                transport=transport,
                timeout=quiet,
                follow_redirects=True,
                max_redirects=limits.max_redirects,
            ) as client,
            client.stream("GET", url, headers=wanted) as response,
        ):
            _check_status(url, response)
            body = _body(url, response, limits, deadline)
            return _answer(response, body)
    except httpx.TooManyRedirects as error:
        what = f"{url} redirects more than {limits.max_redirects} times; it may want cookies"
        raise SourceError(f"{what}: save the page in your browser and give the file") from error
    except httpx.TimeoutException as error:
        what = f"{url} did not answer within {quiet.read:g} s; try again later"
        raise SourceError(what) from error
    except httpx.ConnectError as error:
        what = f"cannot reach {url}: {_reason(error)}; check the address and your connection"
        raise SourceError(what) from error
    except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
        raise SourceError(f"{url} is not an address that can be fetched: {error}") from error
    except httpx.DecodingError as error:
        raise SourceError(f"{url} sent damaged compressed content; try again later") from error
    except httpx.HTTPError as error:
        raise SourceError(f"{url} broke off: {_reason(error)}; try again later") from error


def fetch_picture(
    url: str,
    *,
    limits: Limits = LIMITS,
    transport: httpx.BaseTransport | None = None,
) -> bytes:
    """The bytes of the picture at `url`.

    Raises:
        SourceError: as `get`; or the answer is not a picture.
    """
    answer = get(url, accept=PICTURE_TYPES, limits=limits, transport=transport)
    named = answer.media_type
    if named and not named.startswith(("image/", "application/octet-stream", "binary/")):
        raise SourceError(f"{url} is {named}, not a picture")
    if not answer.body:
        raise SourceError(f"{url} is an empty file, not a picture")
    return answer.body


def _check_status(url: str, response: httpx.Response) -> None:
    status = response.status_code
    if status < 300 or status == 304:
        return
    reason = f"{status} {response.reason_phrase}".strip()
    where = url if str(response.url) == url else f"{url} (at {response.url})"
    if status == 429 or status >= 500:
        wait = response.headers.get("retry-after", "")
        when = f"in {wait} s" if wait.isdigit() else "later"
        raise SourceError(f"{where} answered {reason}; try again {when}")
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
    )


def _reason(error: Exception) -> str:
    return str(error).removeprefix("[Errno -2] ") or type(error).__name__
