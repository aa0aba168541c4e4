"""``session-lint rules``: what the tool looks for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from session_lint.cli.screen import Screen
from session_lint.rules import catalogue

if TYPE_CHECKING:
    from session_lint.rule import Rule


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
    width = max(len(rule.name) for rule in found)
    for rule in found:
        fix = "fix" if rule.fix else "   "
        click.echo(
            f"{rule.code}  {rule.name:<{width}}  {rule.severity.value:<7}  {rule.status:<5}  {fix}  {rule.summary}"
        )


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
