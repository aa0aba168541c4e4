"""Which tests may still be asked at a point of a function."""

from __future__ import annotations

import ast

import pytest

from session_lint.analysis.guards import BOUND, call_value
from session_lint.analysis.liveness import Liveness
from session_lint.flow import build

ALL = frozenset({("own", True), ("mode == 'w'", False), ("self.ready", True), (BOUND + "x", True), ("a == b", True)})


def living(body: str, at: str, *, told: bool = False, given: str = "given") -> set[str]:
    """The atoms of ``ALL`` that are live where a function calls ``at``."""
    code = ast.parse(f"def work({given}):\n" + "".join(f"    {line}\n" for line in body.splitlines())).body[0]
    assert isinstance(code, ast.FunctionDef)
    graph = build(code)
    there = next(
        b for b in graph.blocks for p in b.points if isinstance(p.node, ast.Call) and ast.unparse(p.node) == at
    )
    return {text for text, _ in Liveness(graph, told=told).living(there, ALL)}


@pytest.mark.parametrize(
    ("body", "live"),
    [
        pytest.param("if own:\n    first()\nhere()", set(), id="asked before"),
        pytest.param("here()\nif own:\n    last()", {"own"}, id="asked afterwards"),
        pytest.param("here()\nwhile mode == 'r' and not own:\n    last()", {"own", "mode == 'w'"}, id="another test"),
        pytest.param("for x in y:\n    if own:\n        first()\n    here()", {"own"}, id="in the next turn"),
        pytest.param("here()\nlast(own)", {"own"}, id="an argument"),
        pytest.param("here()\nlast(mode=mode)", {"mode == 'w'"}, id="an argument by name"),
        pytest.param("here()\nkept = own", {"own"}, id="a value that is kept"),
        pytest.param("here()\nif self.ready:\n    last()", {"self.ready"}, id="a field"),
        pytest.param("here()\nif self.other:\n    last()", set(), id="another field"),
        pytest.param("here()\nif 'x' in locals():\n    last()", {BOUND + "x"}, id="whether a variable is there"),
        pytest.param("here()\nif a == c:\n    last()", set(), id="half of a test"),
        pytest.param("here()\nif a == b:\n    last()", {"a == b"}, id="all of a test"),
        pytest.param("def inner():\n    return own\nif mode:\n    first()\nhere()", {"own"}, id="a function inside"),
        pytest.param("if own:\n    return here()\nif mode:\n    last()", set(), id="on another way"),
        pytest.param("here()\nassert own", {"own"}, id="an assertion"),
        pytest.param("here()\nreturn 1 if own else 2", {"own"}, id="a conditional expression"),
    ],
)
def test_what_is_live(body: str, live: set[str]) -> None:
    """What may be asked from there on, and nothing else."""
    assert living(body, "here()") == live


def test_callers_are_told_of_parameters() -> None:
    """Where they are told at all."""
    body = "if own:\n    first()\nhere()"
    assert living(body, "here()", told=True, given="own") == {"own"}
    assert living(body, "here()", told=False, given="own") == set()


@pytest.mark.parametrize(
    ("body", "where"),
    [
        pytest.param("x = f()\ny = 1\ng()", [["x", "y = 1", "y", "g()", "g()"]], id="bound"),
        pytest.param("if f():\n    g()", [[]], id="tested"),
        pytest.param("while f() is None:\n    g()", [[]], id="tested for None"),
        pytest.param("return f()", [["return f()"]], id="returned"),
        pytest.param("f()\ng()", [], id="let go"),
    ],
)
def test_the_value_of_a_call_lives_where_it_is_taken(body: str, where: list[list[str]]) -> None:
    """It is bound, tested or returned in the block behind the call, and gone in those that follow."""
    code = ast.parse("def work():\n" + "".join(f"    {line}\n" for line in body.splitlines())).body[0]
    call = next(n for n in ast.walk(code) if isinstance(n, ast.Call) and ast.unparse(n) == "f()")
    graph = build(code)  # type: ignore[arg-type]  # a function
    known = frozenset({(call_value(call), True)})
    kept = [b for b in graph.blocks if Liveness(graph, told=False).living(b, known)]
    assert [[ast.unparse(p.node) for p in b.points] for b in kept] == where
