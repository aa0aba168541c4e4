"""Functions that save what they are given in a session of their own: to their caller, that is expired and alone then.

``insert(card)`` leaves ``card`` as a scope leaves what is added in it, where the function always adds its parameter,
commits, and closes.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis.arguments import bind
from session_lint.analysis.ended import ended
from session_lint.analysis.expired import Held
from session_lint.analysis.fetching import is_plain
from session_lint.analysis.loading import new
from session_lint.flow import PointKind, build
from session_lint.python.nodes import own_of, path
from session_lint.python.scopes import BindingKind
from session_lint.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.analysis.module import Module
    from session_lint.flow import Code, Graph, Point
    from session_lint.python.scopes import FunctionNode


@dataclass(frozen=True, eq=False)
class Saved:
    """A parameter that a function saves.

    :param adding: the call by which the session gets it.
    :param ends: what commits and closes, each place with what is said of it.
    """

    parameter: str
    adding: ast.Call
    ends: tuple[tuple[ast.AST, str], ...]


def _saved(home: Module, function: FunctionNode) -> list[Saved]:
    """The parameters that a function saves in sessions which it commits and closes."""
    program = home.program
    return program.pending.ask(program.saving, function, lambda: [*_each_saved(home, function)])


def _each_saved(home: Module, function: FunctionNode) -> Iterator[Saved]:
    bindings = home.names.scopes.of[function].bindings
    for one, _ in ended(home.program.facts(home), function):
        for name, adding in one.added(home).items():
            mine = [b.kind for b in bindings.get(name, ())] == [BindingKind.PARAMETER]
            if mine and _always(home, adding, function) and one.saves(home, name):
                yield Saved(name, adding, one.ends_with())


def _always(module: Module, call: ast.Call, code: FunctionNode) -> bool:
    """Whether a call runs whenever a function ends normally: under no condition, and nothing returns before."""
    node: ast.AST = call
    while node is not code:
        below, node = node, module.parents[node]
        if isinstance(node, ast.Try) and below not in (*node.body, *node.finalbody):
            return False
        if not isinstance(node, (ast.Expr, ast.Await, ast.With, ast.AsyncWith, ast.Try)) and node is not code:
            return False
    return not any(n.lineno < call.lineno for n in own_of(code, ast.Return))


def saves(module: Module, code: Code) -> Iterator[tuple[ast.Call, Held, Graph, list[Point]]]:
    """The calls of a code that save an object which it has made, with that, its graph and where they stand in it."""
    scope = module.names.scopes.of[code]
    read = {n.value.id for n in own_of(code, ast.Attribute) if isinstance(n.value, ast.Name)}
    read |= {n.iter.id for n in own_of(code, ast.For, ast.comprehension) if isinstance(n.iter, ast.Name)}
    for call in module.calls_in(code) if read else ():
        values = [a.id for a in (*call.args, *(k.value for k in call.keywords)) if isinstance(a, ast.Name)]
        bound = {name: scope.bindings.get(name, []) for name in read.intersection(values)}
        made = {name: b[0].node for name, b in bound.items() if len(b) == 1 and isinstance(b[0].node, _MAKING)}
        for one, name in _saved_by(module, call) if made else ():
            what = new(module, made[name], scope, one.adding) if name in made else None
            if what is not None:
                graph = build(code, frozenset())
                points = [p for b in graph.blocks for p in b.points if p.kind is PointKind.CALL and p.node is call]
                yield call, Held(name, what, one.adding, one.ends), graph, points


_MAKING = (ast.Call, ast.ListComp, ast.List)


def _saved_by(module: Module, call: ast.Call) -> Iterator[tuple[Saved, str]]:
    """What the function that a call calls saves, each with the variable that is passed there."""
    callee = module.calls.callee(call)
    function = callee.function
    if function is None or not is_plain(module.at(callee), function):
        return
    home = module.at(callee)
    words = {c.func.attr for c in home.calls_in(function) if isinstance(c.func, ast.Attribute)}
    if words.isdisjoint(("add", "add_all")) or not home.concerned(function):
        return
    if isinstance(function, ast.AsyncFunctionDef) is not (call in module.names.scopes.awaited):
        return
    given = bind(call, function, bound=callee.bound)
    for one in _saved(home, function):
        argument = given.get(one.parameter)
        if argument is not None and path(argument):
            yield one, path(argument)
