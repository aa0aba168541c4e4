"""What holds of every finding, whatever it found."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from session_lint.rules import catalogue
from tests.linting import lint
from tests.oracle import wild
from tests.oracle.program import module
from tests.rules.cases import cases

if TYPE_CHECKING:
    from session_lint.finding import Finding, Location

ROOT = Path(__file__).parents[2]
TEXTS = {
    **{case.id: (case.text, case.filename) for case in cases()},
    **{f"wild-{number}": (module(wild.program(5, number)), "module.py") for number in range(40)},
}
EACH = pytest.mark.parametrize("name", TEXTS)

PRINT_ALL = """
import sys
from tests.laws.test_findings import TEXTS
from tests.linting import lint
for name, (text, filename) in TEXTS.items():
    sys.stdout.write(f"{name} {lint(text, filename=filename)}\\n")
"""


@cache
def findings(name: str) -> list[Finding]:
    """What a text is told, for the laws that only look at it."""
    text, filename = TEXTS[name]
    return lint(text, filename=filename)


@EACH
def test_places_are_in_the_file(name: str) -> None:
    """A finding and each step of its trace point at characters that exist, and begin before they end."""
    text, filename = TEXTS[name]
    lines = text.splitlines()

    def exists(place: Location) -> bool:
        return 1 <= place.row <= len(lines) and 1 <= place.column <= len(lines[place.row - 1]) + 1

    for found in findings(name):
        places = [found.location, found.end_location, *(step.location for step in found.trace)]
        assert all(exists(place) for place in places)
        assert found.location < found.end_location
        assert {step.filename for step in found.trace} | {found.filename} == {filename}


@EACH
def test_words_are_as_the_style_wants_them(name: str) -> None:
    """Messages are filled in and end without a period; the symbol is a function of the file; the rule is known."""
    text, _ = TEXTS[name]
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    functions = {node.name for node in ast.walk(ast.parse(text)) if isinstance(node, kinds)}
    for found in findings(name):
        rule = catalogue()[found.code]
        assert (found.name, found.url) == (rule.name, rule.url)
        assert found.symbol.rpartition(".")[2] in functions | {"", "<lambda>"}
        for words in (found.message, *(step.message for step in found.trace)):
            assert words
            assert not words.endswith(".")
            assert not {"{", "}"} & set(words)


@EACH
def test_every_finding_shows_its_path(name: str) -> None:
    """No finding without a way that leads to it."""
    assert all(found.trace for found in findings(name))


@EACH
def test_asking_twice_gives_the_same(name: str) -> None:
    """Findings are values: equal in whole, trace and fix included."""
    text, filename = TEXTS[name]
    assert lint(text, filename=filename) == findings(name)


def test_hash_seeds_do_not_matter() -> None:
    """The same findings, in the same words, whatever order sets come in."""
    outputs = {
        subprocess.run(
            [sys.executable, "-c", PRINT_ALL],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(outputs) == 1
