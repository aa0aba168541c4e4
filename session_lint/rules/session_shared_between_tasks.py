"""One asynchronous session is used by several tasks at the same time.

## What it does
Reports the call that sets several coroutines going with the same `AsyncSession`: `asyncio.gather`, `wait`,
`as_completed`, several `create_task` of a `TaskGroup` or `start_soon` of anyio's and trio's, or one of these where the
code goes on using the session before it has awaited the task. Coroutines that are collected in a list, made in a
comprehension, or that see the session from the function around them count; so do methods of an object that keeps the
session, whether it is made in place, by a function that returns it, or stands in a field.

Coroutines that open a session each, and those that are awaited one after another, are not reported.

## Why is this bad?
An `AsyncSession` is one conversation with the database. Two tasks that use it at the same time raise
`InvalidRequestError` ("concurrent operations are not permitted") or `IllegalStateChangeError`, sometimes, depending on
who waits for what.

## Example
```python
import asyncio

from sqlalchemy.ext.asyncio import AsyncSession


async def overview(session: AsyncSession, users, orders):
    return await asyncio.gather(session.execute(users), session.execute(orders))  # error
```

Use instead:
```python
from sqlalchemy.ext.asyncio import AsyncSession


async def overview(session: AsyncSession, users, orders):
    return await session.execute(users), await session.execute(orders)
```

## References
- [SQLAlchemy: using AsyncSession with concurrent
tasks](https://docs.sqlalchemy.org/en/20/orm/extensions/asyncio.html#using-asyncsession-with-concurrent-tasks)

## At run time
The guard reports the call in which two tasks are at work with the session at once; as long as they happen to take
turns, it sees none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_lint.analysis.trace import opened, step
from session_lint.finding import Severity
from session_lint.rule import Rule
from session_lint.wording import named

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.analysis import ModuleFacts
    from session_lint.finding import Finding


def check(facts: ModuleFacts) -> Iterator[Finding]:
    """One finding for each call that lets several tasks use one asynchronous session."""
    if facts.module is None or not facts.module.running:
        return
    from session_lint.analysis.sharing import between_tasks  # noqa: PLC0415  (few modules need it)

    for one in between_tasks(facts):
        site = one.handing.fact.site
        begun = opened(facts, site) if site is not None and one.handing.borrowed is None else []
        second = [] if one.several else [step(facts, one.other, "used here at the same time")]
        yield rule.finding(
            facts,
            one.call,
            symbol=facts.symbol(one.code),
            trace=[*begun, step(facts, one.call, "tasks get it here"), *second],
            session=named(one.name),
            what="several tasks" if one.several else f"a task and line {getattr(one.other, 'lineno', one.call.lineno)}",
        )


rule = Rule(
    __name__,
    code="SES603",
    message="{session} is used by {what} at the same time",
    severity=Severity.ERROR,
    check=check,
)
