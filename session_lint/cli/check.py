"""``session-lint check``: report what is wrong."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from session_lint.cli.combinations import refuse
from session_lint.cli.exits import CLEAN, FAILED, FOUND, INTERRUPTED
from session_lint.cli.linting import Outcome, lint
from session_lint.cli.options import FILES, SETTINGS, options
from session_lint.cli.outputs import FOR_PEOPLE, destinations, places, report, write_reports
from session_lint.cli.run import complain, groups, settings_for
from session_lint.cli.screen import Screen, option
from session_lint.finding import Severity
from session_lint.report import FORMATS
from session_lint.report.concise import many
from session_lint.report.run import Look

if TYPE_CHECKING:
    from collections.abc import Sequence

    from session_lint.cli.fix import Tally
    from session_lint.finding import Finding

FIXES, REPORT, RUN, EXIT = (
    "Fixes",
    "Report",
    "Run",
    "Exit code (0 clean, 1 findings, 2 it could not work, 130 interrupted)",
)
_SHOW = "List them; check nothing."
_FIX = "Write safe fixes; show; unsafe, too."
_TALK = "Be silent when all is well; tell more."
_EXITS = "0 all the same; 1 where --fix wrote."


@click.command(
    cls=Screen,
    examples=(
        "session-lint check src",
        "session-lint check --diff-base origin/main --report json:found.json",
    ),
)
@options
@option(FILES, "--diff-base", metavar="REV", help="Only findings on what changed since.")
@option(FILES, "--dependents", is_flag=True, help="And the files that import these.")
@option(SETTINGS, "--show-files", is_flag=True, help=_SHOW)
@option(SETTINGS, "--show-settings", is_flag=True, help=_SHOW)
@option(FIXES, "--fix", is_flag=True, help=_FIX)
@option(FIXES, "--diff", is_flag=True, help=_FIX)
@option(FIXES, "--unsafe", is_flag=True, help=_FIX)
@option(
    REPORT,
    "--output-format",
    metavar="FORMAT",
    type=click.Choice(FORMATS),
    default="full",
    help=f"{', '.join(FORMATS)}.",
)
@option(
    REPORT,
    "--output-file",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Write it there instead of printing it.",
)
@option(
    REPORT,
    "--report",
    metavar="FORMAT:FILE",
    multiple=True,
    callback=destinations,
    help="A further report; may be repeated.",
)
@option(REPORT, "--statistics", is_flag=True, help="Count the findings of each rule.")
@option(
    REPORT,
    "--color",
    metavar="WHEN",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    help="auto, always, never.",
)
@option(RUN, "--quiet", "-q", is_flag=True, help=_TALK)
@option(RUN, "--verbose", "-v", is_flag=True, help=_TALK)
@option(
    RUN, "--jobs", "-j", metavar="N", type=click.IntRange(min=0), default=0, help="Processes; 0 for one a processor."
)
@option(RUN, "--watch", "-w", is_flag=True, help="Check again whenever a file changes.")
@option(
    EXIT,
    "--error-on",
    metavar="SEVERITY",
    type=click.Choice([one.value for one in Severity]),
    default=Severity.STYLE.value,
    help="1 from there: error, warning, style.",
)
@option(EXIT, "--exit-zero", is_flag=True, help=_EXITS)
@option(EXIT, "--exit-non-zero-on-fix", is_flag=True, help=_EXITS)
@click.pass_context
def check(context: click.Context, /, paths: Sequence[str], **given: Any) -> None:  # click's options
    """Look for session mistakes in files and folders; `-` is standard input."""
    refuse(paths, given)
    paths = _with_dependents(paths or ["."], given) if given["dependents"] else paths or ["."]
    if given["show_settings"] or given["show_files"]:
        context.exit(_show(paths, given))
    if given["watch"]:
        from session_lint.cli.watch import watch  # noqa: PLC0415  (seldom)

        context.exit(watch(paths, given, _look(given), lambda outcome: _reported(outcome, given)))
    context.exit(_once(paths, given))


def _once(paths: Sequence[str], given: dict[str, Any]) -> int:
    """Mend, lint, report; the exit code of that."""
    wanted = places(given)
    tally: Tally | None = None
    if given["fix"] or given["diff"]:
        from session_lint.cli.fix import mend_paths  # noqa: PLC0415  (most runs only look)

        tally, missing = mend_paths(paths, given)
        if given["diff"]:
            complain(missing)
            return FAILED if missing or tally.failed else FOUND if tally.changed and not given["exit_zero"] else CLEAN
        if tally.changed and not given["quiet"]:
            click.echo(f"{tally.applied} fixed in {many(len(tally.changed), 'file')}", err=True)
    outcome = lint(paths, given)
    findings = _reported(outcome, given)
    _print(outcome, findings, given)
    write_reports(outcome, findings, wanted)
    complain(outcome.missing)
    if given["verbose"]:
        from session_lint.cli.verbose import tell  # noqa: PLC0415  (seldom)

        tell(outcome, given["config"])
    return _exit_code(outcome, findings, given, tally)


def _reported(outcome: Outcome, given: dict[str, Any]) -> list[Finding]:
    """The findings that count."""
    if not given["diff_base"]:
        return outcome.findings
    from session_lint.cli.changed import changed  # noqa: PLC0415  (git is asked seldom)

    return changed(outcome.findings, given["diff_base"])


def _print(outcome: Outcome, findings: Sequence[Finding], given: dict[str, Any]) -> None:
    """Print the report, unless it goes to a file or there is none."""
    form, look = given["output_format"], _look(given)
    unknown = (outcome.missing and not outcome.reports) or outcome.interrupted  # then nothing is clear
    if not given["output_file"] and (findings or not (given["quiet"] or (unknown and form in FOR_PEOPLE))):
        text = _counted(outcome, findings, form) if given["statistics"] else report(outcome, findings, form, look)
        click.echo(text, nl=False, color=look.colour)
    if outcome.interrupted:
        total = sum(len(files) for _, files in outcome.groups)
        done = f"{len(outcome.reports)} of {total} files were checked" if total else "no file was checked"
        click.echo(f"session-lint: interrupted, so the report is incomplete: {done}", err=True)


def _counted(outcome: Outcome, findings: Sequence[Finding], form: str) -> str:
    from session_lint.cli.statistics import statistics  # noqa: PLC0415  (seldom)

    return statistics(findings, len(outcome.reports), form)


def _exit_code(outcome: Outcome, findings: Sequence[Finding], given: dict[str, Any], tally: Tally | None) -> int:
    if outcome.interrupted:
        return INTERRUPTED
    if outcome.missing or (tally and tally.failed):
        return FAILED
    if tally and tally.changed and given["exit_non_zero_on_fix"]:
        return FOUND
    order = list(Severity)
    grave = order[: order.index(Severity(given["error_on"])) + 1]
    return FOUND if any(one.severity in grave for one in findings) and not given["exit_zero"] else CLEAN


def _show(paths: Sequence[str], given: dict[str, Any]) -> int:
    from session_lint.cli.listing import files_listed, settings_listed  # noqa: PLC0415  (seldom)

    if given["show_settings"]:
        click.echo("\n".join(settings_listed(Path(path), given) for path in paths), nl=False)
        return CLEAN
    found, missing = groups(paths, given)
    click.echo(files_listed(found), nl=False)
    complain(missing)
    return FAILED if missing else CLEAN


def _with_dependents(paths: Sequence[str], given: dict[str, Any]) -> Sequence[str]:
    from session_lint.cli.dependents import with_dependents  # noqa: PLC0415  (only hooks ask)

    return with_dependents(paths, lambda path: settings_for(path, given))


def _look(given: dict[str, Any]) -> Look:
    """How standard output wants reports: with colours on a terminal, unless the user says otherwise."""
    if given["color"] != "auto":
        return Look(colour=given["color"] == "always")
    if os.environ.get("NO_COLOR"):
        return Look(colour=False)
    return Look(colour=bool(os.environ.get("FORCE_COLOR")) or sys.stdout.isatty())
