"""Which code that removes a registry's session may do so for others: hooks, teardowns, wrappers, not one's own end.

A task that removes in its ``finally`` ends its own work and nobody else's, and so does a script. What cannot be
followed may be a hook: a function that nobody calls and that only removes, one that is named without being called,
one whose decorators or base classes nobody has read, and one that runs what it was given.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis.requests import ROUTES
from session_lint.analysis.summaries import is_generator
from session_lint.python.nodes import is_super, path
from session_lint.python.scopes import BindingKind, below
from session_lint.python.words import word
from session_lint.vocabulary import effects

if TYPE_CHECKING:
    from session_lint.analysis.module import Module
    from session_lint.python.scopes import FunctionNode, Scope

_DEEPEST = 3
_WORKING = ("read", "write", "build", "flush")
"""The effects of methods that one calls for what they do, not to end something."""
_PLAIN = ("staticmethod", "classmethod")


def may_serve(home: Module, call: ast.Call) -> bool:
    """Whether a call of a module that removes may run after functions that are not seen to lead to it."""
    return _may_hook(home, home.code_of(home.calls.scope(call)), 0)


def _may_hook(home: Module, code: ast.AST, depth: int) -> bool:
    """Whether a code may run at the end of what others do: a hook, a wrapper, or what one of these calls."""
    if isinstance(code, ast.Module):
        return False
    if not isinstance(code, (ast.FunctionDef, ast.AsyncFunctionDef)) or depth > _DEEPEST:
        return True
    scope = home.names.scopes.of[code]
    if (
        is_generator(code)
        or scope.parent is None
        or not (scope.parent.is_class or scope.parent is home.names.scopes.module)
    ):
        return True
    calls = home.calls_in(code)
    if any(_runs_given(home, one, scope) for one in calls):
        return True
    if _is_job(home, code, scope):
        return False
    if any(path(decorator) not in _PLAIN for decorator in code.decorator_list) or _overrides(home, code, scope):
        return True
    if any(_asks_given(home, one, scope) for one in calls):
        return True
    callers = home.program.callers(home, code)
    if callers is None or not (callers or _works(home, code)) or _is_named(home, code):
        return True
    return any(_may_hook(other, caller, depth + 1) for other, caller in callers)


def _overrides(home: Module, code: FunctionNode, scope: Scope) -> bool:
    """Whether a method may be called by code that nobody has read, or that cannot be followed."""
    owner = scope.parent.node if scope.parent is not None else None
    return isinstance(owner, ast.ClassDef) and bool(owner.bases or home.program.called_blindly(home, code))


def _works(home: Module, code: ast.AST) -> bool:
    """Whether a code asks a registry's session something, or writes by it: it does not only end what others did."""
    known = effects()
    mine = (one for one in home.program.facts(home).borrowed if one.code is code and one.managed)
    methods = (use.func.attr for one in mine for use in one.uses if isinstance(use.func, ast.Attribute))
    return any(known[method].effect in _WORKING for method in methods)


def _is_job(home: Module, code: FunctionNode, scope: Scope) -> bool:
    """Whether a function is surely run by itself, for its own sake: a task, a view, a thread."""
    found = run_by(home, code)
    if found is None or found[0] != "request":
        return found is not None
    decorators = [d.func if isinstance(d, ast.Call) else d for d in code.decorator_list]
    method = scope.parent is not None and scope.parent.is_class and code.name in ROUTES
    return method or any(word(decorator) in ROUTES for decorator in decorators)


def run_by(module: Module, code: ast.AST) -> tuple[str, ast.AST] | None:
    """What runs a function by itself (``thread``, ``process``, ``request``), and where one sees that."""
    if not isinstance(code, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return None
    if code in module.handlers:
        return "request", code
    scope = module.names.scopes.of[code]
    for decorator in code.decorator_list:
        target = decorator.func if isinstance(decorator, ast.Call) else decorator
        found = module.calls.meaning(module.names.qualify(target, scope.parent or scope))
        if found is not None and found.runs in ("process", "thread"):
            return found.runs, code
    owner = scope.parent
    if code.name == "run" and owner is not None and owner.is_class and _is_thread(module, owner):
        return "thread", owner.node
    return _started(module, code)


def _is_thread(module: Module, owner: Scope) -> bool:
    """Whether a class is one of threads, which run its ``run``."""
    meanings = map(module.calls.vocabulary.meaning, module.names.bases(owner))
    return any(meaning is not None and meaning.runs == "thread" for meaning in meanings)


def _started(module: Module, code: FunctionNode) -> tuple[str, ast.AST] | None:
    """The call that starts a thread with a function."""
    for home in (module, *module.program.threading(module, code.name)):
        if code in home.threads:
            return "thread", home.threads[code]
    return None


def _runs_given(home: Module, call: ast.Call, scope: Scope) -> bool:
    """Whether a call runs what the code has been given, or has looked up: ``function()``, ``jobs[name]()``."""
    func, callee = call.func, home.calls.callee(call)
    if callee.function is not None or callee.meaning is not None or callee.owner is not None:
        return False
    if isinstance(func, ast.Name):
        return any(b.kind is not BindingKind.IMPORT for b in scope.bindings.get(func.id, ()))
    if isinstance(func, ast.Attribute):
        return is_super(func.value)
    return not callee.known


def _asks_given(home: Module, call: ast.Call, scope: Scope) -> bool:
    """Whether a call is of a method of what the code has been given, that nobody has read: ``self.app(request)``."""
    callee = home.calls.callee(call)
    if callee.function is not None or callee.meaning is not None or callee.effect is not None:
        return False
    bindings = scope.bindings.get(path(call.func).partition(".")[0], ())
    return any(b.kind is BindingKind.PARAMETER for b in bindings)


def _is_named(home: Module, code: FunctionNode) -> bool:
    """Whether a function stands for itself somewhere, without being called: somebody may register it."""
    others = home.program.mentioning(home, code.name)
    if others is None:
        return True
    for module in (home, *others):
        called = module.names.scopes.called
        words = module.names.aliases(code.name)
        nodes = (n for n in below(module.names.scopes.module.node) if isinstance(n, (ast.Name, ast.Attribute)))
        if any(isinstance(n.ctx, ast.Load) and word(n) in words and n not in called for n in nodes):
            return True
    return False
