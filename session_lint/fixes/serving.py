"""What can be offered where requests are served: their own session for the global one, a teardown that closes it."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from session_lint.finding import Applicability, Fix
from session_lint.fixes.elsewhere import taken
from session_lint.python.nodes import path
from session_lint.python.scopes import BindingKind

if TYPE_CHECKING:
    from session_lint.analysis import ModuleFacts
    from session_lint.analysis.module import Module
    from session_lint.analysis.requests import GlobalUse
    from session_lint.analysis.teardowns import Opened

_GETTER = "database.session.get_session"
_HOOKS = {"flask.Flask()": "teardown_appcontext", "flask.Blueprint()": "teardown_app_request"}


def own_session(facts: ModuleFacts, use: GlobalUse) -> dict[str, Any]:
    """What a finding about the global session in a request says of its cure: ``fix``, or ``refusal``."""
    module, call = facts.module, use.node
    assert module is not None
    if not isinstance(call, ast.Call) or call not in module.calls:
        return {
            "refusal": "the framework calls the getter itself: give it a dependency that opens and closes a session"
        }
    meaning = module.calls.callee(call).meaning
    if meaning is None or meaning.closer != "database.session.close_global_session":
        return {"refusal": "open a session for each request, and close it when the request ends"}
    flask, getter = _row(module, "flask"), _row(module, "", path(call.func))
    if not flask or not getter:
        return {
            "refusal": "use `g.db` of `database.flask`, where `flask` and the getter are imported by `from … import`"
        }
    start, end = facts.source.start(call), facts.source.end(call)
    plan = (
        ("start", (start.row, start.column)),
        ("end", (end.row, end.column)),
        ("flask", flask),
        ("beside", getter),
        ("getter", "" if taken(module, path(call.func)) else path(call.func)),
    )
    reason = "`init_app(app)` of `database.flask` has to be called where the application is made, and closes `g.db`"
    return {"fix": Fix(Applicability.UNSAFE, "Use the request's own session", "to_request_session", plan, reason)}


def _row(module: Module, home: str, name: str = "") -> int:
    """The row of the ``from … import`` at the module's top that is from a module, or binds a name; 0 for none."""
    tree = module.names.scopes.module.node
    for node in getattr(tree, "body", ()):
        if isinstance(node, ast.ImportFrom) and not node.level:
            bound = {alias.asname or alias.name for alias in node.names}
            if (home and node.module == home) or (name and name in bound):
                return node.lineno
    return 0


def teardown(facts: ModuleFacts, one: Opened) -> dict[str, Any]:
    """What a finding about a request's session that nobody closes says of its cure: ``fix``, or ``refusal``."""
    module = facts.module
    assert module is not None
    top = module.names.scopes.module
    if one.after is not None:
        return {"refusal": "make the after_request hook a teardown, which runs whatever happens"}
    context, _, field = one.field.rpartition(".")
    if context.rpartition(".")[2] in ("ctx", "state"):
        return {"refusal": "close it where the response has been made, in a `finally` around the rest of the request"}
    for name, bindings in top.bindings.items():
        values = all(b.kind is BindingKind.VALUE for b in bindings)
        known = {_HOOKS.get(n) for n in module.names.qualify(ast.Name(name, ast.Load()), top)} if values else set()
        hook = known.pop() if len(known) == 1 else None
        if hook is not None and f"close_{field}" not in top.bindings and context in top.bindings:
            plan = (
                ("owner", name),
                ("hook", hook),
                ("function", f"close_{field}"),
                ("context", context),
                ("field", field),
            )
            reason = "who keeps objects of the request's session beyond the request will find them detached"
            return {"fix": Fix(Applicability.UNSAFE, "Close it in a teardown", "add_teardown", plan, reason)}
    return {"refusal": "the application is not made in this module: register a teardown there that closes it"}
