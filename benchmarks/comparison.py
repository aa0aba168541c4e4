"""What other linters say of the examples of the rules' pages, line by line: the tables of ``docs/comparison.md``.

    python3 -m venv .venv-comparison
    .venv-comparison/bin/pip install . ruff pylint flake8 flake8-bugbear flake8-simplify refurb
    .venv-comparison/bin/python benchmarks/comparison.py --write

Each rule's page has an example with the mistake, its line marked, and one without. Every tool runs with all its checks
on. Counted are the marked lines at which it says anything, and those at which it says something that it does not say of
the example without the mistake. A control shows that the tools are at work: a file that is opened and never closed.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from collections import defaultdict
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from session_lint.rules import catalogue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

PAGE = Path(__file__).resolve().parent.parent / "docs" / "comparison.md"
BEGIN, END = "<!-- tables: begin -->", "<!-- tables: end -->"
CONTROL = "def read(path):\n    file = open(path)\n    return file.read()\n"
CONTROL_ROW = 2
Said = tuple[str, int, str]
"""A file, a line, a code."""


@dataclass(frozen=True)
class Tool:
    """A linter.

    :param packages: whose versions count.
    :param options: what it is run with, as the page shows it.
    :param run: from a folder to what it says of the files in it.
    """

    packages: tuple[str, ...]
    options: str
    run: Callable[[Path], Iterable[Said]]


def main() -> None:
    """Run what is installed, and print the tables or write them into the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="write them into docs/comparison.md")
    given = parser.parse_args()
    text = tables()
    if given.write:
        before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
        PAGE.write_text(f"{before}{BEGIN}\n{text}\n{END}{rest.partition(END)[2]}", "utf-8")
    else:
        print(text)


def tables() -> str:
    """A row for each tool that is installed, and what the tools say at the marked lines."""
    marked = {name: rows for name, (_, rows) in files().items() if rows}
    head = f"| tool | options | marked lines with a finding, of {len(marked)} | only with the mistake | control |"
    rows, said = [head, "| --- | --- | --: | --: | --- |"], defaultdict[str, list[str]](list)
    with TemporaryDirectory() as name:
        folder = Path(name)
        for file, (text, _) in files().items():
            (folder / file).write_text(text, "utf-8")
        for tool in TOOLS:
            try:
                named = " + ".join(f"{package} {version(package)}" for package in tool.packages)
            except PackageNotFoundError:
                continue
            found = set(tool.run(folder))
            at = {file: codes_at(found, file, row) for file, (row,) in marked.items()}
            only = {file: codes - codes_of(found, file.replace("_bad", "_good")) for file, codes in at.items()}
            control = ", ".join(sorted(codes_at(found, "control.py", CONTROL_ROW) & SEES_FILES)) or "says nothing"
            rows.append(f"| {named} | {tool.options} | {_count(at)} | {_count(only)} | {control} |")
            if tool.run is not session_lint:
                for file, codes in at.items():
                    said[file.partition("_")[0].upper()] += [f"{tool.packages[0]} {code}" for code in sorted(codes)]
    rows += ["", "What that is, at the marked line of the example of each rule:", ""]
    rows += [f"- {rule}: {', '.join(codes)}" for rule, codes in sorted(said.items()) if codes]
    return "\n".join(rows)


SEES_FILES = {"SIM115", "R1732"}
"""The codes of a file that is opened and not closed."""


def files() -> dict[str, tuple[str, tuple[int, ...]]]:
    """The examples by the names of their files, each with its marked lines: one for a mistake, none without."""
    found: dict[str, tuple[str, tuple[int, ...]]] = {"control.py": (CONTROL, ())}
    for rule in catalogue().values():
        for example in rule.examples:
            found[f"{rule.code.lower()}_{'bad' if example.errors else 'good'}.py"] = (example.text, example.errors)
    return found


def codes_at(found: Iterable[Said], file: str, row: int) -> set[str]:
    """What is said of a line."""
    return {code for name, line, code in found if (name, line) == (file, row)}


def codes_of(found: Iterable[Said], file: str) -> set[str]:
    """What is said of a file."""
    return {code for name, _, code in found if name == file}


def _count(at: dict[str, set[str]]) -> int:
    return sum(bool(codes) for codes in at.values())


def session_lint(folder: Path) -> Iterable[Said]:
    """All rules, each file by itself."""
    options = "check --isolated --no-cache --no-project --select ALL --output-format json .".split()
    for found in json.loads(_output(folder, "session_lint", *options)):
        yield Path(found["filename"]).name, found["location"]["row"], found["code"]


def ruff(folder: Path) -> Iterable[Said]:
    """All rules, those in preview, too."""
    out = _output(
        folder, "ruff", "check", *"--isolated --no-cache --preview --select ALL --output-format json .".split()
    )
    for found in json.loads(out):
        yield Path(found["filename"]).name, found["location"]["row"], found["code"]


def pylint(folder: Path) -> Iterable[Said]:
    """All checks but whether the modules that are imported are installed."""
    out = _output(folder, "pylint", *"--rcfile= --enable=all --disable=import-error -f json .".split(), "--recursive=y")
    for found in json.loads(out):
        yield Path(found["path"]).name, found["line"], found["message-id"]


def flake8(folder: Path) -> Iterable[Said]:
    """All checks of flake8, bugbear and simplify, the opinionated ones, too."""
    out = _output(folder, "flake8", *"--isolated --select B,C,E,F,SIM,W .".split())
    yield from _lines(out, r"(.+?):(\d+):\d+: (\S+) ")


def refurb(folder: Path) -> Iterable[Said]:
    """All checks."""
    yield from _lines(_output(folder, "refurb", "--enable-all", "."), r"(.+?):(\d+):\d+ \[(\S+)\]: ")


def _output(folder: Path, module: str, *options: str) -> str:
    """What a tool of this environment prints of a folder."""
    done = subprocess.run(
        [sys.executable, "-m", module, *options], cwd=folder, capture_output=True, text=True, check=False
    )
    if done.returncode not in (0, 1) and module != "pylint":  # pylint's code says which kinds of messages there are
        sys.exit(f"{module} could not do its work: {done.stderr}")
    return done.stdout


def _lines(out: str, form: str) -> Iterable[Said]:
    for match in re.finditer(f"^{form}", out, re.MULTILINE):
        yield Path(match[1]).name, int(match[2]), match[3]


TOOLS = [
    Tool(("session-lint",), "`--select ALL`", session_lint),
    Tool(("ruff",), "`--preview --select ALL`", ruff),
    Tool(("pylint",), "`--enable=all`", pylint),
    Tool(("flake8", "flake8-bugbear", "flake8-simplify"), "`--select B,C,E,F,SIM,W`", flake8),
    Tool(("refurb",), "`--enable-all`", refurb),
]

if __name__ == "__main__":
    main()
