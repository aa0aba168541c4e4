"""What has to hold for a rewrite to leave the program as it is: one function each, that says why it does not.

``WITH`` has to hold for any ``with`` around the session, ``SCOPE`` besides for one that commits, ``LENT`` for one in a
generator that lends the session. Beside these the
factory has to be the scope's own (:mod:`session_lint.fixes.target`), and every other byte of the file has to stay
(:mod:`session_lint.fixes.parsing`). ``tests/fixes/test_mutations.py`` takes them away one by one, and sees that the
rewritten programs then do something else.
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from session_lint.analysis.asynchronous import is_async
from session_lint.analysis.classes import AtEnd, at_end
from session_lint.fixes.elsewhere import taken
from session_lint.fixes.fresh import asked_for, not_new
from session_lint.fixes.outliving import expired_on_error
from session_lint.fixes.shape import gives_up, is_method, suites
from session_lint.python.nodes import own_nodes, path
from session_lint.values import dataclass

if TYPE_CHECKING:
    from session_lint.analysis import ModuleFacts, Obligation
    from session_lint.fixes.shape import Shape

_ONCE = 2  # where a registry is made, and where it is asked
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
_STEERING = (
    "begin",
    "prepare",
    "transaction",
    "get_nested_transaction",
    "get_transaction",
    "in_nested_transaction",
    "in_transaction",
    "autoflush",
    "expire_on_commit",
    "bind",
    "invalidate",
)


@dataclass(frozen=True, eq=False)
class Case:
    """An acquire site that may become a ``with``."""

    facts: ModuleFacts
    obligation: Obligation
    shape: Shape

    @property
    def name(self) -> str:
        """The variable of the session."""
        return self.shape.name

    @property
    def code(self) -> ast.AST:
        """The function or module body around it."""
        return self.obligation.site.code

    @cached_property
    def inside(self) -> list[ast.AST]:
        """Everything in the block."""
        return [n for s in self.shape.block for n in ast.walk(s)]

    @cached_property
    def commits(self) -> list[ast.Expr]:
        """The statements of the block that commit."""
        return [n for n in self.inside if isinstance(n, ast.Expr) and is_method(n, self.name, "commit")]

    @cached_property
    def closes(self) -> list[ast.Expr]:
        """The further statements of the block that close, which a scope has no room for."""
        inside = [n for s in self.kept for n in ast.walk(s)]
        closes = (n for n in inside if isinstance(n, ast.Expr) and is_method(n, self.name, "close"))
        return [n for n in closes if n is not self.shape.close]

    @property
    def kept(self) -> list[ast.stmt]:
        """The statements that stay: without the handlers that go."""
        found = self.shape
        if found.guard is None:
            return found.block
        return [*found.block[:-1], *found.guard.body, *found.guard.orelse]

    @cached_property
    def plainly_bound(self) -> list[ast.Name]:
        """Where the variable is bound by an assignment or a ``with`` of its own."""
        return [name for suite in suites(self.code) for s in suite if (name := _bound(s, self.name)) is not None]

    @cached_property
    def others(self) -> list[ast.AST]:
        """What stands behind another binding of the variable, and so has nothing to do with this session."""
        if len(self.plainly_bound) == 1:
            return []
        found: list[ast.AST] = []
        for suite in suites(self.code):
            for index, statement in enumerate(suite):
                if statement is not self.shape.acquire and _bound(statement, self.name) is not None:
                    lent = statement.body if isinstance(statement, (ast.With, ast.AsyncWith)) else []
                    found += self._until_opened([*lent, *suite[index + 1 :]])
        return found

    def _until_opened(self, statements: list[ast.stmt]) -> Iterator[ast.AST]:
        """Everything in some statements, up to that which opens the session."""
        for statement in statements:
            nodes = list(ast.walk(statement))
            if self.shape.acquire in nodes:
                return
            yield from nodes

    @cached_property
    def asynchronous(self) -> bool:
        """Whether the factory makes asynchronous sessions, or the code awaits what the session does."""
        call, module = self.shape.acquire.value, self.facts.module
        if isinstance(call, ast.Call) and module is not None:
            names = module.names.qualify(call.func, module.calls.scope(call))
            if any("asyncio" in name for name in names):
                return True
        if module is not None and is_async(module, self.obligation.site):
            return True
        return any(isinstance(n, ast.Await) and _of_session(n.value, self.name) for n in self.inside)


Condition = Callable[[Case], Iterator[str]]


def uncommitted(case: Case) -> Iterator[str]:
    """Every normal way out has committed all that it wrote: the scope commits on every one."""
    for ending in case.obligation.endings:
        if ending.normal:
            if ending.fact.pending is not None or ending.fact.marked("lost"):
                yield "a way out leaves changes uncommitted, a scope would commit them"
            elif not ending.fact.marked("committed"):
                yield "a way out does not commit, a scope would"


def after_commit(case: Case) -> Iterator[str]:
    """Nothing that matters comes after a commit: the scope's own is the last thing in the block."""
    if not case.commits:
        yield "nothing is committed"
    for ending in case.obligation.endings:
        if ending.normal and ending.fact.marked("exposed"):
            yield "the session is used after the commit"
        elif not ending.normal and ending.fact.marked("committed"):
            yield "something may raise after the commit, a scope would then roll back"
    for commit in case.commits:
        if not _ends_with(case.kept, commit, case.name):
            yield f"line {commit.lineno} commits before the end of the block"


def closed_before(case: Case) -> Iterator[str]:
    """Nothing comes after a close in the block: a scope that has been closed there has nothing left to commit."""
    for close in case.closes:
        if not (_ends_with(case.kept, close, case.name) or _raises_after(case, close)):
            yield f"line {close.lineno} closes the session before the end of the block"
    own = (case.shape.close,) if case.shape.close is not None else ()
    known = {id(n) for s in (*case.closes, *own) for n in ast.walk(s)}
    for node in (n for s in case.kept for n in ast.walk(s) if id(n) not in known):
        if isinstance(node, ast.Attribute) and node.attr == "close" and path(node.value) == case.name:
            yield f"line {node.lineno} closes the session in the midst of a statement"


def swallowed(case: Case) -> Iterator[str]:
    """No handler goes on where the commit was left out, and no rollback is followed by a normal end."""
    handlers = (n for n in case.inside if isinstance(n, ast.ExceptHandler))
    if any(not gives_up(h, case.name) for h in handlers):
        yield "an `except` inside does more than roll back and raise again"
    if any(_counts(stmt, case.name, "rollback") for stmt in case.kept):
        yield "a rollback is followed by a normal end"


def expired(case: Case) -> Iterator[str]:
    """Nobody reads after an error what was loaded: the scope rolls back, which expires what closing would have left."""
    guard = case.shape.guard
    whole = guard is not None and len(case.shape.block) == 1 and not guard.orelse  # an `else` has no clause to catch it
    if whole and any(_rolls_back_all(handler, case.name) for handler in guard.handlers):  # type: ignore[union-attr]
        return
    for reason in expired_on_error(case.facts, case.obligation, case.shape):
        yield f"{reason}, and the scope's rollback would expire them when something fails"


def steered(case: Case) -> Iterator[str]:
    """The block leaves the transaction and the session's options alone."""
    for node in case.inside:
        if isinstance(node, ast.Attribute) and path(node.value) == case.name and node.attr in _STEERING:
            yield f"the block uses the session's own {node.attr!r}"


def beyond(case: Case) -> Iterator[str]:
    """The session is not used, returned or kept beyond the block."""
    name = case.name
    known = {*map(id, case.inside), *map(id, case.others)}
    behind = (n for s in case.shape.rest for n in ast.walk(s) if id(n) not in known)
    if any(isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Load) for n in behind):
        yield f"{name!r} is used after it was closed"
    reads = (n for n in own_nodes(case.code) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load))
    if any(n.id == name and id(n) not in known for n in reads):
        yield f"{name!r} is used outside the block that opens it"
    if isinstance(case.code, ast.Module) and case.facts.module is not None and taken(case.facts.module, name):
        yield f"other files use {name!r}"
    if any(ending.handed_over for ending in case.obligation.endings):
        yield f"{name!r} is handed over on some way"
    opening = {*map(id, ast.walk(case.shape.acquire))}
    dropped = (ending.dropped for ending in case.obligation.endings)
    if any(
        mark is not None and id(mark.node) not in opening for mark in dropped
    ):  # the next turn of a loop opens another one
        yield f"{name!r} is bound to something else while it is open"


def captured(case: Case) -> Iterator[str]:
    """No function of the block knows the session: nobody sees when it is run."""
    if any(isinstance(n, FUNCTIONS) and _mentions(n, case.name) for n in case.inside):
        yield f"a nested function uses {case.name!r}"


def run_through(case: Case) -> Iterator[str]:
    """The code is run from its beginning to its end."""
    if any(isinstance(n, (ast.Yield, ast.YieldFrom)) for n in own_nodes(case.code)):
        yield "the code is a generator: its consumer decides when the block ends"


def bound_once(case: Case) -> Iterator[str]:
    """The name means this session and nothing else, and the code is one that a ``with`` can stand in."""
    code, name = case.code, case.name
    if name in case.facts.scope(code).elsewhere:
        yield f"{name!r} is a variable of another scope"
    names = [n for n in own_nodes(code) if isinstance(n, ast.Name) and n.id == name and not isinstance(n.ctx, ast.Load)]
    if len(names) > 1:
        inside, plain = set(map(id, case.inside)), set(map(id, case.plainly_bound))
        if any(id(n) in inside for n in names):
            yield f"{name!r} is bound again in the block"
        if any(isinstance(n.ctx, ast.Store) and id(n) not in plain for n in names) or any(
            isinstance(n, FUNCTIONS) and n is not code and _mentions(n, name) for n in ast.walk(code)
        ):
            yield f"{name!r} is bound in more than one place"
    if case.asynchronous and not isinstance(code, ast.AsyncFunctionDef):
        yield "the session is asynchronous and the code is not"
    declared = isinstance(case.shape.acquire, ast.AnnAssign)
    if declared and not isinstance(code, (ast.FunctionDef, ast.AsyncFunctionDef)):
        yield "the session's type is declared where it is opened, which others may ask for"


def only_closed(case: Case) -> Iterator[str]:
    """The end of a ``with`` closes the session and does nothing else, as far as its class can be read."""
    module = case.facts.module
    commits = (AtEnd.COMMITS, AtEnd.MAY_COMMIT)
    if module is not None and at_end(module, case.obligation.site.node) in commits:
        yield "the session's own class commits at the end of a `with`"


def entered(case: Case) -> Iterator[str]:
    """What is opened can stand in a ``with``, and is nobody else's then: a registry, and its session, are not."""
    call, module = case.shape.acquire.value, case.facts.module
    if isinstance(call, ast.Call) and module is not None:
        callee = module.calls.callee(call)
        if callee.lazy:
            yield "a registry has no `with`: call its `remove()` in a `finally`, or open a session"
        if callee.kept and sum(isinstance(n, ast.Name) and n.id == callee.kept for n in own_nodes(case.code)) > _ONCE:
            yield f"{callee.kept!r} gives the same session elsewhere, too"


def of_known_kind(case: Case) -> Iterator[str]:
    """It is known whether the session is asynchronous: of a class that is not known, what is done with it tells."""
    module = case.facts.module
    if module is None or case.asynchronous or is_async(module, case.obligation.site) is not None:
        return
    if not any(_works(n) and _of_session(n, case.name) for n in case.inside):
        yield "nothing tells whether the session is asynchronous: its class is not known"


def _works(node: ast.AST) -> bool:
    """Whether a call works with the database, which an asynchronous session has to be awaited for."""
    func = node.func if isinstance(node, ast.Call) else None
    return isinstance(func, ast.Attribute) and func.attr in _WORKING


_WORKING = frozenset("close commit execute flush get merge query refresh rollback scalar scalars".split())


def new(case: Case) -> Iterator[str]:
    """What is opened is a new session on every way: closing one that was open before is up to whoever opened it."""
    module, site = case.facts.module, case.obligation.site
    if module is not None:
        yield from not_new(module, site)
        yield from asked_for(module, site, case.name)


WITH: tuple[Condition, ...] = (entered, run_through, bound_once, of_known_kind, beyond, only_closed, new)
LENT: tuple[Condition, ...] = (entered, bound_once, of_known_kind, beyond, only_closed, new)
"""For a ``with`` in a generator that lends the session."""
SCOPE: tuple[Condition, ...] = (captured, steered, swallowed, uncommitted, after_commit, closed_before, expired)


def failing(case: Case, conditions: tuple[Condition, ...]) -> str:
    """Why the first of some conditions does not hold; empty where all do."""
    return next((reason for condition in conditions for reason in condition(case)), "")


# the end of a block


def _ends_with(suite: list[ast.stmt], settling: ast.Expr, name: str) -> bool:
    """Whether nothing but plain ends come after a commit or a close: then it is the scope's own."""
    tail = list(suite)
    while tail and tail[-1] is not settling and (_plain(tail[-1]) or is_method(tail[-1], name, "close")):
        tail.pop()
    if not tail:
        return False
    last = tail[-1]
    if last is settling:
        return True
    if isinstance(last, ast.If) and len(tail) == len(suite):
        return any(_ends_with(body, settling, name) for body in (last.body, last.orelse))
    return _returns_after(suite, settling, name)


def _returns_after(suite: list[ast.stmt], settling: ast.Expr, name: str) -> bool:
    """``if done: session.commit(); return`` in the middle of a suite."""
    for statement in suite:
        if isinstance(statement, ast.If):
            for body in (statement.body, statement.orelse):
                if body and isinstance(body[-1], ast.Return) and _ends_with(body, settling, name):
                    return True
    return False


def _bound(statement: ast.stmt, name: str) -> ast.Name | None:
    """Where a statement that does nothing else binds a variable: an assignment, or a ``with`` for its block."""
    if isinstance(statement, ast.Assign):
        targets: list[ast.expr | None] = [*statement.targets]
    elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
        targets = [statement.target]
    elif isinstance(statement, (ast.With, ast.AsyncWith)):
        targets = [item.optional_vars for item in statement.items]
    else:
        return None
    target = targets[0] if len(targets) == 1 else None
    return target if isinstance(target, ast.Name) and target.id == name else None


def _raises_after(case: Case, close: ast.Expr) -> bool:
    """Whether an exception is raised right after a close: the scope rolls back then, as the close did."""
    pairs = (pair for suite in suites(case.code) for pair in itertools.pairwise(suite))
    return any(one is close and isinstance(following, ast.Raise) for one, following in pairs)


def _plain(statement: ast.stmt) -> bool:
    """A statement that neither raises nor reads an object's attributes."""
    if isinstance(statement, ast.Return):
        return statement.value is None or isinstance(statement.value, (ast.Constant, ast.Name))
    return isinstance(statement, ast.Pass)


def _rolls_back_all(handler: ast.ExceptHandler, name: str) -> bool:
    """Whether a clause rolls back whatever has gone wrong."""
    every = handler.type is None or path(handler.type) in ("Exception", "BaseException")
    return every and any(is_method(s, name, "rollback") for s in handler.body)


def _mentions(node: ast.AST, name: str) -> bool:
    return any(isinstance(n, ast.Name) and n.id == name for n in ast.walk(node))


def _counts(node: ast.AST, name: str, method: str) -> bool:
    return any(isinstance(n, ast.Expr) and is_method(n, name, method) for n in ast.walk(node))


def _of_session(call: ast.AST, name: str) -> bool:
    return isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and path(call.func.value) == name
