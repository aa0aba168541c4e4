"""Which patterns of session management a module uses, and where."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis.remaking import is_command
from session_lint.analysis.removers import run_by
from session_lint.analysis.state import SiteKind
from session_lint.flow import PointKind
from session_lint.python.nodes import own_nodes, path
from session_lint.values import dataclass
from session_lint.vocabulary import Role

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.analysis.facts import ModuleFacts, Obligation
    from session_lint.analysis.module import Module

MANUAL = "a session managed by hand"
SCOPE = "a scope"
GLOBAL = "the global session"
REQUEST = "the request's session"
_DEEPEST = 3
"""Through how many functions the body of a module may lead to a code."""


@dataclass(frozen=True, eq=False)
class Pattern:
    """One use of a pattern: the acquire site and the code that holds it."""

    pattern: str
    node: ast.AST
    code: ast.AST


def patterns(facts: ModuleFacts) -> list[Pattern]:
    """The uses of patterns in a module, in the order of the text; none in one that defines a scope for others."""
    if facts.module is None or _defines_scope(facts):
        return []
    found = [*_owned(facts), *_scopes(facts), *_global(facts), *_request(facts)]
    if any(use.pattern == REQUEST for use in found):
        found = [use for use in found if use.pattern == REQUEST or not _runs_elsewhere(facts.module, use.code, 0)]
    return sorted(found, key=lambda use: (_row(use.node), use.pattern))


def _runs_elsewhere(module: Module, code: ast.AST, depth: int) -> bool:
    """Whether a code runs where no request could have a session for it.

    A thread or a worker runs it, a command of the command line, or nothing but the bodies of modules, as they are
    imported or started.
    """
    if isinstance(code, ast.Module):
        return True
    ran = run_by(module, code)
    if ran is not None or not isinstance(code, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return ran is not None and ran[0] != "request"
    if is_command(module, code):
        return True
    callers = module.program.callers(module, code) if depth < _DEEPEST else None
    return bool(callers) and all(_runs_elsewhere(home, caller, depth + 1) for home, caller in callers or ())


def _owned(facts: ModuleFacts) -> Iterator[Pattern]:
    assert facts.module is not None
    in_with = entered(facts)
    for obligation in facts.obligations(SiteKind.OWNED):
        if _defines(obligation) or any(ending.leaks for ending in obligation.endings):
            continue  # it defines a pattern for others; or it is a leak, and a rule of its own says so
        pattern = SCOPE if obligation.site in in_with else MANUAL
        yield Pattern(pattern, obligation.site.node, obligation.site.code)


def entered(facts: ModuleFacts) -> set[object]:
    """The sites whose session a ``with`` closes."""
    return {
        fact.site
        for solved in facts.solved
        for point, fact in solved.visits(PointKind.EXIT)
        if fact.site is not None and ("with", point.node) in fact.names
    }


def _defines(obligation: Obligation) -> bool:
    """Whether the code hands its session on: it defines a pattern for others, and uses none."""
    return any(ending.handed_over or ending.fact.marked("lent") for ending in obligation.endings)


def _defines_scope(facts: ModuleFacts) -> bool:
    owned = facts.obligations(SiteKind.OWNED)
    return any(ending.fact.marked("lent") for obligation in owned for ending in obligation.endings)


def _scopes(facts: ModuleFacts) -> Iterator[Pattern]:
    for obligation in facts.obligations(SiteKind.SCOPE):
        if not _defines(obligation):
            yield Pattern(SCOPE, obligation.site.node, obligation.site.code)


def _global(facts: ModuleFacts) -> Iterator[Pattern]:
    assert facts.module is not None
    for call, scope in facts.module.names.scopes.calls.items() if facts.module.calling_singletons else ():
        code = facts.module.code_of(scope)
        if facts.module.calls.callee(call).role is Role.SINGLETON and not facts.module.keys_defined_in(code):
            yield Pattern(GLOBAL, call, code)


def _request(facts: ModuleFacts) -> Iterator[Pattern]:
    return (Pattern(REQUEST, node, code) for node, code in request_fields(facts))


def request_fields(facts: ModuleFacts) -> Iterator[tuple[ast.Attribute, ast.AST]]:
    """``g.db.query(...)``: each use of a field of Flask's ``g`` that the module treats as a session, and its code."""
    assert facts.module is not None
    if "flask.g" not in facts.module.names.imported:
        return
    for code, scope in facts.module.codes:
        for node in own_nodes(code):
            if (
                (
                    isinstance(node, ast.Attribute)
                    and path(node)
                    and isinstance(node.ctx, ast.Load)
                    and isinstance(node.value, ast.Name)
                )
                and "flask.g" in facts.module.names.qualify(node.value, scope)
                and node.attr
                in (
                    "db",
                    "session",
                    "db_session",
                )
            ):
                yield node, code


def _row(node: ast.AST) -> int:
    return getattr(node.context_expr if isinstance(node, ast.withitem) else node, "lineno", 0)
