"""Jinja templates filled in: those of slides and of prompts, whose writers may be users.

What is wrong in a user's template is told at its file and line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from types import TracebackType

from movie_build.errors import MovieBuildError, Where, nearest, shown

_UNKNOWN = re.compile(r"'(\w+)' is undefined")
_NO_ATTRIBUTE = re.compile(r"'(?:[\w.]+\.)?(\w+) object' has no attribute '(\w+)'")


def fill(
    name: str,
    find: Callable[[str], Path | None],
    values: Mapping[str, object],
    *,
    base: Path,
    refuse: type[MovieBuildError],
    html: bool = False,
) -> str:
    """The template `name` with `values` in it; `find` gives the files of all that it reaches.

    In `html`, what is filled in is text. A mistake is told as one of a file seen from `base`.

    Raises:
        refuse: a template in `base` has a mistake.
    """
    import jinja2
    from jinja2.sandbox import SandboxedEnvironment

    reached: set[str] = set()

    def load(called: str) -> tuple[str, str, None] | None:
        path = find(called)
        if path is None:
            return None
        reached.add(str(path))
        return read(path, base, refuse), str(path), None

    environment = SandboxedEnvironment(
        loader=jinja2.FunctionLoader(load),
        autoescape=html,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    try:
        return environment.get_template(name).render(values)
    except MovieBuildError:
        raise
    except jinja2.TemplateSyntaxError as error:
        at = Where(shown(Path(error.filename or name), base), error.lineno)
        raise refuse(error.message or "not Jinja", at=at) from error
    except Exception as error:
        # A template's code runs as Python does, and so are its mistakes; ours stay what they are.
        place = _place(error.__traceback__, reached)
        if place is None or not Path(place[0]).is_relative_to(base):
            raise
        at = Where(shown(Path(place[0]), base), place[1])
        raise refuse(_told(error, values), at=at) from error


def read(path: Path, base: Path, refuse: type[MovieBuildError]) -> str:
    """The text of a file that a user wrote; in messages it is called as it is seen from `base`.

    Raises:
        refuse: it cannot be read as text.
    """
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        at = Where(shown(path, base), line)
        raise refuse("not UTF-8; save the file as UTF-8", at=at) from error
    except OSError as error:
        raise refuse(f"cannot be read: {error.strerror}", at=Where(shown(path, base))) from error


def _place(trace: TracebackType | None, reached: set[str]) -> tuple[str, int] | None:
    """The innermost place in a template that led to an error."""
    found = None
    while trace is not None:
        name = trace.tb_frame.f_code.co_filename
        if name in reached:
            found = name, trace.tb_lineno
        trace = trace.tb_next
    return found


def _told(error: Exception, values: Mapping[str, object]) -> str:
    import jinja2

    said = " ".join(str(error).split())
    if isinstance(error, jinja2.TemplateNotFound):
        return f"there is no {error.name!r} to extend or include; see to its name, or write it"
    if not isinstance(error, jinja2.UndefinedError):
        return f"this cannot be filled in: {said}"
    if found := _UNKNOWN.fullmatch(said):
        return f"{said}; {nearest(found[1], values)}"
    if found := _NO_ATTRIBUTE.fullmatch(said):
        kind, attribute = found.groups()
        for name, value in values.items():
            if type(value).__name__ == kind and is_dataclass(value):
                known = [field.name for field in fields(value)]
                return f"{name} has no {attribute!r}; {nearest(attribute, known)}"
    return f"{said}; ask with `is defined` before it is used"
