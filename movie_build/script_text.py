"""`script.yaml` as text that can be edited: every comment, blank line and quote stays as it is.

    Text ── entries of the file's mapping ── items of `sections`
         ── entries of a section ── items of `narrations` ── entries of a line

Whatever is not on this way, or not in YAML's block style, is a leaf: taken as a
whole. Written out unchanged, a text is what was read, byte for byte.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias, cast

import yaml

Trivia: TypeAlias = "str | Note"
# What is taken apart below a key.
Way: TypeAlias = Mapping[str, "Way"]
SECTIONS: Way = {"sections": {"narrations": {}, "dialogues": {}}}

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_COMMENT = re.compile(r"(?<!\S)#[^\r\n]*")
_BLANK_LINES = re.compile(r"(\r?\n[ \t]*)+\Z")


@dataclass(slots=True, eq=False)
class Note:
    """Lines to be written as comments; `told` says on the terminal why they are there."""

    subject: str
    lines: Sequence[str]
    told: str


@dataclass(slots=True)
class Leaf:
    """Text that is not taken apart.

    `text` is without its key. `col` is the column of its parent, which its further lines
    are indented against; `comments` are those within. `shared` is text that has an anchor,
    an alias or a tag: it means something elsewhere too.
    """

    text: str
    col: int
    comments: Sequence[str] = ()
    shared: bool = False


@dataclass(slots=True, eq=False)
class Entry:
    """`key: value` of a mapping, with the lines of comments and blanks before it.

    `head` is the key as it is written, up to the value. Where `items` is not None the value is
    a list of them, and `value` is empty. `end` is what follows up to the end of the line,
    `trail` the indented comments below.
    """

    key: str
    col: int
    head: str
    value: Leaf
    end: str
    lead: list[Trivia] = field(default_factory=list)
    trail: list[Trivia] = field(default_factory=list)
    items: list[Item] | None = None


@dataclass(slots=True, eq=False)
class Item:
    """`- value` of a list; where `entries` is not None the value is a mapping of them.

    `dash` ends where the value begins, or with the line, if the value begins in the next.
    """

    col: int
    dash: str
    value: Leaf
    end: str
    lead: list[Trivia] = field(default_factory=list)
    trail: list[Trivia] = field(default_factory=list)
    entries: list[Entry] | None = None

    def entry(self, *keys: str) -> Entry | None:
        """The entry with one of these keys."""
        return next((e for e in self.entries or () if e.key in keys), None)


@dataclass(slots=True, eq=False)
class Text:
    """A whole file; `entries` is None where it is no block mapping, and `tail` all of it then.

    `comments` are told only of such a file.
    """

    entries: list[Entry] | None
    tail: list[Trivia]
    newline: str
    comments: Sequence[str] = ()

    def entry(self, key: str) -> Entry | None:
        """The entry with this key."""
        return next((e for e in self.entries or () if e.key == key), None)

    def written(self) -> tuple[str, list[tuple[int, Note]]]:
        """The text, and each note in it with the number of its line."""
        out: list[str] = []
        notes: list[tuple[int, Note]] = []
        n_lines = 0
        parts = [*(_of_entries(self.entries) if self.entries else ()), *_trivia(self.tail, 0)]
        for part, col in parts:
            if isinstance(part, Note):
                notes.append((n_lines + 1, part))
                out += [f"{' ' * col}{line}{self.newline}" for line in part.lines]
                n_lines += len(part.lines)
            else:
                out.append(part)
                n_lines += part.count("\n")
        return "".join(out), notes


_Parts: TypeAlias = Iterator[tuple[Trivia, int]]


def _trivia(lines: Sequence[Trivia], col: int) -> _Parts:
    for line in lines:
        yield line, col


def _of_entries(entries: Sequence[Entry], dash: Item | None = None) -> _Parts:
    """The parts of entries; the first stands behind `dash`, and what is above it, above that."""
    for n, entry in enumerate(entries):
        head = " " * entry.col
        if n == 0 and dash:
            yield from _trivia(entry.lead, dash.col)
            yield " " * dash.col + dash.dash, 0
            head = "" if not dash.dash.endswith("\n") else head
        else:
            yield from _trivia(entry.lead, entry.col)
        yield f"{head}{entry.head}{entry.value.text}{entry.end}", 0
        for item in entry.items or ():
            yield from _of_item(item)
        yield from _trivia(entry.trail, entry.items[0].col if entry.items else entry.col + 2)


def _of_item(item: Item) -> _Parts:
    yield from _trivia(item.lead, item.col)
    if item.entries is None:
        yield f"{' ' * item.col}{item.dash}{item.value.text}{item.end}", 0
    else:
        yield from _of_entries(item.entries, item)
    yield from _trivia(item.trail, item.col)


def shifted(text: str, by: int) -> str:
    """`text` with every line but its first indented by so much more, or less."""
    first, *rest = text.split("\n")
    moved = [_moved(line, by) if line.strip() else line for line in rest]
    return "\n".join([first, *moved])


def _moved(line: str, by: int) -> str:
    return " " * by + line if by >= 0 else line[min(-by, len(line) - len(line.lstrip(" "))) :]


def read_text(text: str, way: Way = SECTIONS) -> Text:
    """`text`, which must be one YAML document, taken apart along `way`."""
    newline = "\r\n" if "\r\n" in text else "\n"
    whole = text if text.endswith("\n") or not text else text + newline
    reader = _Reader(whole, newline)
    try:
        read = reader.read(way)
    except ValueError:
        read = None
    # Rare forms (`? key`) are not understood, and so not taken apart.
    if read is None or read.entries is None or read.written()[0] != whole:
        return Text(None, [whole], newline, reader.comments())
    return read


@dataclass(slots=True)
class _Node:
    """A YAML node with its span; `parts` are its children, keys and values by turns."""

    event: yaml.Event
    start: int
    end: int
    col: int
    shared: bool
    parts: list[_Node]

    @property
    def is_block_mapping(self) -> bool:
        return isinstance(self.event, yaml.MappingStartEvent) and not self.event.flow_style

    @property
    def is_block_list(self) -> bool:
        return isinstance(self.event, yaml.SequenceStartEvent) and not self.event.flow_style

    def leaves(self) -> Iterator[_Node]:
        if isinstance(self.event, yaml.ScalarEvent):
            yield self
        for part in self.parts:
            yield from part.leaves()


class _Reader:
    """A cursor that goes through the text once, from node to node."""

    def __init__(self, text: str, newline: str) -> None:
        self.text = text
        self.newline = newline
        self.at = 0
        self._closed = 0

    def comments(self) -> list[str]:
        """All comments of the text."""
        root = self._root()
        return self._comments(0, len(self.text), root) if root else []

    def read(self, way: Way) -> Text:
        root = self._root()
        if root is None or not root.is_block_mapping or _is_marked(root) or not root.parts:
            return Text(None, [], self.newline)
        entries = self._entries(root, way, None)
        return Text(entries, [self.text[self.at :]], self.newline)

    def _root(self) -> _Node | None:
        events = [
            event
            for event in yaml.parse(self.text, Loader=_Loader)
            if not isinstance(event, (yaml.StreamStartEvent, yaml.StreamEndEvent))
            and not isinstance(event, (yaml.DocumentStartEvent, yaml.DocumentEndEvent))
        ]
        return self._node(iter(events)) if events else None

    def _node(self, events: Iterator[yaml.Event]) -> _Node | None:
        event = next(events)
        if isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            self._closed = _mark(event.end_mark).index
            return None
        start, end = _mark(event.start_mark).index, _mark(event.end_mark).index
        node = _Node(event, start, end, _mark(event.start_mark).column, False, [])
        node.shared = isinstance(event, yaml.AliasEvent) or _is_marked(node)
        if isinstance(event, yaml.ScalarEvent) and event.style in ("|", ">"):
            node.end = self._end_of_block(start, end)
        elif isinstance(event, yaml.CollectionStartEvent):
            last = None
            while (part := self._node(events)) is not None:
                node.parts.append(part)
                node.shared |= part.shared
                last = part
            # A flow collection ends with its bracket, a block one with what is last in it.
            if event.flow_style:
                node.end = self._closed
            elif last:
                node.end = last.end
        return node

    def _end_of_block(self, start: int, end: int) -> int:
        """Where a literal or folded text ends: before the blank lines that are not its own."""
        header = self.text[start : self.text.find("\n", start)]
        if "+" in header.split("#")[0]:
            return end - len(_last_break(self.text[start:end]))
        return start + len(_BLANK_LINES.sub("", self.text[start:end]))

    def _entries(self, node: _Node, way: Way, dash: _Node | None) -> list[Entry]:
        entries = []
        pairs = list(zip(node.parts[::2], node.parts[1::2], strict=True))
        for n, (key, value) in enumerate(pairs):
            lead = [] if n == 0 and dash else self._lead(key.start)
            entries.append(self._entry(key, value, lead, way))
        return entries

    def _entry(self, key: _Node, value: _Node, lead: list[Trivia], way: Way) -> Entry:
        name = cast(yaml.ScalarEvent, key.event).value if not key.parts else ""
        colon = self.text.index(":", key.end) + 1
        head = self.text[key.start : colon]
        inner = way.get(name)
        if inner is not None and value.is_block_list and not _is_marked(value) and value.parts:
            self.at = colon
            end = self._rest_of_line()
            items = [self._item(part, inner) for part in value.parts]
            return Entry(name, key.col, head, Leaf("", key.col), end, lead, items=items)
        gap = self.text[colon : value.start]
        if "\n" in gap or value.start < colon:
            gap = ""
        start = colon + len(gap)
        leaf = self._leaf(start, max(value.end, start), key.col, value)
        return Entry(name, key.col, head + gap, leaf, self._rest_of_line(), lead, self._trail())

    def _item(self, node: _Node, way: Way) -> Item:
        start = self.text.rfind("-", self.at, node.start)
        while self.text[self.text.rfind("\n", 0, start) + 1 : start].strip():
            start = self.text.rfind("-", self.at, start)
        lead = self._lead(start)
        col = start - self.at
        self.at = start + 1
        if node.is_block_mapping and node.parts and not _is_marked(node):
            first = node.parts[0].start
            line_end = self.text.index("\n", start) + 1
            dash = self.text[start : min(first, line_end)]
            self.at = min(first, line_end)
            inline = first < line_end
            entries = self._entries(node, way, node if inline else None)
            return Item(col, dash, Leaf("", col), "", lead, entries=entries)
        between = self.text[start + 1 : node.start]
        space = len(between) - len(between.lstrip(" \t")) if "\n" not in between else 0
        value = start + 1 + space
        leaf = self._leaf(value, max(node.end, value), col, node)
        return Item(col, self.text[start:value], leaf, self._rest_of_line(), lead, self._trail())

    def _leaf(self, start: int, end: int, col: int, node: _Node) -> Leaf:
        self.at = end
        return Leaf(self.text[start:end], col, self._comments(start, end, node), node.shared)

    def _comments(self, start: int, end: int, node: _Node) -> list[str]:
        """The comments between the scalars of a node, and behind the `|` of a block."""
        found = []
        for leaf in node.leaves():
            found += _COMMENT.findall(self.text, start, max(start, leaf.start))
            event = cast(yaml.ScalarEvent, leaf.event)
            if event.style in ("|", ">"):
                found += _COMMENT.findall(self.text, leaf.start, self.text.index("\n", leaf.start))
            start = leaf.end
        return found + _COMMENT.findall(self.text, start, end)

    def _lead(self, start: int) -> list[Trivia]:
        begin, self.at = self.at, self.text.rfind("\n", 0, start) + 1
        return list(self.text[begin : self.at].splitlines(keepends=True))

    def _rest_of_line(self) -> str:
        begin, self.at = self.at, self.text.index("\n", self.at) + 1
        return self.text[begin : self.at]

    def _trail(self) -> list[Trivia]:
        """The comments right below that are indented deeper than what comes next."""
        lines = re.compile(r"[ \t]*(?:#[^\n]*)?\r?\n").match
        next_at = self.at
        while found := lines(self.text, next_at):
            next_at = found.end()
        rest = self.text[next_at:]
        col = len(rest) - len(rest.lstrip(" ")) if rest else 0
        trail: list[Trivia] = []
        comment = re.compile(rf"[ ]{{{col + 1},}}#[^\n]*\n")
        while found := comment.match(self.text, self.at):
            trail.append(found.group())
            self.at = found.end()
        return trail


def _is_marked(node: _Node) -> bool:
    """Whether the node itself has an anchor or a tag."""
    event = node.event
    tag = getattr(event, "tag", None)
    return bool(getattr(event, "anchor", None) or (tag and tag != "!"))


def _last_break(text: str) -> str:
    return "\r\n" if text.endswith("\r\n") else "\n" if text.endswith("\n") else ""


def _mark(mark: Any) -> yaml.Mark:
    return cast(yaml.Mark, mark)
