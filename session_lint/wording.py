"""The phrases that the rules share, and the finding of a leak, which two of them report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_lint import fixes
from session_lint.analysis.trace import line, step
from session_lint.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from session_lint.analysis import Ending, ModuleFacts, Obligation
    from session_lint.analysis.half_removed import HalfRemoved
    from session_lint.finding import Finding
    from session_lint.rule import Rule


def named(name: str, what: str = "session") -> str:
    """``session 'db'``, or ``the session opened here`` for one without a name."""
    return f"{what} {name!r}" if name else f"the {what} opened here"


def closing_words(facts: ModuleFacts, ending: Ending) -> str:
    """Where a way ends with the session open: ``when line 14 raises``, ``at the end of 'main'``."""
    node = facts.end_node(ending)
    where = line(facts, node)
    if ending.dropped is not None:
        again = ending.fact.site is not None and where == line(facts, ending.fact.site.node)
        return f"when {where} opens the next one" if again else f"when {where} lets go of it"
    if ending.fact.flying is not None:
        return f"when {where} raises"
    if type(node).__name__ == "Return":
        return f"when {where} returns"
    symbol = facts.symbol(ending.solved.code)
    return f"at the end of {symbol!r}" if symbol else "at the end of the module"


def of_registry(rule: Rule, facts: ModuleFacts, one: HalfRemoved, last: str) -> Finding:
    """The finding of a session that some ways of a function leave open: a registry's, or one of nobody knows what.

    :param last: what happens at the end of such a way.
    """
    return rule.finding(
        facts,
        one.asked,
        symbol=facts.symbol(one.code),
        trace=[
            step(facts, one.asked, f"{'a session' if one.new else 'the session of the thread'} is asked for here"),
            step(facts, facts.end_node(one.ending), last),
        ],
        severity=Severity.WARNING,
        session=named(one.name),
        where=closing_words(facts, one.ending),
    )


def leak(
    rule: Rule, facts: ModuleFacts, obligation: Obligation, leaks: Sequence[Ending], last: str, what: str = ""
) -> Finding:
    """The finding of an acquire site whose session some ways leave open.

    It tells the first way on which a connection is out, and is a warning where there is none.

    :param last: what is wrong at the end of that way, for the trace.
    :param what: what the message says of the session, with ``{}`` for where it is still open, if that is not all.
    """
    worst = next((ending for ending in leaks if not ending.idle), leaks[0])
    where = closing_words(facts, worst)
    words: dict[str, object] = {"what": what.format(where)} if what else {"where": where}
    return rule.finding(
        facts,
        obligation.site.node,
        symbol=obligation.symbol,
        trace=facts.trace(worst, "the last name of the open session goes here" if worst.dropped else last),
        severity=Severity.WARNING if worst.idle else Severity.ERROR,
        **fixes.fix_or_refusal(facts, obligation),
        session=named(obligation.name),
        **words,  # type: ignore[arg-type]  # of the message
    )
