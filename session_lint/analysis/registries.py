"""Thread-local registries that are used where nobody removes their session: in threads, workers, requests."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis.aliases import is_registry_call, made_by, stands_for
from session_lint.analysis.inference import shared_by
from session_lint.analysis.places import is_test
from session_lint.analysis.removers import may_serve, run_by
from session_lint.analysis.state import State
from session_lint.python.nodes import own_nodes, own_of, path
from session_lint.python.passing_on import wrapper
from session_lint.python.scopes import below
from session_lint.python.words import word
from session_lint.values import dataclass
from session_lint.vocabulary import Role
from session_lint.vocabulary.tables import MAKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.analysis.borrowed import Borrowed
    from session_lint.analysis.facts import ModuleFacts
    from session_lint.analysis.module import Module
    from session_lint.analysis.state import Fact
    from session_lint.python.scopes import Scope

_ENDING = ("remove", "close")
_GIVEN_BACK = (State.IDLE, State.CLOSED)
_DEEPEST = 3
_TEARING = ("teardown", "on_finish")
"""Words of which a module holds one where it says what is done at the end of each request."""
_MANAGER = "zope.sqlalchemy"
"""What closes sessions when a transaction of the transaction manager ends, as Pyramid's does after each request."""


@dataclass(frozen=True, eq=False)
class Unremoved:
    """A registry's session that stays behind.

    :param use: the first use in the function.
    :param where: what runs the function: ``thread``, ``process`` (a worker's), ``request``.
    :param told: the call or function that shows it.
    """

    use: ast.Call
    name: str
    code: ast.AST
    where: str
    told: ast.AST


def unremoved(facts: ModuleFacts) -> Iterator[Unremoved]:
    """The first use of a registry in each function that runs by itself, where nobody removes the session."""
    if facts.module is None:
        return
    for one in facts.borrowed:
        if not one.managed or not one.uses or not is_registry(one) or _removes(facts.module, one.code, 0):
            continue
        if one.solved is not None and all(map(_leaves_nothing, one.solved.exits)):
            continue
        found = run_by(facts.module, one.code) or _reached_from(facts.module, one.code, 0)
        elsewhere = ("request", "process")  # whose end a teardown, or a task queue's signal, may hear of
        if found is None or (found[0] in elsewhere and removed_somewhere(facts.module, one)):
            continue
        use = min(one.uses, key=lambda call: (call.lineno, call.col_offset))
        yield Unremoved(use, one.name, one.code, *found)


def _leaves_nothing(fact: Fact) -> bool:
    """Whether a way has ended the transaction, or has not used the session at all: nothing of it stays behind."""
    return fact.state in _GIVEN_BACK or (fact.state is State.NEW and fact.pending is None)


def is_registry(one: Borrowed) -> bool:
    """Whether it is a registry that the project made itself: one of a library's extension has its own remover."""
    made = made_by(one.module, one.node, one.module.names.scopes.of[one.code])
    return bool(made) and all(home.calls.callee(call).role is Role.REGISTRY_MAKER for home, call in made)


def _removes(module: Module, code: ast.AST, depth: int) -> bool:
    """Whether a function, or one that it calls, lets go of some session; one whose decorators are unknown may."""
    if isinstance(code, (ast.FunctionDef, ast.AsyncFunctionDef)) and depth == 0 and not _is_plain(module, code):
        return True
    if any(_closes_at_its_end(module, item) for item in own_of(code, ast.withitem)):
        return True
    failed = _after_failures(module, code)
    for node in own_of(code, ast.Call):
        if node not in module.calls or node in failed:
            continue
        if isinstance(node.func, ast.Attribute) and node.func.attr in _ENDING and not node.args:
            return True
        callee = module.calls.callee(node)
        inner = callee.function if depth < _DEEPEST else None
        if inner is not None and _removes(module.at(callee), inner, depth + 1):
            return True
    return False


def _after_failures(module: Module, code: ast.AST) -> set[ast.AST]:
    """What a code does only once it has caught an error of the database: the normal way passes it by."""
    scope, listed = module.names.scopes.of[code], module.exceptions.listed
    clauses = own_of(code, ast.ExceptHandler)
    caught = [c for c in clauses if any(map(module.exceptions.of_database, listed(c.type, scope)))]
    return {node for clause in caught for node in own_nodes(clause)}


def _closes_at_its_end(module: Module, item: ast.withitem) -> bool:
    """Whether a ``with`` closes a registry's session: ``with Registry() as session``, or a scope over one."""
    call = item.context_expr
    if not isinstance(call, ast.Call):
        return False
    if is_registry_call(module, call):
        return True
    callee = module.calls.callee(call)
    scope = callee.role is Role.SCOPE
    found = [d for name in sorted(callee.names) if (d := module.names.definition(name))] if scope else []
    functions = [(home, n) for home, n in found if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef))]
    return any(shared_by(module.program.module(home), function) for home, function in functions)


def _is_plain(module: Module, code: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether the decorators of a function are all known to leave its end alone."""
    scope = module.names.scopes.of[code].parent or module.names.scopes.module
    for decorator in code.decorator_list:
        target = decorator.func if isinstance(decorator, ast.Call) else decorator
        names = module.names.qualify(target, scope)
        if module.calls.meaning(names) is None and path(target) not in ("staticmethod", "classmethod"):
            around = wrapper(module.names, code, decorator)
            if around is None or _removes(module.program.module(around[0]), around[1], 1):
                return False
    return True


def _reached_from(module: Module, code: ast.AST, depth: int) -> tuple[str, ast.AST] | None:
    """What runs a function through others, none of which lets go of a session, and where one sees that."""
    if not isinstance(code, (ast.FunctionDef, ast.AsyncFunctionDef)) or depth >= _DEEPEST:
        return None
    for home, caller in module.program.callers(module, code, concerned=False) or ():
        if isinstance(caller, ast.Module) or _removes(home, caller, 0):
            continue
        found = run_by(home, caller)
        if found is not None and any(
            one.code is caller and one.managed and one.uses for one in module.program.facts(home).borrowed
        ):
            continue  # which is told of itself
        found = found or _reached_from(home, caller, depth + 1)
        if found is not None:
            return found
    return None


def removed_somewhere(module: Module, one: Borrowed) -> bool:
    """Whether anything in the project removes a registry's session for whoever has used it, or may."""
    if module.program.speaks_of(module, _MANAGER) or taken_down(module, one):
        return True
    others = module.program.mentioning(module, ".remove")
    if others is None:
        return True
    last = one.name.rpartition(".")[2]
    mine = stands_for(one.module, one.node, one.module.names.scopes.of[one.code])
    tested = is_test(module.source.filename)
    for home in (module, *others):
        if not tested and is_test(home.source.filename):
            continue  # what tests tidy up, they do for themselves
        removing = (c for c in home.names.scopes.calls if word(c.func) == "remove" and not c.args)
        if any(_may_be_of(home, call, last, mine) and may_serve(home, call) for call in removing):
            return True
        if handed_on(home, last, mine):
            return True
    return False


def _may_be_of(home: Module, call: ast.Call, last: str, mine: frozenset[ast.Call]) -> bool:
    """Whether a ``remove()`` may be of a registry, and runs after somebody has had its session."""
    if not isinstance(call.func, ast.Attribute):
        return False
    node, scope = call.func.value, home.calls.scope(call)
    if _another(home, node, scope, mine) or _sets_up(home, call):
        return False
    if path(node).rpartition(".")[2] in ("", last) or _looked_up(home, node, scope) or _of_request(home, node, scope):
        return True
    return any(name.startswith("sqlalchemy.") for name in home.names.qualify(node, scope))


def _of_request(home: Module, node: ast.expr, scope: Scope) -> bool:
    """Whether an expression is a field of a request's context, in which any registry may stand: ``g.session``."""
    from session_lint.analysis.teardowns import is_request_field  # noqa: PLC0415  (few modules need it)

    return is_request_field(home, node, scope)


def _sets_up(home: Module, call: ast.Call) -> bool:
    """Whether a call stands in code that makes an engine or a factory: it runs once, before anybody has a session."""
    code = home.code_of(home.calls.scope(call))
    return any(home.calls.callee(one).role in MAKING for one in home.calls_in(code))


def _looked_up(home: Module, node: ast.expr, scope: Scope) -> bool:
    """Whether a variable holds what was found by a name: ``getattr(module, name)``."""
    bindings = scope.bindings.get(node.id, ()) if isinstance(node, ast.Name) else ()
    called = (b.node for b in bindings if isinstance(b.node, ast.Call))
    return any("builtins.getattr" in home.names.qualify(one.func, scope) for one in called)


def taken_down(module: Module, one: Borrowed) -> bool:
    """Whether a teardown closes a registry's session, or may."""
    from session_lint.analysis.teardowns import closed_at_teardown  # noqa: PLC0415  (few modules need it)

    word = one.name.rpartition(".")[2]
    tearing = [module.program.saying(module, hook) for hook in _TEARING]
    homes = [module, *(home for found in tearing for home in found or ())]
    return None in tearing or any(closed_at_teardown(home, word) for home in dict.fromkeys(homes))


def _another(module: Module, node: ast.expr, scope: Scope, mine: frozenset[ast.Call]) -> bool:
    """Whether an expression surely stands for another registry."""
    other = stands_for(module, node, scope) if mine else frozenset()
    return bool(other) and mine.isdisjoint(other)


def handed_on(module: Module, last: str, mine: frozenset[ast.Call]) -> bool:
    """Whether a remover stands for itself somewhere, without being called: ``app.teardown_request(Session.remove)``.

    :param last: the last word of the registry's name.
    """
    called = module.names.scopes.called
    read = (n for n in below(module.names.scopes.module.node) if isinstance(n, ast.Attribute) and n.attr == "remove")
    named = [n.value for n in read if n not in called and path(n.value).rpartition(".")[2] == last]
    return any(not _another(module, node, module.names.scopes.module, mine) for node in named)
