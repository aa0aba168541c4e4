"""Which ``except`` clause an exception meets.

Classes are known by dotted name: the interpreter's own by looking, the module's own by their bases,
SQLAlchemy's as one family below ``SQLAlchemyError``. Of all others nothing is known.
"""

from __future__ import annotations

import ast
import builtins
from typing import TYPE_CHECKING

from session_lint.analysis.state import ANY, SQLALCHEMY

if TYPE_CHECKING:
    from session_lint.python.names import Names
    from session_lint.python.scopes import Scope

BASE = "builtins.BaseException"


class Exceptions:
    """The exception classes that a module names."""

    def __init__(self, names: Names) -> None:
        self.names = names

    def listed(self, test: ast.expr | None, scope: Scope) -> list[str]:
        """The classes an ``except`` clause names, ``""`` for one that is not known; a bare one catches all."""
        if test is None:
            return [BASE]
        if isinstance(test, ast.Tuple):
            return [name for element in test.elts for name in self.listed(element, scope)]
        if isinstance(test, ast.Name):  # a tuple kept in a variable: ERRORS = (ValueError, KeyError)
            owner = self.names.owner(test.id, scope)
            values = [b.node for b in owner.bindings[test.id]] if owner else []
            if len(values) == 1 and isinstance(values[0], ast.Tuple):
                return self.listed(values[0], scope)
        return sorted(self.names.qualify(test, scope)) or [""]

    def raised(self, node: ast.expr, scope: Scope) -> str:
        """The class of what ``raise node`` raises; any exception where it is not known."""
        found = sorted(self.names.qualify(node, scope))
        return found[0].removesuffix("()") if len(found) == 1 else ANY

    def catches(self, raised: str, handler: str) -> bool | None:
        """Whether a clause for ``handler`` catches some instance of ``raised``: surely, never, or perhaps."""
        if self.below(raised, handler):
            return True
        if self.below(handler, raised):
            return None
        if _builtin(raised) and _builtin(handler):
            return False
        if _sqlalchemy(raised) and (_builtin(handler) or not _sqlalchemy(handler)) and handler:
            return False if _builtin(handler) else None
        if _sqlalchemy(handler) and _builtin(raised):
            return False
        return None if not self._known(raised) or not self._known(handler) else False

    def below(self, child: str, parent: str, depth: int = 0) -> bool:
        """Whether one class is known to be another, or below it."""
        if parent in (child, BASE):
            return True
        if (a := _builtin(child)) and (b := _builtin(parent)):
            return issubclass(a, b)
        if _sqlalchemy(child):
            return parent == ANY or (parent == SQLALCHEMY and _sqlalchemy(child))
        if (bases := self._bases(child)) is not None:
            above = [base for base in bases if base != child] or [
                f"builtins.{child.rpartition('.')[2]}"
            ]  # its namesake
            return depth < _DEEPEST and any(self.below(base, parent, depth + 1) for base in above)
        return parent == ANY and not _builtin(child)

    def ordinary(self, raised: str) -> bool:
        """Whether it is an ``Exception``, not one of those that end a program on purpose."""
        return self.below(raised, ANY)

    def of_database(self, handler: str) -> bool:
        """Whether a clause for a class is there for errors of the database, among others."""
        return handler in (ANY, BASE, *_OF_DATABASE)

    def may_tell_of_database(self, handler: str) -> bool:
        """Whether a clause for a class may get what another one has made of such an error: the project's own."""
        return self.of_database(handler) or self.names.class_of(handler) is not None

    def of_reads(self, handler: str) -> bool:
        """Whether a clause for a class is there for errors that a database may have with a query, and for no others."""
        return handler in _OF_DATABASE and not handler.endswith((".IntegrityError", ".TimeoutError"))

    def _known(self, name: str) -> bool:
        return bool(_builtin(name)) or self._bases(name) is not None

    def _bases(self, name: str) -> list[str] | None:
        found = self.names.class_of(name)
        return None if found is None else sorted(found[0].bases(found[1]))


_DEEPEST = 20
"""How many classes up one is looked for; a cycle of bases has no end."""
_OF_DATABASE = frozenset(
    f"{package}.{name}"
    for package, names in (
        ("sqlalchemy.exc", "SQLAlchemyError StatementError DBAPIError InterfaceError DatabaseError DataError"),
        ("sqlalchemy.exc", "OperationalError IntegrityError InternalError ProgrammingError NotSupportedError"),
        ("sqlalchemy.exc", "PendingRollbackError TimeoutError"),
        ("sqlalchemy.orm.exc", "FlushError StaleDataError ConcurrentModificationError"),
    )
    for name in names.split()
)
"""SQLAlchemy's classes after which a transaction cannot go on: not those that say nothing was found, or too much."""


def _builtin(name: str) -> type[BaseException] | None:
    found = getattr(builtins, name.removeprefix("builtins."), None) if name.startswith("builtins.") else None
    return found if isinstance(found, type) and issubclass(found, BaseException) else None


def _sqlalchemy(name: str) -> bool:
    return name.startswith(("sqlalchemy.exc.", "sqlalchemy.orm.exc."))
