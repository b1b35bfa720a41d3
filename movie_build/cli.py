"""The `movie-build` command."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import ParamSpec

import click

from movie_build import __version__
from movie_build.errors import MovieBuildError

P = ParamSpec("P")
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


def told(command: Callable[P, None]) -> Callable[P, None]:
    """`command`, telling a mistake of the user's in one message, with exit code 1."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except MovieBuildError as error:
            click.echo(error, err=True)
            sys.exit(1)

    return run


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="movie-build")
def main() -> None:
    """Narrated slide movies, built incrementally.

    A movie is a folder; `doit` in it brings the movie up to date.
    """


@main.command()
@click.argument("name", type=click.Path(path_type=Path))
@click.option("--from", "source", metavar="URL", help="The page, or file, to write a script from.")
@told
def new(name: Path, source: str | None) -> None:
    """Make a movie's folder, with a script to begin with or a source to write one from."""
    from movie_build.scaffold import make_project

    for path in make_project(name, source):
        click.echo(f"wrote {path}")
    if source:
        click.echo(f"next: cd {name} && doit        # writes script.yaml, then the movie")
    else:
        click.echo(f"next: edit {name}/script.yaml, then: cd {name} && doit")


@main.command(context_settings={"ignore_unknown_options": True})
@click.argument("folder", type=FOLDER, default=".")
@click.argument("doit_args", nargs=-1, type=click.UNPROCESSED)
@told
def build(folder: Path, doit_args: tuple[str, ...]) -> None:
    """Bring the movie in FOLDER up to date: `doit` in it. What follows goes to doit."""
    from movie_build.tasks import run_doit

    sys.exit(run_doit(folder, doit_args))


@main.command()
@click.argument("folder", type=FOLDER, default=".")
@told
def check(folder: Path) -> None:
    """Say everything that is wrong with the movie in FOLDER, without making anything."""
    from movie_build.checks import check_movie

    found = check_movie(folder)
    for warning in found.warnings:
        click.echo(f"warning: {warning}", err=True)
    for line in found.summary:
        click.echo(line)


@main.command()
@click.option("--fix", is_flag=True, help="Install what is missing.")
@told
def doctor(fix: bool) -> None:
    """Show what this machine has for making movies, and how to get what it lacks."""
    from movie_build.doctor import examine, mend

    if fix:
        mend(lambda line: click.echo(line, err=True))
    findings = examine()
    for finding in findings:
        click.echo(finding)
    if any(finding.needed and not finding.there for finding in findings):
        sys.exit(1)


if __name__ == "__main__":
    main()
