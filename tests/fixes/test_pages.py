"""The fix of each rule, on the rule's own page: fixing the first block gives the second."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from session_lint.finding import Applicability
from session_lint.fixes import rewritten
from session_lint.rules import catalogue
from session_lint.source import Source
from tests.linting import lint

if TYPE_CHECKING:
    from session_lint.rule import Rule

FIXABLE = [rule for rule in catalogue().values() if rule.fix]


def fixed(rule: Rule, text: str) -> str:
    """The text with all safe fixes of one rule carried out."""
    while found := [
        f for f in lint(text, [rule.code]) if f.fix is not None and f.fix.applicability is Applicability.SAFE
    ]:
        assert found[0].fix is not None
        text = rewritten(Source("module.py", text), found[0].fix)
    return text


BY_HAND = ("SES302", "SES501", "SES502")
"""Rules whose fixes need the author's eye: the page shows what the author would write."""


@pytest.mark.parametrize("rule", [r for r in FIXABLE if r.code not in BY_HAND], ids=lambda rule: rule.code)
def test_first_block_becomes_second(rule: Rule) -> None:
    """The `# error` comment stays where it was, a comment of the author's; all else is as the page says."""
    bad, good = rule.examples[:2]
    assert re.sub(r" *# error$", "", fixed(rule, bad.text), flags=re.MULTILINE).rstrip() == good.text.rstrip()
