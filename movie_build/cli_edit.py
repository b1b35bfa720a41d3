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
            else:
                click.echo(updated.told())
            for conflict in updated.conflicts:
                click.echo(conflict, err=True)
    except MovieBuildError as error:
        click.echo(error, err=True)
        sys.exit(1)
