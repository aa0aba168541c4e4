"""The life of sessions: events, typestates, ownership, summaries, and the facts that rules ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_lint.analysis.facts import Ending, ModuleFacts, Obligation
from session_lint.analysis.program import Program
from session_lint.analysis.state import SiteKind, State
from session_lint.python.modules import absolute
from session_lint.python.names import Names
from session_lint.python.project import project_of, renew_projects
from session_lint.signs import forget as forget_signs
from session_lint.signs import touches
from session_lint.source import Source
from session_lint.vocabulary import builtin

if TYPE_CHECKING:
    import ast
    from pathlib import Path

    from session_lint.analysis.program import Learnt
    from session_lint.python.project import Project
    from session_lint.vocabulary import Vocabulary

__all__ = [
    "Ending",
    "ModuleFacts",
    "Obligation",
    "SiteKind",
    "State",
    "analyse",
    "analyse_file",
    "answer",
    "concerns",
    "concerns_alone",
    "forget",
    "learnt",
    "presume",
    "renew",
    "stand_in",
]


def analyse(source: Source, tree: ast.Module, module: str, vocabulary: Vocabulary | None = None) -> ModuleFacts:
    """The facts of one module, with nothing around it.

    :param source: its text.
    :param tree: its syntax tree.
    :param module: its dotted name, which places its relative imports.
    :param vocabulary: what names mean; ``None`` for what the libraries' do.
    """
    vocabulary = vocabulary or builtin()
    if not (vocabulary.mentions(source.text) or touches(source.text)):
        return ModuleFacts(source, None)
    names = Names(tree, module, package=source.filename.endswith("__init__.py"))
    program = Program(vocabulary)
    return program.facts(program.add(names, source))


def analyse_file(
    source: Source, tree: ast.Module | None, path: Path, vocabulary: Vocabulary | None = None
) -> ModuleFacts:
    """The facts of one module among those of its project.

    :param source: its text, which counts even where the file says something else by now.
    :param tree: its syntax tree, where the caller has it already.
    :param path: its file; that need not exist.
    :param vocabulary: what names mean; ``None`` for what the libraries' do.
    :raises SourceError: where the text cannot be parsed.
    """
    place = absolute(path)
    project = project_of(place)
    program = _program(project, vocabulary)
    worth = _worth(program, source.text.encode(errors="replace"), place)
    unit = project.known(place, source.text)
    if unit is None:
        tree = tree or source.parse()
        if not worth:
            return ModuleFacts(source, None, {"words": program.answer("words")})
        unit = project.stand_in(place, Source(str(place), source.text), tree)
    if not worth:
        return ModuleFacts(source, None, {"words": program.answer("words")})
    facts = program.facts(program.add(unit.names, unit.source))
    facts.source = source  # its own findings go by the name that it was given
    return facts


def concerns(data: bytes, path: Path, vocabulary: Vocabulary | None = None) -> bool:
    """Whether anything can be found in a module with some content at all."""
    place = absolute(path)
    return _worth(_program(project_of(place), vocabulary), data, place)


def concerns_alone(data: bytes, vocabulary: Vocabulary | None = None) -> bool:
    """The same of a module with nothing around it."""
    text = data.decode("latin-1")
    return (vocabulary or builtin()).mentions(text) or touches(text)


def _worth(program: Program, data: bytes, path: Path) -> bool:
    return program.worth(data, path) or touches(data.decode("latin-1"))


def answer(question: str, path: Path, vocabulary: Vocabulary | None = None) -> bytes:
    """The answer, as things stand now, to a question that a finding in a file rests on."""
    return _program(project_of(absolute(path)), vocabulary).answer(question)


def forget() -> None:
    """Read everything anew from now on: a run is over, files may change."""
    forget_signs()


def stand_in(path: Path, data: bytes | None) -> None:
    """Let bytes stand for a file from now on, ``None`` for what the disk says; other files are not read anew."""
    place = absolute(path)
    project_of(place).texts.replace(place, data)
    renew()


def renew() -> None:
    """Judge everything anew from now on, of the texts that were read already."""
    renew_projects()


def learnt(path: Path, vocabulary: Vocabulary | None = None) -> Learnt:
    """What is known of how the project of a file opens sessions."""
    return _program(project_of(absolute(path)), vocabulary).learnt()


def presume(path: Path, learnt: Learnt, vocabulary: Vocabulary | None = None) -> None:
    """Take that for granted until things are judged anew."""
    _program(project_of(absolute(path)), vocabulary).presume(learnt)


def _program(project: Project, vocabulary: Vocabulary | None) -> Program:
    words = vocabulary or builtin()
    programs: dict[Vocabulary, Program] = project.programs
    if words not in programs:
        programs[words] = Program(words, project)
    return programs[words]
