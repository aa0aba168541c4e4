"""The report in pylint's parseable form, which editors and Jenkins know: ``path:row: [CODE(name), symbol] message``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_lint.report.concise import shown
from session_lint.report.place import in_file, told
from session_lint.report.plain import one_line

if TYPE_CHECKING:
    from session_lint.finding import Finding
    from session_lint.report.run import Run


def report(run: Run) -> str:
    """All findings, a line each."""
    return "".join(f"{one_line(_line(finding))}\n" for finding in run.findings)


def _line(finding: Finding) -> str:
    kind = f"{finding.code}({finding.name}), {finding.symbol}"
    return f"{shown(finding.filename)}:{in_file(finding.location).row}: [{kind}] {told(finding)}"
