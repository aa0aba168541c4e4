"""What a worker does: it looks what there is to do for a project, and lints a piece of one.

It may be on another machine: all that it needs comes with the call, and it checks that it is what the survey needs.
Nothing here knows what kind of executor it runs on.
"""

from __future__ import annotations

import platform
import threading
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from session_lint import __version__
from session_lint.engine import FileReport, forget, lint_file
from session_lint.survey.plans import Planner

if TYPE_CHECKING:
    from collections.abc import Sequence

    from session_lint.survey.plans import Choose, Piece, Plan


class Tool(NamedTuple):
    """What findings depend on beside files and settings: Python's grammar changes with its version.

    :param python: its major and minor version.
    """

    version: str
    python: str

    def __str__(self) -> str:
        return f"session-lint {self.version} on Python {self.python}"


class Terms(NamedTuple):
    """What all work of a survey has in common.

    :param run: tells this survey from all others: files may have changed since another one.
    :param tool: what the survey itself is run by.
    :param fingerprint: of that tool, by which it is known what an earlier survey has done.
    :param choose: says which files of a project are looked at.
    """

    run: str
    tool: Tool
    fingerprint: str
    choose: Choose


class WrongWorkerError(Exception):
    """A worker that cannot do the work as the survey itself would; the message says why."""


class Greeting(NamedTuple):
    """What a worker says of itself.

    :param unseen: the folders that do not exist for it.
    """

    tool: Tool
    unseen: tuple[str, ...]


def this_tool() -> Tool:
    """What this process would lint with."""
    major, minor, _ = platform.python_version_tuple()
    return Tool(__version__, f"{major}.{minor}")


def greet(folders: Sequence[str]) -> Greeting:
    """What a worker answers before it gets work.

    :param folders: those that it will be sent to.
    """
    return Greeting(this_tool(), tuple(folder for folder in folders if not Path(folder).is_dir()))


class _Bench:
    """Where the work of a process is done, one thing at a time: what is learnt of a project is kept for its next piece.

    :param at: the survey and the project of the last piece.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.at = ("", "")
        self.planner: tuple[str, Planner] | None = None


_bench = _Bench()


def plan_project(project: str, terms: Terms) -> Plan:
    """What there is to do for a project.

    :param project: its folder.
    :raises WrongWorkerError: where this process is another tool, or does not see the project.
    """
    _check(project, terms)
    with _bench.lock:
        if _bench.planner is None or _bench.planner[0] != terms.run:
            forget()
            _bench.planner = terms.run, Planner(terms.choose, terms.fingerprint)
        return _bench.planner[1].plan(Path(project))


def lint_piece(piece: Piece, terms: Terms) -> list[FileReport]:
    """The findings in the files of a piece, one report each, in their order.

    :raises WrongWorkerError: where this process is another tool, or does not see the project.
    """
    _check(piece.project, terms)
    with _bench.lock:
        if _bench.at != (terms.run, piece.project):
            forget()
            _bench.at = (terms.run, piece.project)
        return [lint_file(Path(name), piece.settings, thorough=False) for name in piece.files]


def _check(project: str, terms: Terms) -> None:
    tool = this_tool()
    if tool != terms.tool:
        raise WrongWorkerError(f"it has {tool}, and this is {terms.tool}")
    if not Path(project).is_dir():
        raise WrongWorkerError(f"it does not see {project}")
