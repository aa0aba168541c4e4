"""Sessions that objects keep for their life, and that a method leaves failed: its next call finds them so."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis.failures import Swallowed, is_harmless
from session_lint.analysis.places import is_test
from session_lint.analysis.standing import opens_its_own
from session_lint.analysis.summaries import is_generator
from session_lint.python.nodes import is_none, own_nodes, own_of, path
from session_lint.python.scopes import below, is_self, parameters

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.analysis.borrowed import Borrowed
    from session_lint.analysis.facts import ModuleFacts
    from session_lint.analysis.module import Module
    from session_lint.python.scopes import FunctionNode, Scope

_UNDOING = ("rollback", "invalidate", "reset")


def left_failed(facts: ModuleFacts) -> Iterator[Swallowed]:
    """Every clause with which a method ends while its object's own session waits for a rollback."""
    module = facts.module
    if module is None or "except" not in facts.source.text or is_test(facts.source.filename):
        return
    for one in facts.borrowed:
        code = one.code
        if not isinstance(code, (ast.FunctionDef, ast.AsyncFunctionDef)) or not own_of(code, ast.Try) or not one.uses:
            continue
        if not _is_plain(code) or not _is_its_own(module, one) or _called_once(module, code) or one.solved is None:
            continue
        for fact in one.solved.exits:
            for mark in fact.marked("failed") if fact.flying is None and fact.site is not None else ():
                if mark.node in own_nodes(code) and mark.key != "read" and not is_harmless(facts, mark):
                    then = min(one.uses, key=lambda call: (call.lineno, call.col_offset))
                    yield Swallowed(fact.site, code, mark.node, mark.other, then, one.called)  # type: ignore[arg-type]


def _is_plain(code: FunctionNode) -> bool:
    """Whether a method is one that nothing around it follows up."""
    return not (code.decorator_list or code.name.startswith("__") or is_generator(code))


def _called_once(module: Module, code: FunctionNode) -> bool:
    """Whether one call of a method is all that the project has, outside of loops: nothing may come after it."""
    places = [
        (caller, call)
        for home, caller in module.program.callers(module, code) or ()
        for call in home.calls_in(caller)
        if home.calls.callee(call).function is code
    ]
    return len(places) == 1 and not any(places[0][1] in below(loop) for loop in own_of(places[0][0], *_LOOPS))


_LOOPS = (ast.For, ast.AsyncFor, ast.While)


def _is_its_own(module: Module, one: Borrowed) -> bool:
    """Whether a class opens the session once, as it makes its objects, and only clauses ever roll it back."""
    own, _, field = one.name.partition(".")
    scope = module.names.scopes.of[one.code]
    owner = scope.parent
    if not field or not is_self(scope, own) or owner is None or not owner.is_class:
        return False
    holder, _, inner = field.rpartition(".")
    home, user = module, owner
    if holder:  # an object that this one has made for itself, and that opens a session for itself
        made = _only(owner, holder)
        callee = module.calls.callee(made) if isinstance(made, ast.Call) and made in module.calls else None
        if callee is None or callee.owner is None or callee.home is None:
            return False
        home = module.program.module(callee.home)
        owner = callee.home.scopes.of[callee.owner]
    opened = _only(owner, inner)
    if opened is None or not opens_its_own(home, opened):
        return False
    return not (_undone_elsewhere(home, owner, inner) or (holder and _undone_elsewhere(module, user, field)))


def _only(owner: Scope, field: str) -> ast.AST | None:
    """What a class puts into a field of its objects, where it does that once, as it makes them."""
    bound = [b for b in owner.attributes.get(field, ()) if not is_none(b.node)]
    once = len(bound) == 1 and not owner.bindings.get(field) and getattr(bound[0].scope.node, "name", "") == "__init__"
    return bound[0].node if once else None


def _undone_elsewhere(module: Module, owner: Scope, field: str) -> bool:
    """Whether something rolls a field's session back besides the clauses of the class's methods, or may."""
    if module.program.mentioning(module, f".{field}.rollback") != []:
        return True
    for code, scope in module.codes:
        clauses = {n for clause in own_of(code, ast.ExceptHandler) for n in own_nodes(clause)}
        first = parameters(code)[0].arg if scope.parent is owner and parameters(code) else ""  # type: ignore[arg-type]
        for call in own_of(code, ast.Call):
            on = path(call.func.value) if isinstance(call.func, ast.Attribute) and call.func.attr in _UNDOING else ""
            if on.endswith(f".{field}") and (call not in clauses or on != f"{first}.{field}"):
                return True
    return False
