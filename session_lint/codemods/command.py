"""What the libcst commands share: lint, mend, hand the tree back."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import libcst as cst
from libcst.codemod import CodemodCommand

from session_lint.mend import mend
from session_lint.settings import Settings
from session_lint.source import Source

if TYPE_CHECKING:
    import argparse

    from libcst.codemod import CodemodContext


class MendCommand(CodemodCommand):
    """Carries out the fixes of some rules.

    :param unsafe: whether fixes that need the author's eye are carried out too.
    """

    CODES: ClassVar[tuple[str, ...]] = ()

    @staticmethod
    def add_args(arg_parser: argparse.ArgumentParser) -> None:
        """The options of the command."""
        arg_parser.add_argument("--unsafe", action="store_true", help="carry out fixes that need the author's eye, too")

    def __init__(self, context: CodemodContext, *, unsafe: bool = False) -> None:
        super().__init__(context)
        self.unsafe = unsafe

    def transform_module_impl(self, tree: cst.Module) -> cst.Module:
        """The module with the fixes carried out; the same module where there is nothing to mend."""
        filename = self.context.filename or "<module>"
        source = Source(filename, tree.code, tree.encoding)
        mended = mend(source, Settings(select=self.CODES), unsafe=self.unsafe)
        if mended.text == tree.code:
            return tree
        return cst.parse_module(mended.text, config=tree.config_for_parsing)
