"""Which item of one list is which of another: by name, by equal content, by likeness."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

# How alike two texts are (Dice's coefficient of their trigrams) to be one, edited:
# between the same neighbours, and anywhere.
_ALIKE_IN_PLACE, _ALIKE_ANYWHERE = 0.35, 0.7
_MOST_COMPARED = 1_000_000


@dataclass(frozen=True, slots=True)
class Known:
    """An item by what it is recognised by: the `whole` of it, its `text`, of that its `name`."""

    id: str
    whole: Hashable
    name: str
    text: str


def align(old: Sequence[Known], new: Sequence[Known]) -> dict[int, int]:
    """The index in `new` of each item of `old` that is still there. Each is used once."""
    found: dict[int, int] = {}
    _by_id(old, new, found)
    _by_order([item.whole for item in old], [item.whole for item in new], found)
    _anywhere([item.whole for item in old], [item.whole for item in new], found)
    _by_order([item.name for item in old], [item.name for item in new], found)
    _by_likeness(old, new, found)
    return found


def _by_id(old: Sequence[Known], new: Sequence[Known], found: dict[int, int]) -> None:
    named = {item.id: at for at, item in enumerate(new) if item.id}
    for at, item in enumerate(old):
        if item.id in named:
            found[at] = named.pop(item.id)


def _by_order(old: Sequence[Hashable], new: Sequence[Hashable], found: dict[int, int]) -> None:
    """Pair what is equal and in the same order, around what is paired already."""
    taken = set(found.values())
    ours = [at for at in range(len(old)) if at not in found and old[at]]
    theirs = [at for at in range(len(new)) if at not in taken and new[at]]
    matcher = SequenceMatcher(None, [old[at] for at in ours], [new[at] for at in theirs], False)
    for block in matcher.get_matching_blocks():
        for n in range(block.size):
            found[ours[block.a + n]] = theirs[block.b + n]


def _anywhere(old: Sequence[Hashable], new: Sequence[Hashable], found: dict[int, int]) -> None:
    """Pair what is equal and has moved."""
    taken = set(found.values())
    places: defaultdict[Hashable, list[int]] = defaultdict(list)
    for at in reversed(range(len(new))):
        if at not in taken:
            places[new[at]].append(at)
    for at, item in enumerate(old):
        if at not in found and places[item]:
            found[at] = places[item].pop()


def _by_likeness(old: Sequence[Known], new: Sequence[Known], found: dict[int, int]) -> None:
    """Pair what was edited: the most alike first, with less asked of those in the same place."""
    taken = set(found.values())
    ours = [at for at in range(len(old)) if at not in found]
    theirs = [at for at in range(len(new)) if at not in taken]
    if len(ours) * len(theirs) > _MOST_COMPARED:
        return
    before, after = _gaps(found, len(old), len(new))
    theirs_by = {at: trigrams(new[at].text) for at in theirs}
    alike = []
    for one in ours:
        mine = trigrams(old[one].text)
        for other in theirs:
            if old[one].id and new[other].id:  # two names are two things
                continue
            alike_by = likeness(mine, theirs_by[other])
            in_place = before[one] < other < after[one]
            if alike_by >= (_ALIKE_IN_PLACE if in_place else _ALIKE_ANYWHERE):
                alike.append((-alike_by - in_place, abs(one - other), one, other))
    for _, _, one, other in sorted(alike):
        if one not in found and other not in taken:
            found[one] = other
            taken.add(other)


def _gaps(found: dict[int, int], n_old: int, n_new: int) -> tuple[list[int], list[int]]:
    """For each old item, the partners of its nearest paired neighbours."""
    before, after = [-1] * n_old, [n_new] * n_old
    for at in range(1, n_old):
        before[at] = found.get(at - 1, before[at - 1])
    for at in reversed(range(n_old - 1)):
        after[at] = found.get(at + 1, after[at + 1])
    return before, after


def trigrams(text: str) -> frozenset[str]:
    """What of a text `likeness` compares."""
    folded = f" {' '.join(text.casefold().split())} "
    return frozenset(folded[at : at + 3] for at in range(len(folded) - 2))


def likeness(one: frozenset[str], other: frozenset[str]) -> float:
    """How alike two texts are by their trigrams, from 0 to 1 (Dice's coefficient)."""
    return 2 * len(one & other) / (len(one) + len(other)) if one and other else 0.0
