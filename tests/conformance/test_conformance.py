"""The shapes of the list: the marks of each are held against what its runs prove, and the rules against its marks."""

from __future__ import annotations

import gc
import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from session_lint.finding import Severity
from tests.conformance.proof import Verdict, proof
from tests.linting import lint
from tests.rules.cases import Case, blocks

if TYPE_CHECKING:
    from collections.abc import Iterator

LEAKS = ("SES101", "SES102")
PAGE = Path(__file__).with_name("shapes.md")
SHAPES = list(blocks(PAGE))
NAMES = [shape.heading for shape in SHAPES]
_BEYOND = PAGE.read_text(encoding="utf-8").partition("\n## Beyond the rules\n")[0].count("\n") + 1
WITHIN = [shape for shape in SHAPES if shape.row < _BEYOND]
BEYOND = [shape for shape in SHAPES if shape.row > _BEYOND]


@pytest.fixture(autouse=True, scope="module")
def _quick_collection() -> Iterator[None]:
    """Nothing is collected but by the runs themselves."""
    gc.disable()
    yield
    gc.enable()


def marked(shape: Case) -> dict[int, Verdict]:
    """What the shape's own lines say."""
    return {one.row: (one.code, one.severity) for one in shape.expected}


def reported(shape: Case) -> dict[int, Verdict]:
    """What the rules say: all of leaks, and whatever else they call an error."""
    found = [f for f in lint(shape.text) if f.code in LEAKS or f.severity is Severity.ERROR]
    return {f.location.row: (f.code, f.severity.value) for f in found}


@pytest.mark.parametrize("shape", SHAPES, ids=NAMES)
def test_marks_are_what_runs_prove(shape: Case) -> None:
    """Each session that is lost is marked on one of the lines that open it, and each mark is of such a session."""
    marks = marked(shape)
    proven = proof(shape.text)
    assert proven, "no session was opened"
    lost = {chain: verdict for chain, verdict in proven.items() if verdict}
    unmarked = {chain: verdict for chain, verdict in lost.items() if verdict not in [marks.get(row) for row in chain]}
    unproven = {row: m for row, m in marks.items() if not any(row in chain and m == v for chain, v in lost.items())}
    assert ({}, {}) == (unmarked, unproven)


@pytest.mark.parametrize("shape", WITHIN, ids=[shape.heading for shape in WITHIN])
def test_rules_say_what_is_marked(shape: Case) -> None:
    """The same lines, codes and severities."""
    assert marked(shape) == reported(shape)


@pytest.mark.parametrize("shape", BEYOND, ids=[shape.heading for shape in BEYOND])
def test_rules_are_silent_beyond_themselves(shape: Case) -> None:
    """A shape that is reported at last has to move up; one of which something wrong is said has no excuse."""
    assert marked(shape)
    assert reported(shape) == {}


def test_none_is_missed_and_none_is_false() -> None:
    """The count over the list, but for what is beyond the rules."""
    count: Counter[str] = Counter()
    for shape in WITHIN:
        marks, found = marked(shape).items(), reported(shape).items()
        count.update(missed=len(marks - found), false=len(found - marks), right=len(marks & found))
    assert Counter(missed=0, false=0, right=sum(len(marked(shape)) for shape in WITHIN)) == count


def test_shapes_are_numbered_and_say_what_they_must() -> None:
    """One after the other, each with a sentence between its heading and its code."""
    numbers = [int(number) for number in re.findall(r"^### (\d+)\. ", PAGE.read_text(encoding="utf-8"), re.MULTILINE)]
    said = re.findall(r"^### \d+\. .*\n\n[A-Z`].*\.\n\n```python$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert list(range(1, len(SHAPES) + 1)) == numbers
    assert len(SHAPES) == len(said)
