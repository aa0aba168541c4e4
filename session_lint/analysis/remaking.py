"""Engines and factories that are made anew by each call of a function which opens a session from them."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis.makers import makers
from session_lint.analysis.requests import request_codes
from session_lint.python.names import own_nodes, own_of, path
from session_lint.python.scopes import parameters
from session_lint.values import dataclass
from session_lint.vocabulary import Role
from session_lint.vocabulary.tables import MAKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.analysis.facts import ModuleFacts
    from session_lint.analysis.module import Module
    from session_lint.python.scopes import FunctionNode, Scope

_MIGRATIONS = "alembic"


@dataclass(frozen=True, eq=False)
class Remaking:
    """An engine, or a factory, that each call of a function makes anew.

    :param call: what makes it.
    :param opening: the session that is opened from it.
    :param engine: whether it is an engine, with a pool of its own.
    """

    call: ast.Call
    opening: ast.AST
    code: FunctionNode
    engine: bool


def remakings(facts: ModuleFacts) -> Iterator[Remaking]:
    """The first engine, or else factory, that each function makes for its session."""
    module = facts.module
    if module is None or any(name.partition(".")[0] == _MIGRATIONS for name in module.names.imported):
        return
    made: dict[ast.AST, list[ast.Call]] = {}
    words = module.calls.vocabulary.making_words
    for call in module.calls.likely(words):
        if module.calls.callee(call).role in MAKING:
            made.setdefault(module.code_of(module.calls.scope(call)), []).append(call)
    for code, calls in made.items():
        if isinstance(code, (ast.FunctionDef, ast.AsyncFunctionDef)) and not _kept(module, code, calls):
            found = _used(module, code, calls)
            if found is not None and _runs_often(module, code):
                yield found


def _kept(module: Module, code: FunctionNode, calls: list[ast.Call]) -> bool:
    """Whether what a function makes is made once: kept somewhere, cached, or for one life only."""
    if module.is_memoised(code) or own_of(code, ast.Global):
        return True
    for node in own_nodes(code):
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value in calls:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if not all(isinstance(target, ast.Name) for target in targets):
                return True
        if isinstance(node, ast.Attribute) and node.attr == "dispose":
            return True
        if isinstance(node, ast.keyword) and node.arg == "poolclass":
            return True
        if isinstance(node, ast.Return) and node.value is not None and _given(node.value, calls, code):
            return True
    names = {path(t) for n in own_of(code, ast.Assign) if n.value in calls for t in n.targets}
    stored = (n for n in own_of(code, ast.Assign) if isinstance(n.value, ast.Name))
    return any(n.value.id in names and not isinstance(n.targets[0], ast.Name) for n in stored)  # type: ignore[attr-defined]


def _given(value: ast.expr, calls: list[ast.Call], code: FunctionNode) -> bool:
    """Whether a function returns what it makes: how often is its caller's affair."""
    assigned = {path(t) for n in own_of(code, ast.Assign) if n.value in calls for t in n.targets}
    parts = value.elts if isinstance(value, ast.Tuple) else [value]
    return any(part in calls or (isinstance(part, ast.Name) and part.id in assigned) for part in parts)


def _used(module: Module, code: FunctionNode, calls: list[ast.Call]) -> Remaking | None:
    """The engine or factory of a function from which it opens a session itself."""
    own = {arg.arg for arg in parameters(code)}
    for opening in (n for n in own_of(code, ast.Call) if n in module.calls):
        callee = module.calls.callee(opening)
        if callee.role not in (Role.FACTORY, Role.SCOPE):
            continue
        scope = module.calls.scope(opening)
        factories = [c for c in calls if any(made is c for _, made in makers(module, opening.func, scope))]
        engines = [c for call in (opening, *factories) for c in calls if _over(module, call, c)]
        if engines:
            found = Remaking(engines[0], opening, code, engine=True)
        elif factories and not any(_over_given(module, a, own, scope) for a in _arguments(factories[0])):
            found = Remaking(factories[0], opening, code, engine=False)
        else:
            continue
        return None if _of_object(module, found) else found
    return None


def _over_given(module: Module, bound: ast.expr, own: set[str], scope: Scope) -> bool:
    """Whether the engine of a factory is the caller's, or one that somebody else's code gives each call.

    :param own: the parameters.
    """
    if path(bound).partition(".")[0] in own:
        return True
    made = makers(module, bound, scope)
    return bool(made) and all(
        home.calls.callee(call).role is None and not isinstance(home.code_of(home.calls.scope(call)), ast.Module)
        for home, call in made
    )


def _of_object(module: Module, one: Remaking) -> bool:
    """Whether the method's object keeps the session, and so what that is opened from: there is one for each object."""
    if one.code in request_codes(module):
        return False
    scope = module.names.scopes.of[one.code]
    assigned = [
        (value, target)
        for node in own_nodes(one.code)
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and (value := node.value) is not None
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
    ]
    names = {path(target) for value, target in assigned if value is one.opening and isinstance(target, ast.Name)}
    return any(
        (value is one.opening or path(value) in names)
        and isinstance(target, ast.Attribute)
        and module.names.own_class(target.value, scope) is not None
        for value, target in assigned
    )


def _over(module: Module, call: ast.Call, made: ast.Call) -> bool:
    """Whether a session or factory is made over an engine that was made by a call."""
    if module.calls.callee(made).role is not Role.ENGINE_MAKER:
        return False
    scope = module.calls.scope(call)
    return any(a is made or any(m is made for _, m in makers(module, a, scope)) for a in _arguments(call))


def _arguments(call: ast.Call) -> list[ast.expr]:
    return [*call.args[:1], *(k.value for k in call.keywords if k.arg in ("bind", "engine"))]


def _runs_often(module: Module, code: FunctionNode) -> bool:
    """Whether a function may run many times in a process: not only as a script's or a command's one act."""
    if code.name == "main" or _is_command(module, code):
        return False
    if code in request_codes(module):
        return True
    callers = module.program.callers(module, code)
    if callers is None:
        return False
    return not callers or any(_is_function(home, caller) for home, caller in callers)


def _is_function(home: Module, caller: ast.AST) -> bool:
    plain = isinstance(caller, (ast.FunctionDef, ast.AsyncFunctionDef)) and caller.name != "main"
    return plain and not _is_command(home, caller)  # type: ignore[arg-type]


def _is_command(module: Module, code: FunctionNode) -> bool:
    """Whether a decorator makes a function a command, a fixture or something else that is run once."""
    scope = module.names.scopes.of[code].parent or module.names.scopes.module
    for decorator in code.decorator_list:
        target = decorator.func if isinstance(decorator, ast.Call) else decorator
        found = module.calls.meaning(module.names.qualify(target, scope))
        if found is not None and found.role in (Role.COMMAND, Role.FIXTURE):
            return True
        if found is None and isinstance(target, ast.Attribute) and target.attr == "command":
            return True  # of a group that was made by a decorator
    return False
