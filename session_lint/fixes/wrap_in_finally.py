"""Statements go into a ``try`` whose ``finally`` does what some of them did, or nobody did, at the end."""

from __future__ import annotations

from itertools import dropwhile
from typing import TYPE_CHECKING, Any

import libcst as cst
from libcst.metadata import PositionProvider

from session_lint.fixes import CannotFix
from session_lint.fixes.imports import with_import
from session_lint.fixes.parsing import parsed, statement_at
from session_lint.fixes.suites import comments_of, led_by, moved

if TYPE_CHECKING:
    from collections.abc import Sequence


def rewrite(text: str, plan: dict[str, Any]) -> str:
    """The module's text with the statements from ``plan["first"]`` to ``plan["last"]`` in a ``try``.

    :param plan: besides: ``statement``, what the ``finally`` does; ``drop``, the statements that this makes
        superfluous; ``module`` and ``imported``, what has to be imported for it, ``beside`` the import in that row,
        which it joins where that binds ``joins``.
    :raises CannotFix: where the text is not what the plan was made for.
    """
    wrapper = parsed(text)
    wrapping = _Wrapper(plan, dict(wrapper.resolve(PositionProvider)), wrapper.module.default_indent)
    module = wrapper.module.visit(wrapping)
    if not wrapping.done:
        raise CannotFix("the statements to put into a `try` were not found")
    if plan["module"]:
        at = statement_at(wrapper, plan["beside"])
        module = with_import(module, at, plan["module"], plan["imported"], "", plan["joins"])
    return module.code


class _Wrapper(cst.CSTTransformer):
    def __init__(self, plan: dict[str, Any], positions: dict[cst.CSTNode, Any], indent: str) -> None:
        super().__init__()
        self.plan = plan
        self.indent = indent
        self.positions = positions
        self.drop = set(plan["drop"])
        self.done = False

    def leave_IndentedBlock(
        self, original_node: cst.IndentedBlock, updated_node: cst.IndentedBlock
    ) -> cst.IndentedBlock:
        body, footer = self._suite(
            original_node.body, updated_node.body, updated_node.footer, updated_node.indent, top=False
        )
        return updated_node.with_changes(body=body, footer=footer)

    def leave_Module(self, original_node: cst.Module, updated_node: cst.Module) -> cst.Module:
        body, footer = self._suite(original_node.body, updated_node.body, updated_node.footer, None, top=True)
        return updated_node.with_changes(body=body, footer=footer)

    def _suite(
        self,
        original: Sequence[cst.CSTNode],
        updated: Sequence[cst.BaseStatement],
        footer: Sequence[cst.EmptyLine],
        indent: str | None,
        *,
        top: bool,
    ) -> tuple[list[cst.BaseStatement], Sequence[cst.EmptyLine]]:
        starts = [(p.start.line, p.start.column + 1) for p in map(self.positions.__getitem__, original)]
        if self.plan["first"] not in starts or self.plan["last"] not in starts:
            return list(updated), footer
        first, last = starts.index(self.plan["first"]), starts.index(self.plan["last"])
        self.done = True
        kept: list[cst.BaseStatement] = []
        waiting: list[cst.EmptyLine] = []
        for start, statement in zip(starts[first : last + 1], updated[first : last + 1], strict=True):
            if start in self.drop and isinstance(statement, cst.SimpleStatementLine):
                waiting += comments_of(statement)
            else:
                kept.append(led_by(statement, waiting))
                waiting = []
        kept = [moved(statement, self.indent if indent is None else indent, top=top) for statement in kept]
        lines: Sequence[cst.EmptyLine] = kept[0].leading_lines if isinstance(kept[0], _LED) else ()
        comments = list(dropwhile(lambda line: line.comment is None, lines))
        kept[0] = kept[0].with_changes(leading_lines=comments) if isinstance(kept[0], _LED) else kept[0]
        ending = cst.parse_statement(f"{self.plan['statement']}\n")
        assert isinstance(ending, cst.SimpleStatementLine)
        guard = cst.Try(
            body=cst.IndentedBlock(kept, indent=indent),
            finalbody=cst.Finally(
                cst.IndentedBlock([ending.with_changes(leading_lines=waiting)], indent=indent),
            ),
            leading_lines=lines[: len(lines) - len(comments)],
        )
        return [*updated[:first], guard, *updated[last + 1 :]], footer


_LED = (cst.SimpleStatementLine, cst.BaseCompoundStatement)
