"""The voice of OpenAI and its imitators, over a real socket."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator
from typing import Any, get_args

import numpy as np
import pytest
from services.openai_server import KEY, RETRY_AFTER_S, SpeechServer, speech_server
from services.sounds import DURATION_S, UNKNOWN_SIZE, encoded, heard_hz, said, tones_hz, wav

from movie_build.errors import VoiceError
from movie_build.service import Limits, Service
from movie_build.voices.openai_speech import LONGEST_BYTES, Format, OpenAISpeech

FORMATS = get_args(Format)
TEXT = "The lamp is on."


@pytest.fixture
def server() -> Iterator[SpeechServer]:
    with speech_server() as running:
        yield running


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def service(waits: list[float]) -> Service:
    return Service("openai", Limits(tries=3), sleep=waits.append)


def voice(service: Service, server: SpeechServer, **settings: Any) -> OpenAISpeech:
    return OpenAISpeech(
        service, **{"model": "tts-1", "voice": "alloy", "base_url": server.url, **settings}
    )


def once(fault: str) -> Any:
    return lambda _text, nth: fault if nth == 1 else ""


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_is_heard_as_what_was_said(format, service, server):
    sound = voice(service, server, format=format).speak(TEXT)
    assert heard_hz(sound) == tones_hz(TEXT)
    assert sound.samples.dtype == np.float32
    assert sound.samples.ndim == 1
    assert sound.duration_s == pytest.approx(DURATION_S, abs=0.1)
    assert server.asked[0]["response_format"] == format


@pytest.mark.parametrize("sent", ["wav", "mp3", "flac", "opus", "aac"])
@pytest.mark.parametrize("asked", ["wav", "pcm"])
def test_a_server_that_ignores_the_format_and_lies_about_the_type_is_understood(
    asked, sent, service, server
):
    server.answer = lambda text, _format: (encoded(said(text), sent), "text/html; charset=utf-8")
    assert heard_hz(voice(service, server, format=asked).speak(TEXT)) == tones_hz(TEXT)


@pytest.mark.parametrize("told", [UNKNOWN_SIZE, 0x7FFFFFFF, 0, 100])
def test_a_wav_whose_header_has_a_wrong_size_is_heard_to_its_end(told, service, server):
    server.answer = lambda text, _format: (wav(said(text), told), "audio/wav")
    sound = voice(service, server).speak(TEXT)
    assert len(sound.samples) == len(said(TEXT))


def test_chunks_after_the_samples_of_a_wav_are_not_heard(service, server):
    tail = b"LIST\x0c\x00\x00\x00INFOICMTabcd"
    server.answer = lambda text, _format: (wav(said(text)) + tail, "audio/wav")
    assert len(voice(service, server).speak(TEXT).samples) == len(said(TEXT))


def test_mp3_files_sent_one_after_the_other_are_heard_all(service, server):
    def two(text: str, _format: str) -> tuple[bytes, str]:
        first, second = (encoded(said(text), "mp3") for _ in range(2))
        return first + b"TAG".ljust(128, b"\xff") + second, "audio/mpeg"

    server.answer = two
    sound = voice(service, server).speak(TEXT)
    assert sound.duration_s == pytest.approx(2 * DURATION_S, abs=0.2)


@pytest.mark.parametrize("format", [f for f in FORMATS if f not in ("pcm", "wav")])
def test_half_a_sound_is_asked_for_again_where_http_cannot_tell(format, service, server, waits):
    server.fault = once("half a body, its length unknown")
    sound = voice(service, server, format=format).speak(TEXT)
    assert heard_hz(sound) == tones_hz(TEXT)
    assert len(waits) == 1


def test_half_a_wav_that_tells_its_size_is_asked_for_again(service, server, waits):
    server.answer = lambda text, _format: (wav(said(text)), "audio/wav")
    server.fault = once("half a body, its length unknown")
    assert len(voice(service, server).speak(TEXT).samples) == len(said(TEXT))
    assert len(waits) == 1


@pytest.mark.parametrize("format", ["wav", "pcm"])
def test_a_web_page_instead_of_sound_is_an_error_after_patience(format, service, server):
    server.fault = lambda _text, _nth: "a web page"
    with pytest.raises(VoiceError, match=r"openai: .*text and no sound.*tried 3 times"):
        voice(service, server, format=format).speak(TEXT)
    assert server.calls[TEXT] == 3


def test_an_error_sent_with_status_200_is_told(service, server, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    server.fault = lambda _text, _nth: "an error with status 200"
    with pytest.raises(VoiceError, match="the model is not loaded") as caught:
        voice(service, server).speak(TEXT)
    assert KEY not in str(caught.value)


@pytest.mark.parametrize(("fault", "told"), [("a wav header", "no sound"), ("nothing", "is empty")])
def test_no_sound_at_all_is_an_error_after_patience(fault, told, service, server):
    server.fault = lambda _text, _nth: fault
    with pytest.raises(VoiceError, match=told):
        voice(service, server).speak(TEXT)
    assert server.calls[TEXT] == 3


def test_a_wrong_key_is_told_at_once_and_shown_nowhere(service, server, monkeypatch, waits):
    monkeypatch.setenv("MY_API_KEY", KEY)
    server.key = "another"
    speaker = voice(service, server, api_key_env="MY_API_KEY")
    with pytest.raises(VoiceError, match=r"401.*key") as caught:
        speaker.speak(TEXT)
    assert (server.calls[TEXT], waits) == (1, [])
    assert KEY not in "".join(traceback.format_exception(caught.value))
    assert KEY not in json.dumps(speaker.identity())
    assert KEY not in repr(speaker)


def test_the_key_of_the_named_variable_is_sent_without_stray_white_space(
    service, server, monkeypatch
):
    monkeypatch.setenv("MY_API_KEY", f" {KEY}\n")
    server.key = KEY
    assert voice(service, server, api_key_env="MY_API_KEY").speak(TEXT).duration_s


def test_a_missing_key_is_named_when_it_is_needed_and_not_before(service, server):
    speaker = OpenAISpeech(service, model="tts-1", voice="alloy", api_key_env="MY_API_KEY")
    assert speaker.identity()["url"] == "https://api.openai.com/v1"
    with pytest.raises(VoiceError, match=r"api\.openai\.com needs a key.*MY_API_KEY"):
        speaker.speak(TEXT)
    assert voice(service, server).speak(TEXT).duration_s


@pytest.mark.parametrize(
    ("fault", "told"), [("400", "this text is refused"), ("429 and no money", "add credit")]
)
def test_what_cannot_pass_is_not_tried_again(fault, told, service, server, waits):
    server.fault = lambda _text, _nth: fault
    with pytest.raises(VoiceError, match=told):
        voice(service, server).speak(TEXT)
    assert (server.calls[TEXT], waits) == (1, [])


@pytest.mark.parametrize("fault", ["429 and seconds", "429 and a date"])
def test_a_service_is_given_the_time_it_asks_for(fault, service, server, waits):
    server.fault = once(fault)
    voice(service, server).speak(TEXT)
    assert RETRY_AFTER_S - 1.1 < waits[0] < RETRY_AFTER_S + 1


def test_an_answer_that_goes_on_and_on_is_cut_off(server):
    service = Service("openai", Limits(tries=1))
    server.fault = lambda _text, _nth: "a trickle"
    started = time.monotonic()
    with pytest.raises(VoiceError, match="did not answer in time"):
        voice(service, server, timeout_s=0.4, idle_s=5.0).speak(TEXT)
    assert time.monotonic() - started < 4


def test_a_server_that_does_not_run_is_told_by_its_address(service):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://me:secret@127.0.0.1:{free.getsockname()[1]}/v1"
    with pytest.raises(VoiceError, match=r"http://127\.0\.0\.1:.*refused") as caught:
        OpenAISpeech(service, model="m", voice="v", base_url=url).speak(TEXT)
    assert "secret" not in str(caught.value)


def test_instructions_and_speed_are_asked_for_only_where_they_are_given(service, server):
    voice(service, server).speak(TEXT)
    voice(service, server, instructions="Whisper.", speed=1.5, voice="voice_12").speak(TEXT)
    plain, full = server.asked
    assert plain == {"input": TEXT, "model": "tts-1", "voice": "alloy", "response_format": "wav"}
    assert (full["instructions"], full["speed"]) == ("Whisper.", 1.5)
    assert full["voice"] == {"id": "voice_12"}


@pytest.mark.parametrize(
    "sentence", ["A sentence that is one of many, to be sure. ", "これは長い文章の一つです。"]
)
def test_a_long_text_is_cut_at_sentence_ends_and_joined(sentence, service, server):
    text = (sentence * (2 * LONGEST_BYTES // len(sentence.encode()) + 1)).strip()
    sound = voice(service, server).speak(text)
    pieces = [asked["input"] for asked in server.asked]
    assert "".join(pieces).replace(" ", "") == text.replace(" ", "")
    assert all(len(piece.encode()) <= LONGEST_BYTES for piece in pieces)
    assert all(piece.endswith(sentence.strip()) for piece in pieces)
    assert len(pieces) == 3
    assert len(sound.samples) == sum(len(said(piece)) for piece in pieces)


def test_a_long_text_without_sentences_is_cut_too_and_loses_nothing(service, server):
    for text in ("word " * 1000 + "x" * 5000, "あ" * 3000):
        server.asked.clear()
        voice(service, server).speak(text)
        pieces = [asked["input"] for asked in server.asked]
        assert "".join(pieces).replace(" ", "") == text.replace(" ", "")
        assert all(len(piece.encode()) <= LONGEST_BYTES for piece in pieces)


def test_the_identity_changes_with_every_setting_that_is_heard(service):
    def identity(**settings: Any) -> str:
        usual = {"model": "tts-1", "voice": "alloy", "base_url": "http://me:secret@tts:8880/v1?k=1"}
        return json.dumps(OpenAISpeech(service, **{**usual, **settings}).identity())

    others = [
        identity(model="tts-1-hd"),
        identity(voice="nova"),
        identity(instructions="Whisper."),
        identity(speed=1.2),
        identity(format="mp3"),
        identity(base_url="http://elsewhere:8880/v1"),
    ]
    assert len({identity(), *others}) == 7
    assert "http://tts:8880/v1" in identity()
    assert "secret" not in identity()


def test_an_identity_needs_neither_the_client_nor_a_decoder():
    program = """
import sys
from movie_build.service import Service
from movie_build.voices.openai_speech import OpenAISpeech
OpenAISpeech(Service("openai"), model="m", voice="v").identity()
print(*sorted({"openai", "httpx2", "av", "numpy"} & set(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert (done.stdout.strip(), done.stderr) == ("", "")


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"speed": 5.0}, "speed_scale 5"),
        ({"format": "mp4"}, "did you mean 'mp3'"),
        ({"voice": ""}, "a model and a voice"),
    ],
)
def test_a_setting_out_of_range_is_refused_with_what_is_possible(settings, told, service, server):
    with pytest.raises(VoiceError, match=told):
        voice(service, server, **settings)


@pytest.mark.parametrize(
    ("url", "told"), [("kokoro:8880", "is no address"), ("https://x.example/v1", "needs a key")]
)
def test_an_address_that_cannot_be_asked_is_told(url, told, service):
    with pytest.raises(VoiceError, match=told):
        OpenAISpeech(service, model="m", voice="v", base_url=url).speak(TEXT)


def test_silence_is_asked_for_again(service, server, waits):
    server.fault = once("silent sound")
    assert heard_hz(voice(service, server).speak(TEXT)) == tones_hz(TEXT)
    assert len(waits) == 1
