"""A synchronous session does its work directly in an `async def`.

## What it does
Reports the first database operation of a synchronous session (`Session`, a `sessionmaker` of it, `scoped_session`,
Flask-SQLAlchemy's) in the body of an `async def`, for each session and function.

Work that is handed to a thread (`asyncio.to_thread`, `run_in_executor`, `run_in_threadpool`) or to
`AsyncSession.run_sync` stands in a function of its own, and is not reported; nor are tests.

## Why is this bad?
While the database works, the event loop stands still: every other request, timer and task of the process waits for it.
Where the pool is empty, it waits for a connection that a task holds which cannot go on meanwhile, until the timeout.

## Example
```python
from fastapi import Depends, FastAPI
from sqlalchemy.orm import Session

from app.database import get_db

app = FastAPI()


@app.get("/users/{key}")
async def user(key: int, db: Session = Depends(get_db)):
    return db.get(User, key)  # error
```

Use instead:
```python
from fastapi import Depends, FastAPI
from sqlalchemy.orm import Session

from app.database import get_db

app = FastAPI()


@app.get("/users/{key}")
def user(key: int, db: Session = Depends(get_db)):
    return db.get(User, key)
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_lint.analysis.awaiting import blocking
from session_lint.analysis.places import is_test
from session_lint.analysis.trace import step
from session_lint.finding import Severity
from session_lint.rule import Rule
from session_lint.wording import named

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.analysis import ModuleFacts
    from session_lint.finding import Finding


def check(facts: ModuleFacts) -> Iterator[Finding]:
    """One finding for each synchronous session of each coroutine, at its first operation."""
    if is_test(facts.source.filename):
        return
    for one in blocking(facts):
        symbol = facts.symbol(one.code)
        runs = [step(facts, one.code, "runs in the event loop"), step(facts, one.call, "which stands still here")]
        yield rule.finding(facts, one.call, symbol=symbol, trace=runs, session=named(one.name), coroutine=symbol)


rule = Rule(
    __name__,
    code="SES802",
    message="synchronous {session} blocks the event loop in coroutine {coroutine!r}",
    severity=Severity.WARNING,
    check=check,
)
