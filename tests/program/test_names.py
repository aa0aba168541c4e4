"""What a name stands for, whoever asks first."""

from __future__ import annotations

import ast

from session_lint.python.names import REMEMBERING, Names
from session_lint.vocabulary import Role
from session_lint.vocabulary.tables import builtin

LONG = 12
TEXT = "from sqlalchemy.orm import sessionmaker\nv0 = sessionmaker()\n" + "".join(
    f"def make{n}() -> object:\n    return v{n - 1}\nv{n} = make{n}()\n" for n in range(1, LONG)
)


def answers(order: list[int]) -> dict[int, frozenset[str]]:
    """What each variable of the text stands for, asked in this order."""
    names = Names(ast.parse(TEXT), "chain")
    return {n: names.qualify(ast.Name(f"v{n}", ast.Load()), names.scopes.module) for n in order}


def test_a_long_way_is_the_same_from_both_ends() -> None:
    """An answer that was cut short for its distance from the question is not kept for others."""
    expected = dict.fromkeys(range(LONG), frozenset({"sqlalchemy.orm.sessionmaker()"}))
    assert expected == answers([*range(LONG)])
    assert expected == answers([*reversed(range(LONG))])


def test_an_annotation_that_says_nothing() -> None:
    """``Any`` and ``object`` are not what a value is."""
    tree = ast.parse("from typing import Any\ndef f(a: Any, b: object, c: int): return a, b, c")
    names = Names(tree, "anything")
    inner = names.scopes.of[tree.body[1]]
    found = [names.qualify(ast.Name(name, ast.Load()), inner) for name in "abc"]
    assert [frozenset(), frozenset(), frozenset({"builtins.int()"})] == found


def test_circles_end() -> None:
    """Variables and functions that come from one another stand for nothing."""
    tree = ast.parse("def f(): return x\ndef g(): return f()\nx = g()\ny = x")
    names = Names(tree, "circle")
    assert not names.qualify(ast.Name("y", ast.Load()), names.scopes.module) - {"circle.f()", "circle.g()"}


def test_what_remembers_is_memoised() -> None:
    """The decorators under which a function still gives what it returns are some of those that the tables know."""
    meanings = {name: builtin().meaning(name) for name in REMEMBERING}
    assert [] == [name for name, meaning in meanings.items() if meaning is None or meaning.role is not Role.MEMOISED]
