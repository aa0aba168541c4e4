"""``session-lint fix``: mend what can be mended."""

from __future__ import annotations

import difflib
import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from session_lint.cli.run import CLEAN, FAILED, FOUND, complain, from_stdin, groups, options, stdin_source
from session_lint.engine import FileReport, lint_paths
from session_lint.mend import Mended, mend
from session_lint.report.concise import many, shown
from session_lint.source import SourceError, decode
from session_lint.writing import WriteError, encoded, write

if TYPE_CHECKING:
    from collections.abc import Sequence

    from session_lint.finding import Finding
    from session_lint.settings import Settings


@dataclass
class Tally:
    """What a run has done so far."""

    changed: list[str] = field(default_factory=list)
    applied: int = 0
    left: int = 0
    failed: bool = False

    def add(self, mended: Mended) -> None:
        """Count one module."""
        self.applied += len(mended.applied)
        self.left += len(mended.left)


@click.command()
@options
@click.option("--diff", is_flag=True, help="Show the changes as a unified diff and write nothing.")
@click.option("--unsafe", is_flag=True, help="Carry out fixes that need the author's eye, too.")
@click.option("--exit-non-zero-on-fix", is_flag=True, help="Exit with 1 where a file was changed.")
@click.pass_context
def fix(context: click.Context, /, paths: Sequence[str], **given: Any) -> None:  # click's options
    """Carry out the fixes that provably leave the program as it is; with --unsafe the others, too.

    Style rules have fixes, too, and are off by default: `--extend-select SES104`.

    Exit codes: 0 nothing is left, 1 findings are left (with --diff: there are changes), 2 the tool could not do
    its work.
    """
    if from_stdin(paths):
        context.exit(_stdin(given))
    tally = Tally()
    found, missing = groups(paths or ["."], given)
    for settings, files in found:
        for report in lint_paths(files, settings):
            _fix(report, settings, tally, given)
    complain(missing)
    _summary(tally, given)
    if missing or tally.failed:
        context.exit(FAILED)
    if given["diff"] or given["exit_non_zero_on_fix"]:
        context.exit(FOUND if tally.changed or (tally.left and not given["diff"]) else CLEAN)
    context.exit(FOUND if tally.left else CLEAN)


def _fix(report: FileReport, settings: Settings, tally: Tally, given: dict[str, Any]) -> None:
    if not any(finding.fix is not None for finding in report.findings):
        tally.left += len(report.findings)
        _unread(report.findings)
        return
    path = Path(report.path)
    try:
        before = path.read_bytes()
        source = decode(str(path), before)
        mended = mend(source, settings, unsafe=given["unsafe"])
        _tell(str(path), mended)
        tally.add(mended)
        if mended.text == source.text:
            return
        if encoded(source.text, before, source.encoding) != before:
            raise WriteError(f"its bytes do not survive being decoded as {source.encoding}")
        if given["diff"]:
            click.echo(_diff(str(path), source.text, mended.text), nl=False)
        else:
            write(path, before, encoded(mended.text, before, source.encoding))
        tally.changed.append(str(path))
    except (SourceError, WriteError, OSError) as error:
        tally.failed = True
        click.echo(f"session-lint: {shown(str(path))}: {error}", err=True)


def _unread(findings: Sequence[Finding]) -> None:
    """Say what could not be looked at: nobody else will, in a run that only mends."""
    for finding in findings:
        if finding.code == "SES900":
            click.echo(f"{shown(finding.filename)}:{finding.location.row}: {finding.code} {finding.message}", err=True)


def _tell(path: str, mended: Mended) -> None:
    for problem in mended.problems:
        click.echo(f"{shown(path)}:{problem}", err=True)


def _stdin(given: dict[str, Any]) -> int:
    source, failed, settings, data = stdin_source(given)
    if source is None:
        click.echo(b"" if given["diff"] else data, nl=False)
        _unread(failed)
        return FAILED if failed else CLEAN
    mended = mend(source, settings, unsafe=given["unsafe"])
    _tell(source.filename, mended)
    if given["diff"]:
        click.echo(_diff(source.filename, source.text, mended.text), nl=False)
    else:
        click.echo(encoded(mended.text, data, source.encoding), nl=False)
    if given["diff"]:
        return FOUND if mended.applied else CLEAN
    return FOUND if mended.left or (mended.applied and given["exit_non_zero_on_fix"]) else CLEAN


def _diff(path: str, before: str, after: str) -> str:
    name = shown(path).lstrip("/")
    old, new = (list(io.StringIO(text, newline="\n")) for text in (before, after))  # a form feed ends no line of a diff
    lines = difflib.unified_diff(old, new, f"a/{name}", f"b/{name}")
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _summary(tally: Tally, given: dict[str, Any]) -> None:
    verb = "would be fixed" if given["diff"] else "fixed"
    files = many(len(tally.changed), "file")
    click.echo(f"{tally.applied} {verb} in {files}, {tally.left} left", err=given["diff"])  # a diff stays a diff
