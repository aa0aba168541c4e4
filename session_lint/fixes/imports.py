"""Adding the import that a rewrite needs, and removing the one that it made superfluous."""

from __future__ import annotations

import libcst as cst


def with_import(module: cst.Module, home: str, name: str, replaced: str) -> cst.Module:
    """The module with ``from home import name``, and without ``replaced`` where nothing uses it any more.

    :param home: the dotted name of the module to import from.
    :param replaced: what the same module was imported for before.
    """
    unused = bool(replaced) and not _uses(module, replaced)
    importer = _Importer(home, name, replaced if unused else "")
    changed = module.visit(importer)
    if importer.found:
        return changed
    return _inserted(changed, home, name)


class _Importer(cst.CSTTransformer):
    def __init__(self, home: str, name: str, unused: str) -> None:
        super().__init__()
        self.home = home
        self.name = name
        self.unused = unused
        self.found = False
        self.depth = 0

    def visit_IndentedBlock(self, node: cst.IndentedBlock) -> None:
        del node
        self.depth += 1

    def leave_IndentedBlock(
        self, original_node: cst.IndentedBlock, updated_node: cst.IndentedBlock
    ) -> cst.IndentedBlock:
        del original_node
        self.depth -= 1
        return updated_node

    def leave_ImportFrom(self, original_node: cst.ImportFrom, updated_node: cst.ImportFrom) -> cst.ImportFrom:
        del original_node
        if (
            self.depth
            or self.found
            or isinstance(updated_node.names, cst.ImportStar)
            or _dotted(updated_node) != self.home
        ):
            return updated_node
        self.found = True
        return updated_node.with_changes(names=self._names(list(updated_node.names)))

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
        aliases[at] = aliases[at].with_changes(name=cst.Name(self.name), asname=None)
        return aliases


def _appended(aliases: list[cst.ImportAlias], name: str) -> list[cst.ImportAlias]:
    """The aliases with one more, in its place where they are in order."""
    names = [_plain(alias) for alias in aliases]
    at = (
        next((i for i, other in enumerate(names) if other.lower() > name.lower()), len(names))
        if names == sorted(names, key=str.lower)
        else len(names)
    )
    new = cst.ImportAlias(cst.Name(name))
    if at == len(aliases):
        last = aliases[-1]
        separator = aliases[0].comma if len(aliases) > 1 else cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
        return [*aliases[:-1], last.with_changes(comma=separator), new.with_changes(comma=last.comma)]
    comma = aliases[0].comma if len(aliases) > 1 else cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    return [*aliases[:at], new.with_changes(comma=comma), *aliases[at:]]


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
        self.found = self.found or self.name in node.value


def _inserted(module: cst.Module, home: str, name: str) -> cst.Module:
    """The import as a line of its own, behind the last import at the top of the module."""
    line = cst.parse_statement(f"from {home} import {name}\n")
    body = list(module.body)
    at = 0
    for index, statement in enumerate(body):
        if _is_import(statement) or (index == 0 and _is_docstring(statement)):
            at = index + 1
    return module.with_changes(body=[*body[:at], line, *body[at:]])


def _is_import(statement: cst.BaseStatement | cst.BaseSmallStatement) -> bool:
    return isinstance(statement, cst.SimpleStatementLine) and any(
        isinstance(s, (cst.Import, cst.ImportFrom)) for s in statement.body
    )


def _is_docstring(statement: cst.BaseStatement | cst.BaseSmallStatement) -> bool:
    return (
        isinstance(statement, cst.SimpleStatementLine)
        and isinstance(statement.body[0], cst.Expr)
        and isinstance(statement.body[0].value, cst.SimpleString)
    )
