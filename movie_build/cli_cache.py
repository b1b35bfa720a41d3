"""`movie-build cache` and `movie-build gc`: what is kept of what was made, and how much of it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from functools import wraps
from pathlib import Path
from typing import ParamSpec

import click

from movie_build.errors import MovieBuildError

P = ParamSpec("P")
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_FILE = click.Path(dir_okay=False, path_type=Path)
_dry_run = click.option("--dry-run", is_flag=True, help="Only say what would be done.")


def _told(command: Callable[P, None]) -> Callable[P, None]:
    """`command`, telling a mistake of the user's in one message, with exit code 1."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except MovieBuildError as error:
            click.echo(error, err=True)
            sys.exit(1)

    return run


def _n(n: int, one: str = "piece", more: str = "pieces") -> str:
    """`1 piece`, `1,204 pieces`."""
    return f"{n:,} {one if n == 1 else more}"


@click.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="As data.")
@click.pass_context
def cache(context: click.Context, as_json: bool) -> None:
    """Show the store behind all projects: where it is, its size, how often it was of use."""
    if context.invoked_subcommand is None:
        _show(as_json)


@_told
def _show(as_json: bool) -> None:
    from movie_build.cache import contents, shown_size
    from movie_build.config import Config
    from movie_build.movie import load
    from movie_build.project import Project
    from movie_build.remote_files import shown_url
    from movie_build.store import shared_settings

    config = Config()
    if Project(Path.cwd()).config.is_file():
        with suppress(MovieBuildError):  # `check` tells what is wrong with the files
            config = load(Project(Path.cwd()), cached=False).config
    url, read_only = shared_settings(config.cache_shared, config.cache_read_only)
    kept = contents()
    if as_json:
        shared = {"shared": shown_url(url) or None, "read_only": read_only}
        click.echo(json.dumps({**asdict(kept), **shared}, indent=2))
        return
    click.echo(kept.folder)
    click.echo(f"  entries  {kept.entries:,}")
    click.echo(f"  size     {shown_size(kept.n_bytes)}")
    click.echo(f"  hits     {kept.hits:,}, and {kept.shared_hits:,} in a shared store")
    click.echo(f"  misses   {kept.misses:,}")
    if url:
        click.echo(f"shared: {shown_url(url)}{' (only read)' if read_only else ''}")


@cache.command("gc")
@click.option("--max-size", metavar="SIZE", help="Leave at most so much, such as 2GB.")
@click.option("--older-than", metavar="AGE", help="Remove what was not used for so long: 30d.")
@click.option(
    "--project",
    "projects",
    type=_FOLDER,
    multiple=True,
    help="Keep what this project uses too, as what those do that are under the current folder "
    "or were built with this store.",
)
@click.option("--force", is_flag=True, help="Remove also what projects still use.")
@_dry_run
@_told
def cache_gc(
    max_size: str | None,
    older_than: str | None,
    projects: tuple[Path, ...],
    force: bool,
    dry_run: bool,
) -> None:
    """Make the store smaller: what was not used for the longest time goes first."""
    from movie_build import in_use, store_users
    from movie_build.cache import parse_age, parse_size, shown_size, sweep
    from movie_build.store import default_folder

    if max_size is None and older_than is None:
        raise MovieBuildError(
            "say how small, with --max-size 2GB, or how old, with --older-than 30d"
        )
    max_bytes = None if max_size is None else parse_size(max_size)
    unused_s = None if older_than is None else parse_age(older_than)
    used: set[str] = set()
    if not force:
        known = (*in_use.projects_under(Path.cwd()), *store_users.noted(default_folder()))
        for folder in dict.fromkeys(path.resolve() for path in (*known, *projects)):
            used |= in_use.keys_used(folder)
    swept = sweep(max_bytes=max_bytes, unused_s=unused_s, in_use=used.__contains__, dry_run=dry_run)
    n_bytes = [
        sum(one.n_bytes for one in ones) for ones in (swept.removed, swept.kept, swept.spared)
    ]
    gone = "would be removed" if dry_run else "removed"
    click.echo(f"{_n(len(swept.removed), 'entry', 'entries')} {gone}, {shown_size(n_bytes[0])}")
    stay = len(swept.kept) + len(swept.spared)
    click.echo(f"{_n(stay, 'entry', 'entries')} left, {shown_size(n_bytes[1] + n_bytes[2])}")
    if swept.spared:
        click.echo(
            f"{len(swept.spared):,} of them, {shown_size(n_bytes[2])}, only because projects use "
            "them; --force removes them too"
        )


@cache.command("push")
@click.argument("folder", type=_FOLDER, default=".")
@_told
def cache_push(folder: Path) -> None:
    """Send what the movie in FOLDER needs, and the shared store lacks, to the shared store."""
    from movie_build.cache import push
    from movie_build.session import Session

    n_sent, n_pieces = push(Session(folder, look_only=True))
    click.echo(f"{n_sent:,} of {_n(n_pieces)} sent")


@cache.command("export")
@click.argument("file", type=_FILE)
@click.argument("folder", type=_FOLDER, default=".")
@_dry_run
@_told
def cache_export(file: Path, folder: Path, dry_run: bool) -> None:
    """Write all that the movie in FOLDER needs now to FILE (.tar, or .tar.gz)."""
    from movie_build.cache import shown_size
    from movie_build.cache_archive import export
    from movie_build.session import Session

    done = export(Session(folder, look_only=True), file, dry_run=dry_run)
    if done.n_missing:
        click.echo(f"warning: {_n(done.n_missing)} not made yet, so not in it", err=True)
    to = f"would be written to {file}" if dry_run else f"written to {file}"
    click.echo(f"{_n(done.n_objects)}, {shown_size(done.n_bytes)}, {to}")


@cache.command("import")
@click.argument("file", type=_FILE)
@_dry_run
@_told
def cache_import(file: Path, dry_run: bool) -> None:
    """Put what FILE, made by `cache export`, holds into the store; everything is verified."""
    from movie_build.cache_archive import bring
    from movie_build.store import FolderStore, default_folder

    done = bring(file, FolderStore(default_folder()), default_folder(), dry_run=dry_run)
    came = "would be imported" if dry_run else "imported"
    click.echo(f"{_n(done.n_new)} {came}, {done.n_known:,} were there")
    if done.refused:
        shown = ", ".join(done.refused[:3]) + (", …" if len(done.refused) > 3 else "")
        raise MovieBuildError(
            f"{file}: {_n(len(done.refused))} damaged or foreign, and refused: {shown}"
        )


@click.command()
@click.argument("folder", type=_FOLDER, default=".")
@_dry_run
@_told
def gc(folder: Path, dry_run: bool) -> None:
    """Remove the pieces in FOLDER's build/ that its script does not refer to."""
    from movie_build.build_gc import litter, remove_litter
    from movie_build.cache import shown_size
    from movie_build.session import Session

    session = Session(folder, look_only=True)
    found = litter(session) if dry_run else remove_litter(session)
    if dry_run:
        for path in found.files:
            click.echo(session.bench.name(path))
    gone = "would be removed" if dry_run else "removed"
    click.echo(f"{_n(len(found.files))} {gone}, {shown_size(found.n_bytes)}; {found.n_kept:,} left")
