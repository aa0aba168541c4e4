"""Compact trees say what the trees say that they were made of, in less memory."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

import session_lint
from session_lint.python.nodes import own_of
from session_lint.python.scopes import below, children
from session_lint.python.trees import compact, kind_of, with_compact

_FILES = sorted(Path(session_lint.__file__).parent.rglob("*.py"))
_PROGRAM = """
@decorated
async def work(a: int = 1, *rest, key=None, **options) -> None:
    global total
    total = {**options, "a": [x async for x in rest if x]}
    async with lock as held, other: pass
    try:
        for i, in rest: total[i:] += f"{i!r:>{key}}"
    except (ValueError, KeyError) as error:
        raise RuntimeError from error
    else:
        del total
    match a:
        case [1, *others] | {"x": None, **others}: yield
        case Kind(b, c=2) as d if not (a < b <= c): return lambda y, /: (yield)
    while (n := await work()) or a: assert n, "message"
import os.path as p, sys
from . import x as y
class Kind(Base, metaclass=Meta):
    "its words"
    field: list[int] = []
    nonlocal_ = -1 if field else ...
"""


@pytest.mark.parametrize(
    "text", [_PROGRAM, "", 'ünï = u"x" + "ü"', *(path.read_text("utf-8") for path in _FILES[::12])]
)
def test_nothing_is_lost(text: str) -> None:
    plain, made = ast.parse(text), compact(ast.parse(text))
    assert ast.unparse(made) == ast.unparse(plain)
    nodes = list(zip(ast.walk(plain), ast.walk(made), strict=True))
    for one, other in nodes:
        assert kind_of(other) is type(one)
        assert isinstance(other, type(one))
        assert other._fields == one._fields
        assert [n for n, v in ast.iter_fields(other) if v] == [n for n, v in ast.iter_fields(one) if v]
        assert [getattr(other, p, None) for p in one._attributes] == [getattr(one, p, None) for p in one._attributes]
    assert [kind_of(n) for n in below(made)] == [type(n) for n in below(plain)]


def test_no_node_has_a_dictionary() -> None:
    tree = compact(ast.parse(_PROGRAM))
    marks = (ast.expr_context, ast.operator, ast.unaryop, ast.cmpop, ast.boolop)
    nodes = [node for node in ast.walk(tree) if node is not tree and not isinstance(node, marks)]
    assert len({kind_of(node) for node in nodes}) > 50
    assert all(sys.getsizeof(node) <= 152 and not node.__dict__ for node in nodes)


def test_nodes_are_asked_for_by_their_kind_in_either_tree() -> None:
    for tree in (ast.parse(_PROGRAM), compact(ast.parse(_PROGRAM))):
        assert [n.name for n in own_of(tree, ast.ClassDef)] == ["Kind"]
        (work,) = own_of(tree, ast.AsyncFunctionDef)
        assert len(own_of(work, ast.Await)) == 1
        assert not own_of(work, ast.AnnAssign)
        assert any(isinstance(child, ast.arguments) for child in children(work))
        assert type(work) in with_compact([ast.AsyncFunctionDef])


def test_what_is_nested_too_deeply_stays_a_tree() -> None:
    text = f"x = {'+'.join('ab' * 600)}\ny = 1\n"
    tree = compact(ast.parse(text))
    assert [n.id for n in below(tree) if isinstance(n, ast.Name)].count("a") == 600
    assert isinstance(tree.body[1], ast.Assign)
