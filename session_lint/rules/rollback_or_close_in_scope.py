"""`rollback()` or `close()` inside a scope that does both by itself.

## What it does
Reports `rollback()`, `close()` or `remove()` on the session of a scope, in the block or in a function of the module
that it calls. Savepoints (`begin_nested()`) have a life of their own and are not reported; nor is a helper that rolls
back and gives the error back: the scope does the same, and other callers may have none.

A `rollback()` after which the block ends as if nothing had happened, in an `except` that returns, say, takes back what
the scope is there to commit. Where a part may fail, it belongs into a savepoint; where all is to be taken back, an
exception that leaves the block says so, and the scope rolls back by itself.

## Why is this bad?
What was written before the line is lost, and what comes after it is committed: half of the block. On an exception the
scope rolls back anyway, and it always closes.

## Example
```python
from database.session import scoped_session


def replace(old, new):
    with scoped_session() as session:
        session.delete(old)
        session.rollback()  # error
        session.add(new)
```

Use instead:
```python
from database.session import scoped_session


def replace(old, new):
    with scoped_session() as session:
        with session.begin_nested():
            session.delete(old)
        session.add(new)
```

## Fix safety
Where the call is the last statement of the block it can be deleted, which is unsafe: a scope then commits what the
call throws away now. Anywhere else it is for the author to judge.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint import fixes
from session_lint.analysis.scopes import ended_in_scope
from session_lint.analysis.trace import step
from session_lint.finding import Severity
from session_lint.rule import Rule
from session_lint.wording import named

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.analysis import ModuleFacts
    from session_lint.finding import Finding


def check(facts: ModuleFacts) -> Iterator[Finding]:
    """One finding for each rollback or close by hand in a scope."""
    for use in ended_in_scope(facts):
        method = (
            use.node.func.attr
            if isinstance(use.node, ast.Call) and isinstance(use.node.func, ast.Attribute)
            else "close"
        )
        yield rule.finding(
            facts,
            use.node,
            symbol=facts.symbol(facts.code_at(use.node)),
            trace=[*use.trace(facts), step(facts, use.node, f"{method}() by hand")],
            fix=fixes.superfluous(facts, use),
            method=method,
            session=named(use.name),
            what="takes back what the scope is there to commit"
            if use.undoes
            else "interferes with the scope, which rolls back and closes by itself",
        )


rule = Rule(
    __name__,
    code="SES302",
    message="{method}() on {session} {what}",
    severity=Severity.WARNING,
    check=check,
    fix=("drop_statement",),
)
