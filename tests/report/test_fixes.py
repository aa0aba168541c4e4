"""The edits that reports carry: whoever carries them out gets what the fix itself writes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from session_lint.finding import Edit, Location
from session_lint.fixes import apply, rewritten
from session_lint.report import render
from session_lint.report.run import Run
from session_lint.rules import catalogue
from session_lint.source import Source
from tests.linting import lint
from tests.report.readers import carried_out

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.finding import Finding

EXAMPLES = [example.text for rule in catalogue().values() if rule.fix for example in rule.examples]


def fixable(text: str) -> Iterator[tuple[Finding, str]]:
    """The findings of a text whose fix can be carried out, each with what it makes of the text."""
    for finding in lint(text):
        if finding.fix is not None:
            yield finding, rewritten(Source("module.py", text), finding.fix)


def shown(form: str, finding: Finding, text: str) -> dict[str, Any]:
    """A report on one finding, read."""
    report: dict[str, Any] = json.loads(render(form, Run([finding], 1, lambda name: Source(name, text))))
    return report


def test_there_is_something_to_carry_out() -> None:
    """Several codemods: lines that go, that come, and that change."""
    codemods = {finding.fix.codemod for text in EXAMPLES for finding, _ in fixable(text) if finding.fix}
    assert len(codemods) >= 6


@pytest.mark.parametrize("end", ["\n", ""], ids=["line end", "no line end"])
def test_rdjson(end: str) -> None:
    """As reviewdog makes a suggestion of them, one: half of a fix would be worse than none."""
    for text in EXAMPLES:
        for finding, expected in fixable(text.rstrip("\n") + end):
            (diagnostic,) = shown("rdjson", finding, text.rstrip("\n") + end)["diagnostics"]
            (suggestion,) = diagnostic["suggestions"]
            done = carried_out(text.rstrip("\n") + end, suggestion)
            assert done.rstrip("\n") == expected.rstrip("\n")


@pytest.mark.parametrize("end", ["\n", "\r\n", ""], ids=["line feed", "carriage return and line feed", "no line end"])
def test_sarif(end: str) -> None:
    """As an editor puts texts in the place of regions."""
    for example in EXAMPLES:
        text = example.rstrip("\n").replace("\n", end or "\n") + end
        for finding, expected in fixable(text):
            (result,) = shown("sarif", finding, text)["runs"][0]["results"]
            (change,) = result["fixes"][0]["artifactChanges"]
            assert apply(text, map(_edit, change["replacements"])) == expected


def _edit(replacement: dict[str, Any]) -> Edit:
    region = replacement["deletedRegion"]
    start = Location(region["startLine"], region["startColumn"])
    return Edit(replacement["insertedContent"]["text"], start, Location(region["endLine"], region["endColumn"]))
