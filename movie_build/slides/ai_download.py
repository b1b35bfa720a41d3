"""A picture from the address that a service answered with, asked for without any key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from movie_build.errors import SlideError, SourceError
from movie_build.openai_client import shown_url
from movie_build.service import Retry, may_pass, retry_after_s

if TYPE_CHECKING:
    import httpx

_LARGEST = 128 << 20


def picture_at(
    url: str,
    *,
    service_url: str,
    timeout_s: float,
    transport: httpx.BaseTransport | None = None,
) -> bytes:
    """What is at `url`, asked for once, as the service at `service_url` said.

    Addresses of the user's own network are asked only for services that are there too.

    Raises:
        Retry: another try may help.
        SlideError: none will.
    """
    import httpx

    from movie_build import fetch
    from movie_build.network import Errand, OwnNetwork

    errand = Errand(url, service_url)
    limits = fetch.Limits(max_bytes=_LARGEST, total_s=timeout_s)
    try:
        with fetch.new_client(limits, transport) as client:
            headers = {"User-Agent": fetch.USER_AGENT}
            request = client.build_request(
                "GET", url, headers=headers, extensions=errand.extensions
            )
            return fetch.ask(client, request, limits, _check_status).body
    # Such addresses hold signatures, which are as good as keys.
    except Retry as failure:
        raise Retry(failure.reason.replace(url, shown_url(url)), failure.after_s) from None
    except OwnNetwork as failure:
        raise SlideError(
            f"the service gives {shown_url(failure.url)} as the picture's address, "
            "which is on your own network: it is not asked"
        ) from None
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
