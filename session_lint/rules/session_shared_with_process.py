"""A session is given to another process.

## What it does
Reports the call that gives a session to another process: `multiprocessing.Process`, a `Pool`, `ProcessPoolExecutor`,
joblib's `delayed`, a Celery task's `delay()`, the `start()` of an object of a class of processes that keeps it; and
`os.fork()` in the middle of a transaction, where the session is used afterwards.

Whatever opens its own session in the worker is not reported, nor are ids and plain values.

## Why is this bad?
A connection belongs to the process that opened it. Two processes that write to the same socket mix up each other's
answers; and a session that has to be pickled for the way cannot be.

## Example
```python
from multiprocessing import Process

from sqlalchemy.orm import Session


def load(engine):
    with Session(engine) as session:
        worker = Process(target=work, args=(session,))  # error
        worker.start()
        worker.join()
```

Use instead:
```python
from multiprocessing import Process

from sqlalchemy import create_engine
from sqlalchemy.orm import Session


def work(url):
    with Session(create_engine(url)) as session:
        session.execute(query)


def load(url):
    worker = Process(target=work, args=(url,))
    worker.start()
    worker.join()
```

## References
- [SQLAlchemy: using connection pools with multiprocessing or
os.fork()](https://docs.sqlalchemy.org/en/20/core/pooling.html#using-connection-pools-with-multiprocessing-or-os-fork)
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
    """One finding for each call that gives a session to another process."""
    if facts.module is None or not facts.module.running:
        return
    from session_lint.analysis.sharing import with_processes  # noqa: PLC0415  (few modules need it)

    for one in with_processes(facts):
        site = one.handing.fact.site
        begun = opened(facts, site) if site is not None and one.handing.borrowed is None else []
        second = [] if one.several else [step(facts, one.other, "used here, in both processes")]
        yield rule.finding(
            facts,
            one.call,
            symbol=facts.symbol(one.code),
            trace=[*begun, step(facts, one.call, "another process gets it here"), *second],
            session=named(one.name),
        )


rule = Rule(
    __name__,
    code="SES602",
    message="{session} is given to another process",
    severity=Severity.ERROR,
    check=check,
)
