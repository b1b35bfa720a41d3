"""Addresses without the user and password in them, which are for their server and nobody else."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from urllib.parse import unquote

_LOGIN = re.compile(r"(?<![\w+.-])([A-Za-z][\w+.-]*://)([^/?#@\s]*(?:@[^/?#@\s]*)*)@")


def bare(text: str) -> str:
    """`text`, an address or one with addresses in it, as it may be shown, kept and hashed."""
    return _LOGIN.sub(r"\1", text)


def login(url: str) -> tuple[str, str] | None:
    """The user and password that `url` holds."""
    found = _LOGIN.match(url)
    if not found:
        return None
    user, _, password = found[2].partition(":")
    return unquote(user), unquote(password)


def login_header(url: str) -> Mapping[str, str]:
    """The header that logs in with what `url` holds (RFC 7617); none where it holds nothing."""
    known = login(url)
    if known is None:
        return {}
    return {"Authorization": f"Basic {base64.b64encode(':'.join(known).encode()).decode()}"}
