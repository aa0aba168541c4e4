"""``session-lint check --add-noqa``: silence what is found, by comments in the files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from session_lint.cli.exits import CLEAN, FAILED, FOUND
from session_lint.report.concise import many, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from session_lint.engine import FileReport


def reason(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    """A reason that can stand in a comment.

    :raises click.BadParameter: where it cannot.
    """
    if value is None:
        return None
    from session_lint.suppress.adding import check_reason  # noqa: PLC0415  (seldom)

    try:
        check_reason(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    return value


def add(found: Sequence[FileReport], given: dict[str, Any]) -> int:
    """Write a comment for each finding into its file, and say what was done.

    :returns: the exit code: whether findings are left, or files could not be written.
    """
    from session_lint.source import SourceError  # noqa: PLC0415  (seldom)
    from session_lint.writing import WriteError  # noqa: PLC0415

    silenced, changed, left, failed = 0, 0, 0, False
    for report in found:
        if not report.findings:
            continue
        try:
            done, refused = _silence(report, given["reason"] or "")
        except (SourceError, WriteError, OSError) as error:
            failed = True
            click.echo(f"session-lint: {shown(report.path)}: {error}", err=True)
            continue
        silenced, changed, left = silenced + done, changed + bool(done), left + refused
    click.echo(f"{many(silenced, 'finding')} silenced in {many(changed, 'file')}, {left} left")
    return FAILED if failed else FOUND if left else CLEAN


def _silence(report: FileReport, why: str) -> tuple[int, int]:
    """How many findings of a file were silenced, and how many were not."""
    from session_lint.cli.fix import put  # noqa: PLC0415  (seldom)
    from session_lint.source import decode  # noqa: PLC0415
    from session_lint.suppress.adding import added  # noqa: PLC0415
    from session_lint.writing import WriteError  # noqa: PLC0415

    path = Path(report.path)
    if path.suffix not in (".py", ".pyi"):
        raise WriteError("comments are written into Python files only")
    before = path.read_bytes()
    source = decode(report.path, before)
    result = added(source, report.findings, why)
    for finding, refusal in result.refused:
        click.echo(f"{shown(report.path)}:{finding.location.row}: {finding.code} was not silenced: {refusal}", err=True)
    if result.text != source.text:
        put(path, source, before, result.text, only_shown=False)
    return len(result.silenced), len(result.refused)
