"""Environment variables that say yes or no."""

from __future__ import annotations

import os


def flag(variable: str, default: bool = False) -> bool:
    """Whether an environment variable says yes; `default` where it says nothing."""
    said = os.environ.get(variable, "").strip().lower()
    return said not in ("0", "false", "no", "off") if said else default
