"""Carrying fixes out on one module: lint, take the first fix, look whether it did what it says, and again."""

from __future__ import annotations

import ast
import re
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from session_lint.engine import lint_source
from session_lint.finding import Applicability, Severity
from session_lint.fixes import CannotFix, rewritten

if TYPE_CHECKING:
    from session_lint.finding import Finding
    from session_lint.settings import Settings
    from session_lint.source import Source

Kind = tuple[str, str, str]


@dataclass(frozen=True)
class Mended:
    """What became of a module.

    :param text: its text with the fixes carried out.
    :param applied: the findings that are mended, in the order in which that was done.
    :param left: the findings that are left.
    :param problems: why a fix was not carried out after all, one line each.
    """

    text: str
    applied: tuple[Finding, ...]
    left: tuple[Finding, ...]
    problems: tuple[str, ...]


def mend(source: Source, settings: Settings, *, unsafe: bool) -> Mended:
    """The module with every fix carried out that holds what it promises.

    A fix counts when the new text parses, the finding is gone, and none has come that matters as much: a leak that is
    mended may leave a module with two patterns where the other sessions are still managed by hand.

    :param unsafe: whether fixes are carried out that need the author's eye.
    """
    findings = lint_source(source, settings)
    applied: list[Finding] = []
    problems: list[str] = []
    tried: set[Kind] = set()
    while (finding := _next(findings, tried, unsafe=unsafe)) is not None:
        assert finding.fix is not None
        try:
            after = replace(source, text=rewritten(source, finding.fix))
            found = _checked(after, settings, findings, finding)
        except CannotFix as error:
            tried.add(_kind(finding))
            problems.append(f"{finding.location.row}: {finding.code} was not fixed: {error.reason}")
            continue
        source, findings = after, found
        applied.append(finding)
    return Mended(source.text, tuple(applied), tuple(findings), tuple(problems))


def _next(findings: list[Finding], tried: set[Kind], *, unsafe: bool) -> Finding | None:
    for finding in findings:
        fix = finding.fix
        if fix is not None and (unsafe or fix.applicability is Applicability.SAFE) and _kind(finding) not in tried:
            return finding
    return None


_WEIGHT = {Severity.STYLE: 0, Severity.WARNING: 1, Severity.ERROR: 2}


def _checked(after: Source, settings: Settings, before: list[Finding], mended: Finding) -> list[Finding]:
    """The findings in a new text.

    :raises CannotFix: where the fix did not do what it should.
    """
    try:
        ast.parse(after.text)
    except SyntaxError as error:
        raise CannotFix(f"the result would not be Python: {error.msg}") from None
    found = lint_source(after, settings)
    come = Counter(map(_kind, found)) - Counter(map(_kind, before))
    if any(_kind(f) in come and _WEIGHT[f.severity] >= _WEIGHT[mended.severity] for f in found):
        raise CannotFix(f"it would bring {next(iter(come))[0]}")
    if not Counter(map(_kind, before)) - Counter(map(_kind, found)):
        raise CannotFix("the finding would still be there")
    return found


def _kind(finding: Finding) -> Kind:
    """What stays of a finding when lines move."""
    return finding.code, finding.symbol, re.sub(r"\d+", "", finding.message)
