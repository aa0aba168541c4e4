"""Coroutines that are made at one place and waited for at another: ``tasks = [fetch()]``, ``await gather(*tasks)``."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis.handing import COMPREHENSIONS, DISPLAYS, runs
from session_lint.analysis.summaries import is_generator
from session_lint.python.nodes import assigned_at, assigned_in, own_of, path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.analysis.module import Module


def only_made(module: Module, call: ast.Call) -> bool:
    """Whether a call makes a coroutine that is kept, or given back: nothing of it runs there."""
    above = module.parents.get(call)
    while isinstance(above, (ast.Starred, *DISPLAYS, *COMPREHENSIONS)):
        above = module.parents.get(above)
    kept = _keeper(above, call)
    if kept is None and not isinstance(above, ast.Return):
        return False
    function = module.calls.callee(call).function
    if function is not None:
        return isinstance(function, ast.AsyncFunctionDef) and not is_generator(function)
    return bool(kept) and _is_gathered(module, module.code_of(module.calls.scope(call)), kept)  # type: ignore[arg-type]


def _keeper(above: ast.AST | None, call: ast.Call) -> str | None:
    """The variable that is given what a call makes, or has it appended; empty for something else, ``None`` for none."""
    if isinstance(above, ast.Call) and isinstance(above.func, ast.Attribute) and above.func.attr == "append":
        return path(above.func.value) if call in above.args else None
    given = assigned_at(above)
    return None if given is None else path(given.targets[0])


def _is_gathered(module: Module, code: ast.AST, name: str) -> bool:
    """Whether some call of a code gathers what a variable holds."""
    for one in own_of(code, ast.Call):
        given = (a.value if isinstance(a, ast.Starred) else a for a in one.args)
        if any(path(a) == name for a in given) and one in module.calls and runs(module, one) == "gather":
            return True
    return False


def gathered(module: Module, call: ast.Call) -> Iterator[ast.Call]:
    """The calls that make what an awaited call waits for, but for those that stand in it and are made with it."""
    if call not in module.names.scopes.awaited or runs(module, call) != "gather":
        return
    code = module.code_of(module.calls.scope(call))
    for argument in call.args:
        given = argument.value if isinstance(argument, ast.Starred) else argument
        if isinstance(given, ast.GeneratorExp):  # it is gone through when everything else is made
            yield from _made(module, given)
        elif isinstance(given, ast.Name):
            yield from _kept(module, code, given.id)


def _kept(module: Module, code: ast.AST, name: str) -> Iterator[ast.Call]:
    """The calls that make what a variable of a code holds."""
    values = [a.value for a in assigned_in(code) for t in a.targets if isinstance(t, ast.Name) and t.id == name]
    if len(values) != 1:
        return
    yield from _made(module, values[0])
    for one in own_of(code, ast.Call):
        if path(one.func) == f"{name}.append" and len(one.args) == 1:
            yield from _made(module, one.args[0])


def _made(module: Module, node: ast.expr) -> Iterator[ast.Call]:
    """The calls that make the coroutines of an expression; of a task, what it runs."""
    if isinstance(node, DISPLAYS):
        for one in node.elts:
            yield from _made(module, one)
    elif isinstance(node, COMPREHENSIONS):
        yield from _made(module, node.elt)
    elif isinstance(node, ast.Call) and node in module.calls:
        if node.args and runs(module, node) == "task":
            yield from _made(module, node.args[0])
        else:
            yield node
