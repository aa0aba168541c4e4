"""Functions that keep an object which they are given and that has a session inside, or may close it.

``super().__init__(Repository(Session()))`` puts the object into a field, ``finish(repository)`` may call its
``close()``: then the session is no longer the caller's affair. As far as the text of the function tells, and those that
it passes the object on to.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis.arguments import bind
from session_lint.analysis.holding import Hold, held, releasing
from session_lint.python.nodes import own_nodes
from session_lint.python.remembered import remembered
from session_lint.python.scopes import below

if TYPE_CHECKING:
    from session_lint.analysis.calls import Callee
    from session_lint.analysis.module import Module
    from session_lint.analysis.state import Fact
    from session_lint.python.scopes import FunctionNode

_DEEPEST = 3
"""How many functions may pass the object on."""
_PASSING_ON = (ast.BoolOp, ast.IfExp, ast.NamedExpr, ast.Await, ast.Starred)
"""Expressions that may have the value of one of their parts."""
_KEEPING = (ast.Assign, ast.AnnAssign, ast.Return, ast.Yield, ast.YieldFrom, ast.withitem)
_KEEPING_IN = (ast.List, ast.Tuple, ast.Set, ast.Dict)
"""What has a value afterwards: by another name, in a collection, for the caller, or to be left again."""
PUTTING = frozenset(
    ["append", "add", "appendleft", "put", "put_nowait", "insert", "setdefault", "extend", "push", "register"]
)
"""Methods by which a collection gets something, of all that nobody can read."""


def takes_over(module: Module, call: ast.Call, callee: Callee, fact: Fact) -> bool:
    """Whether a function of the project keeps or may close an object that it is given, which holds the session."""
    if callee.function is None:
        return False
    given = bind(call, callee.function, bound=callee.bound).items()
    objects = ((name, a) for name, a in given if isinstance(a, (ast.Name, ast.Attribute, ast.Call)))
    holders = [name for name, argument in objects if held(argument, fact) is Hold.INSIDE]
    return any(_takes(module.at(callee), callee.function, name, 0) for name in holders)


@remembered
def _takes(module: Module, function: FunctionNode, name: str, depth: int) -> bool:
    """Whether a function keeps, or may close, what it gets for a parameter."""
    uses = [n for n in below(function) if isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Load)]
    own = own_nodes(function) if uses else ()
    return any(use not in own or _used(module, use, depth) for use in uses)  # what a function inside does comes later


def _used(module: Module, use: ast.Name, depth: int) -> bool:
    node: ast.AST = use
    above = module.parents.get(use)
    while isinstance(above, (ast.Attribute, *_PASSING_ON)):
        node, above = above, module.parents.get(above)
    if isinstance(above, ast.Call) and above.func is node:
        return isinstance(node, ast.Attribute) and releasing(node.attr)
    if isinstance(above, ast.keyword):
        above = module.parents.get(above)
    if isinstance(above, ast.Call):
        return _passed(module, above, node, depth)
    return isinstance(above, (*_KEEPING, *_KEEPING_IN))


def _passed(module: Module, call: ast.Call, node: ast.AST, depth: int) -> bool:
    """The same of what it is passed on to; an object that gets it has it from then on."""
    callee = module.calls.callee(call)
    if callee.constructor or callee.owner is not None or releasing(callee.name):
        return True
    if callee.function is None or depth >= _DEEPEST:
        return callee.function is None and (callee.name in PUTTING or callee.name == "setattr")
    given = bind(call, callee.function, bound=callee.bound).items()
    return any(
        _takes(module.at(callee), callee.function, name, depth + 1) for name, argument in given if argument is node
    )
