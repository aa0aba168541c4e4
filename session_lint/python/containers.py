"""What stands in tuples and under the keys of dictionaries: the part of a module's names that looks into them."""

from __future__ import annotations

import ast
from functools import cached_property
from typing import TYPE_CHECKING

from session_lint.python.annotations import tuple_part
from session_lint.python.nodes import is_none, own_of
from session_lint.python.remembered import remembered
from session_lint.python.scopes import Binding, BindingKind, FunctionNode, Scope, Scopes

if TYPE_CHECKING:
    from session_lint.python.names import Names
    from session_lint.python.pending import Pending
    from session_lint.python.scopes import ScopeNode

DEEPEST = 16
"""How many steps a name is followed; real chains have three or four, cycles have no end."""

LOOKUPS = frozenset(["get", "pop", "setdefault"])
_DICTIONARIES = frozenset(
    ["builtins.dict", "collections.OrderedDict", "weakref.WeakKeyDictionary", "weakref.WeakValueDictionary"]
)
_STEP = 3
"""How far one step to a part of something goes: those on the way to it are not kept, and few are followed."""
Qualified = frozenset[str]
NOTHING: Qualified = frozenset()


@remembered
def only(name: str) -> Qualified:
    """One name: most expressions stand for one, and many for the same."""
    return frozenset({name})


AGAIN = "<again>"
CYCLE: Qualified = frozenset({AGAIN})
MOST_BINDINGS = 24
Place = tuple["Names", ast.AST, Scope]
"""An expression, the names of its module and where in that it stands."""


class Containers:
    """What :class:`~session_lint.python.names.Names` knows of containers; it follows what is found in them."""

    if TYPE_CHECKING:
        scopes: Scopes
        _pending: Pending
        _known: dict[tuple[Scope, str], Qualified]

        def qualify(self, node: ast.AST, scope: Scope) -> Qualified: ...  # noqa: D102
        def _qualify(self, node: ast.AST, scope: Scope, depth: int) -> Qualified: ...
        def annotated(self, declared: tuple[ast.expr | None, Scope] | None, depth: int) -> Qualified: ...  # noqa: D102
        def owner(self, name: str, scope: Scope) -> Scope | None: ...  # noqa: D102
        def own_class(self, node: ast.AST, scope: Scope) -> Scope | None: ...  # noqa: D102
        def definition(self, name: str) -> tuple[Names, ScopeNode] | None: ...  # noqa: D102
        def _held_by(self, bindings: list[Binding]) -> Qualified: ...
        def _gives_what_it_returns(self, node: FunctionNode, depth: int) -> bool: ...

    @property
    def _names(self) -> Names:
        return self  # type: ignore[return-value]  # nothing else is one of these

    def _item(self, node: ast.Subscript, scope: Scope, depth: int) -> Qualified:
        """What stands under a key of a dictionary, or at a place of a tuple."""
        found = self._looked_up(node, scope)
        index = node.slice.value if isinstance(node.slice, ast.Constant) else None
        if found or not isinstance(index, int) or index < 0:
            return found
        return self._part(node.value, index, scope, depth)

    def _part(self, whole: ast.expr, index: int, scope: Scope, depth: int) -> Qualified:
        """What stands at a place of a tuple, by its text or by what the function that makes it is annotated to give."""
        places = self.parts(whole, index, scope, depth)
        return self._all_of(places, depth) if places else self._declared_part(whole, index, scope, depth)

    def _declared_part(self, whole: ast.expr, index: int, scope: Scope, depth: int) -> Qualified:
        call = whole.value if isinstance(whole, ast.Await) else whole
        functions = self._functions(call, scope, depth) if isinstance(call, ast.Call) else []
        found: list[Qualified] = []
        for home, function in functions:
            outer = home.scopes.of[function].parent or home.scopes.module
            found.append(home.annotated((tuple_part(function.returns, index), outer), depth))
        return frozenset().union(*found) if all(found) else NOTHING

    def _all_of(self, places: list[Place], depth: int) -> Qualified:
        """What expressions stand for, in whichever modules; nothing where that is not known of one of them."""
        if depth > DEEPEST:
            return NOTHING
        found = [home._qualify(node, scope, depth + 1) for home, node, scope in places]  # noqa: SLF001  (of this class)
        return frozenset().union(*found) if all(found) else NOTHING

    def parts(self, whole: ast.AST, index: int, scope: Scope, depth: int = 0) -> list[Place]:
        """The expressions for what stands at a place of a tuple; none where that is not known for sure.

        A function's tuple is what it returns: ``return engine, sessionmaker(bind=engine)``.
        """
        if depth > DEEPEST:
            return []
        if isinstance(whole, (ast.Tuple, ast.List)):
            spread = any(isinstance(one, ast.Starred) for one in whole.elts[: index + 1])
            return [(self._names, whole.elts[index], scope)] if index < len(whole.elts) and not spread else []
        wholes: list[Place] = []
        if isinstance(whole, (ast.Await, ast.NamedExpr)):
            wholes = [(self._names, whole.value, scope)]
        elif isinstance(whole, ast.IfExp):
            wholes = [(self._names, one, scope) for one in (whole.body, whole.orelse)]
        elif isinstance(whole, ast.Name):
            wholes = self._assigned(whole.id, scope)
        elif isinstance(whole, (ast.Call, ast.Subscript)):
            wholes = self.looked_up(whole, scope)
            if not wholes and isinstance(whole, ast.Call):
                wholes = self._given_by(whole, scope, depth)
        found: list[Place] = []
        for home, node, inner in wholes:
            places = home.parts(node, index, inner, depth + _STEP) if not is_none(node) else []
            if not places and not is_none(node):
                return []
            found += places
        return found

    def _assigned(self, name: str, scope: Scope) -> list[Place]:
        """The expressions that a variable is assigned; none where it gets its value in another way, too."""
        owner = self.owner(name, scope)
        bindings = owner.bindings[name] if owner is not None else []
        plain = len(bindings) <= MOST_BINDINGS and all(b.kind is BindingKind.VALUE for b in bindings)
        return [(self._names, b.node, b.scope) for b in bindings if isinstance(b.node, ast.expr)] if plain else []

    def _given_by(self, call: ast.Call, scope: Scope, depth: int) -> list[Place]:
        """The expressions that a call may give: what the functions return that it may be of."""
        found: list[Place] = []
        for home, function in self._functions(call, scope, depth):
            values = [n.value for n in own_of(function, ast.Return) if n.value is not None]
            found += [(home, value, home.scopes.of[function]) for value in values]
        return found

    def _functions(self, call: ast.Call, scope: Scope, depth: int) -> list[tuple[Names, FunctionNode]]:
        """The functions of the project that a call may be of, as far as it gives what they return."""
        found: list[tuple[Names, FunctionNode]] = []
        for name in sorted(self._qualify(call.func, scope, depth + 1)):
            home, node = self.definition(name) or (self._names, None)
            if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                return []
            if not home._gives_what_it_returns(node, depth) or own_of(node, ast.Yield, ast.YieldFrom):  # noqa: SLF001
                return []
            found.append((home, node))
        return found

    def looked_up(self, node: ast.AST, scope: Scope) -> list[Place]:
        """The expressions for what a dictionary may have under a key: all that the module puts into it.

        :param node: what reads it, ``made[key]`` or ``made.get(key)``.
        """
        return [(self._names, b.node, b.scope) for b in self._items_of(self._dictionary(node, scope))]

    def _looked_up(self, node: ast.AST, scope: Scope) -> Qualified:
        """What these expressions stand for."""
        place = self._dictionary(node, scope)
        if place is None or not (items := self._items_of(place)):
            return NOTHING
        key = place[0], f"{place[1]}[]"
        return self._pending.ask_once(self._known, key, lambda: self._held_by(items), CYCLE)

    def _dictionary(self, node: ast.AST, scope: Scope) -> tuple[Scope, str] | None:
        """The dictionary that an expression reads something from, by the variable or field that has it."""
        read: ast.AST | None = node.value if isinstance(node, ast.Subscript) else None
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in LOOKUPS:
            read = node.func.value
        if not self.scopes.items or not isinstance(read, (ast.Name, ast.Attribute)):
            return None
        return self._place(read, scope)

    def _items_of(self, place: tuple[Scope, str] | None) -> list[Binding]:
        put = self.items.get(place, []) if place is not None else []
        first = self._first_items(*place) if place is not None and put else None
        return [*put, *first] if first is not None else []

    def _place(self, node: ast.expr, scope: Scope) -> tuple[Scope, str] | None:
        """The variable, or the field of a class, that an expression reads, and whose it is."""
        if isinstance(node, ast.Name):
            owner = self.owner(node.id, scope)
            return (owner, node.id) if owner is not None else None
        owner = self.own_class(node.value, scope) if isinstance(node, ast.Attribute) else None
        return (owner, node.attr) if owner is not None else None  # type: ignore[attr-defined]  # an attribute

    def _first_items(self, owner: Scope, name: str) -> list[Binding] | None:
        """What a dictionary has from the beginning; ``None`` where that is not known, or it is something else."""
        found: list[Binding] = []
        for binding in (*owner.bindings.get(name, ()), *owner.attributes.get(name, ())):
            node = binding.node
            if binding.kind is not BindingKind.VALUE:
                return None
            if isinstance(node, ast.Dict) and None not in node.keys:
                found += [Binding(BindingKind.VALUE, value, binding.scope) for value in node.values]
            elif not is_none(node) and not (isinstance(node, ast.Call) and self._makes_empty(node, binding.scope)):
                return None
        return found

    def _makes_empty(self, call: ast.Call, scope: Scope) -> bool:
        """Whether a call makes a dictionary, or what remembers things as one does, that nothing is in."""
        made = self._qualify(call.func, scope, 0)
        plain = not (call.args or call.keywords)
        return bool(made) and all((plain and one in _DICTIONARIES) or one.startswith("cachetools.") for one in made)

    @cached_property
    def items(self) -> dict[tuple[Scope, str], list[Binding]]:
        """What is put under keys of dictionaries, by the variable or field that has each."""
        found: dict[tuple[Scope, str], list[Binding]] = {}
        put = [*self.scopes.items]
        for call, scope in self.scopes.calls.items() if put else ():
            if isinstance(call.func, ast.Attribute) and call.func.attr == "setdefault" and len(call.args) == 2:  # noqa: PLR2004
                put.append((call.func.value, Binding(BindingKind.VALUE, call.args[1], scope)))
        for container, binding in put:
            place = self._place(container, binding.scope)
            if place is not None:
                found.setdefault(place, []).append(binding)
        return found

    def put_under(self, owner: Scope, name: str) -> Qualified:
        """What any key of a dictionary may give."""
        return self._held_by(self.items[owner, name]) if (owner, name) in self.items else NOTHING

    def given_in_tuples(self, function: FunctionNode) -> Qualified:
        """What stands in the tuples that a function returns."""
        scope = self.scopes.of[function]
        values = [n.value for n in own_of(function, ast.Return) if n.value is not None]
        wholes = [
            *values,
            *(
                node
                for value in values
                if isinstance(value, ast.Name)
                for _, node, _ in self._assigned(value.id, scope)
            ),
        ]
        parts = [one for whole in wholes if isinstance(whole, ast.Tuple) for one in whole.elts]
        return frozenset().union(*(self.qualify(one, scope) for one in parts))
