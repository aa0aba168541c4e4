"""Adding the import that a rewrite needs, and removing the one that it made superfluous."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Any

import libcst as cst

from session_lint.fixes import CannotFix
from session_lint.fixes.suites import led_by

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def with_import(module: cst.Module, at: int, home: str, name: str, replaced: str, joins: str = "") -> cst.Module:
    """The module with ``from home import name``, and without ``replaced`` where nothing uses it any more.

    :param at: which statement of the module imports the factory: the new name joins it, or gets a line below it.
    :param home: the dotted name of the module to import from.
    :param replaced: what that statement imports the factory as.
    :param joins: a name that it imports from the same module, however it writes that one: ``from .db import Session``.
    """
    importer = _Importer(home, name, replaced if replaced and not _uses(module, replaced) else "", joins)
    statement = module.body[at]
    joined = statement.visit(importer)
    assert isinstance(joined, cst.BaseStatement)
    added = [] if importer.found else [cst.parse_statement(f"from {home} import {name}\n")]
    return module.with_changes(body=[*module.body[:at], joined, *added, *module.body[at + 1 :]])


def without_import(module: cst.Module, at: int, name: str) -> cst.Module:
    """The module without a name in one of its imports, where nothing uses it any more.

    :param at: which statement of the module imports it.
    """
    statement = module.body[at]
    if _uses(module, name) or not isinstance(statement, cst.SimpleStatementLine) or len(statement.body) != 1:
        return module
    found = statement.body[0]
    if not isinstance(found, cst.ImportFrom) or isinstance(found.names, cst.ImportStar):
        return module
    kept = [alias for alias in found.names if _plain(alias) != name]
    if not kept:
        above = [line for line in statement.leading_lines if line.comment is not None]
        after = [led_by(module.body[at + 1], above)] if at + 1 < len(module.body) else []
        return module.with_changes(body=[*module.body[:at], *after, *module.body[at + 2 :]])
    if kept[-1] is not found.names[-1]:
        last = cst.MaybeSentinel.DEFAULT if found.rpar is None else _silent(found.names[-1].comma)
        kept[-1] = kept[-1].with_changes(comma=last)
    changed = statement.with_changes(body=[found.with_changes(names=kept)])
    return module.with_changes(body=[*module.body[:at], changed, *module.body[at + 1 :]])


def without_unused(module: cst.Module, names: Sequence[str]) -> cst.Module:
    """The module without some names in its imports, as far as nothing uses them any more.

    :param names: each is imported by one statement of the module.
    """
    for name in names:
        at = next((i for i, statement in enumerate(module.body) if _brings(statement, name)), None)
        if at is not None:
            module = without_import(module, at, name)
    return module


def _brings(statement: cst.BaseStatement | cst.BaseSmallStatement, name: str) -> bool:
    """Whether a statement imports a name, and does not say that it does so for others: ``# noqa: F401``, ``X as X``."""
    found = statement.body[0] if isinstance(statement, cst.SimpleStatementLine) else None
    if not isinstance(statement, cst.SimpleStatementLine) or not isinstance(found, cst.ImportFrom):
        return False
    if isinstance(found.names, cst.ImportStar) or "noqa" in cst.Module([statement]).code:
        return False
    return any(_plain(alias) == name and _plain_source(alias) != name for alias in found.names)


def _plain_source(alias: cst.ImportAlias) -> str:
    """The name in the other module of what is imported by another one, or by the same; else nothing."""
    return alias.name.value if alias.asname is not None and isinstance(alias.name, cst.Name) else ""


class _Importer(cst.CSTTransformer):
    def __init__(self, home: str, name: str, unused: str, joins: str) -> None:
        super().__init__()
        self.home = home
        self.name = name
        self.unused = unused
        self.joins = joins
        self.found = False

    def leave_ImportFrom(self, original_node: cst.ImportFrom, updated_node: cst.ImportFrom) -> cst.ImportFrom:
        del original_node
        if isinstance(updated_node.names, cst.ImportStar) or self.found or not self._joined(updated_node):
            return updated_node
        self.found = True
        return updated_node.with_changes(names=self._names(list(updated_node.names)))

    def _joined(self, node: cst.ImportFrom) -> bool:
        """Whether the name joins an import."""
        if not self.joins or isinstance(node.names, cst.ImportStar):
            return _dotted(node) == self.home
        return any(_plain(alias) == self.joins for alias in node.names)

    def _names(self, aliases: list[cst.ImportAlias]) -> list[cst.ImportAlias]:
        present = any(_plain(alias) == self.name for alias in aliases)
        at = next((i for i, alias in enumerate(aliases) if self.unused and _plain(alias) == self.unused), None)
        if at is None:
            return aliases if present else _appended(aliases, self.name)
        if present:
            del aliases[at]
            if at == len(aliases):
                aliases[-1] = aliases[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
            return aliases
        return _replaced(aliases, at, self.name)


def _by_type(name: str) -> tuple[int, str]:
    """Where a name stands as isort and ruff sort them: constants, classes, all others."""
    return (0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2), name


def _order(names: list[str]) -> Callable[[str], Any] | None:
    """The order that some names are in, which isort's is where there are too few to tell."""
    orders: tuple[Callable[[str], Any], ...] = (_by_type, str.lower, str)
    return next((key for key in orders if names == sorted(names, key=key)), None)


def _replaced(aliases: list[cst.ImportAlias], at: int, name: str) -> list[cst.ImportAlias]:
    """The aliases with one in another's place, or, where that would break their order, in its own."""
    names = [_plain(alias) for alias in aliases]
    after = [*names[:at], name, *names[at + 1 :]]
    key = _order(names)
    gone = aliases[at].comma
    if key is None or after == sorted(after, key=key) or _silent(gone) is not gone or at == len(aliases) - 1:
        aliases[at] = aliases[at].with_changes(name=cst.Name(name), asname=None)
        return aliases
    return _appended([*aliases[:at], *aliases[at + 1 :]], name)


def _appended(aliases: list[cst.ImportAlias], name: str) -> list[cst.ImportAlias]:
    """The aliases with one more, in its place where they are in order."""
    names = [_plain(alias) for alias in aliases]
    key = _order(names)
    later = (i for i, other in enumerate(names) if key is not None and key(other) > key(name))
    at = next(later, len(names))
    new = cst.ImportAlias(cst.Name(name))
    separator = _silent(aliases[0].comma) if len(aliases) > 1 else cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    if at < len(aliases):
        return [*aliases[:at], new.with_changes(comma=separator), *aliases[at:]]
    last = aliases[-1]
    if not isinstance(last.comma, cst.Comma):
        return [*aliases[:-1], last.with_changes(comma=separator), new]
    if len(aliases) == 1 and isinstance(last.comma.whitespace_after, cst.ParenthesizedWhitespace):
        raise CannotFix("the import has a form of its own; import the scope by hand")
    kept = _with_comment_of(separator, last.comma)
    return [*aliases[:-1], last.with_changes(comma=kept), new.with_changes(comma=_silent(last.comma))]


Separator = cst.Comma | cst.MaybeSentinel


def _silent(comma: Separator) -> Separator:
    """A comma with the same white space behind it, without the comment in it."""
    if not isinstance(comma, cst.Comma):
        return comma
    space = comma.whitespace_after
    if not isinstance(space, cst.ParenthesizedWhitespace) or space.first_line.comment is None:
        return comma
    first = space.first_line.with_changes(comment=None, whitespace=cst.SimpleWhitespace(""))
    return comma.with_changes(whitespace_after=space.with_changes(first_line=first))


def _with_comment_of(separator: Separator, comma: cst.Comma) -> Separator:
    """A separator that keeps the comment which stands behind a comma."""
    space = comma.whitespace_after
    if not isinstance(space, cst.ParenthesizedWhitespace) or space.first_line.comment is None:
        return separator
    target = separator.whitespace_after if isinstance(separator, cst.Comma) else None
    if not isinstance(separator, cst.Comma) or not isinstance(target, cst.ParenthesizedWhitespace):
        raise CannotFix("the import has a form of its own; import the scope by hand")
    return separator.with_changes(whitespace_after=target.with_changes(first_line=space.first_line))


def _plain(alias: cst.ImportAlias) -> str:
    """The name that an alias binds."""
    bound = alias.asname.name if alias.asname else alias.name
    return bound.value if isinstance(bound, cst.Name) else ""


def _dotted(node: cst.ImportFrom) -> str:
    if node.module is None or node.relative:
        return ""
    return cst.Module([]).code_for_node(node.module)


def _uses(module: cst.Module, name: str) -> bool:
    counter = _Counter(name)
    module.visit(counter)
    return counter.found


class _Counter(cst.CSTVisitor):
    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self.found = False

    def visit_ImportFrom(self, node: cst.ImportFrom) -> bool:
        del node
        return False

    def visit_Attribute(self, node: cst.Attribute) -> bool:
        node.value.visit(self)
        return False

    def visit_Name(self, node: cst.Name) -> None:
        self.found = self.found or node.value == self.name

    def visit_SimpleString(self, node: cst.SimpleString) -> None:  # __all__, string annotations
        self.found = self.found or (self.name in node.value and _speaks_of(node, self.name))

    def visit_Comment(self, node: cst.Comment) -> None:  # what is said of a type
        self.found = self.found or bool(re.search(rf"#\s*type:.*\b{self.name}\b", node.value))


def _speaks_of(node: cst.SimpleString, name: str) -> bool:
    """Whether a string is an expression with a name in it, which prose is not."""
    value = node.evaluated_value
    try:
        tree = ast.parse(value if isinstance(value, str) else value.decode(), mode="eval")
    except (SyntaxError, ValueError):
        return False
    return any(isinstance(n, ast.Name) and n.id == name for n in ast.walk(tree))
