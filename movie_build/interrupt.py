"""Ctrl-C and SIGTERM: a run ends at once, in order, with exit code 130 or 143.

What a service has been asked for is waited for, as it may cost money: a second signal ends that.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import copy_context
from types import FrameType

from movie_build.errors import Stopped

_TURN_S = 0.1
# How long an answer under way is waited for. Who sends SIGTERM soon sends SIGKILL.
_PATIENCE_S = {signal.SIGINT: 60.0, signal.SIGTERM: 8.0}
_by: int = 0
_told_by_the_run = False
_n_asking = 0
_asking = threading.Condition()


def install() -> None:
    """From now on, either signal raises SystemExit in the main thread; a second one ends all."""
    if threading.current_thread() is not threading.main_thread():
        return
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _stop)
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _stop)


def apart(act: Callable[[], None]) -> None:
    """Run `act`; in a thread of its own if this is the main one.

    What a signal raises there could fall into a library's callback, and be lost.
    """
    if threading.current_thread() is not threading.main_thread():
        act()
        return
    from concurrent.futures import Future

    done: Future[None] = Future()

    def run() -> None:
        try:
            act()
        except BaseException as error:
            done.set_exception(error)
        else:
            done.set_result(None)

    threading.Thread(target=copy_context().run, args=(run,), daemon=True).start()
    done.result()


def signal_number() -> int:
    """The signal that stopped the run; 0 while none did."""
    return _by


@contextmanager
def asking() -> Iterator[None]:
    """While it lasts, a service is asked for something that may cost money, until that is kept.

    Raises:
        Stopped: the run is stopped; nothing new is asked for.
    """
    global _n_asking  # noqa: PLW0603
    with _asking:
        go_on()
        _n_asking += 1
    try:
        yield
    finally:
        with _asking:
            _n_asking -= 1
            _asking.notify_all()


def go_on() -> None:
    """Nothing, as long as the run is not stopped.

    Raises:
        Stopped: it is.
    """
    if _by:
        raise Stopped


def sleep(seconds: float) -> None:
    """Sleep so long, or until the run is stopped."""
    until_s = time.monotonic() + seconds
    while not _by and (left_s := until_s - time.monotonic()) > 0:
        time.sleep(min(left_s, _TURN_S))


def wait_for_answers() -> None:
    """After a signal: wait for what services have been asked for, as long as is bearable."""
    if not _by:
        return
    with _asking:
        if _n_asking:
            answers = "an answer" if _n_asking == 1 else f"{_n_asking} answers"
            print(f"waiting for {answers} under way; Ctrl-C again ends at once", file=sys.stderr)
        _asking.wait_for(lambda: not _n_asking, _PATIENCE_S.get(signal.Signals(_by), 0.0))


def will_be_told() -> None:
    """The run will say itself that it was stopped."""
    global _told_by_the_run  # noqa: PLW0603
    _told_by_the_run = True


def exit_code() -> int:
    """What a run that was stopped exits with, as a shell would say it."""
    return 128 + _by


def _stop(number: int, _frame: FrameType | None) -> None:
    global _by  # noqa: PLW0603
    if _by:
        os._exit(exit_code())
    _by = number
    if not _told_by_the_run:
        os.write(2, b"stopped before anything was made\n")
    raise SystemExit(exit_code())
