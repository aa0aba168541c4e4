"""The life of sessions: events, typestates, ownership, summaries, and the facts that rules ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_lint.analysis.facts import Ending, ModuleFacts, Obligation
from session_lint.analysis.program import Program
from session_lint.analysis.state import SiteKind, State
from session_lint.python.modules import absolute
from session_lint.python.names import Names
from session_lint.python.project import forget_projects, project_of
from session_lint.source import Source
from session_lint.vocabulary import builtin, mentions

if TYPE_CHECKING:
    import ast
    from pathlib import Path

    from session_lint.python.project import Project

__all__ = ["Ending", "ModuleFacts", "Obligation", "SiteKind", "State", "analyse", "analyse_file", "forget", "prepare"]


def analyse(source: Source, tree: ast.Module, module: str) -> ModuleFacts:
    """The facts of one module, with nothing around it.

    :param source: its text.
    :param tree: its syntax tree.
    :param module: its dotted name, which places its relative imports.
    """
    if not mentions(source.text):
        return ModuleFacts(source, None)
    names = Names(tree, module, package=source.filename.endswith("__init__.py"))
    program = Program(builtin())
    return program.facts(program.add(names, source))


def analyse_file(source: Source, tree: ast.Module | None, path: Path) -> ModuleFacts:
    """The facts of one module among those of its project.

    :param source: its text, which counts even where the file says something else by now.
    :param tree: its syntax tree, where the caller has it already.
    :param path: its file; that need not exist.
    :raises SourceError: where the text cannot be parsed.
    """
    place = absolute(path)
    project = project_of(place)
    program = _program(project)
    worth = program.worth(source.text.encode(errors="replace")) or _ENDS in source.text
    unit = project.known(place, source.text)
    if unit is None:
        tree = tree or source.parse()
        if not worth:
            return ModuleFacts(source, None)
        unit = project.take(place, Source(str(place), source.text), tree)
    facts = program.facts(program.add(unit.names, unit.source)) if worth else ModuleFacts(source, None)
    facts.source = source  # its own findings go by the name that it was given
    return facts


def prepare(path: Path) -> None:
    """Learn beforehand what all files of a file's project need, so that processes that are forked then have it."""
    program = _program(project_of(absolute(path)))
    program.worth(b"")


def forget() -> None:
    """Read everything anew from now on: a run is over, files may change."""
    _programs.clear()
    forget_projects()


_ENDS = ".commit("
"""In a text that opens no session, the word of a mistake that somebody else's session makes of it."""
_programs: dict[Project, Program] = {}


def _program(project: Project) -> Program:
    if project not in _programs:
        _programs[project] = Program(builtin(), project)
    return _programs[project]
