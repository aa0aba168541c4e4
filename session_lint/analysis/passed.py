"""Factories, or scopes, that a function is given: callers pass one for a parameter, which a field may keep."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis.arguments import bind
from session_lint.analysis.calls import ANY_CALLABLE
from session_lint.analysis.places import is_test
from session_lint.analysis.provided import provided
from session_lint.python.passing import by_word
from session_lint.python.scopes import BindingKind, parameters_with_defaults
from session_lint.vocabulary import Role

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from session_lint.analysis.module import Module
    from session_lint.python.scopes import Binding, FunctionNode, Scope

OPENING = (Role.FACTORY, Role.SCOPE)
"""What a function may be given that opens a session when it is called."""
_DEEPEST = 3
"""How many functions may pass a factory on."""
Given = tuple["Module", ast.expr, "Scope"]
"""An argument, the module it stands in and the scope."""


def passed(module: Module, node: ast.expr, scope: Scope) -> frozenset[str]:
    """The dotted names of the factories that callers pass for a parameter, or for what a field was filled with.

    Nothing where it is no such thing, where nobody is seen to pass one, and where somebody passes anything else. What
    is known of one caller counts for those of whose arguments nothing is; and where the code has one of its own for
    whoever passes none, that is what it takes all others for, too.
    """
    found = parameter(module, node, scope)
    given = frozenset[str]() if found is None else factories(*found)
    return given or module.pending.ask_once(module.standing_in, (node, scope), lambda: _own(module, node, scope), given)


def standing_in(module: Module, bindings: Iterable[Binding]) -> frozenset[str]:
    """The factories that a name stands for where nothing else was passed, by all that it is bound to."""
    seen: set[Binding] = set()
    return frozenset(_all(_fallback_bound(module, binding, seen) for binding in bindings) or ())


def _own(module: Module, node: ast.expr, scope: Scope) -> frozenset[str]:
    return frozenset(_fallback(module, node, scope, set()) or ())


def _fallback(module: Module, node: ast.expr, scope: Scope, seen: set[Binding]) -> set[str] | None:
    """The factories that an expression stands for where nothing else was passed: ``given or SessionLocal``.

    :param seen: the bindings that were asked already; each is asked once, for what any of them stands for counts.
    :returns: ``None`` where it may stand for something of another kind.
    """
    if isinstance(node, ast.Constant):
        return set()
    if isinstance(node, (ast.BoolOp, ast.IfExp)):
        parts = node.values if isinstance(node, ast.BoolOp) else [node.body, node.orelse]
        return _all(_fallback(module, part, scope, seen) for part in parts)
    names = module.names.qualify(node, scope)
    if not module.calls.says_nothing(names):
        meaning = module.calls.meaning(names)
        return set(names) if meaning is not None and meaning.role in OPENING else None
    bindings: list[Binding] = []
    if isinstance(node, ast.Name):
        owner = module.names.owner(node.id, scope)
        bindings = owner.bindings[node.id] if owner is not None else []
        if not seen.isdisjoint(bindings[:1]):  # who has asked one of them asks them all
            return set()
    elif isinstance(node, ast.Attribute) and (outer := module.names.own_class(node.value, scope)) is not None:
        bindings = [*outer.bindings.get(node.attr, ()), *outer.attributes.get(node.attr, ())]
    if not bindings:
        return {*module.kept_outside(node, scope)} or None
    return _all(_fallback_bound(module, binding, seen) for binding in bindings)


def _fallback_bound(module: Module, binding: Binding, seen: set[Binding]) -> set[str] | None:
    """The same of what a name is bound to; a parameter of which nothing is known may be anything that will do."""
    if binding in seen:
        return set()
    seen.add(binding)
    if binding.kind is BindingKind.VALUE and isinstance(binding.node, ast.expr):
        return _fallback(module, binding.node, binding.scope, seen)
    function = binding.scope.node
    if binding.kind is not BindingKind.PARAMETER or not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return None
    default = next((d for arg, d in parameters_with_defaults(function) if arg is binding.node), None)
    return set() if default is None else _fallback(module, default, binding.scope.parent or binding.scope, seen)


def _all(found: Iterable[set[str] | None]) -> set[str] | None:
    told = set[str]()
    for one in found:
        if one is None:
            return None
        told |= one
    return told


def factories(module: Module, arg: ast.arg, function: FunctionNode) -> frozenset[str]:
    """The same for a parameter of a function."""
    return module.pending.ask_once(module.passed, arg, lambda: _names(module, arg, function), frozenset())


def parameter(module: Module, node: ast.expr, scope: Scope) -> tuple[Module, ast.arg, FunctionNode] | None:
    """The parameter that a variable or a field of the object stands for, and its function."""
    if isinstance(node, ast.Name):
        owner = module.names.owner(node.id, scope)
        return bound_to(module, owner.bindings[node.id]) if owner is not None else None
    outer = module.names.own_class(node.value, scope) if isinstance(node, ast.Attribute) else None
    return of_field(module, outer, node.attr) if outer is not None else None  # type: ignore[attr-defined]  # a field


def of_field(module: Module, owner: Scope, name: str) -> tuple[Module, ast.arg, FunctionNode] | None:
    """The parameter of a method that a field of a class is filled with, once and for all."""
    bindings = [*owner.bindings.get(name, ()), *owner.attributes.get(name, ())]
    if len(bindings) != 1 or not isinstance(value := bindings[0].node, ast.Name):
        return None
    inner = module.names.owner(value.id, bindings[0].scope)
    return bound_to(module, inner.bindings[value.id]) if inner is not None else None


def bound_to(module: Module, bindings: list[Binding]) -> tuple[Module, ast.arg, FunctionNode] | None:
    """The one thing that a name is bound to, where that is a plain parameter."""
    binding = bindings[0]
    function = binding.scope.node
    if len(bindings) != 1 or binding.kind is not BindingKind.PARAMETER or isinstance(function, ast.Lambda):
        return None
    arg = binding.node
    assert isinstance(arg, ast.arg)
    assert isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef))
    return None if arg in (function.args.vararg, function.args.kwarg) else (module, arg, function)


def _names(module: Module, arg: ast.arg, function: FunctionNode) -> frozenset[str]:
    found: set[str] = set()
    roles: set[Role] = set()
    for home, argument, scope in given(module, arg, function) or ():
        names = passed_as(home, argument, scope) or home.kept_outside(argument, scope)
        meaning = home.calls.meaning(names) if names else None
        if meaning is None and _says_nothing(home, argument, names):
            continue
        if meaning is None or meaning.role not in OPENING:
            return frozenset()
        found |= names
        roles.add(meaning.role)
    return frozenset(found) if len(roles) == 1 else frozenset()


def _says_nothing(home: Module, argument: ast.expr, names: frozenset[str]) -> bool:
    """Whether nothing is known of an argument: it is read off an object, or given by a function that nobody knows."""
    return isinstance(argument, ast.Attribute) and all(
        home.calls.says_nothing(frozenset({name})) or _is_read(home, name) for name in names
    )


def _is_read(home: Module, name: str) -> bool:
    made, called, field = name.rpartition("()")
    found = home.names.definition(made) if called and not field else None
    given = found is not None and isinstance(found[1], (ast.FunctionDef, ast.AsyncFunctionDef))
    return given or bool(called and field)


def passed_as(home: Module, argument: ast.expr, scope: Scope) -> frozenset[str]:
    """The dotted names of an argument, as the function gets it."""
    return provided(home, argument, scope) or home.names.qualify(argument, scope)


def given(module: Module, arg: ast.arg, function: FunctionNode, depth: int = 0) -> list[Given] | None:
    """What callers pass for a parameter, as far as they are seen; ``None`` where one of them cannot be understood.

    Tests pass what serves them: where others call the function, they do not count.
    """
    return module.pending.ask(module.given, (arg, depth), lambda: _given(module, arg, function, depth))


def _given(module: Module, arg: ast.arg, function: FunctionNode, depth: int) -> list[Given] | None:
    name = module.program.name_of(module, function)
    others = module.program.mentioning(module, name)
    if others is None or depth > _DEEPEST:
        return None
    seen = [
        (home, one)
        for home in (module, *others)
        for call, scope in _calls(home, {function.name, *home.names.aliases(name)})
        for one in _arguments(module, arg, function, home, call, scope)
    ]
    counted = [one for home, one in seen if not serves_tests(home)] or [one for _, one in seen]
    found: list[Given] = []
    for one in counted:
        passed_on = None if one is None else _passed_on(one, depth)
        if passed_on is None:
            return None
        found += passed_on
    return found


def _calls(home: Module, aliases: set[str]) -> Iterator[tuple[ast.Call, Scope]]:
    """The calls of a module that may be of a function of some names, or have one made."""
    known = by_word(home.names)
    for _, made, call, scope in sorted(one for alias in aliases for one in known.get(alias, ())):
        home.calls.stands_in(made, call)
        yield made, scope


def _arguments(
    module: Module, arg: ast.arg, function: FunctionNode, home: Module, call: ast.Call, scope: Scope
) -> Iterator[Given | None]:
    """What a call passes for a parameter, if it is one of the function; ``None`` for what cannot be seen."""
    callee = home.calls.callee(call)
    made = home.initialiser(callee)
    if function is not (made[1] if made is not None else callee.function):
        return
    if any(isinstance(a, ast.Starred) for a in call.args) or any(k.arg is None for k in call.keywords):
        yield None
        return
    value = bind(call, function, bound=callee.bound or made is not None).get(arg.arg)
    if value is not None:
        own = any(value is a for a in (*call.args, *(k.value for k in call.keywords)))
        yield (home, value, scope) if own else (module, value, module.names.scopes.of[function].parent or scope)


def _passed_on(one: Given, depth: int) -> list[Given] | None:
    """An argument; where it is a parameter of the caller, what is passed for that."""
    home, argument, scope = one
    further = parameter(home, argument, scope) if home.names.qualify(argument, scope) <= ANY_CALLABLE else None
    return [one] if further is None else given(*further, depth + 1)


def serves_tests(home: Module) -> bool:
    """Whether a module belongs to the tests of its project."""
    project = home.program.project
    path = None if project is None else project.unit(home.names).path
    inside = path is not None and project is not None and path.is_relative_to(project.root)
    return is_test(str(path.relative_to(project.root)) if inside else home.source.filename)  # type: ignore[union-attr]  # there is one
