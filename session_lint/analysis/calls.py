"""What each call of a module is, once and for all: by vocabulary, by the module's own definitions, or unknown."""

from __future__ import annotations

import ast
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from session_lint.analysis.state import ANY
from session_lint.python.names import Names, path
from session_lint.vocabulary import Effect, Meaning, Role, Vocabulary, effects

if TYPE_CHECKING:
    from session_lint.python.scopes import FunctionNode, Scope

_LOG_METHODS = frozenset(["debug", "info", "warning", "warn", "error", "exception", "critical", "log"])
_WRITING_SQL = ("insert", "update", "delete", "replace", "merge", "create", "drop", "alter", "truncate")


@dataclass(frozen=True, eq=False)
class Callee:
    """What a call calls.

    :param meaning: what the vocabulary, or inference, says of it.
    :param function: the function of this module that it calls.
    :param owner: the class of this module that it instantiates.
    :param receiver: the path of what the method is called on, if it is a method of a variable.
    :param bound: whether the receiver fills the function's first parameter.
    :param name: the last word of the callee.
    :param effect: for a method of something that surely is a session: what it does to that.
    :param names: the dotted names of the callee, empty where it could not be followed.
    """

    meaning: Meaning | None
    function: FunctionNode | None
    owner: ast.ClassDef | None
    receiver: str
    bound: bool
    name: str
    names: frozenset[str]
    effect: Effect | None = None

    @property
    def known(self) -> bool:
        """Whether the callee could be followed at all, to a library or to this module."""
        return bool(self.names)

    @property
    def own(self) -> bool:
        """Whether the callee may be the project's own code: not found, or imported from none of Python's modules."""
        return not self.names or any(n.partition(".")[0] not in _FOREIGN for n in self.names)

    @property
    def role(self) -> Role | None:
        """The role in the vocabulary, if it has one."""
        return self.meaning.role if self.meaning else None

    @property
    def constructor(self) -> bool:
        """Whether the call makes an object: a class of this module, or a name that is spelled as a class."""
        return (
            self.owner is not None
            or self.name in ("cls", "__class__", "partial", "partialmethod")
            or self.name.lstrip("_")[:1].isupper()
        )

    @property
    def raises(self) -> str:
        """The exception that calling it may raise, where it is not a function of this module; empty for none."""
        if self.meaning is not None and self.meaning.role in _QUIET:
            return ""
        if self.meaning is None and (self._logs or self.name == "close" or self._exception):
            return ""
        return ANY

    @property
    def _exception(self) -> bool:
        return bool(self.names) and all(
            n.startswith("builtins.") and n.endswith(("Error", "Exception", "Exit", "Interrupt")) for n in self.names
        )

    @property
    def _logs(self) -> bool:
        word = self.receiver.rpartition(".")[2].lower().strip("_")
        return not self.known and self.name in _LOG_METHODS and word in ("log", "logger", "logging")


_FOREIGN = frozenset(sys.stdlib_module_names) | {"builtins", "sqlalchemy", "sqlmodel", "flask", "click"}
_DEEPEST = 8
"""How many classes up a Session is looked for; a cycle of bases has no end."""
_QUIET = frozenset(
    {
        Role.NO_RAISE,
        Role.FACTORY,
        Role.FACTORY_MAKER,
        Role.CLOSER,
        Role.CLOSING,
        Role.TRANSPARENT,
        Role.SWALLOWS,
        Role.TAKES,
        Role.WRITE_STATEMENT,
        Role.REGISTRY_MAKER,
        Role.MANAGED,
    }
)


class Calls:
    """The calls of one module.

    :param inferred: what inference has learnt of the module's own names; filled while it learns.
    """

    def __init__(self, names: Names, vocabulary: Vocabulary) -> None:
        self.names = names
        self.vocabulary = vocabulary
        self.inferred: dict[str, Meaning] = {}
        self._scope = dict(names.scopes.calls)
        self._cache: dict[ast.Call, Callee] = {}

    def scope(self, call: ast.Call) -> Scope:
        """The scope that a call stands in."""
        return self._scope.get(call, self.names.scopes.module)

    def meaning(self, names: frozenset[str]) -> Meaning | None:
        """What one of these names means, the module's own inference first."""
        for name in sorted(names):
            if name in self.inferred:
                return self.inferred[name]
        return self.vocabulary.of(names)

    def callee(self, call: ast.Call) -> Callee:
        """What a call calls."""
        if call not in self._cache:
            self._cache[call] = self._callee(call)
        return self._cache[call]

    def forget(self) -> None:
        """Look every call up again: inference has learnt something."""
        self._cache.clear()

    def _callee(self, call: ast.Call) -> Callee:
        scope = self.scope(call)
        names = self.names.qualify(call.func, scope)
        node = next((d for n in sorted(names) if (d := self.names.definitions.get(n))), None)
        owner = node if isinstance(node, ast.ClassDef) else None
        function = node if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) else None
        meaning = self.meaning(names)
        if meaning is None and owner is not None:
            meaning = self._inherited(owner, 0)
        attribute = call.func if isinstance(call.func, ast.Attribute) else None
        return Callee(
            meaning=meaning,
            function=function if meaning is None else None,
            owner=owner,
            receiver=path(attribute.value) if attribute else "",
            bound=attribute is not None
            and function is not None
            and self._is_method(function)
            and not self._named_by_class(attribute, scope),
            name=attribute.attr if attribute else path(call.func),
            names=names,
            effect=effects().get(attribute.attr) if attribute and self._is_session(attribute.value, scope) else None,
        )

    def _is_session(self, node: ast.expr, scope: Scope) -> bool:
        """Whether an expression stands for nothing but sessions."""
        names = self.names.qualify(node, scope)
        found = [self.vocabulary.meaning(n.removesuffix("()")) for n in names if n.endswith("()")]
        return bool(names) and len(found) == len(names) and all(m is not None and m.role is Role.FACTORY for m in found)

    def _inherited(self, owner: ast.ClassDef, depth: int) -> Meaning | None:
        """A subclass of SQLAlchemy's Session opens a session too."""
        for base in sorted(self.names.bases(self.names.scopes.of[owner])) if depth < _DEEPEST else ():
            node = self.names.definitions.get(base)
            found = (
                self._inherited(node, depth + 1) if isinstance(node, ast.ClassDef) else self.vocabulary.meaning(base)
            )
            if found is not None and found.role is Role.FACTORY:
                return found
        return None

    def _is_method(self, function: FunctionNode) -> bool:
        outer = self.names.scopes.of[function].parent
        static = any(path(d) == "staticmethod" for d in function.decorator_list)
        return outer is not None and outer.is_class and not static

    def _named_by_class(self, attribute: ast.Attribute, scope: Scope) -> bool:
        """``Class.method(instance)`` fills the first parameter by hand, unless it is a class method."""
        return any(
            isinstance(self.names.definitions.get(n), ast.ClassDef) for n in self.names.qualify(attribute.value, scope)
        )

    def writes(self, node: ast.expr, scope: Scope) -> bool:
        """Whether an expression is an SQL statement that changes rows."""
        start = node
        while isinstance(start, (ast.Call, ast.Attribute)):
            if isinstance(start, ast.Call):
                found = self.vocabulary.of(self.names.qualify(start.func, scope))
                if found is not None and found.role is Role.WRITE_STATEMENT:
                    return True
                if start.args and isinstance(start.args[0], ast.Constant) and isinstance(start.args[0].value, str):
                    return start.args[0].value.lstrip().lower().startswith(_WRITING_SQL)
                start = start.func
            else:
                start = start.value
        return (
            isinstance(start, ast.Constant)
            and isinstance(start.value, str)
            and start.value.lstrip().lower().startswith(_WRITING_SQL)
        )
