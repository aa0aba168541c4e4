"""``check --watch``: lint again whenever a file changes, and print what is new."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from session_lint.cli.exits import CLEAN
from session_lint.cli.linting import Outcome, lint
from session_lint.cli.outputs import report
from session_lint.cli.run import complain, forget
from session_lint.collecting import collect_seldom
from session_lint.errors import UserError
from session_lint.report.concise import many, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from session_lint.finding import Finding
    from session_lint.report.run import Look

    Changes = Iterable[object]
    Select = Callable[[Outcome], list[Finding]]

BEAT = 250  # milliseconds between two looks at whether there is a change
_SETTINGS = ("pyproject.toml", "session-lint.toml", ".session-lint.toml", ".gitignore")


def watch(paths: Sequence[str], given: dict[str, Any], look: Look, select: Select) -> int:
    """Lint, wait for a change, and again, until somebody interrupts it.

    The first time everything is printed; then what is found in files where that has changed.

    :param select: what of a run's findings is reported.
    :returns: the exit code.
    :raises UserError: where the library that watches files is not installed.
    """
    collect_seldom()
    before: dict[str, list[Finding]] | None = None
    with suppress(KeyboardInterrupt):
        for _ in _occasions(paths):
            if before is not None and sys.stdout.isatty():
                click.clear()
            forget()
            try:
                outcome = lint(paths, given)
                findings = select(outcome)
            except UserError as error:  # settings that are being written
                click.echo(f"session-lint: {error}", err=True)
                continue
            if outcome.interrupted:
                break
            before = _told(outcome, findings, before, given, look)
    return CLEAN


def _occasions(paths: Sequence[str]) -> Iterator[Changes]:
    """One occasion to lint at the beginning, and one for each change."""
    try:
        from watchfiles import watch as changes  # noqa: PLC0415  (an extra)
    except ImportError:
        raise UserError("--watch needs a library beside: pip install 'session-lint[watch]'") from None
    roots = {path if path.is_dir() else path.parent for path in map(Path, paths)}
    there = sorted(root for root in roots if root.is_dir())
    if not there:
        raise UserError(f"--watch: there is nothing to watch at {', '.join(paths)}; name a file or folder that exists")
    begun = False
    # What changes while the first report is made must not be lost: the watch begins before it, and says when it has.
    for found in changes(*there, watch_filter=_matters, yield_on_timeout=True, rust_timeout=BEAT):
        if found or not begun:
            begun = True
            yield found


def _matters(_change: object, path: str) -> bool:
    name = Path(path).name
    return (name.endswith((".py", ".ipynb", ".md")) or name in _SETTINGS) and ".session_lint_cache" not in path


def _told(
    outcome: Outcome,
    findings: Sequence[Finding],
    before: dict[str, list[Finding]] | None,
    given: dict[str, Any],
    look: Look,
) -> dict[str, list[Finding]]:
    """Print what is new, and give back what there is now."""
    now: dict[str, list[Finding]] = {}
    for finding in findings:
        now.setdefault(finding.filename, []).append(finding)
    if before is None:
        click.echo(report(outcome, findings, given["output_format"], look), nl=False, color=look.colour)
    else:
        fresh = [finding for finding in findings if before.get(finding.filename) != now[finding.filename]]
        if fresh:
            click.echo(report(outcome, fresh, given["output_format"], look), nl=False, color=look.colour)
        for name in before.keys() - now.keys():
            click.echo(f"{shown(name)}: nothing is found any more")
    complain(outcome.missing)
    files = many(len(outcome.reports), "file")
    click.echo(f"Watching {files}: {many(len(findings), 'finding')} in all (Ctrl-C ends it)")
    sys.stdout.flush()
    return now
