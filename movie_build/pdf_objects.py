"""The objects of a PDF as pypdf gives them, whatever they are: a broken file holds any."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING

from movie_build.pdf_content import TooHeavy

if TYPE_CHECKING:
    from pypdf.generic import DictionaryObject, PdfObject, StreamObject

# What pypdf says of broken files is nothing to tell: it is PDFium that reads them.
logging.getLogger("pypdf").addHandler(logging.NullHandler())


def found(dictionary: DictionaryObject, key: str) -> PdfObject | None:
    """What a dictionary holds, wherever that stands; None for null."""
    from pypdf.generic import NullObject

    there = dict.get(dictionary, key)
    resolved = None if there is None else there.get_object()
    return None if isinstance(resolved, NullObject) else resolved


def dictionary(there: PdfObject | None) -> DictionaryObject:
    """What is there, if it is a dictionary; else an empty one."""
    from pypdf.generic import DictionaryObject

    return there if isinstance(there, DictionaryObject) else DictionaryObject()


def list_of(there: PdfObject | None) -> Iterator[PdfObject]:
    """The parts of what is there, if it is a list; else itself."""
    from pypdf.generic import ArrayObject

    for one in there if isinstance(there, ArrayObject) else [there]:
        resolved = None if one is None else one.get_object()
        if resolved is not None:
            yield resolved


def streams_of(there: PdfObject | None) -> Iterator[StreamObject]:
    """What is there, if it is a stream; else those that it holds by name."""
    from pypdf.generic import StreamObject

    if isinstance(there, StreamObject):
        yield there
        return
    by_name = dictionary(there)
    for name in by_name:
        stream = found(by_name, name)
        if isinstance(stream, StreamObject):
            yield stream


def decoded(stream: PdfObject) -> bytes:
    """The content of a stream as far as it can be unpacked; empty if it is none."""
    from pypdf.errors import LimitReachedError
    from pypdf.generic import StreamObject

    if not isinstance(stream, StreamObject):
        return b""
    try:
        return stream.get_data()
    except LimitReachedError:
        raise TooHeavy("holds a stream that unpacks without end") from None
