"""The scopes of a module and what binds the names in them, read off the syntax tree in one walk.

A binding keeps what the name was bound *to*, not what that means: :mod:`session_lint.python.names`
follows it. Comprehension variables live in a scope that nothing else can see, so they bind nothing here.
"""

from __future__ import annotations

import ast
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

from session_lint.python.trees import FIELDS, with_compact
from session_lint.stages import stage
from session_lint.values import dataclass, field

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

FunctionNode: TypeAlias = "ast.FunctionDef | ast.AsyncFunctionDef"
ScopeNode: TypeAlias = "ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda"


class BindingKind(Enum):
    """How a name got its value."""

    IMPORT = "import"  # target: the dotted name of what was imported
    VALUE = "value"  # node: the expression it was assigned
    DEFINITION = "definition"  # node: the def or class statement
    PARAMETER = "parameter"  # node: the ast.arg
    PART = "part"  # node: the name; whole, index: what it is a part of, and which one
    OPAQUE = "opaque"  # a loop, with, except, del, augmented assignment: anything


class Binding:
    """One place that binds a name. ``scope`` is where the bound expression is evaluated."""

    __slots__ = ("index", "kind", "node", "scope", "target", "whole")

    def __init__(
        self,
        kind: BindingKind,
        node: ast.AST,
        scope: Scope,
        target: str = "",
        whole: ast.expr | None = None,
        index: int = 0,
    ) -> None:
        self.kind = kind
        self.node = node
        self.scope = scope
        self.target = target
        self.whole = whole
        self.index = index


@dataclass(eq=False, slots=True)
class Scope:
    """A module, class or function, and the names it binds.

    :param path: the dotted path of the definition inside the module, empty for the module itself.
    :param attributes: for a class: what its methods assign to ``self.name``, or to that of an object that they make.
    :param declared: the annotation of each variable that has one, and where it is evaluated.
    :param declared_attributes: the same for ``self.name``.
    :param stars: for the module: the modules it imports everything from.
    """

    node: ScopeNode
    parent: Scope | None
    path: str
    bindings: dict[str, list[Binding]] = field(default_factory=dict)
    attributes: dict[str, list[Binding]] = field(default_factory=dict)
    declared: dict[str, tuple[ast.expr, Scope]] = field(default_factory=dict)
    declared_attributes: dict[str, tuple[ast.expr, Scope]] = field(default_factory=dict)
    elsewhere: dict[str, Scope] = field(default_factory=dict)
    stars: list[str] = field(default_factory=list)

    @property
    def is_class(self) -> bool:
        """Whether this is a class body, whose names its methods do not see."""
        return isinstance(self.node, ast.ClassDef)

    def bind(self, name: str, binding: Binding) -> None:
        """Record a binding where it belongs: ``global`` and ``nonlocal`` send it elsewhere."""
        bindings = self.elsewhere.get(name, self).bindings
        if name in bindings:
            bindings[name].append(binding)
        else:
            bindings[name] = [binding]  # of this size: most names are bound once


@dataclass(eq=False)
class Scopes:
    """All scopes of a module.

    :param of: the scope that each function, class and the module itself opens.
    :param calls: every call of the module with the scope it stands in.
    :param entered: what each ``with`` enters.
    :param awaited: what is awaited.
    :param loads: for each scope, the names read in it (not in the scopes inside it); of a function those only that it
        does not bind itself.
    :param fields: what is assigned to fields of other objects than that of a method, each with its target.
    :param items: what is assigned to a key of something, each with what has the key.
    :param keyed: the same by the key, where that could be a name.
    """

    module: Scope
    of: dict[ast.AST, Scope] = field(default_factory=dict)
    calls: dict[ast.Call, Scope] = field(default_factory=dict)
    entered: set[ast.AST] = field(default_factory=set)
    awaited: set[ast.AST] = field(default_factory=set)
    loads: dict[Scope, Collection[str]] = field(default_factory=dict)
    fields: list[tuple[ast.Attribute, Binding]] = field(default_factory=list)
    items: list[tuple[ast.expr, Binding]] = field(default_factory=list)
    keyed: list[tuple[str, Binding]] = field(default_factory=list)

    @cached_property
    def called(self) -> frozenset[ast.expr]:
        """The expressions that are called."""
        return frozenset(call.func for call in self.calls)

    @cached_property
    def classes(self) -> list[Scope]:
        """The scopes of the classes."""
        return [scope for scope in self.of.values() if scope.is_class]

    @cached_property
    def fields_by_name(self) -> dict[str, list[Binding]]:
        """What is assigned to fields of other objects than that of a method, by the name of the field."""
        found: dict[str, list[Binding]] = {}
        for target, binding in self.fields:
            found.setdefault(target.attr, []).append(binding)
        return found


@stage("reading names")
def scopes(tree: ast.Module, module: str, *, package: bool = False) -> Scopes:
    """Read all scopes of a module.

    :param module: its dotted name; ``package``: whether it is an ``__init__``. Both place its relative imports.
    """
    walker = _Walker(tree, module if package else module.rpartition(".")[0])
    for statement in tree.body:
        walker.visit(statement)
    for scope, read in walker.loads.items():  # in what takes least memory
        walker.result.loads[scope] = tuple(read - scope.bindings.keys()) if scope.path else frozenset(read)
    for scope in walker.result.of.values():
        scope.attributes = scope.attributes or _NOTHING
        scope.declared = scope.declared or _NOTHING
        scope.declared_attributes = scope.declared_attributes or _NOTHING
        scope.elsewhere = scope.elsewhere or _NOTHING
    return walker.result


_NOTHING: dict[str, Any] = {}
"""What most scopes have of most things: nobody adds to a scope later."""


LEAVES = with_compact((ast.Name, ast.Constant))
"""Kinds that have no nodes under them, which make half of a tree."""


def children(node: ast.AST) -> list[ast.AST]:
    """The nodes that a node has, in their order, but for the marks whether a name is read or written."""
    found: list[ast.AST] = []
    kind = type(node)
    for name in FIELDS[kind]:
        value = getattr(node, name, None)
        if value.__class__ is list:
            found += value
        elif value is not None:
            found.append(value)
    return list(filter(None, found)) if kind in _HOLED else found


def below(node: ast.AST) -> list[ast.AST]:
    """All nodes under a node, itself first, but for the marks that :func:`children` leaves out."""
    found = [node]
    for current in found:  # which grows meanwhile
        if current.__class__ not in LEAVES:
            found += children(current)
    return found


_HOLED = with_compact((ast.Dict, ast.arguments))
"""Kinds whose lists may have ``None`` in them: ``{**options}``, a keyword without default."""


class _Walker:
    def __init__(self, tree: ast.Module, package: str) -> None:
        self.scope = Scope(tree, None, "")
        self.result = Scopes(self.scope, {tree: self.scope})
        self.loads: dict[Scope, set[str]] = {self.scope: set()}
        self.package = package

    def visit(self, node: ast.AST) -> None:
        """Visit without recursion through the expressions that nest deepest: long chains of operators."""
        while isinstance(node, ast.BinOp):
            self.visit(node.right)
            node = node.left
        kind = type(node)
        if kind not in _VISITS:
            _VISITS[kind] = getattr(_Walker, f"visit_{kind.__name__}", _Walker.generic_visit)
        _VISITS[kind](self, node)

    def generic_visit(self, node: ast.AST) -> None:
        """Visit what a node has."""
        for child in children(node):
            self.visit(child)

    def _bind(self, name: str, kind: BindingKind, node: ast.AST, target: str = "") -> None:
        self.scope.bind(name, Binding(kind, node, self.scope, target))

    def _enter(self, node: ScopeNode) -> Scope:
        outer = self.scope
        name = getattr(node, "name", "<lambda>")
        path = f"{outer.path}.{name}" if outer.path else name
        self.scope = Scope(node, outer, path)
        self.result.of[node] = self.scope
        self.loads[self.scope] = set()
        return outer

    def _function(self, node: FunctionNode) -> None:
        self._bind(node.name, BindingKind.DEFINITION, node)
        for expr in (*node.decorator_list, *node.args.defaults, *node.args.kw_defaults):
            if expr is not None:
                self.visit(expr)
        outer = self._enter(node)
        for arg in parameters(node):
            self._bind(arg.arg, BindingKind.PARAMETER, arg)
        for statement in node.body:
            if isinstance(statement, (ast.Global, ast.Nonlocal)):
                self.visit(statement)
        for statement in node.body:
            self.visit(statement)
        self.scope = outer

    visit_FunctionDef = _function
    visit_AsyncFunctionDef = _function

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._bind(node.name, BindingKind.DEFINITION, node)
        for expr in (*node.decorator_list, *node.bases, *(k.value for k in node.keywords)):
            self.visit(expr)
        outer = self._enter(node)
        for statement in node.body:
            self.visit(statement)
        self.scope = outer

    def visit_Lambda(self, node: ast.Lambda) -> None:
        for default in (*node.args.defaults, *node.args.kw_defaults):
            if default is not None:
                self.visit(default)
        outer = self._enter(node)
        for arg in parameters(node):
            self._bind(arg.arg, BindingKind.PARAMETER, arg)
        self.visit(node.body)
        self.scope = outer

    def visit_Global(self, node: ast.Global) -> None:
        for name in node.names:
            self.scope.elsewhere[name] = self.result.module

    def visit_Nonlocal(self, node: ast.Nonlocal) -> None:
        for name in node.names:
            outer = self.scope.parent
            while outer is not None and (outer.is_class or name not in outer.bindings):
                outer = outer.parent
            if outer is not None:
                self.scope.elsewhere[name] = outer

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            if alias.asname:
                self._bind(alias.asname, BindingKind.IMPORT, node, alias.name)
            else:
                top = alias.name.partition(".")[0]
                self._bind(top, BindingKind.IMPORT, node, top)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        base = absolute(self.package, node.level, node.module or "")
        for alias in node.names:
            if alias.name == "*":
                self.result.module.stars.append(base)
            else:
                target = f"{base}.{alias.name}" if base else alias.name  # beside a file where imports start from
                self._bind(alias.asname or alias.name, BindingKind.IMPORT, node, target)

    def visit_Assign(self, node: ast.Assign) -> None:
        self.visit(node.value)
        for target in node.targets:
            self._target(target, node.value)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)
            self._target(node.target, node.value)
        if isinstance(node.target, ast.Name):
            self.scope.declared.setdefault(node.target.id, (node.annotation, self.scope))
        elif isinstance(node.target, ast.Attribute) and (owner := self._owner(node.target)) is not None:
            owner.declared_attributes.setdefault(node.target.attr, (node.annotation, self.scope))

    def visit_TypeAlias(self, node: Any) -> None:  # noqa: ANN401  (``type X = …``, which Python 3.11 does not know)
        self.visit(node.value)
        self._target(node.name, node.value)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self.visit(node.value)
        self._target(node.target, node.value)

    def _target(self, target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, ast.Name):
            self._bind(target.id, BindingKind.VALUE, value)
        elif isinstance(target, ast.Attribute):
            self.visit(target.value)
            self._attribute(target, value)
        elif isinstance(target, (ast.Tuple, ast.List)):
            self._unpack(target.elts, value)
        else:
            if isinstance(target, ast.Subscript):
                binding = Binding(BindingKind.VALUE, value, self.scope)
                self.result.items.append((target.value, binding))
                key = key_of(target)
                if key:
                    self.result.keyed.append((key, binding))
            self.visit(target)

    def _unpack(self, targets: list[ast.expr], value: ast.expr) -> None:
        pairs = isinstance(value, (ast.Tuple, ast.List)) and len(value.elts) == len(targets)
        counted = not any(isinstance(target, ast.Starred) for target in targets)
        for index, target in enumerate(targets):
            if pairs and not isinstance(target, ast.Starred):
                self._target(target, value.elts[index])  # type: ignore[attr-defined]
            elif counted and isinstance(target, (ast.Name, ast.Attribute)):
                self._part(target, Binding(BindingKind.PART, target, self.scope, whole=value, index=index))
            else:
                self.visit(target)

    def _part(self, target: ast.Name | ast.Attribute, binding: Binding) -> None:
        if isinstance(target, ast.Name):
            self.scope.bind(target.id, binding)
            return
        self.visit(target.value)
        owner = self._owner(target)
        if owner is not None:
            owner.attributes.setdefault(target.attr, []).append(binding)

    def _attribute(self, target: ast.Attribute, value: ast.expr) -> None:
        owner = self._owner(target)
        binding = Binding(BindingKind.VALUE, value, self.scope)
        if owner is not None:
            owner.attributes.setdefault(target.attr, []).append(binding)
        if owner is None or not (isinstance(target.value, ast.Name) and is_self(self.scope, target.value.id)):
            self.result.fields.append((target, binding))

    def _owner(self, target: ast.Attribute) -> Scope | None:
        """The class whose method assigns to a field of ``self``, or of the object of the class that it has made."""
        owner = self.scope.parent
        if owner is None or not owner.is_class:
            return None
        held = target.value
        if isinstance(held, ast.Name):
            own = is_self(self.scope, held.id) or _makes_one(self.scope, self.scope.bindings.get(held.id, ()))
        else:
            inner = isinstance(held, ast.Attribute) and isinstance(held.value, ast.Name)
            own = inner and is_self(self.scope, held.value.id)  # type: ignore[attr-defined]  # see above
            own = own and _makes_one(self.scope, owner.attributes.get(held.attr, ()))  # type: ignore[attr-defined]
        return owner if own else None

    def _with(self, node: ast.With | ast.AsyncWith) -> None:
        for item in node.items:
            self.result.entered.add(item.context_expr)
            self.visit(item.context_expr)
            if isinstance(item.optional_vars, ast.Name):  # nearly every context manager returns itself
                self._bind(item.optional_vars.id, BindingKind.VALUE, item.context_expr)
            elif item.optional_vars is not None:
                self.visit(item.optional_vars)
        for statement in node.body:
            self.visit(statement)

    visit_With = _with
    visit_AsyncWith = _with

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            self.loads[self.scope].add(node.id)
        elif isinstance(node.ctx, ast.Store):
            self._bind(node.id, BindingKind.OPAQUE, node)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        if node.name:
            self._bind(node.name, BindingKind.OPAQUE, node)
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        self.result.calls[node] = self.scope
        self.generic_visit(node)

    def visit_Await(self, node: ast.Await) -> None:
        self.result.awaited.add(node.value)
        self.visit(node.value)

    def visit_MatchAs(self, node: ast.MatchAs) -> None:
        if node.name:
            self._bind(node.name, BindingKind.OPAQUE, node)
        self.generic_visit(node)

    def visit_comprehension(self, node: ast.comprehension) -> None:
        self.visit(node.iter)  # the variable is the comprehension's own
        for test in node.ifs:
            self.visit(test)


def absolute(package: str, level: int, module: str) -> str:
    """The dotted name that a relative import in ``package`` refers to."""
    if not level:
        return module
    parts = package.split(".") if package else []
    base = parts[: len(parts) - (level - 1)] if level > 1 else parts
    return ".".join([*base, module] if module else base)


def parameters_with_defaults(function: FunctionNode) -> list[tuple[ast.arg, ast.expr | None]]:
    """The parameters of a function that go by their names, each with its default where it has one."""
    positional = [*function.args.posonlyargs, *function.args.args]
    missing = [None] * (len(positional) - len(function.args.defaults))
    return [
        *zip(positional, [*missing, *function.args.defaults], strict=True),
        *zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True),
    ]


def fills(scope: Scope, name: str) -> bool:
    """Whether a scope puts something of its own into a variable, and does not only import what it stands for."""
    return any(binding.kind is not BindingKind.IMPORT for binding in scope.bindings.get(name, ()))


def parameters(node: FunctionNode | ast.Lambda) -> list[ast.arg]:
    """All parameters of a function, in the order of its signature."""
    a = node.args
    return [*a.posonlyargs, *a.args, *([a.vararg] if a.vararg else []), *a.kwonlyargs, *([a.kwarg] if a.kwarg else [])]


def key_of(node: ast.AST) -> str:
    """The key by which an expression asks for something, where it could be a name: ``app["sessions"]``; else empty."""
    key = node.slice.value if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant) else None
    return key if isinstance(key, str) and key.isidentifier() else ""


def is_self(scope: Scope, name: str) -> bool:
    """Whether ``name`` is the first parameter of the method that ``scope`` belongs to (``self`` or ``cls``)."""
    if isinstance(scope.node, (ast.Module, ast.ClassDef, ast.Lambda)):
        return False
    first = [*scope.node.args.posonlyargs, *scope.node.args.args][:1]
    static = any(isinstance(d, ast.Name) and d.id == "staticmethod" for d in scope.node.decorator_list)
    return bool(first) and first[0].arg == name and not static


def _makes_one(scope: Scope, bindings: Sequence[Binding]) -> bool:
    """Whether a method binds a new object of its own class: ``super().__new__(cls)``, ``cls()``."""
    return any(
        isinstance(b.node, ast.Call)
        and b.scope is scope
        and (
            (isinstance(b.node.func, ast.Attribute) and b.node.func.attr == "__new__")
            or (isinstance(b.node.func, ast.Name) and is_self(scope, b.node.func.id))
        )
        for b in bindings
    )


_VISITS: dict[type[ast.AST], Callable[[_Walker, Any], None]] = {}
"""The method for each kind of node."""
