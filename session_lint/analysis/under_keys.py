"""Sessions under a key of the dictionary that a function returns: whether anybody may close one there.

``return {"db": SessionLocal()}`` is the context of a GraphQL server's requests, whose resolvers read
``info.context["db"]``. Whoever reads that key and closes anything may close the session.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis.holding import closes, releasing
from session_lint.analysis.inside import reads
from session_lint.python.nodes import own_of, path

if TYPE_CHECKING:
    from session_lint.analysis.module import Module
    from session_lint.analysis.state import Site


def left_under_key(module: Module, site: Site) -> bool:
    """Whether a code returns the session that it opens under a key, and nothing that reads the key closes anything."""
    keys = [_key(module, node) for node in reads(module, site)]
    found = {key for key in keys if key is not None}
    if len(found) != 1 or any(_closed(module, node) for node in reads(module, site)):
        return False
    (key,) = found
    others = module.program.saying(module, key)
    return others is not None and not any(_may_close(code, key) for home in (module, *others) for code, _ in home.codes)


def _key(module: Module, node: ast.AST) -> str | None:
    """The key under which something stands in the dictionary that a code returns."""
    above = module.parents[node]
    if not isinstance(above, ast.Dict) or not isinstance(module.parents[above], ast.Return):
        return None
    keys = (key for key, value in zip(above.keys, above.values, strict=True) if value is node)
    return next((k.value for k in keys if isinstance(k, ast.Constant) and isinstance(k.value, str)), None)


def _closed(module: Module, node: ast.AST) -> bool:
    above = module.parents[node]
    return isinstance(above, ast.Attribute) and closes(above.attr)


def _may_close(code: ast.AST, key: str) -> bool:
    """Whether a code reads a key of anything, and closes anything or enters it."""
    if not any(_reads(node, key) for node in own_of(code, ast.Subscript, ast.Call)):
        return False
    called = (node.func for node in own_of(code, ast.Call))
    named = (func.attr if isinstance(func, ast.Attribute) else path(func) for func in called)
    return bool(own_of(code, ast.withitem)) or any(map(releasing, named))


def _reads(node: ast.AST, key: str) -> bool:
    if isinstance(node, ast.Subscript):
        asked: ast.AST | None = node.slice
    else:
        assert isinstance(node, ast.Call)
        getting = isinstance(node.func, ast.Attribute) and node.func.attr in ("get", "pop") and node.args
        asked = node.args[0] if getting else None
    return isinstance(asked, ast.Constant) and asked.value == key
