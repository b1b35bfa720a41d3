"""The `movie-build` command."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import ParamSpec

import click

from movie_build import __version__, cli_cache, cli_edit, cli_explain
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
@click.option("--browser", is_flag=True, help="Let the page's JavaScript run first.")
@told
def new(name: Path, source: str | None, browser: bool) -> None:
    """Make a movie's folder, with a script to begin with or a source to write one from."""
    from movie_build.scaffold import make_project

    if browser and not source:
        raise click.UsageError("--browser is for a page: name it with --from")
    for path in make_project(name, source, browser=browser):
        click.echo(f"wrote {path}")
    if source:
        click.echo(f"next: cd {name} && doit        # writes script.yaml, then the movie")
    else:
        click.echo(f"next: edit {name}/script.yaml, then: cd {name} && doit")


@main.command(context_settings={"ignore_unknown_options": True})
@click.option("-q", "--quiet", is_flag=True, help="Tell mistakes and the movie's path only.")
@click.option("-v", "--verbose", is_flag=True, help="Tell each piece that is made.")
@click.option("-k", "--keep-going", is_flag=True, help="Make what can be made, then tell failures.")
@click.option("--frozen", is_flag=True, help="Ask no service; what is missing is told at once.")
@click.option("--placeholder", is_flag=True, help="Mark pictures still to be drawn as drafts.")
@click.option("--junit", type=click.Path(dir_okay=False, path_type=Path), help="Report to a file.")
@click.argument("args", metavar="[FOLDER] [DOIT_ARGS]...", nargs=-1, type=click.UNPROCESSED)
@told
def build(
    args: tuple[str, ...],
    quiet: bool,
    verbose: bool,
    keep_going: bool,
    frozen: bool,
    placeholder: bool,
    junit: Path | None,
) -> None:
    """Bring the movie in FOLDER up to date: `doit` in it. What else there is goes to doit."""
    from movie_build.cli_explain import build_told

    if frozen:
        os.environ["MOVIE_BUILD_FROZEN"] = "1"
    if placeholder:
        os.environ["MOVIE_BUILD_PLACEHOLDER"] = "1"
    named = bool(args) and not args[0].startswith("-")
    folder = FOLDER.convert(args[0], None, None) if named else Path()
    doit_args = [*args[named:], *(["--continue"] if keep_going else [])]
    sys.exit(build_told(folder, doit_args, quiet=quiet, verbose=verbose, junit=junit))


@main.command()
@click.argument("folder", type=FOLDER, default=".")
@click.option("--readings", is_flag=True, help="List Japanese lines whose reading is another.")
@told
def check(folder: Path, readings: bool) -> None:
    """Say everything that is wrong with the movie in FOLDER, without making anything."""
    from movie_build.checks import check_movie

    found = check_movie(folder, readings=readings)
    for warning in found.warnings:
        click.echo(f"warning: {warning}", err=True)
    for line in found.summary:
        click.echo(line)


@main.command()
@click.option("--fix", is_flag=True, help="Install the browser and fonts that are missing.")
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


main.add_command(cli_explain.plan)
main.add_command(cli_explain.why)
main.add_command(cli_cache.cache)
main.add_command(cli_cache.gc)
main.add_command(cli_edit.script)
main.add_command(cli_edit.take)
main.add_command(cli_edit.watch)

if __name__ == "__main__":
    main()
