"""What a session gets along with an object: what that is made of, and what its relationships are given.

``session.add(User(addresses=[address]))`` and ``user.addresses.append(address)`` give it the address. Columns take
plain values, which know nothing of a session.
Source: https://docs.sqlalchemy.org/en/20/orm/cascades.html#save-update
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis.arguments import bind
from session_lint.analysis.loading import Loaded, is_column, made
from session_lint.python.nodes import own_of, path
from session_lint.python.scopes import BindingKind, parameters

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.analysis.module import Module
    from session_lint.python.scopes import FunctionNode, Scope

_PLAIN = frozenset(
    "bool bytes date datetime Decimal float int str time timedelta UUID None Optional Union Literal".split()
)
"""The words of types whose values hold no objects."""
_MAKING_PLAIN = ("builtins.", "datetime.", "decimal.", "hashlib.", "json.dumps", "math.", "os.path.", "time.", "uuid.")
_TEXT = frozenset(
    "capitalize casefold encode format hexdigest isoformat join lower lstrip rstrip strip title upper".split()
)
_PLAIN_CALLS = frozenset("bool bytes float int len round repr str".split())
_DEEPEST = 4


def made_of(module: Module, value: ast.expr, scope: Scope) -> Iterator[ast.expr]:
    """What a new object of a mapped class is made of, but for what goes into its columns."""
    entity = made(module, value, scope)
    if entity is None or not isinstance(value, ast.Call):
        return
    found = Loaded(module, entity, scope, many=False)
    callee = module.calls.callee(value) if value in module.calls else None
    own = module.initialiser(callee) if callee is not None else None
    if own is not None and callee is not None:
        home, function = own
        passed = bind(value, function, bound=True)
        known = {arg.arg for arg in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)}
        for name, argument in passed.items():
            if argument is not None and not _goes_into_columns(home, function, name, found, spread=name not in known):
                yield argument
        return
    yield from value.args
    for keyword in value.keywords:
        if keyword.arg is None or not is_column(found, keyword.arg):
            yield keyword.value


def _goes_into_columns(home: Module, function: FunctionNode, name: str, found: Loaded, *, spread: bool) -> bool:
    """Whether all that an ``__init__`` does with a parameter is to set columns by it, or to ask for its truth."""
    if spread:
        return is_column(found, name)  # handed on by ``super().__init__(**options)``
    reads = [n for n in own_of(function, ast.Name) if n.id == name]
    return bool(reads) and all(_sets_column(home, read, found) for read in reads)


def _sets_column(home: Module, read: ast.AST, found: Loaded) -> bool:
    node: ast.AST = read
    while isinstance(node, ast.expr):
        above = home.parents[node]
        if isinstance(above, (ast.If, ast.Compare)) or (isinstance(above, ast.IfExp) and node is above.test):
            return True
        node = above
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return bool(targets) and all(isinstance(t, ast.Attribute) and is_column(found, t.attr) for t in targets)


def is_value(module: Module, node: ast.AST, scope: Scope, depth: int = 0) -> bool:
    """Whether an expression is surely a plain value: a text, a number, a time, a truth."""
    if isinstance(node, (ast.Constant, ast.JoinedStr, ast.Compare)):
        return True
    if isinstance(node, (ast.Await, ast.NamedExpr, ast.Starred)):
        return is_value(module, node.value, scope, depth)
    if isinstance(node, ast.UnaryOp):
        return isinstance(node.op, ast.Not) or is_value(module, node.operand, scope, depth)
    if isinstance(node, ast.BinOp):  # a text before a `%`, or plain on both sides
        sides = (node.left,) if isinstance(node.op, ast.Mod) else (node.left, node.right)
        return all(is_value(module, side, scope, depth) for side in sides)
    if isinstance(node, ast.BoolOp):
        return all(is_value(module, part, scope, depth) for part in node.values)
    if isinstance(node, ast.IfExp):
        return is_value(module, node.body, scope, depth) and is_value(module, node.orelse, scope, depth)
    if isinstance(node, ast.Call):
        return _gives_value(module, node, scope, depth)
    return isinstance(node, ast.Name) and depth < _DEEPEST and _is_variable_of_values(module, node.id, scope, depth)


def _gives_value(module: Module, call: ast.Call, scope: Scope, depth: int) -> bool:
    if isinstance(call.func, ast.Name) and call.func.id in _PLAIN_CALLS:
        return True
    if isinstance(call.func, ast.Attribute) and call.func.attr in _TEXT:
        return True
    callee = module.calls.callee(call) if call in module.calls else None
    function = callee.function if callee is not None else None
    if function is not None and function.returns is not None and _is_plain_type(function.returns):
        return True
    names = module.names.qualify(call.func, scope)
    plain = bool(names) and all(n.startswith(_MAKING_PLAIN) and not n.startswith("builtins.") for n in names)
    return plain or (isinstance(call.func, ast.Attribute) and is_value(module, call.func.value, scope, depth))


def _is_variable_of_values(module: Module, name: str, scope: Scope, depth: int) -> bool:
    """Whether each value of a variable of this code is plain, or its type says so."""
    if name in scope.elsewhere:
        return False
    annotation = next((a.annotation for a in _parameters(scope) if a.arg == name), None)
    declared = scope.declared.get(name, (annotation, scope))[0]
    if declared is not None:
        return _is_plain_type(declared)
    bindings = scope.bindings.get(name, ())
    return bool(bindings) and all(
        b.kind is BindingKind.VALUE and is_value(module, b.node, scope, depth + 1) for b in bindings
    )


def _parameters(scope: Scope) -> list[ast.arg]:
    return parameters(scope.node) if isinstance(scope.node, (ast.FunctionDef, ast.AsyncFunctionDef)) else []


def _is_plain_type(annotation: ast.expr) -> bool:
    """Whether a type is made of those of plain values."""
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        try:
            annotation = ast.parse(annotation.value, mode="eval").body
        except SyntaxError:
            return False
    if isinstance(annotation, ast.Subscript) and path(annotation.value).rpartition(".")[2] == "Literal":
        return True
    words = [
        n.id if isinstance(n, ast.Name) else n.attr if isinstance(n, ast.Attribute) else str(n.value)
        for n in ast.walk(annotation)
        if isinstance(n, (ast.Name, ast.Attribute, ast.Constant))
    ]
    plain = _PLAIN | {path(n.value) for n in ast.walk(annotation) if isinstance(n, ast.Attribute)}
    return bool(words) and all(word in plain for word in words)
