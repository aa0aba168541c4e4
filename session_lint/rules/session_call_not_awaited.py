"""A coroutine of an `AsyncSession` is made and never run.

## What it does
Reports the call of a method of an asynchronous session that is a coroutine (`execute`, `commit`, `get`, `delete`,
`refresh`, `close`, …) where its result is thrown away, or used as if it were the answer already
(`session.execute(query).all()`).

`add`, `add_all`, `expunge` and `expire` are no coroutines. A coroutine that is handed on (`asyncio.gather`,
`create_task`, `return`, a variable that is awaited later) is not reported.

## Why is this bad?
Nothing happens: nothing is committed, deleted or closed. Python says "coroutine was never awaited" at best, when it is
collected; where the result is used, an `AttributeError` is raised.

## Example
```python
from sqlalchemy.ext.asyncio import AsyncSession


async def rename(session: AsyncSession, user, name):
    user.name = name
    session.commit()  # error
```

Use instead:
```python
from sqlalchemy.ext.asyncio import AsyncSession


async def rename(session: AsyncSession, user, name):
    user.name = name
    await session.commit()
```

## Fix safety
`await` before the call does what was meant, and is safe. In a function that is not asynchronous there is no fix.

## References
- [SQLAlchemy:
`AsyncSession`](https://docs.sqlalchemy.org/en/20/orm/extensions/asyncio.html#sqlalchemy.ext.asyncio.AsyncSession)

## At run time
Python itself warns that the coroutine was never awaited. The session has not seen the call: where a `commit()` was
lost, the guard reports SES702 of what is thrown away.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_lint import fixes
from session_lint.analysis.awaiting import forgotten
from session_lint.analysis.trace import step
from session_lint.finding import Severity
from session_lint.rule import Rule
from session_lint.wording import named

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.analysis import ModuleFacts
    from session_lint.finding import Finding


def check(facts: ModuleFacts) -> Iterator[Finding]:
    """One finding for each coroutine of a session that is lost."""
    for one in forgotten(facts):
        yield rule.finding(
            facts,
            one.call,
            symbol=facts.symbol(one.code),
            trace=[step(facts, one.call, "the coroutine is made here, and never run")],
            **fixes.awaited(facts, one),
            method=one.method,
            session=named(one.name),
        )


rule = Rule(
    __name__,
    code="SES801",
    message="{method}() of {session} is a coroutine that nothing awaits",
    severity=Severity.ERROR,
    check=check,
    fix=("add_await",),
)
