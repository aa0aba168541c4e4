"""The uses of a field that holds a session, all over the project: whether one of them closes it, or may."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis.arguments import bind
from session_lint.analysis.calls import foreign
from session_lint.analysis.escapes import BY_NAME
from session_lint.analysis.family import family
from session_lint.analysis.holding import closes, releasing
from session_lint.analysis.state import State
from session_lint.python.nodes import assigned_at, own_nodes
from session_lint.python.remembered import remembered
from session_lint.python.scopes import below, children, is_self
from session_lint.python.words import word
from session_lint.vocabulary import Role

_READING = tuple(name for name in BY_NAME if name != "hasattr")
"""What gives the value of a field whose name it gets as text; whether there is one tells nobody its value."""

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from session_lint.analysis.calls import Callee
    from session_lint.analysis.module import Module
    from session_lint.python.scopes import FunctionNode, Scope

_DEEPEST = 3
"""How often a session is followed from a field through functions that return it."""
_HARMLESS = (
    ast.Compare, ast.UnaryOp, ast.If, ast.While, ast.Assert, ast.Expr, ast.FormattedValue, ast.Delete, ast.For,
    ast.AsyncFor, ast.comprehension, ast.Subscript,
)  # fmt: skip
"""What is done with a session that leaves it where it is."""
_TAKING = (Role.TAKES, Role.CLOSING, Role.CLOSER)
_STORING = ("append", "add", "appendleft", "put", "put_nowait", "insert", "setdefault", "extend", "push", "register")
_ENTERING = ("__enter__", "__aenter__")
_WHOLESALE = "close_all"
"""In a project that holds this, sessions are closed without being named."""


class Uses:
    """The uses of the fields of a class.

    :param module: the module that defines it.
    :param owner: its scope; ``None`` where the class is not known, so that any object may be of it.
    """

    def __init__(self, module: Module, owner: Scope | None) -> None:
        self.module = module
        self.owner = owner

    def may_close(self, field: str, depth: int = 0) -> bool:
        """Whether somebody closes what a field of the class holds, or has it who may."""
        if depth > _DEEPEST or self._in(self.module, field, depth):
            return True
        others = self.module.program.mentioning(self.module, f".{field}")
        return others is None or self._wholesale or any(self._in(other, field, depth) for other in others)

    def kept_elsewhere(self, target: ast.expr) -> bool:
        """Whether a method lets go of what it puts into a field by another name that it has for it."""
        above = self.module.parents[target]
        given = assigned_at(above)
        if given is None:
            return False
        values = [*given.targets, given.value]
        names = {n.id for value in values for n in (value, getattr(value, "target", None)) if isinstance(n, ast.Name)}
        fields = [t for t in given.targets if t is not target and not isinstance(t, ast.Name)]
        code = code_around(self.module, above)
        return bool(fields) or any(self._variable(self.module, n, code, 0, beside=[given.value]) for n in names)

    def any_may_close(self, nodes: Collection[ast.AST]) -> bool:
        """Whether one of some expressions of the module that stand for the session stands where that is let go of."""
        return any(self._lets_go(self.module, node, 0) for node in nodes)

    def result_may_close(self, method: FunctionNode) -> bool:
        """Whether somebody closes what a method or property of the class returns, or has it who may."""
        return self._wholesale or self._result_may_close(method, 0)

    @property
    def _wholesale(self) -> bool:
        """Whether sessions are closed without being named, somewhere in the project."""
        return _WHOLESALE in self.module.source.text or self.module.program.saying(self.module, _WHOLESALE) != []

    def _in(self, module: Module, field: str, depth: int) -> bool:
        """Whether a use in one module does."""
        tree = module.names.scopes.module.node
        for node in _all_nodes(tree):
            if isinstance(node, ast.Call) and word(node.func) in _READING and _names(node, field):
                return True
            if not isinstance(node, ast.Attribute) or node.attr != field or not isinstance(node.ctx, ast.Load):
                continue
            if self._ours(module, node) and self._lets_go(module, node, depth):
                return True
        return False

    # whose field it is

    def _ours(self, module: Module, node: ast.Attribute) -> bool:
        """Whether it may be the field of an object of the class."""
        scope = _scope(module, node)
        if isinstance(node.value, ast.Name) and is_self(scope, node.value.id) and scope.parent is not None:
            return self._related(module, scope.parent, node.attr)
        names = module.names.qualify(node.value, scope)
        if names and all(name.count(".") == 1 and foreign(name) for name in names):
            return False  # an object of a library's own: flask.g
        owners = [module.names.class_of(name) for name in names]
        if not owners:
            return True
        return any(o is None or self._related(module.program.module(o[0]), o[1], node.attr) for o in owners)

    def _related(self, module: Module, other: Scope, field: str) -> bool:
        """Whether an object may belong to both classes; a class that does not know the field is mixed into others."""
        if self.owner is None or not other.is_class:
            return True
        mine = [scope for _, scope in family(self.module, self.owner)]
        theirs = [scope for _, scope in family(module, other)]
        known = any(field in scope.attributes or field in scope.bindings for scope in theirs)
        return not known or other in mine or self.owner in theirs

    # what becomes of it

    def _lets_go(self, module: Module, node: ast.AST, depth: int) -> bool:
        """Whether the place where an expression with the session stands closes it, or hands it to somebody who may."""
        above = module.parents[node]
        if isinstance(above, ast.Attribute):
            return closes(above.attr)
        if isinstance(above, (ast.Await, ast.BoolOp)):
            return self._lets_go(module, above, depth)
        if isinstance(above, ast.IfExp):
            return above.test is not node and self._lets_go(module, above, depth)
        if isinstance(above, ast.keyword):
            return self._passed(module, module.parents[above], node, depth)
        if (
            isinstance(above, ast.Call) and above.func is node
        ):  # no session can be called: it is something else's method
            own = (
                isinstance(node, ast.Attribute) and module.names.own_class(node.value, _scope(module, node)) is not None
            )
            return own or not isinstance(node, ast.Attribute)
        if isinstance(above, ast.Call):
            return self._passed(module, above, node, depth)
        if isinstance(above, ast.NamedExpr):
            return self._lets_go(module, above, depth) or self._bound(module, above.target, depth)
        if isinstance(above, (ast.Assign, ast.AnnAssign)):
            targets = above.targets if isinstance(above, ast.Assign) else [above.target]
            return any(self._bound(module, target, depth) for target in targets)
        if isinstance(above, ast.Return):
            return self._returned(module, code_around(module, node), depth)
        return not isinstance(above, _HARMLESS)

    def _bound(self, module: Module, target: ast.expr, depth: int) -> bool:
        """Whether a variable that holds it now lets go of it."""
        if not isinstance(target, ast.Name):
            return True
        return self._variable(module, target.id, code_around(module, target), depth)

    def _variable(self, module: Module, name: str, code: ast.AST, depth: int, beside: Collection[ast.AST] = ()) -> bool:
        """Whether a read of a variable lets go of what it holds; ``beside`` are reads that are known not to."""
        own = {n for n in own_nodes(code) if isinstance(n, ast.Name)}
        reads = [n for n in below(code) if isinstance(n, ast.Name) and n.id == name and n not in beside]
        return any(
            node not in own or self._lets_go(module, node, depth) for node in reads if isinstance(node.ctx, ast.Load)
        )

    def _returned(self, module: Module, code: ast.AST, depth: int) -> bool:
        """Whether those who get it from a method let go of it."""
        scope = module.names.scopes.of[code]
        if not isinstance(code, (ast.FunctionDef, ast.AsyncFunctionDef)) or scope.parent is None:
            return True
        if code.name in _ENTERING:
            return self._entered_may_close(depth + 1)
        plain = (not code.decorator_list or reads_as_field(code)) and not code.name.startswith(
            "__"
        )  # these Python calls
        return not plain or not scope.parent.is_class or self._result_may_close(code, depth + 1)

    def _entered_may_close(self, depth: int) -> bool:
        """Whether a ``with`` over an object of the class lets go of what that gives, or somebody else has the class."""
        owner = self.owner.node if self.owner is not None else None
        others = self.module.program.mentioning(self.module, owner.name) if isinstance(owner, ast.ClassDef) else None
        if not isinstance(owner, ast.ClassDef) or others is None or depth > _DEEPEST:
            return True
        uses = [(one, node) for one in (self.module, *others) for node in _mentions(one, owner)]
        return not uses or any(self._enters(module, node, depth) for module, node in uses)

    def _enters(self, module: Module, node: ast.expr, depth: int) -> bool:
        """Whether a mention of the class is anything but ``with Class() as name``, or what is done with the name."""
        call = module.parents[node]
        item = module.parents[call]
        if not isinstance(call, ast.Call) or call.func is not node or not isinstance(item, ast.withitem):
            return True
        if item.optional_vars is None:
            return False
        return item.context_expr is not call or self._bound(module, item.optional_vars, depth)

    def _result_may_close(self, method: FunctionNode, depth: int) -> bool:
        """The same of what a method or property of the class returns."""
        if depth > _DEEPEST:
            return True
        others = self.module.program.mentioning(self.module, f".{method.name}")
        if others is None:
            return True
        return any(self._result_in(module, method, depth) for module in (self.module, *others))

    def _result_in(self, module: Module, method: FunctionNode, depth: int) -> bool:
        for node in _all_nodes(module.names.scopes.module.node):
            if not isinstance(node, ast.Attribute) or node.attr != method.name or not isinstance(node.ctx, ast.Load):
                continue
            above = module.parents[node]
            called = isinstance(above, ast.Call) and above.func is node
            if not called and not reads_as_field(method):
                return True  # the method itself is handed on
            if self._ours(module, node) and self._lets_go(module, above if called else node, depth):
                return True
        return False

    def _passed(self, module: Module, call: ast.AST, node: ast.AST, depth: int) -> bool:
        """Whether what a call gets it for closes or keeps it."""
        if not isinstance(call, ast.Call):
            return True  # an argument of a class statement
        callee = module.calls.callee(call)
        if callee.role in (Role.TRANSPARENT, Role.SAME):
            return self._lets_go(module, call, depth)
        if callee.meaning is not None:
            return callee.role in _TAKING
        if callee.name == "getattr":
            return _may_name_closer(call)
        if callee.function is not None:
            return self._by_summary(module, call, callee, node, depth)
        if callee.owner is not None and callee.home is not None:
            return closes_something(module.program.module(callee.home), callee.home.scopes.of[callee.owner])
        named = isinstance(call.func, (ast.Name, ast.Attribute))
        anybody = not named or (not callee.known and callee.raises != "")  # a callback, a method of who knows what
        return anybody or callee.name in ("__init__", *_STORING) or releasing(callee.name)

    def _by_summary(self, module: Module, call: ast.Call, callee: Callee, node: ast.AST, depth: int) -> bool:
        assert callee.function is not None
        passed = bind(call, callee.function, bound=callee.bound).items()
        names = [name for name, argument in passed if argument is node]
        ways = module.at(callee).summaries.parameter(callee.function, *names) if names else ()
        if not ways or any(way.state in (State.CLOSED, State.GIVEN) for way in ways):
            return True
        return any(way.returned for way in ways) and self._lets_go(module, call, depth)


class Asked(Uses):
    """The uses of a field that holds a registry: whether one of them removes its session, or has it who may.

    :param asking: the call that asks it for the session.
    """

    def __init__(self, module: Module, owner: Scope, asking: ast.Call) -> None:
        super().__init__(module, owner)
        self._asking = asking

    def _lets_go(self, module: Module, node: ast.AST, depth: int) -> bool:  # noqa: ARG002  (it goes nowhere unseen)
        above = module.parents[node]
        return closes(above.attr) if isinstance(above, ast.Attribute) else above is not self._asking


def _mentions(module: Module, owner: ast.ClassDef) -> Iterator[ast.expr]:
    """The places of a module where a class is named, and what may be one of that name."""
    for node in _all_nodes(module.names.scopes.module.node):
        if isinstance(node, (ast.Name, ast.Attribute)) and word(node) == owner.name and isinstance(node.ctx, ast.Load):
            found = [module.names.class_of(name) for name in module.names.qualify(node, _scope(module, node))]
            if not found or any(one is None or one[1].node is owner for one in found):
                yield node


def closes_something(module: Module, owner: Scope) -> bool:
    """Whether a class, or one above it, calls anything that closes."""
    return any(_closes_something(scope.node) for _, scope in family(module, owner))


@remembered
def _closes_something(node: ast.AST) -> bool:
    """Whether the text of a class does."""
    return any(isinstance(n, ast.Attribute) and closes(n.attr) for n in below(node))


def reads_as_field(function: FunctionNode) -> bool:
    """Whether a method is called by reading a field, cached or not."""
    words = (d.attr if isinstance(d, ast.Attribute) else getattr(d, "id", "") for d in function.decorator_list)
    return any(word in ("property", "cached_property") for word in words)


def _names(call: ast.Call, field: str) -> bool:
    """Whether a call gets a field's name as text."""
    texts = (a.value for a in call.args if isinstance(a, ast.Constant))
    return any(isinstance(text, str) and field in text.split(".") for text in texts)


def _may_name_closer(call: ast.Call) -> bool:
    """Whether ``getattr(session, name)`` may be a method that closes."""
    name = call.args[1] if call.args[1:] else None
    return not isinstance(name, ast.Constant) or closes(str(name.value))


def _all_nodes(tree: ast.AST) -> Iterator[ast.AST]:
    todo = [tree]
    while todo:
        node = todo.pop()
        yield node
        todo += children(node)


def code_around(module: Module, node: ast.AST) -> ast.AST:
    """The function, lambda, class or module body that a node stands in."""
    node = module.parents[node]
    while node not in module.names.scopes.of:
        node = module.parents[node]
    return node


def _scope(module: Module, node: ast.AST) -> Scope:
    return module.names.scopes.of[code_around(module, node)]
