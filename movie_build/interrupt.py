"""Ctrl-C and SIGTERM: a run ends at once, in order, with exit code 130 or 143."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from contextvars import copy_context
from types import FrameType

_by: int = 0
_told_by_the_run = False


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
