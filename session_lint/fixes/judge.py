"""Whether manual session management may become a scope, decided by the typestate at every way out.

The scoped form moves the commit to the end of the block and commits on every normal way out; ``with factory()``
leaves the commits where they are and only closes. The scoped form is offered where it provably writes the same, else
the other.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING, Any

from session_lint.finding import Applicability, Fix
from session_lint.fixes.outliving import only_works, seen_closing
from session_lint.fixes.shape import Shape, gives_up, is_method, shape
from session_lint.fixes.target import Target, scope_target
from session_lint.python.names import own_nodes, path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.analysis import Ending, ModuleFacts, Obligation


@dataclass(frozen=True)
class Refusal:
    """Why no fix is offered, in words the author can act on."""

    reason: str


def to_scope(facts: ModuleFacts, obligation: Obligation) -> Fix | Refusal:
    """The fix for an acquire site, or why there is none."""
    found = shape(obligation)
    if isinstance(found, str):
        return Refusal(found)
    stop = next(_obstacles(facts, obligation, found), "")
    if stop:
        return Refusal(stop)
    doubt = seen_closing(facts, obligation, found)
    applicability = Applicability.UNSAFE if doubt else Applicability.SAFE
    scoped = scoped_fix(facts, obligation)
    if isinstance(scoped, Fix):
        return replace(scoped, applicability=applicability, reason=doubt)
    return Fix(applicability, "Open the session in a `with`", "manual_to_scope", _plan(facts, found, None), doubt)


def scoped_fix(facts: ModuleFacts, obligation: Obligation) -> Fix | Refusal:
    """The committing scope for an acquire site, where it provably writes the same."""
    found = shape(obligation)
    if isinstance(found, str):
        return Refusal(found)
    reason = next(chain(_obstacles(facts, obligation, found), _differences(obligation, found)), "")
    if reason:
        return Refusal(reason)
    target = scope_target(facts, found.acquire)
    if target is None:
        return Refusal("no committing scope over the same factory is known")
    if target.begins and not only_works(found.block, found.name):
        return Refusal("`begin()` tolerates nobody else's commit, and the session is lent or its transaction steered")
    return Fix(
        Applicability.SAFE,
        f"Open the session in `with {target.expression}`",
        "manual_to_scope",
        _plan(facts, found, target),
    )


def _plan(facts: ModuleFacts, found: Shape, target: Target | None) -> tuple[tuple[str, object], ...]:
    start = facts.source.start(found.acquire)
    last = found.block[-1]
    end = facts.source.start(last)
    drop = list(_superfluous(found, commits=target is not None))
    return (
        ("acquire", (start.row, start.column)),
        ("last", (end.row, end.column)),
        ("name", found.name),
        ("expression", target.expression if target else ""),
        ("module", target.module if target else ""),
        ("imported", target.imported if target else ""),
        ("replaced", target.replaced if target else ""),
        ("guarded", found.guard is not None),
        ("dissolve", found.guard is not None and (target is not None or not found.guard.handlers)),
        ("drop", tuple((p.row, p.column) for p in (facts.source.start(s) for s in drop))),
        ("beside", target.beside if target else 0),
        ("asynchronous", _asynchronous(facts, found)),
    )


def _asynchronous(facts: ModuleFacts, found: Shape) -> bool:
    """Whether the factory makes asynchronous sessions, or the code awaits what the session does."""
    call = found.acquire.value
    if isinstance(call, ast.Call) and facts.module is not None:
        names = facts.module.names.qualify(call.func, facts.module.calls.scope(call))
        if any("asyncio" in name for name in names):
            return True
    return any(isinstance(n, ast.Await) and _method_of(n, found.name) for s in found.block for n in ast.walk(s))


def _superfluous(found: Shape, *, commits: bool) -> Iterator[ast.stmt]:
    """The statements that the scope makes superfluous."""
    if found.close is not None and found.guard is None:
        yield found.close
    if commits:
        for statement in found.block:
            yield from (
                s for s in ast.walk(statement) if isinstance(s, ast.Expr) and is_method(s, found.name, "commit")
            )


def _obstacles(facts: ModuleFacts, obligation: Obligation, found: Shape) -> Iterator[str]:
    """What stands against any ``with`` at all."""
    code = obligation.site.code
    inside = [n for s in found.block for n in ast.walk(s)]
    if any(isinstance(n, (ast.Yield, ast.YieldFrom)) for n in own_nodes(code)) and not isinstance(code, ast.Module):
        yield "the code is a generator: its consumer decides when the block ends"
    stores = [
        n for n in own_nodes(code) if isinstance(n, ast.Name) and n.id == found.name and not isinstance(n.ctx, ast.Load)
    ]
    if len(stores) > 1 or found.name in facts.scope(code).elsewhere:
        yield f"{found.name!r} is bound in more than one place"
    if any(
        isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)) and _mentions(n, found.name)
        for n in inside
    ):
        yield f"a nested function uses {found.name!r}"
    if any(_mentions(s, found.name) for s in found.rest):
        yield f"{found.name!r} is used after it was closed"
    inside_ids = {id(n) for n in inside}
    reads = (n for n in own_nodes(code) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load))
    if any(n.id == found.name and id(n) not in inside_ids for n in reads):
        yield f"{found.name!r} is used outside the block that opens it"
    if any(ending.handed_over or ending.dropped for ending in obligation.endings):
        yield f"{found.name!r} is handed over on some way"
    if (
        found.guard is not None
        and found.guard.orelse
        and found.guard.handlers
        and not all(gives_up(h, found.name) for h in found.guard.handlers)
    ):
        yield "the `else` of the `try` would move"
    if _asynchronous(facts, found) and not isinstance(code, ast.AsyncFunctionDef):
        yield "the session is asynchronous and the code is not"
    if isinstance(found.acquire, ast.AnnAssign) and not isinstance(code, (ast.FunctionDef, ast.AsyncFunctionDef)):
        yield "the session's type is declared where it is opened, which others may ask for"


def _steered(found: Shape) -> Iterator[str]:
    """What the block does to the transaction beside its final commit."""
    for statement in found.block:
        for node in ast.walk(statement):
            if isinstance(node, ast.Attribute) and path(node.value) == found.name and node.attr in STEERING:
                yield node.attr


STEERING = ("begin", "prepare", "transaction", "get_transaction", "autoflush", "expire_on_commit", "bind", "invalidate")


def _differences(obligation: Obligation, found: Shape) -> Iterator[str]:
    """Where a committing scope would write something else."""
    commits = [
        s
        for stmt in found.block
        for s in ast.walk(stmt)
        if isinstance(s, ast.Expr) and is_method(s, found.name, "commit")
    ]
    if not commits:
        yield "nothing is committed"
    for attribute in _steered(found):
        yield f"the block uses the session's own {attribute!r}"
    if any(n for stmt in found.block for n in ast.walk(stmt) if isinstance(n, ast.Await)):
        yield "the session is asynchronous"
    if any(not gives_up(h, found.name) for h in _handlers(found)):
        yield "an `except` inside does more than roll back and raise again"
    if any(_counts(stmt, found.name, "rollback") for stmt in _kept(found)):
        yield "a rollback is followed by a normal end"
    for ending in obligation.endings:
        yield from _difference(ending)
    for commit in commits:
        if not _is_last(found, commit):
            yield f"line {commit.lineno} commits before the end of the block"


def _difference(ending: Ending) -> Iterator[str]:
    fact = ending.fact
    if ending.normal:
        if fact.pending is not None or fact.marked("lost"):
            yield "a way out leaves changes uncommitted, a scope would commit them"
        elif not fact.marked("committed"):
            yield "a way out does not commit, a scope would"
        elif fact.marked("exposed"):
            yield "the session is used after the commit"
    elif fact.marked("committed"):
        yield "something may raise after the commit, a scope would then roll back"


def _handlers(found: Shape) -> list[ast.ExceptHandler]:
    return [n for s in found.block for n in ast.walk(s) if isinstance(n, ast.ExceptHandler)]


def _kept(found: Shape) -> list[ast.stmt]:
    """The statements that stay: without the handlers that go."""
    if found.guard is None:
        return found.block
    return [*found.block[:-1], *found.guard.body, *found.guard.orelse]


def _is_last(found: Shape, commit: ast.Expr) -> bool:
    """Whether nothing but plain ends come after a commit: then it is the scope's own."""
    return _ends_with(_kept(found), commit, found.name)


def _ends_with(suite: list[ast.stmt], commit: ast.Expr, name: str) -> bool:
    tail = list(suite)
    while tail and (_plain(tail[-1]) or is_method(tail[-1], name, "close")):
        tail.pop()
    if not tail:
        return False
    last = tail[-1]
    if last is commit:
        return True
    if isinstance(last, ast.If) and len(tail) == len(suite):
        return any(_ends_with(body, commit, name) for body in (last.body, last.orelse))
    return _returns_after(suite, commit, name)


def _returns_after(suite: list[ast.stmt], commit: ast.Expr, name: str) -> bool:
    """``if done: session.commit(); return`` in the middle of a suite."""
    for statement in suite:
        if isinstance(statement, ast.If):
            for body in (statement.body, statement.orelse):
                if body and isinstance(body[-1], ast.Return) and _ends_with(body, commit, name):
                    return True
    return False


def _plain(statement: ast.stmt) -> bool:
    """A statement that neither raises nor reads an object's attributes."""
    if isinstance(statement, ast.Return):
        return statement.value is None or isinstance(statement.value, (ast.Constant, ast.Name))
    return isinstance(statement, ast.Pass)


def _mentions(node: ast.AST, name: str) -> bool:
    return any(isinstance(n, ast.Name) and n.id == name for n in ast.walk(node))


def _counts(node: ast.AST, name: str, method: str) -> bool:
    return any(isinstance(n, ast.Expr) and is_method(n, name, method) for n in ast.walk(node))


def _method_of(node: ast.Await, name: str) -> bool:
    return (
        isinstance(node.value, ast.Call)
        and isinstance(node.value.func, ast.Attribute)
        and path(node.value.func.value) == name
    )


def fix_or_refusal(facts: ModuleFacts, obligation: Obligation) -> dict[str, Any]:
    """What a finding says about its cure: ``fix``, or ``refusal``."""
    found = to_scope(facts, obligation)
    return {"fix": found} if isinstance(found, Fix) else {"refusal": found.reason}
