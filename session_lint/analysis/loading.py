"""Which expressions give objects of mapped classes out of a session, and what of such an object needs it again."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis.arguments import bind
from session_lint.python.annotations import annotated_class
from session_lint.python.nodes import method_of, path
from session_lint.python.reaching import last_assigned
from session_lint.python.scopes import BindingKind, below
from session_lint.values import dataclass
from session_lint.vocabulary import query_methods

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from session_lint.analysis.module import Module
    from session_lint.python.names import Names
    from session_lint.python.scopes import Binding, FunctionNode, Scope

_ONE = frozenset(["first", "one", "one_or_none", "get", "scalar", "scalar_one", "scalar_one_or_none", "first_or_404"])
_MANY = frozenset(["all", "fetchall", "unique"])
_SELECTS = frozenset(["sqlalchemy.select()", "sqlalchemy.future.select()", "sqlmodel.select()"])
_TEXTS = frozenset(["sqlalchemy.text()", "sqlalchemy.sql.text()", "sqlalchemy.sql.expression.text()"])
_COLUMNS = frozenset(["Column", "mapped_column", "Field"])
_DEEPEST = 6


@dataclass(frozen=True, eq=False)
class Loaded:
    """What an expression gives out of a session.

    :param entity: the expression that names the mapped class.
    :param scope: where that stands.
    :param many: whether it is a collection of objects.
    """

    module: Module
    entity: ast.expr
    scope: Scope
    many: bool


def loaded(
    module: Module, value: ast.AST, scope: Scope, sessions: Collection[str], *, iterated: bool = False
) -> Loaded | None:
    """What an expression loads through one of some session variables; ``None`` for plain rows and anything unknown.

    :param iterated: whether something goes through it, which a query or a result is run for.
    """
    node = value.value if isinstance(value, ast.Await) else value
    inside = _gone_through(node)
    if inside is not None:
        return loaded(module, inside, scope, sessions, iterated=True)
    start, chain = _chain(node)
    if chain and path(start) not in sessions:
        start, earlier = _chain(_bound_once(start, scope))
        chain = [*earlier, *chain]
    if path(start) not in sessions or not chain:
        return None
    first, *rest = chain
    methods = [method_of(call) for call in rest]
    entity = _entity(module, first, scope)
    if entity is None:
        return None
    how = method_of(first)
    if how in ("get", "get_one", "scalar") and not rest:
        many: bool | None = False
    elif how == "query":
        many = _of_query(methods, iterated=iterated)
    else:
        many = _of_result(how, methods, iterated=iterated)
    return None if many is None else Loaded(module, entity, scope, many)


def plain_rows(module: Module, value: ast.AST, scope: Scope, sessions: Collection[str]) -> bool:
    """Whether an expression gives values of columns out of some session variables, or rows of them, and has run for it.

    They know nothing of the session: ``session.query(User.name).first()``, ``session.scalar(select(User.name))``.
    """
    start, chain = _chain(value)
    if chain and path(start) not in sessions:
        start, earlier = _chain(_bound_once(start, scope))
        chain = [*earlier, *chain]
    if path(start) not in sessions or not chain or not chain[0].args:
        return False
    first, methods = chain[0], [method_of(call) for call in chain]
    if methods[0] == "query":
        asked = first.args
    elif methods[0] in ("execute", "exec", "scalars") or methods == ["scalar"]:
        start, made = _chain(_bound_once(first.args[0], scope))
        methods += map(method_of, made)
        if _is_text(module, start, scope):
            return method_of(chain[-1]) in _RUN
        selects = isinstance(start, ast.Call) and bool(module.names.qualify(start, scope) & _SELECTS)
        asked = start.args if selects else []  # type: ignore[attr-defined]
    else:
        return False
    run = method_of(chain[-1]) in _RUN and not _SHAPING & set(methods)
    return run and bool(asked) and all(_is_value(module, one, scope) for one in asked)


_RUN = frozenset(
    ["first", "one", "one_or_none", "scalar", "scalar_one", "scalar_one_or_none", "all", "fetchall", "fetchone"]
)
_SHAPING = frozenset(["with_entities", "add_columns", "add_column", "add_entity", "values", "with_only_columns"])


def _is_text(module: Module, node: ast.AST, scope: Scope) -> bool:
    """Whether a statement is written as a text, which knows of no mapped class."""
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str)
    return isinstance(node, ast.Call) and bool(module.names.qualify(node, scope) & _TEXTS)


def _is_value(module: Module, node: ast.expr, scope: Scope) -> bool:
    """Whether a query for it gives plain values: a column, or what a function of the database makes."""
    if isinstance(node, ast.Call):
        if isinstance(node.func, ast.Attribute) and node.func.attr == "exists" and not node.args:
            return True
        labelled = isinstance(node.func, ast.Attribute) and node.func.attr in ("label", "distinct")
        if labelled and _is_value(module, node.func.value, scope):  # type: ignore[attr-defined]
            return True
        return any(name.startswith("sqlalchemy.func.") for name in module.names.qualify(node.func, scope))
    return isinstance(node, ast.Attribute) and is_column(Loaded(module, node.value, scope, many=False), node.attr)


def _chain(node: ast.AST) -> tuple[ast.AST, list[ast.Call]]:
    """The start of a chain of calls, and the calls in their order."""
    calls: list[ast.Call] = []
    while True:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            calls.append(node)
            node = node.func.value
        elif isinstance(node, ast.Await):
            node = node.value
        else:
            return node, calls[::-1]


def _bound_once(node: ast.AST, scope: Scope) -> ast.AST:
    """What a variable stands for that is bound in one place: the result of ``result = session.execute(statement)``.

    Or what it was assigned last, where it stands for one thing after the other.
    """
    bindings = scope.bindings.get(node.id, ()) if isinstance(node, ast.Name) else ()
    if len(bindings) == 1:
        return bindings[0].node if bindings[0].kind is BindingKind.VALUE else node
    last = last_assigned(scope.node, node) if bindings else None  # type: ignore[arg-type]  # a name
    return node if last is None else last


def _gone_through(node: ast.AST) -> ast.expr | None:
    """What a collection is made of whose elements are the same: ``list(rows)``, ``[row for row in rows]``."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in COLLECTING and node.args:
        return node.args[0]
    if isinstance(node, (ast.ListComp, ast.SetComp, ast.DictComp)) and len(node.generators) == 1:
        kept = node.value if isinstance(node, ast.DictComp) else node.elt
        made = node.generators[0]
        return made.iter if isinstance(made.target, ast.Name) and path(kept) == made.target.id else None
    return None


COLLECTING = frozenset(["list", "tuple", "set", "sorted", "reversed", "iter"])
"""The builtins that give a collection of the same elements."""


def elements(through: ast.expr, target: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    """The collections that a loop goes through, by their paths, each with what stands for an element of it."""
    parts = target.elts if isinstance(target, (ast.Tuple, ast.List)) else []
    if isinstance(through, ast.Call) and isinstance(through.func, ast.Name) and through.args:
        if through.func.id in COLLECTING:
            yield from elements(through.args[0], target)
        elif through.func.id == "enumerate" and len(parts) > 1:
            yield from elements(through.args[0], parts[1])
        elif through.func.id == "zip":
            for part, argument in zip(parts, through.args, strict=False):
                yield from elements(argument, part)
    elif isinstance(through, ast.Call) and isinstance(through.func, ast.Attribute) and not through.args:
        if through.func.attr == "values" or (through.func.attr == "items" and len(parts) > 1):
            yield path(through.func.value), target if through.func.attr == "values" else parts[1]
    elif isinstance(through, ast.Subscript) and isinstance(through.slice, ast.Slice):
        yield from elements(through.value, target)
    elif path(through):
        yield path(through), target


def _of_query(methods: list[str], *, iterated: bool) -> bool | None:
    """Whether a query gives many objects; ``None`` where it gives none, or was not run."""
    last = methods[-1] if methods else ""
    shaped = {"with_entities", "add_columns", "add_entity", "values"} & set(methods)
    run = last == "all" or (iterated and (not last or last in query_methods().builders))
    return None if shaped else False if last in _ONE - {"scalar"} else run or None


def _of_result(how: str, methods: list[str], *, iterated: bool) -> bool | None:
    """The same of the result of a statement: ``scalars`` unpacks the rows."""
    names = methods if how == "scalars" else methods[methods.index("scalars") + 1 :] if "scalars" in methods else None
    if how not in ("scalars", "execute", "exec"):
        return None
    if names is None:
        unpacked = how == "exec" or (bool(methods) and methods[-1].startswith("scalar"))
        names = methods if unpacked else []
    last = names[-1] if names else ""
    return False if last in _ONE else (last in _MANY or (iterated and not last)) or None


def _entity(module: Module, call: ast.Call, scope: Scope) -> ast.expr | None:
    """The one mapped class that a call asks for."""
    if not call.args:
        return None
    how = method_of(call)
    if how in ("query", "get", "get_one"):
        alone = how != "query" or len(call.args) == 1
        return call.args[0] if alone and _may_be_class(module, call.args[0], scope) else None
    return _selected(module, call.args[0], scope, 0)


def _selected(module: Module, node: ast.expr, scope: Scope, depth: int) -> ast.expr | None:
    """The one mapped class that a ``select()`` asks for."""
    if isinstance(node, ast.Name) and depth < _DEEPEST:
        owner = module.names.owner(node.id, scope)
        bindings = owner.bindings[node.id] if owner is not None else []
        one = bindings[0] if len(bindings) == 1 else None
        if len(bindings) > 1 and owner is scope:
            last = last_assigned(scope.node, node)
            return None if last is None else _selected(module, last, scope, depth + 1)
        known = one is not None and one.kind is BindingKind.VALUE and isinstance(one.node, ast.expr)
        return _selected(module, one.node, scope, depth + 1) if known else None  # type: ignore[union-attr, arg-type]
    start: ast.expr = node
    while isinstance(start, ast.Call) and isinstance(start.func, ast.Attribute):
        if module.names.qualify(start, scope) & _SELECTS:
            break
        if start.func.attr in _SHAPING:
            return None
        start = start.func.value
    if isinstance(start, ast.Name) and start is not node:  # a statement that was put together step by step
        return _selected(module, start, scope, depth + 1)
    if not isinstance(start, ast.Call) or not module.names.qualify(start, scope) & _SELECTS or len(start.args) != 1:
        return None
    return start.args[0] if _may_be_class(module, start.args[0], scope) else None


def _may_be_class(module: Module, node: ast.expr, scope: Scope) -> bool:
    """Whether an expression is a class, or a parameter, which is one if the caller gives one."""
    return _is_class(module, node, scope) or _is_given(node, scope)


def _is_given(node: ast.expr, scope: Scope) -> bool:
    """Whether an expression is a parameter that keeps the value it was called with."""
    bindings = scope.bindings.get(node.id, ()) if isinstance(node, ast.Name) else ()
    return len(bindings) == 1 and bindings[0].kind is BindingKind.PARAMETER


def for_call(module: Module, call: ast.Call, function: FunctionNode, what: Loaded, *, bound: bool) -> Loaded:
    """What a call gives of what its function loads, of the class that the call tells, if any: ``get(User, 1)``."""
    if not _is_given(what.entity, what.scope):
        return what
    argument = bind(call, function, bound=bound).get(path(what.entity))
    scope = module.calls.scope(call)
    if argument is None or not (_is_given(argument, scope) or _is_of_project(module, argument, scope)):
        return what
    return Loaded(module, argument, scope, what.many)


def _is_of_project(module: Module, node: ast.expr, scope: Scope) -> bool:
    return any(module.names.class_of(name) for name in module.names.qualify(node, scope))


def _is_class(module: Module, node: ast.expr, scope: Scope) -> bool:
    """Whether an expression is a class: one of the project, or, of unread modules, a name that is spelled as one."""
    if _is_of_project(module, node, scope):
        return True
    names = module.names.qualify(node, scope)
    known = any(module.names.definition(name) for name in names) or any("(" in name for name in names)
    word = path(node).rpartition(".")[2]
    return not known and word[:1].isupper() and not word.isupper()


def made(module: Module, value: ast.AST, scope: Scope) -> ast.expr | None:
    """The class of which an expression makes an object."""
    if isinstance(value, ast.Call) and _is_class(module, value.func, scope) and path(value.func):
        return value.func
    return None


def new(module: Module, value: ast.AST, scope: Scope, adding: ast.Call) -> Loaded | None:
    """What a variable with some value gives to a session that gets it: an object, or by ``add_all`` a list of them.

    :param adding: the call that gets the variable.
    """
    whole = (
        method_of(adding) == "add_all" and bool(adding.args) and not isinstance(adding.args[0], (ast.List, ast.Tuple))
    )
    if not whole:
        entity = made(module, value, scope)
        return Loaded(module, entity, scope, many=False) if entity is not None else None
    parts = [value.elt] if isinstance(value, ast.ListComp) else value.elts if isinstance(value, ast.List) else []
    entities = [made(module, part, scope) for part in parts]
    first = entities[0] if entities else None
    alike = first is not None and all(e is not None and path(e) == path(first) for e in entities)
    return Loaded(module, first, scope, many=True) if first is not None and alike else None


def received(module: Module, bindings: Sequence[Binding]) -> Loaded | None:
    """What a parameter holds that is annotated to get an object of a class of the project, and keeps it."""
    one = bindings[0] if len(bindings) == 1 else None
    if one is None or one.kind is not BindingKind.PARAMETER or not isinstance(one.node, ast.arg):
        return None
    entity = annotated_class(one.node.annotation) if one.node.annotation is not None else None
    scope = one.scope.parent or one.scope
    if entity is None or not path(entity):
        return None
    classes = [module.names.class_of(name) for name in module.names.qualify(entity, scope)]
    return Loaded(module, entity, scope, many=False) if classes and all(classes) else None


def needs_session(found: Loaded, attribute: str) -> bool:
    """Whether reading an attribute of an expired object asks its session: it is a column, or a relationship."""
    if attribute.startswith("_") or attribute in ("metadata", "registry", "query"):
        return False
    if _is_given(found.entity, found.scope):
        return False  # it may be a column
    classes = [
        c for n in found.module.names.qualify(found.entity, found.scope) if (c := found.module.names.class_of(n))
    ]
    return not classes or any(_maps(names, owner, attribute, 0) for names, owner in classes)


def is_lazy(found: Loaded, attribute: str) -> bool:
    """Whether an attribute of a loaded object is surely a relationship that is loaded by its first read.

    Source: https://docs.sqlalchemy.org/en/20/orm/queryguide/relationships.html#lazy-loading
    """
    classes = [found.module.names.class_of(n) for n in found.module.names.qualify(found.entity, found.scope)]
    return bool(classes) and all(c is not None and _declares_lazy(*c, attribute, 0) for c in classes)


def _declares_lazy(names: Names, owner: Scope, attribute: str, depth: int) -> bool:
    """Whether a class, or one above it, makes an attribute a relationship without another word about its loading."""
    bindings = owner.bindings.get(attribute, ())
    if bindings or attribute in owner.declared:
        calls = [b.node for b in bindings if isinstance(b.node, ast.Call) and _last_word(b.node.func) in _RELATIONSHIPS]
        told = {k.arg: k.value for call in calls for k in call.keywords}
        lazy = told.get("lazy")
        how = lazy is None or (isinstance(lazy, ast.Constant) and lazy.value in ("select", True))
        return len(bindings) == len(calls) == 1 and how and not {None, "sa_relationship_kwargs"} & told.keys()
    bases = [names.class_of(base) for base in names.bases(owner)] if depth <= _DEEPEST else []
    return any(base is not None and _declares_lazy(*base, attribute, depth + 1) for base in bases)


_RELATIONSHIPS = frozenset(["relationship", "Relationship"])


def told_how(module: Module, value: ast.AST, scope: Scope) -> bool:
    """Whether a query, or the statement that it runs, says how relationships are to be loaded."""
    nodes = list(below(value))
    for node in [n for n in nodes if isinstance(n, ast.Name)]:
        owner = module.names.owner(node.id, scope)
        bound = owner.bindings.get(node.id, ()) if owner is not None else ()
        nodes += [n for b in bound if b.kind is BindingKind.VALUE for n in below(b.node)]
    return any(
        isinstance(n, (ast.Attribute, ast.keyword)) and _OPTIONS in (_last_word(n), getattr(n, "arg", ""))
        for n in nodes
    )


_OPTIONS = "options"


def is_column(found: Loaded, attribute: str) -> bool:
    """Whether an attribute of a loaded object is surely a column: a plain value, which knows nothing of the session."""
    classes = [found.module.names.class_of(n) for n in found.module.names.qualify(found.entity, found.scope)]
    return bool(classes) and all(c is not None and _declares_column(*c, attribute, _is_table(c[1]), 0) for c in classes)


def _is_table(owner: Scope) -> bool:
    """Whether a class is one of SQLModel's with a table, whose fields are columns: ``class A(B, table=True)``."""
    return any(k.arg == "table" for k in getattr(owner.node, "keywords", ()))


def _declares_column(names: Names, owner: Scope, attribute: str, fields: bool, depth: int) -> bool:  # noqa: FBT001
    """Whether a class, or one above it, says that an attribute is a column.

    A type alone says so where it is ``Mapped[...]``: a relationship has to be made by a call.
    Source: https://docs.sqlalchemy.org/en/20/orm/declarative_tables.html#orm-declarative-mapped-column

    :param fields: whether that goes for any other type, too.
    """
    bindings, (annotation, _) = owner.bindings.get(attribute, ()), owner.declared.get(attribute, (None, None))
    if any(isinstance(b.node, ast.Call) or annotation is None or not fields for b in bindings):
        return all(isinstance(b.node, ast.Call) and _last_word(b.node.func) in _COLUMNS for b in bindings)
    if annotation is not None:
        kind = _last_word(annotation.value if isinstance(annotation, ast.Subscript) else annotation)
        return kind == "Mapped" or (fields and kind != "ClassVar")
    bases = [names.class_of(base) for base in names.bases(owner)] if depth <= _DEEPEST else []
    return any(base is not None and _declares_column(*base, attribute, fields, depth + 1) for base in bases)


def _last_word(node: ast.AST) -> str:
    return node.attr if isinstance(node, ast.Attribute) else path(node)


def _maps(names: Names, owner: Scope, attribute: str, depth: int) -> bool:
    bindings = owner.bindings.get(attribute, ())
    if bindings or attribute in owner.declared:
        plain = [b for b in bindings if b.kind is not BindingKind.VALUE or not isinstance(b.node, ast.Call)]
        return not plain
    if depth > _DEEPEST:
        return False
    bases = [names.class_of(base) for base in names.bases(owner)]
    return any(base is not None and _maps(base[0], base[1], attribute, depth + 1) for base in bases)
