"""A session is used after the `with` block that closed it, or gets out of it.

## What it does
Reports the use of a session after its `with` block, where that leaves it open, and a session that leaves the block that
is about to close it: returned, or put into a field or global by the block's last statement, or under a key of what is
passed on after the block (`data["session"] = session`, then `handler(event, data)`). A query that was built in
the block and not run (`return session.query(User)`) and an object of the project that keeps the session take it along.

The same goes for a query or an object that is returned past a `finally` which closes the session. A block that does not
close the session (`with session.begin()`) is none of these.

## Why is this bad?
The block has closed the session. The next use opens it anew, without a word: it takes a connection that nobody gives
back, and what it writes is never committed.

## Example
```python
from database.session import scoped_session


def save(user):
    with scoped_session() as session:
        session.add(user)
    session.refresh(user)  # error
    return user
```

Use instead:
```python
from database.session import scoped_session


def save(user):
    with scoped_session() as session:
        session.add(user)
        session.flush()
        session.refresh(user)
    return user
```
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis.afterwards import Reopening, Way, escaping, reopenings
from session_lint.analysis.trace import opened, step
from session_lint.finding import Severity
from session_lint.rule import Rule
from session_lint.wording import named

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.analysis import ModuleFacts
    from session_lint.finding import Finding

_LEAVING = {
    "session": "leaves the block that closes it",
    "query": "is needed by a query that leaves the block which closes it",
    "object": "is kept by an object that leaves the block which closes it",
}


def check(facts: ModuleFacts) -> Iterator[Finding]:
    """The first use of each session after its block, and each way on which one leaves it."""
    for one in reopenings(facts):
        if isinstance(one.closed, ast.withitem):
            yield _used(facts, one)
    for way in escaping(facts):
        yield _left(facts, way)


def _used(facts: ModuleFacts, one: Reopening) -> Finding:
    steps = [
        *opened(facts, one.obligation.site),
        step(facts, one.closed, "closed at the end of this block"),
        step(facts, one.use, "opened anew here, and never closed"),
    ]
    what = f"is used after its block has closed it (line {one.closed.context_expr.lineno})"  # type: ignore[attr-defined]
    name = named(one.obligation.name)
    return rule.finding(facts, one.node, symbol=one.obligation.symbol, trace=steps, session=name, what=what)


def _left(facts: ModuleFacts, way: Way) -> Finding:
    end = "kept from here on" if way.kept else "leaves here"
    steps = [
        *opened(facts, way.site),
        step(facts, way.node, end),
        step(facts, way.closing, "closed at the end of this block" if way.by_block else "closed here, after that"),
    ]
    return rule.finding(
        facts,
        way.node,
        symbol=facts.symbol(way.code),
        trace=steps,
        session=named(way.name),
        what=_LEAVING[way.what] if way.by_block else _LEAVING[way.what].replace("block", "function"),
    )


rule = Rule(
    __name__,
    code="SES303",
    message="{session} {what}",
    severity=Severity.ERROR,
    check=check,
)
