"""The three-way merge of scripts: the last draft, the user's script, the new draft.

What only one side has changed is taken from it. Where both have changed the
same, the user's stays in force, and the draft's is written above it:

    # >>> new draft, text: it is changed there too; yours is in force
    # - What the new draft says.
    # <<<
    - What the user says.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from movie_build.alignment import align
from movie_build.errors import Mistake, Where
from movie_build.script_edit import (
    CLOSING,
    NAMES,
    add_note,
    comments_of,
    moved,
    opening,
    remove_entry,
    set_value,
    shown_field,
    shown_item,
)
from movie_build.script_text import Entry, Item, Note
from movie_build.script_things import Fields, Thing, Version, checked, ids_of

Prefer: TypeAlias = Literal["", "mine", "theirs"]
_Node: TypeAlias = tuple[Literal["mine", "theirs"], int]

# A reading is that of its text: they change together.
_TOGETHER = {"text": ("text", "reading"), "reading": ()}
_BOTH = "it is changed there too; yours is in force"
_SHARED = "it is changed there; here it has an anchor or alias, so change it by hand"
_REMOVED = "it is gone there, and you changed it here; it stays"
_LAST = "it is gone there, and you removed all that is left there; it stays"
_CHANGED = "it is changed there, and you removed it here; it stays away"
_ORDER = "it has another order there, and so have you; yours is in force"


@dataclass(frozen=True, slots=True)
class Merged:
    """The merged script, and the places in it where both sides had changed the same."""

    text: str
    conflicts: tuple[Mistake, ...] = ()


def merge(base: str, mine: str, theirs: str, *, name: str, prefer: Prefer = "") -> Merged:
    """`mine` with what changed from `base` to `theirs`; `name` is what the script's file is called.

    `prefer` is who wins where both have changed the same; by default it is
    mine, with theirs as a comment.

    Raises:
        InputError: one of the three is no valid script.
    """
    newline = "\r\n" if "\r\n" in mine else "\n"
    theirs = theirs.replace("\n", newline)
    if mine.replace("\r\n", "\n") == base.replace("\r\n", "\n"):
        return Merged(theirs)
    old = Version(base, f"the last draft of {name}")
    new = Version(theirs, f"the new draft of {name}")
    if old.whole == new.whole:
        return Merged(mine)
    return _Merge(old, Version(mine, name), new, prefer).merged()


class _Merge:
    """One merge: `mine` is edited in place."""

    def __init__(self, base: Version, mine: Version, theirs: Version, prefer: Prefer) -> None:
        self.base, self.mine, self.theirs = base, mine, theirs
        self.prefer = prefer
        self.newline = mine.text.newline
        # What came from the new draft, and may have an id that is taken.
        self.given: list[Item] = []

    def merged(self) -> Merged:
        top = self.mine.top
        assert top.item and top.item.entries
        self._fields(self.base.top, top, self.theirs.top, "the script")
        self._items(self.base.sections, self.mine.sections, self.theirs.sections, self.mine.holder)
        first = top.item.entries[0]
        first.lead, top.item.lead = [*first.lead, *top.item.lead], []
        name = self.mine.name
        twice = {
            id for id, n in Counter(ids_of(self.mine.text.written()[0], name)).items() if n > 1
        }
        for item in self.given if twice else ():
            self._give_up_ids(item, twice)
        text, notes = self.mine.text.written()
        checked(text, name)
        return Merged(text, tuple(Mistake(Where(name, line), note.told) for line, note in notes))

    def _give_up_ids(self, item: Item, taken: set[str]) -> None:
        """Leave the ids in `taken` to those that had them before."""
        entry = item.entry("id")
        if entry and entry.value.text.strip("\"'") in taken:
            remove_entry(item, entry, self.newline)
        for one in item.entries or ():
            for inner in one.items or ():
                self._give_up_ids(inner, taken)

    def _fields(self, old: Thing | None, mine: Thing, new: Thing, told: str) -> None:
        """Merge the fields of a thing that all sides have; `old` is None where two added it."""
        taken: list[str] = []
        noted: list[tuple[str, str]] = []
        for name in mine.fields:
            group = _TOGETHER.get(name, (name,))
            was, ours, theirs = (_values(one, group) for one in (old, mine, new))
            if theirs in (was, ours):
                continue
            if self._is_shared(mine, group):
                noted.append((name, _SHARED))
            elif ours == was or self.prefer == "theirs":
                taken.append(name)
            elif not self.prefer:
                noted.append((name, _BOTH))
        if "recording" in mine.fields and not _says_something(mine.fields, new.fields, taken):
            noted += [(name, _BOTH) for name in taken]
            taken = []
        for name in taken:
            self._take(mine, new, name)
        for name, why in noted:
            self._note_field(mine, new, name, why, told)

    @staticmethod
    def _is_shared(mine: Thing, group: Sequence[str]) -> bool:
        assert mine.item
        if mine.item.entries is None:
            return mine.item.value.shared
        entries = [mine.item.entry(*NAMES.get(name, (name,))) for name in group]
        return any(entry and entry.value.shared for entry in entries)

    def _take(self, mine: Thing, new: Thing, name: str) -> None:
        assert mine.item and new.item
        for one in _TOGETHER.get(name, (name,)):
            if mine.fields.get(one) != new.fields.get(one):
                set_value(mine.item, one, new.item, self.newline)
        if name == "id":
            self.given.append(mine.item)

    def _note_field(self, mine: Thing, new: Thing, name: str, why: str, told: str) -> None:
        assert mine.item and new.item
        if mine.item.entries is None and new.item.entries is None:
            shown = shown_item(new.item)
        else:
            group = _TOGETHER.get(name, (name,))
            differing = [one for one in group if mine.fields.get(one) != new.fields.get(one)]
            shown = [line for one in differing for line in shown_field(new.item, one)]
        entry = mine.item.entry(*NAMES.get(name, (name,)))
        add_note(mine.item, _note(name, why, shown, told), entry)

    def _items(
        self, old: Sequence[Thing], mine: Sequence[Thing], new: Sequence[Thing], holder: Entry
    ) -> None:
        """Merge the sections of a script, or the lines of a section; `holder` has mine."""
        if [one.whole for one in old] == [one.whole for one in new]:
            return
        assert holder.items is not None
        pairing = _Pairing(old, mine, new)
        dropped = self._dropped(pairing, old, mine)
        gone = pairing.changed_but_removed(old, new)
        added = pairing.only_new(len(new))
        if self.prefer == "theirs":
            added = sorted([*added, *gone])
        if len(dropped) == len(mine) and not added:
            # What is left in the new draft was removed here, and an empty list is no script.
            if self.prefer == "theirs":
                added = list(range(len(new)))
            else:
                for ours in dropped if not self.prefer else ():
                    self._note_item(mine[ours], _LAST)
                dropped = set()
        for theirs, ours in pairing.twins.items():
            if ours not in dropped:
                before = pairing.old_of_new.get(theirs)
                self._thing(None if before is None else old[before], mine[ours], new[theirs])
        self._arrange(mine, new, holder, _Order(pairing, dropped, added), gone)

    def _dropped(self, pairing: _Pairing, old: Sequence[Thing], mine: Sequence[Thing]) -> set[int]:
        """Which of mine are to go, because they did in the new draft."""
        dropped = set()
        for at, ours in pairing.mine.items():
            if at in pairing.new:
                continue
            if mine[ours].whole == old[at].whole or self.prefer == "theirs":
                dropped.add(ours)
            elif not self.prefer:
                self._note_item(mine[ours], _REMOVED)
        return dropped

    def _thing(self, old: Thing | None, mine: Thing, new: Thing) -> None:
        """Merge a section or a line that all sides have."""
        if (old and old.whole == new.whole) or mine.whole == new.whole:
            return
        assert mine.item
        if mine.item.value.shared:
            if self.prefer != "mine" or (old and old.whole == mine.whole):
                assert new.item
                note = _note(mine.kind, _SHARED, shown_item(new.item), mine.told())
                add_note(mine.item, note)
            return
        mine.open(self.newline)
        self._fields(old, mine, new, mine.told())
        lines = old.lines if old else ()
        if [line.whole for line in lines] == [line.whole for line in new.lines]:
            return
        holder = mine.open_lines(self.newline)
        if holder:
            self._items(lines, mine.lines, new.lines, holder)
        elif new.lines:
            assert new.item
            note = _note("lines", _SHARED, shown_item(new.item), mine.told())
            add_note(mine.item, note)

    def _note_item(self, thing: Thing, why: str) -> None:
        assert thing.item
        add_note(thing.item, _note(thing.kind, why, (), thing.told()))

    def _arrange(
        self,
        mine: Sequence[Thing],
        new: Sequence[Thing],
        holder: Entry,
        order: _Order,
        gone: Sequence[int],
    ) -> None:
        """Bring the items of `holder` into their order, with the new ones, without the dropped."""
        assert holder.items
        col = holder.items[0].col
        self._leave_comments(holder, order.dropped)
        items: dict[_Node, Item] = {("mine", at): item for at, item in enumerate(holder.items)}
        for at in order.added:
            given = new[at].item
            assert given
            items["theirs", at] = moved(given, col - given.col)
            self.given.append(items["theirs", at])
        nodes = order.nodes(len(mine), len(new), theirs_first=self.prefer == "theirs")
        holder.items = [items[node] for node in nodes]
        if order.both_moved and not self.prefer:
            note = _note("order", _ORDER, (), "the order")
            add_note(holder.items[0], note)
        for at in gone if not self.prefer else ():
            lost = new[at].item
            assert lost
            note = _note(f"{new[at].kind} you removed", _CHANGED, shown_item(lost), new[at].told())
            after = [node for node in order.of_new(len(new))[at + 1 :] if node in items]
            following = next((node for node in after if node in nodes), None)
            if following:
                add_note(items[following], note)
            else:
                holder.trail.append(note)

    def _leave_comments(self, holder: Entry, dropped: set[int]) -> None:
        assert holder.items is not None
        for at in sorted(dropped, reverse=True):
            kept = list(comments_of(holder.items[at], self.newline))
            following = next(
                (n for n in range(at + 1, len(holder.items)) if n not in dropped), None
            )
            if following is None:
                holder.trail[:0] = kept
            else:
                holder.items[following].lead[:0] = kept


class _Pairing:
    """Which items of three lists are the same.

    `mine` and `new` give the index there of each old one; `twins` that in mine of each in new.
    """

    def __init__(self, old: Sequence[Thing], mine: Sequence[Thing], new: Sequence[Thing]) -> None:
        of_old, of_mine, of_new = ([one.known for one in side] for side in (old, mine, new))
        self.mine = align(of_old, of_mine)
        self.new = align(of_old, of_new)
        self.old_of_new = {theirs: at for at, theirs in self.new.items()}
        self.twins = {self.new[at]: self.mine[at] for at in sorted(self.mine) if at in self.new}
        # Both have added the same.
        left = set(range(len(mine))) - set(self.mine.values())
        for theirs in range(len(new)):
            if theirs in self.old_of_new:
                continue
            one = of_new[theirs]
            for ours in sorted(left):
                other = of_mine[ours]
                if one.whole == other.whole or (one.id and one.id == other.id):
                    self.twins[theirs] = ours
                    left.discard(ours)
                    break

    def changed_but_removed(self, old: Sequence[Thing], new: Sequence[Thing]) -> list[int]:
        """Which of the new draft's were changed there, and removed by the user."""
        pairs = [(at, theirs) for at, theirs in self.new.items() if at not in self.mine]
        return [theirs for at, theirs in pairs if new[theirs].whole != old[at].whole]

    def only_new(self, n_new: int) -> list[int]:
        """Which of the new draft's are nowhere else."""
        return [at for at in range(n_new) if at not in self.old_of_new and at not in self.twins]


class _Order:
    """The order of a merged list: mine, unless only the new draft has moved something."""

    def __init__(self, pairing: _Pairing, dropped: set[int], added: Sequence[int]) -> None:
        self.twins = {new: ours for new, ours in pairing.twins.items() if ours not in dropped}
        self.dropped = dropped
        self.added = frozenset(added)
        old = [at for at in sorted(pairing.mine) if at in pairing.new]
        old = [at for at in old if pairing.mine[at] not in dropped]
        ours, theirs = [pairing.mine[at] for at in old], [pairing.new[at] for at in old]
        self._i_moved, self._they_moved = ours != sorted(ours), theirs != sorted(theirs)
        same = [self.twins[at] for at in sorted(theirs)] == sorted(ours)
        self.both_moved = self._i_moved and self._they_moved and not same

    def of_new(self, n_new: int) -> list[_Node | None]:
        """The new draft's items as they are in the result; None for those that are not."""
        return [
            ("mine", self.twins[at])
            if at in self.twins
            else ("theirs", at)
            if at in self.added
            else None
            for at in range(n_new)
        ]

    def nodes(self, n_mine: int, n_new: int, *, theirs_first: bool) -> list[_Node]:
        """The items of the result, in order."""
        ours: list[_Node] = [("mine", at) for at in range(n_mine) if at not in self.dropped]
        theirs = [node for node in self.of_new(n_new) if node]
        if self._they_moved and (theirs_first or not self._i_moved):
            return _woven(theirs, ours)
        return _woven(ours, theirs)


def _woven(skeleton: Sequence[_Node], other: Sequence[_Node]) -> list[_Node]:
    """`skeleton`, with what only `other` has behind what it stands behind there."""
    follows: dict[_Node | None, list[_Node]] = {}
    before: _Node | None = None
    there = set(skeleton)
    for node in other:
        if node in there:
            before = node
        else:
            follows.setdefault(before, []).append(node)
    out = follows.get(None, [])
    return [*out, *(one for node in skeleton for one in (node, *follows.get(node, ())))]


def _values(thing: Thing | None, group: Sequence[str]) -> list[object]:
    return [thing.fields.get(name) if thing else None for name in group]


def _says_something(mine: Fields, new: Fields, taken: Sequence[str]) -> bool:
    """Whether a line has a text or a recording once `taken` is taken."""
    return any((new if name in taken else mine).get(name) for name in ("text", "recording"))


def _note(subject: str, why: str, shown: Sequence[str], told: str) -> Note:
    lines = [opening(subject, why), *(f"# {line}".rstrip() for line in shown), CLOSING]
    place = told if told.startswith(f"{subject} ") else f"{told}: {subject}"
    hint = " (its own is in the comment)" if shown else ""
    return Note(subject, lines, f"{place}: {why.replace('there', 'in the new draft', 1)}{hint}")
