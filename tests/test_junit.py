"""The JUnit report of a build: valid, a case a piece, and true."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import DODO, SMALL, Folder
from lxml import etree

BUILD = (sys.executable, "-m", "movie_build.cli", "build")
SCRIPT = """title: Numbers
sections:
- title: First <slide>
  narrations:
  - This is line number one.
  - {text: "Broken & \\u0007 one", recording: assets/bad.wav}
- title: Second slide
  narrations:
  - This is line number three.
"""
# After the schema of Windy Road (github.com/windyroad/JUnit-Schema), in its essentials.
FORM = etree.RelaxNG(
    etree.fromstring(
        b"""
<element name="testsuites" xmlns="http://relaxng.org/ns/structure/1.0"
    datatypeLibrary="http://www.w3.org/2001/XMLSchema-datatypes">
  <zeroOrMore><element name="testsuite">
    <attribute name="name"><data type="token"><param name="minLength">1</param></data></attribute>
    <attribute name="package"><data type="token"/></attribute>
    <attribute name="id"><data type="int"/></attribute>
    <attribute name="timestamp"><data type="dateTime">
      <param name="pattern">[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}</param>
    </data></attribute>
    <attribute name="hostname"><data type="token"/></attribute>
    <attribute name="tests"><data type="int"/></attribute>
    <attribute name="failures"><data type="int"/></attribute>
    <attribute name="errors"><data type="int"/></attribute>
    <optional><attribute name="skipped"><data type="int"/></attribute></optional>
    <attribute name="time"><data type="decimal"/></attribute>
    <element name="properties"><empty/></element>
    <zeroOrMore><element name="testcase">
      <attribute name="name"><data type="token"/></attribute>
      <attribute name="classname"><data type="token"/></attribute>
      <attribute name="time"><data type="decimal"/></attribute>
      <optional><choice>
        <element name="skipped"><optional><attribute name="message"/></optional></element>
        <element name="failure">
          <optional><attribute name="message"/></optional><attribute name="type"/><text/>
        </element>
      </choice></optional>
    </element></zeroOrMore>
    <element name="system-out"><text/></element>
    <element name="system-err"><text/></element>
  </element></zeroOrMore>
</element>"""
    )
)


@pytest.fixture
def broken(folder: Folder) -> Folder:
    """A movie of which one line's recording is no sound."""
    folder.write("script.yaml", SCRIPT)
    folder.write("assets/bad.wav", "no sound")
    return folder


def cases(path: Path) -> tuple[dict[str, Any], dict[str, str]]:
    """A valid report's suite, and what became of each piece by its name."""
    suites = etree.parse(path).getroot()
    assert FORM.validate(suites), FORM.error_log
    (suite,) = suites
    told = {}
    for case in suite.iter("testcase"):
        (result,) = [*case] or [None]
        told[case.get("name")] = "made" if result is None else result.get("message")
        if result is not None and result.tag == "failure":
            told[case.get("name")] = f"failure: {result.text}"
    return dict(suite.attrib), told


def test_each_piece_is_a_case_that_was_made_reused_failed_or_not_reached(broken: Folder) -> None:
    broken.run(*BUILD, ".", "--keep-going", "--junit", "reports/first.xml", code=1)
    suite, told = cases(broken.path / "reports/first.xml")
    assert (suite["tests"], suite["failures"], suite["skipped"]) == ("8", "1", "1")
    failed = told.pop("audio line 2 (script.yaml:6) Broken & � one")
    assert failed.startswith("failure: script.yaml:6: ") and "bad.wav" in failed
    assert told == {
        "audio line 1 (script.yaml:5) This is line number one.": "made",
        "audio line 3 (script.yaml:9) This is line number three.": "made",
        'slide 1 "First <slide>" (script.yaml:3)': "made",
        'slide 2 "Second slide" (script.yaml:7)': "made",
        'picture 1 "First <slide>" (script.yaml:3)': "made",
        'picture 2 "Second slide" (script.yaml:7)': "made",
        "movie dist/movie.mp4": "not reached",
    }
    broken.edit("script.yaml", ", recording: assets/bad.wav", "")
    broken.edit("script.yaml", "\\u0007 ", "")
    broken.doit(env={"MOVIE_BUILD_JUNIT": "second.xml"})
    suite, told = cases(broken.path / "second.xml")
    assert (suite["tests"], suite["failures"], suite["skipped"]) == ("8", "0", "6")
    assert told["audio line 1 (script.yaml:5) This is line number one."] == "reused"
    assert told["audio line 2 (script.yaml:6) Broken & one"] == "made"
    assert told["movie dist/movie.mp4"] == "made"


def test_files_with_mistakes_are_failures_not_the_report_of_an_earlier_run(
    broken: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken.write("first.xml", "<testsuites/>")
    broken.write("script.yaml", SCRIPT.replace("title: Numbers", "titel: N") + "  notez: x\n")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(broken.path / "summary.md"))
    run = broken.run(*BUILD, "--junit", "first.xml", code=1)
    suite, told = cases(broken.path / "first.xml")
    assert (suite["name"], suite["tests"], suite["failures"]) == ("movie", "3", "3")
    wrong = "script.yaml:10: sections[1].notez: no such key; did you mean 'notes'?"
    assert told[wrong] == f"failure: {wrong}"
    assert "::error file=script.yaml,line=10::sections[1].notez: " in run.err
    summary = (broken.path / "summary.md").read_text()
    assert summary.startswith("### movie\n\n- script.yaml:1: ") and summary.count("\n- ") == 3


def test_what_stops_a_first_build_once_its_script_is_written_is_a_failure(folder: Folder) -> None:
    unknown = "\U0010fffd"
    folder.write("page.md", f"# Tides\n\n## The moon {unknown}\n\n" + "It pulls the water.\n" * 9)
    folder.write("movie.yaml", SMALL + "source: page.md\n")
    folder.run(*BUILD, "--junit", "first.xml", code=1)
    suite, told = cases(folder.path / "first.xml")
    assert suite["failures"] == "1"
    (failed,) = (case for case in told.values() if case.startswith("failure: "))
    assert "no installed font can show" in failed


def test_what_a_frozen_build_lacks_is_told_wherever_ci_looks(
    broken: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = Folder(broken.path / "projects/talk")
    project.write("dodo.py", DODO)
    project.write("movie.yaml", SMALL + "audio: {engine: openai, model: m, voice: v}\n")
    project.write("script.yaml", SCRIPT.replace(", recording: assets/bad.wav", ""))
    fine = {
        "dodo.py": DODO,
        "movie.yaml": SMALL,
        "script.yaml": "title: T\nsections: [{title: S, narrations: [One line.]}]\n",
    }
    for name, text in fine.items():
        broken.write(f"projects/fine/{name}", text)
    broken.write("dodo.py", DODO.replace("movie(", "movies(").replace("movie\n", "movies\n"))
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(broken.path / "summary.md"))
    monkeypatch.setenv("MOVIE_BUILD_JUNIT", str(broken.path / "report.xml"))
    run = broken.doit(env={"MOVIE_BUILD_FROZEN": "1"}, code=1)
    assert run.code
    assert (broken.path / "projects/fine/dist/fine.mp4").exists(), "it lacks nothing"
    assert not (project.path / "build/slides").exists()
    suites = etree.parse(broken.path / "report.xml").getroot()
    assert [suite.get("name") for suite in suites] == ["fine", "talk"]
    suite = next(suite for suite in suites if suite.get("name") == "talk")
    assert (suite.get("tests"), suite.get("failures")) == ("3", "3")
    lacking = 'script.yaml:5: sections[0].narrations[0]: audio line 1 "This is line number one."'
    assert f"talk/{lacking} is in no store, and only a service can make it\n" in run.err
    assert "\nfrozen: what is missing cannot be made here" in run.err
    assert "::error file=projects/talk/script.yaml,line=5::sections[0].narrations[0]: " in run.err
    assert "### talk\n\n- script.yaml:5: " in (broken.path / "summary.md").read_text()


def test_a_project_with_mistakes_has_a_suite_beside_those_that_are_built(broken: Folder) -> None:
    project = Folder(broken.path / "projects/fine")
    project.write("dodo.py", DODO)
    project.write("movie.yaml", SMALL)
    project.write("script.yaml", "title: T\nsections: [{title: S, narrations: [One line.]}]\n")
    broken.write("projects/odd/dodo.py", DODO)
    broken.write("projects/odd/script.yaml", "titel: x\n")
    broken.write("dodo.py", DODO.replace("movie(", "movies(").replace("movie\n", "movies\n"))
    broken.doit(env={"MOVIE_BUILD_JUNIT": "report.xml"}, code=None)
    suites = etree.parse(broken.path / "report.xml").getroot()
    assert FORM.validate(suites), FORM.error_log
    counts = [(suite.get("name"), suite.get("tests"), suite.get("failures")) for suite in suites]
    assert counts == [("fine", "4", "0"), ("odd", "3", "3")]


def test_a_report_that_cannot_be_written_is_said_and_changes_nothing(broken: Folder) -> None:
    broken.edit("script.yaml", "recording: assets/bad.wav", "id: b")
    broken.write("file", "")
    run = broken.run(*BUILD, "--junit", "file/report.xml")
    assert "cannot write" in run.err and "report.xml" in run.err
    assert "movie    1 new" in run.out
