"""The facts of a module, in the form that rules ask for them."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis.borrowed import Borrowed, borrowed
from session_lint.analysis.state import NOTHING, Fact, Mark, Site, SiteKind, State
from session_lint.analysis.trace import opened, shorten, step, thrown, turns
from session_lint.flow import EdgeKind, SolverLimit
from session_lint.python.nodes import own_nodes, path
from session_lint.python.pending import Pending, once
from session_lint.python.remembered import remembered
from session_lint.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from session_lint.analysis.module import Module
    from session_lint.analysis.solved import Solved
    from session_lint.analysis.standing import Standing
    from session_lint.finding import Step
    from session_lint.flow import Block, Code, Edge
    from session_lint.python.scopes import Scope
    from session_lint.source import Source


@dataclass(frozen=True, eq=False)
class Ending:
    """One way on which the story of a session ends in a code.

    :param fact: what holds there.
    :param block: where it ends: an exit, or the block after the last name of the session was re-bound.
    :param claimed: whether it stands open in a field then that somebody else may close.
    """

    solved: Solved
    block: Block
    fact: Fact
    claimed: bool = False

    @property
    def dropped(self) -> Mark | None:
        """Where the last name of the open session went, if it did."""
        return next(iter(self.fact.marked("dropped")), None)

    @property
    def normal(self) -> bool:
        """Whether no exception leaves the code here."""
        return self.dropped is not None or self.fact.flying is None

    @property
    def handed_over(self) -> bool:
        """Whether somebody outside the code has the session now."""
        returned = self.fact.flying is None and any(
            isinstance(n, tuple) and n[0] == "returned" for n in self.fact.names
        )
        return self.claimed or self.fact.state is State.GIVEN or returned or bool(self.fact.marked("yielded"))

    @property
    def closed(self) -> bool:
        """Whether the session is closed here, or in the hands of something that was told to close it: an exit stack."""
        return (self.fact.state is State.CLOSED and not self.handed_over) or bool(self.fact.marked("taken"))

    @property
    def leaks(self) -> bool:
        """Whether the session is open here and nobody outside has it."""
        asked = self.fact.site is None or not self.fact.site.origin.lazy or self.fact.state is not State.NEW
        return asked and self.fact.state is not State.CLOSED and not self.handed_over

    @property
    def idle(self) -> bool:
        """Whether the open session holds no connection here."""
        borrowed = self.fact.site is not None and self.fact.site.origin.borrowed
        return borrowed or self.fact.state in (State.NEW, State.IDLE)


@dataclass(frozen=True, eq=False)
class Obligation:
    """An acquire site of a code and all endings of what it opened there.

    :param name: the variable the session is bound to, empty where there is none.
    """

    site: Site
    name: str
    symbol: str
    endings: list[Ending]


class ModuleFacts:
    """What rules may ask about one module.

    :param source: its text.
    :param module: what the analysis knows of it; ``None`` where it cannot open a session at all.
    """

    def __init__(self, source: Source, module: Module | None, evidence: Mapping[str, bytes] | None = None) -> None:
        self.source = source
        self.module = module
        self._evidence = evidence or {}
        self.given_up: list[ast.AST] = []
        self._solutions: dict[Code, Solved | None] = {}
        self.pending = module.pending if module is not None else Pending()

    @once
    def solved(self) -> list[Solved]:
        """The solutions for all codes that open a session, in the order of the text."""
        return [] if self.module is None else self.solved_in(code for code, _ in self.module.codes)

    def solved_in(self, codes: Iterable[Code]) -> list[Solved]:
        """The solutions for those of some codes that open a session."""
        assert self.module is not None
        opening = (code for code in codes if code in self.module.opening)
        return [solved for code in opening if (solved := self.solution(code)) is not None]

    def solution(self, code: Code) -> Solved | None:
        """The solution for a code; ``None`` where it opens no session, or has more ways than can be followed."""
        if code not in self._solutions:
            assert self.module is not None
            self._solutions[code] = None
            try:
                if self.module.summaries.comes_by_one(code):
                    self._solutions[code] = self.module.solve(code, NOTHING, told=False)
            except SolverLimit:
                self.given_up.append(code)
            except BaseException:  # a stack that is not deep enough: it is asked again on a deeper one
                del self._solutions[code]
                raise
        return self._solutions[code]

    @once
    def borrowed(self) -> list[Borrowed]:
        """The sessions that functions of the module use and have from somebody else, in the order of the text."""
        return [] if self.module is None else list(borrowed(self.module))

    @once
    def passing_over(self) -> list[tuple[ModuleFacts, Solved]]:
        """The solutions of other modules that get a session back from this one whose failure was passed over."""
        from session_lint.analysis.failures import passing_over  # noqa: PLC0415  (few modules have a clause)

        return list(passing_over(self))

    @once
    def starting(self) -> list[Standing]:
        """The sessions that functions of the module put into a web application, for all its requests."""
        from session_lint.analysis.starting import at_start  # noqa: PLC0415  (few modules need it)

        return [] if self.module is None else list(at_start(self.module))

    def source_of(self, node: ast.AST) -> Source:
        """The text that a node stands in, which need not be this module's."""
        found = None if self.module is None else self.module.program.source_of(node, self.module)
        return found or self.source

    @property
    def evidence(self) -> Mapping[str, bytes]:
        """What the facts that were asked for so far rest on beside the module's own text."""
        project = self.module.program.project if self.module is not None else None
        if project is None or self.module is None:
            return self._evidence
        return {**project.evidence(project.unit(self.module.names)), **self.module.program.evidence}

    @property
    def first_statement(self) -> ast.AST:
        """Where a finding about the module body is reported."""
        assert self.module is not None
        body = getattr(self.module.names.scopes.module.node, "body", [])
        return body[0]  # type: ignore[no-any-return]  # a module that opens a session has one

    def obligations(self, kind: SiteKind) -> Iterator[Obligation]:
        """All acquire sites of one kind, with how each ends."""
        for solved in self.solved:
            sites: dict[Site, list[Ending]] = {}
            for block, fact in solved.ends:
                if fact.site is not None and fact.site.kind is kind and self._ordinary(fact):
                    sites.setdefault(fact.site, []).append(Ending(solved, block, fact, self._claimed(solved, fact)))
            for site, endings in sites.items():
                yield Obligation(site, self.variable(site.node, solved.code), self.symbol(solved.code), endings)

    def _ordinary(self, fact: Fact) -> bool:
        assert self.module is not None
        return fact.flying is None or self.module.exceptions.ordinary(fact.flying.type)

    def _claimed(self, solved: Solved, fact: Fact) -> bool:
        if self.module is None or fact.state in (State.CLOSED, State.GIVEN) or not fact.marked("kept"):
            return False
        from session_lint.analysis.claims import claimed  # noqa: PLC0415  (few sessions are kept in a field)

        return claimed(self.module, solved.code, fact)

    def scope(self, code: ast.AST) -> Scope:
        """The scope that a code opens."""
        assert self.module is not None
        return self.module.names.scopes.of[code]

    def symbol(self, code: ast.AST) -> str:
        """The dotted path of a function inside the module; empty for the module body."""
        return self.scope(code).path

    def code_at(self, node: ast.AST) -> ast.AST:
        """The function or module body that a call stands in."""
        assert self.module is not None
        if isinstance(node, ast.Call):
            return self.module.code_of(self.module.calls.scope(node))
        return self.module.names.scopes.module.node

    def variable(self, node: ast.AST, code: ast.AST) -> str:
        """The variable that the value of an expression is bound to first."""
        if isinstance(node, ast.withitem):
            return path(node.optional_vars) if node.optional_vars is not None else ""
        return _bindings(code).get(node, "")

    def variable_of(self, site: Site, solved: Solved) -> str:
        """The variable of a session in the solution for a code, which may have it from somebody else."""
        if site.kind is SiteKind.PARAMETER:
            own = (one.called for one in self.borrowed if vars(one).get("solved") is solved)
            return next(own, "") or min(map(str, solved.problem.start.names), default="")
        return self.variable(site.node, solved.code)

    def trace(self, ending: Ending, last: str, how: str = "opened here") -> list[Step]:
        """The way from the opening to an ending; ``last`` says what is wrong there."""
        site = ending.fact.site
        assert site is not None
        flying = ending.fact.flying
        if site.via is not None and flying is not None and flying.node not in own_nodes(ending.solved.code):
            return thrown(self, site, flying.node, last, how)
        way = ending.solved.way(ending.block, ending.fact)
        steps = [*opened(self, site, how), *turns(self, way, site)]
        return shorten([*steps, step(self, self.end_node(ending), last)])

    def end_node(self, ending: Ending) -> ast.AST:
        """Where an ending is: the statement that returns, raises, re-binds, or the last one."""
        if ending.dropped is not None and ending.dropped.node is not None:
            return ending.dropped.node
        if ending.fact.flying is not None and hasattr(ending.fact.flying.node, "lineno"):
            return ending.fact.flying.node
        way = ending.solved.way(ending.block, ending.fact)
        if (returned := _returned(way)) is not None:
            return returned
        for block, _, edge in reversed(way):
            for point in reversed(edge.source.points if edge is not None else block.points):
                if hasattr(point.node, "lineno") or isinstance(point.node, ast.withitem):
                    return point.node
        return ending.solved.code


def _returned(way: list[tuple[Block, Fact, Edge | None]]) -> ast.Return | None:
    """The ``return`` by which a way leaves; what a ``with`` or a ``finally`` around it does after that is no end."""
    for _, _, edge in reversed(way):
        if edge is None or edge.kind in _EXCEPTIONAL:
            return None
        for point in reversed(edge.source.points):
            if isinstance(point.node, ast.Return):
                return point.node
    return None


_EXCEPTIONAL = (EdgeKind.RAISE, EdgeKind.CATCH, EdgeKind.UNCAUGHT, EdgeKind.UNWIND, EdgeKind.SWALLOW)


@remembered
def _bindings(code: ast.AST) -> dict[ast.AST, str]:
    """The name that the value of each expression is bound to first, in the order of the text."""
    found: dict[ast.AST, str] = {}
    nodes = [n for n in own_nodes(code) if isinstance(n, _BINDING)]
    for node in sorted(nodes, key=lambda n: (n.lineno, n.col_offset)):
        if isinstance(node, (ast.With, ast.AsyncWith)):
            bound = [(i.context_expr, i.optional_vars) for i in node.items if i.optional_vars is not None]
        else:
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            bound = [(node.value, target)] if node.value is not None else []
        for value, target in bound:
            for one in _yielded(value):
                found.setdefault(one, path(target))
    return found


_BINDING = (ast.Assign, ast.AnnAssign, ast.NamedExpr, ast.With, ast.AsyncWith)


def _yielded(value: ast.expr) -> Iterator[ast.expr]:
    """What an expression evaluates to, on some way: itself, and what stands inside of it."""
    yield value
    if isinstance(value, (ast.Await, ast.NamedExpr)):
        yield from _yielded(value.value)
    elif isinstance(value, ast.BoolOp):
        for part in value.values:
            yield from _yielded(part)
    elif isinstance(value, ast.IfExp):
        yield from (*_yielded(value.body), *_yielded(value.orelse))
    elif isinstance(value, ast.Call):
        yield from value.args
