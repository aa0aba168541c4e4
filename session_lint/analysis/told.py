"""Local variables that hold a session which the code neither opened nor was given, as far as one is told.

By an annotation, of the variable or of the function that gives it (``def opened() -> Session``); by the generator that
lends it, where a loop goes through that or ``next()`` takes the session out of it. So is a property by its annotation.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis.asynchronous import kind_of, lends_async
from session_lint.analysis.makers import asynchronous
from session_lint.analysis.standing import opens
from session_lint.python.nodes import is_none, own_of, path
from session_lint.python.scopes import BindingKind
from session_lint.vocabulary import Role

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.analysis.module import Module
    from session_lint.python.scopes import Scope

    Loop = ast.For | ast.AsyncFor


def told(module: Module, code: ast.AST) -> dict[str, bool]:
    """The variables of a coroutine function that hold one kind of session, each with whether that is asynchronous."""
    scope = module.names.scopes.of[code]
    found = {name: _kind(module, scope, name) for name in sorted(_used(code)) if name in scope.bindings}
    return {name: kind for name, kind in found.items() if kind is not None}


def told_to_hold(module: Module, scope: Scope) -> Iterator[tuple[str, ast.expr, bool]]:
    """The variables that are annotated as sessions of one kind, each with the one value that it gets from elsewhere.

    ``session: AsyncSession = info.context["session"]``
    """
    for name in scope.declared:
        bindings = [b for b in scope.bindings.get(name, ()) if not is_none(b.node)]
        if len(bindings) != 1 or bindings[0].kind is not BindingKind.VALUE:
            continue
        value = bindings[0].node
        if isinstance(value, ast.Call) and opens(module, value):
            continue
        kind = _annotated(module, scope, name)
        if kind is not None and isinstance(value, ast.expr) and not module.calls.is_session(value, scope):
            yield name, value, kind


def lent_in_loops(module: Module, code: ast.AST) -> Iterator[tuple[str, Loop, bool | None]]:
    """The variables of loops over generators that lend a session each, with the loop, and whether it is asynchronous.

    ``async for session in get_session():``
    """
    used = _used(code)
    for loop in own_of(code, ast.For, ast.AsyncFor):
        call, target = loop.iter, loop.target
        if not isinstance(call, ast.Call) or not isinstance(target, ast.Name) or call not in module.calls:
            continue
        if isinstance(loop, ast.AsyncFor) or target.id in used:
            callee = module.calls.callee(call)
            if callee.function is not None and module.yields_one(callee):
                yield target.id, loop, lends_async(module.at(callee), callee.function)


def told_by_property(module: Module, node: ast.expr, scope: Scope) -> bool | None:
    """Whether a field is a property that is annotated to give asynchronous sessions; ``None`` where it is no session.

    ``def session(self) -> AsyncSession: return self.request.session``
    """
    read = module.names.property_read(node, scope) if isinstance(node, ast.Attribute) else None
    if read is None or read[1].returns is None:
        return None
    return _sessions(module, [read[0].annotated((read[1].returns, read[0].scopes.module), 0)])


def _used(code: ast.AST) -> set[str]:
    """The variables of which a code calls methods."""
    return {n.func.value.id for n in own_of(code, ast.Call) if _on_name(n)}  # type: ignore[attr-defined]


def _on_name(call: ast.Call) -> bool:
    """Whether it is a call of a method of a variable, or of what such a call gives: ``session.query(User).all()``."""
    return isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name)


def _kind(module: Module, scope: Scope, name: str) -> bool | None:
    """Whether a variable holds asynchronous sessions; ``None`` where it may hold anything else."""
    bindings = scope.bindings[name]
    if any(b.kind in (BindingKind.PARAMETER, BindingKind.PART) or _opens(module, b.node) for b in bindings):
        return None  # of a tuple: what stands in one is followed from the function that opens it
    variable = ast.Name(name, ast.Load())
    if module.calls.is_session(variable, scope):
        return kind_of(module, variable, scope)
    if (declared := _annotated(module, scope, name)) is not None:
        return declared
    made = [_generator(module, scope, binding.node) for binding in scope.bindings[name]]
    kinds = {_lends(module, call) for call in made}
    return kinds.pop() if len(kinds) == 1 else None


def _opens(module: Module, node: ast.AST) -> bool:
    """Whether a call opens a session, which is followed as one that the code owes the end of."""
    return isinstance(node, ast.Call) and module.calls.callee(node).role is Role.FACTORY


def _annotated(module: Module, scope: Scope, name: str) -> bool | None:
    """What annotations say, of the variable or of the function that gives what it holds."""
    if name in scope.declared:
        return _sessions(module, [module.names.annotated(scope.declared[name], 0)])
    said: list[frozenset[str]] = []
    for binding in scope.bindings[name]:
        callee = module.calls.callee(binding.node) if isinstance(binding.node, ast.Call) else None
        if callee is None or not isinstance(callee.function, ast.FunctionDef) or callee.function.returns is None:
            return None
        home = module.at(callee).names
        said.append(home.annotated((_element(callee.function.returns), home.scopes.module), 0))
    return _sessions(module, said)


def _sessions(module: Module, said: list[frozenset[str]]) -> bool | None:
    """Whether what is said means asynchronous sessions; ``None`` where it means anything else."""
    if not said or not all(names and all(map(module.calls.names_session, names)) for names in said):
        return None
    return asynchronous(frozenset().union(*said))


def _element(annotation: ast.expr) -> ast.expr:
    """What a context manager is annotated to give; else the annotation itself."""
    if not isinstance(annotation, ast.Subscript) or path(annotation.value).rpartition(".")[2] not in _LENDING:
        return annotation
    inside = annotation.slice
    return inside.elts[0] if isinstance(inside, ast.Tuple) and inside.elts else inside


_LENDING = frozenset(["Iterator", "Iterable", "Generator", "ContextManager", "AbstractContextManager"])


def _generator(module: Module, scope: Scope, node: ast.AST) -> ast.Call | None:
    """The call that makes the generator out of which a variable gets what it holds."""
    loop = next((loop for loop in own_of(scope.node, ast.For, ast.AsyncFor) if loop.target is node), None)
    if loop is not None:
        return loop.iter if isinstance(loop.iter, ast.Call) else None
    call = node.value if isinstance(node, ast.Await) else node
    if not isinstance(call, ast.Call) or module.calls.callee(call).role is not Role.ADVANCES or not call.args:
        return None
    source: ast.AST = call.args[0]
    if isinstance(source, ast.Name):
        bindings = scope.bindings.get(source.id, ())
        source = bindings[0].node if len(bindings) == 1 else source
    return source if isinstance(source, ast.Call) else None


def _lends(module: Module, call: ast.Call | None) -> bool | None:
    """Whether a generator lends an asynchronous session; ``None`` where it may lend anything else."""
    callee = module.calls.callee(call) if call is not None else None
    if callee is None or callee.function is None or not module.yields_one(callee):
        return None
    return lends_async(module.at(callee), callee.function)
