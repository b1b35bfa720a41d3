"""A server of `/v1/audio/speech` that says each text in tones, and fails when told to."""

from __future__ import annotations

import email.utils
import json
import socket
import struct
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np

from services.sounds import encoded, said, wav

FAULTS = (
    "429",
    "429 and seconds",
    "429 and a date",
    "500",
    "reset",
    "reset in the body",
    "half a body",
    "half a body in chunks",
    "a web page",
    "silence",
    "a wav header",
    "silent sound",
    "nothing",
)
RETRY_AFTER_S = 3
# What is answered with status 200 and is no sound.
BROKEN = (
    "reset in the body",
    "half a body",
    "half a body in chunks",
    "a web page",
    "a wav header",
    "silent sound",
    "nothing",
)
KEY = "sk-a-key-for-tests-only"
TRICKLE_S = 0.02


@dataclass
class SpeechServer:
    """What the server was asked and what it gave; `fault(text, nth_call)` names how to fail."""

    url: str = ""
    fault: Callable[[str, int], str] = lambda _text, _nth: ""
    # What is sent instead of the encoded sound: bytes and content type.
    answer: Callable[[str, str], tuple[bytes, str]] = lambda text, format: (
        encoded(said(text), format),
        "application/octet-stream",
    )
    key: str = ""
    retry_after_s: int = RETRY_AFTER_S
    asked: list[dict[str, Any]] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)
    finished: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)


@contextmanager
def speech_server() -> Iterator[SpeechServer]:
    """A server that runs as long as the block."""
    state = SpeechServer()
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
    state: SpeechServer

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def do_POST(self) -> None:
        """Answer one call."""
        state = self.server.state
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        text = asked["input"]
        with state.lock:
            state.asked.append(asked)
            state.calls[text] += 1
            fault = state.fault(text, state.calls[text])
            if fault:
                state.failed[fault] += 1
        if self.path != "/v1/audio/speech":
            self._error(404, "no such path")
        elif state.key and self.headers["Authorization"] != f"Bearer {state.key}":
            self._error(401, f"no such key: {self.headers['Authorization']}")
        elif fault:
            self._fail(fault, *state.answer(text, asked["response_format"]))
        else:
            self._send(200, *state.answer(text, asked["response_format"]))
            with state.lock:
                state.finished[text] += 1

    def _send(self, status: int, body: bytes, kind: str, **headers: str) -> None:
        self._head(status, kind, Content_Length=str(len(body)), **headers)
        self.wfile.write(body)

    def _head(self, status: int, kind: str, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def _error(self, status: int, message: str, code: str | None = None, **headers: str) -> None:
        body = json.dumps({"error": {"message": message, "code": code}}).encode()
        self._send(status, body, "application/json", **headers)

    def _fail(self, fault: str, body: bytes, kind: str) -> None:  # noqa: PLR0912, PLR0915 (a table)
        match fault:
            case "429":
                self._error(429, "slow down")
            case "429 and seconds":
                self._error(429, "slow down", Retry_After=str(self.server.state.retry_after_s))
            case "429 and a date":
                until_s = time.time() + self.server.state.retry_after_s
                date = email.utils.formatdate(until_s, usegmt=True)
                self._error(429, "slow down", Retry_After=date)
            case "429 and no money":
                self._error(429, "you have used all of your credit", "insufficient_quota")
            case "500":
                self._send(500, b"<html>Internal Server Error</html>", "text/html")
            case "400":
                self._error(400, "this text is refused")
            case "reset":
                self._reset()
            case "reset in the body":
                self._head(200, kind, Content_Length=str(len(body)))
                self.wfile.write(body[: len(body) // 2])
                self._reset()
            case "half a body":
                self._head(200, kind, Content_Length=str(len(body)))
                self.wfile.write(body[: len(body) // 2])
                self.close_connection = True
            case "half a body in chunks":
                self._head(200, kind, Transfer_Encoding="chunked")
                self.wfile.write(b"%x\r\n%b\r\n" % (len(body) // 2, body[: len(body) // 2]))
                self.close_connection = True
            case "half a body, its length unknown":
                self._head(200, kind, Connection="close")
                self.wfile.write(body[: len(body) // 2])
            case "a web page":
                self._send(200, b"<!DOCTYPE html><title>Please log in</title>", kind)
            case "an error with status 200":
                said = {"error": f"the model is not loaded, {self.headers['Authorization']}"}
                self._send(200, json.dumps(said).encode(), "application/json")
            case "silence":
                self.connection.recv(1)
                self.close_connection = True
            case "no answer":
                self.close_connection = True
            case "a trickle":
                self._head(200, kind, Content_Length="1000000")
                while True:
                    self.wfile.write(b"RIFF")
                    time.sleep(TRICKLE_S)
            case "a wav header":
                self._send(200, wav(np.zeros(0, "<i2")), "audio/wav")
            case "silent sound":
                self._send(200, wav(np.zeros(24_000, "<i2")), "audio/wav")
            case "nothing":
                self._send(200, b"", kind)
            case _:
                raise AssertionError(f"no fault named {fault!r}")

    def _reset(self) -> None:
        """Break the connection off, with RST instead of FIN."""
        self.wfile.flush()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True
