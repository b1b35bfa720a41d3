"""The official OpenAI client, for OpenAI and its imitators, and its failures in our words."""

from __future__ import annotations

import json
import os
import time
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from movie_build.address import bare, login, login_header
from movie_build.errors import MovieBuildError
from movie_build.hosts import is_public
from movie_build.ledger import NOTHING, Use
from movie_build.service import Retry, may_pass, retry_after_s

if TYPE_CHECKING:
    import httpx2
    import openai

OPENAI_URL = "https://api.openai.com/v1"
OPENROUTER_URL = "https://openrouter.ai/api/v1"
# Services that the settings may name instead of giving an address.
PROVIDERS = {"openai": OPENAI_URL, "openrouter": OPENROUTER_URL}
_CONNECT_S = 10.0
_LONGEST_SAID = 300
_TOO_MANY = 429
_NO_KEY = "none"
# Besides the key: the password that stood in the address, in the forms it is sent in.
_secrets: weakref.WeakKeyDictionary[openai.OpenAI, tuple[str, ...]] = weakref.WeakKeyDictionary()
_ENDS, _ANSWERED = "movie_build.ends_s", "movie_build.answered"


def make_client(
    *,
    api_key_env: str,
    base_url: str | None,
    timeout_s: float,
    idle_s: float,
    error: type[MovieBuildError] = MovieBuildError,
) -> openai.OpenAI:
    """A client for threads to share, which tries once: `Service.call` is who tries again.

    `base_url` None is `$OPENAI_BASE_URL`, else OpenAI. A call ends after `timeout_s` with its
    body, and when nothing came for `idle_s`, which is also the longest wait for an answer's
    first byte. Use it inside `translated`.

    Raises:
        error: the address cannot be one, or its service needs a key and `api_key_env` is not set.
    """
    url = usual_url(base_url)
    key = _key(api_key_env, url, error)

    import httpx2
    import openai

    def start(request: httpx2.Request) -> None:
        request.extensions.setdefault(_ENDS, time.monotonic() + timeout_s)

    def watch(response: httpx2.Response) -> None:
        response.request.extensions[_ANSWERED] = response.is_success
        response.stream = _until(response, response.request.extensions[_ENDS])

    http = openai.DefaultHttpxClient(
        timeout=httpx2.Timeout(idle_s, connect=min(_CONNECT_S, idle_s), pool=timeout_s),
        event_hooks={"request": [start], "response": [watch]},
        auth=login(url),
    )
    client = openai.OpenAI(api_key=key, base_url=bare(url), max_retries=0, http_client=http)
    weakref.finalize(client, http.close)
    sent = login_header(url).get("Authorization", "").removeprefix("Basic ")
    _secrets[client] = (*(login(url) or ())[1:], sent)
    return client


def usual_url(base_url: str | None) -> str:
    """Where a client made with `base_url` asks."""
    return base_url or os.environ.get("OPENAI_BASE_URL") or OPENAI_URL


def shown_url(url: str) -> str:
    """`url` as it may be shown and hashed: without user, password and query."""
    parts = urlsplit(url)
    bare = parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="")
    return bare.geturl().rstrip("/")


def needs_key(url: str) -> bool:
    """Whether a service on the open internet is asked: servers of one's own take any key."""
    return is_public(url)


def is_openrouter(url: str) -> bool:
    """Whether `url` is OpenRouter's, which tells what each call has cost."""
    host = (urlsplit(url).hostname or "").lower()
    return host == "openrouter.ai" or host.endswith(".openrouter.ai")


def service_name(url: str, provider: str = "") -> str:
    """What the service at `url` is called in limits and reports: openai, openrouter, or its host.

    A `provider` is a name of the user's own for it; that of another service is none.
    """
    host = (urlsplit(url).hostname or "").lower()
    if is_openrouter(url):
        return "openrouter"
    if host == urlsplit(OPENAI_URL).hostname:
        return "openai"
    return host if provider in PROVIDERS else provider or host


@contextmanager
def translated(
    client: openai.OpenAI,
    error: type[MovieBuildError],
    used: Use = NOTHING,
    *,
    remedy: str = "trying again will not help",
) -> Iterator[None]:
    """Turns what a call through `client` can raise into what `Service.call` understands.

    Also around reading a streamed body. Tracebacks leave the originals out: they may hold keys.
    `used` is what the call costs: it counts also where an answer had begun and is no good.
    `remedy` is what to do where a request is refused for what it asks.

    Raises:
        Retry: it may pass: no connection, no answer in time, half an answer, 408, 409, 429, 5xx.
        error: it will not: a wrong key, an unknown model, a refused text, no money left.
    """
    import httpx2
    import openai

    try:
        yield
        return
    except openai.APIStatusError as failure:
        told: Exception = _refused(client, failure, error, remedy)
    except (openai.APITimeoutError, httpx2.TimeoutException) as failure:
        told = Retry(
            f"{shown_url(str(client.base_url))} did not answer in time",
            used=_used(failure, used),
        )
    except (openai.APIConnectionError, httpx2.TransportError) as failure:
        told = Retry(
            without_key(client, f"{shown_url(str(client.base_url))}: {_cause(failure)}"),
            used=_used(failure, used),
        )
    except (openai.APIResponseValidationError, httpx2.DecodingError, json.JSONDecodeError):
        told = Retry("the answer cannot be read", used=used.spoilt())
    except (openai.OpenAIError, httpx2.HTTPError, httpx2.InvalidURL) as failure:
        told = error(without_key(client, f"{shown_url(str(client.base_url))}: {_cause(failure)}"))
    raise told from None


def _used(failure: openai.APIConnectionError | httpx2.TransportError, used: Use) -> Use:
    """`used`, if what failed had been answered with success: nobody begins that without work."""
    try:
        answered = failure.request.extensions.get(_ANSWERED)
    except RuntimeError:  # it was never sent
        return NOTHING
    return used.spoilt() if answered else NOTHING


def _key(api_key_env: str, url: str, error: type[MovieBuildError]) -> str:
    if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
        raise error(f"{shown_url(url)!r} is no address of a service: write https://HOST/v1")
    key = os.environ.get(api_key_env, "").strip()
    if not key:
        if needs_key(url):
            raise error(
                f"{urlsplit(url).hostname} needs a key: set the environment variable {api_key_env}"
            )
        return _NO_KEY
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise error(f"{api_key_env} holds characters that no key has: copy the key once more")
    return key


def _until(response: httpx2.Response, ends_s: float) -> httpx2.SyncByteStream:
    """The body of `response`, cut off with a timeout when it is not over in time."""
    import httpx2

    body = response.stream
    assert isinstance(body, httpx2.SyncByteStream)
    stream: httpx2.SyncByteStream = body

    class Until(httpx2.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            for chunk in stream:
                if time.monotonic() > ends_s:
                    raise httpx2.ReadTimeout("the answer goes on and on", request=response.request)
                yield chunk

        def close(self) -> None:
            stream.close()

    return Until()


def _refused(
    client: openai.OpenAI,
    failure: openai.APIStatusError,
    error: type[MovieBuildError],
    remedy: str,
) -> Exception:
    status, headers = failure.status_code, failure.response.headers
    said = without_key(
        client, f"HTTP {status}: {_said(failure.body) or failure.response.reason_phrase}"
    )
    if failure.code == "insufficient_quota":
        return error(f"{said}; no money is left there: add credit, then run doit again")
    if status in (401, 403):
        return error(f"{said}; is the key for {shown_url(str(client.base_url))} right?")
    if may_pass(status) and headers.get("x-should-retry") != "false":
        return Retry(said, _asked_s(headers), busy=True if status == _TOO_MANY else None)
    said = f"{shown_url(str(client.base_url))}: {said}"
    if status == 404:
        return error(f"{said}; are the model and this address right?")
    return error(f"{said}; {remedy}")


def _asked_s(headers: Mapping[str, str]) -> float | None:
    try:
        return max(0.0, float(headers["retry-after-ms"]) / 1000)
    except (KeyError, ValueError):
        return retry_after_s(headers)


def _said(body: object) -> str:
    """What an error's body says: OpenAI's `message`, or `error` or FastAPI's `detail` of others."""
    if isinstance(body, Mapping):
        for name in ("message", "error", "detail", "msg"):
            if said := _said(body.get(name)):
                return said
        return ""
    if isinstance(body, list):
        return _said(body[0]) if body else ""
    if not isinstance(body, str):
        return ""
    return "a web page" if body.lstrip().startswith("<") else " ".join(body.split())


def _cause(failure: BaseException) -> str:
    """The innermost reason that has words: "Connection error." hides what it was."""
    said = str(failure)
    inner = failure.__cause__ or failure.__context__
    while inner is not None:
        said = str(inner) or said
        inner = inner.__cause__ or inner.__context__
    return said or type(failure).__name__


def without_key(client: openai.OpenAI, said: str) -> str:
    """`said`, at most a few lines of it, without the client's key: some services repeat it."""
    key = client.api_key if client.api_key != _NO_KEY else ""
    for secret in (key, *_secrets.get(client, ())):
        said = said.replace(secret, "***") if secret else said
    return said if len(said) <= _LONGEST_SAID else f"{said[: _LONGEST_SAID - 1]}…"
