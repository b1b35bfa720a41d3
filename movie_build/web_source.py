"""The ways to a document on the web, and which of them an address takes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from movie_build import github, kept_page
from movie_build.address import bare
from movie_build.errors import SourceError
from movie_build.fetch import Answer, Limits, get
from movie_build.mcp_config import McpSettings

if TYPE_CHECKING:
    import httpx

    from movie_build.service import Service


@dataclass(frozen=True, slots=True)
class Way:
    """Whom to ask and how; the fields are as in `source.read`."""

    base: Path
    cache: Path
    again: bool
    limits: Limits
    transport: httpx.BaseTransport | None
    service: Service | None
    report: Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Found:
    """What was answered.

    `origin` is what to call its address, where that is not the answer's own, and
    `place` turns a picture's address in it into the article's, where that is not the usual.
    """

    answer: Answer
    origin: str = ""
    place: Callable[[str], str] | None = None


def find(url: str, way: Way, *, render: bool, mcp: McpSettings | None) -> Found:
    """The document at `url`; from the browser with `render`, from a server with `mcp`.

    Raises:
        SourceError: it cannot be had.
        MissingExtra: `mcp` is given, and its SDK is not installed.
    """
    if mcp is None:
        return _directly(url, way, render=render)
    from movie_build.mcp_source import ServerFailure

    try:
        return Found(_through_server(url, mcp, way))
    except ServerFailure as failure:
        way.report(f"{failure}; {bare(url)} is fetched without it")
        try:
            return _directly(url, way, render=render)
        except SourceError as error:
            raise SourceError(f"{error}; and before that, {failure}") from error


def _directly(url: str, way: Way, *, render: bool) -> Found:
    if render:
        return Found(_rendered(url, way))
    place = github.place_of(url)
    return _readme(url, place, way) if place else Found(_plainly(url, way))


def _plainly(url: str, way: Way) -> Answer:
    def asked(headers: Mapping[str, str]) -> Answer:
        return get(
            url,
            headers=headers,
            limits=way.limits,
            transport=way.transport,
            service=way.service,
        )

    return _kept_or(asked, way, url)


def _readme(url: str, place: github.Place, way: Way) -> Found:
    def asked(headers: Mapping[str, str]) -> Answer:
        return github.fetch(
            place,
            headers=headers,
            limits=way.limits,
            transport=way.transport,
            service=way.service,
        )

    answer = _kept_or(asked, way, url, "github")
    return Found(answer, bare(url), github.picture_place(answer.url))


def _rendered(url: str, way: Way) -> Answer:
    def asked(_: Mapping[str, str]) -> Answer:
        from movie_build.browser_page import rendered

        return rendered(
            url,
            limits=way.limits,
            transport=way.transport,
            service=way.service,
            report=way.report,
        )

    return _kept_or(asked, way, url, "browser")


def _through_server(url: str, settings: McpSettings, way: Way) -> Answer:
    def asked(_: Mapping[str, str]) -> Answer:
        from movie_build.mcp_source import fetch

        return fetch(url, settings, way.base, way.limits)

    recipe = json.dumps(asdict(settings), sort_keys=True, default=str)
    return _kept_or(asked, way, url, "mcp", recipe)


def _kept_or(asked: Callable[[Mapping[str, str]], Answer], way: Way, *recipe: str) -> Answer:
    """The answer that was kept for `recipe`, else what `asked` gives, told when it need not."""
    kept = kept_page.place(way.cache, *map(bare, recipe))
    known = kept_page.recall(kept)
    if known is not None and not way.again:
        return known
    answer = asked(kept_page.conditions(known))
    if answer.status == 304:
        if known is None:
            raise SourceError(f"{bare(recipe[0])} answered 304 to a request without conditions")
        return known
    kept_page.remember(kept, answer)
    return answer
