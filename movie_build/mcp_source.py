"""What a Model Context Protocol server reads at an address; extra `[mcp]`.

The server is a program that is started for this one question and talks over
stdio (modelcontextprotocol.io). It sees of our environment what the SDK lets
through (PATH, HOME and the like) and what its own configuration names.
"""

from __future__ import annotations

import asyncio
import logging
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from movie_build.address import bare, login
from movie_build.errors import MissingExtra, SourceError, nearest
from movie_build.fetch import LIMITS, Answer, Limits
from movie_build.mcp_config import McpServer, McpSettings, server_of

if TYPE_CHECKING:
    from mcp import Client
    from mcp.types import CallToolResult, Tool

# Of the tools that take an address, which one is for reading pages.
_NAMES = ("fetch", "scrape", "read", "extract", "markdown", "crawl", "get", "download", "content")
# A tool that reads in portions is asked for this many characters at once.
_WHOLE = 900_000
_MOST_PAGES_OF_TOOLS = 20
_MOST_SAID = 300
_SHORTEST_SECRET = 4
_HEADING = re.compile(r"\s*Contents of \S+:[ \t]*\r?\n")
_CUT = re.compile(r"<error>[^<]*(?:truncated|start_index)[^<]*</error>\s*$", re.IGNORECASE)


class ServerFailure(SourceError):
    """The server is rightly configured, but does not give the article."""


def fetch(url: str, settings: McpSettings, base: Path, limits: Limits = LIMITS) -> Answer:
    """What the server's tool gives for `url`: Markdown, unless it says otherwise.

    Raises:
        SourceError: the configuration is not right.
        ServerFailure: the server does not start or answer, or has no such tool or page.
        MissingExtra: the SDK is not installed.
    """
    server = server_of(settings, base)
    try:
        import mcp  # noqa: F401
    except ImportError as error:
        raise MissingExtra("mcp", "reading through an MCP server") from error
    # What goes wrong is told by us, in one message, and not on the terminal by the SDK.
    logging.getLogger("mcp").setLevel(logging.CRITICAL)
    answer, why = None, ""
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as log:
        try:
            answer = asyncio.run(_ask(url, settings, server, log))
        except* _failures() as group:
            why = _why(group, settings.timeout_s)
            if said := _last_words(log):
                why = f"{why}; it said: {said}"
    if answer is None:
        known = login(url)
        secrets = [*server.secrets, *([known[1]] if known else [])]
        raise ServerFailure(_without(secrets, bare(f"the MCP server {server.name!r} {why}")))
    if len(answer.body) > limits.max_bytes:
        what = f"the MCP server {server.name!r} gave more than {limits.max_bytes / 1e6:g} MB"
        raise ServerFailure(what)
    return answer


def _failures() -> tuple[type[Exception], ...]:
    """What the SDK raises where a server is not there, breaks off, or breaks the protocol."""
    import anyio
    from mcp import MCPError

    broken = (anyio.BrokenResourceError, anyio.ClosedResourceError, anyio.EndOfStream)
    return (MCPError, OSError, TimeoutError, ValueError, RuntimeError, SourceError, *broken)


async def _ask(url: str, settings: McpSettings, server: McpServer, log: TextIO) -> Answer:
    from mcp import Client, StdioServerParameters, stdio_client

    parameters = StdioServerParameters(
        command=server.command,
        args=list(server.args),
        env=dict(server.env),
        cwd=server.cwd,
        encoding_error_handler="replace",
    )
    async with asyncio.timeout(settings.timeout_s):
        async with Client(stdio_client(parameters, errlog=log)) as client:
            tool = _chosen(await _tools(client), settings.tool)
            arguments = _arguments(url, tool, settings.arguments)
            return _answer(url, tool.name, await client.call_tool(tool.name, arguments))


async def _tools(client: Client) -> list[Tool]:
    tools: list[Tool] = []
    cursor = None
    for _ in range(_MOST_PAGES_OF_TOOLS):
        page = await client.list_tools(cursor=cursor)
        tools += page.tools
        cursor = page.next_cursor
        if not cursor:
            break
    return tools


def _chosen(tools: Sequence[Tool], named: str) -> Tool:
    """The tool called `named`; without a name, the one that reads what is at an address."""
    by_name = {tool.name: tool for tool in tools}
    if named:
        if named not in by_name:
            raise ServerFailure(f"has no tool {named!r}; {nearest(named, by_name)}")
        return by_name[named]
    fitting = [tool for tool in tools if _takes_an_address(tool)]
    if len(fitting) == 1:
        return fitting[0]
    for name in _NAMES:
        for tool in sorted(fitting, key=lambda tool: len(tool.name)):
            if name in re.split(r"[^a-z]+", tool.name.lower()):
                return tool
    shown = ", ".join(sorted(by_name)) or "none"
    raise ServerFailure(f"has no tool that plainly reads an address; name one as `tool`: {shown}")


def _takes_an_address(tool: Tool) -> bool:
    properties = tool.input_schema.get("properties", {})
    required = set(tool.input_schema.get("required", []))
    return bool({"url", "urls"} & properties.keys()) and required <= {"url", "urls"}


def _arguments(url: str, tool: Tool, given: Mapping[str, Any]) -> dict[str, Any]:
    properties: Mapping[str, Any] = tool.input_schema.get("properties", {})
    arguments: dict[str, Any] = {name: _filled(value, url) for name, value in given.items()}
    if not given:
        arguments = {"urls": [url]} if "url" not in properties else {"url": url}
    if "max_length" in properties and "max_length" not in arguments:
        most = properties["max_length"].get("maximum")
        arguments["max_length"] = min(_WHOLE, most) if isinstance(most, int) else _WHOLE
    return arguments


def _filled(value: Any, url: str) -> Any:
    if isinstance(value, str):
        return value.replace("{url}", url)
    if isinstance(value, list):
        return [_filled(one, url) for one in value]
    if isinstance(value, dict):
        return {name: _filled(one, url) for name, one in value.items()}
    return value


def _answer(url: str, tool: str, result: CallToolResult) -> Answer:
    parts = list(_texts(result))
    text = _HEADING.sub("", "\n\n".join(text for text, _ in parts), count=1)
    if result.is_error:
        raise ServerFailure(f"cannot read {url}: {_short(text) or 'it does not say why'}")
    if _CUT.search(text):
        what = f"gives only a part of {url}"
        raise ServerFailure(f"{what}; raise its limit in the `arguments` of its tool {tool}")
    if not text.strip():
        raise ServerFailure(f"gives no text for {url}")
    kinds = {kind for _, kind in parts if kind}
    kind = kinds.pop() if len(kinds) == 1 else ""
    if not kind:
        kind = "text/html" if re.match(r"\s*<(?:!doctype|html)\b", text, re.I) else "text/markdown"
    return Answer(bare(url), 200, text.encode(), kind, charset="utf-8")


def _texts(result: CallToolResult) -> Iterator[tuple[str, str]]:
    """The texts in a tool's result, with their media types where they are told."""
    from mcp.types import EmbeddedResource, TextContent, TextResourceContents

    for part in result.content:
        if isinstance(part, TextContent):
            yield part.text, ""
        elif isinstance(part, EmbeddedResource) and isinstance(part.resource, TextResourceContents):
            yield part.resource.text, (part.resource.mime_type or "").partition(";")[0].lower()


def _why(failure: BaseException, timeout_s: float) -> str:
    while isinstance(failure, BaseExceptionGroup):
        failure = failure.exceptions[0]
    if isinstance(failure, TimeoutError):
        return f"did not answer within {timeout_s:g} s"
    if isinstance(failure, FileNotFoundError | PermissionError):
        return f"cannot be started: {failure.strerror}: {failure.filename or 'its command'}"
    if isinstance(failure, ServerFailure):
        return failure.what
    return f"failed: {_short(str(failure)) or type(failure).__name__}"


def _last_words(log: TextIO) -> str:
    """The last line that the server wrote to its standard error."""
    log.seek(0)
    lines = [line.strip() for line in log.read()[-5000:].splitlines() if line.strip()]
    return _short(lines[-1]) if lines else ""


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _MOST_SAID else f"{line[: _MOST_SAID - 1]}…"


def _without(secrets: Sequence[str], text: str) -> str:
    for secret in secrets:
        if len(secret) >= _SHORTEST_SECRET:
            text = text.replace(secret, "***")
    return text
