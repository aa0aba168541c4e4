"""``action.yml``: its steps, carried out in bash on a scratch repository."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]

import session_lint
from tests.ci.actions import Runner
from tests.ci.pages import ROOT, section, snippets
from tests.report.readers import command as parsed

LEAK = """\
from database.session import SessionLocal


def save(order):
    session = SessionLocal()
    session.add(order)
    session.commit()
    session.close()
"""
LATER = {"Check", "Upload"}


@pytest.fixture(name="command", scope="module")
def _command(wheels: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """session-lint as the action's first step has installed it, by its version."""
    folder = tmp_path_factory.mktemp("job")
    runner = Runner(ROOT, folder, folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PIP_FIND_LINKS", str(wheels))
        patch.setenv("PIP_NO_COMPILE", "1")
        runner.run({"version": session_lint.__version__}, {"Install session-lint"})
    assert runner.status == 0, runner.output
    return runner.outputs["install.outputs.command"]


@pytest.fixture(name="runner")
def _runner(command: str, tmp_path: Path) -> Runner:
    """A job after the first step, with a repository of one leak in a folder with a blank in its name."""
    repository, temp = tmp_path / "the repository", tmp_path / "temp"
    (repository / ".git").mkdir(parents=True)
    (repository / "src").mkdir()
    (repository / "src" / "leak.py").write_text(LEAK, "utf-8")
    (repository / "click.py").write_text("raise SystemExit('the project was imported')\n", "utf-8")
    temp.mkdir()
    return Runner(ROOT, repository, temp, outputs={"install.outputs.command": command})


def test_findings_become_annotations_and_a_summary(runner: Runner) -> None:
    """The job fails, and no module of the project stands in for one of ours."""
    runner.run({}, LATER)
    annotation, *more = runner.output.splitlines()
    name, properties, _ = parsed(annotation)
    assert (runner.status, more, runner.used) == (1, [], [])
    assert (name, properties["file"], properties["line"]) == ("error", "src/leak.py", "5")
    assert runner.summary.startswith("## session-lint\n\nFound 1 error in 1 file (2 files checked)")
    assert "| src/leak.py\\:5 |" in runner.summary


def test_paths_and_options(runner: Runner) -> None:
    """They are split at blanks, and patterns are left to session-lint."""
    runner.run({"paths": "src click.py", "args": "--ignore SES1 --extend-exclude *.pyc", "summary": "false"}, LATER)
    assert (runner.status, runner.output, runner.summary) == (0, "", "")


def test_upload(runner: Runner) -> None:
    """The report is uploaded even though the job fails; its paths begin at the repository, wherever the step runs."""
    outputs = runner.run({"paths": ".", "working-directory": "src", "upload": "true"}, LATER)
    (used,) = runner.used
    assert (runner.status, used) == (
        1,
        {
            "uses": "github/codeql-action/upload-sarif@v4",
            "sarif_file": str(runner.temp / "session-lint.sarif"),
            "category": "session-lint",
        },
    )
    assert outputs == {"sarif": used["sarif_file"]}
    (result,) = json.loads(Path(used["sarif_file"]).read_text("utf-8"))["runs"][0]["results"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "src/leak.py"


def test_a_report_that_stays_here(runner: Runner) -> None:
    """It is written where it was asked for, and not uploaded."""
    outputs = runner.run({"sarif": "out.sarif", "summary": "false"}, LATER)
    assert (outputs, runner.used, runner.summary) == ({"sarif": "out.sarif"}, [], "")
    assert (runner.workspace / "out.sarif").exists()


def test_what_cannot_be_done(runner: Runner) -> None:
    """The job fails with what is wrong, and nothing is uploaded."""
    runner.run({"paths": "gone", "upload": "true"}, LATER)
    assert (runner.status, "gone" in runner.output, runner.used, runner.summary) == (2, True, [], "")


def test_a_version_is_what_pip_is_asked_for(tmp_path: Path) -> None:
    """Without one it is the folder of the action."""
    described = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
    (step,) = [step for step in described["runs"]["steps"] if step["name"] == "Install session-lint"]
    runner = Runner(ROOT, tmp_path, tmp_path)
    asked = [runner.said(step["env"]["REQUIREMENT"], {"version": version}) for version in ("0.1.0", "")]
    assert asked == ["session-lint==0.1.0", str(ROOT)]


def test_the_page_says_what_the_action_takes() -> None:
    """Its table has the inputs with their defaults; the workflow on it gives none but those."""
    described = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
    rows = [line.split(" | ") for line in section("ci.md", "GitHub Actions").splitlines() if line.startswith("| `")]
    told = {row[0].strip("| `"): row[-1].removesuffix(" |").strip("`") for row in rows}
    assert told.pop("version") == "the one of the action"
    expected = {name: one["default"] or "none" for name, one in described["inputs"].items() if name != "version"}
    assert told == expected
    workflow = yaml.safe_load(snippets("ci.md", "GitHub Actions", "yaml")[0])
    (used,) = [step for step in workflow["jobs"]["session-lint"]["steps"] if "session-lint" in step["uses"]]
    assert used["with"].keys() <= described["inputs"].keys()
