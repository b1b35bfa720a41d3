"""Which hosts are on the open internet, and which on the user's own network."""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit

# Names that only a network of one's own knows (RFC 6762, RFC 8375, Docker).
_PRIVATE_NAMES = (".localhost", ".local", ".lan", ".internal", ".home.arpa")


def is_public(url: str) -> bool:
    """Whether the host of `url` is on the open internet, by its name or number."""
    host = (urlsplit(url).hostname or "").rstrip(".")
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        pass
    try:
        # Numbers in the forms that C takes, such as 0x7f.1: whoever connects takes them too.
        return ipaddress.ip_address(socket.inet_aton(host)).is_global
    except OSError:
        return "." in host and not host.endswith(_PRIVATE_NAMES)
