"""What each call of a module is, once and for all: by vocabulary, by the project's own definitions, or unknown."""

from __future__ import annotations

import ast
import sys
from functools import cached_property
from typing import TYPE_CHECKING

from session_lint.analysis.own_registries import gives_new, opened_by
from session_lint.analysis.state import ANY
from session_lint.python.names import CALLABLE
from session_lint.python.nodes import is_super, path
from session_lint.python.reaching import last_assigned
from session_lint.python.remembered import one_object
from session_lint.python.scopes import BindingKind
from session_lint.python.words import word
from session_lint.values import dataclass, field, replace
from session_lint.vocabulary import Effect, Meaning, Role, Vocabulary, effects

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Set as AbstractSet

    from session_lint.python.names import Names
    from session_lint.python.pending import Pending
    from session_lint.python.scopes import FunctionNode, Scope

    _Told = dict[tuple[Scope | None, str], bool | None]

_LOG_METHODS = frozenset(["debug", "info", "warning", "warn", "error", "exception", "critical", "log"])
_TEXT = "sqlalchemy.text"
_WRITING_SQL = ("insert", "update", "delete", "replace", "merge", "create", "drop", "alter", "truncate")


@dataclass(frozen=True, eq=False, slots=True)
class Callee:
    """What a call calls.

    :param meaning: what the vocabulary, or inference, says of it.
    :param function: the function of the project that it calls.
    :param owner: the class of the project that it instantiates.
    :param home: the names of the module that defines the function or class.
    :param receiver: the path of what the method is called on, if it is a method of a variable.
    :param bound: whether the receiver fills the function's first parameter.
    :param name: the last word of the callee.
    :param effect: for a method of something that surely is a session: what it does to that.
    :param names: the dotted names of the callee, empty where it could not be followed.
    :param kept: the variable of the function's own registry that keeps the session which the call opens.
    :param lazy: whether it is a registry that the call makes, which opens its session when that is used first.
    """

    meaning: Meaning | None
    function: FunctionNode | None
    owner: ast.ClassDef | None
    receiver: str
    bound: bool
    name: str
    names: frozenset[str]
    effect: Effect | None = None
    home: Names | None = field(default=None, repr=False)
    kept: str = ""
    lazy: bool = False

    @property
    def known(self) -> bool:
        """Whether the callee could be followed at all, to a library or to the project."""
        return bool(self.names)

    @property
    def own(self) -> bool:
        """Whether the callee may be the project's own code: not found, or imported from none of Python's modules."""
        return not self.names or not all(map(foreign, self.names))

    @property
    def role(self) -> Role | None:
        """The role in the vocabulary, if it has one."""
        return self.meaning.role if self.meaning else None

    @property
    def constructor(self) -> bool:
        """Whether the call makes an object: a class of the project, or what nobody has read and is spelled as one."""
        if self.home is not None:
            return self.owner is not None
        return self.name in ("cls", "__class__", "partial", "partialmethod") or self.name.lstrip("_")[:1].isupper()

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
        """Whether it is a method of a logger, as far as names tell of what nobody has read."""
        if self.name not in _LOG_METHODS or self.function is not None or self.owner is not None:
            return False
        spoken = [self.receiver.rpartition(".")[2], *(name.split(".")[-2] for name in self.names if "." in name)]
        return any(one.removesuffix("()").lower().strip("_") in _LOGGERS for one in spoken)


_LOGGERS = frozenset(["log", "logger", "logging", "getlogger", "get_logger"])


_FOREIGN = frozenset(sys.stdlib_module_names) | {"builtins", "sqlalchemy", "sqlmodel", "flask", "click"}


def foreign(name: str) -> bool:
    """Whether a dotted name is one of Python's own modules, or of the libraries that everybody has here."""
    return name.partition(".")[0] in _FOREIGN


ANY_CALLABLE = frozenset(f"{name}()" for name in CALLABLE)
"""What a parameter stands for that is annotated to be some function."""
_RENAMING = (ast.Name, ast.Attribute, ast.Lambda, ast.BoolOp, ast.IfExp)
"""Expressions whose value may be something that is defined elsewhere, to be called."""
_CURRENT = ("flask.current_app.", "quart.current_app.")
_DEEPEST = 8
"""How many classes up a Session is looked for; a cycle of bases has no end."""
_QUIET = frozenset(
    {
        Role.NO_RAISE,
        Role.FACTORY,
        Role.FACTORY_MAKER,
        Role.CLOSER,
        Role.CLOSES_ALL,
        Role.CLOSING,
        Role.TRANSPARENT,
        Role.SAME,
        Role.SWALLOWS,
        Role.TAKES,
        Role.WRITE_STATEMENT,
        Role.REGISTRY_MAKER,
        Role.MANAGED,
    }
)


_REGISTRIES = {Role.REGISTRY_MAKER, Role.MANAGED}
_FIELD_READING = {"builtins.getattr"}
_WITH_DEFAULT = 3
"""How many arguments ``getattr`` has that gives something where the field is not there."""


class Calls:
    """The calls of one module.

    :param inferred: what inference says of a name that the project defines.
    :param yields_one: whether a callee is a generator that yields a session which it opened itself.
    :param passed: the factories that callers pass for what an expression in some scope names.
    """

    def __init__(
        self,
        names: Names,
        vocabulary: Vocabulary,
        inferred: Callable[[str], Meaning | None],
        yields_one: Callable[[Callee], bool],
        passed: Callable[[ast.expr, Scope], frozenset[str]],
        pending: Pending,
    ) -> None:
        self._mixed: set[tuple[Scope, str]] = set()
        self._told_writes: _Told = {}
        self.names = names
        self.vocabulary = vocabulary
        self.inferred = inferred
        self._yields_one = yields_one
        self._passed = passed
        self._pending = pending
        self._scope = names.scopes.calls
        self._made: dict[ast.Call, Scope] = {}
        self._cache: dict[ast.Call, Callee] = {}
        self._waits: dict[frozenset[str], str] = {}
        self._registries: dict[ast.FunctionDef, bool] = {}
        self._leading: dict[tuple[Scope, str, str | None], bool] = {}

    def __contains__(self, node: object) -> bool:
        """Whether a call stands in the module."""
        return node in self._scope or node in self._made

    def scope(self, call: ast.Call) -> Scope:
        """The scope that a call stands in."""
        found = self._scope.get(call)
        return found if found is not None else self._made.get(call, self.names.scopes.module)

    def stands_in(self, made: ast.Call, call: ast.Call) -> None:
        """Take a call that was put together for one that stands where another does."""
        self._made.setdefault(made, self.scope(call))

    def meaning(self, names: frozenset[str]) -> Meaning | None:
        """What one of these names means for sessions, for which a call that is only slow means nothing.

        As the user says; else, where the project defines it, as its body says; else as the tables say.
        """
        told = self._told(names)
        if told is not None and told.role is not Role.SLOW:
            return told
        for name in sorted(names):
            found = self.inferred(name)
            if found is not None:
                return found
        found = self.vocabulary.of(n for n in names if self.names.definition(n) is None)
        return found if found is None or found.role is not Role.SLOW else None

    def waits_for(self, call: ast.Call) -> str:
        """What a call waits for that is outside the program, as the vocabulary says; empty where it waits for nothing.

        A call that has another one made (``asyncio.to_thread``) waits for what that waits for; ``sleep(0)`` only lets
        others run.
        """
        if len(call.args) == 1 and isinstance(call.args[0], ast.Constant) and call.args[0].value == 0:
            return ""
        named = (self.names.qualify(call.func, self.scope(call)), self.callee(call).names)
        return next((found for names in named if (found := self._wait(names))), "")

    def _wait(self, names: frozenset[str]) -> str:
        if names not in self._waits:
            self._waits[names] = self._waiting(names)
        return self._waits[names]

    def _waiting(self, names: frozenset[str]) -> str:
        told = self._told(names)
        if told is not None:
            return told.waits_for
        found = [self.vocabulary.meaning(name) for name in sorted(names) if self.names.definition(name) is None]
        return next((meaning.waits_for for meaning in found if meaning is not None and meaning.waits_for), "")

    def _told(self, names: frozenset[str]) -> Meaning | None:
        """What the user says that one of these names means."""
        return self.vocabulary.told(self._spelled(names)) if self.vocabulary.said else None

    def _spelled(self, names: frozenset[str]) -> frozenset[str]:
        """The names, and those of the project as they are imported, without the folders that imports start from."""
        own = [name.split(".") for name in names if self.names.definition(name) is not None]
        return names | {".".join(parts[start:]) for parts in own for start in range(1, len(parts) - 1)}

    def may_be(self, call: ast.Call, words: AbstractSet[str]) -> bool:
        """Whether a call may be of something that a library knows by one of some words, as far as bare names tell.

        Most calls are of methods of objects that come from nowhere near; to follow each of them takes long.
        """
        return word(call.func) in words or self._may_lead(call)

    def likely(self, words: AbstractSet[str]) -> list[ast.Call]:
        """The calls of the module that :meth:`may_be` holds for, in the order of the text."""
        told = zip(self.names.scopes.calls, self._by_word, strict=True)
        return [call for call, name in told if name is None or name in words]

    @cached_property
    def _by_word(self) -> list[str | None]:
        """The word of each call of the module; ``None`` where it may go by another name."""
        return [None if self._may_lead(call) else word(call.func) for call in self.names.scopes.calls]

    def _may_lead(self, call: ast.Call) -> bool:
        """Whether what a call calls may go by another name than its own."""
        func: ast.AST = call.func
        plain = isinstance(func, ast.Name)
        while isinstance(func, (ast.Attribute, ast.Call, ast.Subscript)):
            func = func.func if isinstance(func, ast.Call) else func.value
        if not isinstance(func, ast.Name):
            return not isinstance(func, (ast.Constant, ast.JoinedStr))
        if not plain and isinstance(call.func, ast.Attribute) and call.func.attr in self._renamed:
            return True
        owner = self.names.owner(func.id, self.scope(call))
        near = isinstance(call.func, ast.Attribute) and call.func.value is func
        field = "" if plain else call.func.attr if near else None  # type: ignore[attr-defined]
        return owner is not None and self._leads_on(owner, func.id, field)

    def _leads_on(self, owner: Scope, name: str, field: str | None) -> bool:
        """Whether a variable may be another name for something: an import of the project's own, a value.

        :param field: what is called of it: itself where that is empty, ``None`` for what is further away.
        """
        key = (owner, name, field)
        if key not in self._leading:
            self._leading[key] = any(
                (b.kind is BindingKind.VALUE and field == "")
                or (b.kind is BindingKind.IMPORT and not foreign(b.target) and self._may_rename(b.target, field))
                for b in owner.bindings[name]
            )
        return self._leading[key]

    def _may_rename(self, target: str, field: str | None) -> bool:
        """Whether what is imported, or is in it, may be another name for something: no function or class of its own."""
        names = self.names
        return names.knows(target) and not (names.says(target) or (field and names.says(f"{target}.{field}")))

    @cached_property
    def _renamed(self) -> frozenset[str]:
        """The fields of classes that may be other names for something: ``self.start = threading.Thread``."""
        scopes = self.names.scopes.classes
        bound = [item for scope in scopes for item in (*scope.bindings.items(), *scope.attributes.items())]
        return frozenset(n for n, bindings in bound if any(isinstance(b.node, _RENAMING) for b in bindings))

    def callee(self, call: ast.Call) -> Callee:
        """What a call calls."""
        found = self._cache.get(call)
        return found if found is not None else self._pending.ask(self._cache, call, lambda: self._callee(call))

    def _callee(self, call: ast.Call) -> Callee:
        names = self.names.qualify(call.func, self.scope(call))
        if isinstance(call.func, ast.Attribute) and is_super(call.func.value):
            names = self.names.above(call.func.value, call.func.attr, self.scope(call)) or names
        if self.says_nothing(names) or self.is_opaque(call.func, names):
            names = self._passed(call.func, self.scope(call)) or names
        if not names and isinstance(call.func, ast.Attribute):  # a factory's own method: factory.begin()
            names = frozenset(f"{q}.{call.func.attr}" for q in self._passed(call.func.value, self.scope(call)))
        found = self.vocabulary.of(names)
        if found is not None and found.role is Role.CALLS and len(call.args) > found.argument:
            made = self.names.qualify(call.args[found.argument], self.scope(call))
            inner = self._named(call, made)
            return inner if inner.role is Role.FACTORY else replace(inner, function=None, owner=None)
        named = self._named(call, names)
        role = Role.REGISTRY_MAKER if self._gives_new_registry(named) else named.role
        kept = opened_by(self, call, role) if role in _REGISTRIES else None
        if kept is not None:
            lazy = role is Role.REGISTRY_MAKER
            return replace(named, meaning=Meaning(Role.FACTORY), function=None, kept=kept, lazy=lazy)
        if self._goes(call, found):
            return replace(named, meaning=Meaning(Role.FACTORY), function=None, owner=None)
        if len(call.args) == _WITH_DEFAULT and names == _FIELD_READING:
            return replace(named, meaning=Meaning(Role.NO_RAISE))
        return named

    def _gives_new_registry(self, callee: Callee) -> bool:
        """Whether a call of the project's own function gives a registry that this very call has made."""
        function, home = callee.function, callee.home
        if function is None or home is None or not isinstance(function, ast.FunctionDef):
            return False
        if function not in self._registries:
            self._registries[function] = gives_new(self.vocabulary, home, function)
        return self._registries[function]

    def is_opaque(self, node: ast.expr, names: frozenset[str]) -> bool:
        """Whether an expression is a field of a framework's object of which no table says anything."""
        return (
            isinstance(node, ast.Attribute)
            and all("()." in name or name.startswith(_CURRENT) for name in names)
            and self.vocabulary.of(names) is None
            and not any(map(self.names.definition, names))
        )

    def takes_out(self, node: ast.AST) -> bool:
        """Whether a call takes the first thing out of a generator that nobody keeps: ``next(get_db())``."""
        if not isinstance(node, ast.Call) or node not in self:
            return False
        return _advanced(node, self.vocabulary.of(self.names.qualify(node.func, self.scope(node)))) is not None

    def _goes(self, call: ast.Call, found: Meaning | None) -> bool:
        """Whether a call gets the session out of something which goes at once, and closes that session as it goes.

        That is a generator of which only the first thing is taken, or a scope that is entered by hand and kept nowhere.
        """
        generator = _advanced(call, found)
        if generator is not None:
            return self._yields_one(self.callee(generator))
        made = called_on(call, ENTERING)
        if made is None:
            return False
        manager = self.callee(made)  # a generator that can be entered was made one
        return manager.role is Role.SCOPE or self._yields_one(manager)

    def _named(self, call: ast.Call, names: frozenset[str]) -> Callee:
        """The callee that goes by one of these names."""
        scope = self.scope(call)
        objects = frozenset(q for name in names for q in self._calling(name))
        names = objects or self.settled(names)
        home, node = next((d for n in sorted(names) if (d := self.names.definition(n))), (None, None))
        owner = node if isinstance(node, ast.ClassDef) else None
        function = node if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) else None
        meaning = self.meaning(names)
        if meaning is None and owner is not None and home is not None:
            meaning = self._inherited(home, owner, 0)
        attribute = call.func if isinstance(call.func, ast.Attribute) else None
        if function is not None and home is not None and self._is_queued(home, function):
            function = None
        return Callee(
            meaning=meaning,
            function=function if meaning is None else None,
            owner=owner,
            receiver=path(attribute.value) if attribute else "",
            bound=(attribute is not None or bool(objects))
            and function is not None
            and home is not None
            and is_method(home, function)
            and (
                bool(objects)
                or attribute is None
                or _is_class_method(function)
                or not self._named_by_class(attribute, scope)
            ),
            name=attribute.attr if attribute else path(call.func),
            names=one_object(names),
            effect=effects().get(attribute.attr) if attribute and self.is_session(attribute.value, scope) else None,
            home=home,
        )

    def _is_queued(self, home: Names, function: FunctionNode) -> bool:
        """Whether calling a function only puts it into a queue, as its decorator has it; a worker runs it, later."""
        for decorator in function.decorator_list:
            scope = home.scopes.of[function].parent or home.scopes.module
            target = decorator.func if isinstance(decorator, ast.Call) else decorator
            found = self.vocabulary.of(home.qualify(target, scope)) if path(target) else None
            if found is not None and found.queued:
                return True
        return False

    def _calling(self, name: str) -> frozenset[str]:
        """The ``__call__`` of an object of a class of the project."""
        owner = self.names.class_of(name) if name.endswith("()") else None
        found = owner[0].member(owner[1], "__call__") if owner is not None else frozenset[str]()
        return frozenset(n for n in found if self.names.definition(n) is not None)

    def settled(self, names: frozenset[str]) -> frozenset[str]:
        """Names without those that nobody knows beside one of the same word which the tables know.

        Of two modules that a name may come from (``from sqlalchemy import *``, ``from sqlalchemy.orm import *``), the
        one counts that is known to have it.
        """
        known = [name for name in names if self._means(name)] if len(names) > 1 else []
        words = {name.rpartition(".")[2] for name in known}
        return frozenset(n for n in names if n in known or n.rpartition(".")[2] not in words or self.is_own(n))

    def is_own(self, name: str) -> bool:
        """Whether the project defines what a name begins with."""
        front = name.partition("(")[0]
        return self.names.definition(front) is not None or self.names.knows(front)

    def _means(self, name: str) -> bool:
        """Whether the tables know a name, or what makes what goes by it."""
        return any(self.vocabulary.meaning(one) is not None for one in (name, name.removesuffix("()")))

    def is_session(self, node: ast.expr, scope: Scope) -> bool:
        """Whether an expression stands for nothing but sessions."""
        return self.are_sessions(self.settled(self.names.qualify(node, scope)))

    def says_nothing(self, names: frozenset[str]) -> bool:
        """Whether names tell nothing of what is called: that it can be, or that it is a session, which cannot.

        Then an annotation is of no use, or wrong.
        """
        return names <= ANY_CALLABLE or self.are_sessions(names)

    def are_sessions(self, names: frozenset[str]) -> bool:
        """Whether these are nothing but names of sessions."""
        return bool(names) and all(map(self.names_session, names))

    def names_session(self, name: str) -> bool:
        """Whether a dotted name is that of a session of a library: what calling its class gives."""
        meaning = self.vocabulary.meaning(name.removesuffix("()")) if name.endswith("()") else None
        return meaning is not None and meaning.role is Role.FACTORY

    def meaning_of_class(self, home: Names, owner: ast.ClassDef) -> Meaning | None:
        """What a class means by what it inherits."""
        return self._inherited(home, owner, 0)

    def _inherited(self, home: Names, owner: ast.ClassDef, depth: int) -> Meaning | None:
        """A subclass of SQLAlchemy's Session opens a session too."""
        for base in sorted(home.bases(home.scopes.of[owner])) if depth < _DEEPEST else ():
            inner = home.definition(base)
            if inner is not None and isinstance(inner[1], ast.ClassDef):
                found = self._inherited(inner[0], inner[1], depth + 1)
            else:
                found = self.vocabulary.meaning(base)
            if found is not None and found.role is Role.FACTORY:
                return found
        return None

    def _named_by_class(self, attribute: ast.Attribute, scope: Scope) -> bool:
        """``Class.method(instance)`` fills the first parameter by hand, unless it is a class method."""
        names = self.names.qualify(attribute.value, scope)
        return any(not n.endswith("()") and self.names.class_of(n) is not None for n in names)

    def writes(self, node: ast.expr, scope: Scope) -> bool:
        """Whether an expression is an SQL statement that changes rows, by itself or as what a variable stands for."""
        return self._writes(node, scope, {}) is True

    def _writes(self, node: ast.expr, scope: Scope, seen: _Told) -> bool | None:
        """The same; ``None`` where it is what one of some variables stands for.

        :param seen: what was told of variables that were asked already, which is nothing of those on the way.
        """
        start = node
        while isinstance(start, (ast.Call, ast.Attribute)):
            if isinstance(start, ast.Call):
                names = self.names.qualify(start.func, scope)
                found = self.vocabulary.of(names)
                if (found is not None and found.role is Role.WRITE_STATEMENT) or self._changes_table(start):
                    return True
                if start.args and (text := _first_text(start.args[0])):
                    return text.lstrip().lower().startswith(_WRITING_SQL)
                if start.args and any(self.vocabulary.canonical(name) == _TEXT for name in names):
                    return self._writes(start.args[0], scope, seen)
                start = start.func
            else:
                start = start.value
        if isinstance(start, ast.Name):
            told = self._stands_for_write(start.id, scope, seen)
            last = last_assigned(scope.node, start) if told is False and (scope, start.id) in self._mixed else None
            return told if last is None else self._writes(last, scope, seen)
        return _first_text(start).lstrip().lower().startswith(_WRITING_SQL)

    def _changes_table(self, call: ast.Call) -> bool:
        """Whether a call makes a statement of a table, where one is executed: ``User.__table__.insert(rows)``.

        What is executed is a statement, so ``anything.delete()`` is one of a table, unless the project says what it is.
        """
        func = call.func
        if not isinstance(func, ast.Attribute) or func.attr not in ("insert", "update", "delete"):
            return False
        if isinstance(func.value, ast.Attribute) and func.value.attr == "__table__":
            return True
        plain = not (call.args or call.keywords) and bool(path(func.value))
        return plain and (call not in self or self.callee(call).function is None)

    def _stands_for_write(self, name: str, scope: Scope, seen: _Told) -> bool | None:
        """Whether each value of a variable is such a statement; one that is made of the variable itself is the same."""
        owner = self.names.owner(name, scope)
        known = seen if (owner, name) in seen else self._told_writes
        if (owner, name) in known:
            return known[owner, name]
        bindings = owner.bindings[name] if owner is not None else []
        if any(b.kind is not BindingKind.VALUE or not isinstance(b.node, ast.expr) for b in bindings):
            return False
        kept = {} if seen else self._told_writes  # what is asked on the way rests on what asks
        seen[owner, name] = None
        found = {self._writes(b.node, b.scope, seen) for b in bindings}  # type: ignore[arg-type]  # see above
        if True in found and False in found and owner is not None:
            self._mixed.add((owner, name))  # what it is at one place may be told all the same
        told = seen[owner, name] = kept[owner, name] = True in found and False not in found
        return told


def _first_text(node: ast.AST) -> str:
    """The text that a string begins with, put together as it may be; empty for anything else."""
    while True:
        if isinstance(node, ast.JoinedStr) and node.values:
            node = node.values[0]
        elif isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Mod, ast.Add)):
            node = node.left
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
            node = node.func.value
        else:
            return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _advanced(call: ast.Call, meaning: Meaning | None) -> ast.Call | None:
    """The call that makes a generator, where another one takes the first thing out of it and leaves it to itself."""
    source: ast.expr | None = None
    if meaning is not None and meaning.role is Role.ADVANCES:
        source = call.args[0] if call.args else None
    else:
        source = called_on(call, ADVANCING)
    return source if isinstance(source, ast.Call) else None


ADVANCING = ("__next__", "__anext__")
ENTERING = ("__enter__", "__aenter__")
BY_HAND = (*ADVANCING, *ENTERING)
"""The methods by which a generator, or a context manager, is asked by hand for what it gives."""


def called_on(call: ast.Call, methods: tuple[str, ...]) -> ast.Call | None:
    """The call on whose result one of some methods is called, by hand and at once: ``made().__enter__()``."""
    func = call.func
    by_hand = isinstance(func, ast.Attribute) and func.attr in methods and isinstance(func.value, ast.Call)
    return func.value if by_hand else None  # type: ignore[attr-defined]  # see above


def is_method(home: Names, function: FunctionNode) -> bool:
    """Whether a function is a method that gets its object."""
    outer = home.scopes.of[function].parent
    static = any(path(d) == "staticmethod" for d in function.decorator_list)
    return outer is not None and outer.is_class and not static


def _is_class_method(function: FunctionNode) -> bool:
    return any(path(d) == "classmethod" for d in function.decorator_list)
