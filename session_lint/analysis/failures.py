"""Errors of the database that somebody catches and passes over, while the session still waits for a rollback."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis.called import may_pass_over
from session_lint.analysis.decorating import decorated
from session_lint.analysis.effects import commits_at, is_statement
from session_lint.analysis.holding import arguments
from session_lint.analysis.injection import commits_afterwards
from session_lint.analysis.scopes import begun_on_borrowed
from session_lint.analysis.state import Mark
from session_lint.flow import PointKind
from session_lint.python.nodes import nodes_in, own_nodes, own_of, path
from session_lint.python.remembered import remembered
from session_lint.python.words import word
from session_lint.values import dataclass

_UNDOING = ("rollback", "close")
_CLAUSES = (ast.ExceptHandler, ast.Call)
_LOOPS = (ast.For, ast.AsyncFor, ast.While, ast.comprehension)
_LEAVING = (ast.Continue, ast.Break, ast.Return)
_CODES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Module)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from session_lint.analysis.borrowed import Borrowed
    from session_lint.analysis.facts import ModuleFacts
    from session_lint.analysis.module import Module
    from session_lint.analysis.solved import Solved
    from session_lint.analysis.state import Fact, Site


@dataclass(frozen=True, eq=False)
class Swallowed:
    """An ``except``, or a ``suppress()``, after which a failed session goes on.

    :param site: the session, or the scope.
    :param code: the code that holds the clause.
    :param handler: the clause.
    :param failed: the operation whose error it catches.
    :param then: what happens next: another operation, or the end of the scope.
    """

    site: Site
    code: ast.AST
    handler: ast.ExceptHandler | ast.Call
    failed: ast.AST
    then: ast.AST
    name: str


def in_scopes(facts: ModuleFacts) -> Iterator[Swallowed]:
    """Every clause after which a scope commits what a failed operation left."""
    if facts.module is not None and _has_clauses(facts):
        seen: set[ast.AST] = set()
        yield from _in_blocks(facts, seen)
        yield from _under_decorators(facts, seen)
        yield from _before_dependencies(facts, seen)


def _in_blocks(facts: ModuleFacts, seen: set[ast.AST]) -> Iterator[Swallowed]:
    own = ((facts, solved) for solved in (*facts.solved, *begun_on_borrowed(facts, _may_be_swallowed)))
    for source, solved in (*own, *facts.passing_over):
        for item, fact in _committed(solved):
            for mark in _failed(facts, fact, seen):
                if fact.site is not None and not _is_all(source, item, fact, mark):
                    name = source.variable_of(fact.site, solved)
                    yield _swallowed(facts, fact.site, solved, mark, item, name)


def _under_decorators(facts: ModuleFacts, seen: set[ast.AST]) -> Iterator[Swallowed]:
    assert facts.module is not None
    for code, _ in facts.module.codes:
        for solved in decorated(facts.module, code):
            (parameter,) = solved.problem.start.names
            for fact in solved.exits:
                for mark in _failed(facts, fact, seen) if fact.flying is None and fact.site is not None else ():
                    yield _swallowed(facts, fact.site, solved, mark, code, str(parameter))  # type: ignore[arg-type]


def _before_dependencies(facts: ModuleFacts, seen: set[ast.AST]) -> Iterator[Swallowed]:
    """Those of functions whose session a dependency lends, and then commits, and of what they call."""
    codes = {solved.code: source for source, solved in facts.passing_over}
    others = (one for source in dict.fromkeys(codes.values()) for one in source.borrowed if one.code in codes)
    for one in (*facts.borrowed, *others):
        lent = one.name.isidentifier() and commits_afterwards(one.module, one.code, one.name)
        ends = one.solved.exits if lent and one.solved is not None else ()
        for fact in (fact for fact in ends if fact.flying is None and fact.site is not None):
            for mark in _failed(facts, fact, seen):
                if isinstance(mark.other, ast.Call) and not (is_statement(mark.other) and len(one.uses) == 1):
                    yield _swallowed(facts, fact.site, one.solved, mark, one.origin, one.name)  # type: ignore[arg-type]


def _may_be_swallowed(one: Borrowed, begin: ast.AST) -> bool:
    """Whether an error may be caught before the transaction ends that a call begins."""
    item = one.module.parents.get(begin)
    block = one.module.parents.get(item) if isinstance(item, ast.withitem) else None
    return not isinstance(block, (ast.With, ast.AsyncWith)) or may_pass_over(one.module, block)


def _committed(solved: Solved) -> Iterator[tuple[ast.AST, Fact]]:
    """The ends of blocks that commit what was done in them, each with what holds there."""
    for point, fact in solved.visits(PointKind.EXIT):
        commits = Mark("begun", point.node) in fact.marks or commits_at(fact, point.node)
        if commits and fact.site is not None and fact.flying is None:
            yield point.node, fact


def _is_all(source: ModuleFacts, item: ast.AST, fact: Fact, mark: Mark) -> bool:
    """Whether the failed statement is all that a block does with its session: nothing else of it can be lost."""
    assert source.module is not None
    failed, block = mark.other, source.module.parents.get(item)
    if not isinstance(failed, ast.Call) or not is_statement(failed) or not isinstance(block, (ast.With, ast.AsyncWith)):
        return False
    inside = [*nodes_in(block.body)]
    uses = [call for call in inside if isinstance(call, ast.Call) and _uses(call, fact.names)]
    if len(uses) != 1 or any(isinstance(node, _LOOPS) for node in inside):
        return False
    if uses[0] is failed:
        return True
    function = source.module.calls.callee(uses[0]).function
    names = {path(failed.func.value)}  # type: ignore[attr-defined]  # a method, as it is a statement
    mine = [call for call in own_of(function, ast.Call) if _uses(call, names)] if function is not None else []
    return mine == [failed] and not own_of(function, *_LOOPS)  # type: ignore[arg-type]  # it has a call


def _uses(call: ast.Call, names: Collection[object]) -> bool:
    """Whether a call is of a method of what goes by some names, or gets that."""
    own = call.func.value if isinstance(call.func, ast.Attribute) else None
    return any(path(node) in names for node in (own, *arguments(call)) if isinstance(node, (ast.Name, ast.Attribute)))


def _failed(facts: ModuleFacts, fact: Fact, seen: set[ast.AST]) -> Iterator[Mark]:
    """The clauses of this module that passed over a failure which nobody has undone yet."""
    for mark in fact.marked("failed"):
        if (
            mark.node not in seen
            and mark.key != "read"
            and _stands_in(facts, mark.node)
            and not is_harmless(facts, mark)
        ):
            seen.add(mark.node)  # type: ignore[arg-type]  # it stands in the module
            yield mark


def is_harmless(facts: ModuleFacts, mark: Mark) -> bool:
    """Whether only a statement has failed, and the transaction goes on: SQLite's do.

    A ``PRAGMA`` gives away that it is SQLite, and a test around the statement that asks for it.

    Source: https://sqlite.org/lang_conflict.html (``ABORT``, the default); a failed flush ends it there, too.
    """
    call = mark.other
    if mark.key == "read" and _only_sqlite(facts):
        return True
    if not isinstance(call, ast.Call) or not is_statement(call):
        return False
    module = facts.module
    assert module is not None
    if call not in module.calls:
        return False
    return _asks_for_sqlite(module, call) or _on_sqlite(module.code_of(module.calls.scope(call)))


def _asks_for_sqlite(module: Module, call: ast.Call) -> bool:
    """Whether a statement is in the body of an ``if`` that holds only on SQLite."""
    inner: ast.AST = call
    while (outer := module.parents.get(inner)) is not None and not isinstance(inner, _CODES):
        if isinstance(outer, ast.If) and inner in outer.body and _only_on_sqlite(outer.test):
            return True
        inner = outer
    return False


def _only_on_sqlite(test: ast.expr) -> bool:
    """Whether a test says that something is, begins with or has in it the word ``sqlite``."""
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):
        return any(map(_only_on_sqlite, test.values))
    asked: ast.AST | None = None
    if isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], (ast.Eq, ast.In)):
        sides = [test.left, *test.comparators] if isinstance(test.ops[0], ast.Eq) else [test.left]
        asked = next((side for side in sides if isinstance(side, ast.Constant)), None)
    elif isinstance(test, ast.Call) and isinstance(test.func, ast.Attribute) and test.func.attr == "startswith":
        asked = test.args[0] if len(test.args) == 1 else None
    value = asked.value if isinstance(asked, ast.Constant) else None
    return isinstance(value, str) and value.lower().startswith("sqlite")


def _only_sqlite(facts: ModuleFacts) -> bool:
    """Whether the program speaks of SQLite, and of no other database."""
    assert facts.module is not None
    program, module = facts.module.program, facts.module
    return program.speaks_of(module, "sqlite") and not any(program.speaks_of(module, word) for word in _OTHERS)


_OTHERS = ("postgres", "psycopg", "asyncpg", "mysql", "mariadb", "oracle", "mssql", "cockroach")
"""Words of databases that end the transaction, or lose the connection, with a statement that fails."""


@remembered
def _on_sqlite(code: ast.AST) -> bool:
    texts = (n.value for n in own_nodes(code) if isinstance(n, ast.Constant) and isinstance(n.value, str))
    return any(text.lstrip()[:7].lower() == "pragma " for text in texts)


def _stands_in(facts: ModuleFacts, node: ast.AST | None) -> bool:
    assert facts.module is not None
    return isinstance(node, _CLAUSES) and facts.module.has(node)


def _swallowed(facts: ModuleFacts, site: Site, solved: Solved, mark: Mark, then: ast.AST, name: str) -> Swallowed:
    assert isinstance(mark.node, _CLAUSES)
    assert mark.other is not None
    return Swallowed(site, _code_of(facts, solved, mark.node), mark.node, mark.other, then, name)


def _code_of(facts: ModuleFacts, solved: Solved, clause: ast.AST) -> ast.AST:
    """The code that was followed, or where that is another module's, the one of this module that has the clause."""
    assert facts.module is not None
    if solved.problem.module is facts.module:
        return solved.code
    code: ast.AST = clause
    while code in facts.module.parents and not isinstance(code, (ast.FunctionDef, ast.AsyncFunctionDef)):
        code = facts.module.parents[code]
    return code


def passing_over(facts: ModuleFacts) -> Iterator[tuple[ModuleFacts, Solved]]:
    """The solutions of other modules' codes that call, directly or not, what passes over a failure in this one.

    Each comes with the facts of its module.
    """
    module = facts.module
    if module is None or module.program.project is None or not _has_clauses(facts):
        return
    passing = [one for one in facts.borrowed if _may_go_on(module, one) and _passes_over(facts, one)]
    given = [(module, one.code) for one in passing if not one.managed]
    known = [(module, one.code) for one in passing if one.managed]  # whose callers need not speak of any session
    found = module.program.reaching(given, concerned=True) if given else {}
    found = {**found, **module.program.reaching(known)} if known else found
    for other, code in found.values():
        if other is not module:
            source = module.program.facts(other)
            yield from ((source, solved) for solved in source.solved if solved.code is code)
            lent = (one.solved for one in source.borrowed if one.code is code)
            yield from ((source, solved) for solved in lent if solved is not None)


def _has_clauses(facts: ModuleFacts) -> bool:
    return any(word in facts.source.text for word in ("except", "suppress"))


def _passes_over(facts: ModuleFacts, one: Borrowed) -> bool:
    """Whether a function gives a session back that has failed, and of which it has told nobody."""
    ends = [fact for fact in one.solved.exits if fact.flying is None] if one.solved is not None else []
    return any(
        _stands_in(facts, mark.node) and not is_harmless(facts, mark) for f in ends for mark in f.marked("failed")
    )


def gone_on(facts: ModuleFacts) -> Iterator[Swallowed]:
    """Every clause after which a session is used again that nobody has rolled back."""
    if facts.module is None or not _has_clauses(facts):
        return
    seen: set[ast.AST | None] = {one.handler for one in in_scopes(facts)}  # a rule of its own speaks of these
    own = ((facts, solved) for solved in _solutions(facts))
    for source, solved in (*own, *facts.passing_over):
        there = [fact for facts_there in solved.solution.facts.values() for fact in facts_there]
        failures = {mark for fact in there for mark in fact.marked("failed")}
        harmless = {mark for mark in failures if is_harmless(facts, mark)}
        passed_over = {mark.node for mark in harmless} - {mark.node for mark in failures - harmless}
        for fact in there:
            for mark in fact.marked("stale"):
                if mark.node in seen | passed_over or not _stands_in(facts, mark.node) or mark.other is None:
                    continue
                assert isinstance(mark.node, _CLAUSES)
                assert fact.site is not None
                failed = next((m.other for m in fact.marked("failed") if m.node is mark.node), None)
                if failed is solved.code or mark.other is solved.code:
                    continue  # too many ways to tell which
                seen.add(mark.node)
                name, code = source.variable_of(fact.site, solved), _code_of(facts, solved, mark.node)
                yield Swallowed(fact.site, code, mark.node, failed or mark.node, mark.other, name)


def _solutions(facts: ModuleFacts) -> Iterator[Solved]:
    assert facts.module is not None
    yield from facts.solved
    may_go_on = [one for one in facts.borrowed if _may_go_on(facts.module, one)]
    for one in _with_callers(facts.borrowed, may_go_on):
        if one.solved is not None:
            yield one.solved


def _with_callers(borrowed: list[Borrowed], found: list[Borrowed]) -> list[Borrowed]:
    """Those that were found, and those whose codes call theirs, by name, in the order of the text."""
    names = {getattr(one.code, "name", "") for one in found}
    known, more = {*found}, bool(names)
    while more:
        fresh = {one for one in borrowed if one not in known and names & _given_to(one)}
        known |= fresh
        names = {getattr(one.code, "name", "") for one in fresh}
        more = bool(names)
    return [one for one in borrowed if one in known]


def _given_to(one: Borrowed) -> set[str]:
    """The last words of what a code calls with its session, or on the object that has it in a field.

    Where the code does not speak of it, whatever it calls may know it.
    """
    own, _, field = one.name.rpartition(".")
    calls = own_of(one.code, ast.Call)
    if one.same:
        return {word(call) for call in calls}
    given = [c for c in calls if any(path(a) in one.names for a in (*c.args, *(k.value for k in c.keywords)))]
    asked = [c for c in calls if field and isinstance(c.func, ast.Attribute) and path(c.func.value) == own]
    return {path(call.func).rpartition(".")[2] for call in (*given, *asked)}


def _may_go_on(module: Module, one: Borrowed) -> bool:
    """Whether a code catches errors of the database around its session and may use that again, with no rollback."""
    scope, names = module.names.scopes.of[one.code], one.names
    tries = own_of(one.code, ast.Try)
    for outer in tries if len(tries) > 1 else ():
        if any(inner is not outer and inner in tries for inner in own_nodes(outer)):
            return any(_reaches(module, one, n.body) for n in tries)  # what one clause raises another one may catch
    items = ((node, item) for node in own_of(one.code, ast.With, ast.AsyncWith) for item in node.items)
    if any(
        any(map(module.exceptions.of_database, module.suppressed(item.context_expr, scope)))
        and _reaches(module, one, node.body)
        for node, item in items
    ):
        return True
    return any(
        _reaches(module, one, node.body) and not _undoes(handler.body, names)
        for node in tries
        for handler in node.handlers
        if any(map(module.exceptions.may_tell_of_database, module.exceptions.listed(handler.type, scope)))
    )


def _reaches(module: Module, one: Borrowed, statements: list[ast.stmt]) -> bool:
    """Whether statements name a session, or call a function of the project that may know it by itself.

    A method of the object does that has the session in a field.
    """
    if _touches(statements, one.names):
        return True
    own = one.name.rpartition(".")[0]
    inner = nodes_in(statements) if one.managed or own else ()
    calls = (n for n in inner if isinstance(n, ast.Call) and n in module.calls)
    mine = (c for c in calls if one.managed or (isinstance(c.func, ast.Attribute) and path(c.func.value) == own))
    return any(module.calls.callee(call).function is not None for call in mine)


def _touches(statements: list[ast.stmt], names: set[str]) -> bool:
    return any(isinstance(n, (ast.Name, ast.Attribute)) and path(n) in names for n in nodes_in(statements))


def _undoes(clause: list[ast.stmt], names: set[str]) -> bool:
    """Whether a clause gives the error back, or the first thing it does with the session is to roll back or close."""
    for statement in clause:
        call = statement.value if isinstance(statement, ast.Expr) else None
        call = call.value if isinstance(call, ast.Await) else call
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and path(call.func.value) in names:
            return call.func.attr in _UNDOING
        if isinstance(statement, ast.Raise):
            return True
        if _touches([statement], names) or any(isinstance(n, _LEAVING) for n in nodes_in([statement])):
            return False
    return False
