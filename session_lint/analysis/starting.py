"""Sessions that a web application gets when it is made or started, and keeps for all its requests.

::

    app = Flask(__name__)
    app.session = Session()  # in the function that makes the application
    app.state.db = SessionLocal()  # in its lifespan, or what it runs at its start
    app["db"] = Session(engine)

Whoever handles a request reads it off the application from then on, in whichever thread or task.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis.holding import closes
from session_lint.analysis.kept_elsewhere import put_there
from session_lint.analysis.makers import makers
from session_lint.analysis.places import is_test
from session_lint.analysis.standing import Standing, opens
from session_lint.python.nodes import own_of, path
from session_lint.python.scopes import key_of
from session_lint.python.words import word

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.analysis.makers import Made
    from session_lint.analysis.module import Module
    from session_lint.python.scopes import Scope

APPLICATIONS = frozenset(
    {
        "aiohttp.web.Application",
        "fastapi.FastAPI",
        "flask.Flask",
        "litestar.Litestar",
        "quart.Quart",
        "sanic.Sanic",
        "starlette.applications.Starlette",
    }
)
"""The classes of which a process has one object, for all requests that it serves."""
_WORDS = frozenset(name.rpartition(".")[2] for name in APPLICATIONS)
_PASSED = ("app", "application", "current_app")
"""What an application is called where it is not in a variable of one's own."""


def makes_application(module: Module, code: ast.AST) -> bool:
    """Whether a function makes an application: a process calls it once."""
    calls = (c for c in own_of(code, ast.Call) if word(c.func) in _WORDS and c in module.calls)
    return any(_are_of_application(module, frozenset(f"{n}()" for n in module.calls.callee(c).names)) for c in calls)


def _are_of_application(module: Module, names: frozenset[str]) -> bool:
    made = {module.calls.vocabulary.canonical(name.removesuffix("()")) for name in names if name.endswith("()")}
    return bool(names) and len(made) == len(names) and made <= APPLICATIONS


def at_start(module: Module) -> Iterator[Standing]:
    """Every session that a function puts into an application, or into its state, and which others use from there."""
    scopes = module.names.scopes
    for owner, binding in (*((target.value, b) for target, b in scopes.fields), *scopes.items):
        call, code = binding.node, module.code_of(binding.scope)
        if not isinstance(call, ast.Call) or isinstance(code, ast.Module):
            continue
        if not _is_of_application(module, owner, binding.scope) or code in module.handlers:
            continue
        target = _target(module, call)
        if target is None or not opens(module, call):
            continue
        user = _reader(module, code, target)
        if user is not None:
            yield Standing(call, ast.unparse(target), user, starting=True)


def _target(module: Module, call: ast.Call) -> ast.Attribute | ast.Subscript | None:
    """Where the value of a call is put, and nowhere else."""
    above = module.parents.get(call)
    targets = above.targets if isinstance(above, ast.Assign) else [getattr(above, "target", None)]
    if not isinstance(above, (ast.Assign, ast.AnnAssign)) or len(targets) != 1:
        return None
    target = targets[0]
    if isinstance(target, ast.Attribute) or (isinstance(target, ast.Subscript) and key_of(target)):
        return target
    return None


def _is_of_application(module: Module, owner: ast.expr, scope: Scope) -> bool:
    """Whether an expression is an application, or what that has to put things into: ``app.state``, ``app.ctx``."""
    around = [owner, *([owner.value] if isinstance(owner, ast.Attribute) else [])]
    return any(_are_of_application(module, module.names.qualify(node, scope)) for node in around if path(node))


def _reader(module: Module, code: ast.AST, target: ast.Attribute | ast.Subscript) -> ast.AST | None:
    """Another function that reads what stands in such a place, and not only to close it."""
    name = _name(target)
    kind = ast.Attribute if isinstance(target, ast.Attribute) else ast.Subscript
    known = {word(target.value), *(_PASSED if isinstance(target.value, ast.Name) else ())}
    for home in (module, *(module.program.mentioning(module, name) or ())):
        other: ast.AST
        for other, _ in home.codes if not is_test(home.source.filename) else ():
            looked = other is not code and not isinstance(other, ast.Module)
            for node in own_of(other, ast.Attribute, ast.Subscript) if looked else ():
                same = isinstance(node, kind) and _name(node) == name and word(node.value) in known
                if same and isinstance(node.ctx, ast.Load) and not _is_closed(home, node):
                    return other
    return None


def _name(place: ast.AST) -> str:
    return key_of(place) or (place.attr if isinstance(place, ast.Attribute) else "")


def _is_closed(home: Module, node: ast.AST) -> bool:
    above = home.parents.get(node)
    return isinstance(above, ast.Attribute) and closes(above.attr)


def put_sessions(module: Module, node: ast.expr, scope: Scope) -> list[Made] | None:
    """What opens the sessions that the project puts where an expression reads of an object from outside.

    ``None`` where others may be there.
    """
    found: list[Made] = []
    for home, binding in put_there(module, node, scope):
        if not isinstance(binding.node, ast.Call) or not opens(home, binding.node):
            return None
        found += makers(home, binding.node, binding.scope)
    return found or None
