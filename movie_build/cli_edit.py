"""`movie-build watch`, `script update` and `take`: what one works with while editing."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Literal

import click

from movie_build.errors import MovieBuildError

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.group()
def script() -> None:
    """What there is to do with a script besides editing it."""


@script.command()
@click.argument("folder", type=_FOLDER, default=".")
@click.option("--theirs", "prefer", flag_value="theirs", help="Where both changed, the draft's.")
@click.option("--mine", "prefer", flag_value="mine", help="Where both changed, yours: no comments.")
@click.option("--dry-run", is_flag=True, help="Show the difference; write nothing.")
def update(folder: Path, prefer: Literal["mine", "theirs"] | None, dry_run: bool) -> None:
    """Write a new draft from the source of the movie in FOLDER, and merge it with your edits.

    What you changed stays. Where the new draft has changed the same, it is put above yours as
    a comment, and listed.
    """
    from movie_build import script_update

    try:
        for updated in script_update.update(folder, prefer=prefer or "", dry_run=dry_run):
            if dry_run:
                click.echo(updated.diff, nl=False)
            click.echo(updated.told(), err=dry_run)  # a diff is for other programs too
            for conflict in updated.conflicts:
                click.echo(conflict, err=True)
    except MovieBuildError as error:
        click.echo(error, err=True)
        sys.exit(1)


@click.command()
@click.argument("line", required=False)
@click.argument("folder", required=False, type=_FOLDER)
@click.option("--keep", "act", flag_value="keep", help="Keep the recording as it is now.")
@click.option("--release", "act", flag_value="release", help="Give the kept recording up.")
@click.option("--list", "act", flag_value="list", help="List what is kept.")
def take(line: str | None, folder: Path | None, act: str | None) -> None:
    """Keep the recording of LINE that you approved: a file in assets/takes/.

    It is heard as long as the line says the same, whatever becomes of its voice. LINE is a
    number, a place such as script.yaml:52, an id, or a part of the text.
    """
    from movie_build import pinning

    if act == "list" and line and folder is None:
        folder, line = Path(line), None
    try:
        if act == "list":
            for one in pinning.listed(folder or Path()):
                click.echo(one)
        elif line is None:
            raise click.UsageError("say which LINE, or --list")
        else:
            acts = {"keep": pinning.keep, "release": pinning.release, None: pinning.told}
            click.echo(acts[act](folder or Path(), line))
    except MovieBuildError as error:
        click.echo(error, err=True)
        sys.exit(1)


@click.command()
@click.argument("folder", type=_FOLDER, default=".")
def watch(folder: Path) -> None:
    """Build the movie in FOLDER, and again at each save of its files, until Ctrl-C."""
    from movie_build import watch as watching

    watching.watch(folder, sys.stdout)
