"""``session-lint check``: report what is wrong."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import click

from session_lint.cli.run import (
    CLEAN,
    FAILED,
    FOUND,
    complain,
    facts_again,
    from_stdin,
    options,
    reports,
    source_of,
    stdin_report,
)
from session_lint.report import FORMATS, render
from session_lint.report.run import Look, Run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from session_lint.analysis import ModuleFacts
    from session_lint.files import Missing
    from session_lint.finding import Finding
    from session_lint.source import Source


@click.command()
@options
@click.option(
    "--output-format",
    type=click.Choice(FORMATS),
    default="full",
    show_default=True,
    help="How to report.",
)
@click.option("--jobs", "-j", type=click.IntRange(min=0), default=0, help="How many processes; 0 for one a processor.")
@click.option("--exit-zero", is_flag=True, help="Exit with 0 even where something was found.")
@click.option("--quiet", "-q", is_flag=True, help="Print nothing where nothing was found.")
@click.pass_context
def check(context: click.Context, /, paths: Sequence[str], **given: Any) -> None:  # click's options
    """Look for session mistakes in files and folders (default: the current folder; `-` for standard input).

    Exit codes: 0 nothing found, 1 findings, 2 the tool could not do its work.
    """
    sources: dict[str, Source | None] = {}
    missing: list[Missing] = []
    if from_stdin(paths):
        one, source = stdin_report(given)
        found = [one]
        sources[one.path] = source
    else:
        found, missing = reports(paths or ["."], given, given["jobs"])
    findings = [finding for report in found for finding in report.findings]
    nothing_read = missing and not found and given["output_format"] != "json"  # then nothing is clear
    if findings or not (given["quiet"] or nothing_read):
        text = render(given["output_format"], _run(findings, len(found), sources, given))
        click.echo(text, nl=False, color=_colour())
    complain(missing)
    if missing:
        context.exit(FAILED)
    context.exit(FOUND if findings and not given["exit_zero"] else CLEAN)


def _run(findings: Sequence[Finding], checked: int, sources: dict[str, Source | None], given: dict[str, Any]) -> Run:
    def source(filename: str) -> Source | None:
        return sources[filename] if filename in sources else source_of(filename)

    def facts(filename: str) -> ModuleFacts | None:
        return facts_again(source(filename), given)

    return Run(findings, checked, source, Look(colour=_colour()), facts)


def _colour() -> bool:
    """Whether standard output wants colours: a terminal does, unless the user says otherwise."""
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or sys.stdout.isatty()
