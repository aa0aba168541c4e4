"""Which tests may still be asked from a point on: what a way has taught about others tells nothing any more.

A variable path is *live* at a block where something that may happen from there on can ask how a test of it came out:
the same test or another, an argument of a call, a value that is bound to a name, a function inside the code, or whoever
called it, who is told of its parameters. Facts that differ only in what was learnt about the rest are one fact.
"""

from __future__ import annotations

import ast
from functools import cache
from typing import TYPE_CHECKING

from session_lint.analysis.guards import BOUND, VALUE, call_value, field_asked
from session_lint.analysis.kinds import asked
from session_lint.analysis.results import RESULT
from session_lint.flow import EdgeKind, PointKind
from session_lint.python.nodes import own_of, path
from session_lint.python.remembered import one_object
from session_lint.python.scopes import children, parameters

if TYPE_CHECKING:
    from collections.abc import Iterable

    from session_lint.analysis.guards import Guards
    from session_lint.flow import Block, Code, Graph

_TESTS = (EdgeKind.TRUE, EdgeKind.FALSE)
_TAKING = (PointKind.STORE, PointKind.RETURN)
_PASSING = (*_TAKING, PointKind.AWAIT)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


class Liveness:
    """What is live in one graph.

    Sets of paths are numbers with a bit for each: a code with thousands of tests has thousands of blocks, too.

    :param graph: the graph of the code that the guards are of.
    :param told: whether the tests of its parameters matter to whoever called it.
    :param tells: whether what it returns does.
    """

    def __init__(self, graph: Graph, *, told: bool, tells: bool = False) -> None:
        self._bits: dict[str, int] = {}
        everywhere = self._set([*_everywhere(graph.code, told=told), *[RESULT] * tells])
        self._live = {block: asked | everywhere for block, asked in self._asked_from(graph, tells=tells).items()}
        self._kept: dict[tuple[Block, Guards], Guards] = {}
        self._atoms: dict[str, int] = {}

    def living(self, block: Block, guards: Guards) -> Guards:
        """The guards that something may ask for from the start of a block on."""
        key = block, guards
        kept = self._kept.get(key)
        if kept is None:
            dead = ~self._live[block]
            kept = frozenset([g for g in guards if not dead & self._asked_by(g[0]) or _is_taken(g[0], block)])
            self._kept[key] = kept = guards if len(kept) == len(guards) else one_object(kept)
        return kept

    def forget(self) -> None:
        """Let go of what was answered: the code is solved, and in another solution most guards are others."""
        self._kept.clear()

    def _asked_by(self, atom: str) -> int:
        """The paths that an atom speaks of; all of them where nothing in the code asks for one."""
        found = self._atoms.get(atom)
        if found is None:
            bits = [self._bits.get(one) for one in paths(atom)]
            found = self._atoms[atom] = -1 if None in bits else sum(bit for bit in bits if bit is not None)
        return found

    def _asked_from(self, graph: Graph, *, tells: bool) -> dict[Block, int]:
        """The paths that each block and those behind it may ask about."""
        found = {block: self._set(_asked_in(block, tells=tells)) for block in graph.blocks}
        changed = True
        while changed:
            changed = False
            for block in reversed(graph.blocks):
                before = mine = found[block]
                for edge in block.edges:
                    mine |= found[edge.target]
                found[block] = mine
                changed = changed or mine != before
        return found

    def _set(self, paths: Iterable[str]) -> int:
        found = 0
        for one in paths:
            found |= self._bits.setdefault(one, 1 << len(self._bits))
        return found


@cache
def paths(atom: str) -> frozenset[str]:
    """The variable paths that an atom speaks of."""
    return frozenset(_paths([ast.parse(atom.removeprefix(BOUND), mode="eval")]))


def _everywhere(code: Code, *, told: bool) -> set[str]:
    """The paths that are live in all of a code: those of functions inside it, and parameters that matter outside."""
    found = {arg.arg for arg in parameters(code)} if told and isinstance(code, _FUNCTIONS) else set()
    tests = own_of(code, ast.If, ast.IfExp, ast.BoolOp) if found else ()
    asked = _paths(n.test if isinstance(n, (ast.If, ast.IfExp)) else n for n in tests)
    fields = {name for name in asked if "." in name and name.partition(".")[0] in found}
    return found | fields | _paths(own_of(code, *_FUNCTIONS, ast.ClassDef))


def _is_taken(atom: str, block: Block) -> bool:
    return atom.startswith(VALUE) and atom.partition(" ")[0] in _values_taken(block)


def _values_taken(block: Block) -> set[str]:
    """The variables for values of calls that a block binds, returns, awaits or tests; behind it they are gone."""
    taken = [p.value if p.kind in _TAKING else p.node for p in block.points if p.kind in _PASSING]
    tests = (e.node for e in block.edges if e.kind in _TESTS)
    taken += [kind[0] if (kind := asked(t)) else t.left if isinstance(t, ast.Compare) else t for t in tests if t]
    return {call_value(value) for value in taken if isinstance(value, (ast.Call, ast.Await))}


def _several(value: ast.AST | None) -> bool:
    """Whether a session may be returned beside a flag."""
    return isinstance(value, ast.Tuple)


def _asked_in(block: Block, *, tells: bool) -> set[str]:
    """The paths that the points of a block and the tests at its end may ask about."""
    asking: list[ast.AST] = [e.node for e in block.edges if e.kind in _TESTS and e.node is not None]
    for point in block.points:
        node = point.node
        if isinstance(node, ast.Call):
            asking += [*node.args, *(k.value for k in node.keywords)]
        elif point.kind is PointKind.STORE or (point.kind is PointKind.RETURN and (tells or _several(point.value))):
            asking += [point.value] if isinstance(point.value, ast.expr) else []
    return _paths(asking)


def _paths(nodes: Iterable[ast.AST]) -> set[str]:
    """The longest variable paths under some nodes, and the variables that are asked for by their names in a text."""
    found: set[str] = set()
    todo = list(nodes)
    while todo:
        node = todo.pop()
        whole = path(node) if isinstance(node, (ast.Name, ast.Attribute)) else ""
        if whole:
            found.add(whole)
            continue
        if isinstance(node, ast.Compare) and isinstance(node.left, ast.Constant):
            found.add(str(node.left.value))
        if asked := field_asked(node):
            found.add(asked)
        todo += children(node)
    return found
