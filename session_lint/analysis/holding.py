"""Who holds a session: how an expression refers to one, and where it goes from there.

A fact knows its session by *names*: variable paths (``"session"``, ``"self.db"``), keys of a local dictionary
(``"options['db']"``), and tuples for what has no path: ``("temp", node)`` the value of an expression not yet
bound, ``("in", x)`` something that holds the session (a container, a wrapper object, a closure), ``("closer",
x)`` something that closes it when called, ``("query", x)`` a query made from it, ``("connection", x)`` the connection
of its transaction, ``("with", item)`` a ``with`` statement that will close it, ``("told", node)`` an expression of
which an annotation says that it is one, or the loop whose item it is, ``("returned", how)`` the value being returned.
"""

from __future__ import annotations

import ast
from enum import Enum
from typing import TYPE_CHECKING

from session_lint.python.nodes import own_nodes, path
from session_lint.python.remembered import remembered
from session_lint.python.scopes import below
from session_lint.vocabulary import effects, query_methods

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.analysis.state import Fact


class Hold(Enum):
    """How an expression holds a session."""

    WHOLE = "whole"  # it is the session
    INSIDE = "inside"  # it contains, wraps or captures it
    CLOSER = "closer"  # calling it closes the session


VALUES = (("temp", Hold.WHOLE), ("in", Hold.INSIDE), ("closer", Hold.CLOSER))
"""The kinds of names that the value of an expression has, and how it holds the session then."""


ABOVE = "super()"
"""The name of a session in a method of its own class that calls the one it overrides."""


def held(node: ast.AST | None, fact: Fact) -> Hold | None:
    """How an expression holds the session of a fact, if it does."""
    if node is None or not fact.names:
        return None
    names = fact.names
    value = next((hold for kind, hold in VALUES if (kind, node) in names), None)
    if value is not None:
        return value
    if isinstance(node, (ast.Name, ast.Attribute)):
        return _variable(node, fact)
    if isinstance(node, (ast.NamedExpr, ast.Await)):
        return held(node.value, fact)
    if isinstance(node, ast.Call):
        return Hold.WHOLE if ABOVE in names and path(node.func) == "super" else None
    if isinstance(node, (ast.Subscript, ast.Starred)):
        return _part(node, fact)
    if elements := _elements(node):
        return Hold.INSIDE if any(held(element, fact) for element in elements) else None
    if isinstance(node, ast.Lambda):
        return _closure(node, fact)
    if isinstance(node, ast.GeneratorExp):
        return Hold.INSIDE if captured(node) & fact.names else None
    return None


def _part(node: ast.Subscript | ast.Starred, fact: Fact) -> Hold | None:
    """How what stands at an index, under a key, or is unpacked holds the session."""
    around = held(node.value, fact)
    if isinstance(node, ast.Starred):
        return Hold.INSIDE if around else None
    at = slot(node) if around is Hold.INSIDE else ""
    if at and slots(path(node.value), fact):
        return Hold.WHOLE if at in fact.names else None
    return Hold.INSIDE if around is Hold.INSIDE else None


ASKING = ("get", "pop")
"""The methods by which a dictionary is asked for what stands under a key."""


def slot(node: ast.AST) -> str:
    """How a fact knows what stands under a key of a local dictionary: ``options['db']``.

    :param node: what speaks of it: ``options["db"]``, ``options.get("db")``, ``.pop("db")``, ``"db" in options``.
    """
    if isinstance(node, ast.Subscript):
        around, key = node.value, node.slice
    elif isinstance(node, ast.Compare) and len(node.ops) == 1 and isinstance(node.ops[0], (ast.In, ast.NotIn)):
        around, key = node.comparators[0], node.left
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args and not node.keywords:
        around, key = node.func.value, node.args[0]
        if node.func.attr not in ASKING:
            return ""
    else:
        return ""
    known = isinstance(around, ast.Name) and isinstance(key, ast.Constant) and isinstance(key.value, str)
    return f"{around.id}[{key.value!r}]" if known else ""  # type: ignore[attr-defined]  # as it was asked


def slots(name: str, fact: Fact) -> list[str]:
    """The keys of a local dictionary under which the session of a fact stands, as :func:`slot` has them."""
    return [n for n in fact.names if isinstance(n, str) and n.startswith(f"{name}[")]


def _elements(node: ast.AST) -> list[ast.expr]:
    """What a display or comprehension puts into the collection that it makes."""
    if isinstance(node, (ast.Tuple, ast.List, ast.Set)):
        return node.elts
    if isinstance(node, ast.Dict):
        return node.values
    if isinstance(node, (ast.ListComp, ast.SetComp)):
        return [node.elt]
    return [node.value] if isinstance(node, ast.DictComp) else []


def _variable(node: ast.Name | ast.Attribute, fact: Fact) -> Hold | None:
    name = path(node)
    if name in fact.names:
        return Hold.WHOLE
    if ("closer", name) in fact.names:
        return Hold.CLOSER
    if ("in", name) in fact.names:
        return Hold.INSIDE
    if isinstance(node, ast.Attribute):
        inner = held(node.value, fact)
        if inner is Hold.WHOLE and closes(node.attr):
            return Hold.CLOSER
        if inner is Hold.INSIDE:
            return Hold.CLOSER if releasing(node.attr) else Hold.INSIDE
    return None


def _closure(node: ast.Lambda | ast.FunctionDef | ast.AsyncFunctionDef, fact: Fact) -> Hold | None:
    if not captured(node) & fact.names:
        return None
    return Hold.CLOSER if closed_inside(node) & fact.names else Hold.INSIDE


def closure(node: ast.FunctionDef | ast.AsyncFunctionDef, fact: Fact) -> Hold | None:
    """How a nested function holds the session: it captures it, and perhaps closes it."""
    return _closure(node, fact)


@remembered
def captured(node: ast.AST) -> frozenset[object]:
    """The variable paths that a nested function, lambda or generator expression reads of those around it."""
    found = {p for n in below(node) if isinstance(n, (ast.Name, ast.Attribute)) and (p := path(n))}
    own = _own_names(node)
    return frozenset(p for p in found if p.partition(".")[0] not in own)


def _own_names(node: ast.AST) -> frozenset[str]:
    """The names that a nested function or lambda has for itself."""
    if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
        return frozenset()
    inner = own_nodes(node)
    shared = {name for n in inner if isinstance(n, (ast.Nonlocal, ast.Global)) for name in n.names}
    stored = {n.id for n in inner if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    arguments = node.args
    named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
    return frozenset(stored | {arg.arg for arg in named if arg is not None}) - shared


@remembered
def closed_inside(node: ast.AST) -> frozenset[object]:
    """The variable paths on which a nested function or lambda calls a closing method, or what says that it closes."""
    return frozenset(
        name
        for n in below(node)
        if isinstance(n, ast.Call)
        for name in closed_by(n)
        if name.partition(".")[0] not in _own_names(node)
    )


def closed_by(call: ast.Call) -> frozenset[str]:
    """The variable paths that a call closes: of its method, or given to a function that says so by its name."""
    if isinstance(call.func, ast.Attribute) and closes(call.func.attr):
        return frozenset({path(call.func.value)})
    if not releasing(path(call.func).rpartition(".")[2]):
        return frozenset()
    return frozenset(filter(None, map(path, arguments(call))))


def closes(method: str) -> bool:
    """Whether a method of a session closes it."""
    found = effects().get(method)
    return (found is not None and found.effect == "close") or method == "remove"


_RELEASING = (
    "close",
    "release",
    "clean",
    "dispose",
    "teardown",
    "tear_down",
    "shutdown",
    "shut_down",
    "remove",
    "terminate",
    "__exit__",
)


@remembered
def releasing(name: str) -> bool:
    """Whether a function that cannot be found says by its name that it lets go of what it is given."""
    return any(word in name.lower() for word in _RELEASING)


def root(node: ast.AST, fact: Fact) -> tuple[ast.AST, list[str]]:
    """The start of a chain and the methods called on it: ``a`` and ``query, filter`` for ``a.query(X).filter(y)``.

    A call that returned the session is a start: ``database.current()`` in ``database.current().commit()``.
    """
    methods: list[str] = []
    while True:
        if methods and ("temp", node) in fact.names:
            return node, methods[::-1]
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            methods.append(node.func.attr)
            node = node.func.value
        elif isinstance(node, ast.Await) or (
            isinstance(node, ast.Attribute) and isinstance(node.value, (ast.Call, ast.Await)) and methods
        ):
            node = node.value
        else:
            return node, methods[::-1]


def arguments(call: ast.Call) -> Iterator[ast.expr]:
    """All argument expressions of a call."""
    yield from call.args
    for keyword in call.keywords:
        yield keyword.value


def rename(fact: Fact, target: str, value: ast.AST | None) -> Fact:
    """The fact after ``target = value``: what the name meant before is gone, what the value is goes by it now."""
    hold = held(value, fact)
    if hold is None and ("told", value) in fact.names:
        hold = Hold.WHOLE
    derived = query_of(value, fact) and not is_part(value)
    kept = {n for n in fact.names if not _under(n, target)}
    if hold is Hold.WHOLE:
        kept.add(target)
    elif hold is Hold.INSIDE:
        kept.add(("in", target))
    elif hold is Hold.CLOSER:
        kept.add(("closer", target))
    elif derived:
        kept.add(("query", target))
    elif is_connection(value, fact):
        kept.add(("connection", target))
    return fact if kept == fact.names else fact._replace(names=frozenset(kept))


def query_of(value: ast.AST | None, fact: Fact) -> bool:
    """Whether an expression is a query built from the session, not executed yet."""
    if value is None:
        return False
    start, methods = root(value, fact)
    if not methods:
        return ("query", path(value)) in fact.names
    from_session = held(start, fact) is Hold.WHOLE and methods[0] == "query"
    if not from_session and ("query", path(start)) not in fact.names:
        return False
    return all(method in query_methods().builders for method in methods[from_session:])


def is_connection(value: ast.AST | None, fact: Fact) -> bool:
    """Whether an expression is the connection over which a session's transaction runs: ``session.connection()``."""
    if not isinstance(value, (ast.Name, ast.Call, ast.Await)):
        return False
    start, methods = root(value, fact)
    if not methods:
        return ("connection", path(value)) in fact.names
    return methods == [CONNECTION] and held(start, fact) is Hold.WHOLE


CONNECTION = "connection"
"""The method by which a session gives the connection of its transaction."""


def is_part(value: ast.AST | None) -> bool:
    """Whether a query is made a part of another statement, which does not ask the session."""
    return isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and value.func.attr in _SETTLED


_SETTLED = frozenset(["subquery", "cte", "exists", "as_scalar", "scalar_subquery", "label"])


def _under(name: object, target: str) -> bool:
    text = name[1] if isinstance(name, tuple) and name[0] in ("in", "closer", *_MADE_FROM) else name
    return isinstance(text, str) and (text == target or text.startswith((f"{target}.", f"{target}[")))


def reachable(fact: Fact) -> bool:
    """Whether anything is left by which the session could still be closed."""
    return any(not (isinstance(n, tuple) and n[0] in _MADE_FROM) for n in fact.names)


_MADE_FROM = ("query", "connection")
"""The kinds of names of what is made from a session, and does not close it."""
