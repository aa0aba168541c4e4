"""What holds of every graph, on random programs, on awkward ones, and on code that real people wrote."""

from __future__ import annotations

import ast
import random
import sysconfig
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from session_lint.flow import Graph, build, render
from tests.flow.laws import broken, codes, size
from tests.flow.programs import Drawn, source

if TYPE_CHECKING:
    from collections.abc import Callable


@settings(settings.get_profile("drawn"))
@given(st.data())
def test_random_programs(data: st.DataObject) -> None:
    """They break no law, and building them twice gives the same."""
    code = _function(source(Drawn(lambda below: data.draw(st.integers(0, below - 1))).body(3)))
    graph = build(code)
    assert (broken(graph), render(graph)) == ([], render(build(code)))


def test_the_standard_library(pytestconfig: pytest.Config) -> None:
    """Every function of a sample of its files has a graph that breaks no law."""
    files = sorted(Path(sysconfig.get_paths()["stdlib"]).rglob("*.py"))
    files = [file for file in files if "site-packages" not in file.parts]
    most = pytestconfig.getoption("--library-files", default=300)
    if most:
        files = random.Random(0).sample(files, min(most, len(files)))
    found = {}
    built = 0
    for file in files:
        for graph in _graphs(file):
            built += 1
            if laws := broken(graph):
                found[file.name, graph.code] = laws
    assert (found, built > len(files)) == ({}, True)


def _graphs(file: Path) -> list[Graph]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about the file, which is not ours
        try:
            tree = ast.parse(file.read_bytes())
        except (SyntaxError, ValueError):
            return []  # the library holds a few that are no Python on purpose
    return [build(code) for code in codes(tree)]


def nested(head: str, tail: str, depth: int, inner: str = "t()") -> str:
    """A function with a statement inside itself, ``depth`` times."""
    heads = [" " * (level + 1) + head for level in range(depth)]
    tails = [" " * (level + 1) + line for level in reversed(range(depth)) for line in tail.split("\n") if tail]
    return "\n".join(["def f():", *heads, " " * (depth + 1) + inner, *tails])


def repeated(line: str, times: int) -> str:
    """A function of many such lines."""
    return "def f():\n" + "\n".join(f" {line}" for _ in range(times))


def _loops(depth: int) -> str:
    lines = ["def f():"]
    for level in range(depth):
        pad = " " * (2 * level + 1)
        lines += [f"{pad}while t():", f"{pad} try:"]
    lines.append(" " * (2 * depth + 1) + "t()")
    for level in reversed(range(depth)):
        pad = " " * (2 * level + 2)
        lines += [f"{pad} if t(): {way}" for way in ("continue", "break", "return")]
        lines += [f"{pad}finally:", f"{pad} t()"]
    return "\n".join(lines)


def _returns(ways: int) -> str:
    return nested("try:", "finally: t()", 5, "\n      ".join(f"if t({i}): return" for i in range(ways)))


GROWING: dict[str, tuple[Callable[[int], str], int, int]] = {
    "nested finally": (lambda n: nested("try:", "finally: t()", n), 18, 2),
    "nested finally left by return": (lambda n: nested("try:", "finally: t()", n, "if t(): return"), 18, 2),
    "nested with": (lambda n: nested("with m():", "", n, "if t(): return"), 18, 2),
    "nested handlers": (lambda n: nested("try:", "except A: t()", n), 18, 2),
    "nested loops with finally": (_loops, 8, 3),
    "one finally after the other": (lambda n: repeated("try: t()\n finally: t()", n), 400, 1),
    "many returns in a finally": (_returns, 400, 1),
    "many cases": (lambda n: "def f():\n match t():\n" + "\n".join(f"  case {i}: t()" for i in range(n)), 400, 1),
}


@pytest.mark.parametrize("name", GROWING)
def test_graphs_stay_small(name: str) -> None:
    """Twice the nesting is at most a fixed power of two times the blocks, and some for the rounding."""
    program, large, power = GROWING[name]
    assert size(program(large)) <= 1.25 * 2**power * size(program(large // 2))


AWKWARD = {
    "a chain of 800 elif": "def f():\n if t(): t()\n" + " elif t(): t()\n" * 800,
    "a chain of 800 calls": "def f():\n return x" + ".y(1)" * 800,
    "a sum of 900": "def f():\n return " + "+".join(["t()"] * 900),
    "90 nested ifs": nested("if t():", "", 90),
    "an empty module": "",
}


@pytest.mark.parametrize("name", AWKWARD)
def test_awkward(name: str) -> None:
    """Long chains are no deep recursion."""
    assert [broken(build(code)) for code in codes(ast.parse(AWKWARD[name]))] == [[]] * (2 if AWKWARD[name] else 1)


def _function(text: str) -> ast.FunctionDef:
    function = ast.parse(text).body[0]
    assert isinstance(function, ast.FunctionDef)
    return function
