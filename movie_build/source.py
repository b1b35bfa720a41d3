"""A page's address or a file's path → its article.

To read a further kind of document, give its media type a reader in `READERS`;
a further way to get one is a function that gives an `Original`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import unquote, urlsplit

from movie_build.article import Article, Bullets, Paragraph, Picture, Quote
from movie_build.atomic import write_bytes
from movie_build.charset import decode
from movie_build.errors import SourceError
from movie_build.extract import from_html, from_markdown, from_plain
from movie_build.fetch import LIMITS, Answer, Limits, fetch_picture, get

if TYPE_CHECKING:
    import httpx

__all__ = ["Original", "fetch_picture", "read"]

# Less running text than this is a notice or an empty frame, not an article.
ARTICLE_MIN_CHARS = 40


@dataclass(frozen=True, slots=True)
class Original:
    """A document as it came: `origin` is the URL after redirects or the path as it was given."""

    origin: str
    body: bytes
    media_type: str
    charset: str = ""
    language: str = ""


Reader: TypeAlias = Callable[[Original], Article]


def _html(page: Original) -> Article:
    return from_html(decode(page.body, page.charset), page.origin, page.language)


def _markdown(page: Original) -> Article:
    return from_markdown(decode(page.body, page.charset), page.origin, page.language)


def _plain(page: Original) -> Article:
    return from_plain(decode(page.body, page.charset), page.origin, page.language)


READERS: Mapping[str, Reader] = {
    "text/html": _html,
    "application/xhtml+xml": _html,
    "text/markdown": _markdown,
    "text/x-markdown": _markdown,
    "text/plain": _plain,
}
SUFFIXES: Mapping[str, str] = {
    ".html": "text/html",
    ".htm": "text/html",
    ".xhtml": "application/xhtml+xml",
    ".md": "text/markdown",
    ".markdown": "text/markdown",
    ".txt": "text/plain",
}


def read(
    source: str,
    *,
    base: Path,
    cache: Path,
    again: bool = False,
    limits: Limits = LIMITS,
    transport: httpx.BaseTransport | None = None,
) -> Article:
    """The article at `source`: an http(s) address, or a path relative to the folder `base`.

    What a server answered is kept in the folder `cache` and not asked for
    again, unless `again`: then the server is asked whether it has changed.

    Raises:
        SourceError: it cannot be had, is no text, or holds no article.
    """
    scheme = source.partition("://")[0].strip().lower() if "://" in source else ""
    if scheme in ("http", "https"):
        original = _page(source, cache, again=again, limits=limits, transport=transport)
    elif scheme:
        raise SourceError(f"source {source}: {scheme} is not read; use http, https or a path")
    else:
        original = _file(source, base, limits)
    reader = READERS.get(original.media_type)
    if reader is None:
        readable = "a web page, Markdown or plain text"
        raise SourceError(f"{source} is {original.media_type}; what can be read is {readable}")
    article = reader(original)
    if _n_chars(article) < ARTICLE_MIN_CHARS:
        hint = ""
        if scheme:
            hint = "; if it is drawn by JavaScript, save it in your browser and give the file"
        raise SourceError(f"{source} holds no article: there is no running text in it{hint}")
    return article if scheme else _with_pictures_that_exist(article, base)


def _n_chars(article: Article) -> int:
    total = 0
    for block in article.blocks:
        if isinstance(block, Paragraph | Quote):
            total += len(block.text)
        elif isinstance(block, Bullets):
            total += sum(map(len, block.items))
    # An East Asian character says about as much as two or three Latin letters.
    return total * 2 if article.language[:2] in ("ja", "zh", "ko") else total


def _file(source: str, base: Path, limits: Limits) -> Original:
    path = base / source
    if path.is_dir():
        raise SourceError(f"source {source} is a folder; give the file in it")
    try:
        size = path.stat().st_size
        if size > limits.max_bytes:
            raise SourceError(f"source {source} is larger than {limits.max_bytes / 1e6:g} MB")
        body = path.read_bytes()
    except FileNotFoundError as error:
        raise SourceError(f"source {source}: there is no such file in {base}") from error
    except OSError as error:
        raise SourceError(f"source {source} cannot be read: {error.strerror}") from error
    return Original(source, body, _media_type(path.name, body, ""))


def _with_pictures_that_exist(article: Article, base: Path) -> Article:
    """`article` without pictures that are not there: saved pages seldom have them all."""
    folder = (base / article.origin).parent
    blocks = (
        block
        for block in article.blocks
        if not isinstance(block, Picture) or "://" in block.src or (folder / block.src).is_file()
    )
    return replace(article, blocks=tuple(blocks))


def _page(
    url: str, cache: Path, *, again: bool, limits: Limits, transport: httpx.BaseTransport | None
) -> Original:
    kept = cache / f"{hashlib.sha256(url.encode()).hexdigest()[:16]}.page"
    known = _recall(kept)
    if known is None or again:
        answer = get(url, headers=_conditions(known), limits=limits, transport=transport)
        if answer.status == 304:
            if known is None:
                raise SourceError(f"{url} answered 304 to a request without conditions")
        else:
            known = answer
            _remember(kept, answer)
    path = unquote(urlsplit(known.url).path)
    media_type = _media_type(path, known.body, known.media_type)
    return Original(known.url, known.body, media_type, known.charset, known.language)


def _conditions(known: Answer | None) -> dict[str, str]:
    if known is None:
        return {}
    given = {"If-None-Match": known.etag, "If-Modified-Since": known.last_modified}
    return {name: value for name, value in given.items() if value}


def _remember(kept: Path, answer: Answer) -> None:
    """Keep `answer`: one line of JSON, then the body as it came."""
    head = {
        "url": answer.url,
        "media_type": answer.media_type,
        "charset": answer.charset,
        "language": answer.language,
        "etag": answer.etag,
        "last_modified": answer.last_modified,
        "sha256": hashlib.sha256(answer.body).hexdigest(),
    }
    kept.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(kept, json.dumps(head).encode() + b"\n" + answer.body)


def _recall(kept: Path) -> Answer | None:
    """What was kept; nothing if it is not there or damaged."""
    try:
        line, _, body = kept.read_bytes().partition(b"\n")
        head = json.loads(line)
        if head.pop("sha256") != hashlib.sha256(body).hexdigest():
            return None
        return Answer(status=200, body=body, **head)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _media_type(name: str, body: bytes, named: str) -> str:
    """What the document is: by the server's word, then by its name, then by its beginning."""
    by_name = SUFFIXES.get(Path(name).suffix.lower(), "")
    # Markdown is often served as plain text, and text as a download.
    if named == "text/plain" and by_name == "text/markdown":
        return by_name
    if named and named not in ("application/octet-stream", "binary/octet-stream"):
        return named
    if by_name:
        return by_name
    if body.startswith(b"%PDF-"):
        return "application/pdf"
    start = body[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<!doctype html", b"<html", b"<head", b"<body", b"<?xml", b"<!--")):
        return "text/html"
    binary = b"\x00" in body[:1024] and not body.startswith((b"\xff\xfe", b"\xfe\xff"))
    return "an unknown kind of file" if binary else "text/plain"
