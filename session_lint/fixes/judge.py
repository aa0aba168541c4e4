"""Whether manual session management may become a scope, decided by the typestate at every way out.

The scoped form moves the commit to the end of the block and commits on every normal way out; ``with factory()``
leaves the commits where they are and only closes. The scoped form is offered where it provably writes the same, else
the other.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from session_lint.analysis import Obligation
from session_lint.finding import Applicability, Fix
from session_lint.fixes import conditions
from session_lint.fixes.conditions import Case, failing
from session_lint.fixes.elsewhere import taken
from session_lint.fixes.leaving import left_over
from session_lint.fixes.outliving import only_works, seen_closing
from session_lint.fixes.shape import alone, is_method, shape
from session_lint.fixes.shortening import last_use
from session_lint.fixes.versions import without_with
from session_lint.values import dataclass, replace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.analysis import ModuleFacts
    from session_lint.analysis.dependencies import Lending
    from session_lint.fixes.target import Target


@dataclass(frozen=True)
class Refusal:
    """Why no fix is offered, in words the author can act on."""

    reason: str


def to_scope(facts: ModuleFacts, obligation: Obligation) -> Fix | Refusal:
    """The fix for an acquire site, or why there is none."""
    if _lends(facts, obligation.site.code):
        never = any(ending.normal and ending.leaks for ending in obligation.endings)
        return _lent(facts, obligation, never=never)
    case = _case(facts, obligation)
    if isinstance(case, Refusal):
        return case
    doubt = seen_closing(facts, obligation, case.shape)
    applicability = Applicability.UNSAFE if doubt else Applicability.SAFE
    scoped = _scoped(case)
    if isinstance(scoped, Fix):
        return replace(scoped, applicability=applicability, reason=doubt)
    stop = _without_with(facts)
    if stop:
        return Refusal(stop)
    if not doubt:
        case = _shortened(case)
    return Fix(applicability, "Open the session in a `with`", "manual_to_scope", _plan(case, None), doubt)


def _shortened(case: Case) -> Case:
    """The case with a block that ends with the last statement which has to do with the session."""
    found, count = case.shape, last_use(case.facts, case.obligation, case.shape)
    if count == len(found.block):
        return case
    block, rest = found.block[:count], [*found.block[count:], *found.rest]
    shorter = replace(case, shape=replace(found, block=block, rest=rest))
    return case if _crowded(shorter) else shorter


def scoped_fix(facts: ModuleFacts, obligation: Obligation) -> Fix | Refusal:
    """The committing scope for an acquire site, where it provably writes the same."""
    case = _case(facts, obligation)
    return case if isinstance(case, Refusal) else _scoped(case)


def _case(facts: ModuleFacts, obligation: Obligation) -> Case | Refusal:
    """The site with its shape, or why no ``with`` at all can take its place."""
    found = shape(obligation)
    if isinstance(found, str):
        return Refusal(found)
    case = Case(facts, obligation, found)
    stop = failing(case, conditions.WITH) or _crowded(case)
    return Refusal(stop) if stop else case


def _scoped(case: Case) -> Fix | Refusal:
    reason = failing(case, conditions.SCOPE)
    if reason:
        return Refusal(reason)
    from session_lint.fixes.target import scope_target  # noqa: PLC0415  (most findings end before)

    target = scope_target(case.facts, case.shape.acquire, asynchronous=case.asynchronous)
    if target is None:
        return Refusal("no committing scope over the same factory is known")
    if target.begins and not only_works(case.shape.block, case.name):
        return Refusal("`begin()` tolerates nobody else's commit, and the session is lent or its transaction steered")
    stop = _without_with(case.facts) if target.begins else ""
    if stop:
        return Refusal(stop)
    message = f"Open the session in `with {target.expression}`"
    return Fix(Applicability.SAFE, message, "manual_to_scope", _plan(case, target))


def _plan(case: Case, target: Target | None) -> tuple[tuple[str, object], ...]:
    found, begins = case.shape, case.facts.source.start
    start, end = begins(found.acquire), begins(found.block[-1])
    drop = list(_superfluous(case, commits=target is not None))
    dissolve = found.guard is not None and (target is not None or not found.guard.handlers)
    return (
        ("acquire", (start.row, start.column)),
        ("last", (end.row, end.column)),
        ("name", found.name),
        ("expression", target.expression if target else ""),
        ("module", target.module if target else ""),
        ("imported", target.imported if target else ""),
        ("replaced", target.replaced if target else ""),
        ("guarded", found.guard is not None),
        ("dissolve", dissolve),
        ("drop", tuple((p.row, p.column) for p in map(begins, drop))),
        ("beside", target.beside if target else 0),
        ("joins", target.joins if target else ""),
        ("asynchronous", case.asynchronous),
        ("unused", tuple(_spared(case, dissolve=dissolve))),
    )


def _spared(case: Case, *, dissolve: bool) -> Iterator[str]:
    """The imported names in what goes, which the module may do without then: of a type, of exceptions.

    :param dissolve: whether the clauses of the guard go.
    """
    found, module = case.shape, case.facts.module
    if module is None:
        return
    gone: list[ast.expr] = [found.acquire.annotation] if isinstance(found.acquire, ast.AnnAssign) else []
    if dissolve and found.guard is not None:
        gone += [handler.type for handler in found.guard.handlers if handler.type is not None]
    top = module.names.scopes.module
    read = [n for part in gone for n in ast.walk(part)]
    names = {n.id for n in read if isinstance(n, ast.Name)}
    names |= {n.value for n in read if isinstance(n, ast.Constant) and isinstance(n.value, str)}  # ``"Session"``
    for name in sorted(names):
        bindings = top.bindings.get(name, ())
        own = module.names.owner(name, module.names.scopes.of[case.code]) is top
        if own and len(bindings) == 1 and isinstance(bindings[0].node, ast.ImportFrom) and not taken(module, name):
            yield name


def _crowded(case: Case) -> str:
    """Why the statement that a ``with`` begins or ends with cannot be told from its line; else empty."""
    found = case.shape
    for statement in (found.acquire, *(s for s in found.block[-1:] if s is not found.guard)):
        if not alone(case.facts.source, statement):
            return f"line {statement.lineno} holds more than one statement: put each on a line of its own"
    return ""


def _superfluous(case: Case, *, commits: bool) -> Iterator[ast.stmt]:
    """The statements that the scope makes superfluous."""
    found = case.shape
    if found.close is not None and found.guard is None:
        yield found.close
    for node in case.inside if commits else ():
        if isinstance(node, ast.Expr) and is_method(node, found.name, "commit"):
            yield node
    yield from case.closes if commits else left_over(case)


def _without_with(facts: ModuleFacts) -> str:
    """Why no session has a ``with`` in the module's project; empty where they have."""
    return without_with(facts.module) if facts.module is not None else ""


def lending_fix(facts: ModuleFacts, lending: Lending) -> dict[str, Any]:
    """What a finding about a generator that lends its session says of its cure: ``fix``, or ``refusal``."""
    site = lending.site
    obligation = Obligation(site, facts.variable(site.node, site.code), facts.symbol(site.code), [])
    return _told(_lent(facts, obligation, never=lending.never))


def _lends(facts: ModuleFacts, code: ast.AST) -> bool:
    """Whether a function is a context manager: what is opened in it is lent to the body of a ``with``."""
    function = isinstance(code, (ast.FunctionDef, ast.AsyncFunctionDef))
    return function and facts.module is not None and facts.module.is_context_manager(code)


def _lent(facts: ModuleFacts, obligation: Obligation, *, never: bool) -> Fix | Refusal:
    """The fix for a generator that lends its session.

    :param never: whether nobody closes it, though nothing raises.
    """
    found = shape(obligation)
    if isinstance(found, str):
        return Refusal(found)
    case = Case(facts, obligation, found)
    stop = failing(case, conditions.LENT) or _without_with(facts) or _crowded(case)
    if stop:
        return Refusal(stop)
    doubt = "nobody has closed it so far: who keeps its objects will find them detached" if never else ""
    applicability = Applicability.UNSAFE if doubt else Applicability.SAFE
    return Fix(applicability, "Open the session in a `with`", "manual_to_scope", _plan(case, None), doubt)


def fix_or_refusal(facts: ModuleFacts, obligation: Obligation) -> dict[str, Any]:
    """What a finding says about its cure: ``fix``, or ``refusal``."""
    return _told(to_scope(facts, obligation))


def _told(found: Fix | Refusal) -> dict[str, Any]:
    return {"fix": found} if isinstance(found, Fix) else {"refusal": found.reason}
