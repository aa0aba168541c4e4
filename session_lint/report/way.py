"""The way to a fault in words, for reports that have one text a finding."""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_lint.report.concise import line_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from session_lint.finding import Finding


def steps(finding: Finding, name: Callable[[str], str]) -> list[str]:
    """The steps of a finding's trace, numbered, a line each.

    :param name: what the report calls a file.
    """
    return [f"{n}. {name(s.filename)}:{line_of(s.location)} {s.message}" for n, s in enumerate(finding.trace, 1)]
