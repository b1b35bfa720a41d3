"""What a step says while it works: any step reports, whoever runs it listens.

A listener is heard in the thread or asyncio task that set it, so several runs
in one process do not hear one another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a unit of `step` is: `done` of `total`, in whatever it counts, where it can tell."""

    step: str
    message: str
    done: int | None = None
    total: int | None = None

    def __str__(self) -> str:
        if self.done is None:
            return self.message
        if not self.total:
            return f"{self.message} {self.done:,}".strip()
        return f"{self.message} {100 * self.done // self.total} %".strip()


Listener: TypeAlias = Callable[[Progress], None]

_listener: ContextVar[Listener | None] = ContextVar("listener", default=None)


def report(step: str, message: str, done: int | None = None, total: int | None = None) -> None:
    """Say where a step is. Costs nothing to speak of where nobody listens."""
    listener = _listener.get()
    if listener:
        listener(Progress(step, message, done, total))


def told(step: str) -> Callable[[str], None]:
    """What takes messages of `step` to the present listener, from any thread and later."""
    listener = _listener.get()
    if listener is None:
        return lambda _: None
    return lambda message: listener(Progress(step, message))


@contextmanager
def heard_by(listener: Listener) -> Iterator[None]:
    """Inside the block, `listener` hears what is reported."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)
