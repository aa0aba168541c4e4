"""Methods that use the session in a field of their object while a thread that runs another of its methods does."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis.holding import arguments
from session_lint.python.nodes import own_of, path
from session_lint.python.scopes import parameters
from session_lint.vocabulary import effects

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.analysis.handing import Handing
    from session_lint.analysis.module import Module
    from session_lint.python.scopes import FunctionNode, Scope

_ASKING = ("read", "write", "build", "flush", "nested", "commit")
_MOST = 50
"""How many callers are looked at."""


def used_beside(module: Module, handing: Handing) -> ast.Call | None:
    """Where the opener's object uses the session in another method, which somebody calls that the thread does not run.

    Nothing where the object waits for the thread, takes turns with it, or the thread opens a session of its own.
    """
    code = handing.solved.code
    owner = module.names.scopes.of[code].parent if isinstance(code, (ast.FunctionDef, ast.AsyncFunctionDef)) else None
    if owner is None or not owner.is_class or not parameters(code):  # type: ignore[arg-type]  # see above
        return None
    own = parameters(code)[0].arg  # type: ignore[arg-type]
    fields = {n.removeprefix(f"{own}.") for n in handing.fact.names if isinstance(n, str) and n.startswith(f"{own}.")}
    methods = _methods(module, owner)
    run = [a.attr for a in arguments(handing.call) if isinstance(a, ast.Attribute) and path(a.value) == own]
    inside = _reached(methods, [name for name in run if name in methods])
    if not fields or not inside or any(_takes_turns(m) or _stores(m, fields) for m in methods.values()):
        return None
    for name, method in methods.items():
        if name in inside or method is code or name.startswith("__"):
            continue
        use = next(_uses(method, fields), None)
        if use is not None and _called_by_others(module, method, {*(methods[n] for n in inside), code}):
            return use
    return None


def _methods(module: Module, owner: Scope) -> dict[str, FunctionNode]:
    found = (code for code, scope in module.codes if scope.parent is owner)
    return {
        one.name: one for one in found if isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef)) and parameters(one)
    }


def _reached(methods: dict[str, FunctionNode], names: list[str]) -> set[str]:
    """The methods that some of them call, or mention, on their object, and these themselves."""
    found = {*names}
    todo = [*names]
    while todo:
        method = methods[todo.pop()]
        own = parameters(method)[0].arg
        read = {n.attr for n in own_of(method, ast.Attribute) if path(n.value) == own}
        fresh = (read & methods.keys()) - found
        found |= fresh
        todo += fresh
    return found


def _takes_turns(method: FunctionNode) -> bool:
    """Whether a method waits for a thread, or holds a lock."""
    waits = any(isinstance(c.func, ast.Attribute) and c.func.attr in _WAITING for c in own_of(method, ast.Call))
    items = (item for node in own_of(method, ast.With, ast.AsyncWith) for item in node.items)
    return waits or any("lock" in path(item.context_expr).lower() for item in items)


_WAITING = ("join", "acquire", "result")


def _stores(method: FunctionNode, fields: set[str]) -> bool:
    """Whether a method, other than the one that makes the object, puts another session into the field."""
    own = parameters(method)[0].arg
    stored = (n for n in own_of(method, ast.Attribute) if isinstance(n.ctx, ast.Store) and path(n.value) == own)
    return method.name != "__init__" and any(n.attr in fields for n in stored)


def _uses(method: FunctionNode, fields: set[str]) -> Iterator[ast.Call]:
    """The calls by which a method asks the database something through the field."""
    own = parameters(method)[0].arg
    known = effects()
    for call in own_of(method, ast.Call):
        func = call.func
        if not isinstance(func, ast.Attribute) or func.attr not in known:
            continue
        if known[func.attr].effect in _ASKING and path(func.value) in {f"{own}.{field}" for field in fields}:
            yield call


def _called_by_others(module: Module, method: FunctionNode, inside: set[ast.AST]) -> bool:
    """Whether a way leads to a method from somewhere that the thread, or what starts it, does not run."""
    seen: set[ast.AST] = {method, *inside}
    todo: list[tuple[Module, ast.AST]] = [(module, method)]
    first = True
    while todo and len(seen) < _MOST:
        home, code = todo.pop()
        callers = home.program.callers(home, code)
        if callers is None or (not callers and not first):
            return True  # an entry
        first = False
        fresh = [(other, caller) for other, caller in callers if caller not in seen]
        if any(isinstance(caller, ast.Module) for _, caller in fresh):
            return True
        seen |= {caller for _, caller in fresh}
        todo += fresh
    return False
