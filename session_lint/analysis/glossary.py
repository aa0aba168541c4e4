"""What the definitions of a module mean for sessions, in words that a user can check against the code."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis.decorating import passes
from session_lint.analysis.inference import scope_closing
from session_lint.analysis.owners import kept, nobody_closes
from session_lint.analysis.state import SiteKind, State
from session_lint.analysis.summaries import is_generator
from session_lint.flow import SolverLimit
from session_lint.python.scopes import BindingKind
from session_lint.values import dataclass
from session_lint.vocabulary import Role

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.analysis.facts import ModuleFacts
    from session_lint.analysis.module import Module
    from session_lint.python.scopes import FunctionNode, Scope
    from session_lint.vocabulary import Meaning


@dataclass(frozen=True)
class Entry:
    """One thing that the analysis knows of a module.

    :param name: the name, with the classes and functions around it, as it stands in the module.
    :param row: the line that defines it.
    :param role: what it is to a session: a role of the tables, or an opener, registry, dependency, decorator or owner.
    :param known: what that rests on.
    """

    name: str
    row: int
    role: str
    known: str


def glossary(facts: ModuleFacts) -> list[Entry]:
    """All that is known of a module's own definitions, in the order of the text."""
    module = facts.module
    if module is None:
        return []
    found = [*_variables(module), *_definitions(module), *_owners(facts)]
    return sorted(dict.fromkeys(found), key=lambda entry: (entry.row, entry.name, entry.role))


def _variables(module: Module) -> Iterator[Entry]:
    """The variables and fields that stand for something which makes sessions."""
    for scope in module.names.scopes.of.values():
        if not isinstance(scope.node, (ast.Module, ast.ClassDef)):
            continue
        bound = [(name, list(bindings)) for name, bindings in scope.bindings.items()]
        bound += [(f"self.{name}", list(bindings)) for name, bindings in scope.attributes.items()]
        for name, bindings in bound:
            values = [b for b in bindings if b.kind is BindingKind.VALUE]
            for binding in values[:1]:
                names = module.names.qualify(binding.node, binding.scope)
                role = _making(module, names)
                if role:
                    stands = " or ".join(sorted(names))
                    yield Entry(_named(scope, name), binding.node.lineno, role, f"stands for {stands}")  # type: ignore[attr-defined]


def _making(module: Module, names: frozenset[str]) -> str:
    """The role of what goes by some names, where it makes sessions; empty where it does not."""
    meaning = module.calls.meaning(names)
    if meaning is not None and meaning.role in (Role.FACTORY, Role.FACTORY_MAKER):
        return str(meaning.role.value)
    maker = module.calls.meaning(frozenset(name.removesuffix("()") for name in names if name.endswith("()")))
    return "registry" if maker is not None and maker.role is Role.REGISTRY_MAKER else ""


def _definitions(module: Module) -> Iterator[Entry]:
    """The functions and classes that make, lend, keep or close sessions."""
    for name, node in module.names.definitions.items():
        scope = module.names.scopes.of[node]
        try:
            if isinstance(node, ast.ClassDef):
                told = _class(module, name, node)
            elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                told = _function(module, name, node)
            else:
                told = None
        except SolverLimit:
            told = None
        if told is not None:
            yield Entry(scope.path, node.lineno, *told)  # type: ignore[union-attr]  # no module is defined in one


def _class(module: Module, name: str, node: ast.ClassDef) -> tuple[str, str] | None:
    if module.calls.meaning_of_class(module.names, node) is not None:
        return Role.FACTORY.value, "its bases are sessions"
    meaning = module.inferred(name)
    return (Role.SCOPE.value, f"gives a session when it is entered; {_ending(meaning)}") if meaning else None


def _function(module: Module, name: str, node: FunctionNode) -> tuple[str, str] | None:
    meaning = module.inferred(name)
    if meaning is not None and meaning.role is Role.SCOPE:
        return Role.SCOPE.value, f"yields a session; {_ending(meaning, scope_closing(module, node))}"
    if meaning is not None and meaning.role is Role.SINGLETON:
        return Role.SINGLETON.value, f"keeps one session for the process, in {meaning.closes}"
    if meaning is not None:
        return Role.CLOSER.value, f"closes the session in {meaning.closes}"
    if is_generator(node):
        yielded = module.generator_scope(node)
        ending = _ending(yielded, module.as_scope(node, scope_closing)) if yielded is not None else ""
        return ("dependency", f"yields a session; {ending}") if ending else None
    lent = passes(module, node)
    if lent:
        commits = "commits it" if all(one.commits for one in lent) else "does not commit it on every way"
        return "decorator", f"passes a session to the function that it is put on, and {commits}"
    fresh = [
        o for site, o in module.summaries.fresh(node) if site.kind is SiteKind.OWNED and o.state is not State.CLOSED
    ]
    return ("opener", "returns a session that its caller has to close") if fresh else None


def _ending(meaning: Meaning, closing: tuple[bool, bool] = (True, True)) -> str:
    commits = "commits at its end" if meaning.commits else "does not commit"
    closes = {(True, True): "closes it", (True, False): "closes it, but not when something raises"}
    return f"{commits}, {closes.get(closing, 'does not close it on every way')}"


def _owners(facts: ModuleFacts) -> Iterator[Entry]:
    """The classes that keep a session which they opened."""
    for one in kept(facts):
        assert facts.module is not None
        fate = "which nothing closes" if nobody_closes(facts.module, one) else "which something closes, or may"
        yield Entry(one.owner.path, one.owner.node.lineno, "owner", f"keeps a session in {one.field}, {fate}")  # type: ignore[union-attr]


def _named(scope: Scope, name: str) -> str:
    return f"{scope.path}.{name.removeprefix('self.')}" if scope.path else name
