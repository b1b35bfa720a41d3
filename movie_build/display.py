"""A run while it works: a steady display on a terminal, else a plain line now and then.

Nothing is shown of a run that is over in a moment, and nothing is imported for it.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from movie_build import pace, telling
from movie_build.config import Price
from movie_build.report import STEPS
from movie_build.store import default_folder

if TYPE_CHECKING:
    from rich.console import Group

    from movie_build.plan import Plan
    from movie_build.session import Session
    from movie_build.units import Unit

_SHOWN_AFTER_S = 0.4
_TICK_S = 0.1
_LINE_EVERY_S = 5.0
_BAR_WIDTH = 20
# Working out what is to be done takes about a second for so many units: not for a short run.
_UNITS_A_SECOND = 20_000
# What takes so many times longer than was thought may take any time.
_OVERRUN = 2
_VERBS = {
    "script": "writing",
    "audio": "speaking",
    "slide": "drawing",
    "picture": "encoding",
    "movie": "joining",
}


@dataclass(frozen=True, slots=True)
class StepState:
    """Where a step is: `done` of `total` units; `current` is what it works at."""

    step: str
    done: int
    total: int
    at_work: bool
    current: str
    note: str = ""


class Display:
    """Shows the runs of `sessions` on stderr, from a thread of its own, until it is ended."""

    def __init__(self, sessions: Sequence[Session]) -> None:
        self._state = _State(sessions)
        self._over = threading.Event()
        self._guard = threading.Lock()
        self._thread: threading.Thread | None = None

    def begin(self) -> None:
        """There is work now; to be called at each unit."""
        if self._thread is None:
            with self._guard:
                if self._thread is None and not self._over.is_set():
                    self._thread = threading.Thread(target=self._run, daemon=True)
                    self._thread.start()

    def end(self) -> None:
        """Show nothing any more, and leave the terminal as it was."""
        with self._guard:
            self._over.set()
        if self._thread:
            self._thread.join()

    def _run(self) -> None:
        if self._over.wait(_SHOWN_AFTER_S):
            return
        shape: _Shape = _Moving() if telling.moves() else _Lines()
        try:
            while True:
                self._state.look_ahead()
                shape.show(self._state)
                if self._over.wait(_TICK_S):
                    return
        finally:
            shape.close()


class _Shape(Protocol):
    """How the state is shown."""

    def show(self, state: _State) -> None:
        """Show how it is now; called ten times a second."""

    def close(self) -> None:
        """Leave the terminal as it was."""


class _State:
    """What is known of the runs, read from their sessions while other threads work."""

    def __init__(self, sessions: Sequence[Session]) -> None:
        self.sessions = sessions
        self.began = time.monotonic()
        self._plans: dict[Session, tuple[Plan, Counter[str]]] = {}
        self._units: dict[tuple[str, str], Unit] = {}
        self._paces = pace.known(default_folder())

    def look_ahead(self) -> None:
        """Work out what the runs have before them, where their scripts are written."""
        from movie_build.plan import plan_graphs
        from movie_build.units import units_of

        ran_s = time.monotonic() - self.began
        for session in self.sessions:
            if session in self._plans or len(session.units) > ran_s * _UNITS_A_SECOND:
                continue
            graphs = [edition.graph_if_known for edition in session.editions]
            known = [graph for graph in graphs if graph is not None]
            if known and len(known) == len(graphs):
                self._units |= {(unit.step, unit.name): unit for unit in units_of(*known)}
                done = self._done(session)
                plan = plan_graphs(
                    known, session.bench, self._paces, lambda _: Price(), ask_store=False
                )
                self._plans[session] = plan, done

    def steps(self) -> list[StepState]:
        """The steps that have units, in order."""
        done: Counter[str] = Counter()
        total: Counter[str] = Counter()
        at_work: dict[str, str] = {}
        notes: dict[str, str] = {}
        for session in self.sessions:
            done += self._done(session)
            total.update(list(session.units.values()))
            total += session.n_fresh
            for unit in sorted(session.at_work.items(), key=lambda item: item[1]):
                at_work.setdefault(unit[0][0], self._told(*unit[0]))
            notes |= {step: str(note) for step, note in list(session.notes.items())}
        return [
            StepState(
                step,
                done[step],
                max(total[step], done[step]),
                step in at_work,
                at_work.get(step, ""),
                notes.get(step, "") if step in at_work else "",
            )
            for step in STEPS
            if total[step] or step in at_work
        ]

    def to_make(self, step: str) -> int | None:
        """How many units of `step` are still to be made; None while it is not known."""
        if len(self._plans) < len(self.sessions):
            return None
        left = 0
        for session, (plan, before) in self._plans.items():
            planned = plan.steps.get(step)
            if planned:
                left += max(0, planned.make - self._worked(session, step) + before[f"{step} made"])
        return left

    def left(self) -> str:
        """About how much time is left, in words; empty while nothing can be told of it.

        Nothing can when something takes far longer than was thought, as a server that hangs.
        """
        seconds, whole = 0.0, True
        longest = self._longest_at_work()
        for step in STEPS:
            left = self.to_make(step)
            if left is None:
                return ""
            if not left:
                continue
            counts = [session.steps[step] for session in self.sessions]
            made = sum(count.made for count in counts)
            if made >= 3:
                each_s = sum(count.seconds for count in counts) / made
                step_s = max(each_s, left * each_s / (os.cpu_count() or 1))
            elif (planned_s := self._planned_s(step)) is not None:
                step_s = planned_s
            else:
                whole = False  # this machine has not done it yet
                continue
            if longest[step] > _OVERRUN * step_s + 1:
                return ""
            seconds += max(0.0, step_s - longest[step])
        return f"{'about' if whole else 'at least'} {_time(seconds)} left" if seconds else ""

    def _longest_at_work(self) -> dict[str, float]:
        """For how many seconds the oldest unit of each step has been at work."""
        now = time.monotonic()
        longest = dict.fromkeys(STEPS, 0.0)
        for session in self.sessions:
            for (step, _), began in list(session.at_work.items()):
                longest[step] = max(longest[step], now - began)
        return longest

    def _planned_s(self, step: str) -> float | None:
        planned = [plan.steps[step].seconds for plan, _ in self._plans.values()]
        known = [seconds for seconds in planned if seconds is not None]
        return sum(known) if len(known) == len(planned) else None

    def _done(self, session: Session) -> Counter[str]:
        """Units that are over, by step; and those of them that took work, as `STEP made`."""
        done: Counter[str] = Counter()
        for step, count in session.steps.items():
            done[step] = count.made + count.reused + count.failed
            done[f"{step} made"] = self._worked(session, step)
        return done

    @staticmethod
    def _worked(session: Session, step: str) -> int:
        return session.steps[step].made + session.steps[step].failed

    def _told(self, step: str, name: str) -> str:
        unit = self._units.get((step, name))
        if unit is None:
            return name
        label = unit.label.removeprefix(f"{step} ")
        return f"{label} {unit.title}" if step == "audio" else label


class _Lines:
    """A line as each step begins, and one every five seconds."""

    def __init__(self) -> None:
        self._begun: set[str] = set()
        self._notes: set[str] = set()
        self._last = time.monotonic()
        self._bold = ("\x1b[1m", "\x1b[0m") if telling.has_colors() else ("", "")

    def show(self, state: _State) -> None:
        now = time.monotonic()
        steps = state.steps()
        for step in steps:
            if step.at_work and step.step not in self._begun:
                self._begun.add(step.step)
                self._last = now
                self._write(step.step, _begins(step, state.to_make(step.step)))
            if step.note and step.note[-1:] != "%" and step.note not in self._notes:
                self._note(step, now)
        if now - self._last >= _LINE_EVERY_S:
            self._last = now
            for step in steps:
                if step.at_work:
                    told = [f"{step.done:,} of {step.total:,}", step.note or step.current]
                    told.append(state.left())
                    self._write(step.step, "; ".join(part for part in told if part))
                    return

    def close(self) -> None:
        """Nothing to undo."""

    def _note(self, step: StepState, now: float) -> None:
        """What a step says is told once, and at most every second: it may count."""
        if now - self._last >= 1 or not self._notes:
            self._notes.add(step.note)
            self._last = now
            self._write(step.step, step.note)

    def _write(self, step: str, what: str) -> None:
        on, off = self._bold
        print(f"{on}{step:<8}{off} {what}", file=sys.stderr, flush=True)


class _Moving:
    """A table that is drawn over and over: a bar a step, and the time that is left."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.live import Live

        console = Console(stderr=True, force_terminal=True, no_color=not telling.has_colors())
        self._live = Live(
            console=console, auto_refresh=False, transient=True, redirect_stdout=False
        )
        self._live.start()

    def show(self, state: _State) -> None:
        self._live.update(self._drawn(state), refresh=True)

    def close(self) -> None:
        self._live.stop()

    def _drawn(self, state: _State) -> Group:
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        steps = state.steps()
        count_width = max((2 * len(f"{step.total:,}") + 1 for step in steps), default=0)
        table = Table.grid(padding=(0, 1), expand=True)
        # Widths that are told are kept: only what a step works at is cut to the terminal's.
        for width in (max(map(len, STEPS)), _BAR_WIDTH, count_width):
            table.add_column(no_wrap=True, width=width)
        table.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
        for step in steps:
            total = max(1, step.total)
            bar = ProgressBar(total, step.done, width=_BAR_WIDTH, pulse=not step.total)
            table.add_row(
                Text(step.step, style="bold" if step.at_work else "dim"),
                bar,
                Text(f"{step.done:,}/{step.total:,}"),
                Text(step.note or step.current, style="cyan"),
            )
        ran_s = time.monotonic() - state.began
        foot = ", ".join(filter(None, (_time(ran_s), state.left())))
        return Group(table, Text(foot, style="dim"))


def _begins(step: StepState, to_make: int | None) -> str:
    if step.total <= 1:
        return f"{_VERBS[step.step]}{f': {step.note}' if step.note else ''}"
    left = step.total - step.done if to_make is None else to_make
    there = f"; {step.total - left:,} are there" if left < step.total else ""
    return f"{_VERBS[step.step]} {left:,}{there}"


def _time(seconds: float) -> str:
    if seconds < 60:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds) // 60}:{round(seconds) % 60:02} min"
