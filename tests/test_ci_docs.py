"""The workflows of docs/ci.md: valid by their services' schemas, and run step by step."""

from __future__ import annotations

import json
import re
import shutil
import stat
import subprocess
import sys
import venv
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from conftest import SMALL, Run

ROOT = Path(__file__).parents[1]
SCRIPT = """title: In CI
sections:
- title: A slide
  narrations:
  - The first line of the movie.
  - The second line of the movie.
"""
STORE = ".movie-cache"


def documented(name: str) -> dict[str, Any]:
    """The YAML that docs/ci.md shows for the file `name`."""
    text = (ROOT / "docs/ci.md").read_text()
    found = re.search(rf"`{re.escape(name)}`:\n\n```yaml\n(.*?)```", text, re.DOTALL)
    assert found
    # BaseLoader, as YAML 1.2 of the services: `on` is a word.
    loaded = yaml.load(found[1], Loader=yaml.BaseLoader if "github" in name else yaml.SafeLoader)
    assert isinstance(loaded, dict)
    return loaded


GITHUB = documented(".github/workflows/movies.yml")
GITLAB = documented(".gitlab-ci.yml")


@pytest.mark.parametrize(
    ("workflow", "schema"), [(GITHUB, "github-workflows"), (GITLAB, "gitlab-ci")]
)
def test_the_workflows_are_valid_by_the_published_schemas(
    workflow: dict[str, Any], schema: str
) -> None:
    published = files("check_jsonschema") / f"builtin_schemas/vendor/{schema}.json"
    against = json.loads(published.read_text())
    if workflow is GITHUB:
        job = workflow["jobs"]["build"]
        job["timeout-minutes"] = int(job["timeout-minutes"])
    jsonschema.validators.validator_for(against)(against).validate(workflow)


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python of its own that has everything but movie-build; its folder of programs."""
    base = tmp_path_factory.mktemp("machine") / "venv"
    venv.create(base, with_pip=True, symlinks=True)
    (site,) = base.glob("lib/*/site-packages")
    ours = [path for path in sys.path if path.endswith("site-packages")]
    (site / "ours.pth").write_text("\n".join(ours))
    doit = base / "bin/doit"
    doit.write_text(f"#!{base}/bin/python\nfrom doit.__main__ import main\nmain()\n")
    doit.chmod(doit.stat().st_mode | stat.S_IXUSR)
    return base / "bin"


class Checkout:
    """A fresh checkout of a repository of movies on a CI machine, with the store restored."""

    def __init__(self, folder: Path, machine: Path, store: Path | None, script: str) -> None:
        self.folder = folder
        folder.mkdir()
        for name in ("pyproject.toml", "README.md", "LICENSE", "dodo.py"):
            shutil.copy(ROOT / name, folder)
        for name in ("movie_build", "templates"):
            shutil.copytree(ROOT / name, folder / name)
        for name, text in (("one", SCRIPT), ("two", script)):
            project = folder / "projects" / name
            project.mkdir(parents=True)
            shutil.copy(ROOT / "projects/hello/dodo.py", project)
            (project / "script.yaml").write_text(text)
            (project / "movie.yaml").write_text(SMALL)
        if store:
            shutil.copytree(store, folder / STORE)
        self.env = {
            "PATH": f"{machine}:/usr/bin:/bin",
            "HOME": str(folder),
            "CI": "true",
            # The registry is out of a test's reach; what it would bring is there already.
            "PIP_NO_INDEX": "1",
            "PIP_NO_BUILD_ISOLATION": "0",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        }

    def shell(self, command: str, env: Mapping[str, str]) -> Run:
        """Run a step's command, as the services' runners do."""
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", command],
            cwd=self.folder,
            env={**self.env, **env},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        report = self.folder / "projects/two/build/report.json"
        told = json.loads(report.read_text()) if report.exists() else {}
        return Run(done.returncode, done.stdout, done.stderr, told)


def github(checkout: Checkout, event: Mapping[str, str]) -> dict[str, Run]:
    """Run the steps of the GitHub workflow that have a command; by name, until one fails."""
    job = GITHUB["jobs"]["build"]
    known = {"github.workspace": str(checkout.folder), **event}

    def evaluated(value: str) -> str:
        return re.sub(r"\$\{\{ (.*?) \}\}", lambda found: known.get(found[1], ""), value)

    runner = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_WORKSPACE": str(checkout.folder),
        "GITHUB_STEP_SUMMARY": str(checkout.folder / "summary.md"),
    }
    runs: dict[str, Run] = {}
    for step in job["steps"]:
        failed = any(run.code for run in runs.values())
        if "run" in step and (not failed or step.get("if") == "always()"):
            env = {**runner, **job["env"], **step.get("env", {})}
            env = {name: evaluated(value) for name, value in env.items()}
            runs[step["name"]] = checkout.shell(step["run"], env)
    return runs


def test_the_github_workflow_makes_only_what_changed_and_annotates_mistakes(
    tmp_path: Path, machine: Path
) -> None:
    first = Checkout(tmp_path / "first", machine, None, SCRIPT)
    runs = github(first, {})
    assert [run.code for run in runs.values()] == [0, 0, 0], runs
    assert list(first.folder.glob("projects/*/dist/*.mp4"))
    assert "| audio |" in (first.folder / "summary.md").read_text()
    assert (first.folder / "movies.xml").exists()

    edited = SCRIPT.replace("second", "other")
    second = Checkout(tmp_path / "second", machine, first.folder / STORE, edited)
    runs = github(second, {})
    assert runs["Build"].made() == {"audio": 1, "movie": 1}
    assert len(list(second.folder.glob("projects/*/dist/*.mp4"))) == 2

    broken = SCRIPT.replace("narrations", "narations")
    third = Checkout(tmp_path / "third", machine, second.folder / STORE, broken)
    runs = github(third, {})
    assert runs["Build"].code == 1
    assert "::error file=projects/two/script.yaml,line=4" in runs["Build"].err
    assert [path.parts[-3] for path in third.folder.glob("projects/*/dist/*.mp4")] == ["one"]
    assert list(runs) == ["Install", "Build"]


def test_a_forks_pull_request_asks_no_service(tmp_path: Path, machine: Path) -> None:
    checkout = Checkout(tmp_path / "fork", machine, None, SCRIPT)
    config = "audio: {engine: openai, model: tts-1, voice: alloy}\n"
    (checkout.folder / "projects/two/movie.yaml").write_text(SMALL + config)
    fork = "github.event.pull_request.head.repo.fork && '1' || '0'"
    build = github(checkout, {fork: "1"})["Build"]
    assert build.code == 1
    assert "script.yaml:5" in build.err
    assert "OPENAI_API_KEY" not in build.err


def test_the_gitlab_job_runs_as_a_shell_would(tmp_path: Path, machine: Path) -> None:
    checkout = Checkout(tmp_path / "gitlab", machine, None, SCRIPT)
    job = GITLAB["movies"]
    directory = {"CI_PROJECT_DIR": str(checkout.folder)}
    env = {
        name: value.replace("$CI_PROJECT_DIR", directory["CI_PROJECT_DIR"])
        for name, value in job["variables"].items()
    }
    run = checkout.shell("\n".join(job["script"]), env)
    assert run.code == 0, run.err
    assert len(list(checkout.folder.glob("projects/*/dist/*.mp4"))) == 2
    assert (checkout.folder / job["artifacts"]["reports"]["junit"]).exists()
    assert (checkout.folder / STORE).is_dir()
