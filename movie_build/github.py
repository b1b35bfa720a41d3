"""A GitHub address → the README or the document that it shows.

GitHub's own page of a repository is a program; its REST API
(docs.github.com/rest/repos/contents) gives the document itself. The API lets
strangers ask 60 times an hour, so where it refuses, the raw files are asked.
"""

from __future__ import annotations

import base64
import json
import os
import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urljoin, urlsplit

from movie_build.errors import SourceError
from movie_build.fetch import LIMITS, NO_HEADERS, Answer, Limits, get

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import httpx

    from movie_build.service import Service

API = "https://api.github.com"
RAW = "https://raw.githubusercontent.com"
TOKEN = "GITHUB_TOKEN"

_AS_JSON = "application/vnd.github+json"
_AS_HTML = "application/vnd.github.html+json"
_NOT_FOR_US = (401, 403, 404, 429)
# A branch's name may hold slashes, and the address does not tell where it ends.
_LONGEST_BRANCH = 4
_READMES = ("README.md", "readme.md", "Readme.md", "README.markdown", "README.txt", "README")
_PLAIN = frozenset({".txt", ""})
_MARKDOWN = frozenset({".md", ".markdown", ".mdown", ".mkd"})
# What GitHub itself has to turn into HTML for us.
_RENDERED = frozenset({".rst", ".adoc", ".asciidoc", ".org", ".textile", ".rdoc", ".creole"})
_OPENED = _MARKDOWN | _PLAIN | _RENDERED | {".html", ".htm", ".pdf"}
_SHOWN = re.compile(r"/([^/]+/[^/]+)/(?:blob|raw)/(.+)")
_NO_OWNERS = frozenset(
    {"about", "apps", "collections", "customer-stories", "enterprise", "explore", "features"}
    | {"login", "marketplace", "notifications", "orgs", "pricing", "readme", "search", "security"}
    | {"settings", "sponsors", "stars", "team", "topics", "trending"}
)


@dataclass(frozen=True, slots=True)
class Place:
    """What an address names: a repository, and the branch and path in it, not told apart.

    `is_file` is whether it names a document itself, not a folder whose README is meant.
    """

    owner: str
    repository: str
    rest: tuple[str, ...] = ()
    is_file: bool = False

    @property
    def name(self) -> str:
        """The repository as GitHub writes it: `owner/repository`."""
        return f"{self.owner}/{self.repository}"

    def branches(self) -> Iterator[tuple[str, str]]:
        """Branch and path, as the address may be meant; the likeliest first."""
        if not self.rest:
            yield "", ""
        for n in range(1, min(len(self.rest) - self.is_file, _LONGEST_BRANCH) + 1):
            yield "/".join(self.rest[:n]), "/".join(self.rest[n:])


def place_of(url: str) -> Place | None:
    """What `url` names on GitHub; None for other sites, and for issues, releases and the like."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    names = tuple(unquote(name) for name in parts.path.split("/") if name)
    ours = parts.hostname in ("github.com", "www.github.com") and len(names) > 1
    if not ours or names[0].lower() in _NO_OWNERS:
        return None
    owner, repository, kind, rest = names[0], names[1].removesuffix(".git"), names[2:3], names[3:]
    if not kind or (kind == ("tree",) and rest):
        return Place(owner, repository, rest)
    if kind == ("blob",) and len(rest) > 1 and _suffix(rest[-1]) in _OPENED:
        return Place(owner, repository, rest, is_file=True)
    return None


def fetch(
    place: Place,
    *,
    headers: Mapping[str, str] = NO_HEADERS,
    limits: Limits = LIMITS,
    transport: httpx.BaseTransport | None = None,
    service: Service | None = None,
) -> Answer:
    """The document at `place`, or 304 where `headers` hold conditions.

    The answer's `url` is that of the raw file; its fragment is the file's path
    in the repository. `$GITHUB_TOKEN`, where it is set, opens private
    repositories; only the API is told it.

    Raises:
        SourceError: there is none, or it is not ours to read.
    """

    asked = partial(get, limits=limits, transport=transport, service=service)

    token = os.environ.get(TOKEN, "").strip()
    key = {"Authorization": f"Bearer {token}"} if token else {}
    for branch, path in place.branches():
        address = _api_address(place, branch, path)
        answer = asked(address, accept=_AS_JSON, headers={**headers, **key}, taken=_NOT_FOR_US)
        if answer.status == 304:
            return answer
        if answer.status == 404:
            continue
        if answer.status in _NOT_FOR_US:
            return _raw(place, asked)
        document = _document(answer, place)
        where, kind = document.url.partition("?")[0], _suffix(document.path)
        url = f"{where}#{quote(document.path)}"
        if kind in _RENDERED:
            page = asked(address, accept=_AS_HTML, headers=key)
            return replace(page, url=url, media_type="text/html", etag=answer.etag)
        body = document.body or asked(document.url).body
        return replace(answer, url=url, body=body, media_type=_media_type(kind), charset="")
    raise SourceError(_not_there(place))


def picture_place(raw_url: str) -> Callable[[str], str]:
    """Turns a picture's address in the document at `raw_url` into one that gives the picture.

    `raw_url` is as in the answer of `fetch`.
    """
    file, _, path = raw_url.partition("#")
    root = file.removesuffix(path)

    def placed(address: str) -> str:
        try:
            if address.startswith("/") and not address.startswith("//"):
                return urljoin(root, address.lstrip("/"))
            whole = urlsplit(urljoin(file, address))
        except ValueError:
            return ""
        shown = _SHOWN.match(whole.path)
        if whole.hostname == "github.com" and shown:
            return f"{RAW}/{shown[1]}/{shown[2]}"
        return whole.geturl()

    return placed


def _raw(place: Place, asked: Callable[..., Answer]) -> Answer:
    """The document, where the API does not let us ask: under one of its usual names."""
    for branch, path in place.branches():
        for name in ("",) if place.is_file else _READMES:
            inner = posixpath.join(path, name).rstrip("/")
            url = f"{RAW}/{quote(posixpath.join(place.name, branch or 'HEAD', inner))}"
            answer = asked(url, taken=_NOT_FOR_US)
            if answer.status == 200:
                kind = _media_type(_suffix(inner))
                return replace(answer, url=f"{url}#{quote(inner)}", media_type=kind, etag="")
    raise SourceError(_not_there(place, refused=True))


def _api_address(place: Place, branch: str, path: str) -> str:
    what = f"contents/{quote(path)}" if place.is_file else posixpath.join("readme", quote(path))
    ref = f"?ref={quote(branch, safe='')}" if branch else ""
    return f"{API}/repos/{quote(place.name)}/{what.rstrip('/')}{ref}"


@dataclass(frozen=True, slots=True)
class _Document:
    """A file, as the API tells it; `body` is empty where the API leaves it out for its size."""

    url: str
    path: str
    body: bytes


def _document(answer: Answer, place: Place) -> _Document:
    try:
        told = json.loads(answer.body)
        body = base64.b64decode(told["content"]) if told["encoding"] == "base64" else b""
        return _Document(str(told["download_url"]), str(told["path"]), body)
    except (ValueError, KeyError, TypeError) as error:
        what = f"GitHub's answer about {place.name} is not what its API promises; try again later"
        raise SourceError(what) from error


def _suffix(path: str) -> str:
    return posixpath.splitext(path)[1].lower()


def _media_type(suffix: str) -> str:
    """What the file is; empty leaves it to its bytes."""
    if suffix in _MARKDOWN:
        return "text/markdown"
    return "text/plain" if suffix in _PLAIN else ""


def _not_there(place: Place, *, refused: bool = False) -> str:
    what = "file" if place.is_file else "README"
    at = f" at {'/'.join(place.rest)}" if place.rest else ""
    told = f"there is no {what}{at} in GitHub's {place.name}, or it is not public"
    if os.environ.get(TOKEN):
        return f"{told}; check the address, and that the token in {TOKEN} may read it"
    if refused:
        return f"{told}, or GitHub has been asked too often; set {TOKEN}, or try again in an hour"
    return f"{told}; check the address; a private one needs a token in {TOKEN}"
