"""The life of sessions: events, typestates, ownership, summaries, and the facts that rules ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_lint.analysis.facts import Ending, ModuleFacts, Obligation
from session_lint.analysis.module import Module
from session_lint.analysis.state import SiteKind, State
from session_lint.python.names import Names
from session_lint.vocabulary import mentions

if TYPE_CHECKING:
    import ast

    from session_lint.source import Source

__all__ = ["Ending", "ModuleFacts", "Obligation", "SiteKind", "State", "analyse"]


def analyse(source: Source, tree: ast.Module, module: str) -> ModuleFacts:
    """The facts of one module.

    :param source: its text.
    :param tree: its syntax tree.
    :param module: its dotted name, which places its relative imports.
    """
    if not mentions(source.text):
        return ModuleFacts(source, None)
    package = source.filename.endswith("__init__.py")
    return ModuleFacts(source, Module(Names(tree, module, package=package)))
