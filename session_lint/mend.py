"""Carrying fixes out on one module: lint, take the first fix, look whether it did what it says, and again."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from session_lint.engine import lint_source
from session_lint.finding import Applicability, Severity
from session_lint.fixes import CannotFix, rewritten
from session_lint.rules.mixed_session_patterns import rule as mixed_patterns
from session_lint.rules.unused_suppression import rule as unused_suppression
from session_lint.source import Source, SourceError

if TYPE_CHECKING:
    from session_lint.finding import Finding
    from session_lint.settings import Settings

Kind = tuple[str, str, str]
Answer = TypeVar("Answer")

DEEPEST = 1000  # levels of syntax; some thousand end the process inside libcst's parser, fewer only raise
_WEIGHT = {Severity.STYLE: 0, Severity.WARNING: 1, Severity.ERROR: 2}


@dataclass(frozen=True)
class Mended:
    """What became of a module.

    :param text: its text with the fixes carried out.
    :param applied: the findings that are mended, in the order in which that was done.
    :param left: the findings that are left.
    :param problems: why a fix was not carried out after all, one line each.
    :param stopped: whether whoever was asked wants no more.
    """

    text: str
    applied: tuple[Finding, ...]
    left: tuple[Finding, ...]
    problems: tuple[str, ...] = ()
    stopped: bool = False


class Stop(Exception):  # noqa: N818  # nothing went wrong
    """Whoever is asked has seen enough: what was carried out so far stays."""


Ask = Callable[["Finding", str, str], bool]
"""Whether a fix is wanted that makes one text of another."""


def mend(source: Source, settings: Settings, *, unsafe: bool, ask: Ask | None = None) -> Mended:
    """The module with every fix carried out that holds what it promises.

    A fix counts when the new text parses, the finding is gone, and none has come that matters as much: a leak that is
    mended may leave a module with two patterns where the other sessions are still managed by hand. The fixes of a
    module are judged together first: half of them may bring what all of them do not.

    Running it on its own result changes nothing: it ends where no round applies a fix.

    :param unsafe: whether fixes are carried out that need the author's eye.
    :param ask: is shown each fix, one after the other, before it counts; ``None`` where all are wanted. It may raise
        :class:`Stop`.
    """
    now = Mended(source.text, (), tuple(lint_source(source, settings)))
    if ask is not None:
        return _round(source, settings, now, unsafe=unsafe, strict=True, ask=ask)
    while True:
        after = _round(source, settings, now, unsafe=unsafe, strict=False)
        if beyond(after.left, now.left):
            after = _round(source, settings, now, unsafe=unsafe, strict=True)
        if after.applied == now.applied:
            return after
        now = after


def carried_out(source: Source, settings: Settings, finding: Finding, before: tuple[Finding, ...]) -> str:
    """The module with one fix carried out that holds what it promises.

    :param before: what was found in the module.
    :raises CannotFix: where the fix cannot be carried out, or did not do what it should.
    """
    return _mended(source, settings, finding, before, strict=True)[0]


def attempt(source: Source, work: Callable[[], Answer]) -> Answer:
    """The answer of a codemod, which may fail only in one way: no module's code may end the run over the others.

    :raises CannotFix: where it refuses, and where it cannot do its work.
    """
    try:
        if _depth(source.parse()) > DEEPEST:
            raise RecursionError
        return work()
    except CannotFix:
        raise
    except RecursionError:
        raise CannotFix("the module is nested too deeply to be rewritten") from None
    except SourceError as error:
        raise CannotFix(error.message) from None
    except Exception as error:
        reason = str(error).partition("\n")[0]
        raise CannotFix(f"internal error: {type(error).__name__}: {reason}") from error


def _round(
    source: Source, settings: Settings, now: Mended, *, unsafe: bool, strict: bool, ask: Ask | None = None
) -> Mended:
    """Every fix tried once, in the order of the findings.

    :param strict: whether each fix has to be right by itself; otherwise what it brings is not looked at.
    :param ask: as for :func:`mend`.
    """
    failed: Counter[Kind] = Counter()
    problems: list[str] = []
    limit = len(now.applied) + len(now.left)  # fixes that bring each other's findings come to an end
    while (finding := _next(now.left, failed, unsafe=unsafe)) is not None and len(now.applied) < limit:
        try:
            text, found = _mended(replace(source, text=now.text), settings, finding, now.left, strict=strict)
        except CannotFix as error:
            failed[_kind(finding)] += 1
            problems.append(f"{finding.location.row}: {finding.code} was not fixed: {error.reason}")
            continue
        try:
            if ask is not None and not ask(finding, now.text, text):
                failed[_kind(finding)] += 1
                continue
        except Stop:
            return replace(now, problems=tuple(problems), stopped=True)
        now = Mended(text, (*now.applied, finding), found)
    return replace(now, problems=tuple(problems))


def _next(findings: tuple[Finding, ...], failed: Counter[Kind], *, unsafe: bool) -> Finding | None:
    """The first finding to mend; the first so many of a kind have been tried in vain."""
    passed = Counter(failed)
    for finding in findings:
        if finding.fix is None or not (unsafe or finding.fix.applicability is Applicability.SAFE):
            continue
        if not passed[_kind(finding)]:
            return finding
        passed[_kind(finding)] -= 1
    return None


def _mended(
    source: Source, settings: Settings, finding: Finding, before: tuple[Finding, ...], *, strict: bool
) -> tuple[str, tuple[Finding, ...]]:
    """The text with one fix carried out, and the findings in it.

    :raises CannotFix: where the fix cannot be carried out, or did not do what it should.
    """
    fix = finding.fix
    assert fix is not None
    after = replace(source, text=attempt(source, lambda: rewritten(source, fix)))
    try:
        tree = after.parse()
    except SourceError as error:
        raise CannotFix(f"the result would not be Python: {error.message}") from None
    found = tuple(lint_source(after, settings, tree))
    if _kind(finding) not in beyond(before, found):
        raise CannotFix("the finding would still be there")
    come = beyond(found, before)
    heavy = [f.code for f in found if _kind(f) in come and _WEIGHT[f.severity] >= _WEIGHT[finding.severity]]
    heavy = [code for code in heavy if code != unused_suppression.code]  # the comment has done its work
    if strict and heavy:
        raise CannotFix(f"it would bring {heavy[0]}")
    return after.text, found


def beyond(findings: tuple[Finding, ...], others: tuple[Finding, ...]) -> Counter[Kind]:
    """What is among some findings and not among others."""
    return Counter(map(_kind, findings)) - Counter(map(_kind, others))


def _kind(finding: Finding) -> Kind:
    """What stays of a finding when lines move; of a module's one finding about its patterns, that there is one."""
    if finding.code == mixed_patterns.code:
        return finding.code, "", ""
    return finding.code, finding.symbol, re.sub(r"\d+", "", finding.message)


def _depth(tree: ast.AST) -> int:
    """How many levels a tree has."""
    depth, level = 0, [tree]
    while level:
        depth, level = depth + 1, [child for node in level for child in ast.iter_child_nodes(node)]
    return depth
