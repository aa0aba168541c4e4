"""What happened to a session on a way, as far as it still matters."""

from __future__ import annotations

import ast

from session_lint.analysis.lifecycle import apart, essential
from session_lint.analysis.state import Mark

A, B, USE = ast.Pass(), ast.Pass(), ast.Pass()
"""Two clauses, and a use of the session."""


def test_clauses_that_passed_over_failures_are_told_apart() -> None:
    """One way for each, with what came of it; what else happened is on all of them."""
    other = Mark("begun", USE)
    passed = {Mark("failed", A, USE), Mark("stale", A, USE), Mark("failed", B, USE)}
    found = apart(frozenset(passed | {other}))
    assert sorted(found, key=len) == [
        {Mark("failed", B, USE), other},
        {Mark("failed", A, USE), Mark("stale", A, USE), other},
    ]


def test_one_clause_stays_as_it_is() -> None:
    """And so does a way without any."""
    for marks in (frozenset({Mark("failed", A, USE), Mark("stale", A, USE)}), frozenset({Mark("closed", A)})):
        assert apart(marks) == [marks]


def test_of_somebody_elses_session_it_is_enough_that_a_transaction_ended() -> None:
    """However it did, and whatever was written or used after that."""
    marks = [Mark("committed"), Mark("ended", A), Mark("closed", A), Mark("exposed"), Mark("lost", A, B)]
    assert essential(frozenset(marks)) == {Mark("ended")}
    assert essential(frozenset({Mark("lost", A, B), Mark("commit", A), Mark("split", A, B)})) == frozenset()


def test_what_may_still_be_told_is_kept() -> None:
    """A failure that waits for its clause, one that was passed over, the use after it, and what a block began."""
    marks = frozenset(
        {Mark("failing", A), Mark("failed", B, USE), Mark("stale", B, USE), Mark("begun", A), Mark("yielded")}
    )
    assert essential(marks) == marks


def test_a_use_after_a_failure_is_told_once() -> None:
    """After the rollback nothing hangs on it any more."""
    assert essential(frozenset({Mark("stale", A, USE), Mark("ended", B)})) == {Mark("ended")}
