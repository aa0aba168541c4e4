"""``session-lint rules``: what the tool looks for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from session_lint.cli.look import look
from session_lint.cli.paging import paged
from session_lint.cli.screen import Screen
from session_lint.report.columns import wrapped
from session_lint.report.paint import Paint
from session_lint.rules import catalogue

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.rule import Rule

NARROWEST, BELOW = 40, 8
"""The columns that a summary gets at least, and where it begins below its rule where there are fewer."""


@click.command(cls=Screen, examples=("session-lint rules", "session-lint rules --output-format json"))
@click.option(
    "--output-format", type=click.Choice(["text", "json"]), default="text", show_default=True, help="How to list."
)
def rules(output_format: str) -> None:
    """List all rules: code, name, severity, status, whether it has a fix, what it is about.

    The status is "on", or why a rule runs only where it is selected: "style" for a matter of taste, "young" for one of
    which too few findings in real code have been reviewed.
    """
    found = list(catalogue().values())
    if output_format == "json":
        click.echo(json.dumps([_entry(rule) for rule in found], indent=2))
        return
    seen = look()
    paged("\n".join(_listed(found, Paint(seen))), seen)


def _listed(found: list[Rule], paint: Paint) -> Iterator[str]:
    """A line a rule, as a table; on a terminal that is too narrow for it, what a rule is about stands below."""
    width = max(len(rule.name) for rule in found)
    for rule in found:
        fix = "fix" if rule.fix else "   "
        facts = f"{rule.name:<{width}}  {rule.severity.value:<7}  {rule.status:<5}  {fix}"
        indent = len(rule.code) + len(facts) + 4
        narrow = paint.look.width is not None and paint.look.width < indent + NARROWEST
        first, *others = wrapped(rule.summary, paint.look.width, *((BELOW, BELOW) if narrow else (indent, indent)))
        between, margin = (f"\n{'':{BELOW}}", BELOW) if narrow else ("  ", indent)
        yield f"{paint(rule.code, rule.severity.value)}  {facts.rstrip() if narrow else facts}{between}{first}"
        yield from (" " * margin + line for line in others)


def _entry(rule: Rule) -> dict[str, object]:
    return {
        "code": rule.code,
        "name": rule.name,
        "severity": rule.severity.value,
        "default": rule.default,
        "status": rule.status,
        "fix": bool(rule.fix),
        "summary": rule.summary,
        "url": rule.url,
    }
