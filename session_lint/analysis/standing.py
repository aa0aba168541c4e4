"""Sessions that are opened while a module is imported, and stand there for all its functions."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis.aliases import is_registry_call
from session_lint.analysis.holding import Hold, arguments, closes
from session_lint.analysis.makers import makers
from session_lint.analysis.places import is_test
from session_lint.analysis.reach import escapes
from session_lint.flow import PointKind
from session_lint.python.nodes import assigned_at, own_nodes, own_of, path
from session_lint.python.scopes import below, parameters
from session_lint.values import dataclass
from session_lint.vocabulary import Role

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.analysis.facts import ModuleFacts
    from session_lint.analysis.module import Module
    from session_lint.python.scopes import Scope

_PASSING = (ast.Await, ast.BoolOp, ast.IfExp, ast.NamedExpr)
_DEEPEST = 3
"""Through how many functions the body of a module may lead to the one that opens a session."""
_BINDING = (PointKind.STORE, PointKind.DELETE)


@dataclass(frozen=True, eq=False)
class Standing:
    """A session that a module opens when it is imported.

    :param call: the opening.
    :param name: the variable, attribute or parameter that keeps it.
    :param user: the function that uses it.
    :param start: the call of the function that opens it; ``None`` where the module does so itself.
    :param starting: whether a function opens it when an application is made or started, for all requests.
    """

    call: ast.Call
    name: str
    user: ast.AST
    start: ast.Call | None = None
    starting: bool = False


def standing(facts: ModuleFacts) -> Iterator[Standing]:
    """Every variable for which a module opens a session at import, and which its functions, or those of others, use."""
    module = facts.module
    if module is None:
        return
    seen: set[tuple[Scope | None, str, ast.Call | None]] = set()
    for call, scope in module.names.scopes.calls.items():
        code = module.code_of(scope)
        if isinstance(code, ast.Module):
            found = stays(module, call, scope) if opens(module, call) else None
        else:
            found = _started(module, call, scope)
        if found is not None:
            own = isinstance(module.parents[_value(module, call)], ast.arguments)  # each parameter has its own
            key = (scope if scope.is_class else None, found.name, call if own else None)
            if key not in seen:
                seen.add(key)
                yield found


def opens(module: Module, call: ast.Call) -> bool:
    """Whether a call gives a session: of a factory, a registry, or a function that returns a fresh one."""
    callee = module.calls.callee(call)
    if callee.role is Role.FACTORY or _asks_registry(module, call):
        return True
    if callee.function is None or callee.meaning is not None:
        return False
    fresh = module.at(callee).summaries.fresh(callee.function)
    return any(outcome.returned == Hold.WHOLE.value for _, outcome in fresh)


def opens_its_own(module: Module, node: ast.AST) -> bool:
    """Whether an expression opens a session that takes a connection of its own: a factory, or a function that asks one.

    Not one over what the function was given, a connection perhaps.
    """
    if not isinstance(node, ast.Call) or node not in module.calls:
        return False
    if module.calls.callee(node).function is None:
        return _asks_factory(module, node)
    made = makers(module, node, module.calls.scope(node)) if opens(module, node) else []
    return bool(made) and all(_asks_factory(home, one) and not _given(home, one) for home, one in made)


def _asks_factory(module: Module, call: ast.Call) -> bool:
    return module.calls.callee(call).role is Role.FACTORY and not module.over_connection(call)


def _given(module: Module, call: ast.Call) -> bool:
    """Whether a call passes something on that its function was given."""
    code = module.calls.scope(call).node
    names = {arg.arg for arg in parameters(code)} if isinstance(code, (ast.FunctionDef, ast.AsyncFunctionDef)) else ()
    return any(path(argument).partition(".")[0] in names for argument in arguments(call) if path(argument))


def _asks_registry(module: Module, call: ast.Call) -> bool:
    """Whether a registry is called: what it gives is one thread's session, whoever uses it from then on."""
    found = [module.calls.vocabulary.meaning(name) for name in module.calls.callee(call).names]
    known = [meaning is not None and meaning.role is Role.MANAGED for meaning in found]
    return all(known) and is_registry_call(module, call)


def stays(module: Module, call: ast.Call, scope: Scope) -> Standing | None:
    """Where the session of a call, or an object that has one, stays, if functions use it from there."""
    node = _value(module, call)
    above = module.parents[node]
    if isinstance(above, ast.arguments):
        return _default(module, call, node, above)
    target = _target(module, call)
    if target is None and not scope.is_class:
        return _in_field(module, call, scope)
    if target is None or is_in_script(module, target) or not _stays(module, scope, target):
        return None
    user = _user(module, scope, target.id)
    return Standing(call, target.id, user) if user is not None else None


def _in_field(module: Module, call: ast.Call, scope: Scope) -> Standing | None:
    """The same of a session in a field of an object that a variable of the module holds: ``bot.session = Session()``.

    Who reads the field of what is called the same has it from there.
    """
    above = module.parents[_value(module, call)]
    given = assigned_at(above)
    target = given.targets[0] if given is not None and len(given.targets) == 1 else None
    name = path(target) if isinstance(target, ast.Attribute) else ""
    if not name or is_in_script(module, call) or _ended(module, scope, name):
        return None
    assert isinstance(target, ast.Attribute)
    ending = ".".join(name.split(".")[-2:])
    for home in (module, *(module.program.mentioning(module, f".{target.attr}") or ())):
        for code, _ in home.codes if not is_test(home.source.filename) else ():
            for node in own_of(code, ast.Attribute) if not isinstance(code, ast.Module) else ():
                if isinstance(node.ctx, ast.Load) and f".{path(node)}".endswith(f".{ending}"):
                    return Standing(call, name, code)
    return None


def _started(module: Module, call: ast.Call, scope: Scope) -> Standing | None:
    """The same of a call that a function makes for a variable of the module, where importing runs the function."""
    target = _target(module, call) if scope.elsewhere else None
    top = module.names.scopes.module
    if target is None or scope.elsewhere.get(target.id) is not top:
        return None
    if not opens(module, call) or not _stays(module, scope, target) or _ended(module, None, target.id):
        return None
    start = _run_at_import(module, scope.node)
    user = _user(module, top, target.id) if start is not None else None
    return Standing(call, target.id, user, start) if user is not None else None


def _user(module: Module, scope: Scope, name: str) -> ast.AST | None:
    """A function that uses a variable of the module or of a class from there."""
    from session_lint.analysis import readers  # noqa: PLC0415  (few modules open a session for others)

    return readers.attribute_reader(module, scope, name) if scope.is_class else readers.reader(module, name)


def _value(module: Module, call: ast.Call) -> ast.AST:
    """The expression whose value is what a call gives, or an object of the project that keeps it."""
    node: ast.AST = call
    while True:
        above: ast.AST | None = module.parents[node]
        if isinstance(above, (ast.Call, ast.keyword)):
            from session_lint.analysis.inside import keeper  # noqa: PLC0415  (few modules open a session for others)

            above = keeper(module, node)
        elif not isinstance(above, _PASSING):
            above = None
        if above is None:
            return node
        node = above


def _target(module: Module, call: ast.Call) -> ast.Name | None:
    """The variable that what a call gives is assigned to."""
    above = module.parents[_value(module, call)]
    targets = above.targets if isinstance(above, ast.Assign) else [getattr(above, "target", None)]
    if not isinstance(above, (ast.Assign, ast.AnnAssign)) or len(targets) != 1:
        return None
    return targets[0] if isinstance(targets[0], ast.Name) else None


def _default(module: Module, call: ast.Call, node: ast.AST, arguments: ast.arguments) -> Standing | None:
    function = module.parents[arguments]
    positional = [*arguments.posonlyargs, *arguments.args]
    pairs = [
        *zip(reversed(positional), reversed(arguments.defaults), strict=False),
        *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True),
    ]
    name = next((arg.arg for arg, default in pairs if default is node), "")
    return Standing(call, name, function) if name else None


def is_in_script(module: Module, node: ast.AST) -> bool:
    """Whether a statement stands under ``if __name__ == "__main__"``."""
    while node in module.parents:
        node = module.parents[node]
        if isinstance(node, ast.If) and any(isinstance(n, ast.Name) and n.id == "__name__" for n in below(node.test)):
            return True
    return False


def _stays(module: Module, scope: Scope, target: ast.Name) -> bool:
    """Whether a session is in its variable still, and not closed there, when the code has run that puts it in."""
    if _ended(module, scope, target.id):
        return False
    graph = module.graph(module.code_of(scope))  # type: ignore[arg-type]  # a code has a graph
    others = {n for n in own_nodes(scope.node) if isinstance(n, ast.Name) and n.id == target.id and n is not target}
    points = [point for block in graph.blocks for point in block.points if point.kind in _BINDING]
    stores = [point for point in points if point.node is target]
    return escapes(graph, stores, lambda point: point.kind in _BINDING and point.node in others)


def _ended(module: Module, scope: Scope | None, name: str) -> bool:
    """Whether a scope closes what a variable holds, as a script does, from top to bottom; ``None`` for any scope."""
    return any(
        isinstance(c.func, ast.Attribute) and closes(c.func.attr) and f"{path(c.func.value)}.".startswith(f"{name}.")
        for c, around in module.names.scopes.calls.items()
        if scope is None or around is scope
    )


def _run_at_import(module: Module, code: ast.AST, depth: int = 0) -> ast.Call | None:
    """The call by which importing a module runs a function, perhaps through others.

    It stands in the module of what it calls, or in a package: any other module may be a script, whose own affair it is.
    """
    for home, caller in module.program.callers(module, code) or ():
        found: ast.Call | None = None
        if not isinstance(caller, ast.Module):
            found = _run_at_import(home, caller, depth + 1) if depth < _DEEPEST else None
        elif home is module or home.names.package:
            calls = (call for call in home.calls_in(caller) if home.calls.callee(call).function is code)
            found = next((call for call in calls if not is_in_script(home, call)), None)
        if found is not None:
            return found
    return None
