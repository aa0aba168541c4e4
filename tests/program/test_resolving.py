"""Conditions under which a function ends in one way, said with fewer words."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from session_lint.analysis.guards import assume
from session_lint.analysis.resolving import resolve

TEXTS = ("own", "mode == 'w'", "session", "session is None")
Conditions = frozenset[tuple[str, bool]]


def told(*texts: str) -> Conditions:
    """Conditions as they are told: ``not own``; with what follows from each."""
    found: Conditions | None = frozenset()
    for text in texts:
        assert found is not None
        found = assume(found, text.removeprefix("not "), not text.startswith("not "))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("ways", "fewer"),
    [
        pytest.param([("own",), ("not own",)], [()], id="either way"),
        pytest.param([("own",), ("not own", "x"), ("not own", "not x")], [()], id="a chain of elif"),
        pytest.param([("own",), ("own", "x")], [("own",)], id="one covers the other"),
        pytest.param([("session is None",), ("not session is None",)], [()], id="none or not"),
        pytest.param(
            [("session is None", "own"), ("session", "own")],
            [("session is None", "own"), ("session", "own")],
            id="neither none nor true",
        ),
        pytest.param([("own", "x"), ("not own", "y")], [("own", "x"), ("not own", "y")], id="each with its own"),
        pytest.param([("own", "x"), ("not own",)], [("own", "x"), ("not own",)], id="one of them narrower"),
        pytest.param([("own",)], [("own",)], id="one way"),
        pytest.param([], [], id="no way"),
    ],
)
def test_ways(ways: list[tuple[str, ...]], fewer: list[tuple[str, ...]]) -> None:
    """What is left of them, in the order of the first."""
    assert resolve(told(*one) for one in ways) == [told(*one) for one in fewer]


def _worlds() -> list[Conditions]:
    """All ways in which the tests can come out: what is ``None`` is not true."""
    found = [frozenset(zip(TEXTS, values, strict=True)) for values in product((True, False), repeat=len(TEXTS))]
    return [world for world in found if not {("session", True), ("session is None", True)} <= world]


@given(
    st.lists(
        st.dictionaries(st.sampled_from(TEXTS), st.booleans()).map(
            lambda d: [f"{'' if v else 'not '}{t}" for t, v in d.items()]
        ),
        max_size=6,
    )
)
def test_nothing_is_lost_and_nothing_invented(ways: list[list[str]]) -> None:
    """However the tests come out, one of the fewer sets holds just where one of the given ones does."""
    possible = []
    for one in ways:
        try:
            possible.append(told(*one))
        except AssertionError:
            continue  # it contradicts itself
    fewer = resolve(possible)
    assert len(fewer) <= len(possible)
    for world in _worlds():
        assert any(one <= world for one in fewer) == any(one <= world for one in possible)
