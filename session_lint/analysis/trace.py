"""The way to a fault, told in short clauses."""

from __future__ import annotations

import ast
import re
from pathlib import PurePath
from typing import TYPE_CHECKING

from session_lint.finding import Location, Step
from session_lint.flow import EdgeKind, PointKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from session_lint.analysis.facts import ModuleFacts
    from session_lint.analysis.state import Fact, Site
    from session_lint.flow import Block, Edge
    from session_lint.source import Source

_DEFINED = r"((async\s+)?(def|class)\s+)?\w+"


def step(facts: ModuleFacts, node: ast.AST, message: str) -> Step:
    """One stop at a node, in whichever module it stands."""
    source = facts.source_of(node)
    at = place(node)
    return Step(source.filename, source.start(at), message, _end(source, at))


def line(facts: ModuleFacts, node: ast.AST | None) -> str:
    """Where a node stands, for a message: ``line 7``, with the file where that is not this one.

    ``a line of 'save'`` where only the function is known: of too many ways through it none was kept apart.
    """
    if node is None or not is_placed(node):
        name = getattr(node, "name", "")
        return f"a line of {name!r}" if name else "another line"
    source = facts.source_of(node)
    row = f"line {source.start(place(node)).row}"
    here, there = PurePath(facts.source.filename), PurePath(source.filename)
    if here == there:
        return row
    return f"{row} of {there.name if there.name != here.name else PurePath(*there.parts[-2:]).as_posix()}"


def is_placed(node: ast.AST) -> bool:
    """Whether a node is where something happens, and not the function or module somewhere in which it does."""
    return not isinstance(node, _CODES)


_CODES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.Module)


def place(node: ast.AST) -> ast.AST:
    """A node that has a position."""
    if isinstance(node, ast.withitem):
        return node.context_expr
    return node.iter if isinstance(node, ast.comprehension) else node


def _end(source: Source, node: ast.AST) -> Location:
    """Where a node ends, or the head of one that has a body."""
    start = source.start(node)
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        found = re.match(_DEFINED, source.lines[start.row - 1][start.column - 1 :])
        assert found is not None  # at least the first word
        return Location(start.row, start.column + found.end())
    if isinstance(node, ast.ExceptHandler) and node.type is None:
        return Location(start.row, start.column + len("except"))
    return source.end(_last_of_head(node))


def _last_of_head(node: ast.AST) -> ast.AST:
    if isinstance(node, (ast.With, ast.AsyncWith)):
        return node.items[-1].optional_vars or node.items[-1].context_expr
    if isinstance(node, (ast.For, ast.AsyncFor)):
        return node.iter
    if isinstance(node, (ast.If, ast.While)):
        return node.test
    if isinstance(node, ast.Match):
        return node.subject
    return (node.type or node) if isinstance(node, ast.ExceptHandler) else node


def opened(facts: ModuleFacts, site: Site, how: str = "opened here") -> list[Step]:
    """Where an obligation comes from: the opening, then each call that hands it on."""
    chain = [site]
    while chain[-1].via is not None:
        chain.append(chain[-1].via)
    steps = [step(facts, chain[-1].node, how)]
    return [*steps, *(step(facts, s.node, "comes out of this call") for s in reversed(chain[:-1]))]


def thrown(facts: ModuleFacts, site: Site, node: ast.AST, last: str, how: str) -> list[Step]:
    """The way of an exception that left the callee which had opened the session, up to where nobody closes."""
    calls = [site]
    while calls[-1].via is not None:
        calls.append(calls[-1].via)
    steps = [step(facts, calls[-1].node, how), step(facts, node, "this may raise")]
    steps += [step(facts, s.node, "the exception comes out of this call") for s in reversed(calls[1:-1])]
    return shorten([*steps, step(facts, site.node, last)])


def turns(facts: ModuleFacts, way: list[tuple[Block, Fact, Edge | None]], site: Site) -> Iterator[Step]:
    """The turns that a way takes after the site: tests that decide it, what raises, what catches."""
    for _block, fact, edge in way:
        if edge is None or fact.site is not site:
            continue
        before = edge.source.points[-1] if edge.source.points else None
        if edge.kind is EdgeKind.RAISE and before is not None:
            if before.kind is not PointKind.RERAISE and before.node is not site.node:
                yield step(facts, before.node, _raising(before.kind))
        elif edge.kind is EdgeKind.CATCH and isinstance(edge.node, ast.ExceptHandler):
            yield step(facts, edge.node, "caught here")
        elif edge.kind in (EdgeKind.TRUE, EdgeKind.FALSE) and edge.node is not None:
            yield step(facts, edge.node, f"when this is {edge.kind.value}")
        elif edge.kind is EdgeKind.EXHAUSTED and edge.node is not None:
            yield step(facts, edge.node, "the loop ends")


def _raising(kind: PointKind) -> str:
    if kind is PointKind.RAISE:
        return "raises here"
    return "this call may raise" if kind is PointKind.CALL else "this may raise"


def shorten(steps: Iterable[Step], most: int = 12) -> list[Step]:
    """A trace that a person reads: no stop twice in a row, the middle of a very long way left out."""
    found: list[Step] = []
    for one in steps:
        if not found or found[-1] != one:
            found.append(one)
    return found if len(found) <= most else [*found[: most // 2], *found[-(most // 2) :]]
