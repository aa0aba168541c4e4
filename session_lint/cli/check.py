"""``session-lint check``: report what is wrong."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import click

from session_lint.cli import adding
from session_lint.cli.baseline import against_baseline, baseline_options, complain_of_gone
from session_lint.cli.look import look
from session_lint.cli.run import CLEAN, FAILED, FOUND, complain, from_stdin, options, reports, source_of, stdin_report
from session_lint.report import FORMATS, render
from session_lint.report.run import Run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from session_lint.files import Missing
    from session_lint.source import Source


@click.command()
@options
@baseline_options
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
@click.option("--add-noqa", is_flag=True, help="Silence what is found by comments in the files.")
@click.option("--reason", callback=adding.reason, help="With --add-noqa: why; written into `# session-lint: allow`.")
@click.pass_context
def check(context: click.Context, /, paths: Sequence[str], **given: Any) -> None:  # click's options
    """Look for session mistakes in files and folders (default: the current folder; `-` for standard input).

    Exit codes: 0 nothing found, 1 findings, 2 the tool could not do its work.
    """
    sources: dict[str, Source | None] = {}
    missing: list[Missing] = []
    if given["reason"] and not given["add_noqa"]:
        raise click.UsageError("--reason goes with --add-noqa")
    if given["add_noqa"] and from_stdin(paths):
        raise click.UsageError("--add-noqa writes files; standard input is none")
    if from_stdin(paths):
        one, source = stdin_report(given)
        found = [one]
        sources[one.path] = source
    else:
        found, missing = reports(paths or ["."], given, given["jobs"])
    if given["add_noqa"]:
        complain(missing)
        code = adding.add(found, given)
        context.exit(FAILED if missing else code)
    comparison = against_baseline(found, partial(_source, sources), given)
    findings = [f for report in found for f in report.findings] if comparison is None else comparison.new
    nothing_read = missing and not found and given["output_format"] != "json"  # then nothing is clear
    if findings or not (given["quiet"] or nothing_read):
        seen = look()
        run = Run(findings, len(found), partial(_source, sources), seen, comparison)
        click.echo(render(given["output_format"], run), nl=False, color=seen.colour)
    stale = complain_of_gone(comparison)
    complain(missing)
    if missing:
        context.exit(FAILED)
    context.exit(FOUND if (findings or stale) and not given["exit_zero"] else CLEAN)


def _source(sources: dict[str, Source | None], filename: str) -> Source | None:
    return sources[filename] if filename in sources else source_of(filename)
