"""Sessions that a ``with`` commits, or rolls back, and closes: which objects that leaves expired, and alone."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis.classes import AtEnd, at_end
from session_lint.analysis.effects import commits_at
from session_lint.analysis.expired import Held
from session_lint.analysis.fetching import detaches, fetched, given_to, refreshed
from session_lint.analysis.holding import arguments
from session_lint.analysis.inference import (
    closes_on_leaving,
    opened_on_entry,
    scope_closing,
    shared_by,
    undoes,
    yielded,
)
from session_lint.analysis.loading import Loaded, is_column, loaded, made, new, received, told_how
from session_lint.analysis.makers import autocommits, makers, says, switched_off, told_otherwise
from session_lint.analysis.state import SiteKind, State
from session_lint.flow import PointKind, SolverLimit
from session_lint.python.nodes import assigned_at, nodes_in, own_of, path
from session_lint.python.words import word
from session_lint.signs import ATTACHING
from session_lint.values import dataclass, replace

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from session_lint.analysis.module import Module
    from session_lint.analysis.solved import Solved
    from session_lint.analysis.state import Fact
    from session_lint.flow import Point
    from session_lint.python.scopes import Scope


_OPTION = "expire_on_commit"


@dataclass(frozen=True, eq=False)
class Block:
    """A ``with`` that leaves objects expired: its ends where nothing is raised, and what its session is called.

    :param ended: the last line in it on which the session is committed, or rolled back; 0 where the end does that.
    :param undone: whether it is rolled back.
    :param lazy: whether it is only closed, so that what was loaded stays, and what was not is out of reach.
    """

    solved: Solved
    item: ast.withitem
    ends: list[Point]
    sessions: frozenset[str]
    ended: int
    undone: bool = False
    lazy: bool = False

    def added(self, module: Module) -> dict[str, ast.Call]:
        """The variables that the session gets, each with the call by which it does; a rollback lets go of them."""
        calls = [n for n in _inside(module, self.item) if isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute)]
        adding = [c for c in calls if c.func.attr in ATTACHING and path(c.func.value) in self.sessions]  # type: ignore[attr-defined]
        gone = self.undone or self.lazy
        return {} if gone else {path(argument): call for call in adding for argument in given_to(call)}

    def saves(self, module: Module, name: str) -> bool:
        """Whether an object that the session gets is expired, and alone, once the block has ended."""
        inside = _inside(module, self.item)
        left = detaches(n for n in inside if isinstance(n, ast.Call))
        return not left and not _looked_at(inside, name, self.ended)

    def ends_with(self) -> tuple[tuple[ast.AST, str], ...]:
        """What expires the objects and closes the session, for the trace."""
        what = "rolls back" if self.undone else "commits"
        ended = "closes the session" if self.lazy else f"{what}, which expires it, and closes"
        return ((self.item, f"this block {ended}"),)

    def returned(self, module: Module, variables: list[Held]) -> Held | None:
        """The object of a block that its code returns."""
        inside = set(_inside(module, self.item))
        returns = [n for n in own_of(self.solved.code, ast.Return) if n.value is not None]
        for node in returns:
            assert node.value is not None
            for held in variables:
                if isinstance(node.value, ast.Name) and node.value.id == held.name:
                    return held
            if node in inside and not self.ended:
                found = _loads(module, self, node.value)
                if found is not None:
                    return found
        return None


def in_blocks(module: Module, solutions: Iterable[Solved]) -> list[tuple[Block, list[Held]]]:
    """The blocks of some solved codes that leave objects expired, each with its variables that hold some."""
    return [(block, list(_variables(module, block))) for block in _blocks(module, solutions)]


def _blocks(module: Module, solutions: Iterable[Solved]) -> Iterator[Block]:
    for solved in solutions:
        ends: dict[ast.withitem, list[tuple[Point, Fact]]] = {}
        for point, fact in solved.visits(PointKind.EXIT):
            item = point.node
            if isinstance(item, ast.withitem) and fact.site and not fact.flying and ("with", item) in fact.names:
                ends.setdefault(item, []).append((point, fact))
        for item, arriving in ends.items():
            expired = [(p, f) for p, f in arriving if _expires_there(module, solved, f, item)]
            undone = not expired and all(_undone_there(module, f, item) for _, f in arriving)
            lazy = not expired and not undone and all(_closed_there(module, f, item) for _, f in arriving)
            if expired or undone or lazy:
                fact = (expired or arriving)[0][1]
                names = frozenset(n for n in fact.names if isinstance(n, str))
                last = 0 if lazy else _last(solved, fact, "rollback" if undone else "commit")
                yield Block(solved, item, [p for p, _ in expired or arriving], names, last, undone, lazy)


def _expires_there(module: Module, solved: Solved, fact: Fact, item: ast.withitem) -> bool:
    """Whether the end of a ``with`` leaves the objects of its session expired and alone, by a commit."""
    site = fact.site
    assert site is not None
    by_hand = site.kind is SiteKind.OWNED or (site.kind is SiteKind.SCOPE and not site.commits)
    idle = by_hand and fact.state is State.IDLE and bool(fact.marked("committed"))
    return (commits_at(fact, item) or idle) and expires(module, solved, site.origin.node)


def _undone_there(module: Module, fact: Fact, item: ast.withitem) -> bool:
    """The same by a rollback, of the code itself or of the scope: that expires whatever the session was told."""
    site = fact.site
    assert site is not None
    if fact.marked("undone") and fact.state is State.IDLE:
        opening = site.origin.node
        return not isinstance(opening, ast.Call) or not autocommits(
            module.program.module_of(opening, module) or module, opening
        )
    if site.kind is not SiteKind.SCOPE or site.commits or fact.state is not State.ACTIVE or fact.marked("exposed"):
        return False
    return undoes(module, item)


def _closed_there(module: Module, fact: Fact, item: ast.withitem) -> bool:
    """Whether the end of a ``with`` closes the session, so that its objects have none any more."""
    site = fact.site
    assert site is not None
    if site.kind is SiteKind.OWNED:
        return at_end(module, site.node) is AtEnd.CLOSES
    if site.kind is not SiteKind.SCOPE or not isinstance(item.context_expr, ast.Call):
        return False
    callee = module.calls.callee(item.context_expr)
    if callee.owner is not None and callee.home is not None:
        return closes_on_leaving(module, callee.home, callee.owner)
    definition = next((d for n in sorted(callee.names) if (d := module.names.definition(n))), None)
    if definition is None or not isinstance(definition[1], (ast.FunctionDef, ast.AsyncFunctionDef)):
        return False
    ends = module.program.module(definition[0]).lent(definition[1])
    return bool(ends) and all(end.state is State.CLOSED for end in ends or ())


def _last(solved: Solved, fact: Fact, method: str) -> int:
    """The last line on which the block ends the transaction, or has somebody do that who gets its session.

    It is 0 where the end of the block does that.
    """
    assert fact.site is not None
    if fact.site.kind is SiteKind.SCOPE and fact.site.commits and not fact.marked("undone"):
        return 0
    calls = own_of(solved.code, ast.Call)
    own = [c.lineno for c in calls if isinstance(c.func, ast.Attribute) and c.func.attr == method]
    given = (c.lineno for c in calls if any(path(a) in fact.names for a in arguments(c)))
    return max(own or given, default=0)


def opened_expires(module: Module, call: ast.Call) -> bool:
    """Whether a commit expires what the session holds that a call opens: nobody has switched that off, it seems."""
    home = module.program.module_of(call, module) or module
    kept = switched_off(home, call, _OPTION) is not False or told_otherwise(home, call, _OPTION)
    return not kept and not says(module, _OPTION)


def expires(module: Module, solved: Solved, node: ast.AST) -> bool:
    """The same of what a call opens, or a ``with`` enters."""
    if isinstance(node, ast.Call):
        return opened_expires(module, node)
    if not isinstance(node, ast.withitem) or not isinstance(node.context_expr, ast.Call):
        return False
    call = node.context_expr
    callee = module.calls.callee(call)
    if callee.owner is not None and callee.home is not None:
        opened = opened_on_entry(module, callee.home, callee.owner)
        return opened is not None and expires(opened[0], solved, opened[1])
    definition = next((d for n in sorted(callee.names) if (d := module.names.definition(n))), None)
    if definition is not None:
        return _expires_inside(module.program.module(definition[0]), definition[1])
    if isinstance(call.func, ast.Attribute) and call.func.attr == "begin":
        made_by = makers(module, call.func.value, module.names.scopes.of[solved.code])
        told = any(k.arg in (_OPTION, "class_", None) for _, maker in made_by for k in maker.keywords)
        return (
            bool(made_by)
            and not told
            and not any(says(home, _OPTION) for home in (module, *(home for home, _ in made_by)))
        )
    return not says(module, _OPTION)


def _expires_inside(home: Module, function: ast.AST) -> bool:
    """The same of the session that a scope of the project opens, and closes."""
    if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return False
    try:
        solved = home.by_itself(function)
    except SolverLimit:
        return False
    sites = yielded(solved)
    if not sites:
        made_by = shared_by(home, function)
        return bool(made_by) and not any(_OPTION in one.source.text for one in (home, *made_by))
    closes, _ = scope_closing(home, function)
    return closes and all(expires(home, solved, site.origin.node) for site in sites)


def _variables(module: Module, block: Block) -> Iterator[Held]:
    scope = module.names.scopes.of[block.solved.code]
    inside = _inside(module, block.item)
    called = [n for n in inside if isinstance(n, ast.Call)]
    if detaches(called):
        return
    added = block.added(module)
    for node in inside:
        given = assigned_at(node)
        if given is None or len(given.targets) != 1 or not isinstance(given.targets[0], ast.Name):
            continue
        name = given.targets[0].id
        found = _loads(module, block, given.value)
        if block.lazy:
            found = _left_unread(module, block, given.value, name, found, inside)
            if found is None:
                continue
        fresh = new(module, given.value, scope, added[name]) if found is None and name in added else None
        if fresh is not None:
            found = Held("", fresh, added[name], block.ends_with())
        if found is not None and not _looked_at(inside, name, block.ended):
            yield replace(found, name=name)
    stored = {path(t) for one in map(assigned_at, inside) if one is not None for t in one.targets}
    for name, call in added.items():
        fresh = _made_before(module, scope, name, call) if name not in stored else None
        if fresh is not None and not _looked_at(inside, name, block.ended):
            yield Held(name, fresh, call, block.ends_with())


def _left_unread(
    module: Module, block: Block, value: ast.expr, name: str, found: Held | None, inside: list[ast.AST]
) -> Held | None:
    """An object of a block that only closes whose relationships nobody has read, or not since it was refreshed.

    :param found: what was loaded, if it was.
    """
    since = refreshed(inside, name, block.sessions)
    entity = made(module, value, module.names.scopes.of[block.solved.code]) if found is None and since else None
    if entity is not None:
        what = Loaded(module, entity, module.names.scopes.of[block.solved.code], many=False)
        found = Held("", what, value, block.ends_with(), lazy=True)
    left = [one for one in inside if getattr(one, "lineno", 0) > since]
    return found if found is not None and _stays_unread(module, found, name, left) else None


def _made_before(module: Module, scope: Scope, name: str, adding: ast.Call) -> Loaded | None:
    """What is in a variable that gets its one value before the block, or in a parameter."""
    bindings = scope.bindings.get(name, ())
    fresh = new(module, bindings[0].node, scope, adding) if len(bindings) == 1 else None
    return fresh or received(module, bindings)


def _loads(module: Module, block: Block, value: ast.AST) -> Held | None:
    """What an expression loads through the session of a block, by itself or in a function that it calls."""
    scope = module.names.scopes.of[block.solved.code]
    what = loaded(module, value, scope, block.sessions)
    if what is not None:
        told = block.lazy and told_how(module, value, scope)
        return None if told else Held("", what, value, block.ends_with(), undone=block.undone, lazy=block.lazy)
    found = fetched(module, value, block.sessions)
    if found is None or (found.new and (block.undone or (block.lazy and not found.refreshed))):
        return None
    if block.lazy and told_how(found.what.module, found.node, found.what.scope):
        return None
    return Held("", found.what, value, block.ends_with(), found.node, block.undone, block.lazy)


def _stays_unread(module: Module, held: Held, name: str, inside: list[ast.AST]) -> bool:
    """Whether nothing but columns is read of an object in the block that loads it, and nobody else gets it there."""
    for node in inside:
        if not (isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load)):
            continue
        above = module.parents[node]
        column = isinstance(above, ast.Attribute) and not held.what.many and is_column(held.what, above.attr)
        if not column and not isinstance(above, (ast.Return, ast.If, ast.UnaryOp, ast.Compare, ast.BoolOp)):
            return False
    return not any(word(n.func) in _LOADING for n in inside if isinstance(n, ast.Call))


_LOADING = (
    "refresh",
    "awaitable_attrs",
    "selectinload",
    "joinedload",
    "subqueryload",
    "contains_eager",
    "immediateload",
)
"""What may load relationships of objects that the session has."""


def _inside(module: Module, item: ast.withitem) -> list[ast.AST]:
    """The nodes of the body of a ``with``, without those of functions in it."""
    block = module.parents[item]
    assert isinstance(block, (ast.With, ast.AsyncWith))
    return [*nodes_in(block.body)]


def _looked_at(inside: list[ast.AST], name: str, ended: int) -> bool:
    """Whether an object is read between the last line that expires it and the end of the block, which loads it again.

    To return it reads nothing.
    """
    returned = {n.value for n in inside if isinstance(n, ast.Return)}
    loads = (n for n in inside if isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Load))
    return bool(ended) and any(n.lineno > ended for n in loads if n not in returned)
