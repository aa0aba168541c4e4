"""A session is opened for each request, and no teardown closes it.

## What it does
Reports a session that a Flask hook or a getter puts into `flask.g`, where no function that is registered by
`teardown_appcontext`, `teardown_request` or `teardown_app_request` closes it, nor anything that such a function calls.

So is the session that an object opens for itself when it is made, and that is put there (`g.db = Database()`), where
its class closes it when it is asked to, and nobody asks.

A hook by `after_request` is no teardown: where an exception is passed on (in tests, in debug mode), or another such
hook fails before it, it is not run.

So is one that a handler or middleware puts into what its request has for itself (`request.state.db`, `request.ctx.db`,
Falcon's `req.context.db`), where no code of the project takes that and closes something.

Flask-SQLAlchemy and registries with a `remove()` in a teardown are not reported, nor is anything where the teardown
cannot be read, or some other code closes the field.

## Why is this bad?
Each request keeps a connection out of the pool; after 15 with the default pool, all further ones wait and time out.

## Example
```python
from flask import Flask, g
from sqlalchemy.orm import sessionmaker

SessionLocal = sessionmaker()
app = Flask(__name__)


@app.before_request
def open_session():
    g.db = SessionLocal()  # error
```

Use instead:
```python
from flask import Flask, g
from sqlalchemy.orm import sessionmaker

SessionLocal = sessionmaker()
app = Flask(__name__)


@app.before_request
def open_session():
    g.db = SessionLocal()


@app.teardown_appcontext
def close_session(exception=None):
    db = g.pop("db", None)
    if db is not None:
        db.close()
```

## Fix safety
Where the application, or a blueprint, is made in the same module, a teardown that closes the session is added at its
end. That is unsafe: who keeps objects of the session beyond the request will find them detached.

## References
- [Flask: storing data, and the application context's
teardown](https://flask.palletsprojects.com/en/stable/appcontext/#storing-data)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_lint import fixes
from session_lint.analysis import SiteKind
from session_lint.analysis.trace import opened, step
from session_lint.finding import Severity
from session_lint.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.analysis import ModuleFacts
    from session_lint.finding import Finding


def check(facts: ModuleFacts) -> Iterator[Finding]:
    """One finding for each session in a request's context that no teardown closes."""
    if not any(e.fact.marked("kept") for one in facts.obligations(SiteKind.OWNED) for e in one.endings):
        return
    from session_lint.analysis.request_objects import in_request_objects  # noqa: PLC0415  (few modules need it)
    from session_lint.analysis.teardowns import without_teardown  # noqa: PLC0415  (see above)

    own = [*without_teardown(facts)]
    for one in (*own, *in_request_objects(facts)):
        steps = [*opened(facts, one.site), step(facts, one.target, f"kept in {one.field!r} for the request")]
        if one.after is not None:
            steps.append(step(facts, one.after, "closes it, but is not run after every error"))
        yield rule.finding(
            facts,
            one.site.node,
            symbol=facts.symbol(one.code),
            trace=steps,
            **(fixes.teardown(facts, one) if one in own else {}),
            field=one.field,
            what="only an after_request hook, which is not run after every error" if one.after else "no teardown",
        )


rule = Rule(
    __name__,
    code="SES502",
    message="session in {field!r} is opened for each request, and {what} closes it",
    severity=Severity.ERROR,
    check=check,
    fix=("add_teardown",),
)
