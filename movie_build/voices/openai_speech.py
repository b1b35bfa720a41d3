"""OpenAI's speech, and the servers that imitate it (Kokoro-FastAPI, LocalAI, Speaches, …)."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

from movie_build.errors import VoiceError, nearest
from movie_build.ledger import Use
from movie_build.openai_client import (
    make_client,
    needs_key,
    shown_url,
    translated,
    usual_url,
    without_key,
)
from movie_build.pcm import Pcm
from movie_build.sentences import split
from movie_build.service import Retry, Service
from movie_build.sound_container import BrokenSound
from movie_build.sound_file import decoded
from movie_build.speakable import speakable
from movie_build.take import Take, joined
from movie_build.voices.protocol import JsonValue

if TYPE_CHECKING:
    import openai

Format: TypeAlias = Literal["wav", "mp3", "flac", "opus", "aac", "pcm"]

# OpenAI takes 4,096 characters, its newer models 2,000 tokens: as many bytes are less than both.
LONGEST_BYTES = 4096
# "pcm" has no header; this is the rate that the documentation tells.
_PCM_HZ = 24000
_SPEEDS = (0.25, 4.0)
_LARGEST_ANSWER = 256 << 20
_SHOWN_OF_TEXT = 120
# −66 dBFS: below this there is no voice, only a noise floor.
_SILENT_PEAK = 0.0005


class OpenAISpeech:
    """Speaks with `model` and `voice` at `base_url`; None is `$OPENAI_BASE_URL`, else OpenAI.

    `instructions` (how to speak) and `speed` are told only where they are given, as not every
    model and server takes them. A price of None is not known; servers of one's own are free then.
    A server may answer in another format than the one asked for.

    Raises:
        VoiceError: a setting is out of its range.
    """

    def __init__(
        self,
        service: Service,
        *,
        model: str,
        voice: str,
        instructions: str = "",
        speed: float = 1.0,
        format: Format = "wav",
        base_url: str | None = None,
        api_key_env: str = "OPENAI_API_KEY",
        usd_per_million_characters: float | None = None,
        timeout_s: float = 180.0,
        idle_s: float = 60.0,
    ) -> None:
        if not model or not voice:
            raise VoiceError("openai speech needs a model and a voice, as in tts-1 and alloy")
        if not _SPEEDS[0] <= speed <= _SPEEDS[1]:
            raise VoiceError(f"openai cannot do speed_scale {speed:g}: use a factor from 0.25 to 4")
        if format not in get_args(Format):
            hint = nearest(format, get_args(Format))
            raise VoiceError(f"openai speech has no format {format!r}; {hint}")
        self.model = model
        self.voice = voice
        self.instructions = instructions
        self.speed = round(speed, 3)
        self.format = format
        self._service = service
        self._base_url = base_url
        self._api_key_env = api_key_env
        self._usd_per_million = usd_per_million_characters
        self._timeout_s = timeout_s
        self._idle_s = idle_s
        self._made: openai.OpenAI | None = None
        self._lock = threading.Lock()

    def identity(self) -> Mapping[str, JsonValue]:
        """What is asked for and where: another server's model of that name sounds different."""
        return {
            "engine": "openai",
            "url": shown_url(usual_url(self._base_url)),
            "model": self.model,
            "voice": self.voice,
            "instructions": self.instructions,
            "speed": self.speed,
            "format": self.format,
        }

    def speak(self, text: str) -> Pcm:
        """`text`, in pieces of whole sentences if it is too long for one call.

        Raises:
            VoiceError: the key is missing or wrong, the service refuses the text, or gives
                no whole sound however often it is asked.
            BudgetError: it could cost more than what is left.
        """
        return joined([self.say(part) for part in self.parts(text)]).pcm

    def parts(self, text: str) -> Sequence[str]:
        """`text` in pieces of whole sentences, as many as there are calls for it.

        Raises:
            VoiceError: there is nothing in it to speak.
        """
        return [*_pieces(speakable(text))]

    def say(self, part: str, *, is_last: bool = True) -> Take:
        """One part, spoken; raises as `speak`."""
        return Take(self._say(self._client(), part))

    def _client(self) -> openai.OpenAI:
        with self._lock:
            if self._made is None:
                self._made = make_client(
                    api_key_env=self._api_key_env,
                    base_url=self._base_url,
                    timeout_s=self._timeout_s,
                    idle_s=self._idle_s,
                    error=VoiceError,
                )
            return self._made

    def _say(self, client: openai.OpenAI, piece: str) -> Pcm:
        usd = self._service.estimate(self._price(len(piece)), self.model, "characters")

        used = Use(characters=len(piece), usd=usd)

        def attempt() -> tuple[Pcm, Use]:
            with translated(client, VoiceError, used):
                answer = self._answer(client, piece)
            try:
                sound = decoded(answer, self._raw_rate_hz())
            except BrokenSound as broken:
                what = f"the answer is no good: {broken}{_read(client, answer)}"
                raise Retry(what, used=used.spoilt()) from broken
            if max(abs(sound.samples.min()), abs(sound.samples.max())) < _SILENT_PEAK:
                raise Retry("the answer is no good: it is silent", used=used.spoilt())
            return sound, used

        return self._service.call(attempt, VoiceError, estimate_usd=usd)

    def _answer(self, client: openai.OpenAI, piece: str) -> bytes:
        """The body of one answer, whole as far as HTTP can tell."""
        import openai

        body = bytearray()
        with client.audio.speech.with_streaming_response.create(
            input=piece,
            model=self.model,
            # Voices of the user's own have an id, and are asked for by it.
            voice={"id": self.voice} if self.voice.startswith("voice_") else self.voice,
            response_format=self.format,
            instructions=self.instructions or openai.omit,
            speed=self.speed if self.speed != 1 else openai.omit,
        ) as response:
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > _LARGEST_ANSWER:
                    raise VoiceError(f"{self._service.name} sends sound without end for this line")
        return bytes(body)

    def _price(self, n_characters: int) -> float | None:
        """US dollars for so many characters; None if that is not known."""
        if self._usd_per_million is not None:
            return n_characters * self._usd_per_million / 1e6
        return None if needs_key(usual_url(self._base_url)) else 0.0

    def _raw_rate_hz(self) -> int | None:
        return _PCM_HZ if self.format == "pcm" else None


def _read(client: openai.OpenAI, answer: bytes) -> str:
    """The beginning of an answer that is JSON: it may say what is wrong."""
    if not answer.lstrip().startswith(b"{"):
        return ""
    said = without_key(client, " ".join(answer.decode(errors="replace").split()))
    return f": {said[:_SHOWN_OF_TEXT]}"


def _pieces(text: str) -> Iterator[str]:
    """`text` in pieces of at most `LONGEST_BYTES` bytes, cut at sentence ends, else at spaces."""
    piece = ""
    for part in [text] if _fits(text) else (part for s in split(text) for part in _cut(s)):
        joined = f"{piece} {part}" if piece else part
        if not _fits(joined):
            yield piece
            joined = part
        piece = joined
    yield piece


def _fits(text: str) -> bool:
    return len(text.encode()) <= LONGEST_BYTES


def _cut(sentence: str) -> Iterator[str]:
    while not _fits(sentence):
        room = sentence.encode()[:LONGEST_BYTES].decode(errors="ignore")
        at = max(room.rfind(mark) for mark in " 、，,;；") + 1 or len(room)
        yield sentence[:at].strip()
        sentence = sentence[at:].strip()
    if sentence:
        yield sentence
