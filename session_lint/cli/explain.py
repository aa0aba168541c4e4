"""``session-lint explain``: a rule's page."""

from __future__ import annotations

import difflib

import click

from session_lint.cli.look import look
from session_lint.cli.options import complete_codes
from session_lint.cli.paging import paged
from session_lint.cli.screen import Screen
from session_lint.report.page import page
from session_lint.report.paint import Paint
from session_lint.rules import catalogue


@click.command(cls=Screen, examples=("session-lint explain SES101", "session-lint explain session-not-closed"))
@click.argument("rule", metavar="CODE", shell_complete=complete_codes)
def explain(rule: str) -> None:
    """Print the page of a rule, by its code or its name."""
    found = {key.lower(): each for each in catalogue().values() for key in (each.code, each.name)}
    one = found.get(rule.lower())
    if one is None:
        near = difflib.get_close_matches(rule.lower(), found, n=1)
        hint = (
            f"; did you mean {near[0].upper() if near[0].startswith('ses') and near[0][3:].isdigit() else near[0]}?"
            if near
            else ""
        )
        raise click.ClickException(f"no rule {rule!r}{hint or '; `session-lint rules` lists them'}")
    seen = look()
    standing = "" if one.default else f"By default: {one.standing}.\n\n"
    paged(page(f"# {one.name} ({one.code})\n\n{standing}{one.doc}", Paint(seen)), seen)
