"""Two versions of a thing, told as what changed in it, in a user's words."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any, TypeVar

T = TypeVar("T")

# Words of spaced scripts, and single characters of the others.
_TOKEN = re.compile(r"[A-Za-z0-9À-ɏͰ-ӿ]+|\s+|.", re.DOTALL)
_LONGEST = 60
_MOST_SPANS = 3
_MOST_COMPARED = 10_000

OF_THIS_VERSION = "this version of the program makes it otherwise"


def texts(name: str, old: str, new: str) -> str:
    """`text changed: "forty" → "fifty"`: only the words that differ, unless nearly all do."""
    if not old or not new:
        return f"{name} {'added' if new else 'removed'}: {quoted(new or old)}"
    spans = list(_spans(_TOKEN.findall(old), _TOKEN.findall(new)))
    told = ", ".join(_span(gone, come) for gone, come in spans[:_MOST_SPANS])
    if not spans or sum(len(a) + len(b) for a, b in spans) > 0.8 * (len(old) + len(new)):
        told = f"{quoted(old)} → {quoted(new)}"
    elif len(spans) > _MOST_SPANS:
        told += ", …"
    return f"{name} changed: {told}"


def values(name: str, old: Any, new: Any) -> list[str]:
    """What changed from `old` to `new`, a part at a time: `voice speed 1.0 → 1.1`."""
    if old == new:
        return []
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        told = []
        for key in dict.fromkeys([*old, *new]):
            told += values(f"{name} {key.replace('_', ' ')}".strip(), old.get(key), new.get(key))
        return told
    if isinstance(old, str) and isinstance(new, str) and max(len(old), len(new)) > 24:
        return [f"{name} changed"] if _is_digest(old + new) else [texts(name, old, new)]
    if _is_empty(old) or _is_empty(new):
        return [f"{name} {'removed' if _is_empty(new) else 'added'}: {shown(new or old)}"]
    return [f"{name} {shown(old)} → {shown(new)}"]


def shown(value: Any) -> str:
    """A setting as it stands in YAML."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(map(shown, value)) or "none"
    text = str(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def quoted(text: str) -> str:
    """`text` in quotes, its beginning if it is long."""
    text = " ".join(text.split())
    return f'"{text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"}"'


def paired(
    old: Sequence[T], new: Sequence[T], name: Callable[[T], str], text: Callable[[T], str]
) -> list[T | None]:
    """For each of `new` the one of `old` that it was, None for what is new.

    By name, then by text in order, by text wherever it stood, by likeness, and at
    last by its place between the same neighbours.
    """
    was: list[int | None] = [None] * len(new)
    named = {name(thing): at for at, thing in enumerate(old) if name(thing)}
    for at, thing in enumerate(new):
        if name(thing) in named:
            was[at] = named.pop(name(thing))
    taken = {at for at in was if at is not None}
    left = [at for at in range(len(old)) if at not in taken]
    come = [at for at in range(len(new)) if was[at] is None]
    gaps: list[tuple[list[int], list[int]]] = []
    for tag, a, b, c, d in _opcodes([text(old[i]) for i in left], [text(new[i]) for i in come]):
        if tag == "equal":
            for i, j in zip(range(a, b), range(c, d), strict=True):
                was[come[j]] = left[i]
        else:
            gaps.append((left[a:b], come[c:d]))
    _pair_moved(gaps, was, lambda i: text(old[i]), lambda j: text(new[j]))
    _pair_alike(gaps, was, lambda i: text(old[i]), lambda j: text(new[j]))
    paired_now = set(was)
    for gone, added in gaps:
        _pair_in_order([i for i in gone if i not in paired_now], added, was)
    return [None if at is None else old[at] for at in was]


def _pair_moved(
    gaps: list[tuple[list[int], list[int]]],
    was: list[int | None],
    old_text: Callable[[int], str],
    new_text: Callable[[int], str],
) -> None:
    places: dict[str, list[int]] = {}
    for gone, _ in gaps:
        for i in gone:
            places.setdefault(old_text(i), []).append(i)
    for _, added in gaps:
        for j in added:
            if found := places.get(new_text(j)):
                was[j] = found.pop(0)


def _pair_alike(
    gaps: list[tuple[list[int], list[int]]],
    was: list[int | None],
    old_text: Callable[[int], str],
    new_text: Callable[[int], str],
) -> None:
    """Pair what has more than half of its words in common, the most alike first."""
    taken = set(was)
    gone = [i for gap, _ in gaps for i in gap if i not in taken]
    added = [j for _, gap in gaps for j in gap if was[j] is None]
    if len(gone) * len(added) > _MOST_COMPARED:
        return
    alike = [
        (SequenceMatcher(None, old_text(i), new_text(j)).ratio(), -abs(i - j), i, j)
        for i in gone
        for j in added
    ]
    for ratio, _, i, j in sorted(alike, reverse=True):
        if ratio > 0.5 and was[j] is None and i not in taken:
            was[j] = i
            taken.add(i)


def _pair_in_order(gone: list[int], added: list[int], was: list[int | None]) -> None:
    """Pair as many lines as went with as many that came between the same neighbours."""
    added = [j for j in added if was[j] is None]
    if len(gone) == len(added):
        for i, j in zip(gone, added, strict=True):
            was[j] = i


def _opcodes(old: list[str], new: list[str]) -> Iterator[tuple[str, int, int, int, int]]:
    """difflib's, after what is the same at both ends, which is nearly all, is set aside."""
    n_same = 0
    while n_same < min(len(old), len(new)) and old[n_same] == new[n_same]:
        n_same += 1
    n_last = 0
    while n_last < min(len(old), len(new)) - n_same and old[-1 - n_last] == new[-1 - n_last]:
        n_last += 1
    yield "equal", 0, n_same, 0, n_same
    middle = SequenceMatcher(None, old[n_same : len(old) - n_last], new[n_same : len(new) - n_last])
    for tag, a, b, c, d in middle.get_opcodes():
        yield tag, a + n_same, b + n_same, c + n_same, d + n_same
    yield "equal", len(old) - n_last, len(old), len(new) - n_last, len(new)


def _spans(old: list[str], new: list[str]) -> Iterator[tuple[str, str]]:
    """The stretches of tokens that differ; those with only a space between them as one."""
    spans: list[list[int]] = []
    for tag, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            continue
        if spans and "".join(old[spans[-1][1] : a]).strip() == "":
            spans[-1][1], spans[-1][3] = b, d
        else:
            spans.append([a, b, c, d])
    for a, b, c, d in spans:
        yield "".join(old[a:b]).strip(), "".join(new[c:d]).strip()


def _span(gone: str, come: str) -> str:
    if not gone or not come:
        return f"{quoted(gone or come)} {'added' if come else 'removed'}"
    return f"{quoted(gone)} → {quoted(come)}"


def _is_digest(text: str) -> bool:
    return len(text) >= 64 and all(c in "0123456789abcdef" for c in text)


def _is_empty(value: Any) -> bool:
    return value is None or value in ("", [], {})
