"""The global session is opened and, on some way through the program, nobody closes it.

## What it does
The session that `get_session()` returns belongs to the whole process. Starting at every entry (the module body, a
function that nothing in the module calls), the rule follows the calls that reach a singleton getter and reports the
first getter on the way where some normal end of the entry comes without the closer having run.

A helper may call `get_session()` freely as long as every caller closes. `atexit.register(close_global_session)`
counts as closing. Besides the reference module's pair, getters and closers that the module itself defines over a
global are known from their bodies.

## Why is this bad?
The session keeps its connection, and its transaction, until the process ends. In a long-running worker that is
forever: the database cannot clean up behind it, and on SQLite the next writer finds the database locked.

## Example
```python
from database.session import get_session

session = get_session()  # error
session.add(object())
session.commit()
```

Use instead:
```python
from database.session import close_global_session, get_session

session = get_session()
try:
    session.add(object())
    session.commit()
finally:
    close_global_session()
```

## Fix safety
What follows the opening in the entry goes into a `try` whose `finally` calls the closer. That is safe where nothing is
left uncommitted at the end of the entry, and where it returns nothing that may be an object of the session; it is
unsafe otherwise. There is no fix where the entry stands in another file, where the closer is called in more than one
place, or where functions are defined behind the opening.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_lint import fixes
from session_lint.analysis.singletons import Debt, debts
from session_lint.finding import Severity
from session_lint.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.analysis import ModuleFacts
    from session_lint.finding import Finding


def check(facts: ModuleFacts) -> Iterator[Finding]:
    """One finding for each getter that some entry reaches and leaves open on a normal way."""
    for debt in debts(facts):
        if debt.normal:
            yield _finding(facts, debt)


def _finding(facts: ModuleFacts, debt: Debt) -> Finding:
    return rule.finding(
        facts,
        debt.origin.node,
        symbol=facts.symbol(debt.origin.code),
        trace=facts.trace(
            debt.normal[0], f"{debt.entry} ends here, the session still open", "global session opened here"
        ),
        **fixes.settle(facts, debt),
        entry=debt.entry,
    )


rule = Rule(
    __name__,
    code="SES201",
    message="global session is not closed when {entry} ends",
    severity=Severity.ERROR,
    check=check,
    fix=("wrap_in_finally",),
)
