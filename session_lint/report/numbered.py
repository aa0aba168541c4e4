"""The marks of findings where each has to be the only one of its kind in a report."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from session_lint.fingerprint import fingerprint

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.report.run import Run


def numbered(run: Run) -> Iterator[str]:
    """The fingerprint of each finding; the second of those that are alike ends in ``-2``, and so on.

    So one that goes takes the last number with it, whichever of them it was: the others keep theirs.
    """
    seen: Counter[str] = Counter()
    for finding in run.findings:
        mark = fingerprint(finding, run.source(finding.filename))
        seen[mark] += 1
        yield mark if seen[mark] == 1 else f"{mark}-{seen[mark]}"
