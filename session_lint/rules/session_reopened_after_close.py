"""A session that is used after it was closed, and not closed again.

## What it does
Reports a database operation on a session that `close()` has closed on the way there, where some way from the operation
leaves the session open. Where a `close()` follows on all ways, nothing is reported: that is legal. A function that
closes in its `finally` what it returns gives its callers a closed session.

A session that a `with` block has closed is [SES303](session-used-after-scope.md).

## Why is this bad?
A closed session opens itself anew at its next use, without a word. It takes a connection from the pool again, and
whoever reads the code believes that it was given back.

## Example
```python
from sqlalchemy.orm import sessionmaker

SessionLocal = sessionmaker()


def report(first, second):
    session = SessionLocal()
    try:
        rows = session.execute(first).all()
    finally:
        session.close()
    return rows, session.scalar(second)  # error
```

Use instead:
```python
from sqlalchemy.orm import sessionmaker

SessionLocal = sessionmaker()


def report(first, second):
    session = SessionLocal()
    try:
        rows = session.execute(first).all()
        return rows, session.scalar(second)
    finally:
        session.close()
```

## References
- [SQLAlchemy: closing a session](https://docs.sqlalchemy.org/en/20/orm/session_basics.html#closing)
- [`close_resets_only`](https://docs.sqlalchemy.org/en/20/orm/session_api.html#sqlalchemy.orm.Session.params.close_resets_only):
  in SQLAlchemy 2.0.22 and later, `close_resets_only=False` makes such a use raise.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis.afterwards import reopenings
from session_lint.analysis.trace import line, opened, step
from session_lint.finding import Severity
from session_lint.rule import Rule
from session_lint.wording import named

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.analysis import ModuleFacts
    from session_lint.finding import Finding


def check(facts: ModuleFacts) -> Iterator[Finding]:
    """The first use of each session that was closed by hand, where that leaves it open."""
    for one in reopenings(facts):
        if not isinstance(one.closed, ast.withitem):
            yield rule.finding(
                facts,
                one.node,
                symbol=one.obligation.symbol,
                trace=[
                    *opened(facts, one.obligation.site),
                    step(facts, one.closed, "closed here"),
                    step(facts, one.use, "opened anew here, and never closed"),
                ],
                session=named(one.obligation.name),
                where=line(facts, one.closed),
            )


rule = Rule(
    __name__,
    code="SES103",
    message="{session} is used after {where} has closed it, and never closed again",
    severity=Severity.ERROR,
    check=check,
)
