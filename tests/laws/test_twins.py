"""Programs that mean the same are judged the same."""

from __future__ import annotations

import re

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.laws import twins
from tests.linting import lint
from tests.oracle import wild
from tests.oracle.judge import judged
from tests.oracle.program import HELPERS, Block, mentions, module
from tests.rules.cases import Case, cases

LEAKS = ("SES101", "SES102")
NEW_NAMES = ("db", "s", "_x", "database_session", "café", "conn", "session_", "value", "Session1")

blocks = st.builds(wild.program, st.just(99), st.integers(0, 100_000))
texts = blocks.map(module)
pages = st.sampled_from(list(cases()))
lawful = settings(max_examples=80, deadline=None, derandomize=True)

Seen = list[tuple[int, str, str]]


def seen(text: str, moved_by: int = 0, rows: tuple[int, ...] = ()) -> Seen:
    """Row, code and severity of the leaks in a module, as they would stand in its twin."""
    return [
        (twins.moved(found.location.row, rows) + moved_by, found.code, found.severity.value)
        for found in lint(text, LEAKS)
    ]


@lawful
@given(texts, st.sampled_from(["session", "other", "c1", "given", "program", "stack"]), st.sampled_from(NEW_NAMES))
def test_names_do_not_matter(text: str, name: str, new: str) -> None:
    """A variable under another name is the same variable."""
    assert seen(twins.renamed(text, name, new)) == seen(text)


@lawful
@given(blocks)
def test_a_condition_that_is_true_does_not_matter(block: Block) -> None:
    """``if True:`` around all of it."""
    assert seen(module(twins.in_a_condition(block))) == seen(module(block), moved_by=1)


@lawful
@given(blocks.filter(judged).map(module), st.sampled_from(list(twins.EXTRACTED)))
def test_a_statement_may_live_in_a_function(text: str, pattern: str) -> None:
    """A call of a function that does one thing does that thing; sessions are not used after they were closed."""
    assume(re.search(pattern, text))
    assert seen(twins.extracted(text, pattern)) == seen(text)


@lawful
@given(texts)
def test_a_function_may_be_a_method(text: str) -> None:
    """The same function inside a class."""
    assert seen(twins.as_method(text)) == seen(text, moved_by=1)


@lawful
@given(texts.filter(twins.can_be_asynchronous))
def test_asynchronous_sessions_are_sessions(text: str) -> None:
    """The same function with ``async`` and ``await``."""
    assert seen(twins.asynchronous(text)) == seen(text)


@lawful
@given(texts, texts)
def test_functions_do_not_disturb_each_other(first: str, second: str) -> None:
    """Two functions in one file."""
    assume(not any(mentions(first, name) and mentions(second, name) for name in HELPERS))
    below = len(twins.both(first, "").splitlines())
    assert seen(twins.both(first, second)) == seen(first) + seen(second, moved_by=below)


@lawful
@given(pages, st.data(), st.sampled_from(["", "# a comment", "        # indented at will", "\t"]))
def test_comments_and_blank_lines_do_not_matter(case: Case, data: st.DataObject, line: str) -> None:
    """More lines between statements move the findings and change nothing else."""
    above = data.draw(st.sets(st.sampled_from(twins.statement_rows(case.text)), max_size=8))
    twin = lint(twins.spaced(case.text, above, line), filename=case.filename)
    plain = lint(case.text, filename=case.filename)
    assert [(f.location.row, f.location.column, f.code, f.severity, f.symbol) for f in twin] == [
        (twins.moved(f.location.row, above), f.location.column, f.code, f.severity, f.symbol) for f in plain
    ]
