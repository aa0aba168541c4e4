"""A session that is opened, committed and closed by hand, where a scope says it better.

## What it does
Reports correct manual management, `try`, `commit()`, `finally: close()`, that provably does what a committing scope
does. Where the rewrite would not be equal in every case, nothing is reported.

## Why is this bad?
Nothing is wrong with it today. Each copy of the pattern is a place where the next change forgets the rollback,
returns before the commit or puts a line behind the `close()`. A scope cannot be used wrongly.

This is a style rule and off by default: `--extend-select SES104`.

## Example
```python
from database.session import SessionLocal


def create(series):
    session = SessionLocal()  # error
    try:
        session.add(series)
        session.commit()
    finally:
        session.close()
```

Use instead:
```python
from database.session import scoped_session


def create(series):
    with scoped_session() as session:
        session.add(series)
```

## Fix safety
The fix is safe: the rule reports nothing else. The scope is the module's own where it defines a committing one over
the same factory, else the reference module's, else `factory.begin()`.

## At run time
Nothing goes wrong while the program does what it should: the page is about how much has to be written by hand to get
there. What does go wrong, the guard reports as SES101 or SES102.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_lint import fixes
from session_lint.analysis import ModuleFacts, Obligation, SiteKind
from session_lint.analysis.trace import opened
from session_lint.finding import Fix, Severity
from session_lint.rule import Rule
from session_lint.wording import named

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.finding import Finding


def check(facts: ModuleFacts) -> Iterator[Finding]:
    """One finding for each acquire site that is closed on every way and has a safe rewrite."""
    for obligation in facts.obligations(SiteKind.OWNED):
        if _closed_by_hand(obligation):
            fix = fixes.scoped_fix(facts, obligation)
            if isinstance(fix, Fix):
                yield rule.finding(
                    facts,
                    obligation.site.node,
                    symbol=obligation.symbol,
                    trace=opened(facts, obligation.site),
                    fix=fix,
                    session=named(obligation.name),
                )


def _closed_by_hand(obligation: Obligation) -> bool:
    return all(ending.closed for ending in obligation.endings)


rule = Rule(
    __name__,
    code="SES104",
    message="{session} is committed and closed by hand, a scope does both",
    severity=Severity.STYLE,
    check=check,
    fix=("manual_to_scope",),
    style=True,
)
