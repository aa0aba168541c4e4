"""A session that is opened and, on some way, never closed.

## What it does
Follows every session that a factory call opens (`sessionmaker(...)()`, `Session(engine)`, a function that returns a
fresh session) and reports it where some normal way out of the code (the end, `return`, `break`, `continue`,
re-binding the last name) neither closes it nor hands it over to an owner.

A session is handed over when it is returned, yielded, stored in a field, a global or a container, given to an
`ExitStack`, `closing()`, `atexit` or another owner. One in a field is the function's own, though, where it closes it
itself on all ways that no exception takes, and nobody else does. A `close()` under the same test as the opening counts.

The session of a registry (`scoped_session`) counts, as a warning, where a function asks for it and closes or removes it
on some of its normal ways, not on others, and nothing else removes it: no teardown, hook or wrapper. So does what a
call gives of which nobody knows what it calls (`session = self.session_factory()`, a getter of a module that nobody has
read), where the function uses it as a session and closes it itself.

## Why is this bad?
An open session keeps a connection out of the pool. The default pool has 5 + 10; a function that leaks one is called
fifteen times before every other query of the process waits and fails. SQLAlchemy says nothing about it. Where every
such way ends right after `commit()` or `rollback()`, or before the session was used, the connection is back in the
pool and the finding is a warning; so it is for a session over a connection that somebody else owns
(`Session(bind=op.get_bind())`).

## Example
```python
from sqlalchemy.orm import sessionmaker

SessionLocal = sessionmaker()


def count(users):
    session = SessionLocal()  # error
    return session.query(users).count()
```

Use instead:
```python
from sqlalchemy.orm import sessionmaker

SessionLocal = sessionmaker()


def count(users):
    with SessionLocal() as session:
        return session.query(users).count()
```

## Fix safety
The fix is safe where the rewritten program provably writes the same; else it is offered as unsafe, or refused with
the reason.

## References
- [SQLAlchemy: closing a session](https://docs.sqlalchemy.org/en/20/orm/session_basics.html#closing)

## At run time
The guard reports the session when it is collected, or when the process ends. One that was never used holds nothing,
and is not reported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_lint.analysis.leaks import left_open, owed
from session_lint.finding import Severity
from session_lint.rule import Rule
from session_lint.wording import leak, of_registry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.analysis import ModuleFacts
    from session_lint.finding import Finding


def check(facts: ModuleFacts) -> Iterator[Finding]:
    """One finding for each acquire site with a normal way on which the session stays open."""
    for obligation in owed(facts):
        leaks = left_open(obligation)
        if leaks:
            yield leak(rule, facts, obligation, leaks, "leaves here, still open")
    if any(one.managed or one.asked for one in facts.borrowed):
        yield from _of_registries(facts)


def _of_registries(facts: ModuleFacts) -> Iterator[Finding]:
    from session_lint.analysis.half_removed import half_removed  # noqa: PLC0415  (few modules have registries)

    yield from (of_registry(rule, facts, o, "leaves here, still open") for o in half_removed(facts) if o.plain)


rule = Rule(
    __name__,
    code="SES101",
    message="{session} is still open {where}",
    severity=Severity.ERROR,
    check=check,
    fix=("manual_to_scope",),
)
