"""The rules as SARIF describes them, with what GitHub's code scanning shows of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from session_lint.finding import Severity
from session_lint.rule import DOCS
from session_lint.rules import catalogue

if TYPE_CHECKING:
    from session_lint.rule import Rule

SITE = DOCS.removesuffix("rules/")
LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.STYLE: "note"}

_PROBLEMS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.STYLE: "recommendation"}
_LONGEST = 1024  # characters of a description that GitHub takes


def descriptors() -> list[dict[str, Any]]:
    """All rules of the catalogue, whatever was found, in its order."""
    return [_descriptor(rule) for rule in catalogue().values()]


def _descriptor(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.code,
        "name": rule.name,
        "shortDescription": {"text": f"{rule.summary}."},
        "fullDescription": {"text": _description(rule)},
        "help": {"text": rule.doc, "markdown": f"{rule.doc}\n\n[{rule.code} on the web]({rule.url})\n"},
        "helpUri": rule.url,
        "defaultConfiguration": {"enabled": rule.default, "level": LEVELS[rule.severity]},
        "properties": {
            "precision": "medium" if rule.young else "high",
            "problem.severity": _PROBLEMS[rule.severity],
            "tags": ["sqlalchemy", "maintainability" if rule.style else "correctness"],
        },
    }


def _description(rule: Rule) -> str:
    """What the rule does, in one paragraph of whole words."""
    _, _, rest = rule.doc.partition("## What it does\n")
    text = " ".join(rest.partition("\n## ")[0].split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1].rsplit(' ', 1)[0]}…"
