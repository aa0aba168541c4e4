"""Classes that keep a session which they opened themselves, and that nobody closes.

A session in a field is owed by the class. Every use of the field in the project is looked at: what closes it, what
hands it to somebody who may, and what only uses it. Only where all of them only use it, nobody closes it.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis.state import SiteKind
from session_lint.python.nodes import assigned_in, path
from session_lint.python.scopes import is_self
from session_lint.values import dataclass
from session_lint.vocabulary import Role

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.analysis.facts import ModuleFacts
    from session_lint.analysis.module import Module
    from session_lint.analysis.solved import Solved
    from session_lint.analysis.state import Site
    from session_lint.analysis.uses import Uses
    from session_lint.python.scopes import FunctionNode, Scope

_TEST_CLASSES = ("setUpClass", "setup_class")
"""The methods by which a test class sets itself up, for the time of its own tests."""


@dataclass(frozen=True, eq=False)
class Keeping:
    """A session that an object of a class keeps.

    :param site: where it is opened.
    :param kept: what puts it into a field: the target of the assignment, or the cached property.
    :param field: the field, with its object.
    :param owner: the class.
    :param inside: the call that makes the object in the field which has the session; ``None`` for the session itself.
    """

    site: Site
    kept: ast.Attribute | FunctionNode
    field: str
    owner: Scope
    inside: ast.Call | None = None


def neglected(facts: ModuleFacts) -> Iterator[Keeping]:
    """The sessions that classes of this module open, keep, and never close, in the order of the text."""
    found: dict[Site, Keeping] = {}
    for one in (*kept(facts), *_asked(facts)):
        assert facts.module is not None
        if one.site not in found and nobody_closes(facts.module, one):
            found[one.site] = one
    yield from sorted(found.values(), key=lambda one: (one.site.node.lineno, one.site.node.col_offset))  # type: ignore[attr-defined]


def nobody_closes(module: Module, one: Keeping) -> bool:
    """Whether a session that an object keeps is surely never closed, and the object need not live as long as all."""
    return is_left_open(module, one) and not made_at_import(module, one.owner)


def is_left_open(module: Module, one: Keeping) -> bool:
    """Whether a session that an object keeps is surely never closed."""
    from session_lint.analysis.escapes import out_of_sight  # noqa: PLC0415  (few classes keep one)
    from session_lint.analysis.uses import Uses  # noqa: PLC0415

    uses = Uses(module, one.owner)
    if one.inside is not None:
        settled = _object_may_close(module, one, one.inside, uses)
    elif isinstance(one.kept, ast.Attribute):
        settled = uses.kept_elsewhere(one.kept) or uses.may_close(one.kept.attr)
    else:
        settled = uses.result_may_close(one.kept)
    return not settled and not out_of_sight(module, one.owner)


def _object_may_close(module: Module, one: Keeping, made: ast.Call, uses: Uses) -> bool:
    """Whether an object that has a session may close it, or anybody who has the object, or the session beside it."""
    from session_lint.analysis.inside import keepers, may_close, reads  # noqa: PLC0415  (as above)

    read = reads(module, one.site)
    for node in read:
        chain = keepers(module, node)
        if made in chain:
            pairs = zip([node, *chain], chain, strict=False)
            if any(may_close(module, outer, [inner]) for inner, outer in pairs):
                return True
            assert isinstance(one.kept, ast.Attribute)
            return uses.may_close(one.kept.attr) or uses.any_may_close([other for other in read if other is not node])
    return True


def kept(facts: ModuleFacts) -> Iterator[Keeping]:
    """Each session that a method puts into a field of its object."""
    for solved in facts.solved:
        scope = facts.scope(solved.code)
        owner = scope.parent
        if owner is not None and owner.is_class and not _of_the_class(scope):
            yield from _assigned(solved, scope, owner)
            yield from _remembered(facts, solved, owner)


def _assigned(solved: Solved, scope: Scope, owner: Scope) -> Iterator[Keeping]:
    for site, node in ((fact.site, mark.node) for fact in solved.exits for mark in fact.marked("kept")):
        if site is None or not _own(site) or not isinstance(node, ast.Attribute):
            continue
        own, _, field = path(node).partition(".")
        if field and "." not in field and is_self(scope, own):
            yield Keeping(site, node, path(node), owner)
    for fact in solved.exits:
        for mark in fact.marked("within"):
            assert isinstance(mark.node, ast.Attribute)
            assert isinstance(mark.other, ast.Call)
            own, _, field = path(mark.node).partition(".")
            if field and "." not in field and is_self(scope, own) and fact.site is not None and _own(fact.site):
                yield Keeping(fact.site, mark.node, path(mark.node), owner, mark.other)


def _remembered(facts: ModuleFacts, solved: Solved, owner: Scope) -> Iterator[Keeping]:
    """The session that a cached property opens: the object has it from then on."""
    code = solved.code
    assert facts.module is not None
    if not isinstance(code, ast.FunctionDef) or not facts.module.is_memoised(code):
        return
    from session_lint.analysis.uses import reads_as_field  # noqa: PLC0415  (nor are many kept by a property)

    if not reads_as_field(code):
        return
    for fact in solved.exits:
        if fact.site is not None and _own(fact.site) and ("returned", "whole") in fact.names:
            yield Keeping(fact.site, code, f"self.{code.name}", owner)


def _asked(facts: ModuleFacts) -> Iterator[Keeping]:
    """What a registry of the object's own gives for a field, where nothing removes it: ``self.db = self.Session()``."""
    module = facts.module
    for owner in module.names.scopes.of.values() if module is not None else ():
        for bindings in owner.attributes.values() if owner.is_class else ():
            for binding in bindings:
                call, code = binding.node, binding.scope.node
                if not isinstance(call, ast.Call) or _of_the_class(binding.scope):
                    continue
                if _asks_own_registry(module, owner, call):  # type: ignore[arg-type]  # there is one
                    stored = next((n for n in assigned_in(code) if n.value is call), None)
                    target = stored.targets[0] if stored is not None else None
                    if isinstance(target, ast.Attribute):
                        site = module.site(SiteKind.OWNED, call, code)  # type: ignore[union-attr]
                        yield Keeping(site, target, path(target), owner)


def _asks_own_registry(module: Module, owner: Scope, call: ast.Call) -> bool:
    """Whether a call asks a registry that each object of a class makes for itself, and that nobody else has."""
    func = call.func
    bindings = owner.attributes.get(func.attr, ()) if isinstance(func, ast.Attribute) else ()
    if len(bindings) != 1 or call.args or call.keywords or module.calls.callee(call).role is not Role.MANAGED:
        return False
    made = bindings[0].node
    if not isinstance(made, ast.Call) or module.calls.callee(made).role is not Role.REGISTRY_MAKER:
        return False
    from session_lint.analysis.uses import Asked  # noqa: PLC0415  (few classes have one)

    return not Asked(module, owner, call).may_close(func.attr)  # type: ignore[attr-defined]  # as it was asked


def _own(site: Site) -> bool:
    """Whether a session was opened here, on a connection of its own."""
    return site.kind is SiteKind.OWNED and not site.origin.borrowed


def _of_the_class(method: Scope) -> bool:
    """Whether what a method calls its own is the class, which lives as long as the process, as no test's does."""
    code = method.node
    if not isinstance(code, (ast.FunctionDef, ast.AsyncFunctionDef)) or code.name in _TEST_CLASSES:
        return False
    return code.name == "__new__" or any(path(decorator) == "classmethod" for decorator in code.decorator_list)


def made_at_import(module: Module, owner: Scope) -> list[tuple[Module, ast.Call, Scope]]:
    """The calls that make the objects of a class, where modules make all of them as they are loaded; else none.

    These live as long as the process.
    """
    assert isinstance(owner.node, ast.ClassDef)
    others = module.program.mentioning(module, owner.node.name)
    made = [
        (one, call, scope)
        for one in (module, *(others or ()))
        for call, scope in one.names.scopes.calls.items()
        if one.calls.callee(call).owner is owner.node
    ]
    lasting = others is not None and all(isinstance(one.code_of(scope), ast.Module) for one, _, scope in made)
    return made if lasting else []
