"""What calls pass to the parameters of functions, by the names of modules alone."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.python.remembered import remembered
from session_lint.python.scopes import key_of
from session_lint.python.words import word

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.python.names import Names
    from session_lint.python.scopes import FunctionNode, Scope

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


Passing = tuple[ast.expr, ast.Call, "Scope"]
"""An argument that goes by a name, the call and the scope that it stands in."""


def passings(names: Names) -> dict[str, list[Passing]]:
    """The arguments of all calls of a module that go by a name, or that are made for the call, by the word of each.

    A variable of a function goes by the word of the call, too, that gives it its value. They are asked for of every
    module that has to do with sessions, hence hardly any calls in here.
    """
    found: dict[str, list[Passing]] = {}
    made: dict[Scope, dict[str, str]] = {}
    for call, scope in names.scopes.calls.items():
        for argument in (*call.args, *[keyword.value for keyword in call.keywords]):
            for part in argument.elts if isinstance(argument, (ast.Tuple, ast.List)) else (argument,):
                if isinstance(part, ast.Name):
                    found.setdefault(part.id, []).append((part, call, scope))
                    if given := _made_locally(part.id, scope, made):
                        found.setdefault(given, []).append((part, call, scope))
                elif isinstance(part, ast.Call):
                    found.setdefault(word(part), []).append((part, call, scope))
                elif isinstance(part, ast.Attribute):
                    found.setdefault(part.attr, []).append((part, call, scope))
                elif isinstance(part, ast.Subscript) and (key := key_of(part)):
                    found.setdefault(key, []).append((part, call, scope))
    return found


def _made_locally(name: str, scope: Scope | None, known: dict[Scope, dict[str, str]]) -> str:
    """The word of the call that gives a variable of a function its value; empty for any other variable."""
    while scope is not None and name not in scope.bindings:
        scope = scope.parent
    if scope is None or isinstance(scope.node, (ast.Module, ast.ClassDef)):
        return ""
    if scope not in known:
        bound = ((one, b.node) for one, bindings in scope.bindings.items() for b in bindings)
        known[scope] = {one: word(node) for one, node in bound if isinstance(node, ast.Call)}
    return known[scope].get(name, "")


def calls_made(call: ast.Call) -> list[ast.Call]:
    """A call, and the one that is made later of a function and arguments that it is given."""
    made = applied(call)
    later = made is not None and isinstance(made.func, (ast.Name, ast.Attribute)) and (made.args or made.keywords)
    return [call, made] if made is not None and later else [call]


@remembered
def by_word(names: Names) -> dict[str, list[tuple[int, ast.Call, ast.Call, Scope]]]:
    """The calls of a module, and those that they have made later, by the word that each calls.

    Each comes after its place in the text, with the call that stands there and its scope.
    """
    found: dict[str, list[tuple[int, ast.Call, ast.Call, Scope]]] = {}
    made = ((one, call, scope) for call, scope in names.scopes.calls.items() for one in calls_made(call))
    for place, (one, call, scope) in enumerate(made):
        found.setdefault(word(one.func), []).append((place, one, call, scope))
    return found


@remembered
def applied(call: ast.Call) -> ast.Call | None:
    """The call that is made later: ``f(s)`` of ``partial(f, s)`` and of ``Thread(target=f, args=(s,))``."""
    named = {k.arg: k.value for k in call.keywords if k.arg is not None}
    if "target" in named:
        given = named.get("args", ast.Tuple([], ast.Load()))
        if not isinstance(given, (ast.Tuple, ast.List)):
            return None
        return ast.copy_location(ast.Call(named["target"], given.elts, []), call)
    if not call.args:
        return None
    return ast.copy_location(ast.Call(call.args[0], call.args[1:], call.keywords), call)


def receiving(names: Names, passing: Passing) -> set[str]:
    """The names of the parameters that may get an argument: whether an object fills the first one is not asked."""
    argument, call, scope = passing
    found: set[str] = set()
    for made in calls_made(call):
        places = [i for i, one in enumerate(made.args) if one is argument]
        keywords = {k.arg for k in made.keywords if k.value is argument and k.arg is not None}
        for function in _called(names, made, scope) if places or keywords else ():
            by_place = [a.arg for a in (*function.args.posonlyargs, *function.args.args)]
            found |= keywords & {*by_place, *(a.arg for a in function.args.kwonlyargs)}
            found |= {name for i in places for name in by_place[i : i + 2]}
    return found


def _called(names: Names, call: ast.Call, scope: Scope) -> Iterator[FunctionNode]:
    """The functions of the project that a call may run: that of a name, the ``__init__`` of a class."""
    for name in sorted(names.qualify(call.func, scope)):
        found = names.definition(name)
        if found is not None and isinstance(found[1], ast.ClassDef):
            home = found[0]
            inits = home.member(home.scopes.of[found[1]], "__init__", instance=False)
            found = next((d for q in sorted(inits) if (d := home.definition(q)) is not None), None)
        if found is not None and isinstance(found[1], _FUNCTIONS):
            yield found[1]
