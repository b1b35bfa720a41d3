"""Patience, pace and money with services."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from movie_build.errors import BudgetError, VoiceError
from movie_build.ledger import Ledger, Use, read_costs
from movie_build.service import Limits, Retry, Service, Services, retry_after_s


def failing(times: int, reason: str = "503", after_s: float | None = None):
    left = iter(range(times))

    def attempt():
        if next(left, None) is not None:
            raise Retry(reason, after_s)
        return "done", Use(characters=5, usd=0.01)

    return attempt


def test_a_failure_that_passes_is_tried_again_with_growing_waits_and_counted_once():
    waits: list[float] = []
    ledger = Ledger()
    service = Service("s", Limits(tries=6), ledger, sleep=waits.append)
    assert service.call(failing(4), VoiceError) == "done"
    assert len(waits) == 4 and waits[3] > waits[0]
    assert ledger.run == {"s": Use(calls=1, characters=5, usd=0.01)}


def test_the_services_own_wait_is_honoured():
    waits: list[float] = []
    Service("s", sleep=waits.append).call(failing(1, after_s=7.0), VoiceError)
    assert 7.0 <= waits[0] < 7.5


@pytest.mark.parametrize("busy", [Retry("429", busy=True), Retry("503", 7.0)])
def test_a_busy_service_is_left_alone_by_other_calls_too(busy):
    waits: list[float] = []
    service = Service("s", Limits(tries=1), sleep=waits.append)

    def refused():
        raise busy

    with pytest.raises(VoiceError):
        service.call(refused, VoiceError)
    assert service.call(lambda: ("done", Use()), VoiceError) == "done"
    assert len(waits) == 1 and 0.2 < waits[0] < 7.5


def test_a_long_wait_is_told_once_however_many_calls_are_told_of_it(capsys):
    service = Service("s", sleep=lambda _: None)
    for after_s in (1.0, 60.0, 60.0):
        service.call(failing(1, after_s=after_s), VoiceError)
    assert capsys.readouterr().err == "warning: s is busy, and is asked again in 60 s\n"


def test_one_call_that_fails_by_itself_holds_back_no_other():
    waits: list[float] = []
    service = Service("s", Limits(tries=1), sleep=waits.append)
    with pytest.raises(VoiceError):
        service.call(failing(1), VoiceError)
    service.call(lambda: (None, Use()), VoiceError)
    assert waits == []


def test_a_service_that_asks_for_hours_is_not_asked_by_the_next_call():
    service, asked = Service("s", sleep=lambda _: None), []
    with pytest.raises(VoiceError, match="asks to wait 7200 s"):
        service.call(failing(9, after_s=7200), VoiceError)
    with pytest.raises(VoiceError, match=r"left alone; it asks to wait 7[12]\d\d s"):
        service.call(lambda: (asked.append(1), Use()), VoiceError)
    assert asked == []


def test_what_failed_and_was_charged_is_counted_and_told(tmp_path):
    ledger = Ledger(tmp_path / "costs.json")
    service = Service("s", ledger=ledger, sleep=lambda _: None)
    answers = iter([Retry("half", used=Use(characters=5, usd=0.01).spoilt()), None])

    def attempt():
        if failure := next(answers):
            raise failure
        return "done", Use(characters=5, usd=0.01)

    assert service.call(attempt, VoiceError) == "done"
    whole = Use(calls=2, characters=10, usd=0.02, broken=1)
    assert ledger.run == {"s": whole} == read_costs(tmp_path / "costs.json")
    assert str(whole) == "2 calls (1 with a broken answer), 10 characters, $0.02"


def test_patience_ends_with_an_error_that_names_service_reason_and_remedy():
    with pytest.raises(VoiceError, match=r"s: 503 \(tried 3 times\); run doit again later"):
        Service("s", Limits(tries=3), sleep=lambda _: None).call(failing(9), VoiceError)


def test_a_wait_of_hours_is_told_not_waited_for():
    waits: list[float] = []
    with pytest.raises(VoiceError, match="asks to wait 7200 s"):
        Service("s", sleep=waits.append).call(failing(9, after_s=7200), VoiceError)
    assert waits == []


def test_the_budget_stops_before_the_call_that_would_exceed_it(tmp_path):
    ledger = Ledger(tmp_path / "costs.json", budget_usd=0.025)
    service = Service("s", ledger=ledger)
    calls = []

    def attempt():
        calls.append(1)
        return None, Use(usd=0.01)

    service.call(attempt, VoiceError, estimate_usd=0.01)
    service.call(attempt, VoiceError, estimate_usd=0.01)
    with pytest.raises(BudgetError, match=r"budget of \$0\.03|budget of \$0\.02"):
        service.call(attempt, VoiceError, estimate_usd=0.01)
    assert len(calls) == 2
    assert read_costs(tmp_path / "costs.json")["s"] == Use(calls=2, usd=0.02)


def test_what_is_under_way_is_told_where_it_leaves_no_money():
    ledger = Ledger(budget_usd=0.05)
    ledger.reserve("s", 0.04)
    with pytest.raises(BudgetError, match=r"\$0\.0000 is spent, \$0\.0400 under way; raise"):
        ledger.reserve("s", 0.04)


def test_calls_under_way_at_once_cannot_overrun_the_budget_together():
    ledger = Ledger(budget_usd=0.05)
    service = Service("s", Limits(at_once=16), ledger)
    made, refused = [], []

    def attempt():
        time.sleep(0.01)
        made.append(1)
        return None, Use(usd=0.01)

    def call():
        try:
            service.call(attempt, VoiceError, estimate_usd=0.01)
        except BudgetError:
            refused.append(1)

    threads = [threading.Thread(target=call) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(made), len(refused)) == (5, 11)


def test_no_more_calls_at_once_than_allowed():
    service = Services({"s": Limits(at_once=2)}).named("s")
    now, most = [], []

    def attempt():
        now.append(1)
        most.append(len(now))
        time.sleep(0.005)
        now.pop()
        return None, Use()

    threads = [threading.Thread(target=service.call, args=(attempt, VoiceError)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(most) == 8 and max(most) <= 2


def test_calls_keep_their_pace():
    waits: list[float] = []
    service = Service("s", Limits(per_minute=60), sleep=waits.append)
    for _ in range(4):
        service.call(lambda: (None, Use()), VoiceError)
    assert [round(w) for w in waits] == [1, 2, 3]


def test_retry_after_is_read_as_seconds_and_as_a_date():
    assert retry_after_s({"Retry-After": "12"}) == 12
    at = datetime.now(UTC) + timedelta(seconds=30)
    asked = retry_after_s({"retry-after": format_datetime(at, usegmt=True)})
    assert asked is not None and 28 < asked <= 31
    assert retry_after_s({"retry-after": "soon"}) is None
    assert retry_after_s({}) is None
