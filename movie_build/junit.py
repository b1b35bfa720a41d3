"""A run as a JUnit report: a test suite a movie, a test case a piece.

The form is the JUnit schema of Windy Road, which CI servers agree on: reused
pieces, and those that were not reached, are skipped; mistakes are failures.
"""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

from movie_build.atomic import write_bytes
from movie_build.errors import MovieBuildError, StoreError
from movie_build.join import MovieFile
from movie_build.refused import Refused
from movie_build.report import Outcome
from movie_build.session import Session
from movie_build.units import units_of

# What XML 1.0 cannot hold, however it is written.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class _Case:
    step: str
    name: str
    stands: bool
    outcome: Outcome | None

    @property
    def error(self) -> MovieBuildError | None:
        return self.outcome.error if self.outcome else None

    @property
    def seconds(self) -> float:
        return self.outcome.seconds if self.outcome else 0.0


def write(
    path: Path, sessions: Sequence[Session], began: float, refused: Sequence[Refused] = ()
) -> None:
    """Write what the runs of `sessions`, since the time `began`, did.

    What is wrong with `refused` movies, which were not built at all, is a case each.

    Raises:
        StoreError: it cannot be written there.
    """
    suites = ET.Element("testsuites")
    for session in sessions:
        suites.append(_suite(len(suites), session.project.name, [*_cases(session)], began))
    for movie in refused:
        suites.append(_suite(len(suites), movie.name, [*_mistakes(movie)], began))
    ET.indent(suites)
    content = ET.tostring(suites, encoding="utf-8", xml_declaration=True)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(path, content + b"\n")
    except OSError as error:
        raise StoreError(f"cannot write {path}: {error.strerror or error}") from error


def _suite(number: int, project: str, cases: Sequence[_Case], began: float) -> ET.Element:
    failed = sum(1 for case in cases if case.error)
    made = sum(1 for case in cases if case.outcome and not case.error)
    suite = ET.Element(
        "testsuite",
        name=project,
        package="movie_build",
        id=str(number),
        timestamp=time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(began)),
        hostname=socket.gethostname() or "localhost",
        tests=str(len(cases)),
        failures=str(failed),
        errors="0",
        skipped=str(len(cases) - failed - made),
        time=f"{sum(case.seconds for case in cases):.3f}",
    )
    ET.SubElement(suite, "properties")
    for case in cases:
        _add(suite, project, case)
    ET.SubElement(suite, "system-out")
    ET.SubElement(suite, "system-err")
    return suite


def _add(suite: ET.Element, project: str, case: _Case) -> None:
    classname = f"{project}.{case.step}"
    name = " ".join(_text(case.name).split())
    seconds = f"{case.seconds:.3f}"
    told = ET.SubElement(suite, "testcase", name=name, classname=classname, time=seconds)
    if case.error:
        kind = type(case.error).__name__
        message = _text(str(case.error))
        ET.SubElement(told, "failure", message=message, type=kind).text = message
    elif case.outcome is None:
        why = "reused" if case.stands else "not reached"
        ET.SubElement(told, "skipped", message=why)


def _cases(session: Session) -> Iterator[_Case]:
    outcomes = session.outcomes
    for edition in session.editions:
        of_script = outcomes.get(("script", edition.project.edition))
        if of_script:
            yield _Case("script", f"script {edition.project.script.name}", True, of_script)
    graphs = [e.graph_if_known for e in session.editions]
    for unit in units_of(*(graph for graph in graphs if graph)):
        name = f"{unit} {unit.title}" if unit.step == "audio" else str(unit)
        stands = all(map(session.bench.fresh, unit.pieces))
        yield _Case(unit.step, name, stands, outcomes.get((unit.step, unit.name)))
    for edition in session.editions:
        if graph := edition.graph_if_known:
            movie = MovieFile(graph, session.bench)
            name = f"movie {session.bench.name(movie.mp4)}"
            yield _Case(
                "movie", name, movie.fresh(), outcomes.get(("movie", edition.project.edition))
            )
    of_pieces = {str(outcome.error) for outcome in outcomes.values() if outcome.error}
    for error in session.failures:  # what was found once the script was written
        if str(error) not in of_pieces:
            yield from _mistakes(Refused(session.project.folder, error))


def _mistakes(refused: Refused) -> Iterator[_Case]:
    for mistake in refused.mistakes:
        error = MovieBuildError(mistake.what, at=mistake.where)
        yield _Case("check", str(mistake), False, Outcome(0.0, error))
    if not refused.mistakes:
        yield _Case("check", refused.name, False, Outcome(0.0, refused.error))


def _text(text: str) -> str:
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
