"""A safe fix leaves a program that writes the same, raises the same and returns the same, whatever fails in it."""

from __future__ import annotations

import ast
import re
from itertools import islice
from typing import TYPE_CHECKING

import pytest

from session_lint.finding import Applicability, Finding
from session_lint.fixes import apply, edits, rewritten
from session_lint.source import Source
from tests.fixes.programs import DOCUMENTED, PROGRAM, programs
from tests.linting import lint

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fixes.world import World

FEW = 300
"""How many programs are rewritten in every run, at least; with ``--oracle-programs 20000`` it is ten times as many."""


def safe(text: str) -> list[Finding]:
    """The findings of a text that have a safe fix."""
    return [f for f in lint(text) if f.fix is not None and f.fix.applicability is Applicability.SAFE]


def fixable(*, asynchronous: bool) -> Iterator[tuple[str, Finding]]:
    """Programs that have a safe fix, with the first finding of each."""
    return ((text, found[0]) for text in programs(asynchronous=asynchronous) if (found := safe(text)))


def wrong(world: World, text: str, finding: Finding) -> str:
    """What a safe fix changes; empty where it changes nothing that it should not."""
    assert finding.fix is not None
    after = rewritten(Source("module.py", text), finding.fix)
    ast.parse(after)
    assert finding.code not in {f.code for f in safe(after)}, after
    assert apply(text, edits(Source("module.py", text), finding.fix)) == after
    differences = world.differences(text, after)
    return "\n".join([finding.code, text, after, *differences[:3]]) if differences else ""


def count(request: pytest.FixtureRequest) -> int:
    """How many programs are rewritten."""
    return max(FEW, int(request.config.getoption("--oracle-programs")) * 3 // 20)


def test_safe_fixes_change_nothing_that_is_written(world: World, request: pytest.FixtureRequest) -> None:
    """Every safe fix of the drawn programs, under every failure and every outcome of their tests."""
    drawn = islice(fixable(asynchronous=True), count(request))
    found = [problem for text, finding in drawn if (problem := wrong(world, text, finding))]
    assert not found, f"{len(found)} wrong\n" + "\n".join(found[:3])


def test_the_same_on_postgresql(postgres_world: World, request: pytest.FixtureRequest) -> None:
    """A server with real transactions says the same, of every fifth program."""
    drawn = islice(fixable(asynchronous=False), 0, count(request), 5)
    found = [problem for text, finding in drawn if (problem := wrong(postgres_world, text, finding))]
    assert not found, f"{len(found)} wrong\n" + "\n".join(found[:3])


OPENED = "    session = SessionLocal()\n"
GUARD = f"{OPENED}    try:\n        session.add(Row(1))\n"
CLAUSE = "    except Exception:\n        session.rollback()\n        raise\n"
END = "    finally:\n        session.close()\n"
ONE_LINE = {
    "an else": f"{GUARD}{CLAUSE}    else: session.add(Row(2)); session.commit()\n{END}",
    "an else with comments": (
        f"{GUARD}    except Exception: session.rollback(); raise  # one\n    # two\n"
        "    else:  # three\n        # four\n        session.commit()  # five\n        # six\n"
        "    finally: session.close()  # seven\n"
    ),
    "an else that only commits": f"{GUARD}{CLAUSE}    else: session.commit()  # one\n{END}",
    "a try": f"{OPENED}    try: session.add(Row(1)); session.commit()  # one\n{END}",
    "a line in a suite": f"{GUARD}        session.add(Row(2)); session.commit()  # one\n{END}",
    "a line with what ends it": f"{GUARD}        work(); session.commit(); return 3  # one\n{END}",
    "a branch": f"{GUARD}        if c1: work(); session.commit(); return 3  # one\n        session.commit()\n{END}",
    "branches": f"{GUARD}        if c1: session.commit()  # one\n        else: session.commit()\n{END}",
}


@pytest.mark.parametrize("body", ONE_LINE.values(), ids=ONE_LINE)
def test_suites_on_one_line(world: World, body: str) -> None:
    """Nothing that stays is lost with what goes, nor a comment."""
    text = f"{DOCUMENTED}{PROGRAM}{body}"
    (finding,) = safe(text)
    assert wrong(world, text, finding) == ""
    assert finding.fix is not None
    after = rewritten(Source("module.py", text), finding.fix)
    assert "    with scoped_session() as session:\n" in after
    assert re.findall(r"#.*", after) == re.findall(r"#.*", text)
    assert "commit" not in after


@pytest.mark.parametrize(
    ("body", "after"),
    [
        ("if c1:\n            return 3", "if c1:\n            return 3"),
        ("row = find(session)", "row = find(session)\n        row.value = 7"),
    ],
    ids=["an early return", "one more write"],
)
def test_world_sees_a_wrong_fix(world: World, body: str, after: str) -> None:
    """A commit that moves behind an early return is noticed, and a row that is changed."""
    before = (
        f"{DOCUMENTED}{PROGRAM}    session = SessionLocal()\n    try:\n        session.add(Row(1))\n        {body}\n"
        "        session.commit()\n    finally:\n        session.close()\n"
    )
    head = DOCUMENTED.replace("SessionLocal", "scoped_session")
    rewrite = f"{head}{PROGRAM}    with scoped_session() as session:\n        session.add(Row(1))\n        {after}\n"
    assert world.differences(before, rewrite) != []
