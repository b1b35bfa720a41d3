from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from services.mcp_server import SENTENCE
from services.site import Site

from movie_build.article import Article, Paragraph, Picture
from movie_build.errors import MissingExtra, SourceError
from movie_build.fetch import Limits
from movie_build.mcp_config import McpSettings, plain_json, server_of
from movie_build.mcp_source import ServerFailure, fetch
from movie_build.source import read

SERVER = Path(__file__).parent / "services" / "mcp_server.py"


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    one = Site()
    yield one
    one.close()


def configured(folder: Path, *args: str, command: str = sys.executable, **more: Any) -> McpSettings:
    server = {"command": command, "args": list(args or (str(SERVER),)), **more}
    (folder / "mcp.json").write_text(json.dumps({"mcpServers": {"reader": server}}))
    return McpSettings()


def got(url: str, folder: Path, settings: McpSettings, **more: Any) -> Article:
    return read(url, base=folder, cache=folder / "cache", mcp=settings, **more)


def text_of(article: Article) -> str:
    return " ".join(block.text for block in article.blocks if isinstance(block, Paragraph))


def test_a_page_is_read_through_the_server_and_kept(tmp_path: Path) -> None:
    settings = configured(tmp_path)
    article = got("https://example.com/a/b", tmp_path, settings)
    assert (article.title, article.origin) == ("Builds", "https://example.com/a/b")
    assert article.blocks == (
        Paragraph(SENTENCE),
        Picture("https://example.com/a/pic.png", "There"),
    )
    configured(tmp_path, command="no-such-program")
    assert got("https://example.com/a/b", tmp_path, settings) == article


@pytest.mark.parametrize("kind", ["html", "resource"])
def test_web_pages_from_the_server_are_web_pages(tmp_path: Path, kind: str) -> None:
    answer = fetch(f"https://example.com/{kind}", configured(tmp_path), tmp_path)
    assert (answer.media_type, answer.body[:9]) == ("text/html", b"<!DOCTYPE")


def test_a_tool_that_reads_in_portions_is_asked_for_all(tmp_path: Path) -> None:
    settings = configured(tmp_path)
    assert len(fetch("https://example.com/portions", settings, tmp_path).body) > 100_000
    small = McpSettings(arguments={"url": "{url}", "max_length": 400})
    with pytest.raises(ServerFailure, match=r"gives only a part .*`arguments` of its tool fetch"):
        fetch("https://example.com/portions", small, tmp_path)


def test_the_tool_is_found_or_named(tmp_path: Path) -> None:
    url = "https://example.com/a"
    settings = configured(tmp_path, str(SERVER), "many")
    assert b"example.com" not in fetch(url, settings, tmp_path).body
    named = McpSettings(tool="batch_read")
    assert url.encode() in fetch(url, named, tmp_path).body
    with pytest.raises(ServerFailure, match="has no tool 'batch_reed'; did you mean 'batch_read'"):
        fetch(url, McpSettings(tool="batch_reed"), tmp_path)


def test_arguments_are_as_told(tmp_path: Path) -> None:
    settings = configured(tmp_path, str(SERVER), "strange")
    with pytest.raises(ServerFailure, match="name one as `tool`: look_at, open_it, search"):
        fetch("https://example.com/a", settings, tmp_path)
    told = McpSettings(tool="open_it", arguments={"url": "{url}?print=1", "depth": 2})
    body = fetch("https://example.com/a", told, tmp_path).body.decode()
    assert "https://example.com/a?print=1 at depth 2" in body


def test_the_server_sees_only_the_environment_that_it_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_KEY", "sesame")
    monkeypatch.setenv("OTHER_KEY", "not for the server")
    settings = configured(tmp_path, env={"SITE_KEY": "open {env:MY_KEY}"})
    body = fetch("https://example.com/environment", settings, tmp_path).body.decode()
    assert "open sesame, None" in body
    with pytest.raises(ServerFailure, match=r"the page wants a key, and open \*\*\* is none"):
        fetch("https://example.com/error", settings, tmp_path)


SILENT = ("-c", "import sys; [0 for line in sys.stdin]")
NOISE = ("-c", "import sys; print('Welcome!', flush=True); sys.stdin.read()")
EXIT = ("-c", "import sys; sys.exit('no licence for this server')")


@pytest.mark.parametrize(
    ("args", "path", "said"),
    [
        ((), "error", "cannot read http://127.*the page wants a key"),
        ((), "empty", "gives no text"),
        ((), "die", "failed: Connection closed; it said: out of luck"),
        ((str(SERVER), "none"), "page", "has no tool that plainly reads an address.*: none"),
        (EXIT, "page", "failed: .*; it said: no licence for this server"),
    ],
)
def test_a_server_that_fails_is_told_of_and_the_page_is_fetched_plainly(
    site: Site, tmp_path: Path, args: tuple[str, ...], path: str, said: str
) -> None:
    page = f"# Plain\n\nThis is what the site itself gives. {SENTENCE}\n"
    url = site.serve(f"/{path}", page, Content_Type="text/markdown")
    told: list[str] = []
    article = got(url, tmp_path, configured(tmp_path, *args), report=told.append)
    assert article.title == "Plain"
    assert len(told) == 1
    assert told[0].startswith("the MCP server 'reader' ")
    assert told[0].endswith(f"; {url} is fetched without it")
    assert re.search(said, told[0])


@pytest.mark.parametrize(("args", "path"), [((), "slow"), (SILENT, "page"), (NOISE, "page")])
def test_a_server_that_does_not_answer_is_given_up(
    tmp_path: Path, args: tuple[str, ...], path: str
) -> None:
    configured(tmp_path, *args)
    began = time.monotonic()
    with pytest.raises(ServerFailure, match=r"did not answer within 1\.5 s"):
        fetch(f"https://example.com/{path}", McpSettings(timeout_s=1.5), tmp_path)
    assert time.monotonic() - began < 8


def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    settings = configured(tmp_path, command="no-such-program")
    with pytest.raises(ServerFailure, match=r"cannot be started: No such file.*no-such-program"):
        fetch("https://example.com/a", settings, tmp_path)


def test_an_answer_over_the_size_limit_is_refused(tmp_path: Path) -> None:
    settings = configured(tmp_path)
    with pytest.raises(ServerFailure, match="gave more than 1 MB"):
        fetch("https://example.com/huge", settings, tmp_path, Limits(max_bytes=1_000_000))


def test_where_neither_way_works_both_are_told(site: Site, tmp_path: Path) -> None:
    settings = configured(tmp_path, command="no-such-program")
    with pytest.raises(SourceError, match=r"404 Not Found; .*before that, the MCP server 'reader'"):
        got(f"{site.url}/none", tmp_path, settings)


def test_a_mistake_in_the_configuration_is_no_reason_to_do_without(
    site: Site, tmp_path: Path
) -> None:
    url = site.serve("/a.md", f"# Plain\n\n{SENTENCE}\n", Content_Type="text/markdown")
    with pytest.raises(SourceError, match=r"^mcp\.json: there is no such file"):
        got(url, tmp_path, McpSettings())
    assert site.asked == []
    with pytest.raises(SourceError, match=r"a\.md is a file, and the MCP server is for"):
        got("a.md", tmp_path, McpSettings())


def test_without_the_sdk_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "mcp", None)
    with pytest.raises(MissingExtra, match=r"movie-build\[mcp\]"):
        fetch("https://example.com/a", configured(tmp_path), tmp_path)


CONFIG = """{
  // Servers: see https://example.com/servers
  "mcpServers": {
    /* the one
       that is used */
    "fetch": {
      "command": "{env:RUNNER}",
      "args": ["mcp-server-fetch", "--agent", "a \\"quoted\\" // name, ]",],
      "env": {"KEY": "Bearer {env:KEY}"},
      "autoApprove": ["fetch"],
    },
    "old": {"command": "x", "disabled": true},
  },
}
"""


def test_comments_and_last_commas_are_read_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNNER", "uvx")
    monkeypatch.setenv("KEY", "secret")
    (tmp_path / "mcp.jsonc").write_text(CONFIG)
    server = server_of(McpSettings("mcp.jsonc"), tmp_path)
    assert (server.name, server.command) == ("fetch", "uvx")
    assert server.args == ("mcp-server-fetch", "--agent", 'a "quoted" // name, ]')
    assert server.env == {"KEY": "Bearer secret"}
    assert server.secrets == ("uvx", "secret")


def test_json_keeps_its_lines() -> None:
    assert plain_json(CONFIG).count("\n") == CONFIG.count("\n")


@pytest.mark.parametrize(
    ("text", "settings", "said"),
    [
        ("{\n  'a': 1}", {}, "mcp.json:2: is not JSON"),
        ("[]", {}, "mcp.json: should be a mapping with the key `mcpServers`"),
        ('{"mcpServers": {}}', {}, "it has no server that is switched on"),
        (
            '{"mcpServers": {"a": {"command": "x"}, "b": {"command": "y"}}}',
            {},
            "say which `server` to ask: a, b",
        ),
        (
            '{"mcpServers": {"reader": {"command": "x"}}}',
            {"server": "raeder"},
            "there is no server 'raeder'; did you mean 'reader'?",
        ),
        (
            '{"mcpServers": {"a": {"type": "http", "url": "https://example.com/mcp"}}}',
            {},
            "mcp.json: mcpServers.a: only servers that are started by a `command`",
        ),
        (
            '{"mcpServers": {"a": {"command": "x", "env": {"K": "{env:NO_SUCH_KEY}"}}}}',
            {},
            "mcpServers.a.env.K: the environment variable NO_SUCH_KEY is not set",
        ),
        (
            '{"mcpServers": {"a": {"command": ["x"]}}}',
            {},
            "mcpServers.a.command: should be a text",
        ),
        ('{"mcpServers": {"a": {"command": "x", "args": "y"}}}', {}, "`args` should be a list"),
        ('{"mcpServers": {"a": {"command": "x", "cwd": "no"}}}', {}, "there is no folder no"),
        ('{"mcpServers": {"a": "x"}}', {}, "should be a mapping with a `command`"),
    ],
)
def test_each_mistake_has_its_place(
    tmp_path: Path, text: str, settings: dict[str, Any], said: str
) -> None:
    (tmp_path / "mcp.json").write_text(text)
    with pytest.raises(SourceError) as caught:
        server_of(McpSettings(**settings), tmp_path)
    assert said in str(caught.value)
