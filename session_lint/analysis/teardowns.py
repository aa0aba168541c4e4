"""Sessions that are opened for a request and put into its context, and who closes them at its end."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis.holding import closes, releasing
from session_lint.analysis.state import SiteKind
from session_lint.python.nodes import nodes_in, own_nodes, path
from session_lint.python.scopes import parameters
from session_lint.values import dataclass
from session_lint.vocabulary import Role

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from session_lint.analysis.facts import ModuleFacts
    from session_lint.analysis.module import Module
    from session_lint.analysis.state import Site
    from session_lint.python.scopes import FunctionNode, Scope

_REQUEST = "flask.g"
_DEEPEST = 3
_OF_REQUESTS = ("ctx", "state")
"""Where requests of Sanic and Starlette have what handlers put there."""
_OF_MIDDLEWARE = ("state", "context")
_AFTER = ("after_request", "after_app_request")


@dataclass(frozen=True, eq=False)
class Opened:
    """A session in the context of requests that no teardown closes.

    :param field: the context's field, ``g.db``.
    :param after: a hook that closes it, but is not run after every error; ``None`` for none.
    """

    site: Site
    code: ast.AST
    target: ast.AST
    field: str
    after: ast.AST | None


def without_teardown(facts: ModuleFacts) -> Iterator[Opened]:
    """Every session that is put into ``flask.g`` and that nothing closes when the request ends."""
    module = facts.module
    if module is None:
        return
    for obligation in facts.obligations(SiteKind.OWNED):
        scope = module.names.scopes.of[obligation.site.code]
        kept = [m.node for e in obligation.endings for m in e.fact.marked("kept")]
        own = next((n for n in kept if _is_of_handler(module, obligation.site.code, n)), None)
        if isinstance(own, ast.Attribute) and not _closed_anywhere(module, own.attr):
            yield Opened(obligation.site, obligation.site.code, own, path(own), None)
        target = next((n for n in kept if is_request_field(module, n, scope)), None)
        if isinstance(target, ast.Attribute):
            after = after_requests(module, target.attr)
            if after is not None:
                node = after[0] if after else None
                yield Opened(obligation.site, obligation.site.code, target, path(target), node)


def is_request_field(module: Module, node: ast.AST | None, scope: Scope) -> bool:
    """Whether an expression is a field of Flask's, or Quart's, context of a request."""
    if not isinstance(node, ast.Attribute):
        return False
    return _REQUEST in map(module.calls.vocabulary.canonical, module.names.qualify(node.value, scope))


def _is_of_handler(module: Module, code: ast.AST, node: ast.AST | None) -> bool:
    """Whether an expression is a field of what a request that a function handles has for itself: ``request.ctx.db``."""
    if not isinstance(code, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return False
    given, _, field = path(node).partition(".") if isinstance(node, ast.Attribute) else ("", "", "")
    named = [arg.arg for arg in parameters(code)]
    if _is_of_middleware(module, code, named):
        return field.partition(".")[0] in _OF_MIDDLEWARE and "." in field and given in named or given in named[3:4]
    if code not in module.handlers:
        return False
    return field.partition(".")[0] in _OF_REQUESTS and "." in field and given in {arg.arg for arg in parameters(code)}


def _is_of_middleware(module: Module, code: FunctionNode, named: list[str]) -> bool:
    """Whether a method is what Starlette's middleware does for each request, or Falcon's before each.

    :param named: its parameters.
    """
    outer = module.names.scopes.of[code].parent
    if outer is None or not outer.is_class:
        return False
    if code.name == "dispatch":
        return named[2:] == ["call_next"]
    return code.name in ("process_request", "process_resource") and named[2:3] == ["resp"]


def _closed_anywhere(module: Module, field: str) -> bool:
    """Whether some code takes what stands in a field of that name, and closes something; also where nobody can tell."""
    others = module.program.mentioning(module, field)
    if others is None:
        return True
    return any(_lets_go_of(code, field) for home in (module, *others) for code, _ in home.codes)


def _lets_go_of(code: ast.AST, field: str) -> bool:
    """Whether a code names a field and closes something, or enters it."""
    nodes = own_nodes(code)
    named = any(getattr(n, "attr", getattr(n, "value", None)) == field for n in nodes)
    return named and any(
        (isinstance(n, ast.Attribute) and closes(n.attr)) or isinstance(n, (ast.withitem, ast.Yield)) for n in nodes
    )


def after_requests(module: Module, field: str) -> list[ast.AST] | None:
    """The hooks after requests that close a field; ``None`` where a teardown closes it, or anybody else may."""
    others = module.program.saying(module, "teardown")
    closing = module.program.mentioning(module, field)
    if others is None or closing is None:
        return None
    modules = dict.fromkeys([module, *others, *closing])
    if any(_may_close(home, code, field, 0) for home in modules for code in _teardowns(home)):
        return None
    told = [*modules, *(module.program.mentioning(module, "after_request") or ())]
    hooks = {code for home in told for code in _registered(home, _AFTER)}
    after: list[ast.AST] = []
    for home in modules:
        for code, _ in home.codes:
            if _lets_go(code, field):
                if code not in hooks:
                    return None
                after.append(code)
    return after


def _teardowns(module: Module) -> Iterator[FunctionNode]:
    """The functions that are registered to run at the end of each request, whatever happens in it."""
    named = module.calls.vocabulary.names.items()
    return _registered(module, {name.rpartition(".")[2] for name, meaning in named if meaning.role is Role.TEARDOWN})


def _registered(module: Module, words: Collection[str]) -> Iterator[FunctionNode]:
    """The functions that are registered by one of some words."""
    for scope in module.names.scopes.of.values():
        node = scope.node
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and any(
            isinstance(d, ast.Attribute) and d.attr in words for d in node.decorator_list
        ):
            yield node
    for call, scope in module.names.scopes.calls.items():
        if isinstance(call.func, ast.Attribute) and call.func.attr in words:
            for value in call.args:
                for name in module.names.qualify(value, scope):
                    found = module.names.definition(name)
                    if found is not None and isinstance(found[1], (ast.FunctionDef, ast.AsyncFunctionDef)):
                        yield found[1]
                    else:
                        yield _UNREAD
                if isinstance(value, ast.Lambda) or not module.names.qualify(value, scope):
                    yield _UNREAD


def closed_at_teardown(module: Module, word: str) -> bool:
    """Whether something that is registered to run at the end of each request closes what goes by a name."""
    codes: list[ast.AST] = list(_teardowns(module))
    words = {name.rpartition(".")[2] for name, m in module.calls.vocabulary.names.items() if m.role is Role.TEARDOWN}
    if any(getattr(code, "name", "") in words for code, _ in module.codes):  # a method of a class of views
        codes += [code for code in module.handlers if getattr(code, "name", "") in words]
    for call in module.names.scopes.calls:
        if isinstance(call.func, ast.Attribute) and call.func.attr in words:
            codes += [value.body for value in call.args if isinstance(value, ast.Lambda)]
    closing = (n for n in nodes_in(codes) if isinstance(n, ast.Attribute))
    return any(node.attr == "close" and path(node.value).rpartition(".")[2] == word for node in closing)


_UNREAD = ast.FunctionDef("", ast.arguments([], [], None, [], [], None, []), [], [], None)
"""A function that nobody has read."""


def _may_close(module: Module, code: FunctionNode, field: str, depth: int) -> bool:
    """Whether a function closes a field, or calls something that may."""
    if code is _UNREAD or _lets_go(code, field):
        return True
    for node in own_nodes(code):
        if isinstance(node, ast.Call) and node in module.calls:
            callee = module.calls.callee(node)
            if callee.function is not None and depth < _DEEPEST:
                if _may_close(module.at(callee), callee.function, field, depth + 1):
                    return True
            elif callee.meaning is None and callee.own and not callee.receiver.startswith("g."):
                return True
    return False


def _lets_go(code: ast.AST, field: str) -> bool:
    """Whether a function takes the field out of the context, by its name, and closes something."""
    nodes = own_nodes(code)
    names_it = any(
        (isinstance(n, ast.Attribute) and n.attr == field and path(n.value).rpartition(".")[2] in ("g", "_app_ctx"))
        or (isinstance(n, ast.Constant) and n.value == field)
        for n in nodes
    )
    return names_it and any(
        (isinstance(n, ast.Attribute) and closes(n.attr)) or (isinstance(n, ast.Name) and releasing(n.id))
        for n in nodes
    )
