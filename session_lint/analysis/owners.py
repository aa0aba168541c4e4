"""Classes that keep a session which they opened themselves, and that nobody closes.

A session in a field is owed by the class. Every use of the field in the project is looked at: what closes it, what
hands it to somebody who may, and what only uses it. Only where all of them only use it, nobody closes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from session_lint.analysis.state import SiteKind
from session_lint.analysis.uses import Uses
from session_lint.python.names import path
from session_lint.python.scopes import is_self

if TYPE_CHECKING:
    import ast
    from collections.abc import Iterator

    from session_lint.analysis.facts import ModuleFacts
    from session_lint.analysis.state import Site
    from session_lint.python.scopes import Scope


@dataclass(frozen=True, eq=False)
class Neglect:
    """A session that a class keeps open for good.

    :param site: where it is opened.
    :param kept: the target of the assignment that puts it into a field.
    :param owner: the class.
    """

    site: Site
    kept: ast.Attribute
    owner: ast.ClassDef


def neglected(facts: ModuleFacts) -> Iterator[Neglect]:
    """The sessions that classes of this module open, keep, and never close, in the order of the text."""
    found: dict[Site, Neglect] = {}
    for site, target, owner in kept(facts):
        assert facts.module is not None
        if site not in found and not Uses(facts.module, owner).may_close(target.attr):
            found[site] = Neglect(site, target, owner.node)  # type: ignore[arg-type]  # the scope of a class
    yield from sorted(found.values(), key=lambda one: (one.site.node.lineno, one.site.node.col_offset))  # type: ignore[attr-defined]


def kept(facts: ModuleFacts) -> Iterator[tuple[Site, ast.Attribute, Scope]]:
    """Each session that a method puts into a field of its object, with the field and the class."""
    for solved in facts.solved:
        scope = facts.scope(solved.code)
        owner = scope.parent
        if owner is None or not owner.is_class:
            continue
        for fact in solved.exits:
            if fact.site is None or fact.site.kind is not SiteKind.OWNED or fact.site.origin.borrowed:
                continue
            for mark in fact.marked("kept"):
                own, _, field = path(mark.node).partition(".") if mark.node is not None else ("", "", "")
                if field and "." not in field and is_self(scope, own):
                    yield fact.site, mark.node, owner  # type: ignore[misc]  # a path with a dot is an attribute
