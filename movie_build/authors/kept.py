"""Answers that were paid for, in files: looked at by people, and not paid for twice."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from movie_build.atomic import write_bytes
from movie_build.keys import digest, file_name, recipe

_VERSION = 1


class KeptAnswer(BaseModel):
    """An answer as it is kept: what was asked, what came, what it used. There is no key in it."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    part: str
    endpoint: str
    model: str
    tokens_in: int
    tokens_out: int
    usd: float
    messages: list[dict[str, str]]
    body: str


class KeptAnswers:
    """The answers in `folder`, each under the digest of its question; None keeps nothing."""

    def __init__(self, folder: Path | None, *, again: bool = False) -> None:
        self.folder = folder
        self._again = again

    def path(self, question: dict[str, object], part: str) -> Path | None:
        """Where the answer to `question` is, or will be."""
        if self.folder is None:
            return None
        key = digest(recipe("answer", _VERSION, question).encode("utf-8", "surrogatepass"))
        return self.folder / file_name(part, key, ".json")

    def get(self, path: Path | None) -> KeptAnswer | None:
        """The answer at `path`; none if it is not there, damaged, or not wanted."""
        if path is None or self._again:
            return None
        try:
            return KeptAnswer.model_validate_json(path.read_bytes())
        except (OSError, ValidationError):
            return None

    def put(self, path: Path | None, answer: KeptAnswer) -> None:
        """Keep `answer` at `path`."""
        if path is None:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        whole = json.dumps(answer.model_dump(), ensure_ascii=False, indent=1)
        write_bytes(path, f"{whole}\n".encode("utf-8", "backslashreplace"), durable=True)

    def set_aside(self, path: Path | None) -> None:
        """See that the answer at `path` is asked for anew, and can still be read."""
        if path is not None and path.exists():
            path.replace(path.with_suffix(".refused.json"))
