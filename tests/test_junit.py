"""The JUnit report of a build: valid, a case a piece, and true."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import Folder
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


def test_a_report_that_cannot_be_written_is_said_and_changes_nothing(broken: Folder) -> None:
    broken.edit("script.yaml", "recording: assets/bad.wav", "id: b")
    broken.write("file", "")
    run = broken.run(*BUILD, "--junit", "file/report.xml")
    assert "cannot write" in run.err and "report.xml" in run.err
    assert "movie    1 new" in run.out
