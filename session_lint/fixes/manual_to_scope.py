"""Manual session management becomes a ``with``: the scope that commits and closes, or the session that only closes.

``session = factory()`` and the statements that use it become ``with … as session:`` and the same statements; the
``try`` whose ``finally`` closed is dissolved, and the commits and closes that the scope does by itself go. Comments
and all other text stay.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import libcst as cst
from libcst.metadata import PositionProvider

from session_lint.fixes import CannotFix
from session_lint.fixes.imports import with_import, without_unused
from session_lint.fixes.parsing import parsed, statement_at
from session_lint.fixes.suites import Moved, comments_of, led_by, moved, own_lines, up_to_comment

Suite = Sequence[cst.BaseStatement]
Start = tuple[int, int]
Left = tuple[list[cst.BaseStatement], list[cst.EmptyLine]]
"""A suite, and comments that no statement of it can carry."""


def rewrite(text: str, plan: dict[str, Any]) -> str:
    """The module's text with one acquire site in a ``with``.

    :param plan: as :mod:`session_lint.fixes.judge` makes it.
    :raises CannotFix: where the text is not what the plan was made for.
    """
    wrapper = parsed(text)
    rewriter = _Rewriter(plan, dict(wrapper.resolve(PositionProvider)), wrapper.module.default_indent)
    module = wrapper.module.visit(rewriter)
    if not rewriter.done:
        raise CannotFix("the statement that opens the session was not found")
    if rewriter.drop != rewriter.dropped:
        raise CannotFix("a statement that the scope makes superfluous was not found")
    if plan["module"]:
        at = statement_at(wrapper, plan["beside"])
        module = with_import(module, at, plan["module"], plan["imported"], plan["replaced"], plan["joins"])
    return without_unused(module, plan["unused"]).code


class _Rewriter(cst.CSTTransformer):
    def __init__(self, plan: dict[str, Any], positions: dict[cst.CSTNode, Any], indent: str) -> None:
        super().__init__()
        self.plan = plan
        self.indent = indent
        self.positions = positions
        self.done = False
        self.drop = set(plan["drop"])
        self.dropped: set[Start] = set()
        rows = [row for row, _ in (plan["acquire"], plan["last"], *self.drop)]
        self.first, self.last = min(rows), max(rows)

    def on_visit(self, node: cst.CSTNode) -> bool:
        """Only what stands around the plan's rows can change, and nothing inside a plain statement."""
        if isinstance(node, cst.SimpleStatementLine):
            return False
        if isinstance(node, cst.BaseCompoundStatement):
            place = self.positions[node]
            return bool(place.start.line <= self.last and place.end.line >= self.first)
        return super().on_visit(node)

    def start(self, node: cst.CSTNode) -> Start:
        """Where a node of the original tree begins, as the plan counts."""
        position = self.positions[node].start
        return position.line, position.column + 1

    def leave_IndentedBlock(
        self, original_node: cst.IndentedBlock, updated_node: cst.IndentedBlock
    ) -> cst.IndentedBlock:
        body, left = self._suite(original_node.body, updated_node.body, updated_node.indent)
        return updated_node.with_changes(body=body, footer=[*left, *updated_node.footer])

    def leave_SimpleStatementSuite(
        self, original_node: cst.SimpleStatementSuite, updated_node: cst.SimpleStatementSuite
    ) -> cst.SimpleStatementSuite:
        kept = self._staying(original_node.body)
        if len(kept) == len(original_node.body):
            return updated_node
        return updated_node.with_changes(body=kept or [cst.Pass()])

    def leave_Module(self, original_node: cst.Module, updated_node: cst.Module) -> cst.Module:
        body, _ = self._suite(original_node.body, updated_node.body, top=True)
        return updated_node.with_changes(body=body)

    def _suite(
        self, original: Sequence[cst.CSTNode], updated: Suite, indent: str | None = None, *, top: bool = False
    ) -> Left:
        """The suite with what the scope makes superfluous gone, and the block in its ``with`` where it begins here.

        :param indent: what the suite is indented by, where that is not the module's habit: tabs among spaces.
        :param top: whether it is the module's own.
        """
        starts = [self.start(old) for old in original]
        if self.plan["acquire"] not in starts:
            return self._without(original, updated)
        first = starts.index(self.plan["acquire"])
        if self.plan["last"] not in starts[first:]:
            raise CannotFix("the end of the block was not found")
        last = starts.index(self.plan["last"])
        self.done = True
        block = self._block(list(original[first + 1 : last + 1]), list(updated[first + 1 : last + 1]), indent, top=top)
        return [*updated[:first], self._with(updated[first], block), *updated[last + 1 :]], []

    def _block(
        self, original: list[cst.CSTNode], updated: list[cst.BaseStatement], indent: str | None, *, top: bool
    ) -> cst.IndentedBlock:
        def further(nodes: Sequence[Moved]) -> list[Moved]:
            return [moved(node, self.indent if indent is None else indent, top=top) for node in nodes]

        guard = updated[-1]
        footer: list[cst.EmptyLine] = []
        header = cst.TrailingWhitespace(newline=cst.Newline())
        if isinstance(guard, cst.Try) and guard.finalbody is not None and self._guarded(original[-1]):
            before, left = self._without(original[:-1], updated[:-1]) if updated[:-1] else ([], [])
            above = further([*left, *guard.leading_lines])
            inner, footer = self._dissolved(guard.with_changes(leading_lines=above))
            updated = [*further(before), *(inner if self.plan["dissolve"] else further(inner))]
        else:
            updated, left = self._without(original, updated)
            updated, footer = further(updated), further(left)
        if not updated:
            updated = [cst.SimpleStatementLine([cst.Pass()])]
        return cst.IndentedBlock(body=updated, footer=footer, indent=indent, header=header)

    def _without(self, original: Sequence[cst.CSTNode], updated: Suite) -> Left:
        """A suite without the statements to drop; the comments on and above one go to the next, or are left over."""
        kept: list[cst.BaseStatement] = []
        waiting: list[cst.EmptyLine] = []
        for old, new in zip(original, updated, strict=True):
            staying = self._staying(old.body) if isinstance(old, cst.SimpleStatementLine) else None
            if staying == []:
                assert isinstance(new, cst.SimpleStatementLine)
                waiting += comments_of(new)
            else:
                shorter = staying is not None and isinstance(old, cst.SimpleStatementLine)
                kept.append(led_by(new.with_changes(body=staying) if shorter else new, waiting))
                waiting = []
        if not kept:
            return [cst.SimpleStatementLine([cst.Pass()], leading_lines=waiting)], []
        return kept, waiting

    def _staying(self, original: Sequence[cst.BaseSmallStatement]) -> list[cst.BaseSmallStatement]:
        """The statements of one line that are not to be dropped."""
        gone = [statement for statement in original if self.start(statement) in self.drop]
        self.dropped |= {self.start(statement) for statement in gone}
        kept = [statement for statement in original if statement not in gone]
        if gone and kept and kept[-1] is not original[-1]:
            kept[-1] = kept[-1].with_changes(semicolon=cst.MaybeSentinel.DEFAULT)
        return kept

    def _guarded(self, original: cst.CSTNode) -> bool:
        return bool(self.plan["guarded"]) and self.start(original) == self.plan["last"]

    def _dissolved(self, guard: cst.Try) -> Left:
        """The statements of a ``try`` whose ``finally`` goes; its handlers stay where the plan says so."""
        assert guard.finalbody is not None
        last = _comments(guard.finalbody)
        if not self.plan["dissolve"]:
            return [guard.with_changes(finalbody=None)], last
        head, body, foot = _opened(guard.body)
        between = [*foot, *(line for handler in guard.handlers for line in _comments(handler))]
        if guard.orelse is not None:
            more_head, more, more_foot = _opened(guard.orelse.body)
            between += [*own_lines(guard.orelse.leading_lines), *more_head]
            if any(not _is_placeholder(statement) for statement in more):
                body, between = [*body, led_by(more[0], between), *more[1:]], []
            between += more_foot
        real = [s for s in body if not _is_placeholder(s)] or body
        if real:
            real[0] = led_by(real[0], [*guard.leading_lines, *head])
        return real, [*between, *last]

    def _with(self, acquire: cst.BaseStatement, block: cst.IndentedBlock) -> cst.With:
        if (
            not isinstance(acquire, cst.SimpleStatementLine)
            or len(acquire.body) != 1
            or not isinstance(acquire.body[0], (cst.Assign, cst.AnnAssign))
            or acquire.body[0].value is None
        ):
            raise CannotFix("the session is opened beside another statement on the line")
        expression = cst.parse_expression(self.plan["expression"]) if self.plan["expression"] else acquire.body[0].value
        item = cst.WithItem(item=expression, asname=cst.AsName(name=cst.Name(self.plan["name"])))
        comment = acquire.trailing_whitespace
        first, *others = block.body
        lines = getattr(first, "leading_lines", ())
        while lines and lines[0].comment is None:  # no empty line behind the colon
            lines = lines[1:]
        body = [first.with_changes(leading_lines=lines) if hasattr(first, "leading_lines") else first, *others]
        return cst.With(
            items=[item],
            body=block.with_changes(body=body, header=comment),
            leading_lines=acquire.leading_lines,
            asynchronous=cst.Asynchronous() if self.plan["asynchronous"] else None,
        )


def _is_placeholder(statement: cst.BaseStatement) -> bool:
    """A lone ``pass`` that stands where dropped statements were."""
    return (
        isinstance(statement, cst.SimpleStatementLine)
        and len(statement.body) == 1
        and isinstance(statement.body[0], cst.Pass)
        and not statement.leading_lines
        and statement.trailing_whitespace.comment is None
    )


def _opened(suite: cst.BaseSuite) -> tuple[list[cst.EmptyLine], list[cst.BaseStatement], list[cst.EmptyLine]]:
    """The statements of a suite, also of one that stands on one line; the comments before and behind them."""
    if isinstance(suite, cst.IndentedBlock):
        comment = suite.header.comment
        return [cst.EmptyLine(comment=comment)] if comment else [], list(suite.body), up_to_comment(suite.footer)
    assert isinstance(suite, cst.SimpleStatementSuite)
    if len(suite.body) == 1 and isinstance(suite.body[0], cst.Pass):
        return [], [], _comments(suite)
    return [], [cst.SimpleStatementLine(suite.body, trailing_whitespace=suite.trailing_whitespace)], []


def _comments(gone: cst.CSTNode) -> list[cst.EmptyLine]:
    """The comments in what goes, each on a line of its own."""
    reader = _Reader()
    gone.visit(reader)
    return [cst.EmptyLine(comment=comment) for comment in reader.comments]


class _Reader(cst.CSTVisitor):
    """Reads the comments, wherever they stand."""

    def __init__(self) -> None:
        super().__init__()
        self.comments: list[cst.Comment] = []

    def visit_Comment(self, node: cst.Comment) -> None:
        self.comments.append(node)
