"""Modules that mean the same are judged the same, whatever functions and classes stand around the program."""

from __future__ import annotations

import ast

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.laws import reworked
from tests.linting import lint
from tests.oracle import company
from tests.oracle.judge import judged
from tests.oracle.program import module

LEAKS = ("SES101", "SES102")

blocks = st.builds(company.program, st.just(77), st.integers(0, 100_000))
texts = blocks.map(module)
lawful = settings(settings.get_profile("drawn"))
"""As many programs in all as the oracle is asked for."""


def places(text: str) -> list[reworked.Place]:
    """What a module is told, by number of definition and line of it."""
    return reworked.places(text, lint(text, LEAKS))


def rows(text: str, above: int = 0, by: int = 0) -> list[tuple[int, str, str]]:
    """What a module is told, as it would stand where the rows from ``above`` on are ``by`` further down."""
    found = [(f.location.row, f.code, f.severity.value) for f in lint(text, LEAKS)]
    return [(row + by if above and row >= above else row, *rest) for row, *rest in found]  # type: ignore[misc]


@lawful
@given(texts)
def test_no_verdict_hangs_on_a_name(text: str) -> None:
    """All functions, classes and variables of the module under other names."""
    assert places(reworked.renamed(text)) == places(text)


@lawful
@given(texts)
def test_a_function_that_nobody_calls_changes_nothing(text: str) -> None:
    """One that uses the same names for other things."""
    assert rows(text + reworked.UNRELATED) == rows(text)


@lawful
@given(texts, st.data())
def test_a_statement_may_stand_under_a_condition_that_is_true(text: str, data: st.DataObject) -> None:
    """``if True:`` around some statements of the program."""
    run = data.draw(st.sampled_from(reworked.runs(text, 3)))
    assert rows(reworked.under(text, run, "if True:")) == rows(text, above=run.first, by=1)


@lawful
@given(texts, st.data())
def test_with_two_managers_is_two_withs(text: str, data: st.DataObject) -> None:
    """One more manager: in the same ``with``, or in one around it."""
    withs = [run for run in reworked.runs(text, 1) if isinstance(run.nodes[0], ast.With)]
    assume(withs)
    run = data.draw(st.sampled_from(withs))
    manager = data.draw(st.sampled_from(["suppress(KeyError)", "suppress(ValueError)", "Session()", "foreign()"]))
    nested, joined = reworked.under(text, run, f"with {manager}:"), reworked.joined(text, run, manager)
    assert rows(nested) == rows(joined, above=run.first + 1, by=1)


@lawful
@given(blocks.filter(judged).map(module), st.data())
def test_statements_may_move_into_a_function(text: str, data: st.DataObject) -> None:
    """A function of its own for some statements, which gets what they speak of."""
    movable = [run for run in reworked.runs(text, 3) if reworked.movable(run)]
    assume(movable)
    run = data.draw(st.sampled_from(movable))
    assert rows(reworked.extracted(text, run)) == rows(text, above=run.last, by=run.first - run.last)
