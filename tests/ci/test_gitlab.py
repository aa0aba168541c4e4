"""``ci/gitlab.yml``: its script, carried out by a shell with the variables that the job gets."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import yaml  # type: ignore[import-untyped]

from tests.ci.pages import ROOT, snippets
from tests.ci.test_action import LEAK

if TYPE_CHECKING:
    from pathlib import Path

JOB: dict[str, Any] = yaml.safe_load((ROOT / "ci" / "gitlab.yml").read_text("utf-8"))["session-lint"]
REPORT = "gl-code-quality-report.json"


@pytest.fixture(name="job")
def _job(tmp_path: Path) -> Path:
    """A repository of one leak, and programs that the job finds first."""
    repository, programs = tmp_path / "repository", tmp_path / "bin"
    (repository / ".git").mkdir(parents=True)
    (repository / "src").mkdir()
    (repository / "src" / "leak.py").write_text(LEAK, "utf-8")
    programs.mkdir()
    for name, does in {"session-lint": f'exec "{sys.executable}" -m session_lint "$@"', "python": 'echo "$@"'}.items():
        (programs / name).write_text(f"#!/bin/sh\n{does}\n", "utf-8")
        (programs / name).chmod(0o755)
    return repository


def run(job: Path, part: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Carry out a part of the job, line by line, until one fails."""
    environment = {**os.environ, **JOB["variables"], **variables, "PYTHONPATH": str(ROOT)}
    environment["PATH"] = f"{job.parent / 'bin'}{os.pathsep}{environment['PATH']}"
    script = "\n".join(JOB[part])
    return subprocess.run(
        ["sh", "-e", "-c", script], cwd=job, env=environment, capture_output=True, text=True, check=False
    )


def test_the_report_and_the_log(job: Path) -> None:
    """The job fails; the report is the artifact; the log shows the way."""
    done = run(job, "script")
    (issue,) = json.loads((job / REPORT).read_text("utf-8"))
    assert (done.returncode, done.stderr) == (1, "")
    assert issue["location"] == {"path": "src/leak.py", "lines": {"begin": 5, "end": 5}}
    assert done.stdout.startswith("src/leak.py:5:15: SES102")
    assert JOB["artifacts"] == {"when": "always", "reports": {"codequality": REPORT}}


def test_variables(job: Path) -> None:
    """Paths and options are split at blanks; nothing found is a report of nothing."""
    done = run(job, "script", SESSION_LINT_PATHS="src src/leak.py", SESSION_LINT_ARGS="--ignore SES1 --no-project")
    assert (done.returncode, done.stdout) == (0, "All clear: 1 file checked\n")
    assert json.loads((job / REPORT).read_text("utf-8")) == []


def test_what_cannot_be_done(job: Path) -> None:
    """The job fails, and not as findings do."""
    assert run(job, "script", SESSION_LINT_PATHS="gone").returncode == 2


@pytest.mark.parametrize(("version", "expected"), [("", "session-lint"), ("0.1.0", "session-lint==0.1.0")])
def test_the_version(job: Path, version: str, expected: str) -> None:
    """The newest one, unless one is named."""
    done = run(job, "before_script", SESSION_LINT_VERSION=version)
    assert done.stdout.split() == ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", expected]


def test_the_page_sets_what_the_job_has() -> None:
    """The snippet goes over the job's own variables."""
    (snippet,) = snippets("ci.md", "GitLab", "yaml")
    shown = yaml.safe_load(snippet)
    assert shown["session-lint"]["variables"].keys() == JOB["variables"].keys()
    assert shown["include"][0]["remote"].endswith("/ci/gitlab.yml")
