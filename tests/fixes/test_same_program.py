"""A safe fix leaves a program that writes the same, raises the same and returns the same, whatever fails in it."""

from __future__ import annotations

import ast
from itertools import islice
from typing import TYPE_CHECKING

import pytest

from session_lint.finding import Applicability, Finding
from session_lint.fixes import apply, edits, rewritten
from session_lint.source import Source
from tests.fixes.programs import programs
from tests.fixes.world import World
from tests.linting import lint

if TYPE_CHECKING:
    from collections.abc import Iterator

WANTED = 60


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One database for all programs."""
    made = World(tmp_path_factory.mktemp("world"))
    yield made
    made.close()


def safe(text: str) -> list[Finding]:
    """The findings of a text that have a safe fix."""
    return [f for f in lint(text) if f.fix is not None and f.fix.applicability is Applicability.SAFE]


def test_safe_fixes_change_nothing_that_is_written(world: World, request: pytest.FixtureRequest) -> None:
    """Every safe fix of the drawn programs, under every failure and every outcome of their tests."""
    wanted = int(request.config.getoption("--oracle-programs")) // 20
    fixable = ((text, found[0]) for text in programs() if (found := safe(text)))
    wrong = []
    for text, finding in islice(fixable, max(WANTED, wanted)):
        assert finding.fix is not None
        after = rewritten(Source("module.py", text), finding.fix)
        ast.parse(after)
        assert finding.code not in {f.code for f in safe(after)}, after
        assert apply(text, edits(Source("module.py", text), finding.fix)) == after
        if differences := world.differences(text, after):
            wrong.append("\n".join([finding.code, text, after, *differences[:3]]))
    assert not wrong, f"{len(wrong)} wrong\n" + "\n".join(wrong[:3])


def test_world_sees_a_wrong_fix(world: World) -> None:
    """A commit that moves behind an early return is noticed."""
    head = "from database.session import SessionLocal, scoped_session\n\n\ndef program(c1, c2):\n"
    body = "    session.add(Row(1))\n        if c1:\n            return 3\n"
    ending = "        session.commit()\n    finally:\n        session.close()\n"
    before = f"{head}    session = SessionLocal()\n    try:\n    {body}{ending}"
    after = f"{head}    with scoped_session() as session:\n    {body}"
    assert world.differences(before, after) != []
