"""A rule's page, as an editor shows it beside the code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_lint.rules import catalogue

if TYPE_CHECKING:
    from session_lint.finding import Finding
    from session_lint.rule import Rule


def page_of(finding: Finding) -> str:
    """The page of the rule of a finding, below what the finding says."""
    rule = catalogue().get(finding.code)
    steps = [f"{number}. line {step.location.row}: {step.message}" for number, step in enumerate(finding.trace, 1)]
    head = "\n".join([f"**{finding.code}** {finding.message}", "", *steps])
    return head if rule is None else f"{head}\n\n---\n\n{page(rule)}"


def rule_of(word: str) -> Rule | None:
    """The rule of a code or a name."""
    return next((rule for rule in catalogue().values() if word.upper() in (rule.code, rule.name.upper())), None)


def page(rule: Rule) -> str:
    """The page of a rule in Markdown."""
    return f"## {rule.name} ({rule.code})\n\n{rule.doc}\n\n[{rule.code} in the documentation]({rule.url})"
