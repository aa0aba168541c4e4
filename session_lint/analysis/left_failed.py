"""Sessions that outlive a function which leaves them failed: its next call, and all others, find them so.

One is in a field of an object, for its life; one stands at the top of a module, or is a thread's of a registry there.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis.aliases import made_by
from session_lint.analysis.failures import Swallowed, is_harmless
from session_lint.analysis.family import family
from session_lint.analysis.makers import makers
from session_lint.analysis.places import is_test
from session_lint.analysis.registries import is_registry, removed_somewhere
from session_lint.analysis.standing import is_in_script, opens_its_own
from session_lint.analysis.summaries import is_generator
from session_lint.python.nodes import is_none, own_nodes, own_of, path
from session_lint.python.scopes import below, is_self, parameters

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.analysis.borrowed import Borrowed
    from session_lint.analysis.facts import ModuleFacts
    from session_lint.analysis.makers import Made
    from session_lint.analysis.module import Module
    from session_lint.analysis.state import Fact, Mark, Site
    from session_lint.python.scopes import FunctionNode, Scope

_UNDOING = ("rollback", "invalidate", "reset")
_ENDING = (*_UNDOING, "close", "remove")


def left_failed(facts: ModuleFacts) -> Iterator[Swallowed]:
    """Every clause with which a function ends while a session that stays waits for a rollback."""
    module = facts.module
    if module is None or "except" not in facts.source.text or is_test(facts.source.filename):
        return
    for one in facts.borrowed:
        code = one.code
        if not isinstance(code, (ast.FunctionDef, ast.AsyncFunctionDef)) or not own_of(code, ast.Try) or not one.uses:
            continue
        if not _is_plain(module, code):
            continue
        opened = _at_top(module, one)
        if (opened is None and not _is_its_own(module, one)) or _called_once(module, code) or one.solved is None:
            continue
        left = [found for fact in one.solved.exits if fact.flying is None for found in _failed(facts, code, fact)]
        if left and (opened is None or not _undone_by_others(module, one, *opened)):
            then = min(one.uses, key=lambda call: (call.lineno, call.col_offset))
            for site, mark in left:
                yield Swallowed(site, code, mark.node, mark.other, then, one.called)  # type: ignore[arg-type]


def _failed(facts: ModuleFacts, code: FunctionNode, fact: Fact) -> Iterator[tuple[Site, Mark]]:
    """The clauses of a function that passed over a failure which nobody has undone at an end of it."""
    for mark in fact.marked("failed") if fact.site is not None else ():
        if mark.node in own_nodes(code) and mark.key != "read" and not is_harmless(facts, mark):
            yield fact.site, mark  # type: ignore[misc]  # it has one


def _is_plain(module: Module, code: FunctionNode) -> bool:
    """Whether a function is one that nothing of the project around it follows up."""
    if code.name.startswith("__") or is_generator(code):
        return False
    scope = module.names.scopes.of[code].parent or module.names.scopes.module
    decorators = [d.func if isinstance(d, ast.Call) else d for d in code.decorator_list]
    return all(_is_librarys(module, module.names.qualify(decorator, scope)) for decorator in decorators)


def _is_librarys(module: Module, names: frozenset[str]) -> bool:
    """Whether what goes by some names is a library's, which does not know the project's sessions."""
    return bool(names) and not any(map(module.calls.is_own, names))


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


def _at_top(module: Module, one: Borrowed) -> Made | None:
    """The one call, in the body of a module, that has opened a session for all, or made the registry that has it."""
    if one.in_context or is_self(module.names.scopes.of[one.code], one.name.partition(".")[0]):
        return None
    scope = module.names.scopes.of[one.code]
    made = made_by(module, one.node, scope) if one.managed else makers(module, one.node, scope)
    if len(made) != 1:
        return None
    ((home, call),) = made
    if home.calls.scope(call) is not home.names.scopes.module or is_in_script(home, call):
        return None
    known = is_registry(one) and not removed_somewhere(module, one) if one.managed else opens_its_own(home, call)
    return made[0] if known else None


def _undone_by_others(module: Module, one: Borrowed, opener: Module, opened: ast.Call) -> bool:
    """Whether something ends the transaction of a session at the top of a module besides clauses of functions, or may.

    A clause undoes the failure that it has caught itself.
    """
    last = one.name.rpartition(".")[2]
    homes = [module, opener]
    for ending in _ENDING:
        others = module.program.mentioning(module, f"{last}.{ending}")
        if others is None:
            return True
        homes += others
    return any(_may_undo(home, code, last, (opener, opened)) for home in dict.fromkeys(homes) for code, _ in home.codes)


def _may_undo(home: Module, code: ast.AST, last: str, made: Made) -> bool:
    """Whether a code may roll the session back that a call has opened, or close it, on its normal ways."""
    clauses = _in_clauses(code)
    ended = (
        call.func.value
        for call in own_of(code, ast.Call)
        if isinstance(call.func, ast.Attribute) and call.func.attr in _ENDING and call not in clauses
    )
    items = (item.context_expr for item in own_of(code, ast.withitem))
    entered = (node.func if isinstance(node, ast.Call) else node for node in items)
    for node in (*ended, *entered):
        if path(node).rpartition(".")[2] == last:
            others = makers(home, node, home.names.scopes.of[code])
            if not others or made in others:
                return True
    return False


def _in_clauses(code: ast.AST) -> set[ast.AST]:
    """What a code does once it has caught an error."""
    return {node for clause in own_of(code, ast.ExceptHandler) for node in own_nodes(clause)}


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
    once = len(bound) == 1 and not owner.bindings.get(field) and getattr(bound[0].scope.node, "name", "") in _ONCE
    return bound[0].node if once else None


_ONCE = ("__init__", "open_spider")
"""Methods that run once for an object: the second one Scrapy calls, before its pipelines get items."""


def _undone_elsewhere(module: Module, owner: Scope, field: str) -> bool:
    """Whether something rolls a field's session back besides the clauses of the class's methods, or may.

    What a method does to the field of its own object is nothing to the objects of another class.
    """
    others = module.program.mentioning(module, f".{field}.rollback")
    return others is None or any(_undone_in(home, module, owner, field) for home in (module, *others))


def _undone_in(home: Module, module: Module, owner: Scope, field: str) -> bool:
    """Whether something in a module does that.

    :param module: that of the class.
    """
    for code, scope in home.codes:
        clauses: set[ast.AST] | None = None
        for call in own_of(code, ast.Call):
            on = path(call.func.value) if isinstance(call.func, ast.Attribute) and call.func.attr in _UNDOING else ""
            if not on.endswith(f".{field}"):
                continue
            above = scope.parent
            own = on == f"{_first(code, above)}.{field}"
            if own and above is not owner and not _related(home, above, module, owner):  # type: ignore[arg-type]  # a class
                continue
            clauses = _in_clauses(code) if clauses is None else clauses
            if not own or above is not owner or call not in clauses:
                return True
    return False


def _first(code: ast.AST, above: Scope | None) -> str:
    """The first parameter of a method; empty for any other code."""
    method = above is not None and above.is_class and isinstance(code, (ast.FunctionDef, ast.AsyncFunctionDef))
    return parameters(code)[0].arg if method and parameters(code) else ""  # type: ignore[arg-type]  # see above


def _related(home: Module, one: Scope, module: Module, other: Scope) -> bool:
    """Whether one of two classes is a base of the other, each of a module."""
    return any(scope is other for _, scope in family(home, one)) or any(
        scope is one for _, scope in family(module, other)
    )
