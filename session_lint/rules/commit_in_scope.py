"""`commit()` inside a scope that commits by itself.

## What it does
Reports `commit()` on the session of a committing scope (`scoped_session()` of the reference module,
`sessionmaker.begin()`, `with session.begin()`, a `@contextmanager` function that commits), in the block itself or in
a function of the module that the block calls; there the finding stands at the `commit()`, and the trace names the
scope. An object that opens a session as it is entered and commits it as it is left is a scope, too; what its own method
commits last is what that method is for, and not reported.

It is a warning where the commit is the last database operation on its way: redundant, or, where a clause of the block
waits for its errors, for those alone, most of which a `flush()` brings on as well. It is an error where an
operation follows. `with Session() as session:` does not commit; its `commit()` is needed and not reported.

## Why is this bad?
The point of the scope is all or nothing. A commit in the middle splits it: when something fails later, the first half
stays. In `begin()` blocks the next operation raises `InvalidRequestError`.

## Example
```python
from database.session import scoped_session


def create(series):
    with scoped_session() as session:
        session.add(series)
        session.commit()  # error
```

Use instead:
```python
from database.session import scoped_session


def create(series):
    with scoped_session() as session:
        session.add(series)
```

## Fix safety
Deleting the line is safe where the commit is the last statement of the block, and the scope commits at once behind it:
not where a scope of the project's own publishes something first, or passes on the errors of its commit as they are, and
those of the block as something else. A commit that splits becomes a
`flush()`, which is unsafe: what was saved by then would be rolled back when something fails later in the scope. So
does one before something that may read what it writes (`return user.id`), or whose errors an `except` catches.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_lint import fixes
from session_lint.analysis.scopes import Use, awaiting, committed_in_scope
from session_lint.analysis.trace import is_placed, line, step
from session_lint.finding import Severity
from session_lint.rule import Rule
from session_lint.wording import named

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.analysis import ModuleFacts
    from session_lint.finding import Finding


def check(facts: ModuleFacts) -> Iterator[Finding]:
    """One finding for each commit that reaches the end of its scope, or is followed by more work in it."""
    for use in committed_in_scope(facts):
        yield _finding(facts, use)


def _finding(facts: ModuleFacts, use: Use) -> Finding:
    steps = [*use.trace(facts), step(facts, use.node, "committed here")]
    if use.after is not None and is_placed(use.after):
        steps.append(
            step(
                facts,
                use.after,
                "raises InvalidRequestError here" if use.raises else "this is another transaction",
            )
        )
    return rule.finding(
        facts,
        use.node,
        symbol=facts.symbol(facts.code_at(use.node)),
        trace=steps,
        severity=Severity.WARNING if use.after is None else Severity.ERROR,
        **(fixes.redundant(facts, use) if use.after is None else {"fix": fixes.splitting(facts, use)}),
        session=named(use.name),
        what=_what(facts, use),
    )


def _what(facts: ModuleFacts, use: Use) -> str:
    if use.after is None:
        clause = awaiting(facts, use)
        if clause is None:
            return "is redundant, the scope commits by itself"
        return (
            f"comes before the scope's own for the errors that {line(facts, clause)} catches, a flush() brings on most"
        )
    where = line(facts, use.after)
    return (
        f"makes {where} raise InvalidRequestError"
        if use.raises
        else f"splits the scope's transaction, {where} continues in another one"
    )


rule = Rule(
    __name__,
    code="SES301",
    message="commit() on {session} {what}",
    severity=Severity.WARNING,
    check=check,
    fix=("drop_statement", "commit_to_flush"),
)
