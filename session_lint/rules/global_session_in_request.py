"""The global session of the process is used while a request is served.

## What it does
Reports a call of a singleton getter, or of a context manager that lends the one session of the process, in a Flask
view, hook, error handler, context processor or `MethodView` method, in the like of FastAPI, Starlette and aiohttp, or
in a function of the module that one of them calls. Command-line commands, application factories and scripts are not
requests.

## Why is this bad?
Requests run side by side, in threads or tasks. They would share one session that is made for one: one request commits
or rolls back the half-done work of another, and concurrent operations raise.

## Example
```python
from database.session import get_session
from flask import Flask

app = Flask(__name__)


@app.route("/series")
def series():
    session = get_session()  # error
    return {"count": session.scalar("select count(*) from series")}
```

Use instead:
```python
from flask import Flask, g

app = Flask(__name__)


@app.route("/series")
def series():
    return {"count": g.db.scalar("select count(*) from series")}
```

## Fix safety
The reference module's getter gives way to `g.db` in modules that import from Flask. That is unsafe: the session is
there only where `database.flask.init_app(app)` was called when the application was made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_lint import fixes
from session_lint.analysis.requests import global_uses
from session_lint.analysis.trace import step
from session_lint.finding import Severity
from session_lint.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.analysis import ModuleFacts
    from session_lint.analysis.requests import Handler
    from session_lint.finding import Finding


def check(facts: ModuleFacts) -> Iterator[Finding]:
    """One finding for each getter that is called in a function of a request, or given to the framework to call."""
    if facts.module is None:
        return
    for use in global_uses(facts.module):
        taken = step(facts, use.node, "takes the session of the process")
        runs = [] if use.handler is None else [step(facts, use.handler[1], "runs once a request")]
        yield rule.finding(
            facts,
            use.node,
            symbol=facts.symbol(use.code),
            trace=[*runs, taken],
            **fixes.own_session(facts, use),
            handler=symbol_of(use.handler) if use.handler is not None else "a dependency",
        )


def symbol_of(handler: Handler) -> str:
    """A handler, for a message."""
    module, code = handler
    return module.names.scopes.of[code].path


rule = Rule(
    __name__,
    code="SES501",
    message="global session in request handler {handler!r}, shared by all requests",
    severity=Severity.ERROR,
    check=check,
    fix=("to_request_session",),
)
