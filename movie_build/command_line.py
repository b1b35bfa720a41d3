"""What doit is asked for: whether it is everything, or certain tasks."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextvars import ContextVar
from pathlib import Path

# Set where doit is run from within this program, not by its own command.
given: ContextVar[Sequence[str] | None] = ContextVar("given", default=None)

_WITH_VALUE = ("-n", "--process", "-P", "--parallel-type", "-v", "--verbosity")
_ALONE = ("run", "--continue", "-c", "--no-continue")


def asks_for_everything() -> bool:
    """Whether doit runs the default tasks, and may leave out those with nothing to do.

    Anything it does not know for certain counts as no: it costs time, not truth.
    """
    args = _args()
    if args is None:
        return False
    rest = iter(args)
    for arg in rest:
        if arg in _WITH_VALUE:
            next(rest, None)
        elif arg not in _ALONE and not (arg.startswith("-n") and arg[2:].isdigit()):
            return False
    return True


def asks_to_keep_going() -> bool:
    """Whether doit is to make what it can after a failure."""
    return not {"-c", "--continue"}.isdisjoint(_args() or ())


def _args() -> Sequence[str] | None:
    """What doit is given; None where that is not known."""
    args = given.get()
    if args is None:
        program = Path(sys.argv[0])
        if program.name != "doit" and program.parent.name != "doit":
            return None
        args = sys.argv[1:]
    return args
