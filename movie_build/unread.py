"""A file with mistakes, read as far as it goes: so that one run tells all that is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, TypeVar

from movie_build.errors import NO_SUCH_KEY, Mistake, Where

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError
    from pydantic_core import ErrorDetails

    from movie_build.yamlfile import Loc

M = TypeVar("M", bound="BaseModel")

# A list's entry is emptied, then filled, then given up with its list, and that with what holds it.
_ROUNDS = 8
_FILLING = "?"


class Doubts:
    """The places of mistakes already told: what seems to be wrong at one may follow from it."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        told = [(m.where.file, m.where.place, m.what) for m in mistakes]
        self._places = frozenset((file, place) for file, place, _ in told)
        self._misspelt = frozenset(
            (file, place.rpartition(".")[0])
            for file, place, what in told
            if not place or what.startswith(NO_SUCH_KEY)
        )

    def at(self, where: Where, *, besides: Iterable[str] = ()) -> bool:
        """Whether a mistake was told at `where`, above it, or below but not in lists `besides`."""
        spared = tuple(f"{where.place}.{name}[" for name in besides)
        return any(
            file == where.file
            and (_covers(place, where.place) or _covers(where.place, place))
            and not (spared and place.startswith(spared))
            for file, place in self._places
        )

    def of_keys(self, where: Where) -> bool:
        """Whether a key may lack in the mapping at `where`, as one there is not known."""
        return (where.file, where.place) in self._misspelt

    def places(self, file: str) -> Iterator[str]:
        """The places in `file`."""
        return (place for told, place in self._places if told == file)


def _covers(outer: str, inner: str) -> bool:
    return not outer or (inner.startswith(outer) and inner[len(outer) :][:1] in ("", ".", "["))


def readable_part(model: type[M], value: object, error: ValidationError) -> M | None:
    """What `value` is as a `model` without all that is wrong in it; None if nothing is left.

    What stands in for a missing text, or for an entry that keeps the others' numbers,
    is found at the place of a mistake.
    """
    from pydantic import ValidationError

    left = _copied(value)
    tried: set[Loc] = set()
    for _ in range(_ROUNDS):
        details = error.errors(include_url=False)
        # Before anything is taken away: a value can be wrong in two ways.
        wrong = {_found(left, tuple(detail["loc"])): detail for detail in details}
        for loc, detail in wrong.items():
            _take_away(left, loc, detail, tried)
        try:
            return model.model_validate(left)
        except ValidationError as again:
            error = again
    return None


def _copied(value: object) -> object:
    if isinstance(value, dict):
        return {key: _copied(part) for key, part in value.items()}
    return [_copied(part) for part in value] if isinstance(value, list) else value


def _at(value: object, loc: Loc) -> object:
    """The part of `value` at `loc`.

    Raises:
        LookupError: there is none.
    """
    for key in loc:
        if not isinstance(value, (dict, list)):
            raise LookupError(key)
        value = value[key]  # type: ignore[index]
    return value


def _found(value: object, loc: Loc) -> Loc:
    """The part of `loc` that is there: a model's place can be deeper than the file."""
    for n in range(len(loc), 0, -1):
        try:
            _at(value, loc[:n])
        except (LookupError, TypeError):
            continue
        return loc[:n]
    return ()


def _take_away(value: object, loc: Loc, detail: ErrorDetails, tried: set[Loc]) -> None:
    try:
        part, holder = _at(value, loc), _at(value, loc[:-1])
    except (LookupError, TypeError):
        return  # it went with what held it
    lacking = tuple(detail["loc"])
    stays = not loc or isinstance(loc[-1], int)
    if detail["type"] == "missing" and isinstance(part, dict) and stays and lacking not in tried:
        tried.add(lacking)
        part[lacking[-1]] = _FILLING
    elif isinstance(holder, list) and loc:
        assert isinstance(loc[-1], int)
        if loc in tried:
            _take_away(value, loc[:-1], detail, tried)
        else:
            tried.add(loc)
            holder[loc[-1]] = {}
    elif isinstance(holder, dict) and loc:
        holder.pop(loc[-1])
