"""`movie-build script update`: a new draft of the script, merged with the user's edits."""

from __future__ import annotations

import difflib
import tempfile
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from movie_build import drafts
from movie_build.atomic import write_bytes
from movie_build.edition import Edition
from movie_build.errors import AuthorError, InputError, Mistake, shown
from movie_build.merge import Merged, Prefer, merge
from movie_build.project import Project
from movie_build.session import Session


@dataclass(frozen=True, slots=True)
class Updated:
    """What became of a script: whether it is new, how it changed, and what is to be decided.

    `backup` is where the script lies as it was, relative to the project; empty
    where there was none, or nothing was written.
    """

    script: str
    new: bool
    diff: str
    conflicts: tuple[Mistake, ...] = ()
    backup: str = ""
    dry: bool = False

    def told(self) -> str:
        """One line for the terminal."""
        if not self.diff:
            return f"{self.script}: nothing new in the source"
        done = "written" if self.new else "updated"
        kept = f" (as it was: {self.backup})" if self.backup else ""
        n = len(self.conflicts)
        left = f"; {n} {'place' if n == 1 else 'places'} to decide" if n else ""
        return f"{self.script}: {'would be ' if self.dry else ''}{done}{kept}{left}"


def update(folder: Path, *, prefer: Prefer = "", dry_run: bool = False) -> Iterator[Updated]:
    """Bring the scripts of a movie, one a language, up to its source and settings.

    With `dry_run` nothing is written, but what a model was paid for.

    Raises:
        MovieBuildError: no draft can be written, or it cannot be merged.
    """
    session = Session(folder, look_only=dry_run)
    held: AbstractContextManager[None] = nullcontext() if dry_run else _held(session)
    with held:
        for edition in session.editions:
            yield _update(edition, prefer, dry_run)


@contextmanager
def _held(session: Session) -> Iterator[None]:
    from movie_build.lock import hold

    unlock = hold(session.project.build / ".lock", session.project.name, session.records.look_again)
    try:
        yield
    finally:
        session.records.close()
        unlock()


def _update(edition: Edition, prefer: Prefer, dry_run: bool) -> Updated:
    began = time.monotonic()
    project = edition.project
    pages: AbstractContextManager[str | None] = (
        tempfile.TemporaryDirectory(prefix="movie-build-") if dry_run else nullcontext()
    )
    with pages as cache:
        draft = edition.draft(again=True, cache=Path(cache) if cache else None)
    # The draft may have taken minutes: only now, or what was saved meanwhile would be lost.
    before = project.script.read_bytes() if edition.script_stands() else b""
    merged = _merged(project, before, draft, prefer)
    after = merged.text.encode()
    if before.startswith(b"\xef\xbb\xbf"):
        after = b"\xef\xbb\xbf" + after.removeprefix(b"\xef\xbb\xbf")
    name = project.script.name
    diff = _diff(before.decode(errors="replace"), after.decode(), name)
    backup = ""
    if not dry_run:
        if before and after != before:
            place = drafts.backup(project.script)
            write_bytes(place, before, durable=True)
            backup = shown(place, project.folder)
        if after != before or drafts.last(project) != draft:
            edition.put_draft(draft.encode(), after, time.monotonic() - began)
    return Updated(name, not before, diff, merged.conflicts, backup, dry_run)


def _merged(project: Project, before: bytes, draft: str, prefer: Prefer) -> Merged:
    if not before:
        return Merged(draft)
    try:
        mine = before.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise AuthorError(f"{project.script.name} is not UTF-8; save it as UTF-8") from error
    base = drafts.last(project)
    if base is None:
        return _without_base(project, mine, draft, prefer)
    try:
        return merge(base, mine, draft, name=project.script.name, prefer=prefer)
    except InputError as error:
        place = shown(drafts.place(project), project.folder)
        if "the last draft" not in str(error):
            raise
        raise AuthorError(
            f"{error}\nthe last draft lies in {place}; get it back from git, or remove it and "
            "use --mine or --theirs"
        ) from error


def _without_base(project: Project, mine: str, draft: str, prefer: Prefer) -> Merged:
    if prefer == "theirs" or mine.replace("\r\n", "\n") == draft:
        return Merged(draft)
    if prefer == "mine":
        return Merged(mine)
    place = shown(drafts.place(project), project.folder)
    raise AuthorError(
        f"{project.script.name}: there is no earlier draft in {place} to tell your edits by. "
        "Use --mine to keep your script and have later drafts compared with the one of today, "
        "or --theirs to take today's (yours is kept as a backup)"
    )


def _diff(before: str, after: str, name: str) -> str:
    lines = difflib.unified_diff(
        before.splitlines(keepends=True), after.splitlines(keepends=True), name, f"{name} (updated)"
    )
    return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)
