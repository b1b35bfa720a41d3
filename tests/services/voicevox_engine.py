"""A server that speaks VOICEVOX ENGINE's protocol on loopback, and can be told to misbehave.

What it says is a tone for each mora, as long as the engine would make it (frames of 256
samples at 24,000 Hz), so a take can be told from another, and its length is exact.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
import socket
import struct
import threading
import time
import unicodedata
import uuid
import wave
from collections import defaultdict, deque
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import numpy as np

RATE_HZ, FRAME = 24_000, 256
LONGEST_KANA = 2_700
SMALL = "ァィゥェォャュョヮ"
PAUSES = "、。，．,.！？!?…"
VOWELS = "aiueo"
TYPES = {
    "PROPER_NOUN": ("名詞", "固有名詞"),
    "COMMON_NOUN": ("名詞", "一般"),
    "VERB": ("動詞", "自立"),
    "ADJECTIVE": ("形容詞", "自立"),
    "SUFFIX": ("名詞", "接尾"),
}
SPEAKERS = [
    {
        "name": "四国めたん",
        "speaker_uuid": "7ffcb7ce-00ec-4bdc-82cd-45a8889e43ff",
        "styles": [
            {"name": "ノーマル", "id": 2, "type": "talk"},
            {"name": "あまあま", "id": 0, "type": "talk"},
        ],
        "version": "0.14.4",
    },
    {
        "name": "ずんだもん",
        "speaker_uuid": "388f246b-8c41-4ac1-8e2d-5d79f3ff56d9",
        "styles": [
            {"name": "ノーマル", "id": 3},
            {"name": "あまあま", "id": 1},
            {"name": "ヒソヒソ", "id": 38},
        ],
        "version": "0.14.4",
    },
]


class Engine:
    """One engine: `with Engine() as engine: … engine.url …`."""

    def __init__(
        self, version: str = "0.25.0", name: str = "VOICEVOX Engine", port: int = 0
    ) -> None:
        self.version: Any = version
        self.name = name
        self.speakers: Any = SPEAKERS
        self.has_manifest = True
        self.has_dictionary = True
        self.unknown_speaker = "422"
        self.delay_s = 0.0
        self.knows_lengths = True
        self.user_dict: dict[str, dict[str, Any]] = {}
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        self.queries: list[dict[str, Any]] = []
        self.at_once = 0
        self.most_at_once = 0
        self.crashed = False
        self.released = threading.Event()
        self.applied = threading.Event()
        self._faults: defaultdict[str, deque[str]] = defaultdict(deque)
        self._every: tuple[int, list[str]] = (0, [])
        self._n_asked = 0
        self.lock = threading.Lock()
        self.connections: set[socket.socket] = set()
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.engine = self
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        )
        self._thread.start()

    @property
    def port(self) -> int:
        return self._server.server_address[1]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def fail(self, path: str, *faults: str) -> None:
        """The next requests to `path` go wrong so; "" goes well."""
        self._faults[path].extend(faults)

    def fail_every(self, n: int, faults: Iterable[str]) -> None:
        """Every `n`th query and synthesis goes wrong, in all these ways in turn."""
        self._every = (n, list(faults))

    def fault_for(self, path: str) -> str:
        with self.lock:
            if self._faults[path]:
                return self._faults[path].popleft()
            n, faults = self._every
            if not n or path not in ("/audio_query", "/synthesis"):
                return ""
            self._n_asked += 1
            return faults[self._n_asked // n % len(faults)] if self._n_asked % n == 0 else ""

    def asked(self, path: str) -> list[dict[str, str]]:
        """The parameters of all requests to `path`."""
        return [params for _, asked, params in self.requests if asked == path]

    def words(self) -> dict[str, str]:
        """The user dictionary: surface to pronunciation."""
        return {word["surface"]: word["pronunciation"] for word in self.user_dict.values()}

    def add_users_word(self, surface: str, pronunciation: str, priority: int = 5) -> str:
        """What the user does in the editor."""
        return self.add_word(
            {
                "surface": surface,
                "pronunciation": pronunciation,
                "accent_type": "1",
                "priority": str(priority),
            }
        )

    def add_word(self, params: dict[str, str]) -> str:
        pronunciation, accent = params["pronunciation"], int(params["accent_type"])
        if not re.fullmatch("[ァ-ヴー]+", pronunciation):
            raise ValueError("発音は有効なカタカナでなくてはいけません。")
        n_moras = len(split_moras(pronunciation))
        if not 0 <= accent <= n_moras:
            raise ValueError(
                f"誤ったアクセント型です({accent})。 expect: 0 <= accent_type <= {n_moras}"
            )
        kind = TYPES[params.get("word_type", "PROPER_NOUN")]
        key = str(uuid.uuid4())
        self.user_dict[key] = {
            "surface": wide(params["surface"]),
            "priority": int(params.get("priority", 5)),
            "context_id": 1348,
            "part_of_speech": kind[0],
            "part_of_speech_detail_1": kind[1],
            "pronunciation": pronunciation,
            "yomi": pronunciation,
            "accent_type": accent,
            "mora_count": n_moras,
        }
        return key

    def query(self, text: str) -> dict[str, Any]:
        """The audio query of `text`."""
        return {
            "accent_phrases": self.phrases(self.pronounced(text)),
            "speedScale": 1.0,
            "pitchScale": 0.0,
            "intonationScale": 1.0,
            "volumeScale": 1.0,
            "prePhonemeLength": 0.1,
            "postPhonemeLength": 0.1,
            "pauseLength": None,
            "pauseLengthScale": 1.0,
            "outputSamplingRate": RATE_HZ,
            "outputStereo": False,
            "kana": self.pronounced(text),
        }

    def pronounced(self, text: str) -> str:
        """`text` in katakana and pauses; what is neither is spelt カナ."""
        words = sorted(self.user_dict.values(), key=lambda w: (-w["priority"], -len(w["surface"])))
        text = wide(text)
        for word in words:
            text = text.replace(word["surface"], word["pronunciation"])
        spoken = ""
        for c in unicodedata.normalize("NFKC", text):
            if "ぁ" <= c <= "ゔ":
                spoken += chr(ord(c) + 96)
            elif "ァ" <= c <= "ー" or c in PAUSES:
                spoken += c
            elif unicodedata.category(c)[0] in "LN":
                spoken += "カナ"
        return spoken

    def phrases(self, spoken: str) -> list[dict[str, Any]]:
        found = []
        for phrase in re.finditer(f"([^{PAUSES}]+)([{PAUSES}]*)", spoken):
            words, mark = phrase.groups()
            moras = [self.mora(text) for text in split_moras(words)]
            is_last = phrase.end() == len(spoken)
            found.append(
                {
                    "moras": moras,
                    "accent": 1,
                    "pause_mora": pause() if mark and not is_last else None,
                    "is_interrogative": "？" in mark or "?" in mark,
                }
            )
        return found

    def mora(self, text: str) -> dict[str, Any]:
        number = sum(map(ord, text))
        known = 1.0 if self.knows_lengths else 0.0
        return {
            "text": text,
            "consonant": "k" if number % 3 else None,
            "consonant_length": known * (0.031 + number % 7 / 150) if number % 3 else None,
            "vowel": VOWELS[number % 5],
            "vowel_length": known * (0.071 + number % 11 / 140),
            "pitch": 5.0 + number % 13 / 10,
        }

    def stop(self) -> None:
        """Be gone, with all connections."""
        self.released.set()
        self._server.shutdown()
        self._server.server_close()
        with self.lock:
            for connection in self.connections:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        self._thread.join()

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def pause() -> dict[str, Any]:
    return {
        "text": "、",
        "consonant": None,
        "consonant_length": None,
        "vowel": "pau",
        "vowel_length": 0.32,
        "pitch": 0.0,
    }


def wide(text: str) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)


def split_moras(kana: str) -> list[str]:
    return re.findall(f".[{SMALL}]?", kana)


def tones(query: dict[str, Any]) -> np.ndarray:
    """The sound of a query as the engine times it: int16, at 24,000 Hz."""
    speed = query["speedScale"]

    def samples(seconds: float) -> int:
        return round(seconds / speed * RATE_HZ / FRAME) * FRAME

    parts = [(0.0, samples(query["prePhonemeLength"]))]
    for phrase in query["accent_phrases"]:
        moras = list(phrase["moras"])
        if phrase["is_interrogative"] and moras[-1]["pitch"] > 0:
            moras.append({**moras[-1], "consonant_length": None, "vowel_length": 0.15})
        for mora in moras:
            lengths = (mora["consonant_length"] or 0, mora["vowel_length"])
            lengths = lengths if any(lengths) else (0, 0.2)
            hertz = 110 + sum(map(ord, mora["text"])) % 997
            parts.append((hertz, sum(map(samples, lengths))))
        if phrase["pause_mora"]:
            length = phrase["pause_mora"]["vowel_length"]
            if query.get("pauseLength") is not None:
                length = query["pauseLength"]
            parts.append((0.0, samples(length * query.get("pauseLengthScale", 1.0))))
    parts.append((0.0, samples(query["postPhonemeLength"])))
    waves = [np.sin(2 * np.pi * hertz * np.arange(n) / RATE_HZ) for hertz, n in parts]
    return np.rint(np.concatenate(waves) * 8000 * query["volumeScale"]).astype("<i2")


def wav(samples: np.ndarray) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE_HZ)
        out.writeframes(samples.tobytes())
    return file.getvalue()


class _Server(ThreadingHTTPServer):
    engine: Engine
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that go away are no news here."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def setup(self) -> None:
        super().setup()
        with self.server.engine.lock:
            self.server.engine.connections.add(self.connection)

    def finish(self) -> None:
        with self.server.engine.lock:
            self.server.engine.connections.discard(self.connection)
        with contextlib.suppress(OSError):
            super().finish()

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        self.answer()

    do_POST = do_DELETE = do_GET

    def answer(self) -> None:
        engine = self.server.engine
        parts = urlsplit(self.path)
        path = re.sub("(?<=/user_dict_word)/.*", "/*", parts.path)
        params = dict(parse_qsl(parts.query, keep_blank_values=True))
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        with engine.lock:
            engine.requests.append((self.command, path, params))
        fault = engine.fault_for(path)
        if fault == "apply-then-hang":
            self.route(engine, path, params, body)
            engine.applied.set()
            fault = "hang"
        if fault == "apply-then-reset":
            self.route(engine, path, params, body)
            fault = "reset"
        if not fault or fault in ("half", "reset-mid", "drip", "silence", "cut-wav", "short-wav"):
            self.send(*self.route(engine, path, params, body), fault=fault)
        else:
            self.misbehave(engine, fault)

    def route(  # noqa: PLR0911
        self, engine: Engine, path: str, params: dict[str, str], body: bytes
    ) -> tuple[int, str, bytes]:
        asked = f"{self.command} {path}"
        if asked == "GET /version":
            if isinstance(engine.version, bytes):
                return 200, "text/plain", engine.version
            return js(200, engine.version)
        if asked == "GET /engine_manifest" and engine.has_manifest:
            return js(200, {"name": engine.name, "brand_name": "VOICEVOX", "frame_rate": 93.75})
        if asked == "GET /speakers" and engine.speakers is not None:
            return js(200, engine.speakers)
        if asked == "POST /initialize_speaker":
            return 204, "", b""
        if asked == "POST /audio_query":
            return self.audio_query(engine, params)
        if asked == "POST /synthesis":
            return self.synthesis(engine, params, body)
        if "/user_dict" in path and engine.has_dictionary:
            return self.dictionary(engine, asked, params)
        return js(404, {"detail": "Not Found"})

    def dictionary(
        self, engine: Engine, asked: str, params: dict[str, str]
    ) -> tuple[int, str, bytes]:
        with engine.lock:
            if asked == "GET /user_dict":
                return js(200, engine.user_dict)
            if asked == "POST /user_dict_word":
                try:
                    return js(200, engine.add_word(params))
                except ValueError as error:
                    return js(422, {"detail": str(error)})
            if asked == "DELETE /user_dict_word/*":
                word = urlsplit(self.path).path.rpartition("/")[2]
                if engine.user_dict.pop(word, None) is None:
                    return js(422, {"detail": "UUIDに該当するワードが見つかりませんでした"})
                return 204, "", b""
        return js(405, {"detail": "Method Not Allowed"})

    def unknown(self, engine: Engine, params: dict[str, str]) -> tuple[int, str, bytes] | None:
        ids = [style["id"] for speaker in SPEAKERS for style in speaker["styles"]]
        if int(params["speaker"]) in ids:
            return None
        if engine.unknown_speaker == "500":
            return 500, "text/plain", b"Internal Server Error"
        if engine.unknown_speaker == "200":
            return js(200, {"kana": None})
        where = {"loc": ["query", "speaker"], "msg": "style_id is not found", "type": "value_error"}
        return js(422, {"detail": [where]})

    def audio_query(self, engine: Engine, params: dict[str, str]) -> tuple[int, str, bytes]:
        if wrong := self.unknown(engine, params):
            return wrong
        text = params.get("text", "")
        if not engine.pronounced(text).strip(PAUSES):
            engine.crashed = True
            return 500, "text/plain", b"*** stack smashing detected ***"
        if len(engine.pronounced(text)) > LONGEST_KANA:
            return 500, "text/plain", b"Internal Server Error"
        return js(200, engine.query(text))

    def synthesis(
        self, engine: Engine, params: dict[str, str], body: bytes
    ) -> tuple[int, str, bytes]:
        if wrong := self.unknown(engine, params):
            return wrong
        if self.headers.get("content-type") != "application/json":
            where = {"loc": ["body"], "msg": "value is not a valid dict", "type": "type_error.dict"}
            return js(422, {"detail": [where]})
        query = json.loads(body)
        if not query["accent_phrases"]:
            engine.crashed = True
            return 500, "text/plain", b"Internal Server Error"
        with engine.lock:
            engine.queries.append(query)
            engine.at_once += 1
            engine.most_at_once = max(engine.most_at_once, engine.at_once)
        if engine.delay_s:
            time.sleep(engine.delay_s)
        made = wav(tones(query))
        with engine.lock:
            engine.at_once -= 1
        return 200, "audio/wav", made

    def send(self, status: int, kind: str, body: bytes, *, fault: str = "", **headers: str) -> None:
        if fault == "silence" and body[:4] == b"RIFF":
            body = body[:44] + bytes(len(body) - 44)
        if fault == "short-wav" and body[:4] == b"RIFF":
            body = wav(np.frombuffer(body[44:], "<i2")[: len(body) // 8])
        if fault == "cut-wav" and body[:4] == b"RIFF":
            body = body[: len(body) // 2]
        self.send_response(status)
        if kind:
            self.send_header("Content-Type", kind)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if fault in ("half", "reset-mid"):
            self.wfile.write(body[: len(body) // 2])
            self.wfile.flush()
            self.cut(reset=fault == "reset-mid")
        elif fault == "drip":
            for at in range(len(body)):
                self.wfile.write(body[at : at + 1])
                self.wfile.flush()
                if self.server.engine.released.wait(0.02):
                    return
        else:
            self.wfile.write(body)

    def misbehave(self, engine: Engine, fault: str) -> None:
        if fault == "hang":
            engine.released.wait()
            self.close_connection = True
        elif fault == "reset":
            self.cut(reset=True)
        elif fault == "html":
            page = b"<!doctype html><html><body><h1>Welcome to nginx!</h1></body></html>"
            self.send(200, "text/html", page)
        elif fault == "no-samples":
            self.send(200, "audio/wav", wav(np.zeros(0, "<i2")))
        elif fault == "rubbish":
            self.send(*js(200, {"ok": True}))
        elif fault == "429-after":
            self.send(*js(429, {"detail": "slow down"}), Retry_After="7")
        elif fault == "503-message":
            self.send(*js(503, {"message": "モデルの読み込みに失敗しました"}))
        elif fault == "500-object":
            self.send(*js(500, {"detail": {"text": "ParseKana", "error_name": "EMPTY_PHRASE"}}))
        else:
            self.send(*js(int(fault), {"detail": "Internal Server Error"}))

    def cut(self, *, reset: bool) -> None:
        if reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        with contextlib.suppress(OSError):
            if not reset:
                self.connection.shutdown(socket.SHUT_RDWR)
        self.connection.close()


def js(status: int, content: Any) -> tuple[int, str, bytes]:
    return status, "application/json", json.dumps(content, ensure_ascii=False).encode()
