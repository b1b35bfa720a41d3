"""A server of `/v1/chat/completions` on loopback: a model that tells articles, and every way to fail.

Each request is answered by the next of `replies`, else by `model`, which writes a valid
script of the article it was given: a line a sentence, a section a part.
"""

from __future__ import annotations

import json
import re
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeAlias

KEY = "sk-test-0123456789abcdef-never-to-be-shown"
_DATA = re.compile(r"<<<BEGIN (DATA-\w+)>>>\n(.*?)\n<<<END \1>>>", re.DOTALL)


@dataclass(frozen=True)
class Asked:
    """A request as it came."""

    body: dict[str, Any]
    headers: Mapping[str, str]

    @property
    def messages(self) -> list[dict[str, str]]:
        """The turns."""
        return self.body["messages"]

    @property
    def form(self) -> str:
        """The type of `response_format`."""
        return self.body.get("response_format", {}).get("type", "text")

    @property
    def instructions(self) -> str:
        """All that is not data and not the model's own: what the model is to obey."""
        texts = [m["content"] for m in self.messages if m["role"] != "assistant"]
        return "\n".join(_DATA.sub("(data)", text) for text in texts)

    @property
    def data(self) -> str:
        """What stands between the marks."""
        (found,) = _DATA.findall(self.messages[1]["content"])
        return found[1]

    @property
    def article(self) -> str:
        """The article's text among the data."""
        return self.data.partition("[article]\n")[2]


@dataclass(frozen=True)
class Reply:
    """What is sent back. `raw` is sent in place of JSON; `cut` bytes of it are left out."""

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    kind: str = "application/json"
    cut: int = 0
    wait_s: float = 0.0


Answering: TypeAlias = Callable[[Asked], Reply]


def said(text: Any, finish: str = "stop", usage: Any = None, **message: Any) -> Reply:
    """A completion whose content is `text`."""
    whole = {"role": "assistant", "content": text, **message}
    usual = {"prompt_tokens": 1000, "completion_tokens": 200, "total_tokens": 1200}
    return Reply(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1,
            "model": "a-model",
            "choices": [{"index": 0, "message": whole, "finish_reason": finish}],
            "usage": usual if usage is None else usage,
        }
    )


def written(script: Any, **more: Any) -> Reply:
    """A completion whose content is a script as JSON."""
    return said(json.dumps(script, ensure_ascii=False), **more)


def failed(status: int, message: str, code: Any = None, **headers: str) -> Reply:
    """An error as OpenAI sends it."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply({"error": {"message": message, "code": code}}, status, named)


def script_of(asked: Asked) -> dict[str, Any]:
    """A valid script of what was asked: a section a block, as the schema in the request wants it."""
    system = asked.messages[0]["content"]
    speakers = re.findall(r'"persona_id":\{"type":"string","enum":(\[.*?\])', system)
    names = json.loads(speakers[0]) if speakers else []
    sections = []
    for n, block in enumerate(filter(None, asked.article.split("\n\n"))):
        plain = re.sub(r"[^\w\s.,。、]", " ", block).strip() or "picture"
        texts = [s.strip() for s in re.split(r"(?<=[.。])\s*", plain) if s.strip()] or [plain]
        lines = [{"text": text[:120]} for text in texts[:3]]
        for at, line in enumerate(lines):
            if names:
                line["persona_id"] = names[(n + at) % len(names)]
            if '"reading"' in system:
                line["reading"] = "ヨミ"
        sections.append({"title": plain[:40], "bullets": [], "narrations": lines})
    return {"title": "A title", "description": "What it is about.", "sections": sections[:60]}


@dataclass
class ChatServer:
    """What the server was asked and how it answers."""

    url: str = ""
    model: Answering = lambda asked: written(script_of(asked))
    replies: deque[Reply | Answering] = field(default_factory=deque)
    refused_forms: tuple[str, ...] = ()
    window_chars: int | None = None
    key: str = ""
    asked: list[Asked] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    over: threading.Event = field(default_factory=threading.Event)

    def answer(self, asked: Asked) -> Reply:
        """The reply to a request."""
        with self.lock:
            self.asked.append(asked)
        given = asked.headers.get("Authorization", "")
        if self.key and given != f"Bearer {self.key}":
            return failed(401, f"Incorrect API key provided: {given}", "invalid_api_key")
        if asked.form in self.refused_forms:
            return failed(400, "This response_format type is unavailable now")
        n_chars = sum(len(message["content"]) for message in asked.messages)
        if self.window_chars and n_chars > self.window_chars:
            what = "This model's maximum context length is 4096 tokens"
            return failed(400, what, "context_length_exceeded")
        with self.lock:
            reply = self.replies.popleft() if self.replies else self.model
        return reply if isinstance(reply, Reply) else reply(asked)


@contextmanager
def chat_server() -> Iterator[ChatServer]:
    """A server that runs as long as the block."""
    state = ChatServer()
    http = _Server(("127.0.0.1", 0), _Handler)
    http.state = state
    state.url = f"http://127.0.0.1:{http.server_port}/v1"
    thread = threading.Thread(target=http.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield state
    finally:
        state.over.set()
        http.shutdown()
        thread.join()
        http.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    state: ChatServer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that went away."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def do_POST(self) -> None:
        """Answer one request."""
        state = self.server.state
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/v1/chat/completions":
            reply = state.answer(Asked(body, self.headers))
        else:
            reply = failed(404, f"no such path: {self.path}")
        if reply.wait_s:
            state.over.wait(reply.wait_s)
        content = json.dumps(reply.body).encode() if reply.raw is None else reply.raw
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.kind)
        self.send_header("Content-Length", str(len(content)))
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content[: len(content) - reply.cut])
        if reply.cut:
            self.close_connection = True
