"""The linters that are timed, each with the command by which it lints some folders."""

from __future__ import annotations

import os
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

HERE = Path(__file__).resolve().parent
SES = r"^\S+:\d+:\d+: (SES\d{3})"
PLAIN_FLAKE8 = """
import importlib.metadata as metadata, multiprocessing
found = metadata.distributions
metadata.distributions = lambda **words: (d for d in found(**words) if d.metadata["Name"] != "session-lint")
multiprocessing.set_start_method("fork")  # so that the workers miss the plugin too
from flake8.main.cli import main
raise SystemExit(main())
"""


class RunError(Exception):
    """A linter that is missing, or ended in another way than with or without findings."""


@dataclass(frozen=True)
class Linter:
    """One linter in one way of running it.

    :param name: as the tables have it.
    :param command: from folders, and a scratch folder for a cache, to what is run.
    :param warm: whether it runs once unseen, to fill its cache.
    :param codes: what finds the code of each finding in its output.
    :param statuses: the exit statuses of a run that has done its work.
    :param package: the distribution whose version counts.
    :param once: whether it is so slow that one round has to do.
    """

    name: str
    command: Callable[[Sequence[str], Path], list[str]]
    warm: bool = False
    codes: str = SES
    statuses: tuple[int, ...] = (0, 1)
    package: str = "session-lint"
    once: bool = False


def script(name: str) -> str:
    """A command of the environment that runs this file, else of the search path.

    :raises RunError: where it is not installed.
    """
    here = str(Path(sys.executable).parent)
    found = shutil.which(name, path=os.pathsep.join([here, os.environ.get("PATH", "")]))
    if found is None:
        raise RunError(f"{name} is not installed")
    return found


def codes(linter: Linter, out: str) -> list[str]:
    """The code of each finding."""
    return re.findall(linter.codes, out, re.MULTILINE)


def own(name: str, *options: str, warm: bool = False) -> Linter:
    """session-lint, with some options."""

    def command(folders: Sequence[str], _: Path) -> list[str]:
        return [script("session-lint"), "check", "--isolated", "--output-format", "concise", *options, *folders]

    return Linter(name, command, warm)


def ruff(name: str, *options: str, warm: bool = False) -> Linter:
    """Ruff, with some options."""

    def command(folders: Sequence[str], cache: Path) -> list[str]:
        keeping = ["--cache-dir", str(cache / "ruff")] if warm else ["--no-cache"]
        fixed = ["check", "--isolated", "--no-respect-gitignore", "--output-format", "concise"]
        return [script("ruff"), *fixed, *keeping, *options, *folders]

    return Linter(name, command, warm, r"^\S+:\d+:\d+: ([A-Z]+\d+)", package="ruff")


def flake8(name: str, *start: str, warm: bool = False) -> Linter:
    """flake8, started in some way."""
    return Linter(
        name,
        lambda folders, _: [sys.executable, *start, "--isolated", *folders],
        warm,
        r"^\S+:\d+:\d+: (SES\d+)",
        package="flake8",
    )


def semgrep(folders: Sequence[str], cache: Path) -> list[str]:
    """Semgrep with rules of our own, nothing sent or fetched."""
    options = ["scan", "--config", str(HERE / "semgrep.yml"), "--metrics", "off", "--disable-version-check", "--quiet"]
    settings = f"SEMGREP_SETTINGS_FILE={cache / 'semgrep.yml'}"
    return ["env", settings, script("semgrep"), *options, "--no-git-ignore", "--json", *folders]


def leakguard(folders: Sequence[str], cache: Path) -> list[str]:
    """leakguard-ast, which takes one folder."""
    options = ["--format", "json", "--fail-on", "none", "--quiet"]
    return ["env", f"HOME={cache}", script("leakguard"), "scan", *options, *folders]


def pylint(folders: Sequence[str], _: Path) -> list[str]:
    """Pylint with one check."""
    options = "--rcfile= --disable=all --enable=R1732 --recursive=y".split()
    return [sys.executable, "-m", "pylint", *options, *folders]


COLD = own("session-lint, cold", "--no-cache")
ONE = own("session-lint, cold, one process", "--no-cache", "-j", "1")
WARM = own("session-lint, warm", warm=True)
RUFF = ruff("ruff, default rules")
RUFF_WARM = ruff("ruff, default rules, warm", warm=True)
PLAIN = flake8("flake8", "-c", PLAIN_FLAKE8)
PLUGIN = flake8("flake8 with session-lint", "-m", "flake8")
PLUGIN_WARM = flake8("flake8 with session-lint, warm", "-m", "flake8", warm=True)
PYLINT = Linter("pylint, R1732", pylint, codes=r" (R1732): ", statuses=tuple(range(32)), package="pylint", once=True)
SEMGREP = Linter("semgrep, three rules", semgrep, codes=r'"check_id": ?"[^"]*?([\w-]+)"', package="semgrep")
WHOLE = (COLD, RUFF, ONE, ruff("ruff, SIM115", "--select", "SIM115"), WARM, RUFF_WARM)
PART = (
    COLD,
    ONE,
    RUFF,
    Linter(
        "pyflakes", lambda folders, _: [sys.executable, "-m", "pyflakes", *folders], codes="(?!)", package="pyflakes"
    ),
    PYLINT,
    SEMGREP,
    Linter("leakguard-ast", leakguard, codes=r'"(rule_id)"', package="leakguard-ast"),
)
IN_FLAKE8 = (PLAIN, PLUGIN, PLUGIN_WARM)
