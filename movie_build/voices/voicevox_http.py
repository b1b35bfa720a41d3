"""One engine that speaks VOICEVOX ENGINE's protocol, over HTTP: whole replies, or an error.

Unreachable   nobody is there: another engine may be
Retry         it failed in a way that may pass
Refusal       it will say the same again
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from movie_build.address import bare, login
from movie_build.errors import VoiceError
from movie_build.service import Retry, may_pass, retry_after_s
from movie_build.voices.protocol import JsonValue

if TYPE_CHECKING:
    import httpx

_LARGEST_REPLY = 512 * 2**20
# These say that the engine has no such thing, or of itself will not.
_NEVER_PASS = (501, 505)
_SAID_MAX_CHARS = 200


class Unreachable(Exception):
    """Nobody answers at an engine's address."""


class Refusal(VoiceError):
    """The engine answered that it will not; `status` is the HTTP status."""

    def __init__(self, what: str, status: int) -> None:
        super().__init__(what)
        self.status = status


@dataclass(frozen=True, slots=True)
class Patience:
    """How long an engine may take: to be reached, for any reply, and more for each kana."""

    connect_s: float = 5.0
    base_s: float = 30.0
    per_kana_s: float = 0.5

    def for_kana(self, n_kana: int) -> float:
        """Seconds for a request about `n_kana`: engines work in order, so a reply may queue."""
        return self.base_s + self.per_kana_s * n_kana


class EngineHttp:
    """Requests to the engine at `url`. May be used from several threads.

    Raises:
        VoiceError: `url` is none.
    """

    def __init__(self, url: str, patience: Patience = Patience()) -> None:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise VoiceError(f"{bare(url)!r} is no engine's URL: write http://127.0.0.1:50021")
        # Shown, hashed and written down, so without a password: that is told to the engine alone.
        self.url = bare(parts._replace(query="", fragment="").geturl()).rstrip("/")
        self._login = login(parts.geturl())
        self.patience = patience
        self._client: httpx.Client | None = None
        self._lock = threading.Lock()

    def ask(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str | int] | None = None,
        body: JsonValue = None,
        n_kana: int = 0,
    ) -> bytes:
        """The body of a reply with status 2xx.

        Raises:
            Unreachable, Retry, Refusal: as above.
        """
        import httpx

        content = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        # FastAPI reads a body as JSON only if it is told so.
        headers = {"content-type": "application/json"} if content is not None else {}
        limit_s = self.patience.for_kana(n_kana)
        timeout = httpx.Timeout(limit_s, connect=min(self.patience.connect_s, limit_s))
        try:
            with self._opened().stream(
                method,
                self.url + path,
                params=params,
                content=content,
                headers=headers,
                timeout=timeout,
            ) as response:
                received = self._received(response, limit_s)
                status, told = response.status_code, response.headers
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise Unreachable(f"{self.url}: {error}") from error
        except httpx.TimeoutException as error:
            raise Retry(f"{self.url}{path} gave no answer in {limit_s:g} s") from error
        except httpx.HTTPError as error:
            raise Retry(f"the connection to {self.url}{path} broke off ({error})") from error
        if 200 <= status < 300:
            return received
        what = f"{self.url}{path} answers {status}: {said(received)}"
        if may_pass(status) and status not in _NEVER_PASS:
            raise Retry(what, retry_after_s(told), busy=True if status == 429 else None)
        if 300 <= status < 400:
            what = (
                f"{self.url}{path} sends on to {bare(told.get('location', ''))!r}: "
                "use that as VOICEVOX_URL"
            )
        raise Refusal(what, status)

    def ask_json(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str | int] | None = None,
        n_kana: int = 0,
    ) -> Any:
        """The same, read as JSON.

        Raises:
            Unreachable, Refusal: as above.
            Retry: as above; or what came is no JSON.
        """
        received = self.ask(method, path, params=params, n_kana=n_kana)
        try:
            return json.loads(received)
        except ValueError as error:
            raise Retry(f"{self.url}{path} sent no JSON but {said(received)!r}") from error

    def close(self) -> None:
        """Let go of the connections."""
        with self._lock:
            if self._client:
                self._client.close()
            self._client = None

    def _opened(self) -> httpx.Client:
        import httpx

        with self._lock:
            if self._client is None:
                # A proxy of the environment is no way to an engine on this machine, and
                # certificates take longer to load than a line to speak.
                self._client = httpx.Client(
                    trust_env=False,
                    verify=self.url.startswith("https:"),
                    auth=self._login,
                )
            return self._client

    def _received(self, response: httpx.Response, limit_s: float) -> bytes:
        began = time.monotonic()
        chunks: list[bytes] = []
        n_bytes = 0
        for chunk in response.iter_bytes():
            chunks.append(chunk)
            n_bytes += len(chunk)
            if n_bytes > _LARGEST_REPLY:
                raise VoiceError(
                    f"{self.url} sends more than {_LARGEST_REPLY >> 20} MB: no line is so long"
                )
            if time.monotonic() - began > limit_s:
                raise Retry(f"{self.url} was still sending after {limit_s:g} s")
        return b"".join(chunks)


def said(body: bytes) -> str:
    """What a body says, on one line: `detail` in any of its forms, `message`, or its text."""
    text = body[:10_000].decode("utf-8", "replace")
    try:
        told = json.loads(body)
    except ValueError:
        told = re.sub(r"<[^>]*>", " ", text)
    if isinstance(told, dict):
        told = told.get("detail") or told.get("message") or told
    line = " ".join(_flat(told).split())
    return line if len(line) <= _SAID_MAX_CHARS else f"{line[: _SAID_MAX_CHARS - 1]}…"


def _flat(told: object) -> str:
    if isinstance(told, list):
        return "; ".join(map(_flat, told))
    if isinstance(told, dict):
        if "msg" in told:  # one of FastAPI's: where, and what
            where = ".".join(map(str, told.get("loc") or ()))
            return f"{where}: {told['msg']}" if where else str(told["msg"])
        return ", ".join(f"{key}: {_flat(value)}" for key, value in told.items())
    return str(told)
