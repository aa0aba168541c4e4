"""The snippets for pre-commit; its hooks themselves are tried in ``tests/test_packaging.py``."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import yaml  # type: ignore[import-untyped]

import session_lint
from tests.ci.pages import ROOT, snippets
from tests.ci.test_action import LEAK

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def run(*command: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a program that may fail."""
    return subprocess.run(command, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)


def test_the_hooks_that_are_shown_exist() -> None:
    """By their names."""
    shown = yaml.safe_load(snippets("ci.md", "pre-commit", "yaml")[0])
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
    assert {hook["id"] for hook in shown["repos"][0]["hooks"]} <= {hook["id"] for hook in hooks}


def test_through_flake8(wheels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a dependency of flake8's hook, which is a local one here: its repository is on the network."""
    shown = yaml.safe_load(snippets("ci.md", "pre-commit", "yaml")[1])
    (repository,) = shown["repos"]
    (hook,) = repository["hooks"]
    assert hook["additional_dependencies"] == [f"session-lint=={session_lint.__version__}"]
    (tmp_path / "leak.py").write_text(LEAK, "utf-8")
    (tmp_path / ".pre-commit-config.yaml").write_text(yaml.safe_dump({"repos": [_local(repository, hook)]}), "utf-8")
    monkeypatch.setenv("PRE_COMMIT_HOME", str(tmp_path / ".pre-commit"))
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    monkeypatch.setenv("PIP_NO_COMPILE", "1")
    monkeypatch.delenv("PYTHONPATH", raising=False)
    run("git", "init", "--quiet", cwd=tmp_path)
    run("git", "add", "leak.py", cwd=tmp_path)
    done = run(sys.executable, "-m", "pre_commit", "run", "--all-files", "--color", "never", cwd=tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr
    found = [line for line in done.stdout.splitlines() if line.startswith("leak.py:")]
    assert [line.split()[:2] for line in found] == [["leak.py:5:15:", "SES102"]]


def _local(repository: dict[str, Any], hook: dict[str, Any]) -> dict[str, Any]:
    """flake8's own hook, with what the snippet adds to it."""
    flake8 = {
        "name": "flake8",
        "entry": "flake8",
        "language": "python",
        "types": ["python"],
        "require_serial": True,
        **hook,
        "additional_dependencies": [f"flake8=={repository['rev']}", *hook["additional_dependencies"]],
    }
    return {"repo": "local", "hooks": [flake8]}
