"""A request's session is given to something that goes on when the request is over.

## What it does
Reports the call that gives a request's session (a parameter with FastAPI's `Depends`, Flask's `g.db`) to a thread, a
task that nobody awaits, a background task, a response that is streamed from a generator, a variable of the module, or
a field of an object that the module makes for everybody.

So it does with an object that was made around the session, such as a service that a dependency or the handler makes,
and with its methods, and with the session of a `with` block that is given to a background task, or to the generator of
a streamed response, which come after the block.

A thread or task that the handler waits for is not reported, nor is one that opens its own session or gets only ids.

It is an error where the session is surely closed by then: blocks, threads, tasks, globals, shared objects, and Flask's
streams, which are sent after the teardown (`stream_with_context` keeps the context, not the session). It is a warning
for FastAPI's background tasks and streams: they find the session closed in versions from 0.106 on that close a
dependency before the response is sent, and always with `Depends(…, scope="function")`; newer versions (0.165 was tried)
close it afterwards.

## Why is this bad?
The framework closes the session with the request. What still has it opens it anew, without a word: a connection that
nobody gives back, and writes that nobody commits. Until then, two threads use it at the same time.

## Example
```python
from threading import Thread

from fastapi import Depends, FastAPI
from sqlalchemy.orm import Session

from app.database import get_db

app = FastAPI()


@app.post("/orders/{key}")
def order(key: int, db: Session = Depends(get_db)):
    Thread(target=send_mail, args=(db, key)).start()  # error
```

Use instead:
```python
from threading import Thread

from fastapi import FastAPI
from sqlalchemy.orm import Session

from app.database import engine

app = FastAPI()


def send_mail(key):
    with Session(engine) as session:
        print(session.get(Order, key))


@app.post("/orders/{key}")
def order(key: int):
    Thread(target=send_mail, args=(key,)).start()
```

## References
- [FastAPI: dependencies with yield, and when they end](https://fastapi.tiangolo.com/advanced/advanced-dependencies/)
- [Flask: streaming with context](https://flask.palletsprojects.com/en/stable/patterns/streaming/)

## At run time
The guard reports the line that uses the session after its request, because a thread does not know who started it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_lint.analysis.trace import step
from session_lint.finding import Severity
from session_lint.rule import Rule
from session_lint.wording import named

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.analysis import ModuleFacts
    from session_lint.finding import Finding

_WHERE = {
    "thread": "a thread",
    "task": "a task that nobody awaits",
    "background": "a background task",
    "stream": "a streamed response",
    "global": "a variable of the module",
    "shared": "an object that all requests share",
}


def check(facts: ModuleFacts) -> Iterator[Finding]:
    """One finding for each hand-over of a request's session to something that outlives the request."""
    if facts.module is None or not (facts.module.running or facts.borrowed):
        return
    from session_lint.analysis.lingering import lingering  # noqa: PLC0415  (few modules need it)

    for one in lingering(facts):
        where = _WHERE[one.where]
        yield rule.finding(
            facts,
            one.call,
            symbol=facts.symbol(one.code),
            trace=[
                step(facts, one.call, f"{where} gets it here"),
                step(facts, one.item, "closed at the end of this block"),
            ]
            if one.item is not None
            else [
                step(facts, one.code, "the session lives as long as this request"),
                step(facts, one.call, f"{where} gets it here"),
            ],
            severity=Severity.ERROR if one.sure else Severity.WARNING,
            session=named(one.name),
            whose="the request" if one.item is None else "the block",
            where=where,
        )


rule = Rule(
    __name__,
    code="SES504",
    message="{session} of {whose} is given to {where}, which may outlive it",
    severity=Severity.ERROR,
    check=check,
)
