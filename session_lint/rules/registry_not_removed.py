"""A registry's session is used in a thread, a worker or a request, and nobody removes it.

## What it does
Reports the first use of a `scoped_session` registry in a function that a thread, an executor or a task queue runs,
or a request, where neither the function nor what it calls calls `remove()`. The same goes for a function that one of
these calls, directly or through others, and that lets go of nothing. A `remove()` in an `except` that catches errors
of the database does not count: the normal way passes it by. Requests are handled by functions of Flask, FastAPI,
Starlette, aiohttp, Quart, Sanic, Tornado, Bottle, Pyramid, Falcon, Litestar, Flask-RESTful and Flask-RESTX.

Where something else may remove the session at the end of a request or of a queue's task, nothing is said: a teardown,
a signal's function, a middleware, a function that nobody calls and that only removes. What a task, a view, a script or
a test removes at its own end counts for nobody else, nor does what the code removes that makes the engine.

Flask-SQLAlchemy removes its own, and `zope.sqlalchemy` closes what Pyramid's transactions have used. `with registry()
as session`, a `close()` at the end, and a function that ends its transaction on every way on which it uses the
registry, also that of an error, give the connection back, and are not reported; nor are functions under a decorator
that cannot be read, nor jobs of RQ, whose process ends with each.

## Why is this bad?
The registry keeps a session for each thread, as long as the thread lives: those of executors, servers and task queues
live on. The session keeps its transaction open from one job to the next, and an error of one job makes the following
ones raise `PendingRollbackError`.

## Example
```python
from threading import Thread

from sqlalchemy.orm import scoped_session, sessionmaker

Session = scoped_session(sessionmaker())


def work(query):
    print(Session.execute(query).all())  # error


Thread(target=work, args=("select 1",)).start()
```

Use instead:
```python
from threading import Thread

from sqlalchemy.orm import scoped_session, sessionmaker

Session = scoped_session(sessionmaker())


def work(query):
    try:
        print(Session.execute(query).all())
    finally:
        Session.remove()


Thread(target=work, args=("select 1",)).start()
```

## References
- [SQLAlchemy: thread-local scope](https://docs.sqlalchemy.org/en/20/orm/contextual.html#thread-local-scope)

## At run time
The guard reports the session when it is collected, which is after its thread has ended. An error that one job leaves
to the next is SES701 there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_lint.analysis.registries import unremoved
from session_lint.analysis.trace import step
from session_lint.finding import Severity
from session_lint.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.analysis import ModuleFacts
    from session_lint.finding import Finding

_RUNS = {"thread": "a thread", "process": "a worker", "request": "each request"}


def check(facts: ModuleFacts) -> Iterator[Finding]:
    """One finding for each function that leaves a registry's session behind, at its first use."""
    for one in unremoved(facts):
        symbol = facts.symbol(one.code)
        yield rule.finding(
            facts,
            one.use,
            symbol=symbol,
            trace=[
                step(facts, one.told, f"{_RUNS[one.where]} runs {symbol!r}"),
                step(facts, one.use, "the session stays behind"),
            ],
            name=one.name,
            function=symbol,
            where=_RUNS[one.where],
        )


rule = Rule(
    __name__,
    code="SES704",
    message="registry {name!r} is used in {function!r}, which {where} runs, and nobody removes its session",
    severity=Severity.WARNING,
    check=check,
)
