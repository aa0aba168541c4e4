"""What a code, or what it calls, may do: asked before anything is followed way by way."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis.holding import releasing
from session_lint.python.nodes import nodes_in, own_nodes, own_of, path
from session_lint.vocabulary import Role, effects

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from session_lint.analysis.module import Module

_MOST = 200
"""How many functions are looked through; where more can be reached, anything may be done."""
_ENDING = ("commit", "rollback", "close")
_CLOSING = (Role.CLOSER, Role.CLOSES_ALL, Role.CLOSING, Role.TAKES)


def may_end(module: Module, code: ast.AST) -> bool:
    """Whether a code commits, rolls back or closes something by hand, or may call what does.

    Methods are told by their names, whatever they are methods of. What cannot be read is nobody's of the program.
    """
    return _is_done(module, own_nodes(code), module.program.ending, _ends)


def may_close(module: Module, code: ast.AST) -> bool:
    """Whether a code closes something by hand, gives it to what does, or calls what does; ``with`` is not asked for."""
    return _is_done(module, own_of(code, ast.Call), module.program.closing, _closes)


def may_pass_over(module: Module, block: ast.With | ast.AsyncWith) -> bool:
    """Whether something may catch an error inside a ``with``: a clause, a ``suppress()``, a function that is called."""
    inside = nodes_in(block.body)
    return _is_done(module, inside, module.program.catching, _catches)


def _is_done(
    module: Module, nodes: Iterable[ast.AST], known: dict[ast.AST, bool], does: Callable[[Module, ast.AST], bool]
) -> bool:
    """Whether one of some nodes does something, or one in a function that they may call.

    :param known: what is known of whole functions.
    """
    seen: set[ast.AST] = set()
    todo = [(module, [*nodes], False)]
    for home, there, told in todo:  # which grows meanwhile
        if (not told and any(does(home, node) for node in there)) or len(seen) > _MOST:
            return True
        for call in there:
            for other, function in _run_by(home, call) if isinstance(call, ast.Call) else ():
                if function not in seen:
                    seen.add(function)
                    if function not in known:
                        known[function] = any(does(other, node) for node in own_nodes(function))
                    if known[function]:
                        return True
                    todo.append((other, [*own_of(function, ast.Call)], True))
    return False


def _ends(home: Module, node: ast.AST) -> bool:
    effect = effects().get(_called(node)) if isinstance(node, ast.Call) else None
    return (effect is not None and effect.effect in _ENDING) or _closes(home, node)


def _closes(home: Module, node: ast.AST) -> bool:
    if not isinstance(node, ast.Call):
        return False
    return releasing(_called(node)) or (node in home.calls and home.calls.callee(node).role in _CLOSING)


def _called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else path(call.func)


def _catches(home: Module, node: ast.AST) -> bool:
    if isinstance(node, ast.Call):
        return node in home.calls and bool(home.suppressed(node, home.calls.scope(node)))
    return isinstance(node, ast.ExceptHandler)


def _run_by(home: Module, call: ast.Call) -> Iterator[tuple[Module, ast.AST]]:
    """The functions of the program that a call runs: its callee, or what makes an object of a class."""
    if call not in home.calls:
        return
    callee = home.calls.callee(call)
    made = home.initialiser(callee)
    if made is not None:
        yield made
    if callee.function is not None:
        yield home.at(callee), callee.function
