"""A runner for composite actions: expressions, inputs, outputs and steps in bash, as GitHub's does them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

_NAME = re.compile(r"(inputs|steps|github)\.([\w.-]+)")


@dataclass
class Runner:
    """One job that uses an action.

    :param action: the folder of the action.
    :param workspace: what was checked out.
    :param temp: the folder for whatever the job needs.
    :param output: what the steps have printed.
    :param status: the exit code of the first step that failed.
    :param used: what other actions were given.
    :param outputs: those of the steps: ``check.outputs.sarif``.
    """

    action: Path
    workspace: Path
    temp: Path
    output: str = ""
    status: int = 0
    used: list[dict[str, Any]] = field(default_factory=list)
    outputs: dict[str, str] = field(default_factory=dict)

    @property
    def summary(self) -> str:
        """What the job's summary says."""
        path = self.temp / "summary.md"
        return path.read_text("utf-8") if path.exists() else ""

    def run(self, inputs: dict[str, str], steps: set[str] | None = None) -> dict[str, str]:
        """Carry the action out.

        :param inputs: those of the action that the job gives.
        :param steps: the names of the steps to carry out; all when ``None``.
        :returns: the outputs of the action.
        """
        described = yaml.safe_load((self.action / "action.yml").read_text("utf-8"))
        assert inputs.keys() <= described["inputs"].keys()
        given = {name: inputs.get(name, one["default"]) for name, one in described["inputs"].items()}
        for step in described["runs"]["steps"]:
            if steps is None or step["name"] in steps:
                self._step(step, given)
        return {name: self.said(one["value"], given) for name, one in described.get("outputs", {}).items()}

    def _step(self, step: dict[str, Any], inputs: dict[str, str]) -> None:
        wanted = self._value(step["if"], inputs) if "if" in step else True
        if not wanted or (self.status and "always()" not in step.get("if", "")):
            return
        if "uses" in step:
            told = {name: self.said(value, inputs) for name, value in step["with"].items()}
            self.used.append({"uses": step["uses"], **told})
            return
        assert step["shell"] == "bash"
        self._bash(step, inputs)

    def _bash(self, step: dict[str, Any], inputs: dict[str, str]) -> None:
        script, outputs = self.temp / "step.sh", self.temp / "outputs"
        script.write_text(self.said(step["run"], inputs), "utf-8")
        outputs.write_text("", "utf-8")
        environment = {
            **{name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "VIRTUAL_ENV"}},
            **{name: self.said(value, inputs) for name, value in step.get("env", {}).items()},
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_OUTPUT": str(outputs),
            "GITHUB_STEP_SUMMARY": str(self.temp / "summary.md"),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "RUNNER_TEMP": str(self.temp),
        }
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", script],
            cwd=self.workspace / self.said(step.get("working-directory", "."), inputs),
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        self.output += done.stdout + done.stderr
        self.status = self.status or done.returncode
        for line in outputs.read_text("utf-8").splitlines():
            name, _, value = line.partition("=")
            self.outputs[f"{step['id']}.outputs.{name}"] = value

    def said(self, text: str, inputs: dict[str, str]) -> str:
        """A text with its expressions evaluated."""
        return re.sub(r"\$\{\{ (.*?) \}\}", lambda match: str(self._value(match[1], inputs)), text)

    def _value(self, expression: str, inputs: dict[str, str]) -> object:
        """An expression of GitHub, whose ``&&`` and ``||`` give an operand, as Python's words do."""

        def value(match: re.Match[str]) -> str:
            values = {"inputs": inputs, "steps": self.outputs, "github": {"action_path": str(self.action)}}
            return repr(values[match[1]].get(match[2], "") if match[1] == "steps" else values[match[1]][match[2]])

        python = _NAME.sub(value, expression.replace("&&", " and ").replace("||", " or "))
        known = {"format": str.format, "always": lambda: True}
        return eval(python, {"__builtins__": {}}, known)  # noqa: S307  # the project's own action
