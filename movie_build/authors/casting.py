"""Who speaks in a script, and as what: the personas that take part, and their roles."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from movie_build.authors.llm_settings import Pool
from movie_build.config import Persona
from movie_build.errors import AuthorError

# The first explains, the second asks for the viewers, any others add to it.
ROLES = ("explainer", "asker", "commentator")


@dataclass(frozen=True, slots=True)
class Member:
    """A persona in its role, one of `ROLES`."""

    persona_id: str
    name: str
    role: str
    character: str = ""


def cast(personas: tuple[Persona, ...], pool: Pool | None, about: str) -> tuple[Member, ...]:
    """Those who speak, the explainer first; nobody by name where there are no personas.

    A pool is drawn by the digest of its seed, else of `about` (what the movie
    is about), and of each persona's id: the same in every run, and one persona
    more or less changes little.

    Raises:
        AuthorError: more are to be drawn than there are.
    """
    chosen = personas
    if pool:
        if pool.count > len(personas):
            raise AuthorError(
                f"{pool.count} are to be drawn, and there are {len(personas)} personas: "
                "add personas, or lower the count",
                at=pool.where,
            )
        seed = about if pool.seed is None else str(pool.seed)
        drawn = sorted(personas, key=lambda persona: _lot(seed, persona.id))
        chosen = tuple(drawn[: pool.count])
    return tuple(
        Member(persona.id, persona.name, ROLES[min(at, len(ROLES) - 1)], persona.character)
        for at, persona in enumerate(chosen)
    )


def _lot(seed: str, persona_id: str) -> bytes:
    return sha256(f"{seed}\0{persona_id}".encode("utf-8", "surrogatepass")).digest()
