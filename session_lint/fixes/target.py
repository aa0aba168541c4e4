"""Which committing scope stands for a factory: the project's own, the reference module's, or ``factory.begin()``."""

from __future__ import annotations

import ast
from functools import partial
from typing import TYPE_CHECKING

from session_lint.analysis.makers import makers
from session_lint.analysis.passed import parameter
from session_lint.fixes.elsewhere import taken
from session_lint.fixes.shape import closes, plain_scope
from session_lint.python.nodes import path
from session_lint.python.scopes import BindingKind
from session_lint.values import dataclass
from session_lint.vocabulary import Role

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.analysis import ModuleFacts
    from session_lint.analysis.module import Module
    from session_lint.python.scopes import Scope


@dataclass(frozen=True)
class Target:
    """A committing scope.

    :param expression: what goes behind ``with``.
    :param module: where it has to be imported from, empty where that is not needed.
    :param imported: the name to import.
    :param replaced: the factory's name in the same import, which may no longer be needed.
    :param beside: the row of the import that brings the factory, where the new name joins it or stands below it.
    :param joins: the name by which that import binds the factory, where it is from the same module.
    :param begins: whether it is ``factory.begin()``, which tolerates no other transaction control in its block.
    """

    expression: str
    module: str = ""
    imported: str = ""
    replaced: str = ""
    beside: int = 0
    joins: str = ""
    begins: bool = False


@dataclass(frozen=True, eq=False)
class _Opening:
    """A call of a factory, and what it is a call of."""

    module: Module
    call: ast.Call
    scope: Scope
    names: frozenset[str]
    asynchronous: bool


def scope_target(
    facts: ModuleFacts, acquire: ast.Assign | ast.AnnAssign, *, asynchronous: bool = False
) -> Target | None:
    """The scope over the factory of an acquire statement; ``None`` where the call takes arguments or none is known.

    :param asynchronous: whether the session is, and the scope has to be.
    """
    call, module = acquire.value, facts.module
    if module is None or not isinstance(call, ast.Call) or not takes_nothing(call):
        return None
    scope = module.calls.scope(call)
    if parameter(module, call.func, scope) is not None:
        return None  # callers choose the factory, and nobody knows all of them
    opening = _Opening(module, call, scope, module.names.qualify(call.func, scope), asynchronous)
    documented = None if asynchronous else _documented(opening)
    told = module.calls.vocabulary.told(_written(opening) | opening.names)
    if told is not None and told.scope and documented is not None:
        return documented  # as the user says
    found = _own(opening, acquire.lineno) or _imported(opening) or _beside_factory(opening)
    return found or documented or _begin(opening)


def takes_nothing(call: ast.Call) -> bool:
    """Whether a factory is called without arguments, as a scope calls it."""
    return not (call.args or call.keywords)


def same_factory(found: tuple[Module, ast.expr, Scope], wanted: tuple[Module, ast.expr, Scope]) -> bool:
    """Whether two expressions for factories surely stand for the same one: made by one call, or known by one name."""
    names, others = (module.names.qualify(node, scope) for module, node, scope in (found, wanted))
    made, also = ({call for _, call in makers(*place)} for place in (found, wanted))
    if made or also:
        return made == also and len(made) == 1
    return bool(names) and names == others and not any("(" in name for name in names)


def _own(opening: _Opening, row: int) -> Target | None:
    """A committing scope that the module itself defines over the same factory, and that does nothing else."""
    top = opening.module.names.scopes.module
    for node in _scopes(opening.module, opening):
        inner = opening.module.names.scopes.of[node]
        here = opening.scope
        if here is inner or (here is top and row < node.lineno):
            continue
        if opening.module.names.owner(node.name, here) is top:
            return Target(f"{node.name}()")
    return None


def _imported(opening: _Opening) -> Target | None:
    """The same of a scope of another module that this one has imported already."""
    top = opening.module.names.scopes.module
    for name, bindings in top.bindings.items():
        if len(bindings) != 1 or bindings[0].kind is not BindingKind.IMPORT:
            continue
        found = [opening.module.names.definition(q) for q in opening.module.names.follow(bindings[0].target)]
        if len(found) == 1 and found[0] is not None and opening.module.names.owner(name, opening.scope) is top:
            home = opening.module.program.module(found[0][0])
            if home is not opening.module and any(found[0][1] is node for node in _scopes(home, opening)):
                return Target(f"{name}()")
    return None


def _beside_factory(opening: _Opening) -> Target | None:
    """The same of a scope in the module of the project that the factory is imported from."""
    names, call = opening.module.names, opening.call
    if isinstance(call.func, ast.Attribute):
        of = path(call.func.value)
        found = _scopes_of(names.qualify(call.func.value, opening.scope), opening) if of else []
        return Target(f"{of}.{found[0].name}()") if found else None
    row, written = _plain_import(opening), _written(opening)
    dotted = next(iter(written)).rpartition(".")[0] if row and len(written) == 1 else ""
    for node in _scopes_of(frozenset({dotted}), opening) if dotted else []:
        if names.owner(node.name, opening.scope) is None and not names.scopes.module.stars:
            return Target(f"{node.name}()", dotted, node.name, _superfluous(opening), row, path(call.func))
    return None


def _scopes_of(modules: frozenset[str], opening: _Opening) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    """The same scopes of the one module of the project that goes by a dotted name."""
    names = opening.module.names
    found = [names.elsewhere.module(name, names) for name in modules] if names.elsewhere is not None else []
    if len(found) != 1 or found[0] is None:
        return []
    return list(_scopes(opening.module.program.module(found[0]), opening))


def _scopes(home: Module, opening: _Opening) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """The committing scopes that a module defines at its top over the factory, and that do nothing else."""
    wanted = ast.AsyncFunctionDef if opening.asynchronous else ast.FunctionDef
    for qualname, node in home.names.definitions.items():
        if not isinstance(node, wanted) or home.names.scopes.of[node].parent is not home.names.scopes.module:
            continue
        meaning = home.inferred(qualname)
        factory = plain_scope(node, partial(_closes, home)) if meaning is not None and meaning.commits else None
        asked = (opening.module, opening.call.func, opening.scope)
        if factory is not None and same_factory((home, factory, home.names.scopes.of[node]), asked):
            yield node


def _closes(home: Module, statement: ast.stmt, name: str) -> bool:
    """Whether a statement closes the session, itself or by a function that only rolls back, closes and logs."""
    value = statement.value if isinstance(statement, ast.Expr) else None
    call = value.value if isinstance(value, ast.Await) else value
    if closes(statement, name) or not isinstance(call, ast.Call):
        return closes(statement, name)
    callee = home.calls.callee(call)
    function, calls = callee.function, home.at(callee).calls
    if function is None or [*map(path, call.args)] != [name] or call.keywords or len(function.args.args) != 1:
        return False
    lent = function.args.args[0].arg
    does = [inner for inner in ast.walk(function) if isinstance(inner, ast.Call)]
    ends = [inner for inner in does if path(inner.func) in (f"{lent}.close", f"{lent}.rollback")]
    notes = [inner for inner in does if any(n.startswith("logging.") for n in calls.callee(inner).names)]
    return f"{lent}.close" in [path(inner.func) for inner in ends] and len(ends) + len(notes) == len(does)


def _documented(opening: _Opening) -> Target | None:
    """The scope that the vocabulary names for the factory, unless the project says otherwise of that name."""
    module, call, scope = opening.module, opening.call, opening.scope
    found = module.calls.vocabulary.of(_written(opening)) or module.calls.vocabulary.of(opening.names)
    if found is None or not found.scope:
        return None
    meant = module.names.follow(found.scope)
    meaning = module.calls.meaning(meant) or module.calls.vocabulary.told({found.scope})
    if meaning is None or not meaning.commits:
        return None
    home, _, scope_name = found.scope.rpartition(".")
    if isinstance(call.func, ast.Attribute):
        return Target(f"{path(call.func.value)}.{scope_name}()") if path(call.func.value) else None
    bound = module.names.qualify(ast.Name(scope_name, ast.Load()), scope)
    row = _plain_import(opening)
    if not row:
        return None  # imported under a condition, or where it is used: so would the scope have to be
    if bound != meant and (bound or module.names.owner(scope_name, scope) is not None):
        return None  # the name is somebody else's here
    joins = path(call.func) if {name.rpartition(".")[0] for name in _written(opening)} == {home} else ""
    return Target(f"{scope_name}()", home, scope_name, _superfluous(opening), row, joins)


def _superfluous(opening: _Opening) -> str:
    """The factory's name where the module may do without it: no other file takes it from here."""
    name = path(opening.call.func)
    return "" if taken(opening.module, name) else name


def _written(opening: _Opening) -> frozenset[str]:
    """The name that a factory was imported by."""
    name = path(opening.call.func)
    owner = opening.module.names.owner(name, opening.scope)
    bindings = owner.bindings[name] if owner is not None else []
    return frozenset(b.target for b in bindings if b.kind is BindingKind.IMPORT)


def _begin(opening: _Opening) -> Target | None:
    """``factory.begin()`` of what ``sessionmaker`` made."""
    call = opening.call
    found = {opening.module.calls.vocabulary.meaning(f"{name}.begin") for name in opening.names}
    if len(found) != 1 or (meaning := found.pop()) is None or meaning.role is not Role.SCOPE or not path(call.func):
        return None
    return Target(f"{path(call.func)}.begin()", begins=True)


def _plain_import(opening: _Opening) -> int:
    """The row of the one import at the top of the module that binds the factory; 0 where it is not that simple."""
    names, name = opening.module.names, path(opening.call.func)
    owner = names.owner(name, opening.scope)
    bindings = owner.bindings[name] if owner is names.scopes.module else []
    tree = names.scopes.module.node
    if len(bindings) != 1 or not isinstance(tree, ast.Module) or bindings[0].node not in tree.body:
        return 0
    return bindings[0].node.lineno if isinstance(bindings[0].node, ast.ImportFrom) else 0
