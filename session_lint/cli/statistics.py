"""``check --statistics``: how many findings each rule has, in the place of the findings."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

from session_lint.finding import Applicability
from session_lint.report.concise import summary

if TYPE_CHECKING:
    from collections.abc import Sequence

    from session_lint.baseline import Comparison
    from session_lint.finding import Finding


def statistics(findings: Sequence[Finding], checked: int, form: str, baseline: Comparison | None = None) -> str:
    """The rules with findings, the most frequent first.

    :param checked: how many files were looked at.
    :param form: `json` for programs, any other for people.
    :param baseline: what of it is new, where that was asked for.
    """
    counts = Counter((finding.code, finding.name) for finding in findings)
    safe = Counter(f.code for f in findings if f.fix is not None and f.fix.applicability is Applicability.SAFE)
    rows = [(count, code, name) for (code, name), count in sorted(counts.items(), key=lambda one: (-one[1], one[0]))]
    if form == "json":
        entries = [{"code": code, "name": name, "count": count, "fixable": safe[code]} for count, code, name in rows]
        return json.dumps(entries, indent=2) + "\n"
    width = max((len(str(count)) for count, *_ in rows), default=0)
    lines = [
        f"{count:>{width}}  {code}  {name}" + (f"  [{safe[code]} fixable]" if safe[code] else "")
        for count, code, name in rows
    ]
    return "\n".join([*lines, summary(findings, checked, baseline)]) + "\n"
