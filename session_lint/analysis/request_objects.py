"""Objects that open a session for themselves, and that are put into the context of a request: ``g.db = Database()``."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis.lasting_objects import closing_when_asked, runs_when_made
from session_lint.analysis.owners import kept
from session_lint.analysis.places import is_test
from session_lint.analysis.teardowns import Opened, after_requests, is_request_field
from session_lint.python.nodes import assigned_at, path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.analysis.facts import ModuleFacts
    from session_lint.analysis.module import Module
    from session_lint.python.scopes import Scope

_BY_ITSELF = ("__exit__", "__aexit__", "__del__")
"""Methods that nobody calls by their names: one of an object that is let go of, or entered somewhere, may close."""


def in_request_objects(facts: ModuleFacts) -> Iterator[Opened]:
    """The sessions of such objects of this module's classes, which could close them, and that no teardown asks to."""
    module = facts.module
    for one in kept(facts) if module is not None else ():
        assert module is not None
        if not isinstance(one.site.node, ast.Call) or not runs_when_made(one):
            continue
        asked = closing_when_asked(module, one)
        found = _in_context(module, one.owner) if asked and asked.isdisjoint(_BY_ITSELF) else None
        if found is not None:
            home, target = found
            after = after_requests(home, target.attr)
            if after is not None:
                yield Opened(one.site, one.site.code, target, path(target), after[0] if after else None)


def _in_context(module: Module, owner: Scope) -> tuple[Module, ast.Attribute] | None:
    """Where an object of a class is made and put into the context of a request."""
    assert isinstance(owner.node, ast.ClassDef)
    for home in (module, *(module.program.mentioning(module, owner.node.name) or ())):
        for call, scope in home.names.scopes.calls.items() if not is_test(home.source.filename) else ():
            given = assigned_at(home.parents[call]) if home.calls.callee(call).owner is owner.node else None
            for target in given.targets if given is not None else ():
                if isinstance(target, ast.Attribute) and is_request_field(home, target, scope):
                    return home, target
    return None
