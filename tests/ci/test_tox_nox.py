"""The snippets for tox and nox: what they install, and that the command they run finds what there is."""

from __future__ import annotations

import configparser
import os
import re
import subprocess
import sys
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

from tests.ci.pages import ROOT, snippets
from tests.ci.test_action import LEAK

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Session:
    """What nox gives a session function.

    :param posargs: what stands behind ``--`` on the command line.
    """

    def __init__(self, *posargs: str) -> None:
        self.posargs = posargs
        self.calls: list[tuple[str, ...]] = []

    def install(self, *packages: str) -> None:
        """Note what is installed."""
        self.calls.append(("install", *packages))

    def run(self, *command: str) -> None:
        """Note what is run."""
        self.calls.append(command)


def by_tox(*posargs: str) -> list[tuple[str, ...]]:
    """What tox installs and runs."""
    parser = configparser.ConfigParser()
    parser.read_string(snippets("ci.md", "tox", "ini")[0])
    environment = parser["testenv:session-lint"]
    assert environment.keys() == {"skip_install", "deps", "commands"}
    command = re.sub(r"\{posargs:(.*?)\}", lambda m: " ".join(posargs) or m[1], environment["commands"])
    return [("install", *environment["deps"].split()), tuple(command.split())]


def by_nox(*posargs: str) -> list[tuple[str, ...]]:
    """What nox installs and runs."""
    functions: dict[str, Callable[[Session], None]] = {}
    nox = ModuleType("nox")
    nox.__dict__.update(Session=Session, session=lambda name: lambda function: functions.setdefault(name, function))
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "nox", nox)
        exec(snippets("ci.md", "nox", "python")[0], {})  # noqa: S102  # the documentation's own
    session = Session(*posargs)
    functions["session-lint"](session)
    return session.calls


@pytest.mark.parametrize("steps", [by_tox, by_nox])
def test_they_check_what_they_are_given(steps: Callable[..., list[tuple[str, ...]]]) -> None:
    """The package is installed; ``src`` is checked, or what stands behind ``--``."""
    assert steps() == [("install", "session-lint"), ("session-lint", "check", "src")]
    assert steps("lib", "bin")[1] == ("session-lint", "check", "lib", "bin")


def test_the_command_fails_where_something_is_found(tmp_path: Path) -> None:
    """So that tox and nox do."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "leak.py").write_text(LEAK, "utf-8")
    _, (_, *arguments) = by_tox()
    command = [sys.executable, "-m", "session_lint", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.startswith("src/leak.py:5:15: SES102")) == (1, True)
