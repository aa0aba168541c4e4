"""Every place of a module that gets a session: in which way, through what, and what becomes of it."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis.decorating import lends
from session_lint.analysis.injection import dependencies, depends_on
from session_lint.analysis.origins import Origin, origin
from session_lint.analysis.patterns import GLOBAL, MANUAL, REQUEST, SCOPE, entered, request_fields
from session_lint.analysis.requests import request_codes
from session_lint.analysis.singletons import debts
from session_lint.analysis.state import SiteKind
from session_lint.analysis.trace import place
from session_lint.flow import SolverLimit
from session_lint.python.nodes import path
from session_lint.python.scopes import parameters
from session_lint.values import dataclass
from session_lint.vocabulary import Role

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.analysis.facts import ModuleFacts, Obligation
    from session_lint.analysis.module import Module

CLOSED, LENT, OPEN, RAISING = "closed", "handed on", "left open", "left open when something raises"
"""What becomes of a session that a place opened."""
KEPT = "closed by its owner"
SHARED = "shared by all requests"


@dataclass(frozen=True)
class Use:
    """A place that opens a session, or gets one that nobody passed to it.

    :param symbol: the function, dotted, empty for the module body.
    :param pattern: one of those of :mod:`session_lint.analysis.patterns`.
    :param text: what stands there: ``SessionLocal()``, ``g.db``.
    :param through: what it goes through, where that is known.
    :param ending: what becomes of the session.
    """

    row: int
    symbol: str
    pattern: str
    text: str
    through: Origin | None
    ending: str


@dataclass(frozen=True)
class Closing:
    """A call that closes the global session."""

    row: int
    symbol: str
    through: Origin | None


def uses(facts: ModuleFacts) -> list[Use]:
    """The places of a module that get sessions, in the order of the text."""
    if facts.module is None:
        return []
    found = [*_opened(facts), *_decorated(facts), *_global(facts), *_request(facts), *_given(facts)]
    return sorted(dict.fromkeys(found), key=lambda use: (use.row, use.symbol, use.pattern, use.text))


def closings(facts: ModuleFacts) -> list[Closing]:
    """The calls of a module that close the global session, in the order of the text."""
    if facts.module is None:
        return []
    calls = facts.module.calls
    found = [
        Closing(_row(facts, call), facts.symbol(facts.module.code_of(scope)), origin(facts.module, call, scope))
        for call, scope in facts.module.names.scopes.calls.items()
        if calls.callee(call).role is Role.CLOSER
    ]
    return sorted(found, key=lambda closing: (closing.row, closing.symbol))


def _opened(facts: ModuleFacts) -> Iterator[Use]:
    """The sessions that the module itself opens, by hand or by a ``with``."""
    in_with = entered(facts)
    for obligation in facts.obligations(SiteKind.OWNED):
        pattern = SCOPE if obligation.site in in_with else MANUAL
        yield _use(facts, obligation.site.node, obligation.site.code, pattern, ending_of(obligation))
    for obligation in facts.obligations(SiteKind.SCOPE):
        if not _is_decorator(obligation):
            yield _use(facts, obligation.site.node, obligation.site.code, SCOPE, ending_of(obligation, CLOSED))


def _is_decorator(obligation: Obligation) -> bool:
    return obligation.site.node in getattr(obligation.site.code, "decorator_list", ())


def ending_of(obligation: Obligation, otherwise: str = "") -> str:
    """What becomes of a session, in words.

    :param otherwise: what does, where it is not handed on; empty where its ways have to tell.
    """
    endings = obligation.endings
    if any(e.handed_over or e.fact.marked("lent") for e in endings):
        return LENT
    if otherwise:
        return otherwise
    if any(e.leaks and e.normal for e in endings):
        return OPEN
    return RAISING if any(e.leaks for e in endings) else CLOSED


def _decorated(facts: ModuleFacts) -> Iterator[Use]:
    """The functions that a decorator of the project passes a session to."""
    assert facts.module is not None
    for code, _ in facts.module.codes:
        if isinstance(code, (ast.FunctionDef, ast.AsyncFunctionDef)):
            for decorator in code.decorator_list:
                if lends(facts.module, code, decorator):
                    yield _use(facts, decorator, code, SCOPE, CLOSED)


def _global(facts: ModuleFacts) -> Iterator[Use]:
    assert facts.module is not None
    served = request_codes(facts.module) if facts.module.calling_singletons else {}
    owed = {debt.origin.node: OPEN if debt.normal else RAISING for debt in debts(facts)}
    for call, scope in facts.module.names.scopes.calls.items() if facts.module.calling_singletons else ():
        code = facts.module.code_of(scope)
        if facts.module.calls.callee(call).role is Role.SINGLETON and not facts.module.keys_defined_in(code):
            yield _use(facts, call, code, GLOBAL, SHARED if code in served else owed.get(call, CLOSED))


def _request(facts: ModuleFacts) -> Iterator[Use]:
    """The sessions that a framework, or a library, keeps: once a function and name, at the first use."""
    first: dict[tuple[ast.AST, str], ast.Attribute] = {}
    for node, code in sorted(request_fields(facts), key=lambda pair: (pair[0].lineno, pair[0].col_offset)):
        first.setdefault((code, path(node)), node)
    for (code, _), node in first.items():
        yield _use(facts, node, code, REQUEST, KEPT)
    for one in facts.borrowed:
        if one.managed and one.uses:
            func = one.uses[0].func
            assert isinstance(func, ast.Attribute)
            yield _use(facts, func.value, one.code, REQUEST, KEPT)


def _given(facts: ModuleFacts) -> Iterator[Use]:
    """The parameters that a framework fills with what a dependency of the project lends."""
    assert facts.module is not None
    for code, _ in facts.module.codes:
        for arg in parameters(code) if isinstance(code, (ast.FunctionDef, ast.AsyncFunctionDef)) else ():
            for home, call in dependencies(facts.module, code, arg.arg):
                if any(_lends(inner, target) for inner, target in depends_on(home, call)):
                    through = origin(home, call.args[0], home.calls.scope(call)) if call.args else None
                    text = f"{arg.arg}: {_text(call)}"
                    yield Use(_row(facts, arg), facts.symbol(code), REQUEST, text, through, KEPT)


def _lends(home: Module, target: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a dependency yields, or returns, a session that it opened."""
    try:
        lent = home.generator_scope(target) is not None
        return lent or any(site.kind is SiteKind.OWNED for site, _ in home.summaries.fresh(target))
    except SolverLimit:
        return False  # more ways than can be followed: nothing is known of it


def _use(facts: ModuleFacts, node: ast.AST, code: ast.AST, pattern: str, ending: str) -> Use:
    assert facts.module is not None
    shown = place(node)
    if isinstance(shown, ast.Call) and shown in facts.module.calls:
        scope = facts.module.calls.scope(shown)
    else:
        scope = facts.module.names.scopes.of[code]
    through = origin(facts.module, shown, scope) if isinstance(shown, ast.expr) else None
    return Use(_row(facts, shown), facts.symbol(code), pattern, _text(shown), through, ending)


def _text(node: ast.AST) -> str:
    """What stands at a place, without its arguments."""
    if isinstance(node, ast.Call):
        called = path(node.func) or ast.unparse(node.func)
        inside = path(node.args[0]) if len(node.args) == 1 and not node.keywords else ""
        return f"{called}({inside or ('…' if node.args or node.keywords else '')})"
    return path(node) or ast.unparse(node)


def _row(facts: ModuleFacts, node: ast.AST) -> int:
    return facts.source.start(node).row
