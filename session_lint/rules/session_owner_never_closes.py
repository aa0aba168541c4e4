"""A class opens a session, keeps it, and nothing ever closes it.

## What it does
Reports a session that a method puts into a field of its object, or a cached property opens, where nothing in the
project closes it: no method of the class or of those above and below it, no `__exit__`, no `__del__`, no test's
teardown, no callback, and nobody who gets the session out of the object. What a registry gives that the object has made
for itself (`self.session = self.Session()`) is such a session, where nobody removes it either. So is one that an object
in the field was given and keeps (`self.users = Users(SessionLocal())`). What `__enter__` gives
is followed where every use of the class that is seen is a `with` over it.

Sessions that are handed on to something that may close them are not reported, nor those over a connection that
somebody else owns. Nothing is said of a class with a base class that cannot be read (but for those of frameworks that
know nothing of the fields which users add: Qt, Scrapy, bots), of one that reads its fields by computed names or gives
itself to code that cannot be read, and of one whose objects are all made as modules are loaded, which live as long as
the process.

## Why is this bad?
The session lives as long as the object. From its first query to the next commit or rollback it keeps a connection out
of the pool, and everything that it loads stays in memory. Objects of the kind that are made for each request or job
empty the pool.

## Example
```python
from sqlalchemy.orm import sessionmaker

SessionLocal = sessionmaker()


class Users:
    def __init__(self):
        self.session = SessionLocal()  # error

    def count(self, query):
        return self.session.scalar(query)
```

Use instead:
```python
from sqlalchemy.orm import sessionmaker

SessionLocal = sessionmaker()


class Users:
    def __init__(self):
        self.session = SessionLocal()

    def count(self, query):
        return self.session.scalar(query)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.session.close()
```

## Fix safety
No fix is offered: whether the object should close its session, or get it from its caller, is a matter of design.

## References
- [SQLAlchemy: when do I construct a session, when do I commit it, and when do I close
it](https://docs.sqlalchemy.org/en/20/orm/session_basics.html#session-faq-whentocreate)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_lint.analysis.owners import Keeping, neglected
from session_lint.analysis.trace import opened, shorten, step
from session_lint.finding import Severity
from session_lint.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.analysis import ModuleFacts
    from session_lint.finding import Finding


def check(facts: ModuleFacts) -> Iterator[Finding]:
    """One finding for each session that a class keeps open for good."""
    for keeping in neglected(facts):
        yield _finding(facts, keeping)


def _finding(facts: ModuleFacts, keeping: Keeping) -> Finding:
    field, owner = keeping.field, keeping.owner.path.rpartition(".")[2]
    kept = step(facts, keeping.kept, f"kept in {field!r}")
    return rule.finding(
        facts,
        keeping.site.node,
        symbol=facts.symbol(keeping.site.code),
        trace=shorten(
            [*opened(facts, keeping.site), kept, step(facts, keeping.owner.node, f"{owner!r} never closes it")]
        ),
        owner=owner,
        field=field,
    )


rule = Rule(
    __name__,
    code="SES105",
    message="class {owner!r} keeps a session in {field!r} that nothing closes",
    severity=Severity.WARNING,
    check=check,
)
