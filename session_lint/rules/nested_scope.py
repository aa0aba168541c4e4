"""A session is opened while another one of the same database is open.

## What it does
Reports a scope or session that is opened inside a committing scope, or in the middle of another session's transaction,
from the same factory: in the same function, or in one that is called there and does not get the session.

Another factory is another database, as far as can be known, and is not reported; nor are savepoints
(`begin_nested()`), two sessions that one `with` statement opens, and tests.

## Why is this bad?
They are two transactions. The inner one does not see what the outer one has written and not committed; where both write
the same row, or on SQLite at all, the inner one waits for a lock that the outer one holds, which waits for the inner
one; and what the inner one has committed stays when the outer one fails.

## Example
```python
from database.session import scoped_session


def log(text):
    with scoped_session() as session:  # error
        session.add(Entry(text))


def order(product):
    with scoped_session() as session:
        session.add(Order(product))
        log("ordered")
```

Use instead:
```python
from database.session import scoped_session


def log(session, text):
    session.add(Entry(text))


def order(product):
    with scoped_session() as session:
        session.add(Order(product))
        log(session, "ordered")
```

## At run time
The guard reports the inner session once both have begun to work; a scope that has done nothing yet holds nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_lint.analysis.places import is_test
from session_lint.analysis.trace import line, opened, place, step
from session_lint.finding import Severity
from session_lint.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.analysis import ModuleFacts
    from session_lint.finding import Finding


def check(facts: ModuleFacts) -> Iterator[Finding]:
    """One finding for each session that is opened inside of another one's life."""
    if is_test(facts.source.filename):
        return
    from session_lint.analysis.nesting import nestings  # noqa: PLC0415  (it runs only where it is selected)

    for one in nestings(facts):
        between = [step(facts, one.call, "calls, with that one open")] if one.call is not None else []
        yield rule.finding(
            facts,
            place(one.node),
            symbol=facts.symbol(one.code),
            trace=[*opened(facts, one.outer, "one is open"), *between, step(facts, one.node, "another one is opened")],
            where=line(facts, one.outer.node),
        )


rule = Rule(
    __name__,
    code="SES305",
    message="session is opened inside of the life of another one, of {where}",
    severity=Severity.WARNING,
    check=check,
    young=True,
)
