"""A session is opened when a module is imported, and shared by all its functions.

## What it does
Reports a session that a module opens while it is imported (a variable of the module, an attribute of a class, the
default of a parameter, a field of an object: `bot.session = Session()`) and that functions use, of this module or of
another one that imports it; an object of the project that keeps the session it is given (`users =
Users(SessionLocal())`) is as good as the session, where its class closes nothing, and so is one that opens a session
for itself when it is made (`users = Users()`), where modules make all objects of its class; it may have a `close()`
that nobody calls. A function that fills a
variable of its module (`global session`) counts where importing the module, or a package, runs it. What calling a
registry gives (`scoped_session`, Flask-SQLAlchemy's `db.session`) is a session, too: that of the thread which imports
the module. So is one that a function puts into a web application for all its requests, when it makes or starts it
(`app.session = Session()`, `app.state.db = SessionLocal()` in a lifespan), where others read it from there.

Factories and registries themselves (`sessionmaker`, `scoped_session`), what stands under `if __name__ == "__main__":`,
sessions that the same straight line of a script closes, variables that hold something else in the end, attributes that
objects have of their own, and tests are not reported.

## Why is this bad?
All functions, threads and requests of the process share one session. Its transaction stays open from the first query
on; what one function has not committed yet, another one commits; and after one error all later calls raise
`PendingRollbackError`, because the session is nobody's to roll back.

## Example
```python
from sqlalchemy.orm import sessionmaker

SessionLocal = sessionmaker()
session = SessionLocal()  # error


def users(query):
    return session.scalars(query).all()
```

Use instead:
```python
from sqlalchemy.orm import sessionmaker

SessionLocal = sessionmaker()


def users(query):
    with SessionLocal() as session:
        return session.scalars(query).all()
```

## References
- [SQLAlchemy: when do I construct a session, when do I commit it, and when do I close
it](https://docs.sqlalchemy.org/en/20/orm/session_basics.html#session-faq-whentocreate)

## At run time
The guard reports the first function that uses the session. An error that one call leaves to the next is SES701 there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_lint.analysis.lasting_objects import in_lasting_objects
from session_lint.analysis.places import is_never_imported, is_test
from session_lint.analysis.standing import standing
from session_lint.analysis.trace import step
from session_lint.finding import Severity
from session_lint.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.analysis import ModuleFacts
    from session_lint.finding import Finding


def check(facts: ModuleFacts) -> Iterator[Finding]:
    """One finding for each session that stands in a module for its functions."""
    if is_test(facts.source.filename) or is_never_imported(facts.source.filename):
        return
    for one in (*standing(facts), *in_lasting_objects(facts), *facts.starting):
        when = "the application starts" if one.starting else "the module is imported"
        start = [step(facts, one.start, f"called when {when}")] if one.start is not None else []
        how = "opened there" if start else f"opened when {when}"
        yield rule.finding(
            facts,
            one.call,
            trace=[*start, step(facts, one.call, how), step(facts, one.user, "used here")],
            name=one.name,
            when=when,
            user=getattr(one.user, "name", "a function"),
        )


rule = Rule(
    __name__,
    code="SES604",
    message="session {name!r} is opened when {when}, and shared by {user!r} and all others",
    severity=Severity.WARNING,
    check=check,
)
