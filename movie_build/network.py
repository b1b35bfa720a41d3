"""Whom a request may reach: nothing on the internet leads us into the user's own network.

A host is looked up once, what it is found to be is judged, and the connection
goes to an address that was judged: no second answer of the DNS can lead
elsewhere. Behind a proxy it is the proxy that looks up, and names alone count.
"""

from __future__ import annotations

import ipaddress
import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx

from movie_build.address import bare
from movie_build.errors import SourceError
from movie_build.hosts import is_public

# The addresses of a host and port, as numbers.
LookUp: TypeAlias = Callable[[str, int], Sequence[str]]
# What asks once the address is a number; through a proxy, if one is given.
Inner: TypeAlias = Callable[[str | None], httpx.BaseTransport]
_EXTENSION = "movie_build.errand"
_PORTS = {"http": 80, "https": 443}


class OwnNetwork(SourceError):
    """`url`, on the user's own network, was named by somebody on the internet."""

    def __init__(self, what: str, url: str) -> None:
        super().__init__(what)
        self.url = url


@dataclass(slots=True)
class Errand:
    """Why an address is asked, over all its redirects and from everything that it asks for.

    `url` is what was to be asked, `page` who named it; empty is the user. Once it
    is `public`, nothing on the user's own network is asked for its sake.
    """

    url: str
    page: str = ""
    public: bool | None = None

    def __post_init__(self) -> None:
        # They are told where something is refused, and are no secrets there.
        self.url, self.page = bare(self.url), bare(self.page)

    @property
    def extensions(self) -> dict[str, object]:
        """What a request on this errand carries, on every hop."""
        return {_EXTENSION: self}

    def refusal(self, url: str, found: Sequence[str] = ()) -> OwnNetwork:
        """The error for `url`, which is not to be asked, and whose host was found there."""
        url = bare(url)
        why = f"is on your own network{f' ({found[0]})' if found else ''} and is not asked"
        if self.page:
            leads = (
                url
                if httpx.URL(url) == httpx.URL(self.url)
                else f"{self.url}, which redirects to {url}"
            )
            what = f"{self.page} may have named {leads}, which {why}"
            return OwnNetwork(f"{what}; if you trust it, save it and name the file", url)
        what = f"{self.url} redirects to {url}, which {why}"
        return OwnNetwork(f"{what}; if you trust it, give that address itself", url)


def check_name(request: httpx.Request) -> None:
    """Refuse a hop by the name of its host; a hook of clients, whatever their transport.

    Raises:
        OwnNetwork: it leads from the internet into the user's own network.
    """
    errand: Errand | None = request.extensions.get(_EXTENSION)
    # Whoever is called publicly and was found here is the user's own, and may lead here.
    if errand is None or errand.public is False:
        return
    if is_public(errand.page or errand.url) and not is_public(str(request.url)):
        raise errand.refusal(str(request.url))


def look_up(host: str, port: int) -> Sequence[str]:
    """The addresses of `host`, the likeliest first.

    Raises:
        OSError: it has none.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def direct(proxy: str | None) -> httpx.BaseTransport:
    """The usual way of asking."""
    return httpx.HTTPTransport(proxy=proxy)


class Network(httpx.BaseTransport):
    """Asks hosts at the addresses they were judged by; may be used from several threads."""

    def __init__(self, look_up: LookUp = look_up, inner: Inner = direct) -> None:
        self._look_up = look_up
        self._inner = inner
        # One a host: a connection must not be reused for another that has the same address.
        self._transports: dict[str, httpx.BaseTransport] = {}
        self._guard = threading.Lock()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url, host = request.url, request.url.raw_host.decode("ascii")
        if proxy := _proxy(url.scheme, host):
            errand: Errand | None = request.extensions.get(_EXTENSION)
            if errand and errand.public is None and not errand.page:
                errand.public = is_public(errand.url)  # not what is asked for later, past the proxy
            return self._transport(proxy, proxy).handle_request(request)
        failure: httpx.TransportError = httpx.ConnectError(f"{host} has no address")
        for address in self._allowed(request, host):
            pinned = httpx.Request(
                request.method,
                url.copy_with(host=address),
                headers=request.headers,
                stream=request.stream,
                extensions={**request.extensions, "sni_hostname": host},
            )
            try:
                return self._transport(host, None).handle_request(pinned)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                failure = error
        raise failure

    def close(self) -> None:
        for transport in self._transports.values():
            transport.close()

    def _allowed(self, request: httpx.Request, host: str) -> Sequence[str]:
        """The addresses of `host` that the request may go to, at least one."""
        url = str(request.url)
        port = request.url.port or _PORTS.get(request.url.scheme, 80)
        try:
            addresses = self._look_up(host, port)
        except UnicodeError as error:
            raise httpx.ConnectError("no host can be called that") from error
        except OSError as error:
            raise httpx.ConnectError(str(error)) from error
        errand: Errand | None = request.extensions.get(_EXTENSION)
        if errand is None:
            return addresses
        public = [address for address in addresses if _is_global(address)]
        if errand.public is None:
            by = errand.page or errand.url
            errand.public = is_public(by) and (self._is_public(by) if errand.page else bool(public))
        if not errand.public:
            return addresses
        if not public:
            raise errand.refusal(url, addresses)
        return public

    def _is_public(self, page: str) -> bool:
        """Whether a page that names an address is on the internet; so if it is not found."""
        parts = urlsplit(page)
        try:
            addresses = self._look_up(parts.hostname or "", _PORTS.get(parts.scheme, 80))
        except (OSError, UnicodeError):
            return True
        return any(map(_is_global, addresses))

    def _transport(self, host: str, proxy: str | None) -> httpx.BaseTransport:
        with self._guard:
            if host not in self._transports:
                self._transports[host] = self._inner(proxy)
            return self._transports[host]


def _is_global(address: str) -> bool:
    return ipaddress.ip_address(address.partition("%")[0]).is_global


def _proxy(scheme: str, host: str) -> str | None:
    """The proxy that the environment wants for `host`."""
    proxies = getproxies()
    proxy = proxies.get(scheme) or proxies.get("all")
    if not proxy or proxy_bypass(host):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"
