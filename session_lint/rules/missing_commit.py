"""Changes are written through a session that is closed without a commit.

## What it does
Reports the last write (`add`, `delete`, an `INSERT`, `UPDATE` or `DELETE` statement, …) of a session that the code
opens and closes, by hand or with `with Session() as session`, where no way commits it: nothing commits at all, or all
that does stands before the write. Setting a column of an object
that was loaded is a write, too, where nothing else is done with the object. A handler of FastAPI counts, whose session
a dependency lends (`db=Depends(get_db)`) that only closes it. So does a function that closes the session of a registry
(`scoped_session`) which it has written through, or of what a getter gives that nobody has read, where nothing runs in
between that may commit it.

A commit in a function that gets the session counts, and so does one in code that cannot be read; one that on every way
comes after the close does not, for it saves nothing. A rollback on purpose and sessions in autocommit mode are not
reported. Nor is an object that was not made here and is added only to ask for more of it (`session.add(user)`, then a
query), nor one that is changed and then returned, handed to somebody or read (`user.password = "***"`), nor what was
sent over somebody else's connection, who may commit it (`Session(bind=op.get_bind())`). A statement is known by what it
is made of, also where it stands in a variable.

## Why is this bad?
`close()`, and the end of `with Session() as session`, roll back what was not committed, without a word. The program
seems to work, and nothing is saved.

## Example
```python
from sqlalchemy.orm import Session


def register(engine, name):
    with Session(engine) as session:
        session.add(User(name=name))  # error
```

Use instead:
```python
from sqlalchemy.orm import Session


def register(engine, name):
    with Session(engine) as session:
        session.add(User(name=name))
        session.commit()
```

## References
- [SQLAlchemy: opening and closing a
session](https://docs.sqlalchemy.org/en/20/orm/session_basics.html#opening-and-closing-a-session)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_lint.analysis.losses import lost_writes
from session_lint.analysis.trace import opened, step
from session_lint.analysis.unsaved import unsaved
from session_lint.finding import Severity
from session_lint.rule import Rule
from session_lint.wording import named

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.analysis import ModuleFacts
    from session_lint.finding import Finding


def check(facts: ModuleFacts) -> Iterator[Finding]:
    """One finding for each session that writes and is never committed, at its last write."""
    for loss in lost_writes(facts):
        yield rule.finding(
            facts,
            loss.node,
            symbol=loss.obligation.symbol,
            trace=[
                *opened(facts, loss.obligation.site),
                step(facts, loss.write, "written here"),
                step(facts, loss.closed, "closed without a commit"),
            ],
            session=named(loss.obligation.name),
        )
    yield from _of_registries(facts)
    for one in unsaved(facts):
        yield rule.finding(
            facts,
            one.node,
            symbol=facts.symbol(one.one.code),
            trace=[
                step(facts, one.one.origin, "lent for the request, and closed after it without a commit"),
                step(facts, one.write, "written here"),
            ],
            session=named(one.one.name),
        )


def _of_registries(facts: ModuleFacts) -> Iterator[Finding]:
    if not any(one.managed or one.asked for one in facts.borrowed):
        return
    from session_lint.analysis.closed_registries import dropped  # noqa: PLC0415  (few modules have registries)

    for loss in dropped(facts):
        yield rule.finding(
            facts,
            loss.write,
            symbol=facts.symbol(loss.one.code),
            trace=[step(facts, loss.write, "written here"), step(facts, loss.closed, "closed without a commit")],
            session=named(loss.one.called),
        )


rule = Rule(
    __name__,
    code="SES702",
    message="written through {session}, which is closed without a commit",
    severity=Severity.ERROR,
    check=check,
)
