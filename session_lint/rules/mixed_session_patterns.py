"""One module manages its sessions in more than one way.

## What it does
Reports the first place of the second pattern in a module that uses more than one of: sessions opened and closed by
hand, scopes (`with`), the global session, the request's session. Functions that are given a session use no pattern;
the module that defines the patterns, and tests, are left alone.

## Why is this bad?
Two patterns in a module are two transactions that do not see each other's changes and wait for each other's locks.
Whoever reads or calls the module has to know for each function who commits and who closes.

## Example
```python
from database.session import close_global_session, get_session, scoped_session


def create(item):
    with scoped_session() as session:
        session.add(item)


def report(query):
    session = get_session()  # error
    try:
        return session.execute(query).all()
    finally:
        close_global_session()
```

Use instead:
```python
from database.session import scoped_session


def create(item):
    with scoped_session() as session:
        session.add(item)


def report(query):
    with scoped_session() as session:
        return session.execute(query).all()
```

## At run time
The guard reports two patterns that are at work in one call path. Where a module merely has both, nothing goes wrong
yet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_lint.analysis.patterns import patterns
from session_lint.analysis.places import is_test
from session_lint.analysis.trace import place, step
from session_lint.finding import Severity
from session_lint.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.analysis import ModuleFacts
    from session_lint.finding import Finding


def check(facts: ModuleFacts) -> Iterator[Finding]:
    """At most one finding a module: where the second pattern begins."""
    uses = patterns(facts)
    if facts.module is None or not uses or is_test(facts.source.filename):
        return
    first = uses[0]
    second = next((use for use in uses if use.pattern != first.pattern), None)
    if second is not None:
        yield rule.finding(
            facts,
            place(second.node),
            symbol=facts.symbol(second.code),
            trace=[
                step(facts, first.node, f"first pattern: {first.pattern}"),
                step(facts, second.node, f"second pattern: {second.pattern}"),
            ],
            second=second.pattern,
            first=first.pattern,
            row=getattr(place(first.node), "lineno", 0),
        )


rule = Rule(
    __name__,
    code="SES401",
    message="module mixes session patterns: {second} here, {first} on line {row}",
    severity=Severity.WARNING,
    check=check,
)
