"""A picture from the address that a service answered with, asked for without any key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from movie_build.errors import SlideError, SourceError
from movie_build.openai_client import needs_key, shown_url
from movie_build.service import Retry, may_pass, retry_after_s

if TYPE_CHECKING:
    import httpx

_LARGEST = 128 << 20


def picture_at(url: str, *, inside: bool, timeout_s: float) -> bytes:
    """What is at `url`, asked for once; addresses of one's own network only if `inside`.

    Raises:
        Retry: another try may help.
        SlideError: none will.
    """
    import httpx

    from movie_build import fetch

    limits = fetch.Limits(max_bytes=_LARGEST, total_s=timeout_s)
    try:
        with httpx.Client(
            transport=_transport(inside=inside),
            timeout=httpx.Timeout(limits.silence_s),
            follow_redirects=True,
            max_redirects=limits.max_redirects,
        ) as client:
            request = client.build_request("GET", url, headers={"User-Agent": fetch.USER_AGENT})
            return fetch.ask(client, request, limits, _check_status).body
    # Such addresses hold signatures, which are as good as keys.
    except Retry as failure:
        raise Retry(failure.reason.replace(url, shown_url(url)), failure.after_s) from None
    except SourceError as failure:
        raise SlideError(failure.what.replace(url, shown_url(url))) from None
    except httpx.InvalidURL:
        raise SlideError("the service gives an address of the picture that is none") from None


def _check_status(response: httpx.Response) -> None:
    status = response.status_code
    if status < 300:
        return
    said = f"the address of the finished picture answered {status}"
    if may_pass(status):
        raise Retry(said, retry_after_s(response.headers))
    raise SourceError(f"{said}: run doit again, and another is asked for")


def _transport(*, inside: bool) -> httpx.BaseTransport:
    """What every hop of a request goes through."""
    import httpx

    class Guarded(httpx.HTTPTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            url = str(request.url)
            if not inside and not needs_key(url):
                raise SlideError(
                    f"the service gives {shown_url(url)} as the picture's address, "
                    "which is on your own network: it is not asked"
                )
            return super().handle_request(request)

    return Guarded()
