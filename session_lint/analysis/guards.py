"""What a way has taught about the tests on it.

An *atom* is a test that keeps its outcome as long as its variables keep their values: ``own``,
``session is None``, ``mode == 'w'``. A fact carries the atoms that came out on its way, so that
``if own:`` at the end agrees with ``if own:`` at the start. Only atoms that can matter twice are kept:
those over variables that are tested again, or assigned and then tested.
"""

from __future__ import annotations

import ast
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING

from session_lint.analysis import kinds
from session_lint.analysis.holding import arguments
from session_lint.python.nodes import assigned_in, own_nodes, own_of, path, reading
from session_lint.python.remembered import remembered
from session_lint.python.scopes import below, children, parameters

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from session_lint.python.scopes import FunctionNode

Guards = frozenset[tuple[str, bool]]
Atom = tuple[str, bool]

_MOST_ASKED = 4
"""How many questions about its parameters a function may ask before its ways in are taken together."""
_LARGE = 2_000
"""How many nodes of its own a large function has: some 300 lines."""

BOUND = "bound? "
"""How the atoms begin that say whether a variable is there: no expression does."""
THERE = "__there__"
"""The field that stands for whether a field is there at all."""
_ASKING_FIELDS = ("hasattr", "getattr")
_OF_FIELD = 2
_WITH_DEFAULT = 3
"""How many arguments tell of a field, and what there is instead of it."""
VALUE = "__value_"
"""How the variables begin that stand for the values of calls."""

_FLIPPED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.NotEq: ast.Eq,
    ast.IsNot: ast.Is,
    ast.NotIn: ast.In,
    ast.GtE: ast.Lt,
    ast.LtE: ast.Gt,
}
_SIGN: dict[type[ast.cmpop], str] = {ast.Eq: "==", ast.Is: "is", ast.In: "in", ast.Lt: "<", ast.Gt: ">"}


@remembered
def atom(test: ast.expr) -> Atom | None:
    """A test's atom and the outcome that makes the test true; ``None`` for one that may change by itself."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        inner = atom(test.operand)
        return (inner[0], not inner[1]) if inner else None
    if isinstance(test, ast.NamedExpr):
        return (test.target.id, True)
    if name := path(test) or field_asked(test):
        return (name, True)
    if (kind := kinds.asked(test)) is not None:
        return (kinds.atom(path(kind[0]), kind[1]), kind[2]) if path(kind[0]) else None
    if isinstance(test, ast.Compare) and len(test.ops) == 1:
        return _comparison(field_read(test.left), test.ops[0], test.comparators[0])
    return None


def field_read(node: ast.expr) -> ast.expr:
    """The field that ``getattr(self, "session", None)`` reads; where it is not there, that is as good as ``None``."""
    asked = _field_asked(node, "getattr")
    nothing = asked and isinstance(last := node.args[-1], ast.Constant) and last.value is None  # type: ignore[attr-defined]
    return reading(asked) if nothing and len(node.args) == _WITH_DEFAULT else node  # type: ignore[attr-defined]  # a call


def field_asked(node: ast.AST) -> str:
    """The path by which a call asks for a field: what reads it, or stands for whether it is there; empty for none."""
    if not isinstance(node, ast.Call) or path(node.func) not in _ASKING_FIELDS:
        return ""
    asked = _field_asked(node, "hasattr")
    return f"{asked}.{THERE}" if asked else path(field_read(node))


def _field_asked(node: ast.expr, function: str) -> str:
    """The path of the field that a function is asked for by its name, if it is that function."""
    if not isinstance(node, ast.Call) or path(node.func) != function or len(node.args) < _OF_FIELD or node.keywords:
        return ""
    of, name = node.args[:_OF_FIELD]
    plain = isinstance(name, ast.Constant) and isinstance(name.value, str) and name.value.isidentifier()
    return f"{path(of)}.{name.value}" if plain and path(of) else ""  # type: ignore[attr-defined]  # see above


def _comparison(left: ast.expr, op: ast.cmpop, right: ast.expr) -> Atom | None:
    kind = _FLIPPED.get(type(op), type(op))
    if kind == ast.In and isinstance(left, ast.Constant) and _names_of_scope(right):
        return (BOUND + str(left.value), type(op) is kind)
    left = left.target if isinstance(left, ast.NamedExpr) else left
    if not _steady(left) or not _steady(right) or kind not in _SIGN:
        return None
    if kind is ast.Eq and isinstance(right, ast.Constant) and right.value is None:
        kind = ast.Is
    if kind in (ast.Is, ast.Eq) and isinstance(right, ast.Constant) and isinstance(right.value, bool):
        return (path(left), (type(op) is kind) == right.value) if path(left) else None
    return (f"{ast.unparse(left)} {_SIGN[kind]} {ast.unparse(right)}", type(op) is kind)


@remembered
def call_value(node: ast.expr) -> str:
    """The variable that stands for the value of a call until that is tested, bound or returned; else empty.

    No two calls end at one place.
    """
    call = node.value if isinstance(node, ast.Await) else node
    return f"{VALUE}{call.end_lineno}_{call.end_col_offset}__" if isinstance(call, ast.Call) else ""


def _atom_of_call(test: ast.expr) -> Atom | None:
    """The atom for a test of what a call has returned; only the callee can tell how it came out."""
    if (kind := kinds.asked(test)) is not None:
        return (kinds.atom(name, kind[1]), kind[2]) if (name := call_value(kind[0])) else None
    if name := call_value(test):
        return (name, True)
    if not isinstance(test, ast.Compare) or len(test.ops) != 1 or not (name := call_value(test.left)):
        return None
    found = _comparison(ast.Name(name), test.ops[0], test.comparators[0])
    return found if found is not None and variables(found[0]) == {name} else None


def _steady(node: ast.expr) -> bool:
    if isinstance(node, (ast.Tuple, ast.List, ast.Set)):
        return all(map(_steady, node.elts))
    return isinstance(node, ast.Constant) or bool(path(node))


def _names_of_scope(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("locals", "dir", "vars")


@cache
def variables(text: str) -> frozenset[str]:
    """The variables that an atom speaks of."""
    found = text.removeprefix(BOUND)
    return frozenset(n.id for n in below(ast.parse(found, mode="eval")) if isinstance(n, ast.Name))


def outcome(test: ast.expr, guards: Guards) -> bool | None:
    """Whether a test is true under what is known; ``None`` where that is not known."""
    if isinstance(test, ast.Constant):
        return bool(test.value)
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        inner = outcome(test.operand, guards)
        return None if inner is None else not inner
    if isinstance(test, ast.BoolOp):
        stop = isinstance(test.op, ast.Or)
        found = [outcome(value, guards) for value in test.values]
        if stop in found:
            return stop
        return None if None in found else not stop
    known = atom(test) or (_atom_of_call(test) if guards else None)
    if known is None:
        return None
    for value in (True, False):
        if (known[0], value) in guards:
            return value == known[1]
    told = kinds.follows(known[0], guards) if guards else None
    return None if told is None else told == known[1]


def assume(guards: Guards, text: str, value: bool, *, object_or_none: bool = False) -> Guards | None:  # noqa: FBT001
    """The guards with one more outcome, and what follows from it; ``None`` where it contradicts them.

    :param object_or_none: whether the atom is a variable that holds an object that is always true, or ``None``.
    """
    if (text, not value) in guards or kinds.follows(text, guards) is (not value):
        return None
    found = {(text, value)}
    if value and kinds.means_something(text):
        found.add((f"{text.partition(kinds.MARK)[0]} is None", False))
    if text.endswith(" is None") and value:
        found.add((text.removesuffix(" is None"), False))
    elif " " not in text and (value or object_or_none):
        found.add((f"{text} is None", not value))
    if any((other, not outcome_) in guards for other, outcome_ in found):
        return None
    return guards | found


def forget(guards: Guards, name: str) -> Guards:
    """The guards without all that speaks of a variable that got a new value."""
    if not guards:
        return guards
    return frozenset(g for g in guards if g[0] == BOUND + name or (name not in g[0]) or not _speaks(g[0], name))


def _speaks(text: str, name: str) -> bool:
    head, _, rest = name.partition(".")
    if rest:  # self.session: what is known of exactly that path, and of paths below it
        return any(
            word == name or word.startswith(f"{name}.") for word in text.replace("(", " ").replace(",", " ").split()
        )
    return head in variables(text)


def learned(name: str, value: ast.expr, guards: Guards) -> Iterator[Guards]:
    """The ways that ``name = value`` splits into: one where the value's truth is known, else two or none."""
    value = _chosen(value, guards)
    base = forget(guards, name)
    truth = outcome(value, guards)
    if isinstance(value, ast.Constant):
        yield base | {(name, bool(value.value)), (f"{name} is None", value.value is None)}
    elif known := path(field_read(value)) or call_value(value):
        copied = {(name + text[len(known) :], v) for text, v in guards if _is_about(text, known)}
        yield base | copied
    elif not isinstance(value, (ast.Compare, ast.UnaryOp, ast.BoolOp)):
        yield base
    elif truth is not None:
        yield base | {(name, truth)}
    else:
        yield from _split(name, value, guards)


def _is_about(text: str, name: str) -> bool:
    """Whether an atom is about a variable itself, and not about another one, too, or a field of it."""
    return text in (name, f"{name} is None") or text.startswith(name + kinds.MARK)


def _chosen(value: ast.expr, guards: Guards) -> ast.expr:
    """What a value is on a way: the side of ``a if own else b`` that was taken, the test in ``bool(session)``."""
    while isinstance(value, ast.IfExp) and (taken := outcome(value.test, guards)) is not None:
        value = value.body if taken else value.orelse
    return _truth(value) or value


@remembered
def _truth(value: ast.expr) -> ast.expr | None:
    """The test whose outcome ``bool(session)`` is."""
    if isinstance(value, ast.Call) and path(value.func) == "bool" and len(value.args) == 1:
        return ast.UnaryOp(ast.Not(), ast.UnaryOp(ast.Not(), value.args[0]))
    return None


def given_or_not(name: str, known: Guards, *, object_or_none: bool = False) -> list[Guards]:
    """The ways on which a variable is an object, ``None``, or something else that counts as nothing.

    Where another variable gets its value, tests of the two come out alike: ``given = session``.

    :param object_or_none: whether it holds no such thing, as a variable for sessions does not.
    """
    if any(_speaks(text, name) for text, _ in known):
        return [known]
    nothing = assume(known, name, False)
    ways = [assume(known, name, True), assume(known, f"{name} is None", True)]
    if nothing is not None and not object_or_none:
        ways.append(assume(nothing, f"{name} is None", False))
    return [way for way in ways if way is not None]


def _split(name: str, value: ast.expr, guards: Guards) -> Iterator[Guards]:
    last = value
    while isinstance(last, ast.BoolOp):
        last = last.values[-1]
    found = atom(last)
    if found is None or name in variables(found[0]):
        yield forget(guards, name)
        return
    for side in (True, False):
        assumed = assume(guards, found[0], side)
        if assumed is not None:
            truth = outcome(value, assumed)
            base = forget(assumed, name)
            yield base if truth is None else base | {(name, truth)}


@remembered
def required(code: ast.AST) -> frozenset[str]:
    """The parameters that a function must be given, never gives another value and never asks whether they are there."""
    if not isinstance(code, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return frozenset()
    positional = [*code.args.posonlyargs, *code.args.args]
    given = [*positional[: len(positional) - len(code.args.defaults)]]
    given += [a for a, default in zip(code.args.kwonlyargs, code.args.kw_defaults, strict=True) if default is None]
    plain = {
        a.arg
        for a in given
        if a.annotation is None or "None" not in (text := ast.unparse(a.annotation)) and "Optional" not in text
    }
    stored = {n.id for n in own_nodes(code) if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load)}
    asked = {name for n in own_of(code, *_TESTING) for test in _tests(n) for name in test}
    return frozenset(plain - stored - asked)


def present(name: str) -> Guards:
    """What is known of a variable that holds an object."""
    return frozenset({(name, True), (f"{name} is None", False)})


@remembered
def entries(function: FunctionNode) -> tuple[Guards, ...]:
    """The ways into a function that differ in parameters which it asks for and then gives another value.

    After ``if session is None: session = SessionLocal()`` nothing tells any more which of the two it was. In a large
    function only those count that may get a session, or that decide about closing one: each doubles what it costs.
    """
    given = {arg.arg for arg in parameters(function)} & _stored(function)
    if given and len(own_nodes(function)) > _LARGE:
        called = (n for n in assigned_in(function) if any(isinstance(v, ast.Call) for v in _parts(n.value)))
        given &= {path(target) for n in called for target in n.targets} | around_closing(function)
    asked = {atom(n)[0] for n in own_nodes(function) if isinstance(n, ast.expr) and atom(n)}  # type: ignore[index]
    texts = sorted(t for p in given for t in (p, f"{p} is None") if t in asked)
    ways: list[Guards] = [frozenset()]
    for text in texts if len(texts) <= _MOST_ASKED else ():
        ways = [found for way in ways for value in (True, False) if (found := assume(way, text, value)) is not None]
    return tuple(ways)


def _parts(value: ast.expr) -> Iterator[ast.expr]:
    """What a value may be: each side of ``a or b`` and of ``a if c else b``, what is awaited."""
    if isinstance(value, ast.BoolOp):
        yield from (part for side in value.values for part in _parts(side))
    elif isinstance(value, ast.IfExp):
        yield from (*_parts(value.body), *_parts(value.orelse))
    else:
        yield value.value if isinstance(value, ast.Await) else value


def relevant(
    code: ast.AST, passed: Callable[[], Iterable[str]], flags: Collection[str] = frozenset()
) -> frozenset[str]:
    """The variables of a code whose tests can matter twice; a function inside it may ask again.

    :param passed: the variables that it passes to functions which ask.
    :param flags: those whose values tell its caller something.
    """
    everywhere = below(code) if isinstance(code, (ast.FunctionDef, ast.AsyncFunctionDef)) else own_of(code, *_TESTING)
    tested = Counter(name for node in everywhere for test in _tests(node) for name in test)
    stored = _stored(code)
    if not isinstance(code, (ast.Module, ast.ClassDef)):
        stored |= {arg.arg for arg in parameters(code)}  # type: ignore[arg-type]  # a function, by now
    tested.update(passed() if tested or _keeps_flag(code) else ())
    found = {name for name, times in tested.items() if name in stored or times > 1}
    sources = _sources(code)
    for name in (*found, *flags):
        found |= sources.get(name, set())
    return frozenset(found)


def of_parameters(function: FunctionNode, known: Guards, *others: str) -> Guards:
    """What of the tests that came out somehow is about one parameter that keeps the value it was called with.

    Or about a field of one: ``self.session is None``.

    :param others: variables that count as well.
    """
    fixed = {arg.arg for arg in parameters(function)} - _stored(function) | {*others}
    return frozenset(
        g for g in known if len(variables(g[0])) == 1 and _is_fixed(function, g[0].split(" ", 1)[0], fixed)
    )


def _is_fixed(function: FunctionNode, subject: str, fixed: Collection[str]) -> bool:
    """Whether a variable, or a field of one, is never given another value."""
    if "." not in subject:
        return subject in fixed
    return subject.partition(".")[0] in fixed and not any(
        subject == field or subject.startswith(f"{field}.") for field in _stored_fields(function)
    )


@remembered
def _stored_fields(code: ast.AST) -> frozenset[str]:
    """The fields that a code gives a value to, as paths."""
    return frozenset(path(n) for n in own_of(code, ast.Attribute) if not isinstance(n.ctx, ast.Load)) - {""}


def _keeps_flag(code: ast.AST) -> bool:
    """Whether a code gives some variable an outcome of its own: ``done = False``."""
    flags = (n.value for n in assigned_in(code) if isinstance(n.value, ast.Constant))
    return any(flag.value is None or isinstance(flag.value, bool) for flag in flags)


def _stored(code: ast.AST) -> set[str]:
    """The variables that a code gives a value to."""
    return {n.id for n in own_of(code, ast.Name) if not isinstance(n.ctx, ast.Load)}


def _sources(code: ast.AST) -> dict[str, set[str]]:
    """What the outcome of a test is kept in, and the variables that the test is about."""
    found: dict[str, set[str]] = {}
    for node in assigned_in(code):
        if isinstance(node.value, (ast.Compare, ast.BoolOp, ast.UnaryOp)) or _truth(node.value) is not None:
            for target in node.targets:
                found.setdefault(path(target), set()).update(_names(node.value))
    return found


@remembered
def asked(function: FunctionNode) -> frozenset[str]:
    """The parameters that a function's tests speak of, its calls too: what they are passed to may ask."""
    found: set[str] = set()
    for node in own_of(function, *_TESTING):
        found = found.union(*_tests(node))
    for call in own_of(function, ast.Call):
        found |= {path(argument) for argument in arguments(call)}
    return frozenset({arg.arg for arg in parameters(function)} & found)


_TESTING = (ast.If, ast.While, ast.IfExp, ast.Assert, ast.BoolOp)


def _tests(node: ast.AST) -> Iterator[set[str]]:
    if isinstance(node, (ast.If, ast.While, ast.IfExp, ast.Assert)):
        yield _names(node.test)
    elif isinstance(node, ast.BoolOp):
        yield from (_names(value) for value in node.values[:-1])


def _names(node: ast.AST) -> set[str]:
    found = {n.id for n in below(node) if isinstance(n, ast.Name)}
    found |= {str(n.left.value) for n in below(node) if isinstance(n, ast.Compare) and isinstance(n.left, ast.Constant)}
    return found


@remembered
def asked_for_existence(code: ast.AST) -> frozenset[str]:
    """The atoms ``bound? x`` for the variables that a code looks for in ``locals()``: not there at its start."""
    if isinstance(code, ast.Module):
        return frozenset()
    own = {arg.arg for arg in parameters(code)}  # type: ignore[arg-type]  # a function
    tests = (atom(n) for n in own_of(code, ast.Compare))
    return frozenset(a[0] for a in tests if a and a[0].startswith(BOUND) and a[0].removeprefix(BOUND) not in own)


@remembered
def fields_asked(code: ast.AST) -> frozenset[str]:
    """The fields that tests of a code ask for themselves: ``if self.session is None``."""
    tests = (n.test for n in own_of(code, ast.If, ast.IfExp))
    asked = (known[0].removesuffix(" is None") for test in tests if (known := atom(test)) is not None)
    return frozenset(one for one in asked if "." in one and " " not in one)


@remembered
def around_closing(code: ast.AST) -> frozenset[str]:
    """The variables of the tests under which a code closes something: kept when all else has to go."""
    return _around(code, ("close", "remove"))


@remembered
def around_failures(code: ast.AST, names: frozenset[str], *, anywhere: bool) -> frozenset[str]:
    """The variables of the tests under which a code ends a transaction, and those that may tell of a failure.

    Its handlers give a value to them, or a function that gets the session does: ``saved = save(session)``; or
    they are ``None`` until the end of a ``try`` is reached. Or they are parameters by which a handler decides what
    becomes of the failure: ``if strict: raise``.

    :param names: the paths by which the code knows the session, and what has it.
    :param anywhere: whether any function may know the session by itself.
    """
    inside = [n for handler in own_of(code, ast.ExceptHandler) for n in own_nodes(handler)]
    stored = {n.id for n in inside if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    given = (
        {arg.arg for arg in parameters(code)}
        if inside and isinstance(code, (ast.FunctionDef, ast.AsyncFunctionDef))
        else set()
    )
    deciding = {name for n in inside if isinstance(n, ast.If) for name in _tested(n.test)} & given
    ending = _around(code, ("close", "remove", "rollback", "commit"), names)
    return (
        ending | stored | deciding | _told(code, None if anywhere else names) | _reached(code) | _switches(code, names)
    )


def _switches(code: ast.AST, names: frozenset[str]) -> set[str]:
    """The parameters, true or false unless somebody says so, under whose test a code passes the session on."""
    if not isinstance(code, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return set()
    plain = zip(reversed([*code.args.posonlyargs, *code.args.args]), reversed(code.args.defaults), strict=False)
    defaults = (*plain, *zip(code.args.kwonlyargs, code.args.kw_defaults, strict=True))
    switches = {a.arg for a, d in defaults if isinstance(d, ast.Constant) and isinstance(d.value, bool)}
    asked = [node for node in own_of(code, ast.If) if switches & _names(node.test)] if switches else []
    under = (call for node in asked for call in own_nodes(node) if isinstance(call, ast.Call))
    passing = any(path(argument) in names for call in under for argument in arguments(call))
    return switches if passing else set()


def _reached(code: ast.AST) -> set[str]:
    """The variables that are tested, and have nothing but a constant before a ``try`` gives them a value."""
    tries = [node for node in own_of(code, ast.Try) if node.handlers]
    if not tries:
        return set()
    flags = {t.id for n in assigned_in(code) if _is_nothing(n.value) for t in n.targets if isinstance(t, ast.Name)}
    inside = (n for one in tries for statement in one.body for n in own_nodes(statement)) if flags else ()
    stored = {n.id for n in inside if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)} & flags
    return {name for node in own_of(code, ast.If) for name in _tested(node.test)} & stored if stored else stored


def _is_nothing(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and (node.value is None or node.value is False)


def _told(code: ast.AST, names: frozenset[str] | None) -> set[str]:
    """The variables that get what a function gives which the session is passed to, and that are tested themselves.

    :param names: ``None`` where any function may have the session.
    """
    found: set[str] = set()
    for node in assigned_in(code):
        call = node.value.value if isinstance(node.value, ast.Await) else node.value
        if isinstance(call, ast.Call) and (names is None or any(path(a) in names for a in _given_to(call))):
            parts = (part for t in node.targets for part in (t.elts if isinstance(t, ast.Tuple) else [t]))
            found |= {part.id for part in parts if isinstance(part, ast.Name)}
    return {name for node in own_of(code, ast.If) for name in _tested(node.test)} & found if found else found


def _given_to(call: ast.Call) -> list[ast.expr]:
    """What a call passes on, the object of a method included."""
    return [*arguments(call), *([call.func.value] if isinstance(call.func, ast.Attribute) else [])]


def _tested(test: ast.expr) -> Iterator[str]:
    """The variables whose own truth a test asks for, or whether they are one value."""
    if isinstance(test, ast.BoolOp):
        for value in test.values:
            yield from _tested(value)
    elif isinstance(test, ast.UnaryOp):
        yield from _tested(test.operand)
    elif isinstance(test, ast.NamedExpr):
        yield test.target.id
    elif (kind := kinds.asked(test)) is not None:
        yield path(kind[0])
    elif isinstance(test, ast.Compare) and isinstance(test.comparators[0], ast.Constant):
        yield path(test.left)
    else:
        yield path(test)


def _around(code: ast.AST, methods: tuple[str, ...], names: frozenset[str] | None = None) -> frozenset[str]:
    """The variables of the tests under which a code speaks of one of some methods.

    :param names: what these are methods of; ``None`` for anything.
    """
    ending = _ending(code, methods, names)
    tests = (n.test for n in own_of(code, ast.If) if n in ending)
    return frozenset(name for test in tests for name in _names(test))


def _ending(code: ast.AST, methods: tuple[str, ...], names: frozenset[str] | None) -> set[ast.AST]:
    """The nodes under which one of some methods is spoken of; a list's ``remove(x)`` is not that of a registry."""
    nodes = below(code)
    above = {child: node for node in nodes for child in children(node)}
    given = {n.func for n in nodes if isinstance(n, ast.Call) and n.args}
    found: set[ast.AST] = set()
    for node in nodes:
        if isinstance(node, ast.Attribute) and node.attr in methods and (node.attr != "remove" or node not in given):
            if names is not None and path(node.value) not in names:
                continue
            current: ast.AST | None = node
            while current is not None and current not in found:  # a chain of ``elif`` is as deep as it is long
                found.add(current)
                current = above.get(current)
    return found
