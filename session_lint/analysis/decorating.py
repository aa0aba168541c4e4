"""Decorators of the project that open a session, pass it to the function, and commit and close it afterwards.

To the function such a session is that of a scope: the decorator's wrapper does what a ``with`` does elsewhere.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis import guards
from session_lint.analysis.holding import Hold, held
from session_lint.analysis.state import NOTHING, Fact, SiteKind, State
from session_lint.flow import PointKind, SolverLimit
from session_lint.python.nodes import own_of, path
from session_lint.python.passing_on import made_by
from session_lint.python.scopes import parameters
from session_lint.values import dataclass, field
from session_lint.vocabulary import effects

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.analysis.module import Module
    from session_lint.analysis.solved import Solved
    from session_lint.analysis.state import Site
    from session_lint.python.scopes import FunctionNode

_LAYERS = 2
"""How many functions return one another: what ``@transactional()`` calls makes one that makes the wrapper."""


@dataclass(frozen=True)
class Lent:
    """A session that a wrapper passes to the function that it wraps.

    :param place: the position or the name of the argument.
    :param commits: whether the wrapper commits on every normal way, and closes.
    :param home: the module of the wrapper.
    :param solved: its solution.
    :param site: where it opens the session.
    :param calls: where it calls the function.
    """

    place: int | str
    commits: bool
    home: Module = field(compare=False)
    solved: Solved = field(compare=False)
    site: Site = field(compare=False)
    calls: tuple[ast.Call, ...] = field(compare=False)

    @property
    def returns(self) -> bool:
        """Whether the wrapper returns what the function returns, at once or once it has committed."""
        bindings = self.home.names.scopes.of[self.solved.code].bindings
        returned: set[ast.AST | None] = set()
        for value in (n.value for n in own_of(self.solved.code, ast.Return)):
            named = bindings.get(value.id, ()) if isinstance(value, ast.Name) else ()
            returned.update(
                one.value if isinstance(one, ast.Await) else one for one in [value, *(b.node for b in named)]
            )
        return returned.issuperset(self.calls)


def decorated(module: Module, code: ast.AST) -> list[Solved]:
    """The solutions for a function from the sessions that its decorators pass to it and commit; several rules ask.

    There are none where it has more ways than can be followed.
    """
    if code not in module.decorated:
        module.decorated[code] = list(_decorated(module, code))
    return module.decorated[code]


def _decorated(module: Module, code: ast.AST) -> Iterator[Solved]:
    if not isinstance(code, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return
    for decorator in code.decorator_list:
        for lent, name in arriving(module, code, decorator):
            if lent.commits:
                site = module.site(SiteKind.SCOPE, decorator, code, commits=True)
                start = NOTHING._replace(site=site, names=frozenset({name}), guards=guards.present(name))
                try:
                    yield module.solve(code, start)
                except SolverLimit:
                    return  # nothing is known of it


def arriving(module: Module, code: FunctionNode, decorator: ast.expr) -> list[tuple[Lent, str]]:
    """What a decorator passes to a function, each with the parameter in which it arrives.

    A wrapper may pass it to methods in another place than to functions: then the one that the methods of a session are
    called on is meant.
    """
    found = [(lent, name) for lent in lends(module, code, decorator) if (name := _parameter(code, lent.place))]
    if len({lent.site for lent, _ in found}) == len(found):
        return found
    calls = [c.func for c in module.calls_in(code) if isinstance(c.func, ast.Attribute) and c.func.attr in effects()]
    used = {path(func.value) for func in calls}
    meant = [(lent, name) for lent, name in found if name in used]
    return meant if len({lent.site for lent, _ in meant}) == len(meant) else []


def lends(module: Module, code: FunctionNode, decorator: ast.expr) -> list[Lent]:
    """What the wrapper that a decorator makes passes to the function."""
    called = isinstance(decorator, ast.Call)
    scope = module.names.scopes.of[code].parent or module.names.scopes.module
    names = module.names.qualify(decorator.func if isinstance(decorator, ast.Call) else decorator, scope)
    definition = module.names.definition(next(iter(names))) if len(names) == 1 else None
    if definition is None or not isinstance(definition[1], ast.FunctionDef):
        return []
    return passes(module.program.module(definition[0]), definition[1], _LAYERS if called else 1)


def passes(home: Module, maker: FunctionNode, layers: int = _LAYERS) -> list[Lent]:
    """What the wrapper that a function makes passes to the function that it is given."""
    for _ in range(layers):
        inner = made_by(home.names.scopes.of[maker])
        if inner is None:
            break
        found = _lent_by(home, maker, inner)
        if found is not None:
            return found
        maker = inner
    return []


def _lent_by(home: Module, maker: FunctionNode, wrapper: FunctionNode) -> list[Lent] | None:
    """What a wrapper passes on; ``None`` where it does not call what its maker was given."""
    given = [arg.arg for arg in parameters(maker)]
    calls = [n for n in own_of(wrapper, ast.Call) if getattr(n.func, "id", None) in given]
    if not calls:
        return None
    if not home.opens_one(wrapper):
        return []
    try:
        solved = home.by_itself(wrapper)
    except SolverLimit:
        return []
    found: dict[int | str, Lent] = {}
    for point, fact in solved.visits(PointKind.CALL):
        if point.node in calls and fact.site is not None and fact.site.kind is not SiteKind.PARAMETER:
            for place in _places(point.node, fact):
                known = found[place].commits if place in found else True
                commits = known and _commits(solved, fact) and not _asks(solved, wrapper, fact.site)
                found[place] = Lent(place, commits, home, solved, fact.site, tuple(calls))
    return [*found.values()]


def _asks(solved: Solved, wrapper: FunctionNode, site: Site) -> bool:
    """Whether a wrapper opens a session only where it was given none: then whoever gave one commits it."""
    own = {arg.arg for arg in parameters(wrapper)}
    opening = [f for p, f in solved.visits(PointKind.CALL, PointKind.ENTER) if p.node is site.node and f.site is None]
    return any(guards.variables(text) & own for fact in opening for text, _ in fact.guards)


def _places(call: ast.Call, fact: Fact) -> Iterator[int | str]:
    for index, argument in enumerate(call.args):
        if isinstance(argument, ast.Starred):
            break  # what comes behind it may stand anywhere
        if held(argument, fact) is Hold.WHOLE:
            yield index
    yield from (k.arg for k in call.keywords if k.arg and held(k.value, fact) is Hold.WHOLE)


def _commits(solved: Solved, passed: Fact) -> bool:
    """Whether the wrapper commits the session on every normal way, and closes it."""
    assert passed.site is not None
    if passed.site.kind is SiteKind.SCOPE:
        return passed.site.commits
    normal = [fact for fact in solved.exits if fact.site is passed.site and fact.flying is None]
    return bool(normal) and all(
        fact.state is State.CLOSED and fact.pending is None and fact.marked("committed") and not fact.marked("lost")
        for fact in normal
    )


def _parameter(code: FunctionNode, place: int | str) -> str:
    """The parameter that an argument arrives in; empty where it is none that has a name."""
    if isinstance(place, str):
        return place if any(arg.arg == place for arg in parameters(code)) else ""
    positional = [*code.args.posonlyargs, *code.args.args]
    return positional[place].arg if place < len(positional) else ""
