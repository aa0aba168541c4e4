"""A finding as the protocol has it: a diagnostic, with the way that leads to the fault as related information."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from lsprotocol import types
from pygls.uris import from_fs_path

from session_lint.finding import Severity
from session_lint.rules.unused_suppression import rule as unused_suppression
from session_lint.source import SourceError, read

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from session_lint.finding import Finding, Step
    from session_lint.lsp.positions import Columns

SOURCE = "session-lint"
_SEVERITY = {
    Severity.ERROR: types.DiagnosticSeverity.Error,
    Severity.WARNING: types.DiagnosticSeverity.Warning,
    Severity.STYLE: types.DiagnosticSeverity.Information,
}


def diagnostic(
    finding: Finding, uri: str, lines: Callable[[str], Sequence[str]], columns: Columns, *, related: bool = True
) -> types.Diagnostic:
    """One finding.

    :param uri: of the text that it stands in.
    :param lines: the lines of a file, or of an open text, by the name that findings call it.
    :param related: whether the client shows related information; without it the way stands in the message.
    """
    own = lines(finding.filename)
    shown = [_related(step, finding, uri, lines, columns) for step in finding.trace]
    message = finding.message
    if not related:
        message += "".join(f"\n  line {step.location.row}: {step.message}" for step in finding.trace)
    return types.Diagnostic(
        range=columns.range(own, finding.location, finding.end_location),
        message=message,
        severity=_SEVERITY[finding.severity],
        code=finding.code,
        code_description=types.CodeDescription(finding.url) if finding.url else None,
        source=SOURCE,
        tags=[types.DiagnosticTag.Unnecessary] if finding.code == unused_suppression.code else None,
        related_information=shown if related and shown else None,
        data=identity(finding),
    )


def identity(finding: Finding) -> list[object]:
    """What tells a finding from the others of its text, as plain values that come back in a request."""
    return [finding.code, finding.location.row, finding.location.column, finding.message]


def _related(
    step: Step, finding: Finding, uri: str, lines: Callable[[str], Sequence[str]], columns: Columns
) -> types.DiagnosticRelatedInformation:
    same = step.filename == finding.filename
    place = columns.position(lines(step.filename), step.location)
    where = uri if same else uri_of(step.filename)
    return types.DiagnosticRelatedInformation(types.Location(where, types.Range(place, place)), step.message)


def uri_of(filename: str) -> str:
    """The URI of a file."""
    return from_fs_path(filename) or filename


def lines_on_disk(filename: str) -> Sequence[str]:
    """The lines of a file; none where it cannot be read."""
    try:
        return _lines(filename, Path(filename).stat().st_mtime_ns)
    except OSError:
        return ()


@lru_cache(maxsize=32)
def _lines(filename: str, _changed: int) -> Sequence[str]:
    try:
        return read(Path(filename), filename).lines
    except SourceError:
        return ()
