"""An MCP server over stdio, written with the official SDK, that reads pages of its own making.

The address says how it answers; the first argument says which tools it has.
"""

from __future__ import annotations

import os
import sys
import time
from urllib.parse import urlsplit

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import EmbeddedResource, TextResourceContents

SENTENCE = "A build system remakes only what has changed, and leaves all the rest alone."
PAGE = f"# Builds\n\n{SENTENCE}\n\n![There](pic.png)\n"
HTML = f"<!DOCTYPE html><html lang=en><title>Builds</title><article><p>{SENTENCE}</p></article>"


def main(tools: str) -> None:
    server = MCPServer("reader")
    if tools != "none":
        server.tool(name="search")(search)
    if tools in ("fetch", "many"):
        server.tool(name="fetch")(fetch)
    if tools in ("urls", "many"):
        server.tool(name="batch_read")(batch_read)
    if tools == "strange":
        server.tool(name="open_it")(open_it)
        server.tool(name="look_at")(look_at)
    server.run("stdio")


def search(query: str) -> str:
    """Find pages."""
    return query


def fetch(url: str, max_length: int = 5000, start_index: int = 0) -> list[EmbeddedResource] | str:
    """Read a page."""
    kind = urlsplit(url).path.rpartition("/")[2]
    match kind:
        case "error":
            raise ToolError(f"the page wants a key, and {os.environ.get('SITE_KEY')} is none")
        case "slow":
            time.sleep(30)
        case "die":
            print("out of luck", file=sys.stderr, flush=True)
            os._exit(3)
    resource = TextResourceContents(uri=url, text=HTML, mime_type="text/html; charset=utf-8")
    answers = {
        "html": HTML,
        "empty": " ",
        "huge": "x" * 3_000_000,
        "environment": f"{PAGE}\n{os.environ.get('SITE_KEY')}, {os.environ.get('OTHER_KEY')}\n",
    }
    if kind == "resource":
        return [EmbeddedResource(type="resource", resource=resource)]
    text = answers.get(kind, PAGE)
    if kind == "portions":
        text = f"{PAGE}{SENTENCE} " * 2000
    if len(text) > max_length and kind != "huge":
        hint = f"Call the fetch tool with a start_index of {max_length} to get more content."
        text = f"{text[start_index:][:max_length]}\n\n<error>Content truncated. {hint}</error>"
    return f"Contents of {url}:\n{text}"


def batch_read(urls: list[str]) -> str:
    """Read several pages."""
    return "\n\n".join(f"{PAGE}\n{url}" for url in urls)


def open_it(url: str, depth: int) -> str:
    """Look at a page, so many links deep."""
    return f"{PAGE}\n{url} at depth {depth}"


def look_at(page: str) -> str:
    """Look at a page."""
    return page


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "fetch")
