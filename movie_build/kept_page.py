"""Answers that were had once, kept in a folder: a head of JSON in one line, then the body."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from movie_build.atomic import write_bytes
from movie_build.fetch import Answer


def place(folder: Path, *recipe: str) -> Path:
    """Where in `folder` the answer is kept that `recipe` leads to: an address and how it is had."""
    said = "\n".join(recipe)
    return folder / f"{hashlib.sha256(said.encode()).hexdigest()[:16]}.page"


def remember(kept: Path, answer: Answer) -> None:
    """Keep `answer` as the file `kept`."""
    head = {
        "url": answer.url,
        "media_type": answer.media_type,
        "charset": answer.charset,
        "language": answer.language,
        "etag": answer.etag,
        "last_modified": answer.last_modified,
        "sha256": hashlib.sha256(answer.body).hexdigest(),
    }
    kept.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(kept, json.dumps(head).encode() + b"\n" + answer.body)


def recall(kept: Path) -> Answer | None:
    """What was kept as `kept`; nothing if it is not there or damaged."""
    try:
        line, _, body = kept.read_bytes().partition(b"\n")
        head = json.loads(line)
        if head.pop("sha256") != hashlib.sha256(body).hexdigest():
            return None
        return Answer(status=200, body=body, **head)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def conditions(known: Answer | None) -> dict[str, str]:
    """The headers that ask for an answer only if it is another than `known`."""
    if known is None:
        return {}
    given = {"If-None-Match": known.etag, "If-Modified-Since": known.last_modified}
    return {name: value for name, value in given.items() if value}
