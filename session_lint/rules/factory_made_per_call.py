"""An engine or a session factory is made anew by each call of a function.

## What it does
Reports `create_engine`, `sessionmaker` and the like in a function that also opens a session from what it makes, and
that runs more than once: in a request, from other functions, as somebody else's entry, or in a loop of `main` or of a
module's body, where each call makes the same. A registry that the function makes for itself counts as a session, and
the project's own helper that makes an engine or a factory for whoever calls it counts as making one. So does the
`__init__` of a class of which a request makes an object for itself, that opens sessions from the engine it makes.

Not reported is what is made once (kept in a global, a field or a cache, or for a session that the object keeps), what
is returned to the caller, a factory over an engine that the function was given or that a library gives it, an engine
that the function disposes of itself or that has no pool (`poolclass=NullPool`), `main` and commands, migrations and
tests.

## Why is this bad?
An engine is a pool of connections, meant to live as long as the process. One for each call leaves its connections to
the garbage collector: the database runs into its limit, and no call finds a connection to reuse. A factory for each
call costs time, and its settings are easily different here and there.

## Example
```python
from sqlalchemy import create_engine
from sqlalchemy.orm import Session


def count(url, query):
    engine = create_engine(url)  # error
    with Session(engine) as session:
        return session.scalar(query)
```

Use instead:
```python
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

engine = create_engine("sqlite:///app.db")


def count(query):
    with Session(engine) as session:
        return session.scalar(query)
```

## References
- [SQLAlchemy: engine disposal](https://docs.sqlalchemy.org/en/20/core/connections.html#engine-disposal) - [SQLAlchemy:
when do I make a
sessionmaker?](https://docs.sqlalchemy.org/en/20/orm/session_basics.html#when-do-i-make-a-sessionmaker)

## At run time
The guard watches sessions and what they do with connections. An engine that is made again and again is nobody's
mistake in any single session, so this is the linter's alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_lint.analysis.places import is_test
from session_lint.analysis.trace import step
from session_lint.finding import Severity
from session_lint.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.analysis import ModuleFacts
    from session_lint.finding import Finding


def check(facts: ModuleFacts) -> Iterator[Finding]:
    """One finding for each function that makes an engine or a factory for its session."""
    if is_test(facts.source.filename):
        return
    from session_lint.analysis.remaking import remakings  # noqa: PLC0415  (it runs only where it is selected)

    for one in remakings(facts):
        symbol = facts.symbol(one.code)
        yield rule.finding(
            facts,
            one.call,
            symbol=symbol,
            trace=[step(facts, one.call, "made by each call"), step(facts, one.opening, "for this session")],
            what="engine, with a pool of its own," if one.engine else "session factory",
            function=symbol,
        )


rule = Rule(
    __name__,
    code="SES705",
    message="each call of {function!r} makes another {what} for its session",
    severity=Severity.WARNING,
    check=check,
)
