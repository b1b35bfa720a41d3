"""A page's address or a file's path → its article.

To read a further kind of document, give its media type a reader in `READERS`;
a further way to get one from the web belongs into `web_source`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import unquote, urlsplit

from movie_build.address import bare
from movie_build.article import Article, Bullets, Paragraph, Picture, Quote
from movie_build.charset import decode
from movie_build.errors import SourceError
from movie_build.extract import from_html, from_markdown, from_plain
from movie_build.fetch import LIMITS, Limits, fetch_picture
from movie_build.hosts import is_public
from movie_build.mcp_config import McpSettings
from movie_build.pdf import from_pdf
from movie_build.web_source import Found, Way, find

if TYPE_CHECKING:
    import httpx

    from movie_build.service import Service

__all__ = ["McpSettings", "Original", "fetch_picture", "read"]

# Less running text than this is a notice or an empty frame, not an article.
ARTICLE_MIN_CHARS = 40


def _silent(_: str) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Original:
    """A document as it came: `origin` is the URL after redirects or the path as it was given.

    `place` turns a picture's address in it into the article's, where that is
    not the usual; `report` is told what of it could not be read.
    """

    origin: str
    body: bytes
    media_type: str
    charset: str = ""
    language: str = ""
    place: Callable[[str], str] | None = None
    report: Callable[[str], None] = _silent


Reader: TypeAlias = Callable[[Original], Article]


def _html(page: Original) -> Article:
    text = decode(page.body, page.charset)
    return from_html(text, page.origin, page.language, place=page.place)


def _markdown(page: Original) -> Article:
    text = decode(page.body, page.charset)
    return from_markdown(text, page.origin, page.language, place=page.place)


def _plain(page: Original) -> Article:
    return from_plain(decode(page.body, page.charset), page.origin, page.language)


def _pdf(page: Original) -> Article:
    return from_pdf(page.body, page.origin, page.language, report=page.report)


READERS: Mapping[str, Reader] = {
    "text/html": _html,
    "application/xhtml+xml": _html,
    "text/markdown": _markdown,
    "text/x-markdown": _markdown,
    "text/plain": _plain,
    "application/pdf": _pdf,
    "application/x-pdf": _pdf,
}
SUFFIXES: Mapping[str, str] = {
    ".html": "text/html",
    ".htm": "text/html",
    ".xhtml": "application/xhtml+xml",
    ".md": "text/markdown",
    ".markdown": "text/markdown",
    ".txt": "text/plain",
    ".pdf": "application/pdf",
}


def read(
    source: str,
    *,
    base: Path,
    cache: Path,
    again: bool = False,
    limits: Limits = LIMITS,
    transport: httpx.BaseTransport | None = None,
    service: Service | None = None,
    render: bool = False,
    mcp: McpSettings | None = None,
    report: Callable[[str], None] = _silent,
) -> Article:
    """The article at `source`: an http(s) address, or a path relative to the folder `base`.

    What a server answered is kept in the folder `cache` and not asked for
    again, unless `again`: then the server is asked whether it has changed.
    `render` lets the page's JavaScript run first, in the shared browser; `mcp`
    asks an MCP server for the page, and where that fails it is fetched after
    all. `report` is told of that, and of what could not be read or asked.

    Raises:
        SourceError: it cannot be had, is no text, or holds no article.
        MissingExtra: `mcp` is given, and its SDK is not installed.
    """
    scheme = source.partition("://")[0].strip().lower() if "://" in source else ""
    if scheme in ("http", "https"):
        way = Way(base, cache, again, limits, transport, service, report)
        original = _document(find(source, way, render=render, mcp=mcp), report)
        source = bare(source)
    elif scheme:
        raise SourceError(f"source {bare(source)}: {scheme} is not read; use http, https or a path")
    elif render or mcp:
        what = "the browser" if render else "the MCP server"
        raise SourceError(f"source {source} is a file, and {what} is for http(s) addresses only")
    else:
        original = replace(_file(source, base, limits), report=report)
    reader = READERS.get(original.media_type)
    if reader is None:
        readable = "a web page, Markdown, plain text or PDF"
        raise SourceError(f"{source} is {original.media_type}; what can be read is {readable}")
    article = reader(original)
    if _n_chars(article) < ARTICLE_MIN_CHARS:
        hint = ""
        if scheme and reader is _html and not render:
            hint = (
                "; if JavaScript puts it there, let a browser read it: `content: {browser: true}` "
                "in movie.yaml, or `movie-build new --browser`"
            )
        raise SourceError(f"{source} holds no article: there is no running text in it{hint}")
    if not scheme:
        return _with_pictures_that_exist(article, base)
    return _without_pictures_at_home(article) if is_public(original.origin) else article


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


def _without_pictures_at_home(article: Article) -> Article:
    """`article` without pictures on the user's own network: no page of the internet means those."""
    blocks = (b for b in article.blocks if not isinstance(b, Picture) or is_public(b.src))
    return replace(article, blocks=tuple(blocks))


def _document(found: Found, report: Callable[[str], None]) -> Original:
    answer = found.answer
    path = unquote(urlsplit(answer.url).path)
    return Original(
        found.origin or answer.url,
        answer.body,
        _media_type(path, answer.body, answer.media_type),
        answer.charset,
        answer.language,
        found.place,
        report,
    )


def _media_type(name: str, body: bytes, named: str) -> str:
    """What the document is: by the server's word, then by its name, then by its beginning."""
    by_name = SUFFIXES.get(Path(name).suffix.lower(), "")
    if b"%PDF-" in body[:1024]:
        return "application/pdf"
    # Markdown is often served as plain text, and text as a download.
    if named == "text/plain" and by_name == "text/markdown":
        return by_name
    if named and named not in ("application/octet-stream", "binary/octet-stream"):
        return named
    if by_name:
        return by_name
    start = body[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<!doctype html", b"<html", b"<head", b"<body", b"<?xml", b"<!--")):
        return "text/html"
    binary = b"\x00" in body[:1024] and not body.startswith((b"\xff\xfe", b"\xfe\xff"))
    return "an unknown kind of file" if binary else "text/plain"
