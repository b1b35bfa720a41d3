"""Edits of a `script.yaml` taken apart: values set and removed, items moved; no comment is lost."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

import yaml

from movie_build.script_text import Entry, Item, Leaf, Note, Text, Trivia, Way, read_text
from movie_build.script_text import shifted as _shifted
from movie_build.yamlfile import Integer, Number

# Older names of keys.
NAMES = {"image": ("image", "source_image_url"), "text": ("text", "narration")}
_OPENING = re.compile(r"\s*# >>> new draft, (.+?):")
_CLOSING = re.compile(r"\s*# <<<\s*$")


def opening(subject: str, why: str) -> str:
    """The first line of a note: what it is about can be read off it again."""
    return f"# >>> new draft, {subject}: {why}"


CLOSING = "# <<<"


def value_of(item: Item, name: str) -> Leaf | None:
    """The text of the field `name`; a line that is not a mapping is its own text."""
    if item.entries is None:
        return item.value if name == "text" else None
    entry = item.entry(*NAMES.get(name, (name,)))
    return entry.value if entry else None


def set_value(item: Item, name: str, other: Item, newline: str) -> None:
    """Give the field `name` of `item` the value that it has in `other`, or remove it."""
    value = value_of(other, name)
    if item.entries is None:
        if value is None:
            return
        if name == "text":
            _replace(item, value, item.col, newline)
            return
        _become_mapping(item)
    assert item.entries is not None
    entry = item.entry(*NAMES.get(name, (name,)))
    if value is None:
        if entry and len(item.entries) > 1:
            remove_entry(item, entry, newline)
    elif entry:
        entry.key, entry.head = name, _head(name, value)
        _replace(entry, value, entry.col, newline)
    else:
        col = item.entries[0].col
        text = _shifted(value.text, col - value.col)
        made = Entry(name, col, _head(name, value), Leaf(text, col), newline)
        item.entries.insert(_place(item.entries, name, other.entries or ()), made)


def _head(name: str, value: Leaf) -> str:
    return f"{name}:" if value.text[:1] in ("", "\r", "\n") else f"{name}: "


def _place(entries: Sequence[Entry], name: str, model: Sequence[Entry]) -> int:
    """Where the entry `name` goes: behind the nearest one that it follows in `model`."""
    keys = [entry.key for entry in model]
    before = keys[: keys.index(name)] if name in keys else ["text"]
    places = [at + 1 for at, entry in enumerate(entries) if entry.key in before]
    return max(places, default=0 if name != "text" else len(entries))


def _replace(part: Entry | Item, value: Leaf, col: int, newline: str) -> None:
    lifted = list(part.value.comments)
    text = _shifted(value.text, col - value.col)
    if "\n" in text:
        # Nothing may stand behind the last line of a block.
        lifted += _comment_in(part.end)
        part.end = newline
    part.lead += [f"{' ' * part.col}{comment.strip()}{newline}" for comment in lifted]
    part.value = Leaf(text, col)


def _become_mapping(item: Item) -> None:
    """`- words` as `- text: words`; further lines of it go as much deeper."""
    col = item.col + len(item.dash)
    value = replace(item.value, text=_shifted(item.value.text, 2), col=col)
    item.entries = [Entry("text", col, "text: ", value, item.end, trail=item.trail)]
    item.value, item.end, item.trail = Leaf("", item.col), "", []


def _comment_in(end: str) -> list[str]:
    return [end.strip()] if end.strip().startswith("#") else []


def remove_entry(item: Item, entry: Entry, newline: str) -> None:
    """Remove `entry`; its comments stay where it was."""
    assert item.entries is not None
    at = item.entries.index(entry)
    kept = list(comments_of(entry, newline))
    del item.entries[at]
    if at < len(item.entries):
        item.entries[at].lead[:0] = kept
    else:
        item.entries[-1].trail += kept


def comments_of(part: Entry | Item, newline: str) -> Iterator[Trivia]:
    """Every comment of a part and in it, a line each, without notes of earlier merges."""
    margin = " " * part.col
    yield from (one for one in without_notes(part.lead) if isinstance(one, str) and one.strip())
    for comment in (*part.value.comments, *_comment_in(part.end)):
        yield f"{margin}{comment.strip()}{newline}"
    inner: Sequence[Entry | Item] = (
        (part.items or ()) if isinstance(part, Entry) else (part.entries or ())
    )
    for one in inner:
        yield from comments_of(one, newline)
    yield from (one for one in without_notes(part.trail) if isinstance(one, str) and one.strip())


def without_notes(lead: Sequence[Trivia], subject: str = "") -> list[Trivia]:
    """`lead` without the notes that an earlier merge left about `subject`, or about anything."""
    out: list[Trivia] = []
    skipping = False
    for line in lead:
        if isinstance(line, str):
            found = _OPENING.match(line)
            if found and (not subject or found[1] == subject):
                skipping = True
            if skipping:
                skipping = not _CLOSING.match(line)
                continue
        out.append(line)
    return out


def add_note(item: Item, note: Note, entry: Entry | None = None) -> None:
    """Put `note` above the entry, or the item, in the place of an older one on the subject."""
    item.lead = without_notes(item.lead, note.subject)
    part: Entry | Item = item
    if entry and item.entries and entry is not item.entries[0]:
        entry.lead = without_notes(entry.lead, note.subject)
        part = entry
    part.lead.append(note)


def moved(item: Item, by: int) -> Item:
    """A copy of `item`, indented by so much more, or less."""
    return Item(
        item.col + by,
        item.dash,
        _moved_leaf(item.value, by),
        item.end,
        list(item.lead),
        list(item.trail),
        None if item.entries is None else [_moved_entry(entry, by) for entry in item.entries],
    )


def _moved_entry(entry: Entry, by: int) -> Entry:
    items = None if entry.items is None else [moved(item, by) for item in entry.items]
    return Entry(
        entry.key,
        entry.col + by,
        entry.head,
        _moved_leaf(entry.value, by),
        entry.end,
        list(entry.lead),
        list(entry.trail),
        items,
    )


def _moved_leaf(leaf: Leaf, by: int) -> Leaf:
    return replace(leaf, text=_shifted(leaf.text, by), col=leaf.col + by)


def shown_item(item: Item) -> list[str]:
    """The lines of an item as it would be written at the margin."""
    alone = moved(item, -item.col)
    alone.lead = []
    text, _ = Text([Entry("", 0, "", Leaf("", 0), "", items=[alone])], [], "\n").written()
    return text.replace("\r\n", "\n").rstrip("\n").split("\n")


def shown_field(item: Item, name: str) -> list[str]:
    """The lines of a field as they would be written in a mapping at the margin."""
    value = value_of(item, name)
    if value is None:
        return [f"(no {name})"]
    text = _head(name, value) + _shifted(value.text, -value.col)
    return text.replace("\r\n", "\n").rstrip("\n").split("\n")


class _Dumper(yaml.SafeDumper):
    """Block style; numbers as they were written."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: object) -> bool:
        return True


def _as_written(kind: str, dumper: yaml.SafeDumper, number: Number | Integer) -> yaml.ScalarNode:
    return dumper.represent_scalar(f"tag:yaml.org,2002:{kind}", number.raw)


_Dumper.add_representer(Number, lambda dumper, n: _as_written("float", dumper, n))
_Dumper.add_representer(Integer, lambda dumper, n: _as_written("int", dumper, n))


def _dumped(value: object, newline: str) -> str:
    text = yaml.dump(value, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=1_000_000)
    return text.replace("\n", newline)


def opened(item: Item, value: object, way: Way, newline: str) -> Item:
    """`item`, whose value is in flow style, in block style; its comments go above it."""
    text = _dumped({"x": [value]}, newline)
    entry = read_text(text, {"x": way}).entry("x")
    assert entry and entry.items
    made = moved(entry.items[0], item.col - entry.items[0].col)
    lifted = [*item.value.comments, *_comment_in(item.end)]
    margin = " " * item.col
    made.lead = [*item.lead, *(f"{margin}{comment.strip()}{newline}" for comment in lifted)]
    if made.entries:
        made.entries[-1].trail += item.trail
    return made


def opened_list(entry: Entry, values: Sequence[object], way: Way, newline: str) -> Entry:
    """An entry whose value is one line of text or a list in flow style, as a list in block style.

    `narration: words`, the older form, becomes `narrations`.
    """
    key = "narrations" if entry.key == "narration" else entry.key
    text = _dumped({key: list(values)}, newline)
    made = read_text(text, {key: way}).entry(key)
    assert made and made.items
    lifted = [*entry.value.comments, *_comment_in(entry.end)]
    margin = " " * entry.col
    lead = [*entry.lead, *(f"{margin}{comment.strip()}{newline}" for comment in lifted)]
    items = [moved(item, entry.col) for item in made.items]
    return Entry(key, entry.col, f"{key}:", Leaf("", entry.col), newline, lead, entry.trail, items)


def opened_text(text: Text, value: object) -> Text:
    """A whole file in flow style, in block style; its comments go above it."""
    above = "".join(f"{comment}{text.newline}" for comment in text.comments)
    return read_text(above + _dumped(value, text.newline))
