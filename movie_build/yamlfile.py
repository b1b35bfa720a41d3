"""YAML whose every value knows its line: values for pydantic, places for messages."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING, TypeAlias, get_args

import yaml

from movie_build.errors import NO_SUCH_KEY, InputError, Mistake, Where, nearest

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError
    from pydantic_core import ErrorDetails

Loc: TypeAlias = tuple[int | str, ...]
_Loader: type[yaml.CSafeLoader] | type[yaml.SafeLoader] = getattr(
    yaml, "CSafeLoader", yaml.SafeLoader
)

_NULL = {"", "~", "null", "Null", "NULL"}
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INT = re.compile(r"[-+]?[0-9]+\Z")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
# What is wrong with a key, and not with its value.
_OF_KEYS = ("missing", "extra_forbidden")
# What libyaml says, and what is most likely wrong.
_TOLD_OF_YAML = {
    "mapping values are not": "a colon in plain text, or wrong indentation; put the text in quotes",
    "expected key": "wrong indentation, or more behind a quote or bracket than it closes; "
    "indent this as what stands beside it, or put the whole text in quotes",
    "expected '-'": "wrong indentation; indent this as what stands beside it",
    "could not find expected ':'": "no colon behind a key; write `key: value`",
    "or ']'": "a bracket [ is not closed; close it",
    "or '}'": "a brace { is not closed; close it",
    "unexpected end of stream": "a quote is not closed; close it",
    "cannot start any token": "text that begins with @, ` or %; put it in quotes",
    "alphabetic or numeric": "text that begins with * or &; put it in quotes",
    "undefined alias": "text that begins with *; put it in quotes, or name what it stands for by &",
}
# Without aliases a value takes at least one byte.
_MOST_VALUES_BESIDES = 10_000


class Number(float):
    """A number that remembers how it was written, for fields that hold text."""

    raw: str


class Integer(int):
    """A whole number that remembers how it was written, for fields that hold text."""

    raw: str


@dataclass(slots=True)
class YamlFile:
    """A parsed file: `value` for the models, `lines` (1-based) by place."""

    name: str
    value: object
    lines: dict[Loc, int] = field(default_factory=dict)

    def where(self, loc: Loc) -> Where:
        """The place `loc`, with the line of its nearest ancestor that has one."""
        place = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in loc).lstrip(".")
        at = loc
        while at and at not in self.lines:
            at = at[:-1]
        return Where(self.name, self.lines.get(at, 1), place=place)


def parse(text: bytes, name: str, mistakes: list[Mistake] | None = None) -> YamlFile:
    """`text` read as YAML; what it means is plain: `yes`, `12:30` and dates are text.

    Mistakes that leave the rest readable, such as a key twice, are added to
    `mistakes`, if there is such a list.

    Raises:
        InputError: not UTF-8, not YAML, a key twice, or aliases that unfold without end.
    """
    try:
        decoded = text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        raise InputError(
            [Mistake(Where(name, line), "not UTF-8; save the file as UTF-8")]
        ) from error
    loader = _Loader(decoded)
    try:
        node = loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = error.problem or error.context or "not YAML"
        if "quoted scalar" in (error.context or "") and error.context_mark:
            mark = error.context_mark  # where the quote begins; it is missed only at the end
        if mark and _is_indented_by_tab(decoded, mark.line):
            what = "a tab where spaces are needed; indent with spaces"
        else:
            known = (told for said, told in _TOLD_OF_YAML.items() if said in what)
            what = next(known, f"not YAML: {what}")
        raise InputError([Mistake(Where(name, mark.line + 1 if mark else None), what)]) from error
    except yaml.YAMLError as error:
        what = " ".join(str(error).split())
        raise InputError([Mistake(Where(name), f"not YAML: {what}")]) from error
    finally:
        loader.dispose()
    file = YamlFile(name, None)
    if node is not None:
        build = _Construct(file, _MOST_VALUES_BESIDES + len(text))
        file.value = build.value(node, ())
        if mistakes is not None:
            mistakes += build.mistakes
        elif build.mistakes:
            raise InputError(build.mistakes)
    return file


def _is_indented_by_tab(text: str, line: int) -> bool:
    # Where the text ends without a line's end, the mark may stand in the line behind it.
    shown = "".join(text.split("\n")[line : line + 1])
    return "\t" in shown[: len(shown) - len(shown.lstrip())]


class _Construct:
    """Nodes to values, with the line of each; unlike PyYAML's, it keeps numbers' spelling."""

    def __init__(self, file: YamlFile, most_values: int) -> None:
        self.file = file
        self.most_values = most_values
        self.mistakes: list[Mistake] = []
        self._n_values = 0
        self._open: set[int] = set()

    def value(self, node: yaml.Node, loc: Loc) -> object:
        line = node.start_mark.line + 1
        self.file.lines.setdefault(loc, line)
        self._n_values += 1
        if self._n_values > self.most_values or id(node) in self._open:
            what = "aliases unfold without end; write the values out"
            raise InputError([Mistake(Where(self.file.name, line), what)])
        if isinstance(node, yaml.ScalarNode):
            return _scalar(node)
        self._open.add(id(node))
        try:
            if isinstance(node, yaml.SequenceNode):
                return [self.value(child, (*loc, i)) for i, child in enumerate(node.value)]
            return self._mapping(node, loc)
        finally:
            self._open.discard(id(node))

    def _mapping(self, node: yaml.Node, loc: Loc) -> dict[str, object]:
        out: dict[str, object] = {}
        merged: dict[str, object] = {}
        for key_node, child in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                self._mistake(line, loc, "a key must be a word")
                continue
            key = str(key_node.value)
            if key == "<<" and not key_node.style:
                for part in child.value if isinstance(child, yaml.SequenceNode) else [child]:
                    value = self.value(part, loc)
                    if isinstance(value, dict):
                        merged = {**value, **merged}
                continue
            if key in out:
                first = self.file.lines[(*loc, key)]
                self._mistake(
                    line,
                    (*loc, key),
                    f"this key stands here twice (first in line {first}); remove one",
                )
                continue
            self.file.lines[(*loc, key)] = line
            out[key] = self.value(child, (*loc, key))
        return {**merged, **out}

    def _mistake(self, line: int, loc: Loc, what: str) -> None:
        place = self.file.where(loc).place
        self.mistakes.append(Mistake(Where(self.file.name, line, place=place), what))


def _scalar(node: yaml.ScalarNode) -> object:
    text: str = node.value
    if node.style:
        return text
    if text in _NULL:
        return None
    if text in _BOOL:
        return _BOOL[text]
    if _INT.match(text):
        whole = Integer(text)
        whole.raw = text
        return whole
    if _FLOAT.match(text):
        number = Number(text)
        number.raw = text
        return number
    return text


def mistakes_of(error: ValidationError, file: YamlFile, model: type[BaseModel]) -> list[Mistake]:
    """What a model found wrong with a file, told in the file's own terms."""
    found: dict[Where, Mistake] = {}
    for detail in error.errors(include_url=False):
        loc: Loc = tuple(detail["loc"])
        known = _fields_at(model, loc[:-1])
        of_value = detail["type"] not in _OF_KEYS and loc not in file.lines
        if of_value and loc[:-1] in file.lines and loc[-1] not in known:
            loc = loc[:-1]  # which of several types it is not
        where = file.where(loc)
        found[where] = Mistake(where, _told(detail, str(loc[-1]) if loc else "", known))
    return list(found.values())


def _told(detail: ErrorDetails, key: str, known: Mapping[str, object]) -> str:
    kind, given = detail["type"], detail["input"]
    if kind == "extra_forbidden":
        # `- Note: well` is a text with a colon to who wrote it.
        in_list = len(detail["loc"]) > 1 and isinstance(detail["loc"][-2], int)
        is_text = in_list and isinstance(given, str) and not get_close_matches(key, known)
        hint = "if it begins a text, put the whole text in quotes"
        return f"{NO_SUCH_KEY}; {hint if is_text else nearest(key, known)}"
    if kind == "missing":
        return "required, and not there; add it"
    if kind in ("model_type", "dict_type", "model_attributes_type"):
        return f"must be a mapping (`key: value` lines), not {_shown(given)}"
    if kind == "list_type":
        return f"must be a list (`- …` lines), not {_shown(given)}"
    what = _bounded(detail, key) or detail["msg"].removeprefix("Value error, ")
    if what.startswith("Input should be"):
        # That it may be empty is no advice.
        what = re.sub(r", ('[^']+') or ''", r" or \1", what)
        return f"{what.removeprefix('Input ')}, not {_shown(given)}"
    return what


def _bounded(detail: ErrorDetails, key: str) -> str:
    """What is told of a list or text that is too short, too long, or has signs it may not have."""
    kind, given = detail["type"], detail["input"]
    if key == "sections" and kind == "too_short":
        return "there are none; write at least one, with a `title` and its `narrations`"
    if kind in ("too_short", "too_long"):
        bound, name = ("least", "min_length") if kind == "too_short" else ("most", "max_length")
        wanted = detail["ctx"][name]
        entries = "entry" if wanted == 1 else "entries"
        return f"must have at {bound} {wanted} {entries}, not {detail['ctx']['actual_length']}"
    if kind == "string_too_short":
        return "must not be empty; write something, or remove the key"
    if kind == "string_pattern_mismatch" and key == "name":
        return f"becomes a file's name, so it must not hold any of / \\ = : like {_shown(given)}"
    return ""


def _shown(value: object) -> str:
    if value is None:
        return "nothing"
    text = value.raw if isinstance(value, (Number, Integer)) else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


def _fields_at(model: type[BaseModel], loc: Loc) -> Mapping[str, object]:
    """The names known at `loc`, found by walking the model's annotations."""
    at: type[BaseModel] = model
    for part in loc:
        if isinstance(part, str) and part in at.model_fields:
            inner = _model_in(at.model_fields[part].annotation)
            if inner is None:
                return {}
            at = inner
    return at.model_fields


def _model_in(annotation: object) -> type[BaseModel] | None:
    from pydantic import BaseModel

    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for arg in get_args(annotation):
        if inner := _model_in(arg):
            return inner
    return None
