"""What an expression stands for, as dotted names that tables can be asked about.

A call is written as ``()``: after ``from sqlalchemy.orm import sessionmaker as sm`` and
``Local = sm(bind=e)``, the expression ``Local.begin`` stands for ``sqlalchemy.orm.sessionmaker().begin``.
What the module defines itself stands under the module's own name, and :attr:`Names.definitions` finds
the node again. Where a name may stand for several things (``try``/``except ImportError``), all are
given; where one of its bindings cannot be followed, none are. With a project around the module, an import is
followed to what the other module means by the name.
"""

from __future__ import annotations

import ast
import builtins
from functools import cached_property
from typing import Protocol

from session_lint.python.annotations import annotated_classes, class_meant
from session_lint.python.containers import (
    AGAIN,
    CYCLE,
    DEEPEST,
    LOOKUPS,
    MOST_BINDINGS,
    NOTHING,
    Containers,
    Qualified,
    only,
)
from session_lint.python.nodes import is_none, is_super, own_of, path
from session_lint.python.passing_on import wrapper_of
from session_lint.python.pending import Pending
from session_lint.python.remembered import one_object
from session_lint.python.scopes import (
    Binding,
    BindingKind,
    FunctionNode,
    Scope,
    ScopeNode,
    Scopes,
    is_self,
    parameters_with_defaults,
    scopes,
)

_CASTS = frozenset(["typing.cast", "typing_extensions.cast"])
_PROXIES = frozenset(["werkzeug.local.LocalProxy", "werkzeug.LocalProxy"])
_WRAPPERS = frozenset(["functools.partial", "contextlib.contextmanager", "contextlib.asynccontextmanager"])
_CHAIN = 32
"""How many variables that come from one another are followed."""
_ANYTHING = frozenset({"typing.Any", "typing_extensions.Any", "builtins.object"})
"""Annotations that say nothing."""
CALLABLE = frozenset({"typing.Callable", "collections.abc.Callable"})
_VAGUE = _ANYTHING | CALLABLE
"""Those that say nothing beside another one."""


class Elsewhere(Protocol):
    """The other modules of a project, as the names of one of them ask for them."""

    @property
    def pending(self) -> Pending:
        """The variables of any of them that are being worked out."""

    def find(self, dotted: str, asker: Names) -> tuple[Names, str] | None:
        """The module that the front of a dotted name means to an import, and the rest of the name."""

    def module(self, dotted: str, asker: Names) -> Names | None:
        """The module that a dotted name is the name of, whatever else its package has by that name."""

    def has(self, dotted: str, asker: Names) -> bool:
        """Whether there is such a module."""

    def says(self, dotted: str, asker: Names) -> bool:
        """Whether the text of that module defines a function or class of the rest of the name."""

    def named(self, dotted: str, asker: Names) -> str:
        """The dotted name of that; empty where it takes more than a text to tell, or the module was read already."""

    def definition(self, name: str, asker: Names) -> tuple[Names, ScopeNode] | None:
        """The function or class that a dotted name stands for."""


class Names(Containers):
    """The names of one module.

    :param tree: its syntax tree.
    :param module: its dotted name.
    :param package: whether it is an ``__init__``.
    :param elsewhere: the project around it, if there is one.
    :param read: its scopes, where they were read already.
    """

    def __init__(
        self,
        tree: ast.Module,
        module: str,
        *,
        package: bool = False,
        elsewhere: Elsewhere | None = None,
        read: Scopes | None = None,
    ) -> None:
        self.module = module
        self.package = package
        self.elsewhere = elsewhere
        self.scopes = read or scopes(tree, module, package=package)
        self._cache: dict[tuple[ast.AST, Scope], Qualified] = {}
        self._known: dict[tuple[Scope, str], Qualified] = {}
        self._members: dict[tuple[Scope, str, bool], Qualified] = {}
        self._pending = elsewhere.pending if elsewhere is not None else Pending()

    @cached_property
    def definitions(self) -> dict[str, ScopeNode]:
        """Every function and class of the module by its dotted name."""
        return {self.qualname(scope): scope.node for scope in self.scopes.of.values() if scope.path}

    @cached_property
    def imported(self) -> frozenset[str]:
        """The dotted names of all that the module imports, wherever in it."""
        bindings = (b for scope in self.scopes.of.values() for bound in scope.bindings.values() for b in bound)
        return frozenset(b.target for b in bindings if b.kind is BindingKind.IMPORT)

    def aliases(self, name: str) -> set[str]:
        """What the module may call something of another module by."""
        return {name, *self._aliases.get(name, ())}

    @cached_property
    def _aliases(self) -> dict[str, list[str]]:
        """What the module body calls its imports by, for the last word of what it imports."""
        found: dict[str, list[str]] = {}
        for alias, bindings in self.scopes.module.bindings.items():
            for binding in bindings:
                if binding.kind is BindingKind.IMPORT:
                    found.setdefault(binding.target.rpartition(".")[2], []).append(alias)
        return found

    def definition(self, name: str) -> tuple[Names, ScopeNode] | None:
        """The function or class that a dotted name stands for, with the names of the module it stands in."""
        if name in self.definitions:
            return self, self.definitions[name]
        return self.elsewhere.definition(name, self) if self.elsewhere is not None and "(" not in name else None

    def class_of(self, name: str) -> tuple[Names, Scope] | None:
        """The class that a dotted name, or what it makes when called, stands for."""
        found = self.definition(name.removesuffix("()"))
        if found is None or not isinstance(found[1], ast.ClassDef):
            return None
        return found[0], found[0].scopes.of[found[1]]

    def qualname(self, scope: Scope) -> str:
        """The dotted name of what opened a scope."""
        return f"{self.module}.{scope.path}" if scope.path else self.module

    def qualify(self, node: ast.AST, scope: Scope) -> Qualified:
        """The dotted names that an expression in ``scope`` may stand for; empty where that is not known."""
        key = (node, scope)
        if key not in self._cache:
            self._cache[key] = one_object(self._qualify(node, scope, 0))
        return self._cache[key]

    def _qualify(self, node: ast.AST, scope: Scope, depth: int) -> Qualified:
        if depth > DEEPEST:
            return NOTHING
        if isinstance(node, ast.Name):
            return self._name(node.id, _read_from(node, scope), depth + 1, node)
        if isinstance(node, ast.Attribute):
            return self._attribute(node, scope, depth + 1)
        if isinstance(node, ast.Call):
            return self._called(node, scope, depth)
        if isinstance(node, (ast.Await, ast.NamedExpr)):
            return self._qualify(node.value, scope, depth + 1)
        if isinstance(node, ast.Subscript):  # a generic class: sessionmaker[Session]; Annotated[Session, …] by a name
            part = self._item(node, scope, depth + 1)
            if part:
                return part
            peeled = annotated_classes(node)
            if peeled != [node]:
                return self._any_of(peeled, scope, depth)
            return frozenset(q for q in self._qualify(node.value, scope, depth + 1) if "(" not in q)
        return self._chosen(node, scope, depth)

    def _called(self, node: ast.Call, scope: Scope, depth: int) -> Qualified:
        """What a call gives; what only wraps something stands for that."""
        if isinstance(node.func, ast.Attribute) and node.func.attr in LOOKUPS:
            looked_up = self._looked_up(node, scope)
            if looked_up:
                return looked_up
        callees = self._qualify(node.func, scope, depth + 1)
        if callees & _WRAPPERS and node.args:
            return self._qualify(node.args[0], scope, depth + 1)
        if callees & _PROXIES and node.args:
            return self._proxied(node.args[0], scope, depth)
        if callees & _CASTS and node.args[1:]:
            return self._qualify(node.args[1], scope, depth + 1) or self.annotated((node.args[0], scope), depth)
        if not callees and isinstance(node.func, ast.Name) and _is_class_method(scope.node):
            made = self.own_class(node.func, scope)  # cls(…)
            return only(f"{self.qualname(made)}()") if made is not None else NOTHING
        return self._call(callees, depth)

    def _proxied(self, getter: ast.expr, scope: Scope, depth: int) -> Qualified:
        """What a proxy stands for: what its function gives, which may keep that where each request has its own."""
        named = self._qualify(getter, scope, depth + 1)
        found: set[str] = set()
        for name in named:
            home, node = self.definition(name) or (self, None)
            kept = home._kept_by(node) if isinstance(node, ast.FunctionDef) else NOTHING  # noqa: SLF001
            found |= kept or self._call(only(name), depth + 1)
        return frozenset(found)

    def _kept_by(self, function: ast.FunctionDef) -> Qualified:
        """What a function puts into the field of something that it returns: ``g.db = Session()``, ``return g.db``."""
        scope = self.scopes.of[function]
        given = {path(n.value) if n.value is not None else "" for n in own_of(function, ast.Return)}
        name = given.pop() if len(given) == 1 else ""
        put = [binding for target, binding in self.scopes.fields if binding.scope is scope and path(target) == name]
        return self._held_by(put) if put else NOTHING

    def _chosen(self, node: ast.AST, scope: Scope, depth: int) -> Qualified:
        if isinstance(node, ast.BoolOp):
            return self._either(node.values, scope, depth)
        if isinstance(node, ast.IfExp):
            return self._either([node.body, node.orelse], scope, depth)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr) and scope is self.scopes.module:
            return self._any_of(annotated_classes(node), scope, depth)  # a name for a union of classes
        if isinstance(node, ast.Lambda):  # stands for what it calls
            made = self._qualify(node.body, self.scopes.of[node], depth + 1)
            return frozenset(q.removesuffix("()") for q in made) if all(q.endswith("()") for q in made) else NOTHING
        return NOTHING

    def _any_of(self, classes: list[ast.expr], scope: Scope, depth: int) -> Qualified:
        """The classes of a union, which tell something where they are a library's; of the project's own it is any."""
        found = self._either(classes, scope, depth)
        if len(classes) == 1:
            return found
        vague = any("(" in name or name in _VAGUE or self.definition(name) is not None for name in found)
        return NOTHING if vague else found

    def _either(self, nodes: list[ast.expr], scope: Scope, depth: int) -> Qualified:
        found = [self._qualify(node, scope, depth + 1) for node in nodes if not is_none(node)]
        return frozenset().union(*found) if all(found) else NOTHING

    def _name(self, name: str, scope: Scope, depth: int, node: ast.Name | None = None) -> Qualified:
        owner = self.owner(name, scope)
        if owner is None:
            if hasattr(builtins, name):
                return only(f"builtins.{name}")
            return self._starred(name, depth)
        if owner is self.scopes.module and (scope is not owner or _stands_after(node, owner.bindings[name][-1].node)):
            return self._later(name)
        return self._variable(owner, name)

    def _starred(self, name: str, depth: int) -> Qualified:
        """What a name that only ``from … import *`` can have brought stands for."""
        stars = self.scopes.module.stars
        if self.elsewhere is not None and depth <= DEEPEST:
            for star in stars:
                found = self.elsewhere.module(star, self)
                if found is not None and found is not self and found.binds(name):
                    return found.exported(name, depth + 1)
        return frozenset(f"{star}.{name}" for star in stars)

    def binds(self, name: str) -> bool:
        """Whether the module has a name of its own, or may have it from ``from … import *``."""
        return name in self.scopes.module.bindings or bool(self.scopes.module.stars)

    def exported(self, name: str, depth: int = 0) -> Qualified:
        """What a name of this module stands for to a module that imports it."""
        whole = f"{self.module}.{name}"
        top = self.scopes.module
        if depth > DEEPEST:
            return only(whole)
        if name in top.bindings:
            found = self._later(name)
            return found or only(whole)
        if self.elsewhere is not None and self.package:
            inner = self.elsewhere.find(whole, self)
            if inner is not None and not inner[1]:
                return only(inner[0].module)
        found = self._starred(name, depth + 1) if top.stars else NOTHING
        return found or only(whole)

    def knows(self, dotted: str) -> bool:
        """Whether an imported name is one of the project's, or of a module of it."""
        return self.elsewhere is not None and self.elsewhere.has(dotted, self)

    def says(self, dotted: str) -> bool:
        """Whether an imported name is a function or class that a module of the project defines, as its text says."""
        return self.elsewhere is not None and self.elsewhere.says(dotted, self)

    def follow(self, dotted: str) -> Qualified:
        """What a dotted name stands for to this module."""
        return self._followed(dotted, 0)

    def _followed(self, dotted: str, depth: int) -> Qualified:
        """What an imported name stands for where the project defines it; itself where it does not."""
        if self.elsewhere is None or depth > DEEPEST or "(" in dotted:
            return only(dotted)
        said = self.elsewhere.named(dotted, self)
        found = None if said else self.elsewhere.find(dotted, self)
        if found is None:
            return only(said or dotted)
        names, rest = found
        if not rest:
            return only(names.module)
        if names is self:
            return only(dotted)
        first, *others = rest.split(".")
        bases = names.exported(first, depth + 1)
        for attribute in others:
            bases = frozenset(q for base in bases for q in names.attribute(base, attribute, depth + 1))
        return bases

    def _variable(self, owner: Scope, name: str) -> Qualified:
        """What a variable stands for; ``q = q.filter(x)`` adds nothing to what ``q`` was before."""
        key = (owner, name)
        bindings = owner.bindings[name]
        if len(bindings) > MOST_BINDINGS:
            return NOTHING
        return self._pending.ask_once(self._known, key, lambda: self._held(owner, name, bindings), CYCLE)

    def _later(self, name: str) -> Qualified:
        """What a variable of the module stands for to its functions, to other modules, and further down in its body.

        After ``from sqlalchemy.orm import Session`` and ``Session = scoped_session(maker)`` that is the registry.
        """
        top = self.scopes.module
        bindings = top.bindings[name]
        if (
            len(bindings) == 1
            or bindings[0].kind is not BindingKind.IMPORT
            or bindings[-1].kind is not BindingKind.VALUE
        ):
            return self._variable(top, name)
        last = bindings[-1]
        statements = (n for n in getattr(top.node, "body", ()) if isinstance(n, (ast.Assign, ast.AnnAssign)))
        if is_none(last.node) or not any(statement.value is last.node for statement in statements):
            return self._variable(top, name)
        return self._pending.ask_once(self._known, (top, f"{name} later"), lambda: self._held(top, name, [last]), CYCLE)

    def _held(self, owner: Scope, name: str, bindings: list[Binding]) -> Qualified:
        """The same, worked out as if it were the first question, for the answer is kept."""
        with self._pending.deeper(_CHAIN) as near:
            if not near:
                return NOTHING
            found = self._bound(bindings, 0) or self._put_in_place(bindings)
            declared = owner.declared.get(name)
            if found and declared is not None and all(map(self._is_opaque, found)):
                return self.annotated(declared, 0) or found
            return found or self.annotated(declared, 0)

    def _is_opaque(self, name: str) -> bool:
        """Whether a name is that of a field of what a library hands in, which an annotation knows better."""
        front, _, rest = name.partition("().")
        return front in self._received and bool(rest) and not rest.endswith("()") and self.definition(front) is None

    @cached_property
    def _received(self) -> frozenset[str]:
        """The classes of libraries of which functions of the module get objects."""
        arguments = (
            (b.node.annotation, scope.parent or scope)  # type: ignore[attr-defined]  # of a parameter
            for scope in self.scopes.of.values()
            for bound in scope.bindings.values()
            for b in bound
            if b.kind is BindingKind.PARAMETER
        )
        return frozenset(q.removesuffix("()") for one in arguments for q in self.annotated(one, 0))

    def owner(self, name: str, scope: Scope) -> Scope | None:
        """The scope whose ``name`` an expression in ``scope`` reads; ``None`` for builtins and unknown names."""
        if name in scope.elsewhere:
            return scope.elsewhere[name] if name in scope.elsewhere[name].bindings else None
        if name in scope.bindings:
            return scope
        outer = scope.parent
        while outer is not None:
            if name in outer.bindings and not outer.is_class:
                return outer
            outer = outer.parent
        return None

    def _bound(self, bindings: list[Binding], depth: int) -> Qualified:
        useful = [b for b in bindings if not (b.kind is BindingKind.VALUE and _gives_nothing(b.node))]
        found = [self._binding(b, depth + 1) for b in useful]
        if not all(found):
            return NOTHING
        return frozenset(q for q in frozenset[str]().union(*found) if not q.startswith(AGAIN))

    def _put_in_place(self, bindings: list[Binding]) -> Qualified:
        """The object of the project that a function takes where it is given none: what it is given is like that."""
        given, *others = bindings
        plain = others and given.kind is BindingKind.PARAMETER and all(b.kind is BindingKind.VALUE for b in others)
        if not plain or not _may_be_left_out(given):
            return NOTHING
        found = self._bound(others, 0)
        return found if all(q.endswith("()") and self.class_of(q) is not None for q in found) else NOTHING

    def _binding(self, binding: Binding, depth: int) -> Qualified:
        if binding.kind is BindingKind.IMPORT:
            return self._followed(binding.target, depth)
        if binding.kind is BindingKind.VALUE:
            return self._qualify(binding.node, binding.scope, depth)
        if binding.kind is BindingKind.PART and binding.whole is not None:
            return self._part(binding.whole, binding.index, binding.scope, depth)
        if binding.kind is BindingKind.DEFINITION:
            return only(self.qualname(self.scopes.of[binding.node]))
        if binding.kind is BindingKind.PARAMETER:
            annotation = binding.node.annotation  # type: ignore[attr-defined]
            return self.annotated((annotation, binding.scope.parent or binding.scope), depth)
        return NOTHING

    def annotated(self, declared: tuple[ast.expr | None, Scope] | None, depth: int) -> Qualified:
        """What a value stands for that is annotated to be an object of a class, or the class."""
        annotation, scope = declared or (None, None)
        meant = annotated_classes(annotation) if annotation is not None else []
        if not meant or scope is None:
            return NOTHING
        itself = class_meant(meant[0]) if len(meant) == 1 else None
        if itself is not None:
            return self._qualify(itself, scope, depth + 1)
        return frozenset(f"{q}()" for q in self._any_of(meant, scope, depth) - _ANYTHING)

    def _attribute(self, node: ast.Attribute, scope: Scope, depth: int) -> Qualified:
        own = self.own_class(node.value, scope)
        if own is not None:
            return self.member(own, node.attr, depth)
        put = self._put(node, scope)
        if put:
            return put
        bases = self._qualify(node.value, scope, depth)
        return frozenset(q for base in bases for q in self.attribute(base, node.attr, depth))

    def _put(self, node: ast.Attribute, scope: Scope) -> Qualified:
        """What a field of an object that a module keeps stands for by what is put into it there."""
        found = self.put(node, scope)
        names = [home._filled(path_of, bindings) for home, path_of, bindings in found]  # noqa: SLF001  (of this class)
        return frozenset().union(*names) if all(names) else NOTHING

    def _filled(self, name: str, bindings: list[Binding]) -> Qualified:
        key = (self.scopes.module, name)
        return self._pending.ask_once(self._known, key, lambda: self._held_by(bindings), CYCLE)

    def _held_by(self, bindings: list[Binding]) -> Qualified:
        with self._pending.deeper(_CHAIN) as near:
            return self._bound(bindings, 0) if near else NOTHING

    def put_as(self, name: str) -> Qualified:
        """What is put into fields of a name, or under it as a key, of whichever objects."""
        put = [*self.scopes.fields_by_name.get(name, ())]
        put += [binding for key, binding in self.scopes.keyed if key == name]
        return frozenset().union(*(self._held_by([binding]) for binding in put))

    def put(self, node: ast.AST, scope: Scope) -> list[tuple[Names, str, list[Binding]]]:
        """What is put into a field of an object that a module keeps: ``app.session = scoped_session(…)``.

        That is looked for in the module that makes the object, and in this one.

        :returns: for each module its names, the path of the field there and what is assigned to it.
        """
        name = path(node)
        first, _, field = name.partition(".")
        top = self.scopes.module
        owner = self.owner(first, scope) if field else None
        if owner is not top:
            return self._put_elsewhere(owner.bindings[first], field) if owner is not None else []
        return self._put_into(first, field, 0)

    def _put_elsewhere(self, bindings: list[Binding], field: str) -> list[tuple[Names, str, list[Binding]]]:
        """The same for what a function imports by itself: ``from app import app`` in its body."""
        if len(bindings) != 1 or bindings[0].kind is not BindingKind.IMPORT or self.elsewhere is None:
            return []
        place = self.elsewhere.find(bindings[0].target, self)
        if place is None or place[0] is self or not place[1] or "." in place[1]:
            return []
        return place[0]._put_into(place[1], field, 1)  # noqa: SLF001  (of this class)

    def _put_into(self, first: str, field: str, depth: int) -> list[tuple[Names, str, list[Binding]]]:
        """The same for a variable of the module, and a field of what it stands for."""
        bindings = self.scopes.module.bindings.get(first, ())
        found: list[tuple[Names, str, list[Binding]]] = []
        own = any(b.kind in (BindingKind.VALUE, BindingKind.DEFINITION) for b in bindings)
        for binding in bindings:
            place = None
            if binding.kind is BindingKind.IMPORT and self.elsewhere is not None and depth <= DEEPEST:
                place = self.elsewhere.find(binding.target, self)
            if place is not None and place[0] is not self and place[1] and "." not in place[1]:
                found += place[0]._put_into(place[1], field, depth + 1)  # noqa: SLF001  (of this class)
                own = True
            elif place is None and binding.kind is BindingKind.IMPORT and "." in field:
                own = True  # of a library: st.session_state.manager
        here = self.fields.get(f"{first}.{field}") if own else None
        return [*found, (self, f"{first}.{field}", here)] if here else found

    @cached_property
    def fields(self) -> dict[str, list[Binding]]:
        """What is put into the fields of objects that variables of the module stand for, by the path of each."""
        found: dict[str, list[Binding]] = {}
        for target, binding in self.scopes.fields:
            name = path(target)
            first = name.partition(".")[0]
            if name and self.owner(first, binding.scope) is self.scopes.module:
                found.setdefault(name, []).append(binding)
        return found

    def own_class(self, node: ast.AST, scope: Scope) -> Scope | None:
        """The class whose object, or which, an expression stands for in a method, or in a function inside of one."""
        method = self.owner(node.id, scope) if isinstance(node, ast.Name) else None
        if method is None or method.parent is None or not method.parent.is_class:
            return None
        return method.parent if is_self(method, node.id) else None  # type: ignore[attr-defined]  # a name

    def above(self, node: ast.AST, name: str, scope: Scope) -> Qualified:
        """What an attribute of ``super()`` stands for in a method, where a base class of this project has it."""
        method = scope if is_super(node) else None
        while method is not None and not (method.parent is not None and method.parent.is_class):
            method = method.parent
        owner = method.parent if method is not None else None
        inner = [self.class_of(base) for base in self.bases(owner)] if owner is not None else []
        found = [one[0].member(one[1], name, instance=False) for one in inner if one is not None]
        return frozenset(q for names in found for q in names if self.definition(q) is not None)

    def attribute(self, base: str, name: str, depth: int) -> Qualified:
        """What an attribute of something that goes by a dotted name stands for."""
        owner = self.class_of(base)
        if owner is not None:
            return owner[0].member(owner[1], name, depth, instance=base.endswith("()"))
        whole = f"{base}.{name}"
        if base == self.module:
            return self.exported(name, depth)
        return self._followed(whole, depth)

    def member(self, owner: Scope, name: str, depth: int = 0, *, instance: bool = True) -> Qualified:
        """What an attribute of a class of this module stands for, its bases included.

        :param instance: whether of an object of the class, of which a property gives what its function returns.
        """
        if depth > DEEPEST:
            return NOTHING
        key = (owner, name, instance)
        return self._pending.ask_once(self._members, key, lambda: self._kept(owner, name, instance=instance), CYCLE)

    def _kept(self, owner: Scope, name: str, *, instance: bool) -> Qualified:
        """The same, worked out as if it were the first question, for the answer is kept."""
        with self._pending.deeper(_CHAIN) as near:
            found = self._attributed(owner, name, 0, instance=instance) if near else NOTHING
        return frozenset(q for q in found if not q.startswith(AGAIN))

    def _attributed(self, owner: Scope, name: str, depth: int, *, instance: bool) -> Qualified:
        bindings = [*owner.bindings.get(name, ()), *owner.attributes.get(name, ())]
        declared = owner.declared_attributes.get(name) or owner.declared.get(name)
        if bindings or declared:
            getter = self._getter(bindings) if instance else None
            if getter is None:
                return (bool(bindings) and self._bound(bindings, depth)) or self.annotated(declared, depth)
            return self._returned(getter, depth + 1) or only(f"{self.qualname(self.scopes.of[getter])}()")
        found: set[str] = set()
        for base in self.bases(owner, depth):
            inner = self.class_of(base)
            found |= inner[0].member(inner[1], name, depth + 1, instance=instance) if inner else {f"{base}().{name}"}
        return frozenset(found)

    def property_read(self, node: ast.Attribute, scope: Scope) -> tuple[Names, FunctionNode] | None:
        """The function that reading a field runs, with its module's names: that of a property, each time anew."""
        own = self.own_class(node.value, scope)
        if own is not None:
            return self._property(own, node.attr, 0)
        owners = [self.class_of(base) for base in self.qualify(node.value, scope) if base.endswith("()")]
        found = {owner[0]._property(owner[1], node.attr, 0) if owner else None for owner in owners}  # noqa: SLF001
        return found.pop() if len(found) == 1 else None

    def _property(self, owner: Scope, name: str, depth: int) -> tuple[Names, FunctionNode] | None:
        if name in owner.bindings or name in owner.attributes or depth > DEEPEST:
            getter = self._getter(owner.bindings.get(name, []))
            return (self, getter) if getter is not None and is_property(getter) else None
        inner = [found for base in sorted(self.bases(owner)) if (found := self.class_of(base)) is not None]
        read = [home._property(scope, name, depth + 1) for home, scope in inner]  # noqa: SLF001  (of this class)
        return next((found for found in read if found is not None), None)

    @staticmethod
    def _getter(bindings: list[Binding]) -> FunctionNode | None:
        """The function behind a property."""
        for binding in bindings:
            node = binding.node
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and any(
                path(d).rpartition(".")[2] in ("property", "cached_property") for d in node.decorator_list
            ):
                return node
        return None

    def bases(self, owner: Scope, depth: int = 0) -> Qualified:
        """The direct bases of a class of this module."""
        assert isinstance(owner.node, ast.ClassDef)
        outer = owner.parent or owner
        found = [self._qualify(base, outer, depth + 1) for base in owner.node.bases]
        return frozenset().union(*found)

    def given(self, name: str) -> Qualified:
        """What calling something that goes by a dotted name gives."""
        return self._call(only(name), 0)

    def _call(self, callees: Qualified, depth: int) -> Qualified:
        found: set[str] = set()
        for callee in callees:
            returned: Qualified = NOTHING
            home = self.definition(callee)
            if home is not None and isinstance(home[1], (ast.FunctionDef, ast.AsyncFunctionDef)):
                plain = home[0]._gives_what_it_returns(home[1], depth)  # noqa: SLF001  (of this class)
                returned = home[0]._returned(home[1], depth) if plain else NOTHING  # noqa: SLF001
            found |= returned or {f"{callee}()"}
        return frozenset(found)

    def _gives_what_it_returns(self, node: FunctionNode, depth: int) -> bool:
        """Whether no decorator gives something else to who calls a function, if only the first time."""
        outer = self.scopes.of[node].parent or self.scopes.module
        for decorator in node.decorator_list:
            named = decorator.func if isinstance(decorator, ast.Call) else decorator
            if path(named) in ("staticmethod", "classmethod"):
                continue
            names = self._qualify(named, outer, depth + 1) if depth <= DEEPEST else NOTHING
            if not names & REMEMBERING and wrapper_of(self, names, called=named is not decorator) is None:
                return False
        return True

    def _returned(self, node: FunctionNode, depth: int) -> Qualified:
        """What calling a function gives; nothing where that is not known."""
        if depth > DEEPEST:
            return NOTHING
        values = [n.value for n in own_of(node, ast.Return) if n.value is not None]
        if own_of(node, ast.Yield, ast.YieldFrom):
            return NOTHING
        found = self._either(values, self.scopes.of[node], depth + 1) if values else NOTHING
        scope = self.scopes.of[node]
        return found or self.annotated((node.returns, scope.parent or scope), depth)


REMEMBERING = frozenset(
    {
        *("functools.cache", "functools.lru_cache", "async_lru.alru_cache"),
        *("cachetools.cached", "cachetools.cachedmethod", "asyncache.cached", "asyncache.cachedmethod"),
        *(f"cachetools.func.{policy}_cache" for policy in ("fifo", "lfu", "lru", "rr", "ttl")),
        *("streamlit.cache", "streamlit.cache_data", "streamlit.cache_resource"),
        *("streamlit.experimental_memo", "streamlit.experimental_singleton"),
    }
)
"""Decorators under which a function gives what it returns, if only the first time; the tables know more of them."""


def _read_from(node: ast.Name, scope: Scope) -> Scope:
    """Where a name is looked for: a class that has not bound it by then does not have it yet.

    In ``class Db: sessionmaker = sessionmaker(bind=engine)`` the second one is the module's.
    """
    bindings = scope.bindings.get(node.id) if scope.is_class else None
    if not bindings or not hasattr(node, "lineno"):
        return scope
    first = bindings[0].node
    end = getattr(first, "end_lineno", None) or 0, getattr(first, "end_col_offset", None) or 0
    outer = scope
    start = scope.node.lineno, scope.node.col_offset  # type: ignore[union-attr]  # of a class
    while start < (node.lineno, node.col_offset) < end and outer.is_class and outer.parent is not None:
        outer = outer.parent
    return outer


def _gives_nothing(node: ast.AST) -> bool:
    """Whether a value is ``None``, or gives that when it is called, in place of what stands there otherwise."""
    return is_none(node.body if isinstance(node, ast.Lambda) else node)


def _may_be_left_out(parameter: Binding) -> bool:
    """Whether a parameter is ``None`` where a caller gives nothing for it, and nothing else is said of it."""
    function = parameter.scope.node
    if parameter.node.annotation is not None or isinstance(function, ast.Lambda):  # type: ignore[attr-defined]  # of one
        return False
    defaults = parameters_with_defaults(function)  # type: ignore[arg-type]  # what else has parameters
    return any(arg is parameter.node and default is not None and is_none(default) for arg, default in defaults)


def _stands_after(node: ast.Name | None, value: ast.AST) -> bool:
    """Whether a name is read further down than where it gets its last value."""
    end = getattr(value, "end_lineno", None)
    if node is None or end is None or not hasattr(node, "lineno"):
        return False
    return (node.lineno, node.col_offset) >= (end, getattr(value, "end_col_offset", 0))


def _is_class_method(node: ast.AST) -> bool:
    decorators = node.decorator_list if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) else ()
    return any(path(decorator) == "classmethod" for decorator in decorators)


def is_property(function: FunctionNode) -> bool:
    """Whether reading a field runs a function each time, and nothing else."""
    return [path(decorator).rpartition(".")[2] for decorator in function.decorator_list] == ["property"]
