"""Money: what is asked of a paid voice that fails in every way is right, and paid for once."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256

import pytest
from services.openai_server import BROKEN, FAULTS, RETRY_AFTER_S, speech_server
from services.sounds import heard_hz, tones_hz

from movie_build.errors import BudgetError
from movie_build.ledger import Ledger
from movie_build.service import Limits, Service
from movie_build.voices.openai_speech import OpenAISpeech

LINES = [f"Line {n} says what only line {n} says." for n in range(300)]
USD_PER_MILLION = 15.0


def one_call_in_five(text: str, nth: int) -> str:
    """How the `nth` call for `text` fails: always the same 20 % of them."""
    n = int.from_bytes(sha256(f"{text} {nth}".encode()).digest()[:4])
    return FAULTS[n // 5 % len(FAULTS)] if n % 5 == 0 else ""


def paid_voice(service: Service, url: str) -> OpenAISpeech:
    """A voice of `service` that costs something."""
    return OpenAISpeech(
        service,
        model="tts",
        voice="alloy",
        base_url=url,
        usd_per_million_characters=USD_PER_MILLION,
    )


def test_300_lines_from_a_failing_service_are_all_right_and_each_is_paid_for_once():
    assert len({tones_hz(text) for text in LINES}) == len(LINES), "tones must tell lines apart"
    ledger = Ledger(budget_usd=1.0)
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        time.sleep(min(seconds, 0.02))

    service = Service("speech", Limits(at_once=8), ledger, sleep=wait)
    with speech_server() as server:
        server.fault = one_call_in_five
        voices = [
            OpenAISpeech(
                service,
                model="tts",
                voice="alloy",
                format=format,
                base_url=server.url,
                usd_per_million_characters=USD_PER_MILLION,
                idle_s=2.0,
            )
            for format in ("wav", "mp3", "flac")
        ]
        with ThreadPoolExecutor(10) as threads:
            sounds = list(threads.map(lambda n: voices[n % 3].speak(LINES[n]), range(len(LINES))))

    assert [heard_hz(sound) for sound in sounds] == [tones_hz(text) for text in LINES]
    assert server.finished == dict.fromkeys(LINES, 1)
    assert set(server.failed) == set(FAULTS)
    assert server.failed.total() / server.calls.total() == pytest.approx(0.2, abs=0.03)
    assert any(wait > RETRY_AFTER_S - 1.1 for wait in waits)
    # What was no good was answered all the same, and so is counted as charged.
    use, n_broken = ledger.run["speech"], sum(server.failed[fault] for fault in BROKEN)
    assert (use.calls, use.broken) == (300 + n_broken, n_broken)
    assert use.characters > sum(map(len, LINES))
    assert use.usd == pytest.approx(use.characters * USD_PER_MILLION / 1e6)


def test_a_budget_stops_before_the_call_that_would_exceed_it_with_many_threads_too():
    price = len(LINES[10]) * USD_PER_MILLION / 1e6
    ledger = Ledger(budget_usd=7.5 * price)
    service = Service("speech", Limits(at_once=4), ledger)
    refused: list[BudgetError] = []
    with speech_server() as server:
        voice = paid_voice(service, server.url)

        def speak(text: str) -> None:
            try:
                voice.speak(text)
            except BudgetError as error:
                refused.append(error)

        with ThreadPoolExecutor(4) as threads:
            list(threads.map(speak, LINES[10:30]))
    assert server.calls.total() == 7
    assert len(refused) == 13
    assert "budget" in str(refused[0])


def test_no_more_calls_are_under_way_than_the_limit_allows():
    under_way = [0]
    most = [0]
    lock = threading.Lock()

    with speech_server() as server:
        usual = server.answer

        def counted(text: str, format: str) -> tuple[bytes, str]:
            with lock:
                under_way[0] += 1
                most[0] = max(most[0], under_way[0])
            time.sleep(0.01)
            with lock:
                under_way[0] -= 1
            return usual(text, format)

        server.answer = counted
        service = Service("speech", Limits(at_once=2))
        voice = OpenAISpeech(service, model="tts", voice="alloy", base_url=server.url)
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(voice.speak, LINES[:24]))
    assert most[0] == 2


def test_a_service_that_asks_to_wait_is_left_alone_by_all_calls():
    arrivals: list[float] = []

    def first_is_too_much(_text: str, _nth: int) -> str:
        arrivals.append(time.monotonic())
        return "429 and seconds" if len(arrivals) == 1 else ""

    with speech_server() as server:
        server.fault, server.retry_after_s = first_is_too_much, 1
        service = Service("speech", Limits(at_once=2))
        voice = OpenAISpeech(service, model="tts", voice="alloy", base_url=server.url)
        with ThreadPoolExecutor(4) as threads:
            list(threads.map(voice.speak, LINES[:6]))
    assert server.finished == dict.fromkeys(LINES[:6], 1)
    # The other call may have been under way.
    assert all(at - arrivals[0] > 1 for at in arrivals[2:]), arrivals


def test_answers_that_are_no_good_count_against_the_budget():
    price = len(LINES[10]) * USD_PER_MILLION / 1e6
    ledger = Ledger(budget_usd=2.5 * price)
    service = Service("speech", Limits(), ledger, sleep=lambda _: None)
    with speech_server() as server:
        server.fault = lambda _text, _nth: "a web page"
        voice = paid_voice(service, server.url)
        with pytest.raises(BudgetError, match="of the budget of"):
            voice.speak(LINES[10])
    assert server.calls.total() == 2
    assert ledger.run["speech"].usd == pytest.approx(2 * price)
