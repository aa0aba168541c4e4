"""Modules that mean the same as another, rewritten by their syntax trees: each function goes from text to text."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from textwrap import indent
from typing import TYPE_CHECKING

from tests.oracle.program import PROGRAM

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from session_lint.finding import Finding

NAMED = (ast.FunctionDef, ast.ClassDef)
STAYS = (ast.Return, ast.Break, ast.Continue, ast.Raise, ast.Assert, ast.FunctionDef)
"""What does not mean the same in a function of its own, or has a place there that is asked for."""

STAY = ("stack", "finish")
"""How programs call the stack and the nested function that they make."""

UNRELATED = """

def unrelated(c1, given):
    session = Session()
    try:
        session.execute(c1)
    finally:
        session.close()
    return given
"""

Place = tuple[int, int, str, str]
"""The number of the definition that a finding is in and the line of it, the code, and the severity."""


def places(text: str, findings: list[Finding]) -> list[Place]:
    """Where findings are, by what does not change when things get other names."""
    tops = [node for node in ast.parse(text).body if isinstance(node, NAMED)]
    return [
        (number, found.location.row - top.lineno, found.code, found.severity.value)
        for found in findings
        for number, top in enumerate(tops)
        if top.lineno <= found.location.row <= (top.end_lineno or 0)
    ]


def renamed(text: str) -> str:
    """Everything that the module names itself under another name, and the class of its sessions, too."""
    names = dict.fromkeys(name for node in ast.walk(ast.parse(text)) for name in given_names(node))
    for number, name in enumerate(name for name in names if not name.startswith("__")):
        text = re.sub(rf"\b{name}\b", f"n{number}", text)
    text = text.replace("import Session\n", "import Session as opened\n")
    return re.sub(r"\bSession\(", "opened(", text)


def given_names(node: ast.AST) -> Iterator[str]:
    """The names that a node gives to something."""
    if isinstance(node, NAMED):
        yield node.name
    elif isinstance(node, ast.arg):
        yield node.arg
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        yield node.id


@dataclass(frozen=True)
class Run:
    """Statements of ``program`` that stand one after the other.

    :param first: the row of the first one.
    :param last: the row on which the last one ends.
    """

    first: int
    last: int
    nodes: tuple[ast.stmt, ...]


def runs(text: str, most: int) -> list[Run]:
    """The runs of ``program`` that are no longer than so many statements."""
    program = next(n for n in ast.parse(text).body if isinstance(n, ast.FunctionDef) and PROGRAM[4:-1] == n.name)
    rows = text.splitlines()
    blocks = [
        block
        for node in ast.walk(program)
        for _, block in ast.iter_fields(node)
        if isinstance(block, list) and block and isinstance(block[0], ast.stmt)
        if not rows[block[0].lineno - 1].lstrip().startswith("elif")
    ]
    return [
        Run(block[start].lineno, block[end].end_lineno or 0, tuple(block[start : end + 1]))
        for block in blocks
        for start in range(len(block))
        for end in range(start, min(start + most, len(block)))
    ]


def movable(run: Run) -> bool:
    """Whether a run can stand in a function of its own: it binds nothing, leaves nothing, and calls something.

    A stack has to stay where it was made, and a nested function where it is defined: what becomes of a session on a
    stack that a function is given, or in a function that it is given, nobody knows.
    """
    nodes = [node for statement in run.nodes for node in ast.walk(statement)]
    binds = any(isinstance(n, ast.Name) and (isinstance(n.ctx, ast.Store) or n.id in STAY) for n in nodes)
    caught = any(isinstance(node, ast.ExceptHandler) and node.name for node in nodes)
    return not (binds or caught or any(isinstance(n, STAYS) for n in nodes)) and any(map(calls, nodes))


def calls(node: ast.AST) -> bool:
    """Whether it is a call."""
    return isinstance(node, ast.Call)


def extracted(text: str, run: Run) -> str:
    """A run moved into a function, which gets what the run speaks of."""
    program = next(n for n in ast.parse(text).body if isinstance(n, ast.FunctionDef) and PROGRAM[4:-1] == n.name)
    own = {name for node in ast.walk(program) for name in given_names(node)} - {PROGRAM[4:-1]}
    spoken = {n.id for statement in run.nodes for n in ast.walk(statement) if isinstance(n, ast.Name)}
    passed = ", ".join(sorted(own & spoken))
    body = "\n".join(ast.unparse(statement) for statement in run.nodes)
    rows = text.splitlines()
    margin = rows[run.first - 1][: len(rows[run.first - 1]) - len(rows[run.first - 1].lstrip())]
    rows[run.first - 1 : run.last] = [f"{margin}taken_out({passed})"]
    return "\n".join(rows) + f"\n\n\ndef taken_out({passed}):\n{indent(body, '    ')}\n"


def under(text: str, run: Run, header: str) -> str:
    """A run under one more header."""
    return between(text, run, lambda body, margin: [f"{margin}{header}", *(f"    {line}" for line in body)])


def between(text: str, run: Run, rewrite: Callable[[list[str], str], list[str]]) -> str:
    """A module with the rows of a run rewritten; ``rewrite`` gets them and their margin."""
    rows = text.splitlines()
    first = rows[run.first - 1]
    rows[run.first - 1 : run.last] = rewrite(rows[run.first - 1 : run.last], first[: len(first) - len(first.lstrip())])
    return "\n".join(rows) + "\n"


def joined(text: str, run: Run, manager: str) -> str:
    """A ``with`` that gets one more manager before its own."""
    return between(text, run, lambda body, _: [body[0].replace("with ", f"with {manager}, ", 1), *body[1:]])
