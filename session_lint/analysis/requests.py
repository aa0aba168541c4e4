"""Which functions of a module run once a request: views, hooks, error handlers, methods of view classes."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, TypeAlias

from session_lint.analysis.holding import arguments
from session_lint.python.nodes import path
from session_lint.python.words import word
from session_lint.values import dataclass
from session_lint.vocabulary import Role
from session_lint.vocabulary.tables import SERVING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.analysis.calls import Callee
    from session_lint.analysis.module import Module
    from session_lint.python.names import Names
    from session_lint.python.scopes import FunctionNode, Scope

Code = ast.AST
Handler: TypeAlias = "tuple[Module, Code]"

"""What runs the functions that it is given, or decorates, once a request."""
_COMMON = ("route", "get", "post", "put", "patch", "delete")
ROUTES = frozenset([*_COMMON, "head", "options", "trace", "api_route", "websocket", "websocket_route", "view"])
"""What decorators are called that make a function a view, and methods of view classes."""
_DEEPEST = 8
"""How many classes up a view is looked for; a cycle of bases has no end."""


@dataclass(frozen=True, eq=False)
class GlobalUse:
    """A place where a request gets the global session.

    :param node: the getter's call, or the getter itself where the framework calls it.
    :param code: the function that holds it.
    :param handler: the function that runs once a request, and its module; ``None`` for a dependency.
    """

    node: ast.expr
    code: ast.AST
    handler: Handler | None


def global_uses(module: Module) -> Iterator[GlobalUse]:
    """Every getter of a global session that a request reaches, in the order of the text."""
    if module.program.project is not None and not module.program.has_singletons:
        return
    served = request_codes(module)
    serving = module.calls.vocabulary.serving_words
    for call, scope in module.names.scopes.calls.items():
        code = module.code_of(scope)
        if code not in served and not module.calls.may_be(call, serving):
            continue
        callee = module.calls.callee(call)
        if code in served and _takes(module, callee, code):
            yield GlobalUse(call, code, served[code])
        elif callee.role in SERVING:
            for value in arguments(call):
                found = module.calls.meaning(module.names.qualify(value, scope)) if path(value) else None
                if found is not None and found.role is Role.SINGLETON:
                    yield GlobalUse(value, code, None)


def _takes(module: Module, callee: Callee, code: Code) -> bool:
    """Whether a call gives the global session to its code, or to the ``with`` that it stands in."""
    if callee.role is Role.SINGLETON:
        return module.key(callee) not in module.keys_defined_in(code)
    return callee.role is None and bool(module.lends(callee))


def request_codes(module: Module) -> dict[Code, Handler]:
    """Every function of a module that runs in a request and may need the global session, with its handler.

    Handlers of the module itself count for all that they call in it; those of other modules for what takes the global
    session here.
    """
    found: dict[Code, Handler] = {code: (module, code) for code in module.handlers}
    todo = list(found)
    calls: dict[Code, set[Code]] = {}
    for target, callers in module.callers.items() if todo else ():
        for caller in callers:
            calls.setdefault(caller, set()).add(target)
    while todo:
        caller = todo.pop(0)
        for target in sorted(calls.get(caller, ()), key=lambda n: n.lineno):
            if target not in found:
                found[target] = found[caller]
                todo.append(target)
    for code in module.calling_singletons if module.program.project is not None else ():
        handler = None if code in found else _handler_elsewhere(module, code)
        if handler is not None:
            found[code] = handler
    return found


def _handler_elsewhere(module: Module, code: Code) -> Handler | None:
    """The handler in another module that reaches a function of this one."""
    places = module.program.reaching([(module, code)]).values()
    return next(((m, c) for m, c in places if c in m.handlers or is_registered(m, c)), None)


def is_registered(module: Module, code: Code) -> bool:
    """Whether another module gives a function to a framework: ``app.add_url_rule("/", view_func=views.index)``."""
    if not isinstance(code, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return False
    serving = module.calls.vocabulary.serving_words
    for other in module.program.speaking_of(module, code.name, serving) or ():
        for call in other.calls.likely(serving):
            if other.calls.callee(call).role in SERVING and any(one is code for one in _named(other, call)):
                return True
    return False


def _named(module: Module, call: ast.Call) -> Iterator[ast.AST]:
    """The functions of the project that a call is given by their names."""
    scope = module.calls.scope(call)
    for value in arguments(call):
        for name in module.names.qualify(value, scope) if path(value) else ():
            found = module.names.definition(name)
            if found is not None:
                yield found[1]


def handlers(module: Module) -> Iterator[Code]:
    """The functions of a module that run once a request, in the order of the text."""
    for scope in module.names.scopes.of.values():
        node = scope.node
        outer = scope.parent or scope
        serves = any(_handles(module, d, outer) for d in getattr(node, "decorator_list", ()))
        if isinstance(node, ast.ClassDef) and (serves or _is_view(module, module.names, node, 0)):
            yield from _methods(node)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and serves:
            yield node
    serving = module.calls.vocabulary.serving_words
    own = frozenset(name.rpartition(".")[2] for name in module.names.definitions)
    for call in module.calls.likely(serving):  # app.add_url_rule("/", view_func=index), Depends(get_db)
        if _may_give(module, call, own) and module.calls.callee(call).role in SERVING:
            yield from _given(module, call)


def _handles(module: Module, decorator: ast.expr, scope: Scope) -> bool:
    target = decorator.func if isinstance(decorator, ast.Call) else decorator
    found = module.calls.meaning(module.names.qualify(target, scope))
    if found is not None:
        return found.role in SERVING
    return _looks_like_route(decorator)


def _looks_like_route(decorator: ast.expr) -> bool:
    """``@bp.route("/users")`` on an object from elsewhere: the path says what it is."""
    if not (isinstance(decorator, ast.Call) and isinstance(decorator.func, ast.Attribute) and decorator.args):
        return False
    first = decorator.args[0]
    is_path = isinstance(first, ast.Constant) and isinstance(first.value, str) and first.value.startswith("/")
    return is_path and decorator.func.attr in _COMMON


def _may_give(module: Module, call: ast.Call, own: frozenset[str]) -> bool:
    """Whether a call may be given something that the module defines, as far as bare words tell: most are not.

    :param own: the last words of its functions and classes.
    """
    for value in arguments(call):
        if word(value) in own:
            return True
        if isinstance(value, ast.Name):
            owner = module.names.owner(value.id, module.calls.scope(call))
            if owner is not None and any(word(binding.node) in own for binding in owner.bindings[value.id]):
                return True
    return False


def _given(module: Module, call: ast.Call) -> Iterator[Code]:
    """The functions that a call is given, and the methods ``on_get`` and so on of objects, as Falcon serves by them."""
    scope = module.calls.scope(call)
    for value in arguments(call):
        for name in module.names.qualify(value, scope) if path(value) or isinstance(value, ast.Call) else ():
            node = module.names.definitions.get(name.removesuffix("()"))
            if isinstance(node, ast.ClassDef) and name.endswith("()"):
                yield from (method for method in _methods(node) if method.name.startswith("on_"))
            elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and path(value):
                yield node


def _methods(node: ast.ClassDef) -> Iterator[FunctionNode]:
    return (n for n in node.body if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef)))


def _is_view(module: Module, names: Names, node: ast.ClassDef, depth: int) -> bool:
    """Whether the methods of a class serve requests: one of its bases, here or in another module, says so."""
    for base in names.bases(names.scopes.of[node]) if depth < _DEEPEST else ():
        inner = names.definition(base)
        if inner is not None and isinstance(inner[1], ast.ClassDef) and _is_view(module, inner[0], inner[1], depth + 1):
            return True
        found = module.calls.vocabulary.meaning(base)
        if found is not None and found.role is Role.REQUEST_CLASS:
            return True
    return False
