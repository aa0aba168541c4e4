"""What an expression stands for, as dotted names that tables can be asked about.

A call is written as ``()``: after ``from sqlalchemy.orm import sessionmaker as sm`` and
``Local = sm(bind=e)``, the expression ``Local.begin`` stands for ``sqlalchemy.orm.sessionmaker().begin``.
What the module defines itself stands under the module's own name, and :attr:`Names.definitions` finds
the node again. Where a name may stand for several things (``try``/``except ImportError``), all are
given; where one of its bindings cannot be followed, none are.
"""

from __future__ import annotations

import ast
import builtins
from functools import cached_property, lru_cache

from session_lint.python.scopes import Binding, BindingKind, Scope, ScopeNode, is_self, scopes

_DEEPEST = 12
"""How many steps a name is followed; real chains have three or four, cycles have no end."""

Qualified = frozenset[str]
_NOTHING: Qualified = frozenset()
_AGAIN = "<again>"
_CYCLE: Qualified = frozenset({_AGAIN})
_MOST_BINDINGS = 24


class Names:
    """The names of one module.

    :param tree: its syntax tree.
    :param module: its dotted name.
    :param package: whether it is an ``__init__``.
    """

    def __init__(self, tree: ast.Module, module: str, *, package: bool = False) -> None:
        self.module = module
        self.scopes = scopes(tree, module, package=package)
        self._cache: dict[tuple[ast.AST, Scope], Qualified] = {}
        self._known: dict[tuple[Scope, str], Qualified] = {}
        self._rising: set[tuple[Scope, str]] = set()

    @cached_property
    def definitions(self) -> dict[str, ScopeNode]:
        """Every function and class of the module by its dotted name."""
        return {self.qualname(scope): scope.node for scope in self.scopes.of.values() if scope.path}

    @cached_property
    def imported(self) -> frozenset[str]:
        """The dotted names of all that the module imports, wherever in it."""
        bindings = (b for scope in self.scopes.of.values() for bound in scope.bindings.values() for b in bound)
        return frozenset(b.target for b in bindings if b.kind is BindingKind.IMPORT)

    def qualname(self, scope: Scope) -> str:
        """The dotted name of what opened a scope."""
        return f"{self.module}.{scope.path}" if scope.path else self.module

    def qualify(self, node: ast.AST, scope: Scope) -> Qualified:
        """The dotted names that an expression in ``scope`` may stand for; empty where that is not known."""
        key = (node, scope)
        if key not in self._cache:
            self._cache[key] = self._qualify(node, scope, 0)
        return self._cache[key]

    def _qualify(self, node: ast.AST, scope: Scope, depth: int) -> Qualified:
        if depth > _DEEPEST:
            return _NOTHING
        if isinstance(node, ast.Name):
            return self._name(node.id, scope, depth + 1)
        if isinstance(node, ast.Attribute):
            return self._attribute(node, scope, depth + 1)
        if isinstance(node, ast.Call):
            callees = self._qualify(node.func, scope, depth + 1)
            if "functools.partial" in callees and node.args:  # stands for what it calls
                return self._qualify(node.args[0], scope, depth + 1)
            return self._call(callees, depth)
        if isinstance(node, (ast.Await, ast.NamedExpr)):
            return self._qualify(node.value, scope, depth + 1)
        if isinstance(node, ast.Subscript):  # a generic class: sessionmaker[Session]
            return frozenset(q for q in self._qualify(node.value, scope, depth + 1) if "(" not in q)
        if isinstance(node, ast.BoolOp):
            return self._either(node.values, scope, depth)
        if isinstance(node, ast.IfExp):
            return self._either([node.body, node.orelse], scope, depth)
        return _NOTHING

    def _either(self, nodes: list[ast.expr], scope: Scope, depth: int) -> Qualified:
        found = [self._qualify(node, scope, depth + 1) for node in nodes if not _is_none(node)]
        return frozenset().union(*found) if all(found) else _NOTHING

    def _name(self, name: str, scope: Scope, depth: int) -> Qualified:
        owner = self.owner(name, scope)
        if owner is None:
            if hasattr(builtins, name):
                return frozenset({f"builtins.{name}"})
            return frozenset(f"{star}.{name}" for star in self.scopes.module.stars)
        return self._variable(owner, name, depth)

    def _variable(self, owner: Scope, name: str, depth: int) -> Qualified:
        """What a variable stands for; ``q = q.filter(x)`` adds nothing to what ``q`` was before."""
        key = (owner, name)
        if key in self._rising:
            return _CYCLE
        if key not in self._known:
            bindings = owner.bindings[name]
            if len(bindings) > _MOST_BINDINGS:
                return _NOTHING
            self._rising.add(key)
            found = self._bound(bindings, depth)
            self._rising.discard(key)
            if self._rising:
                return found  # perhaps incomplete: worked out in the middle of another one
            self._known[key] = found
        return self._known[key]

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
        useful = [b for b in bindings if not (b.kind is BindingKind.VALUE and _is_none(b.node))]
        found = [self._binding(b, depth + 1) for b in useful]
        if not all(found):
            return _NOTHING
        return frozenset(q for q in frozenset[str]().union(*found) if not q.startswith(_AGAIN))

    def _binding(self, binding: Binding, depth: int) -> Qualified:
        if binding.kind is BindingKind.IMPORT:
            return frozenset({binding.target})
        if binding.kind is BindingKind.VALUE:
            return self._qualify(binding.node, binding.scope, depth)
        if binding.kind is BindingKind.DEFINITION:
            return frozenset({self.qualname(self.scopes.of[binding.node])})
        if binding.kind is BindingKind.PARAMETER:
            annotation = binding.node.annotation  # type: ignore[attr-defined]
            outer = binding.scope.parent or binding.scope
            return (
                frozenset(f"{q}()" for q in self._qualify(_required(annotation), outer, depth))
                if annotation
                else _NOTHING
            )
        return _NOTHING

    def _attribute(self, node: ast.Attribute, scope: Scope, depth: int) -> Qualified:
        if (
            isinstance(node.value, ast.Name)
            and is_self(scope, node.value.id)
            and scope.parent
            and scope.parent.is_class
        ):
            return self.member(scope.parent, node.attr, depth)
        found: set[str] = set()
        for base in self._qualify(node.value, scope, depth):
            owner = self.definitions.get(base.removesuffix("()"))
            if isinstance(owner, ast.ClassDef):
                found |= self.member(self.scopes.of[owner], node.attr, depth)
            else:
                found.add(f"{base}.{node.attr}")
        return frozenset(found)

    def member(self, owner: Scope, name: str, depth: int = 0) -> Qualified:
        """What an attribute of a class of this module stands for, its bases included."""
        if depth > _DEEPEST:
            return _NOTHING
        bindings = [*owner.bindings.get(name, ()), *owner.attributes.get(name, ())]
        if bindings:
            return self._bound(bindings, depth)
        found: set[str] = set()
        for base in self.bases(owner, depth):
            node = self.definitions.get(base)
            if isinstance(node, ast.ClassDef):
                found |= self.member(self.scopes.of[node], name, depth + 1)
            else:
                found.add(f"{base}().{name}")
        return frozenset(found)

    def bases(self, owner: Scope, depth: int = 0) -> Qualified:
        """The direct bases of a class of this module."""
        assert isinstance(owner.node, ast.ClassDef)
        outer = owner.parent or owner
        found = [self._qualify(base, outer, depth + 1) for base in owner.node.bases]
        return frozenset().union(*found)

    def _call(self, callees: Qualified, depth: int) -> Qualified:
        found: set[str] = set()
        for callee in callees:
            node = self.definitions.get(callee)
            returned = self._returned(node, depth) if isinstance(node, ast.FunctionDef) else _NOTHING
            found |= returned or {f"{callee}()"}
        return frozenset(found)

    def _returned(self, node: ast.FunctionDef, depth: int) -> Qualified:
        if node.decorator_list or depth > _DEEPEST:
            return _NOTHING
        values = [n.value for n in own_nodes(node) if isinstance(n, ast.Return) and n.value is not None]
        if any(isinstance(n, (ast.Yield, ast.YieldFrom)) for n in own_nodes(node)):
            return _NOTHING
        return self._either(values, self.scopes.of[node], depth + 1) if values else _NOTHING


@lru_cache(maxsize=512)
def own_nodes(code: ast.AST) -> list[ast.AST]:
    """All nodes of a function or module body, without those of the functions, lambdas and classes inside it."""
    found: list[ast.AST] = []
    todo = list(ast.iter_child_nodes(code))
    while todo:
        node = todo.pop()
        found.append(node)
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)):
            todo.extend(ast.iter_child_nodes(node))
    return found


def path(node: ast.AST) -> str:
    """``a.b.c`` for a name or a chain of attributes, else the empty string."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    return ".".join([node.id, *reversed(parts)])


def _is_none(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _required(annotation: ast.expr) -> ast.expr:
    """``X`` for the annotations ``Optional[X]`` and ``X | None``."""
    if isinstance(annotation, ast.BinOp) and _is_none(annotation.right):
        return annotation.left
    if isinstance(annotation, ast.Subscript) and path(annotation.value).endswith("Optional"):
        return annotation.slice
    return annotation
