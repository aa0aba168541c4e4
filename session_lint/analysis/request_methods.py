"""Functions that Pyramid calls once for each request, whose result the request keeps: ``request.db``."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.python.nodes import own_nodes
from session_lint.python.words import word

if TYPE_CHECKING:
    from session_lint.analysis.module import Module
    from session_lint.python.scopes import FunctionNode

_ADDING = ("add_request_method", "set_request_property")
_AT_THE_END = ("add_finished_callback", "add_response_callback")
_MANAGERS = ("zope.sqlalchemy", "pyramid_tm", "add_tween")
"""Words of a project in which something may close what requests have."""


def kept_by_requests(module: Module, function: FunctionNode) -> list[ast.Call]:
    """Where Pyramid is told to call a function for what requests keep; nowhere, where something may close that."""
    if any(word(n.func) in _AT_THE_END for n in own_nodes(function) if isinstance(n, ast.Call)):
        return []
    others = module.program.mentioning(module, function.name)
    told = [
        (call, name)
        for home in (module, *(others or ()))
        for adding in _ADDING
        for call in home.calls_by_word.get(adding, ())
        if (name := _name(home, call, function))
    ]
    if not told or others is None or any(module.program.speaks_of(module, one) for one in _MANAGERS):
        return []
    ending = [f".{name}.{method}" for _, name in told for method in ("close", "remove")]
    texts = [module, *(home for end in ending for home in module.program.mentioning(module, end) or ())]
    return [] if any(end in home.source.text for home in texts for end in ending) else [call for call, _ in told]


def _name(home: Module, call: ast.Call, function: FunctionNode) -> str:
    """The field of a request by which what a function gives is known, where a call says so; empty for another one."""
    named = {k.arg: k.value for k in call.keywords}
    given = call.args[0] if call.args else named.get("callable")
    found = home.names.qualify(given, home.calls.scope(call)) if given is not None else frozenset[str]()
    if not any(one is not None and one[1] is function for one in map(home.names.definition, found)):
        return ""
    name = call.args[1] if len(call.args) > 1 else named.get("name")
    return name.value if isinstance(name, ast.Constant) and isinstance(name.value, str) else function.name
