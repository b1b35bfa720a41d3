"""GitHub Actions: mistakes as annotations at their lines, a run as a table in the job's summary.

The forms are those of "Workflow commands for GitHub Actions" in GitHub's documentation.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from movie_build.errors import FrozenError, InputError, Mistake, MovieBuildError, Where
from movie_build.report import Report


def active() -> bool:
    """Whether this process runs in a step of a workflow."""
    return os.environ.get("GITHUB_ACTIONS") == "true"


def commands(error: MovieBuildError, folder: Path) -> Iterator[str]:
    """The commands that show `error` of the movie in `folder` at its lines."""
    if isinstance(error, InputError | FrozenError):
        for mistake in error.mistakes:
            yield annotation("error", mistake.where, mistake.what, folder)
    else:
        yield annotation("error", error.at, error.what, folder)


def warning(mistake: Mistake, folder: Path) -> str:
    """The command that shows a warning at its line."""
    return annotation("warning", mistake.where, mistake.what, folder)


def annotation(level: str, at: Where | None, what: str, folder: Path) -> str:
    """One command; its file is told relative to the workspace, as GitHub wants it."""
    properties = []
    if at:
        path = (folder / at.file).resolve()
        workspace = Path(os.environ.get("GITHUB_WORKSPACE") or Path.cwd()).resolve()
        shown = path.relative_to(workspace) if path.is_relative_to(workspace) else path
        properties.append(f"file={_property(shown.as_posix())}")
        properties += [f"line={at.line}"] if at.line else []
        properties += [f"col={at.column}"] if at.line and at.column else []
        what = f"{at.place}: {what}" if at.place else what
    told = f" {','.join(properties)}" if properties else ""
    return f"::{level}{told}::{_message(what)}"


def summarize(
    runs: Iterable[tuple[str, Report, Sequence[MovieBuildError]]],
    refused: Iterable[tuple[str, MovieBuildError]] = (),
) -> None:
    """Add what each project's run did to the job's summary, if there is one to add to.

    `refused` are projects that were not built at all, and why.
    """
    path = os.environ.get("GITHUB_STEP_SUMMARY")
    if not path:
        return
    lines = [line for run in runs for line in _table(*run)]
    for name, error in refused:
        lines += [f"### {_cell(name)}", "", *_listed([error])]
    try:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
    except OSError:
        return  # a summary is no reason to fail a build


def _table(name: str, report: Report, failures: Sequence[MovieBuildError]) -> Iterator[str]:
    yield f"### {_cell(name)}"
    yield ""
    yield "| step | new | reused | failed | seconds |"
    yield "|---|---:|---:|---:|---:|"
    for step, count in report.steps.items():
        if count.made or count.reused or count.failed:
            counts = f"{count.made} | {count.reused} | {count.failed} | {count.seconds:.1f}"
            yield f"| {step} | {counts} |"
    yield ""
    for line in report.cost_lines():
        yield f"{_cell(line)}"
        yield ""
    for line in report.movie_lines():
        yield f"**{_cell(line)}**"
        yield ""
    yield from _listed(failures)


def _listed(failures: Sequence[MovieBuildError]) -> Iterator[str]:
    for failure in failures:
        for line in str(failure).splitlines():
            yield f"- {_cell(line)}"
    if failures:
        yield ""


def _cell(text: str) -> str:
    """Text that is only text in Markdown."""
    text = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;")
    for mark in "\\|*_`[]":
        text = text.replace(mark, f"\\{mark}")
    return text


def _message(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")
