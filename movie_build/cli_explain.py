"""`movie-build plan` and `movie-build why`: what a build would do, and why."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from movie_build.errors import MovieBuildError

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


def build_told(
    folder: Path, doit_args: Sequence[str], *, quiet: bool, verbose: bool, junit: Path | None
) -> int:
    """Build the movie in `folder`, told as asked; the exit code."""
    from movie_build import telling
    from movie_build.reporter import had_bugs
    from movie_build.tasks import run_doit

    usual = telling.of_environment()
    asked = telling.Telling(
        quiet=quiet or usual.quiet,
        verbose=verbose or usual.verbose,
        junit=junit.absolute() if junit else usual.junit,
    )
    telling.ask(asked)
    code = run_doit(folder, doit_args)
    # doit calls it an error, not a failure, that the movie waits for a piece that failed.
    return 1 if code == 2 and not had_bugs() else code


@click.command()
@click.argument("folder", type=_FOLDER, default=".")
@click.option("--json", "as_json", is_flag=True, help="As data.")
def plan(folder: Path, as_json: bool) -> None:
    """Say what the next build in FOLDER would do, and about what it costs; write nothing."""
    from movie_build.plan import movie_folders, tell

    try:
        text, errors = tell(movie_folders(folder.resolve()), as_json=as_json)
    except MovieBuildError as mistake:
        text, errors = "", [mistake]
    if text:
        click.echo(text)
    for error in errors:
        click.echo(error, err=True)
    if errors:
        sys.exit(1)


@click.command()
@click.argument("what", required=False, metavar="[PIECE|LINE]")
@click.argument("folder", required=False, type=_FOLDER)
def why(what: str | None, folder: Path | None) -> None:
    """Say why each stale piece would be made again, or where PIECE or LINE came from.

    LINE is a narration line's number, a place such as script.yaml:52, an id, or a part of the
    text; PIECE is a slide by its title or as 'slide 2', a file under build/ or dist/, a task of
    doit, or the beginning of a key.
    """
    from movie_build.why import reasons

    if what and folder is None and not what.isdigit() and Path(what).is_dir():
        folder, what = Path(what), None
    try:
        for line in reasons(folder or Path(), what):
            click.echo(line)
    except MovieBuildError as error:
        click.echo(error, err=True)
        sys.exit(1)
