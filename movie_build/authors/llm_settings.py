"""What the author that asks a model is told: which model, what is wanted, at what price."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from movie_build.config import Persona
from movie_build.errors import Where


@dataclass(frozen=True, slots=True)
class Pool:
    """How many of the personas take part; another `seed` gives others. `where` the user says so."""

    count: int = 2
    seed: int | None = None
    where: Where | None = None


@dataclass(frozen=True, slots=True)
class LlmSettings:
    """Everything that decides what is asked, of whom.

    Empty `provider` and `base_url` leave the choice to the environment (see
    `endpoint`). `language` is the script's; empty is the article's.
    `window_tokens` is what the model takes in and gives out in one call;
    `max_output_tokens` None leaves its answer's length to the service. A
    price of None is not known. Answers are kept in the folder `keep`, and
    not paid for again unless `again`. `prompts` is the folder of the user's
    own prompts.
    """

    model: str = ""
    provider: str = ""
    base_url: str = ""
    language: str = ""
    max_minutes: float = 10.0
    character: str = ""
    style: str = ""
    personas: tuple[Persona, ...] = ()
    pool: Pool | None = None
    slide_prompts: bool = False
    window_tokens: int = 32_000
    max_output_tokens: int | None = None
    temperature: float | None = None
    usd_per_million_in: float | None = None
    usd_per_million_out: float | None = None
    timeout_s: float = 600.0
    n_repairs: int = 2
    keep: Path | None = None
    prompts: Path | None = None
    again: bool = False
