"""A session goes on after an error of the database that was caught and not rolled back.

## What it does
Reports an `except` that catches an error of a flush, a commit or a statement that writes, or a `with suppress(...)`
around one, where the same session is used again afterwards and nobody has called `rollback()` in between: neither the
clause nor what it calls.

A clause that leaves (raises, returns past all uses), closes the session, or stands around a savepoint is not reported,
nor is one for errors that a database does not raise. Where nothing was written, only a clause counts that is there for
errors of the database (`except OperationalError`), and not one for whatever may be (`except Exception`), which is
nearly always about rows that are not there, unless a worker's loop (`while True:`) goes on by it for ever; nor does it
where the program speaks of SQLite and of no other database, whose transaction goes on after a failed query. A query
writes what was added before it, but for that of a session with `autoflush=False` or in a block of `no_autoflush`.
Inside a scope that commits, [SES304](error-swallowed-in-scope.md) speaks.

A clause for an exception of the project's own counts where a function raises that in place of the database's error.

A method may leave so the session that its object has opened for itself, and that nobody else rolls back: the next call
finds it failed. So does a function with the session that a module opens for all, or with a registry that nobody ends.

## Why is this bad?
The transaction is over, but the session does not know: from then on each use of it raises `PendingRollbackError`, or on
PostgreSQL "current transaction is aborted, commands ignored". One bad row makes all that follow fail.

## Example
```python
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session


def add_all(session: Session, users):
    for user in users:
        session.add(user)
        try:
            session.commit()
        except IntegrityError:  # error
            print("there already:", user)
```

Use instead:
```python
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session


def add_all(session: Session, users):
    for user in users:
        session.add(user)
        try:
            session.commit()
        except IntegrityError:
            session.rollback()
            print("there already:", user)
```

## References
- [SQLAlchemy: this session's transaction has been rolled back due to a previous exception during
  flush](https://docs.sqlalchemy.org/en/20/faq/sessions.html#faq-session-rollback)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_lint.analysis.failures import gone_on
from session_lint.analysis.left_failed import left_failed
from session_lint.analysis.trace import line, step
from session_lint.finding import Severity
from session_lint.rule import Rule
from session_lint.wording import named

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.analysis import ModuleFacts
    from session_lint.finding import Finding


def check(facts: ModuleFacts) -> Iterator[Finding]:
    """One finding for each clause after which a failed session is used again."""
    told = {one.handler: (one, "the next call uses the session here") for one in left_failed(facts)}
    told |= {one.handler: (one, "the session is used again here") for one in gone_on(facts)}
    for one, again in told.values():
        yield rule.finding(
            facts,
            one.handler,
            symbol=facts.symbol(one.code),
            trace=[
                *([step(facts, one.failed, "this may fail")] if one.failed is not one.handler else []),
                step(facts, one.handler, "caught here, and not rolled back"),
                step(facts, one.then, again),
            ],
            session=named(one.name),
            where=line(facts, one.then),
        )


rule = Rule(
    __name__,
    code="SES701",
    message="{session} is used again on {where} without a rollback after this error",
    severity=Severity.ERROR,
    check=check,
)
