"""An error of the database is caught and passed over inside a scope that commits.

## What it does
Reports an `except` inside a committing scope that catches an error of a flush, a commit or a statement that writes,
and neither raises again nor rolls back, so that the end of the scope commits; a `with suppress(...)` is one, too. So
is one in a function whose session a dependency lends (`db=Depends(get_db)`) that commits after its `yield`.

A savepoint (`with session.begin_nested()`) inside the `try` takes the failure on itself and is not reported. Nor are
clauses for other errors (`ValueError`, `NoResultFound`), queries that fail where nothing was written, and a statement
that is all that the scope does with its session.

## Why is this bad?
After a failed flush the scope's own commit raises `PendingRollbackError`, and nothing is saved. After another failed
statement SQLite commits what worked, half of it; PostgreSQL answers the commit with a rollback, without any error: all
of it is gone.

## Example
```python
from database.session import scoped_session
from sqlalchemy.exc import IntegrityError


def add_all(users):
    with scoped_session() as session:
        for user in users:
            try:
                session.add(user)
                session.flush()
            except IntegrityError:  # error
                print("there already:", user)
```

Use instead:
```python
from database.session import scoped_session
from sqlalchemy.exc import IntegrityError


def add_all(users):
    with scoped_session() as session:
        for user in users:
            try:
                with session.begin_nested():
                    session.add(user)
            except IntegrityError:
                print("there already:", user)
```

## References
- [SQLAlchemy: this session's transaction has been rolled back due to a previous exception during
  flush](https://docs.sqlalchemy.org/en/20/faq/sessions.html#faq-session-rollback)
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis.failures import in_scopes
from session_lint.analysis.trace import is_placed, line, opened, step
from session_lint.finding import Severity
from session_lint.rule import Rule
from session_lint.wording import named

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.analysis import ModuleFacts
    from session_lint.analysis.failures import Swallowed
    from session_lint.finding import Finding, Step


def check(facts: ModuleFacts) -> Iterator[Finding]:
    """One finding for each clause after which a scope commits what a failed operation left."""
    for one in in_scopes(facts):
        yield rule.finding(
            facts,
            one.handler,
            symbol=facts.symbol(one.code),
            trace=[
                *_begins(facts, one),
                *([step(facts, one.failed, "this may fail")] if is_placed(one.failed) else []),
                step(facts, one.handler, "caught here, and not rolled back"),
                step(facts, one.then, _ENDS if isinstance(one.then, ast.arg) else "the scope commits all the same"),
            ],
            session=named(one.name),
            where=line(facts, one.failed),
        )


def _begins(facts: ModuleFacts, one: Swallowed) -> list[Step]:
    """Where the scope begins, or the block of a ``with session.begin()``; a dependency is told of at the end."""
    if isinstance(one.then, ast.arg):
        return []
    if isinstance(one.then, ast.withitem) and one.then is not one.site.node:
        return [step(facts, one.then, "the transaction of this block commits")]
    return opened(facts, one.site, "this scope commits")


_ENDS = "what lends this session commits it afterwards, all the same"


rule = Rule(
    __name__,
    code="SES304",
    message="error of {where} is swallowed, {session} is committed without it",
    severity=Severity.WARNING,
    check=check,
)
