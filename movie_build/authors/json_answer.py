"""The JSON in a model's answer, which may stand among reasoning, greetings and fences."""

from __future__ import annotations

import json
import re

_THOUGHT = re.compile(r"<(think|thinking|reasoning)>.*?(?:</\1>|\Z)", re.DOTALL | re.IGNORECASE)
_MOST_TRIES = 500


class NoJson(ValueError):
    """There is no JSON object in a text; the message says where it breaks off."""


def script_in(text: str) -> object:
    """The last outermost object with `sections` in `text`, else the first object of any kind.

    Raises:
        NoJson: there is none.
    """
    text = text.strip().removeprefix("\ufeff")
    try:
        whole = json.loads(text)
        if isinstance(whole, dict) and "sections" in whole:
            return whole
    except (ValueError, RecursionError):
        pass
    # Thoughts may hold drafts; a thought that never ends leaves nothing else to look at.
    for place in (_THOUGHT.sub("", text), text):
        found = _objects(place)
        scripts = [one for one in found if "sections" in one]
        if scripts:
            return scripts[-1]
        if found:
            return found[0]
    raise NoJson(_why(text))


def _objects(text: str) -> list[dict[str, object]]:
    """The objects in `text`, outermost first; one that is no script is looked into as well."""
    decoder = json.JSONDecoder()
    found: list[dict[str, object]] = []
    at = text.find("{")
    for _ in range(_MOST_TRIES):
        if at < 0:
            break
        end = at + 1
        try:
            value, after = decoder.raw_decode(text, at)
            if isinstance(value, dict):
                found.append(value)
                end = after if "sections" in value else end
        except (ValueError, RecursionError):
            pass
        at = text.find("{", end)
    return found


def _why(text: str) -> str:
    start = text.find("{")
    if start < 0:
        return "there is no JSON object in it"
    try:
        json.JSONDecoder().raw_decode(text, start)
    except json.JSONDecodeError as error:
        return f"the JSON is not well formed: {error.msg} at character {error.pos - start + 1}"
    except RecursionError:
        return "the JSON is nested too deeply"
    return "there is no JSON object in it"
