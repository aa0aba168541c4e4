"""The head of the page: how many findings there are of what, and how that has changed."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from session_lint import __version__
from session_lint.finding import Severity
from session_lint.report.concise import many
from session_lint.rules import catalogue

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from session_lint.report.html.entry import Entry
    from session_lint.report.run import Run

FOLDERS = 12
"""How many folders are listed."""


@dataclass(frozen=True, order=True)
class Share:
    """How many findings something has.

    :param bar: the length of its bar, in percent of the longest.
    """

    name: str
    count: int
    bar: int


@dataclass(frozen=True)
class RuleShare:
    """How many findings a rule has.

    :param severity: the gravest of them.
    :param trend: how many are new, known and gone, where there is a baseline.
    """

    share: Share
    summary: str
    url: str
    severity: str
    trend: Mapping[str, int]


def summary(run: Run, entries: Sequence[Entry]) -> dict[str, Any]:
    """What the head of the page says, by the names that the template has for it."""
    baseline = getattr(run, "baseline", None)
    trend = {} if baseline is None else {word: _codes(getattr(baseline, word)) for word in ("new", "known", "gone")}
    severities = Counter(entry.finding.severity for entry in entries)
    files = shares(Counter(entry.file for entry in entries))
    folders = shares(Counter(os.path.dirname(entry.file) or "." for entry in entries))  # noqa: PTH120  # it may be no path
    return {
        "version": __version__,
        "checked": many(run.checked, "file"),
        "severities": [(severity.value, severities[severity]) for severity in Severity],
        "fixable": sum(entry.fixable == "safe" for entry in entries),
        "files": files,
        "folders": folders[:FOLDERS],
        "other_folders": len(folders[FOLDERS:]),
        "rules": _rules(entries, trend),
        "trend": {word: sum(counts.values()) for word, counts in trend.items()},
    }


def shares(counts: Mapping[str, int]) -> list[Share]:
    """Counts, the largest first."""
    most = max(counts.values(), default=1)
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return [Share(name, count, round(100 * count / most)) for name, count in ordered]


def _codes(known: Sequence[Any]) -> Counter[str]:
    """How many findings of each rule there are; an entry of a baseline may stand for several."""
    counts: Counter[str] = Counter()
    for one in known:
        counts[one.code] += getattr(one, "count", 1)
    return counts


def _rules(entries: Sequence[Entry], trend: Mapping[str, Mapping[str, int]]) -> list[RuleShare]:
    """The rules that have findings, or had some, in the order of their codes."""
    counts = Counter(entry.finding.code for entry in entries)
    gravest = {entry.finding.code: entry.finding.severity for entry in sorted(entries, key=_gravity, reverse=True)}
    for code in {code for codes in trend.values() for code in codes} - set(counts):
        counts[code] = 0
    found = []
    for share in sorted(shares(counts)):
        rule = catalogue().get(share.name)
        found.append(
            RuleShare(
                share,
                rule.summary if rule else "",
                rule.url if rule else "",
                gravest[share.name].value if share.count else "",
                {word: codes.get(share.name, 0) for word, codes in trend.items()},
            )
        )
    return found


def _gravity(entry: Entry) -> int:
    return list(Severity).index(entry.finding.severity)
