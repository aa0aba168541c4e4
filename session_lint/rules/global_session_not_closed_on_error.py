"""The global session is closed, but an exception skips it.

## What it does
Reports a singleton getter from which every normal way through the program reaches the closer, where something in
between may raise and the closer does not stand in a `finally`.

## Why is this bad?
`close_global_session()` as the last line runs when all went well. When anything before it raises and the process
lives on, as a worker or a test runner does, the next job gets the same session, in a failed transaction.

## Example
```python
from database.session import close_global_session, get_session


def run_experiment(config):
    session = get_session()  # error
    session.execute(config)
    session.commit()
    close_global_session()
```

Use instead:
```python
from database.session import close_global_session, get_session


def run_experiment(config):
    session = get_session()
    try:
        session.execute(config)
        session.commit()
    finally:
        close_global_session()
```

## Fix safety
The closer moves into a `finally` around what follows the opening. That is safe where the function returns nothing that
may be an object of the session; it is unsafe otherwise.

## At run time
The guard knows that an error of the database came before, or that an exception has ended the test, the thread or the
process. After any other it reports SES201.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_lint import fixes
from session_lint.analysis.singletons import debts
from session_lint.analysis.trace import line
from session_lint.finding import Severity
from session_lint.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.analysis import ModuleFacts
    from session_lint.finding import Finding


def check(facts: ModuleFacts) -> Iterator[Finding]:
    """One finding for each getter that is closed on every normal way and open on some exceptional one."""
    for debt in debts(facts):
        if not debt.normal and debt.closed and debt.raised:
            worst = debt.raised[0]
            yield rule.finding(
                facts,
                debt.origin.node,
                symbol=facts.symbol(debt.origin.code),
                trace=facts.trace(worst, "the exception leaves, past the closer", "global session opened here"),
                **fixes.settle(facts, debt),
                where=line(facts, facts.end_node(worst)),
            )


rule = Rule(
    __name__,
    code="SES202",
    message="global session is still open when {where} raises",
    severity=Severity.ERROR,
    check=check,
    fix=("wrap_in_finally",),
)
