"""Every rule's docstring is a page, and its examples are what the rule reports."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from session_lint.rules import catalogue
from tests.linting import lint

if TYPE_CHECKING:
    from session_lint.rule import Rule

RULES = list(catalogue().values())
SHOWN = [rule for rule in RULES if rule.examples]
EXAMPLES = [(rule, number) for rule in SHOWN for number in range(len(rule.examples))]


@pytest.mark.parametrize(("rule", "number"), EXAMPLES, ids=[f"{rule.name}-{number}" for rule, number in EXAMPLES])
def test_example(rule: Rule, number: int) -> None:
    """The rule reports exactly the lines that say ``# error``."""
    example = rule.examples[number]
    assert tuple(found.location.row for found in lint(example.text, [rule.code])) == example.errors


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_page_has_its_sections(rule: Rule) -> None:
    """What it does, why it is bad, an example, and what to write instead, in this order."""
    places = [rule.doc.find(part) for part in ("## What it does", "## Why is this bad?", "## Example", "Use instead:")]
    assert -1 not in places
    assert places == sorted(places)


@pytest.mark.parametrize("rule", SHOWN, ids=lambda rule: rule.name)
def test_page_shows_the_fault_and_then_the_cure(rule: Rule) -> None:
    """The first block has the fault; a later one has none."""
    assert rule.examples[0].errors
    assert any(not example.errors for example in rule.examples[1:])


def test_only_the_unreadable_file_has_no_python_example() -> None:
    """SES900 is about text that is no Python."""
    assert [rule.code for rule in RULES if not rule.examples] == ["SES900"]


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.fix], ids=lambda rule: rule.name)
def test_page_says_how_far_to_trust_the_fix(rule: Rule) -> None:
    """A rule with a codemod has a section about its safety."""
    assert "## Fix safety" in rule.doc
