"""A transaction stays open while the code waits for something outside of the database.

## What it does
Reports a call that waits for the outside (`time.sleep`, an event that another thread may set, an HTTP request, a
subprocess, a mail server, a cloud or language model service, a message broker; by itself, or inside a function of the
project that surely makes it, in a thread that is awaited, too) between the first database operation of a transaction
and its commit, rollback or close. It names both ends: where the transaction began, and what it waits for.

A handler that returns a stream of events (`EventSourceResponse`, `media_type="text/event-stream"`) waits, too, for its
client to go: FastAPI ends what the handler depends on once the response has been sent (not in versions 0.106 to 0.117,
nor with `Depends(…, scope="function")`).

It says something only where a transaction is provably open: a query or flush has gone before on the way, and no commit,
rollback or close since. What is slow in your own code can be said in
[`[tool.session-lint.vocabulary]`](../configuration.md#vocabulary) (`role = "slow"`).

## Why is this bad?
An open transaction holds a connection of the pool, its locks and, in PostgreSQL, its snapshot, which keeps `VACUUM`
from cleaning up ("idle in transaction"). When the other side is slow for once, all connections wait for it, and the
site is down though the database has nothing to do.

## Example
```python
import requests
from sqlalchemy.orm import Session


def refresh_rates(session: Session, query):
    account = session.scalars(query).one()
    account.rates = requests.get(account.url).json()  # error
    session.commit()
```

Use instead:
```python
import requests
from sqlalchemy.orm import Session


def refresh_rates(session: Session, query, url):
    rates = requests.get(url).json()
    account = session.scalars(query).one()
    account.rates = rates
    session.commit()
```

## References
- [PostgreSQL:
`idle_in_transaction_session_timeout`](https://www.postgresql.org/docs/current/runtime-config-client.html#GUC-IDLE-IN-TRANSACTION-SESSION-TIMEOUT)
- [SQLAlchemy: when do I construct a session, when do I commit it, and when do I close
it](https://docs.sqlalchemy.org/en/20/orm/session_basics.html#session-faq-whentocreate)

## At run time
The guard reports a transaction that has been idle for longer than it is told, 30 seconds by default, at its last
operation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_lint.analysis.places import is_test
from session_lint.analysis.trace import opened, step
from session_lint.analysis.waiting import Waiting, waitings
from session_lint.finding import Severity
from session_lint.python.nodes import path
from session_lint.rule import Rule
from session_lint.wording import named

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.analysis import ModuleFacts
    from session_lint.finding import Finding


def check(facts: ModuleFacts) -> Iterator[Finding]:
    """One finding for each transaction that waits, at the first call that it waits for."""
    if is_test(facts.source.filename):
        return
    for one in waitings(facts):
        yield _finding(facts, one)


def _finding(facts: ModuleFacts, one: Waiting) -> Finding:
    steps = [] if one.borrowed else opened(facts, one.site)
    steps += [
        step(facts, one.begun, "the transaction begins here"),
        step(facts, one.call, f"waits for {one.slow.what}"),
        *(step(facts, call, f"waits for {one.slow.what}") for call in one.slow.inside),
    ]
    return rule.finding(
        facts,
        one.call,
        symbol=facts.symbol(one.code),
        trace=steps,
        session=named(one.name),
        row=getattr(one.begun, "lineno", 0),
        where=f"in {path(one.call.func)}()" if one.slow.inside and path(one.call.func) else "here",
        what=one.slow.what,
    )


rule = Rule(
    __name__,
    code="SES703",
    message="transaction of {session}, begun on line {row}, waits {where} for {what}",
    severity=Severity.WARNING,
    check=check,
)
