"""A remote service during a run: how fast it is asked, how long it is waited for, what it costs."""

from __future__ import annotations

import email.utils
import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from movie_build import interrupt, telling
from movie_build.errors import BudgetError, MovieBuildError
from movie_build.ledger import NOTHING, Ledger, Use

T = TypeVar("T")

_FIRST_WAIT_S = 0.5
_LONGEST_WAIT_S = 30.0
# A service that asks for more patience than this is told of instead of waited for.
_LONGEST_ASKED_S = 300.0
_WORTH_TELLING_S = 10.0


class Retry(Exception):
    """An attempt failed in a way that may pass; `after_s` is the wait that the service asks for.

    A service that is `busy`, or asks for a wait, is left alone by everybody. `used` is what the
    attempt has probably cost all the same.
    """

    def __init__(
        self,
        reason: str,
        after_s: float | None = None,
        *,
        busy: bool | None = None,
        used: Use = NOTHING,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.after_s = after_s
        self.busy = after_s is not None if busy is None else busy
        self.used = used


@dataclass(frozen=True, slots=True)
class Limits:
    """How a service may be asked: calls a minute (None: no limit), calls at once, tries a call."""

    per_minute: float | None = None
    at_once: int = 4
    tries: int = 6


class Service:
    """One service, shared by all threads of a run."""

    def __init__(
        self,
        name: str,
        limits: Limits = Limits(),
        ledger: Ledger | None = None,
        *,
        sleep: Callable[[float], None] = interrupt.sleep,
    ) -> None:
        self.name = name
        self.limits = limits
        self.ledger = ledger or Ledger()
        self._places = threading.BoundedSemaphore(limits.at_once)
        self._sleep = sleep
        self._pace = threading.Lock()
        self._next_s = 0.0
        self._left_alone_until_s = 0.0

    def call(
        self,
        attempt: Callable[[], tuple[T, Use]],
        refuse: Callable[[str], MovieBuildError],
        *,
        estimate_usd: float = 0.0,
        closing: bool = False,
    ) -> T:
        """What `attempt` gives, tried again with growing, jittered waits while it raises `Retry`.

        `attempt` returns its result and what it used, which is counted, as is what a failed one
        has used. `refuse` makes the error to raise when patience is at an end.
        A call for `closing` is made also in a run that is stopped.

        Raises:
            BudgetError: the call could cost more than what is left.
            Stopped: the run is stopped.
            MovieBuildError: what `refuse` made, or what `attempt` raised.
        """
        for n in range(1, self.limits.tries + 1):
            try:
                return self._attempt(attempt, estimate_usd, closing)
            except Retry as failure:
                wait_s = self._wait_s(n, failure)
                if failure.busy:
                    self._leave_alone(wait_s)
                if n == self.limits.tries or wait_s > _LONGEST_ASKED_S:
                    raise refuse(f"{self.name}: {failure.reason}{_told(n, wait_s)}") from failure
                alone = failure.busy
            if not alone:  # else it waits with all others for its turn
                self._sleep(wait_s)
        raise AssertionError("unreachable: the last try returns or raises")

    def estimate(self, usd: float | None, model: str, unit: str) -> float:
        """What a call of `model` may cost at most; None is a price that is not known.

        `unit` is what `prices` in movie.yaml would tell the price of.

        Raises:
            BudgetError: it is not known, and there is a budget to hold.
        """
        if usd is None and self.ledger.budget_usd is not None:
            raise BudgetError(
                f"{self.name}: a budget cannot be held while the price of {model!r} is not known; "
                f"add `{model}: {{{unit}: …}}` to `prices` in movie.yaml (0 if it is free)"
            )
        return usd or 0.0

    def _attempt(
        self, attempt: Callable[[], tuple[T, Use]], estimate_usd: float, closing: bool
    ) -> T:
        """One attempt, at a place among the calls under way, with its price set aside."""
        with self._places:
            self._take_turn()
            if not closing:
                interrupt.go_on()
            self.ledger.reserve(self.name, estimate_usd)
            use = NOTHING
            try:
                result, use = attempt()
                return result
            except Retry as failure:
                use = failure.used
                raise
            finally:
                self.ledger.settle(self.name, estimate_usd, use)

    def _take_turn(self) -> None:
        """Wait for the pace, and while the service is to be left alone.

        Raises:
            Retry: that is for longer than anybody waits.
        """
        if self.limits.per_minute is not None:
            with self._pace:
                now = time.monotonic()
                wait_s = max(0.0, self._next_s - now)
                self._next_s = max(now, self._next_s) + 60.0 / self.limits.per_minute
            if wait_s:
                self._sleep(wait_s)
        waited_until_s = 0.0
        # Another call may hear meanwhile that it takes longer.
        while (until_s := self._left_alone_until_s) > max(waited_until_s, time.monotonic()):
            wait_s = until_s - time.monotonic()
            if wait_s > _LONGEST_ASKED_S:
                raise Retry("it has asked to be left alone", wait_s)
            self._sleep(wait_s)
            waited_until_s = until_s

    def _leave_alone(self, wait_s: float) -> None:
        with self._pace:
            until_s = time.monotonic() + wait_s
            longer_s = until_s - max(self._left_alone_until_s, time.monotonic())
            self._left_alone_until_s = max(self._left_alone_until_s, until_s)
        if longer_s >= _WORTH_TELLING_S and wait_s <= _LONGEST_ASKED_S:
            telling.warn(f"{self.name} is busy, and is asked again in {wait_s:.0f} s")

    @staticmethod
    def _wait_s(n: int, failure: Retry) -> float:
        growing = min(_LONGEST_WAIT_S, _FIRST_WAIT_S * 2.0 ** (n - 1)) * random.uniform(0.5, 1.0)
        return growing if failure.after_s is None else max(failure.after_s, 0.0) + growing * 0.1


def _told(n_tries: int, wait_s: float) -> str:
    if wait_s > _LONGEST_ASKED_S:
        return f"; it asks to wait {wait_s:.0f} s: run doit again then, what is finished stays so"
    return f" (tried {n_tries} times); run doit again later, what is finished stays so"


def retry_after_s(headers: Mapping[str, str], now_s: float | None = None) -> float | None:
    """The seconds that `Retry-After` asks for, written as seconds or a date (RFC 9110 10.2.3)."""
    value = headers.get("retry-after", headers.get("Retry-After", "")).strip()
    if not value:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        at = email.utils.parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, at.timestamp() - (time.time() if now_s is None else now_s))


def may_pass(status: int) -> bool:
    """Whether an HTTP status is worth another try."""
    return status in (408, 409, 425, 429) or status >= 500


class Services:
    """The services of one run, by name: one limiter and one account each."""

    def __init__(
        self, limits: Mapping[str, Limits] | None = None, ledger: Ledger | None = None
    ) -> None:
        self._limits = dict(limits or {})
        self.ledger = ledger or Ledger()
        self._services: dict[str, Service] = {}
        self._lock = threading.Lock()

    def named(self, name: str, usual: Limits = Limits()) -> Service:
        """The service called `name`, with the user's limits for it, else the usual ones."""
        with self._lock:
            if name not in self._services:
                limits = replace(self._limits.get(name, usual), tries=usual.tries)
                self._services[name] = Service(name, limits, self.ledger)
            return self._services[name]
