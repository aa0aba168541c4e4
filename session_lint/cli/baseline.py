"""``session-lint baseline``: record what is wrong today; and ``check --baseline``: report only what is new."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from session_lint.cli.comparing import compared, here, place
from session_lint.cli.defaults import baseline_file
from session_lint.cli.exits import CLEAN, FAILED, INTERRUPTED
from session_lint.cli.linting import lint
from session_lint.cli.options import options
from session_lint.cli.run import complain, from_stdin, source_of
from session_lint.cli.screen import Screen, option
from session_lint.report.concise import many, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from session_lint.baseline import Comparison, Entry
    from session_lint.finding import Finding
    from session_lint.recording import Baseline

Command = TypeVar("Command", bound="Callable[..., object]")

BASELINE = "Baseline"


def _file(heading: str) -> Callable[[Command], Command]:
    kind = click.Path(dir_okay=False, path_type=Path)
    return option(heading, "--baseline-file", metavar="FILE", type=kind, help="The baseline, if not the usual file.")


def baseline_options(heading: str) -> Callable[[Command], Command]:
    """Give a command the options by which a baseline is read."""
    switch = option(heading, "--baseline/--no-baseline", default=None, help="Only what no baseline has recorded.")

    def decorate(command: Command) -> Command:
        decorated: Command = switch(_file(heading)(command))
        return decorated

    return decorate


@click.command(
    cls=Screen,
    examples=("session-lint baseline && session-lint check --baseline", "session-lint baseline --prune"),
)
@options
@_file(BASELINE)
@option(BASELINE, "--prune", is_flag=True, help="Remove what is gone; entries follow files that moved.")
@option(BASELINE, "--accept", metavar="REASON", help="Add what is new, with the reason why it may be.")
@click.pass_context
def baseline(context: click.Context, /, paths: Sequence[str], **given: Any) -> None:  # click's options
    """Record today's findings, so that `check --baseline` reports new ones only.

    Without paths it looks at the folder of the settings and below. Once there is a baseline it only shrinks: by
    --prune; --accept alone lets it grow.

    Exit codes: 0 it is written, 2 it could not be.
    """
    from session_lint.recording import Baseline, read  # noqa: PLC0415  (most runs need none)
    from session_lint.writing import place_for  # noqa: PLC0415

    if from_stdin(paths):
        raise click.UsageError("standard input cannot be recorded: name files and folders")
    if given["accept"] is not None and not given["accept"].strip():
        raise click.UsageError("--accept needs a reason: --accept 'closed by the framework'")
    given["baseline_file"] = baseline_file(given, paths)
    file, changing = place(given), given["prune"] or given["accept"] is not None
    if file.exists() and not changing:
        raise click.ClickException(
            f"{shown(str(file))} is there already: --prune removes what is gone, --accept REASON adds what is new"
        )
    place_for(file)
    recorded = read(file) if changing else Baseline(file)
    outcome = lint(paths or [shown(str(here(given).root or Path.cwd()))], {**given, "jobs": 0, "quiet": False})
    complain(outcome.missing)
    if outcome.interrupted or outcome.missing:
        context.exit(INTERRUPTED if outcome.interrupted else FAILED)
    comparison = compared(recorded, outcome.reports, source_of, given)
    if changing:
        _change(recorded, comparison, given)
    else:
        recorded.written(_recorded(recorded, comparison.new, ""))
        click.echo(f"{many(len(comparison.new), 'finding')} recorded in {shown(str(file))}")
    context.exit(CLEAN)


def _change(recorded: Baseline, comparison: Comparison, given: dict[str, Any]) -> None:
    from session_lint.baseline import merged  # noqa: PLC0415  (most runs need none)

    entries: list[Entry] = list(comparison.left if given["prune"] else recorded.entries)
    gone, new = comparison.number_gone, len(comparison.new)
    accepted = given["accept"] is not None
    if accepted:
        entries = merged([*entries, *_recorded(recorded, comparison.new, given["accept"].strip())])
    if sorted(entries) != sorted(recorded.entries):
        recorded.written(entries)
    number = sum(entry.count for entry in entries)
    said = [f"{gone} removed"] if given["prune"] else []
    said += [f"{new} added"] if accepted else []
    click.echo(f"{', '.join(said)}, {many(number, 'finding')} in {shown(str(recorded.file))}")
    if new and not accepted:
        click.echo(f"{new} not in it: mend them, or accept them with --accept REASON", err=True)


def _recorded(recorded: Baseline, findings: Sequence[Finding], reason: str) -> list[Entry]:
    from session_lint.baseline import merged  # noqa: PLC0415  (most runs need none)

    return merged(recorded.entry(finding, source_of(finding.filename), reason) for finding in findings)
