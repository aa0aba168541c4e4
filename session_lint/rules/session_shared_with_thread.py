"""A session is used by two threads at the same time.

## What it does
Reports the call that gives a session to a thread (`Thread(target=…, args=(session,))`, `executor.submit`,
`executor.map`, `run_in_executor`, `to_thread`, a timer, a function or lambda over the session that runs there, a method
of the session such as `session.execute`, the `start()` of an object of a class of threads that keeps it), where the
opener goes on using the session before it has waited for the thread, or several threads get it. Tasks that only wait
for threads (`gather(to_thread(work, session), …)`) count as these; so does a thread that runs a method of the object
which keeps the session, where others call another of its methods, and the class neither waits for it nor has a lock.

A session that is handed over and not touched again, or only after `join()`, `result()`, the `await`, or the end of the
executor's `with` block, is not reported; nor is a registry (`scoped_session`), which gives each thread its own.

## Why is this bad?
A session is one conversation with the database, made for one thread. Two that use it at the same time get "This session
is provisioning a new connection; concurrent operations are not permitted", each other's half-done work committed or
rolled back, or objects that belong to nobody.

## Example
```python
from threading import Thread

from sqlalchemy.orm import Session


def load(engine, users):
    with Session(engine) as session:
        for user in users:
            Thread(target=work, args=(session, user)).start()  # error
```

Use instead:
```python
from threading import Thread

from sqlalchemy.orm import Session


def work(engine, user):
    with Session(engine) as session:
        session.add(user)
        session.commit()


def load(engine, users):
    for user in users:
        Thread(target=work, args=(engine, user)).start()
```

## References
- [SQLAlchemy: is the session
thread-safe?](https://docs.sqlalchemy.org/en/20/orm/session_basics.html#is-the-session-thread-safe-is-asyncsession-safe-to-share-in-concurrent-tasks)

## At run time
The guard reports the call in which two threads are at work with the session at once; as long as they happen to take
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
    """One finding for each call that gives a session to a thread while another uses it."""
    if facts.module is None or not facts.module.running:
        return
    from session_lint.analysis.sharing import with_threads  # noqa: PLC0415  (few modules need it)

    for one in with_threads(facts):
        site = one.handing.fact.site
        begun = opened(facts, site) if site is not None and one.handing.borrowed is None else []
        second = [] if one.several else [step(facts, one.other, "used here at the same time")]
        yield rule.finding(
            facts,
            one.call,
            symbol=facts.symbol(one.code),
            trace=[*begun, step(facts, one.call, "a thread gets it here"), *second],
            session=named(one.name),
            what="several threads"
            if one.several
            else f"a thread and line {getattr(one.other, 'lineno', one.call.lineno)}",
        )


rule = Rule(
    __name__,
    code="SES601",
    message="{session} is used by {what} at the same time",
    severity=Severity.ERROR,
    check=check,
)
