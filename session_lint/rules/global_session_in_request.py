"""The global session of the process is used while a request is served.

## What it does
Reports a call of a singleton getter in a Flask view, hook, error handler, context processor or `MethodView` method, in the like of FastAPI, Starlette
and aiohttp, or in a function of the module that one of them calls. Command-line commands, application factories and scripts are not requests.

## Why is this bad?
Requests run side by side, in threads or tasks. They would share one session that is made for one: one request commits or rolls back the
half-done work of another, and concurrent operations raise.

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
No fix is offered yet: use the request's own session, `g.db` of `database.flask.init_app(app)`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_lint.analysis.requests import request_codes
from session_lint.analysis.trace import step
from session_lint.finding import Severity
from session_lint.rule import Rule
from session_lint.vocabulary import Role

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.analysis import ModuleFacts
    from session_lint.finding import Finding


def check(facts: ModuleFacts) -> Iterator[Finding]:
    """One finding for each getter call in a function that runs in a request."""
    module = facts.module
    if module is None:
        return
    served = request_codes(module)
    for call, scope in module.names.scopes.calls:
        code = module.code_of(scope)
        if code in served and module.calls.callee(call).role is Role.SINGLETON and module.key_of_call(call) not in module.keys_defined_in(code):
            handler = served[code]
            yield rule.finding(
                facts,
                call,
                symbol=facts.symbol(code),
                trace=[step(facts.source, handler, "runs once a request"), step(facts.source, call, "takes the session of the process")],
                handler=facts.symbol(handler),
            )


rule = Rule(
    __name__,
    code="SES501",
    message="global session in request handler {handler!r}, shared by all requests",
    severity=Severity.ERROR,
    check=check,
)
