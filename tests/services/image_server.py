"""A server of `/v1/images/generations` and of chat that draws, which fails when told to.

Every picture shows its prompt's colour, so that it can be told whose it is.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import socket
import struct
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from PIL import Image

FAULTS = (
    "429",
    "500",
    "reset",
    "half a body",
    "half a body in chunks",
    "a web page",
    "silence",
    "nothing",
    "no data",
    "an error with status 200",
    "half a picture",
    "text for a picture",
    "an empty picture",
    "a tiny picture",
    "one colour",
    "no base64",
)
KEY = "sk-a-key-for-tests-only"


def color_of(prompt: str) -> tuple[int, int, int]:
    """The colour of the picture that a prompt gets."""
    return tuple(hashlib.sha256(prompt.encode()).digest()[:3])  # type: ignore[return-value]


def picture(prompt: str, size: tuple[int, int] = (1536, 1024), kind: str = "PNG") -> bytes:
    """A picture of a prompt's colour, with a dark bar at the left fifth."""
    image = Image.new("RGB", size, color_of(prompt))
    image.paste((20, 20, 20), (0, 0, size[0] // 5, size[1]))
    file = io.BytesIO()
    image.save(file, kind)
    return file.getvalue()


@dataclass
class ImageServer:
    """What was asked and what was given; `fault(prompt, nth_call)` names how to fail.

    `reply` is `b64`, `url` or, for chat, `images`, `parts`, `text` or `words`.
    """

    url: str = ""
    fault: Callable[[str, int], str] = lambda _prompt, _nth: ""
    file_fault: Callable[[int], str] = lambda _nth: ""
    draw: Callable[[str], bytes] = picture
    reply: str = "b64"
    key: str = ""
    cost_usd: float | None = None
    refuses: Callable[[dict[str, Any]], str] = lambda _asked: ""
    elsewhere: str = ""
    asked: list[dict[str, Any]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)
    finished: Counter[str] = field(default_factory=Counter)
    headers_of_files: list[dict[str, str]] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    gate: threading.Event | None = None


@contextmanager
def image_server() -> Iterator[ImageServer]:
    """A server that runs as long as the block."""
    state = ImageServer()
    http = _Server(("127.0.0.1", 0), _Handler)
    http.state = state
    state.url = f"http://127.0.0.1:{http.server_port}/v1"
    thread = threading.Thread(target=http.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield state
    finally:
        http.shutdown()
        thread.join()
        http.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    state: ImageServer

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def do_POST(self) -> None:
        """Answer a prompt."""
        state = self.server.state
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        chat = self.path == "/v1/chat/completions"
        prompt = asked["messages"][-1]["content"] if chat else asked["prompt"]
        with state.lock:
            state.asked.append(asked)
            state.paths.append(self.path)
            state.calls[prompt] += 1
            fault = state.fault(prompt, state.calls[prompt])
            state.at_once += 1
            state.most_at_once = max(state.most_at_once, state.at_once)
        try:
            if state.gate:
                state.gate.wait(10)
            self._answer(asked, prompt, fault, chat=chat)
        finally:
            with state.lock:
                state.at_once -= 1

    def _answer(self, asked: dict[str, Any], prompt: str, fault: str, *, chat: bool) -> None:
        state = self.server.state
        if self.path not in ("/v1/images/generations", "/v1/chat/completions"):
            self._error(404, "no such path")
        elif state.key and self.headers["Authorization"] != f"Bearer {state.key}":
            self._error(401, f"no such key: {self.headers['Authorization']}")
        elif said := state.refuses(asked):
            self._error(400, said)
        elif fault in _PICTURES:
            self._json(self._body(prompt, _PICTURES[fault], chat=chat))
        elif fault:
            self._fail(fault, self._body(prompt, state.draw(prompt), chat=chat))
        else:
            self._json(self._body(prompt, state.draw(prompt), chat=chat))
            with state.lock:
                state.finished[prompt] += 1

    def _body(self, prompt: str, content: bytes | str, *, chat: bool) -> dict[str, Any]:
        state = self.server.state
        digits = content if isinstance(content, str) else base64.b64encode(content).decode()
        usage: dict[str, Any] = {"prompt_tokens": 7, "completion_tokens": 90}
        if state.cost_usd is not None:
            usage["cost"] = state.cost_usd
        if not chat:
            base = state.elsewhere or state.url.removesuffix("/v1")
            address = f"{base}/files/{prompt.encode().hex()}.png?signature=secret"
            item = {"url": address} if state.reply == "url" else {"b64_json": digits}
            usage = {"input_tokens": 7, "output_tokens": 90}
            return {"created": 1, "data": [item], "usage": usage}
        data_url = f"data:image/png;base64,{digits}"
        part = {"type": "image_url", "image_url": {"url": data_url}}
        message: dict[str, Any] = {"role": "assistant", "content": "Here you are."}
        match state.reply:
            case "parts":
                message["content"] = [{"type": "text", "text": "Here."}, part]
            case "text":
                message["content"] = f"Here: ![a picture]({data_url})"
            case "words":
                message["content"] = "I would draw a hill, and a tree on it."
            case "refusal":
                message |= {"content": None, "refusal": "I cannot draw that."}
            case _:
                message["images"] = [part]
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        return {"id": "x", "object": "chat.completion", "choices": [choice], "usage": usage}

    def do_GET(self) -> None:
        """Give a picture that was answered with its address."""
        state = self.server.state
        with state.lock:
            state.headers_of_files.append(dict(self.headers))
            fault = state.file_fault(len(state.headers_of_files))
        name = self.path.removeprefix("/files/").partition(".png")[0]
        body = state.draw(bytes.fromhex(name).decode())
        if fault == "404":
            self._error(404, "it is over")
        elif fault in _PICTURES:
            broken = _PICTURES[fault]
            assert isinstance(broken, bytes)
            self._send(200, broken, "image/png")
        elif fault:
            self._fail(fault, body)
        else:
            self._send(200, body, "image/png")

    def _json(self, told: dict[str, Any]) -> None:
        self._send(200, json.dumps(told).encode(), "application/json")

    def _send(self, status: int, body: bytes, kind: str) -> None:
        self._head(status, kind, Content_Length=str(len(body)))
        self.wfile.write(body)

    def _head(self, status: int, kind: str, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def _error(self, status: int, message: str) -> None:
        body = json.dumps({"error": {"message": message, "code": None}}).encode()
        self._send(status, body, "application/json")

    def _fail(self, fault: str, told: dict[str, Any] | bytes) -> None:  # noqa: PLR0912 (a table)
        body = told if isinstance(told, bytes) else json.dumps(told).encode()
        match fault:
            case "429":
                self._error(429, "slow down")
            case "500":
                self._send(500, b"<html>Internal Server Error</html>", "text/html")
            case "400":
                self._error(400, "your prompt was rejected by the safety system")
            case "reset":
                self._reset()
            case "half a body":
                self._head(200, "application/json", Content_Length=str(len(body)))
                self.wfile.write(body[: len(body) // 2])
                self.close_connection = True
            case "half a body in chunks":
                self._head(200, "application/json", Transfer_Encoding="chunked")
                self.wfile.write(b"%x\r\n%b\r\n" % (len(body) // 2, body[: len(body) // 2]))
                self.close_connection = True
            case "a web page":
                self._send(200, b"<!DOCTYPE html><title>Please log in</title>", "text/html")
            case "silence":
                self.connection.recv(1)
                self.close_connection = True
            case "nothing":
                self._send(200, b"", "application/json")
            case "no data":
                self._json({"created": 1, "data": [], "choices": []})
            case "an error with status 200":
                said = f"the model is not loaded, {self.headers['Authorization']}"
                self._json({"error": {"message": said, "code": 502}})
            case "moderated with status 200":
                self._json({"error": {"message": "flagged as unsafe", "code": 403}})
            case _:
                raise AssertionError(f"no fault named {fault!r}")

    def _reset(self) -> None:
        """Break the connection off, with RST instead of FIN."""
        self.wfile.flush()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True


def _one_color() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (1024, 1024), "#ffffff").save(file, "PNG")
    return file.getvalue()


def _noisy() -> bytes:
    file = io.BytesIO()
    Image.effect_noise((600, 600), 90).save(file, "PNG")
    return file.getvalue()


# Answers that keep the protocol, and hold no picture worth having: bytes, or what is to be base64.
_PICTURES: dict[str, bytes | str] = {
    "half a picture": _noisy()[:100_000],
    "text for a picture": b"<html><title>Bad gateway</title></html>",
    "an empty picture": b"",
    "a tiny picture": picture("tiny", (1, 1)),
    "one colour": _one_color(),
    "no base64": "this is no base64 !!",
}
