"""Changes are written through the global session and thrown away.

## What it does
Reports the last write on a way that closes the global session, or ends the program, with neither commit nor rollback
after it.

A function that cannot be followed and may commit the same session ends the suspicion; so does a rollback, which is on
purpose.

## Why is this bad?
The global session does not commit by itself. Closing it rolls back: the rows were sent, perhaps even read back, and
are gone. There is no error and no warning.

## Example
```python
from database.session import close_global_session, get_session


def create_series(series):
    session = get_session()
    try:
        session.add(series)  # error
    finally:
        close_global_session()
```

Use instead:
```python
from database.session import close_global_session, get_session


def create_series(series):
    session = get_session()
    try:
        session.add(series)
        session.commit()
    finally:
        close_global_session()
```

## Fix safety
No fix: only the author knows whether the changes were meant to stay.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_lint.analysis.singletons import lost_writes
from session_lint.analysis.trace import opened, step
from session_lint.finding import Severity
from session_lint.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.analysis import ModuleFacts
    from session_lint.finding import Finding


def check(facts: ModuleFacts) -> Iterator[Finding]:
    """One finding for each write that some way throws away."""
    for loss in lost_writes(facts):
        steps = opened(facts, loss.site, "global session opened here")
        steps += [step(facts, loss.write, "written here"), step(facts, loss.end, loss.how)]
        yield rule.finding(facts, loss.write, symbol=loss.symbol, trace=steps, how=loss.how)


rule = Rule(
    __name__,
    code="SES203",
    message="changes written to the global session are lost: {how}",
    severity=Severity.ERROR,
    check=check,
)
