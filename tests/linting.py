"""From a module's text to its findings, on the shortest way the product has."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from session_lint.analysis import analyse
from session_lint.rules import catalogue
from session_lint.rules.unused_suppression import rule as unused_suppression
from session_lint.source import Source
from session_lint.suppress.idle import unused

if TYPE_CHECKING:
    from collections.abc import Iterable

    from session_lint.finding import Finding


def lint(text: str, select: Iterable[str] | None = None, filename: str = "module.py") -> list[Finding]:
    """What the rules say about a module.

    :param text: the module.
    :param select: codes; all rules of the catalogue when ``None``, those that are off by default too.
    :param filename: where it pretends to stand; its dotted module name follows from that.
    :returns: the findings in the order of their places.
    """
    source = Source(filename, text)
    module = ".".join(PurePosixPath(filename).with_suffix("").parts).removesuffix(".__init__")
    facts = analyse(source, source.parse(), module)
    rules = catalogue()
    chosen = list(rules if select is None else select)
    findings = [finding for code in chosen for finding in rules[code].check(facts)]
    if unused_suppression.code in chosen:
        every = findings if select is None else [finding for rule in rules.values() for finding in rule.check(facts)]
        findings += unused(source, every, rules)
    return sorted(findings, key=lambda finding: (finding.location, finding.code))
