"""Sessions inside of objects that were given them and keep them: whether anybody may close one there.

``Users(session)`` keeps the session in a field of its own, and ``Service(Users(session))`` keeps that. Such an object
closes the session if its class closes anything at all, and so may whoever reads the field.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis.escapes import out_of_sight
from session_lint.analysis.holding import closes
from session_lint.analysis.objects import kept_as
from session_lint.analysis.uses import Uses, closes_something
from session_lint.python.nodes import own_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from session_lint.analysis.module import Module
    from session_lint.analysis.state import Site


def keeper(module: Module, node: ast.AST) -> ast.Call | None:
    """The call that makes an object of the project which keeps what it is given here, and closes nothing by itself."""
    above = module.parents[node]
    made = module.parents[above] if isinstance(above, ast.keyword) else above
    if not isinstance(made, ast.Call) or made.func is node or made not in module.calls:
        return None
    callee = module.calls.callee(made)
    if callee.owner is None or callee.home is None or not kept_as(module, made, lambda argument: argument is node):
        return None
    return None if closes_something(module.at(callee), callee.home.scopes.of[callee.owner]) else made


def keepers(module: Module, node: ast.AST) -> list[ast.Call]:
    """The calls that make objects of which each keeps the one before it, and the first what stands here."""
    found: list[ast.Call] = []
    made = keeper(module, node)
    while made is not None:
        found.append(made)
        made = keeper(module, made)
    return found


def may_close(module: Module, made: ast.Call, given: Collection[ast.AST]) -> bool:
    """Whether an object, or anybody who has it, may close what it was given.

    :param made: the call that makes it.
    :param given: the argument, by all the expressions that stand for it.
    """
    callee = module.calls.callee(made)
    fields = kept_as(module, made, lambda argument: argument in given)
    if callee.owner is None or callee.home is None or not fields:
        return True
    home, owner = module.at(callee), callee.home.scopes.of[callee.owner]
    if closes_something(home, owner) or out_of_sight(home, owner):
        return True
    return any(map(Uses(home, owner).may_close, fields))


def reads(module: Module, site: Site) -> list[ast.AST]:
    """The expressions of a code that stand for the session which it opens, and is kept in one variable if in any."""
    opening, code = site.node, site.code
    scope = module.names.scopes.of[code]
    names = [name for name, bound in scope.bindings.items() if any(b.node is opening for b in bound)]
    if not names:
        return [opening]
    if len(names) > 1 or len(scope.bindings[names[0]]) > 1:
        return []
    return [n for n in own_of(code, ast.Name) if n.id == names[0] and isinstance(n.ctx, ast.Load)]


def left_inside(module: Module, site: Site) -> list[ast.Call]:
    """The objects that keep the session of a code for good, where the last of them is all that the code returns.

    Empty where anybody may close it, or where it is used in a way that cannot be followed.
    """
    found: list[ast.Call] = []
    for node in reads(module, site):
        chain = keepers(module, node)
        above = module.parents[chain[-1] if chain else node]
        if chain and isinstance(above, ast.Return):
            if any(may_close(module, made, [given]) for given, made in zip([node, *chain], chain, strict=False)):
                return []
            found += chain
        elif not (isinstance(above, ast.Attribute) and not closes(above.attr)):
            return []
    return found
