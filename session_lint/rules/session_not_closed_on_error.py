"""A session that is closed, but not when something raises before.

## What it does
Reports a session that every normal way closes, where something between the opening and the closing may raise and the
exception leaves the code past the `close()`.

What may raise: database operations, calls that cannot be followed, `raise` and `assert`; a function of the module as
its body says. Attribute reads, comparisons, arithmetic and logging are taken not to. Exceptions that only end the
program (`KeyboardInterrupt`, `SystemExit`) never make a finding. Where the session cannot hold a connection when it
is lost, never used or idle after a commit, the finding is a warning.

The session of a registry (`scoped_session`) counts, as a warning, where a function asks for it and closes or removes it
on its normal ways, or leaves them with a commit, those aside that begin with a caught exception, and nothing else
removes it: no teardown, hook or wrapper. Who asks for it next in the same thread gets what the exception has left. So
does what a call gives of which nobody knows what it calls (`session = self.session_factory()`, a getter of a module
that nobody has read), where the function uses it as a session and closes it itself.

A session in a field (`request.state.db`) counts where the function that puts it there closes it on each of its normal
ways, and nobody else in the project closes it. So does one that a class opens for a field and that only its `__exit__`
closes: where the block has completed but not where it raises, or past a commit that may raise.

## Why is this bad?
The way with the exception is the one that nobody tries. Each failed request or job leaves one connection out of the
pool until the process stops answering.

## Example
```python
from sqlalchemy.orm import sessionmaker

SessionLocal = sessionmaker()


def rename(user_id, name, users):
    session = SessionLocal()  # error
    session.get(users, user_id).name = name
    session.commit()
    session.close()
```

Use instead:
```python
from sqlalchemy.orm import sessionmaker

SessionLocal = sessionmaker()


def rename(user_id, name, users):
    with SessionLocal.begin() as session:
        session.get(users, user_id).name = name
```

## Fix safety
The fix is safe where the rewritten program provably writes the same; else it is offered as unsafe, or refused with
the reason.

## References
- [SQLAlchemy: when do I construct a session, when do I commit it, and when do I close
it](https://docs.sqlalchemy.org/en/20/orm/session_basics.html#session-faq-whentocreate)

## At run time
The guard knows that an error of the database came before, or that an exception has ended the test, the thread or the
process. After any other it reports SES101.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_lint.analysis.leaks import owed, passed_over
from session_lint.analysis.trace import step
from session_lint.finding import Severity
from session_lint.rule import Rule
from session_lint.wording import closing_words, leak, named, of_registry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.analysis import ModuleFacts
    from session_lint.analysis.facts import Ending
    from session_lint.finding import Finding


def check(facts: ModuleFacts) -> Iterator[Finding]:
    """One finding for each acquire site that every normal way closes and some exceptional way does not."""
    for obligation in owed(facts):
        leaks = passed_over(obligation)
        if leaks and obligation.site.node not in [one.call for one in facts.starting]:  # SES604 tells of these
            yield leak(rule, facts, obligation, leaks, "the exception leaves, past the close")
    if any(one.managed or one.asked for one in facts.borrowed):
        yield from _of_registries(facts)
    if "__exit__" in facts.source.text or "__aexit__" in facts.source.text:
        yield from _of_managers(facts)


def _of_registries(facts: ModuleFacts) -> Iterator[Finding]:
    from session_lint.analysis.half_removed import half_removed  # noqa: PLC0415  (few modules have registries)

    for one in half_removed(facts):
        if not one.plain:  # SES101 tells of the others
            yield of_registry(rule, facts, one, _past(one.ending))


def _of_managers(facts: ModuleFacts) -> Iterator[Finding]:
    from session_lint.analysis.half_left import half_left  # noqa: PLC0415  (few classes are context managers)

    for one in half_left(facts):
        raises = one.ending.fact.flying is not None
        block = "when the block of its 'with' has raised" if one.thrown else "when the block of its 'with' is done"
        last = "this may raise: the exception leaves, past the close" if raises else f"not closed {block}"
        yield rule.finding(
            facts,
            one.opening,
            symbol=facts.symbol(one.code),
            trace=[
                step(facts, one.opening, f"opened here for {one.field!r}"),
                step(facts, facts.end_node(one.ending) if raises else one.leave, last),
            ],
            session=named(one.field),
            where=closing_words(facts, one.ending) if raises else block,
        )


def _past(ending: Ending) -> str:
    if ending.fact.flying is None:
        return "an exception is caught, and this way leads past the close"
    return "this may raise: the exception leaves, past the close"


rule = Rule(
    __name__,
    code="SES102",
    message="{session} is still open {where}",
    severity=Severity.ERROR,
    check=check,
    fix=("manual_to_scope",),
)
