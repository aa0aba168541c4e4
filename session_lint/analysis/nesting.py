"""Sessions that are opened while another one of the same database is open: in one code, or in what it calls."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis.calling import only_makes
from session_lint.analysis.holding import arguments, held
from session_lint.analysis.makers import databases
from session_lint.analysis.state import SiteKind, State
from session_lint.flow import PointKind
from session_lint.python.nodes import assigned_at, path
from session_lint.values import dataclass
from session_lint.vocabulary import Role

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.analysis.facts import ModuleFacts
    from session_lint.analysis.module import Module
    from session_lint.analysis.solved import Solved
    from session_lint.analysis.state import Fact, Site


@dataclass(frozen=True, eq=False)
class Nesting:
    """An opening inside of another session's life.

    :param node: the inner opening: a factory's call, or a scope's ``with``.
    :param outer: the site of the other session, which is open then.
    :param call: the call that leads from the outer session's code to the inner one's; ``None`` in the same code.
    """

    node: ast.AST
    code: ast.AST
    outer: Site
    call: ast.Call | None


def nestings(facts: ModuleFacts) -> Iterator[Nesting]:
    """Every opening of the module inside of another session's life, once."""
    if facts.module is None:
        return
    seen: set[ast.AST] = set()
    for solved in facts.solved:
        for one in _in_code(facts.module, solved):
            if one.node not in seen:
                seen.add(one.node)
                yield one
    for code, openings in _openings(facts).items():
        fresh = [site for site in openings if site.node not in seen]
        for outer, call, home in _around(facts, code) if fresh else ():
            same = [site.node for site in fresh if _database(facts.module, site) & _database(home, outer)]
            if same:
                seen.add(same[0])
                yield Nesting(same[0], code, outer, call)
                break


def _database(module: Module, site: Site) -> frozenset[object]:
    """What tells the database of a session that a code has opened, by itself or by what it calls for that."""
    opening = site.origin.node
    return databases(module.program.module_of(opening, module) or module, opening)


def _in_code(module: Module, solved: Solved) -> Iterator[Nesting]:
    for point, fact in solved.visits(PointKind.CALL, PointKind.ENTER):
        if not _is_open(fact) or not _opens(module, point.node, solved.code):
            continue
        if _same_statement(module, point.node, fact) or _replaced(module, point.node, fact) or _gets(point.node, fact):
            continue
        assert fact.site is not None
        if databases(module, point.node) & _database(module, fact.site):
            yield Nesting(point.node, solved.code, fact.site, None)


def _is_open(fact: Fact) -> bool:
    """Whether a scope that commits is open there, or a session in the middle of a transaction."""
    if fact.site is None or fact.state in (State.CLOSED, State.GIVEN) or not fact.names:
        return False  # what no name is left of was leaked, which is another rule's
    if fact.site.kind is SiteKind.SCOPE and fact.site.commits:
        return any(isinstance(n, tuple) and n[0] == "with" for n in fact.names)
    return fact.site.kind in (SiteKind.OWNED, SiteKind.SCOPE) and fact.state is State.ACTIVE


def _opens(module: Module, node: ast.AST, code: ast.AST) -> bool:
    if isinstance(node, ast.withitem):
        found = module.context(node.context_expr, module.names.scopes.of[code])
        return found is not None and found.role is Role.SCOPE
    return isinstance(node, ast.Call) and module.calls.callee(node).role is Role.FACTORY


def _same_statement(module: Module, node: ast.AST, fact: Fact) -> bool:
    """Whether both stand in one ``with``: somebody wants two at once."""
    assert fact.site is not None
    outer = module.parents.get(fact.site.node)
    around: ast.AST | None = node
    while around is not None and not isinstance(around, ast.stmt):
        around = module.parents.get(around)
    if isinstance(fact.site.node, ast.withitem):
        return around is outer
    return isinstance(around, (ast.With, ast.AsyncWith)) and any(i.context_expr is fact.site.node for i in around.items)


def _gets(node: ast.AST, fact: Fact) -> bool:
    """Whether what opens a session is given the other one, which it may go on with."""
    call = node.context_expr if isinstance(node, ast.withitem) else node
    return isinstance(call, ast.Call) and any(held(argument, fact) for argument in arguments(call))


def _replaced(module: Module, node: ast.AST, fact: Fact) -> bool:
    """Whether the new session goes into the one variable of the other, which is lost with that: a leak, and no nest."""
    above = module.parents.get(node)
    above = module.parents.get(above) if isinstance(above, ast.Await) else above
    given = assigned_at(above)
    targets = given.targets if given is not None else []
    variables = {name for name in fact.names if isinstance(name, str)}
    return bool(variables) and variables <= {path(target) for target in targets}


def _openings(facts: ModuleFacts) -> dict[ast.AST, list[Site]]:
    """The sessions that each function of the module opens for itself and closes."""
    found: dict[ast.AST, list[Site]] = {}
    for kind in (SiteKind.SCOPE, SiteKind.OWNED):
        for obligation in facts.obligations(kind):
            site, code = obligation.site, obligation.site.code
            lends = any(e.handed_over or e.fact.marked("lent") for e in obligation.endings)
            if not lends and isinstance(code, (ast.FunctionDef, ast.AsyncFunctionDef)):
                found.setdefault(code, []).append(site)
    return found


def _around(facts: ModuleFacts, code: ast.AST) -> Iterator[tuple[Site, ast.Call, Module]]:
    """The sessions that are open where somebody calls a function without giving it one."""
    assert facts.module is not None
    program = facts.module.program
    for home, caller in program.callers(facts.module, code, concerned=True) or ():
        solved = program.facts(home).solution(caller) if caller in home.opening else None  # type: ignore[arg-type]
        for point, fact in solved.visits(PointKind.CALL) if solved is not None else ():
            call = point.node
            if not isinstance(call, ast.Call) or not _is_open(fact) or home.calls.callee(call).function is not code:
                continue
            if not _gets(call, fact) and not only_makes(caller, call, code):
                assert fact.site is not None
                yield fact.site, call, home
