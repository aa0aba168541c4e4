"""The report for machines that read as they go: the findings of the JSON report, a line each."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from session_lint.report.json import entry

if TYPE_CHECKING:
    from session_lint.report.run import Run


def report(run: Run) -> str:
    """All findings as JSON, a line each, in ASCII."""
    return "".join(f"{json.dumps(entry(finding, run.source))}\n" for finding in run.findings)
