"""A generator lends a session, and does not close it on every way.

## What it does
Reports the session that a generator opens and yields (a dependency of FastAPI, a fixture of pytest, any generator that
is no context manager) where it stays open on some way: it is never closed, or only after the `yield` and not in a
`finally` or `with`, so that an exception at the `yield`, or a generator that is not run to its end, passes the close.

So is the session that a plain function, or a factory itself, gives to FastAPI's `Depends`, where no handler closes it
(or what a function gives that Pyramid's `add_request_method` is told of, where nothing closes it or ends the request),
also inside of an object of the project that keeps it (`return Users(SessionLocal())`), or under a key of a dictionary;
a loop (`async for session in get_session()`) that a `break` or `return` leaves with the generator suspended: a warning,
since the event loop ends such a generator, some time later (nothing where the loop's own `finally` closes the session);
the same of `generator = get_session()` that is asked for its session by `anext(generator)` and for nothing after that,
and of `anext(get_session())` whose session goes into a context variable;
one in a dependency, or a context manager, that yields the loop's session in turn, where an exception of the request, or
of the block, leaves the loop in the same way: `contextlib.aclosing` ends it at once;
and the session that `next(get_db())` takes out of its
generator for good, where some way leaves it open: the generator goes at once, and closes what the next use opens anew.

What follows the `yield` of a pytest fixture runs whatever becomes of the test: a fixture is reported where it never
closes, or where something else may raise in between while a connection is out of an engine that is not its own. One
that returns its session is reported where no test closes it, and the engine is not its own.

## Why is this bad?
A request that fails leaves its session open, and the connection out of the pool: after some errors (15 with the default
pool) all further requests wait and time out.

## Example
```python
from sqlalchemy.orm import sessionmaker

SessionLocal = sessionmaker()


def get_db():
    db = SessionLocal()  # error
    yield db
    db.close()
```

Use instead:
```python
from sqlalchemy.orm import sessionmaker

SessionLocal = sessionmaker()


def get_db():
    with SessionLocal() as db:
        yield db
```

## Fix safety
The session is opened in a `with`. That is safe where the generator closed it already when all went well; where nobody
closed it so far it is unsafe: who keeps objects of it will find them detached. One that `next()` gave is opened in a
`with` on the conditions of [SES101](session-not-closed.md).

## References
- [FastAPI: dependencies with yield](https://fastapi.tiangolo.com/tutorial/dependencies/dependencies-with-yield/)

## At run time
The guard sees the session that a dependency has left open. It does not see that a loop was left in its middle: the
event loop closes the generator a little later, as if nothing had been. What `next()` took out is SES101 to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_lint import fixes
from session_lint.analysis.dependencies import (
    Abandoned,
    Lending,
    Unclosed,
    abandoned,
    given,
    lendings,
    returned,
    taken_out,
)
from session_lint.analysis.leaks import left_open, owed, passed_over
from session_lint.analysis.trace import opened, step
from session_lint.finding import Severity
from session_lint.rule import Rule
from session_lint.wording import leak, named

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.analysis import ModuleFacts
    from session_lint.finding import Finding


def check(facts: ModuleFacts) -> Iterator[Finding]:
    """Sessions that generators leave open, those that dependencies return, and loops that leave such a generator."""
    for lending in lendings(facts):
        yield _lent(facts, lending)
    for unclosed in returned(facts):
        yield _returned(facts, unclosed)
    for call, code in given(facts):
        what = "that each request gets is never closed: its dependency is the factory itself"
        steps = [step(facts, call, "called for each request, and nobody closes")]
        yield rule.finding(facts, call, symbol=facts.symbol(code), trace=steps, session="session", what=what)
    for loop in abandoned(facts):
        line = getattr(loop.leaving, "lineno", 0)
        when = f"something raises at the yield on line {line}" if loop.raising else f"line {line} leaves the loop"
        yield _abandoned(facts, loop, f"when {when}, until the event loop ends its generator")
    for taken in taken_out(facts):
        yield _abandoned(facts, taken, "in its generator, until the event loop ends that")
    for obligation in owed(facts, taken_out=True):
        leaks = left_open(obligation) or passed_over(obligation)
        if leaks:
            last = "leaves here, still open" if leaks[0].normal else "the exception leaves, past the close"
            yield leak(rule, facts, obligation, leaks, last, what="is taken out of its generator and still open {}")


def _lent(facts: ModuleFacts, one: Lending) -> Finding:
    symbol = facts.symbol(one.code)
    what = "fixture" if one.fixture else "generator"
    last = "the generator ends here, still open" if one.never else "the exception leaves, past the close"
    where = "is never closed" if one.never else "is not closed when something raises"
    return rule.finding(
        facts,
        one.site.node,
        symbol=symbol,
        trace=facts.trace(one.ending, last),
        session=named(facts.variable(one.site.node, one.code)),
        severity=Severity.WARNING if one.fixture or one.ending.idle else Severity.ERROR,
        **fixes.lending_fix(facts, one),
        what=f"of {what} {symbol!r} {where}",
    )


def _returned(facts: ModuleFacts, one: Unclosed) -> Finding:
    symbol = facts.symbol(one.code)
    closed = [] if one.closed is None else [step(facts, one.closed, "closed as it is returned: its next use opens it")]
    what, each = ("fixture", "test") if one.fixture else ("dependency", "request")
    return rule.finding(
        facts,
        one.site.node,
        symbol=symbol,
        trace=[*opened(facts, one.site), *closed, step(facts, one.told, f"called for each {each}, and nobody closes")],
        session=named(facts.variable(one.site.node, one.code)),
        severity=Severity.WARNING if one.fixture else Severity.ERROR,
        what=f"that {what} {symbol!r} returns is never closed" + " once it is used" * bool(closed),
    )


def _abandoned(facts: ModuleFacts, loop: Abandoned, left: str) -> Finding:
    return rule.finding(
        facts,
        loop.call,
        symbol=facts.symbol(loop.code),
        trace=[step(facts, loop.call, "opened here"), step(facts, loop.leaving, "the generator stays suspended")],
        severity=Severity.WARNING,
        session="session",
        what=f"stays open {left}",
    )


rule = Rule(
    __name__,
    code="SES503",
    message="{session} {what}",
    severity=Severity.ERROR,
    check=check,
    fix=("manual_to_scope",),
)
