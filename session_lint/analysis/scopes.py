"""What happens to the session of a scope while the scope is open."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis.arguments import bind
from session_lint.analysis.called import may_end
from session_lint.analysis.decorating import decorated
from session_lint.analysis.effects import commits_at
from session_lint.analysis.family import family
from session_lint.analysis.holding import arguments
from session_lint.analysis.inference import left_to_users
from session_lint.analysis.places import is_test
from session_lint.analysis.state import Fact, Mark, Site, SiteKind
from session_lint.analysis.surrounding import surrounding
from session_lint.analysis.trace import opened, step
from session_lint.flow import PointKind
from session_lint.python.nodes import own_of, path
from session_lint.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from session_lint.analysis.borrowed import Borrowed
    from session_lint.analysis.facts import ModuleFacts
    from session_lint.analysis.solved import Solved
    from session_lint.finding import Step


@dataclass(frozen=True, eq=False)
class Use:
    """Something done by hand to the session of a scope.

    :param site: the scope, or the session of a ``with session.begin()``.
    :param node: the call.
    :param after: for a commit: an operation that follows it in the scope.
    :param raises: whether that operation raises, as in ``begin()`` blocks.
    :param name: the variable that the scope's session is bound to.
    :param opening: what the scope is, for the trace.
    :param begun: the block of a ``with session.begin()``.
    :param undoes: whether it is a rollback after which the scope ends as if to commit.
    """

    site: Site
    node: ast.AST
    after: ast.AST | None
    raises: bool
    name: str
    opening: str
    begun: ast.withitem | None = None
    undoes: bool = False

    def trace(self, facts: ModuleFacts) -> list[Step]:
        """Where the scope begins."""
        return opened(facts, self.site, self.opening) if self.begun is None else [step(facts, self.begun, self.opening)]


def committed_in_scope(facts: ModuleFacts) -> Iterator[Use]:
    """Every commit by hand in a committing scope, once; one that splits tells what follows it."""
    found: dict[ast.AST, Use] = {}
    for use in (*_commits_in_blocks(facts), *_commits_in_decorated(facts)):
        if use.node not in found or (found[use.node].after is None and use.after is not None):
            found[use.node] = use
    yield from (found[node] for node in sorted(found, key=_position))


def awaiting(facts: ModuleFacts, use: Use) -> ast.ExceptHandler | None:
    """The clause within a scope that is there for the errors of the database which a commit by hand brings on."""
    module = facts.module
    code = facts.code_at(use.node)
    below, node = use.node, None if module is None else module.parents.get(use.node)
    while module is not None and node is not None and node is not code:
        if isinstance(node, (ast.With, ast.AsyncWith)) and (use.begun or use.site.node) in node.items:
            return None
        if isinstance(node, ast.Try) and below in node.body:
            for clause in node.handlers:
                if any(map(module.exceptions.of_database, module.exceptions.listed(clause.type, facts.scope(code)))):
                    return clause
        below, node = node, module.parents.get(node)
    return None


def ended_in_scope(facts: ModuleFacts) -> Iterator[Use]:
    """Every rollback or close by hand in a scope, once; a rollback by a way on which it undoes, if any."""
    found: dict[ast.AST, Use] = {}
    for use in (*_ends_in_blocks(facts), *_ends_in_decorated(facts)):
        if use.node not in found or (use.undoes and not found[use.node].undoes):
            found[use.node] = use
    yield from (found[node] for node in sorted(found, key=_position))


def _commits_in_blocks(facts: ModuleFacts) -> Iterator[Use]:
    for fact, item, name in _leaving(facts):
        begun = Mark("begun", item) in fact.marks
        if not begun and not commits_at(fact, item):
            continue
        raises = begun or _is_begin(item)
        opening = _COMMITS[not begun]
        for mark in _commits(facts, fact):
            if mark.what == "split" or not _is_own_method(facts, item, mark.node):
                yield Use(fact.site, mark.node, mark.other, raises, name, opening, item if begun else None)  # type: ignore[arg-type]


def _is_own_method(facts: ModuleFacts, item: ast.withitem, node: ast.AST | None) -> bool:
    """Whether a call stands in a method of the object that a ``with`` enters: it is there to be called.

    As the last operation that is only said twice.
    """
    assert facts.module is not None
    call = item.context_expr
    home = facts.module.program.module_of(call, facts.module)
    if home is None or not isinstance(node, ast.Call) or home.unit(call) is None:
        return False
    callee = home.calls.callee(call)  # type: ignore[arg-type]  # what makes a unit of work
    if callee.home is None or callee.owner is None:
        return False
    above = facts.scope(facts.code_at(node)).parent
    classes = family(home.program.module(callee.home), callee.home.scopes.of[callee.owner])
    return any(scope is above for _, scope in classes)


_COMMITS = {True: "this scope commits", False: "the transaction of this block commits"}
"""What a ``with`` is, by whether it opens the session, too."""


def _commits_in_decorated(facts: ModuleFacts) -> Iterator[Use]:
    for fact, name in _decorated(facts):
        for mark in _commits(facts, fact) if fact.flying is None else ():
            yield Use(fact.site, mark.node, mark.other, raises=False, name=name, opening="this decorator commits")  # type: ignore[arg-type]


def _commits(facts: ModuleFacts, fact: Fact) -> Iterator[Mark]:
    """The commits by hand of this module on the way to a fact; not one on purpose before an exception that undoes."""
    for mark in (*fact.marked("commit"), *fact.marked("split")):
        if _stands_in(facts, mark.node) and not (mark.what == "commit" and fact.flying is not None):
            yield mark


def _ends_in_blocks(facts: ModuleFacts) -> Iterator[Use]:
    for fact, item, name in _leaving(facts):
        assert fact.site is not None
        own = ("with", item) in fact.names and (fact.site.kind is SiteKind.SCOPE or bool(fact.marked("scope")))
        if not (own or Mark("begun", item) in fact.marks):
            continue
        commits = commits_at(fact, item) or not own
        for node in _ends(facts, fact):
            if own and not _rolls_back(node) and _is_users(facts, item):
                continue
            if (commits or not _rolls_back(node)) and not _gives_back(facts, fact, item, node):
                begun = None if own else item
                undoes = commits and fact.flying is None and _rolls_back(node)
                ends = "this scope rolls back and closes" if own else "this block rolls back"
                opening = _COMMITS[own] if undoes else ends
                yield Use(fact.site, node, None, raises=False, name=name, opening=opening, begun=begun, undoes=undoes)


def _is_users(facts: ModuleFacts, item: ast.withitem) -> bool:
    """Whether closing the session of a scope is up to its block."""
    assert facts.module is not None
    home = facts.module.program.module_of(item.context_expr, facts.module)
    return home is not None and left_to_users(home, item)


def _gives_back(facts: ModuleFacts, fact: Fact, item: ast.withitem, node: ast.AST) -> bool:
    """Whether a helper rolls back on the way of an error that leaves the block: as the scope does, for who has none."""
    if fact.flying is None or not _rolls_back(node):
        return False
    assert facts.module is not None
    here = facts.module.has(item.context_expr)
    return not here or facts.code_at(item.context_expr) is not facts.code_at(node)


def _ends_in_decorated(facts: ModuleFacts) -> Iterator[Use]:
    for fact, name in _decorated(facts):
        assert fact.site is not None
        for node in _ends(facts, fact):
            undoes = fact.flying is None and _rolls_back(node)
            opening = "this decorator commits" if undoes else "this decorator rolls back and closes"
            yield Use(fact.site, node, None, raises=False, name=name, opening=opening, undoes=undoes)


def _ends(facts: ModuleFacts, fact: Fact) -> Iterator[ast.AST]:
    """The calls of this module that ended the transaction by hand on the way to a fact."""
    yield from (m.node for m in fact.marked("ended") if m.node is not None and _stands_in(facts, m.node))


def _decorated(facts: ModuleFacts) -> Iterator[tuple[Fact, str]]:
    """How functions end that a decorator passes a session to, which it commits itself, each with the parameter."""
    if facts.module is None:
        return
    for code, _ in facts.module.codes:
        for solved in decorated(facts.module, code):
            (name,) = solved.problem.start.names
            yield from ((fact, str(name)) for fact in solved.exits if fact.site is solved.problem.start.site)


def _leaving(facts: ModuleFacts) -> Iterator[tuple[Fact, ast.withitem, str]]:
    """Every fact with a session that arrives at the end of a ``with`` here, or of one that calls into this module.

    With the variable of the session. What a test gives a scope's session to is there for what the program gives it.
    """
    if facts.module is None:
        return
    begun = begun_on_borrowed(facts, lambda one, _: may_end(one.module, one.code))
    own = ((facts, solved) for solved in (*facts.solved, *begun))
    tested = is_test(facts.source.filename)
    using = (u for u in facts.module.program.using(facts.module) if tested or not is_test(u[0].source.filename))
    for source, solved in (*own, *using):
        for point, fact in solved.visits(PointKind.EXIT):
            if fact.site is not None:
                yield fact, point.node, source.variable_of(fact.site, solved)  # type: ignore[misc]


def begun_on_borrowed(facts: ModuleFacts, worth: Callable[[Borrowed, ast.AST], bool]) -> Iterator[Solved]:
    """How sessions fare that a code has from somebody else and begins a transaction of.

    :param worth: whether it is worth to follow a session whose transaction one of the calls begins that are made.
    """
    for one in facts.borrowed:
        begins = (use for use in one.uses if isinstance(use.func, ast.Attribute) and use.func.attr == "begin")
        found = any(worth(one, call) for calls in (begins, _committing_around(one)) for call in calls)
        if found and one.solved is not None:
            yield one.solved


def _committing_around(one: Borrowed) -> Iterator[ast.Call]:
    """The context managers that a code gives the session to, and which commit it at the end of their block."""
    for item in (item for node in own_of(one.code, ast.With, ast.AsyncWith) for item in node.items):
        call = item.context_expr
        if not isinstance(call, ast.Call) or not any(path(given) in one.names for given in arguments(call)):
            continue
        callee = one.module.calls.callee(call)
        bound = bind(call, callee.function, bound=callee.bound) if callee.function is not None else {}
        for name in (name for name, given in bound.items() if given is not None and path(given) in one.names):
            end = surrounding(one.module, callee, name)
            if end is not None and end.commits:
                yield call


def _stands_in(facts: ModuleFacts, node: ast.AST | None) -> bool:
    """Whether a call is one of this module: what is wrong in another file is reported there."""
    return node is not None and facts.module is not None and node in facts.module.calls


def _rolls_back(node: ast.AST) -> bool:
    """A scope that does not commit leaves the rollback to its user, too."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "rollback"


def _is_begin(item: ast.withitem) -> bool:
    call = item.context_expr
    return isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "begin"


def _position(node: ast.AST) -> tuple[int, int]:
    return getattr(node, "lineno", 0), getattr(node, "col_offset", 0)
