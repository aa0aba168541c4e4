"""An object is read after its session has committed, or rolled back, and closed.

## What it does
Follows the objects that a committing scope loads or adds (`session.get(User, 1)`, `session.query(User).first()`,
`session.scalars(select(User)).all()`, `session.add(user)`) and reports the first read of one of their columns or
relationships after the block, in the same function or in one that gets them from it; a decorator that opens, commits
and closes the session which it passes to a function counts as the block around that. So it does after a
`with Session() as session` block whose last act is a commit, and where a session is committed and then closed by hand,
also one in a field of the class that opens it, or of an object that keeps it from when it is entered to when it is
left (`with UnitOfWork() as work`). What is added may be a parameter, where its annotation says of which class it is. An
object that is handed to a function which saves it in a session of its own (`insert(user)`) is as good as one that is
added there.
A rollback before the close, by the code or by a scope that always ends with one, expires what was loaded as well, and
`expire_on_commit=False` changes nothing about that.
A call of a function of the project that gets the session and returns what it loads through it (`get_user(session, 1)`,
`Users(session).all()`) counts as the query itself.

After a `with` that only closes the session, what was loaded stays; but a relationship that nobody has read in the
block, and no option of the query has loaded, is as much out of reach: `user.orders`, where the class has
`orders = relationship(...)` without `lazy=`.

An asynchronous session cannot load anything by itself: after `await session.commit()` the read of an attribute raises
`MissingGreenlet`, also while the session is open, until `await session.refresh(user)`. This is told of sessions that
the coroutine opens in a block, or that FastAPI's `Depends` gives it.

Not reported are commits of sessions with `expire_on_commit=False`, or of a factory that nobody is seen to make,
rollbacks on the way of an error, objects that were
expunged or that somebody has had since who may have attached them again, plain rows and scalars (`select(User.name)`),
methods and properties of the class, and whatever cannot be known to be mapped.

## Why is this bad?
A commit or a rollback expires all objects of its session: the next read of an attribute asks the database for it anew.
The session is closed by then, so the read raises `DetachedInstanceError`.

## Example
```python
from database.session import scoped_session


def register(name):
    with scoped_session() as session:
        user = User(name=name)
        session.add(user)
    return user.id  # error
```

Use instead:
```python
from database.session import scoped_session


def register(name):
    with scoped_session() as session:
        user = User(name=name)
        session.add(user)
        session.flush()
        return user.id
```

## References
- [SQLAlchemy: expiring](https://docs.sqlalchemy.org/en/20/orm/session_state_management.html#refreshing-expiring) -
[`DetachedInstanceError`](https://docs.sqlalchemy.org/en/20/errors.html#parent-instance-x-is-not-bound-to-a-session-lazy-load-deferred-load-refresh-etc-operation-cannot-proceed)

## At run time
SQLAlchemy raises `DetachedInstanceError` where the attribute is read, and there is nothing to add to that. The guard
watches sessions, and the object has none any more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_lint.analysis.detached import reads
from session_lint.analysis.trace import step
from session_lint.finding import Severity
from session_lint.rule import Rule

if TYPE_CHECKING:
    import ast
    from collections.abc import Iterator

    from session_lint.analysis import ModuleFacts
    from session_lint.analysis.expired import Held
    from session_lint.finding import Finding


def check(facts: ModuleFacts) -> Iterator[Finding]:
    """One finding for each object that is read after its scope, at the first read."""
    seen: set[ast.AST] = set()
    for read in reads(facts):
        if read.node in seen:
            continue
        seen.add(read.node)
        steps = [
            *([step(facts, read.held.inside, "loaded here")] if read.held.inside is not None else []),
            step(facts, read.held.node, "an object of the session"),
            *(step(facts, node, said) for node, said in read.held.ends),
        ]
        if read.call is not None:
            steps.append(step(facts, read.call, "by this call" if read.given else "comes out of this call"))
        yield rule.finding(
            facts,
            read.node,
            symbol=facts.symbol(read.code),
            trace=[
                *steps,
                step(facts, read.node, f"raises {'MissingGreenlet' if read.waits else 'DetachedInstanceError'}"),
            ],
            name=read.held.name,
            attribute=read.node.attr,
            ended="committed, without an await" if read.waits else _ended(read.held),
        )


def _ended(held: Held) -> str:
    if held.lazy:
        return "closed, and was not loaded before"
    return "rolled back and closed" if held.undone else "committed and closed"


rule = Rule(
    __name__,
    code="SES306",
    message="{attribute!r} of {name!r} is read after its session has {ended}",
    severity=Severity.ERROR,
    check=check,
)
