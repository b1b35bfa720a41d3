"""Which MCP servers there are: a file of the form that many programs share.

{"mcpServers": {"fetch": {"command": "uvx", "args": ["mcp-server-fetch"],
                          "env": {"API_KEY": "{env:API_KEY}"}}}}  // comments are fine
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from movie_build.errors import SourceError, Where, nearest

_STRING_OR_COMMENT = re.compile(r'"(?:\\.|[^"\\\n])*"|//[^\n]*|/\*.*?\*/', re.DOTALL)
_STRING_OR_COMMA = re.compile(r'"(?:\\.|[^"\\\n])*"|,(?=\s*[}\]])', re.DOTALL)
_VARIABLE = re.compile(r"\{env:([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class McpSettings:
    """Which MCP server gives an article, and how it is asked.

    `config` is the servers' file, relative to the project; `server` the one in it, and `tool`
    its tool, where there is a choice. In `arguments`, `{url}` stands for the source's address;
    without any, the tool is told the address alone.
    """

    config: str = "mcp.json"
    server: str = ""
    tool: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    timeout_s: float = 120.0


@dataclass(frozen=True, slots=True)
class McpServer:
    """A server to be started, with its variables filled in; `secrets` are what they held."""

    name: str
    command: str
    args: tuple[str, ...]
    env: Mapping[str, str]
    cwd: Path
    secrets: tuple[str, ...]


def server_of(settings: McpSettings, base: Path) -> McpServer:
    """The server that `settings` name; paths in its file are relative to that file's folder.

    Raises:
        SourceError: the file is missing or not of this form, or it has no such server.
    """
    file = base / settings.config
    at = Where(settings.config)
    servers = _servers(file, at)
    name = settings.server or _only(servers, at)
    if name not in servers:
        raise SourceError(f"there is no server {name!r}; {nearest(name, servers)}", at=at)
    told = servers[name]
    at = Where(settings.config, place=f"mcpServers.{name}")
    if not isinstance(told, dict):
        raise SourceError("should be a mapping with a `command`", at=at)
    if "command" not in told or told.get("type", "stdio") not in ("stdio", "local"):
        what = "only servers that are started by a `command` and talk over stdio can be asked"
        raise SourceError(what, at=at)
    filling = _Filling(at)
    command = filling.text(told["command"], "command")
    args = told.get("args") or []
    env = told.get("env") or {}
    if not isinstance(args, list) or not isinstance(env, dict):
        raise SourceError("`args` should be a list and `env` a mapping", at=at)
    server = McpServer(
        name=name,
        command=command,
        args=tuple(filling.text(arg, f"args[{n}]") for n, arg in enumerate(args)),
        env={str(key): filling.text(value, f"env.{key}") for key, value in env.items()},
        cwd=file.parent / filling.text(told.get("cwd") or ".", "cwd"),
        secrets=tuple(filling.found),
    )
    if not server.cwd.is_dir():
        raise SourceError(f"there is no folder {told.get('cwd')}", at=at)
    return server


def plain_json(text: str) -> str:
    """JSON with comments and commas before a closing bracket as JSON, its lines in their places."""

    def blank(found: re.Match[str]) -> str:
        kept = found[0]
        return kept if kept.startswith('"') else "\n" * kept.count("\n") or " "

    def close(found: re.Match[str]) -> str:
        return found[0] if found[0].startswith('"') else ""

    return _STRING_OR_COMMA.sub(close, _STRING_OR_COMMENT.sub(blank, text))


def _servers(file: Path, at: Where) -> Mapping[str, Any]:
    try:
        told = json.loads(plain_json(file.read_text(encoding="utf-8-sig")))
    except FileNotFoundError as error:
        what = 'there is no such file; write one: {"mcpServers": {"fetch": {"command": …}}}'
        raise SourceError(what, at=at) from error
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"cannot be read: {error}", at=at) from error
    except json.JSONDecodeError as error:
        raise SourceError(f"is not JSON: {error.msg}", at=Where(at.file, error.lineno)) from error
    servers = told.get("mcpServers") if isinstance(told, dict) else None
    if not isinstance(servers, dict):
        raise SourceError("should be a mapping with the key `mcpServers`", at=at)
    return servers


def _only(servers: Mapping[str, Any], at: Where) -> str:
    """The one server that is not switched off."""
    on = [
        name
        for name, told in servers.items()
        if not (isinstance(told, dict) and told.get("disabled") is True)
    ]
    if len(on) == 1:
        return on[0]
    if not on:
        raise SourceError("it has no server that is switched on", at=at)
    raise SourceError(f"say which `server` to ask: {', '.join(sorted(on))}", at=at)


class _Filling:
    """Puts the environment's values into strings; `found` are the values."""

    def __init__(self, at: Where) -> None:
        self.at = at
        self.found: list[str] = []

    def text(self, value: object, place: str) -> str:
        at = Where(self.at.file, place=f"{self.at.place}.{place}")
        if isinstance(value, bool | int | float):
            value = json.dumps(value)
        if not isinstance(value, str):
            raise SourceError("should be a text", at=at)

        def filled(found: re.Match[str]) -> str:
            name = found[1].strip()
            if name not in os.environ:
                raise SourceError(f"the environment variable {name} is not set", at=at)
            if os.environ[name]:
                self.found.append(os.environ[name])
            return os.environ[name]

        return _VARIABLE.sub(filled, value)
