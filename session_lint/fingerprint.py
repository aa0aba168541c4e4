"""What stays of a finding when the lines around it move: the mark by which it is known again in a later run.

It is made of the rule's code, the function that the finding is in and the code that it is about, as Python reads it.
Inserted lines, a formatter, comments and a new name of the file leave it as it is. Two findings that are alike in all
of these have the same one.
"""

from __future__ import annotations

import ast
import hashlib
import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from session_lint.finding import Finding
    from session_lint.source import Source

LENGTH = 16
"""Hexadecimal digits: among a million findings two that differ share one with a chance of one in thirty million."""


def fingerprint(finding: Finding, source: Source | None) -> str:
    """The mark of a finding.

    :param source: the text of its file; ``None`` where that is gone, which leaves the place out.
    """
    about = _code(finding, source) if source is not None else ""
    parts = f"{finding.code}\0{finding.symbol}\0{about}"
    return hashlib.sha256(parts.encode(errors="surrogatepass")).hexdigest()[:LENGTH]


def _code(finding: Finding, source: Source) -> str:
    """The code that a finding is about, without what a formatter may change; of a compound statement its head."""
    text = _between(finding, source)
    shapes = ("{}", "({})", "try: pass\n{}", "async def f():\n {}")
    # As it stands, a first line without its indent: lines inside brackets may begin further left than the statement.
    for around, code in ((shape, code) for code in (textwrap.dedent(text), text.lstrip()) for shape in shapes):
        try:
            (*_, statement) = ast.parse(around.format(code)).body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        return ast.unparse(_plain(_head(statement)))
    return " ".join(text.split())


def _between(finding: Finding, source: Source) -> str:
    start, end = finding.location, finding.end_location
    lines = list(source.lines_of(start.cell)[start.row - 1 : end.row])
    if not lines:
        return ""
    lines[-1] = lines[-1][: end.column - 1] if end.row - start.row < len(lines) else lines[-1]
    lines[0] = " " * (start.column - 1) + lines[0][start.column - 1 :]
    return "".join(lines)


def _head(statement: ast.stmt) -> ast.AST:
    if isinstance(statement, ast.Try) and statement.handlers:
        return ast.Tuple([h.type for h in statement.handlers if h.type is not None], ast.Load())
    for block in ("body", "orelse", "finalbody", "handlers"):
        if getattr(statement, block, None):
            setattr(statement, block, [])
    return statement


def _plain(tree: ast.AST) -> ast.AST:
    """A tree without what is only a way of writing: the prefix of ``u"..."``, brackets around a tuple of targets."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant):
            node.kind = None
        if isinstance(node, ast.Delete) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Tuple):
            node.targets = node.targets[0].elts
    return tree
