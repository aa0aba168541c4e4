"""Sessions that a code puts into a field of some object and takes back: it closes them itself.

Whoever has the object may close what its field holds, so a session in a field is most often another's affair. Where the
code that put it there closes it on each of its own normal ways, by the field or by a name that it had for it before, it
is the code's::

    request.state.db = SessionLocal()
    response = await call_next(request)   # when this raises, nobody closes it
    request.state.db.close()

Whether somebody else closes it as well is asked of the whole project, in :mod:`session_lint.analysis.claims`.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis.holding import closes
from session_lint.analysis.reach import escapes
from session_lint.flow import PointKind
from session_lint.python.nodes import own_nodes, path
from session_lint.python.remembered import remembered
from session_lint.python.scopes import below, parameters

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from session_lint.flow import Code, Graph, Point


def takes_back(graph: Graph, target: ast.Attribute, names: Collection[str]) -> bool:
    """Whether a code closes what it puts into a field, on every normal way from there.

    :param target: the field, where it is assigned.
    :param names: the names that the code has for the session, the field's own among them.
    """
    field = path(target)
    if isinstance(graph.code, ast.Module) or not _closed(graph.code) or _asked_for(graph.code, field):
        return False
    stores = [p for b in graph.blocks for p in b.points if p.kind is PointKind.STORE and p.node is target]
    closing = [calls for name, calls in _closed(graph.code).items() if name in names]
    return any(not _passes(graph, stores, calls) for calls in closing)


def keeps_to_itself(graph: Graph, target: ast.Subscript, names: Collection[str]) -> bool:
    """Whether a code closes what it puts under a key of something that it was given, on every normal way from there.

    ``data["session"] = session``, then ``await handler(event, data)``, then ``await session.close()``.

    :param names: the variables that the code has for the session.
    """
    code, around = graph.code, path(target.value).partition(".")[0]
    if not isinstance(code, (ast.FunctionDef, ast.AsyncFunctionDef)) or not isinstance(target.slice, ast.Constant):
        return False
    if around not in {arg.arg for arg in parameters(code)}:
        return False
    stores = [p for b in graph.blocks for p in b.points if p.kind is PointKind.STORE and p.node is target]
    closing = [calls for name, calls in _closed(code).items() if name in names]
    return bool(stores) and any(not _passes(graph, stores, calls) for calls in closing)


def _passes(graph: Graph, stores: list[Point], calls: set[ast.AST]) -> bool:
    return escapes(graph, stores, lambda point: point.node in calls)


@remembered
def _closed(code: Code) -> dict[str, set[ast.AST]]:
    """The calls of a code that close something, by what they are called on."""
    found: dict[str, set[ast.AST]] = {}
    for node in own_nodes(code):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and closes(node.func.attr):
            found.setdefault(path(node.func.value), set()).add(node)
    found.pop("", None)
    return found


def _asked_for(code: Code, field: str) -> bool:
    """Whether a code asks if there is something in a field: it keeps a session there from one call to the next."""
    return field in _asked(code) or field.rpartition(".")[2] in _texts(code)


@remembered
def _asked(code: Code) -> frozenset[str]:
    """The paths that the tests of a code ask about, and not only about what they lead to."""
    found: set[str] = set()
    for test in _tests(code):
        nodes = list(below(test))
        further = {n.value for n in nodes if isinstance(n, ast.Attribute)}
        found |= {path(n) for n in nodes if isinstance(n, ast.Attribute) and n not in further}
    return frozenset(found)


def _tests(code: Code) -> Iterator[ast.expr]:
    for node in own_nodes(code):
        if isinstance(node, (ast.If, ast.While, ast.IfExp, ast.Assert)):
            yield node.test
        elif isinstance(node, ast.BoolOp):
            yield node


@remembered
def _texts(code: Code) -> frozenset[str]:
    """The texts of a code, by which ``getattr`` and its like may read a field."""
    texts = (n.value for n in own_nodes(code) if isinstance(n, ast.Constant))
    return frozenset(text for text in texts if isinstance(text, str))
