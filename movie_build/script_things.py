"""A script in two views at once: what its fields say, and the text they are written in."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from movie_build.alignment import Known
from movie_build.errors import InputError, Mistake
from movie_build.script_edit import opened, opened_list, opened_text
from movie_build.script_file import LineKeys, ScriptFile, SectionKeys, blank_lines, to_script
from movie_build.script_text import Entry, Item, Leaf, Way, read_text
from movie_build.unread import Doubts
from movie_build.yamlfile import YamlFile, mistakes_of, parse

Fields: TypeAlias = Mapping[str, object]

_LINES: Way = {"narrations": {}, "dialogues": {}}
_LISTS = ("narrations", "dialogues", "narration")


@dataclass(slots=True, eq=False)
class Thing:
    """A section or a line, or what stands around the sections: its fields, and its text.

    `raw` is the value as YAML has it. `item` is None inside of what is taken as a whole.
    """

    kind: str
    id: str
    fields: Fields
    raw: Any
    item: Item | None
    lines: tuple[Thing, ...] = ()

    @property
    def whole(self) -> Hashable:
        """All that it says: equal for things that say the same."""
        return repr([self.fields, [line.whole for line in self.lines]])

    @property
    def known(self) -> Known:
        """What it is recognised by."""
        name = str(self.fields.get("title") or self.fields.get("text") or "")
        said = [str(line.fields.get("text") or "") for line in self.lines]
        return Known(self.id, self.whole, name, " ".join([name, *said]))

    def told(self) -> str:
        """What a message calls it: by its first words."""
        name = " ".join(self.known.name.split())
        return f"{self.kind} “{name if len(name) <= 40 else name[:39] + '…'}”"

    def open(self, newline: str) -> None:
        """See that its text can be edited: one in flow style is written in block style."""
        if self.item is None or self.item.entries is not None or not isinstance(self.raw, dict):
            return
        made = opened(self.item, self.raw, _LINES, newline)
        item = self.item
        item.dash, item.value, item.end = made.dash, made.value, made.end
        item.lead, item.trail, item.entries = made.lead, made.trail, made.entries
        self._place_lines()

    def open_lines(self, newline: str) -> Entry | None:
        """The entry with the section's lines as a list; None where that is not its own."""
        assert self.item
        entry = self.item.entry(*_LISTS)
        if entry is None or entry.value.shared or self.item.entries is None:
            return None
        if entry.items is None:
            at = self.item.entries.index(entry)
            entry = opened_list(entry, _raw_lines(self.raw), {}, newline)
            self.item.entries[at] = entry
            self._place_lines()
        return entry

    def _place_lines(self) -> None:
        for line, item in zip(self.lines, _line_items(self.item, len(self.lines)), strict=True):
            line.item = item


class Version:
    """One of the scripts that are merged.

    Raises:
        InputError: it is no valid script, or cannot be edited.
    """

    def __init__(self, text: str, name: str) -> None:
        self.name = name
        file, keys = checked(text, name)
        raw: Any = file.value
        self.text = read_text(text)
        if self.text.entries is None:
            self.text = opened_text(self.text, raw)
        entries = self.text.entries
        holder = self.text.entry("sections")
        if holder is None or entries is None or holder.value.shared:
            what = "this script cannot be merged: `sections` has an anchor or a tag; remove it"
            raise InputError([Mistake(file.where(("sections",)), what)])
        if holder.items is None:
            at = entries.index(holder)
            holder = opened_list(holder, raw["sections"], _LINES, self.text.newline)
            entries[at] = holder
        self.holder = holder
        assert holder.items
        item = Item(-2, "", Leaf("", -2), "", entries=entries)
        self.top = Thing("script", "", _fields(keys, ("sections",)), raw, item)
        self.sections = [
            _section(keys, item, one)
            for keys, item, one in zip(keys.sections, holder.items, raw["sections"], strict=True)
        ]

    @property
    def whole(self) -> Hashable:
        """All that it says."""
        return self.top.whole, tuple(section.whole for section in self.sections)


def checked(text: str, name: str) -> tuple[YamlFile, ScriptFile]:
    """A script as YAML, and as what it says.

    Raises:
        InputError: it is not valid.
    """
    from pydantic import ValidationError

    file = parse(text.encode(), name)
    try:
        keys = ScriptFile.model_validate(file.value)
    except ValidationError as error:
        raise InputError(mistakes_of(error, file, ScriptFile)) from error
    if mistakes := list(blank_lines(to_script(keys, file), Doubts(()))):
        raise InputError(mistakes)
    return file, keys


def ids_of(text: str, name: str) -> Iterator[str]:
    """Every id in a script, which need not be valid for having one twice."""
    keys = ScriptFile.model_validate(parse(text.encode(), name).value)
    for section in keys.sections:
        for thing in (section, *section.narrations, *(section.dialogues or ())):
            if thing.id:
                yield thing.id


def _fields(keys: Any, without: Iterable[str] = ()) -> Fields:
    names = [name for name in type(keys).model_fields if name not in without]
    return {name: _plain(getattr(keys, name)) for name in names}


def _plain(value: object) -> object:
    """`value`, with one form for nothing."""
    if isinstance(value, str):
        value = value.strip()
    return None if value in ("", []) else value


def _section(keys: SectionKeys, item: Item, raw: Any) -> Thing:
    fields = dict(_fields(keys, (*_LISTS, "source_image_url")))
    if keys.source_image_url and not keys.image:
        fields["image"] = SectionKeys(title="", image=keys.source_image_url).image  # type: ignore[arg-type]
    lines = keys.narrations or keys.dialogues or []
    if keys.narration:
        lines = [LineKeys(text=keys.narration)]
    items = _line_items(item, len(lines))
    return Thing(
        "section",
        keys.id or "",
        fields,
        raw,
        item,
        tuple(
            Thing("line", line.id or "", _fields(line), value, one)
            for line, value, one in zip(lines, _raw_lines(raw), items, strict=True)
        ),
    )


def _line_items(section: Item | None, n_lines: int) -> Sequence[Item | None]:
    entry = section.entry(*_LISTS) if section else None
    return (entry.items if entry else None) or [None] * n_lines


def _raw_lines(raw: Any) -> list[Any]:
    if raw.get("narration"):
        return [raw["narration"]]
    return list(raw.get("narrations") or raw.get("dialogues") or [])
