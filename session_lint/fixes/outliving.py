"""What is left of a session when its block ends: objects that still load, a connection that is somebody else's.

Closing a session that nobody closed before can be seen by whoever still holds an object of it. A fix that does so is
safe only where nothing that was loaded gets out of the block. What the block calls is followed where it is the
project's own.
"""

from __future__ import annotations

import ast
from itertools import chain
from typing import TYPE_CHECKING

from session_lint.analysis.state import State
from session_lint.fixes.block import Block
from session_lint.fixes.expressions import (
    binds_anew,
    word_of,
)
from session_lint.fixes.given_to import ATTACHING
from session_lint.python.nodes import own_nodes, path
from session_lint.python.remembered import remembered
from session_lint.values import replace
from session_lint.vocabulary import effects

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from session_lint.analysis import Ending, ModuleFacts, Obligation
    from session_lint.analysis.module import Module
    from session_lint.fixes.shape import Shape

_ROLLING_BACK = ATTACHING - {"refresh"} | {"flush", "commit", "rollback", "close"}
"""Methods of a session that roll back by themselves when they fail, or fail before they have done anything."""
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def seen_closing(facts: ModuleFacts, obligation: Obligation, found: Shape) -> str:
    """Why closing at the end of the block may be seen; empty where it cannot, or was done before."""
    leaks = [ending.normal for ending in obligation.endings if ending.leaks]
    if not leaks:
        return ""
    if not any(leaks):
        return next(kept_on_error(facts, obligation, found), "")
    block = _block(facts, obligation, found, strict=True)
    foreign = obligation.site.origin.borrowed
    open_ = [ending for ending in obligation.endings if ending.normal and ending.leaks]
    unsaved = any(_uncommitted(ending, changed=block.changes) for ending in open_)
    if (foreign or _bound_to_unknown(found.acquire.value)) and unsaved:
        whose = "of somebody else's" if foreign else "that may be somebody else's"
        return f"changes may be uncommitted when it is closed, which rolls them back on a connection {whose}"
    turning = [ending for ending in open_ if ending.dropped is not None]
    if any(_uncommitted(ending, changed=block.changes) for ending in turning):
        return "changes may be uncommitted when the next turn of the loop opens another session"
    carried = _carried(block, found) if turning else iter(())
    return next(chain(_read_later(block, found), carried, block.escapes()), "")


def _carried(block: Block, found: Shape) -> Iterator[str]:
    """Where a block that is run in turns may read what the turn before has loaded."""
    for name in sorted(block.loaded):
        names = [n for n in block.syntax.nodes if isinstance(n, ast.Name) and n.id == name]
        inside = {id(n) for node in block.syntax.nodes if binds_anew(node, name) for n in ast.walk(node)}
        anew = next((s for s in found.block if isinstance(s, ast.Assign) and name in map(path, s.targets)), None)
        for read in names:
            before = anew is None or (read.lineno, read.col_offset) < (anew.end_lineno, anew.end_col_offset)
            if isinstance(read.ctx, ast.Load) and id(read) not in inside and before:
                yield f"line {read.lineno} may read {name!r} as the turn of the loop before has left it"


def kept_on_error(facts: ModuleFacts, obligation: Obligation, found: Shape) -> Iterator[str]:
    """Where what was loaded may be read after an exception has left the block."""
    yield from _left_on_error(_block(facts, obligation, found, strict=False), found)


def expired_on_error(facts: ModuleFacts, obligation: Obligation, found: Shape) -> Iterator[str]:
    """The same where the session is rolled back then: what is new in it is let go of as it is, all else expires."""
    yield from _left_on_error(_block(facts, obligation, found, strict=False, counts_new=False), found)


def _left_on_error(block: Block, found: Shape) -> Iterator[str]:
    """What others may have of the session once an exception has left the block.

    Objects that it was given count where something else may fail than what rolls back by itself: after a flush or a
    commit that failed they cannot be read in an open session either, but for new ones, which it has let go of then.
    Measured with SQLAlchemy 2.1.
    """
    yield from _read_by_handlers(block, found)
    yield from block.escapes(returning=False, of_others=_may_fail(block))


def _may_fail(block: Block) -> bool:
    """Whether something may raise once the session was given an object, and does not roll back by itself then."""
    if not block.attached:
        return False
    loops = any(isinstance(n, (ast.For, ast.AsyncFor, ast.While)) for n in block.syntax.nodes)
    first = min((part.lineno, part.col_offset) for part in block.attached)
    raising = (
        node for node in block.syntax.nodes if isinstance(node, (ast.Call, ast.Raise, ast.Assert, ast.Subscript))
    )
    return any((loops or (node.lineno, node.col_offset) > first) and _may_raise(block, node) for node in raising)


def _may_raise(block: Block, node: ast.AST) -> bool:
    if isinstance(node, ast.Raise):
        return node.exc is not None  # else what it raises again was raised by something else
    if not isinstance(node, ast.Call):
        return True
    own = isinstance(node.func, ast.Attribute) and path(node.func.value) in block.sessions
    return not (own and word_of(node) in _ROLLING_BACK) and not (
        node in block.module.calls and _is_quiet(block.module, node)
    )


def _is_quiet(module: Module, call: ast.Call) -> bool:
    return not module.calls.callee(call).raises


def loaded_by(facts: ModuleFacts, obligation: Obligation, found: Shape) -> set[str]:
    """The variables of a block that may hold what was loaded from its session."""
    return _block(facts, obligation, found, strict=True).loaded


def held(facts: ModuleFacts, obligation: Obligation, found: Shape) -> tuple[set[str], bool]:
    """The variables of a session and of what may be loaded from it, and whether some of that may be changed."""
    block = _block(facts, obligation, found, strict=True)
    return block.sessions | block.loaded, block.changes


def _block(facts: ModuleFacts, obligation: Obligation, found: Shape, *, strict: bool, counts_new: bool = True) -> Block:
    assert facts.module is not None
    block = _loaded(facts.module, obligation.site.code, (*found.block,), found.name, strict, counts_new)
    return replace(block, met=set())  # what is followed is followed anew by each question


@remembered
def _loaded(
    module: Module,
    code: ast.AST,
    statements: tuple[ast.stmt, ...],
    session: str,
    strict: bool,  # noqa: FBT001
    counts_new: bool,  # noqa: FBT001
) -> Block:
    """A block in which is found what was loaded: several conditions ask for that."""
    block = Block(module, code, statements, {session}, set(), strict, counts_new=counts_new)
    block.load()
    return block


def _uncommitted(ending: Ending, *, changed: bool) -> bool:
    """Whether the session may hold changes at an end that no commit of its own has written.

    A connection that has begun a transaction keeps them when the session is closed, one that has not loses them;
    measured with SQLAlchemy 1.4, 2.0 and 2.1.

    :param changed: whether objects of the session are changed somewhere, which the next query writes.
    """
    fact = ending.fact
    return fact.pending is not None or bool(fact.marked("exposed")) or (changed and fact.state is State.ACTIVE)


def only_works(block: Sequence[ast.stmt], name: str) -> bool:
    """Whether a block only calls the session's own methods, and hands it to nobody."""
    calls = [n for s in block for n in ast.walk(s) if isinstance(n, ast.Attribute) and path(n.value) == name]
    own = {id(n.value) for n in calls if n.attr in effects()}
    return all(id(n) in own for s in block for n in ast.walk(s) if isinstance(n, ast.Name) and n.id == name)


def _bound_to_unknown(call: ast.expr | None) -> bool:
    """Whether a factory is given something that does not say it is an engine."""
    if not isinstance(call, ast.Call):
        return False
    bound = [*call.args[:1], *(k.value for k in call.keywords if k.arg == "bind")]
    return any("engine" not in ast.unparse(value).lower() for value in bound)


def _read_later(block: Block, found: Shape) -> Iterator[str]:
    """Where what was loaded is read outside the block: behind it, or, of a module's own variables, anywhere."""
    whole = isinstance(block.code, ast.Module)
    yield from _reads(block, list(ast.walk(block.code)) if whole else [*own_nodes(block.code), *_inner_reads(block)])
    if whole and block.loaded and found.top:
        yield "objects loaded from the session may be read by other modules"


def _inner_reads(block: Block) -> Iterator[ast.AST]:
    """The names of the code's own variables that functions inside it read."""
    names = block.module.names
    code = names.scopes.of[block.code]
    functions = (n for n in own_nodes(block.code) if isinstance(n, (*_FUNCTIONS, ast.Lambda)))
    for function in functions if block.loaded else ():
        inner = names.scopes.of[function]
        reads = (n for n in ast.walk(function) if isinstance(n, ast.Name))
        yield from (n for n in reads if names.owner(n.id, inner) is code)


def _read_by_handlers(block: Block, found: Shape) -> Iterator[str]:
    """The same where only an exception leaves the session open: clauses around the block may read it then.

    So may what stands behind a ``with`` around it, which nobody has seen swallow anything.
    """
    node: ast.AST = found.acquire
    while node is not block.code and node in block.module.parents:
        node = block.module.parents[node]
        if isinstance(node, ast.Try):
            yield from _reads(block, [n for part in (*node.handlers, *node.finalbody) for n in ast.walk(part)])
        elif isinstance(node, (ast.With, ast.AsyncWith)):  # which may swallow what is raised
            behind = (n for n in own_nodes(block.code) if isinstance(n, ast.Name))
            yield from _reads(block, [n for n in behind if n.lineno > (node.end_lineno or 0)])


def _reads(block: Block, nodes: Sequence[ast.AST]) -> Iterator[str]:
    inside = set(map(id, block.syntax.nodes))
    names = (n for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load) and n.id in block.loaded)
    for node in sorted(names, key=lambda name: name.lineno):
        if id(node) not in inside:
            yield f"line {node.lineno} reads {node.id!r}, which may be an object of the session, outside the block"
