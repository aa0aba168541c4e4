"""What the value that a function returns tells of the way on which it has ended.

A helper that closes the session and returns ``True``, or does neither, has told its caller what it did. The returned
value is followed like a variable, :data:`RESULT`, which holds ``None`` until something is returned; how tests of it
come out are conditions of an outcome, like those of tests on parameters. In the caller they become tests of the call's
value (:func:`~session_lint.analysis.guards.call_value`).
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis import guards, kinds
from session_lint.analysis.holding import arguments
from session_lint.python.nodes import assigned_in, own_of, path
from session_lint.python.remembered import remembered
from session_lint.values import replace

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from session_lint.analysis.summaries import Outcome

RESULT = "__returned__"
NOTHING_RETURNED: guards.Guards = frozenset({(RESULT, False), (f"{RESULT} is None", True)})
"""What holds where no value was returned: at the end of a body, ``None`` is."""

_OBJECTS = (ast.JoinedStr, ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


@remembered
def speaks(code: ast.AST) -> bool:
    """Whether a function returns anything but ``None``."""
    if not isinstance(code, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return False
    values = (n.value for n in own_of(code, ast.Return))
    return any(v is not None and not (isinstance(v, ast.Constant) and v.value is None) for v in values)


@remembered
def passes_over(code: ast.AST, names: frozenset[object]) -> bool:
    """Whether a function catches something, and may return what tells that it has.

    Or returns what another function tells, to which it passes the session.

    :param names: how it refers to the session.
    """
    if own_of(code, ast.ExceptHandler):
        return True
    told = {*_handed_on(code, names)}
    return any(n.value in told or path(n.value) in told for n in own_of(code, ast.Return) if n.value is not None)


def _handed_on(code: ast.AST, names: frozenset[object]) -> Iterator[ast.expr | str]:
    """The calls of a code that pass a session on, and the variables that get what they return."""
    for value in (n.value for n in own_of(code, ast.Return) if n.value is not None):
        if _hands_on(value, names):
            yield value
    for one in assigned_in(code):
        if _hands_on(one.value, names):
            yield from (target.id for target in one.targets if isinstance(target, ast.Name))


def _hands_on(value: ast.expr, names: frozenset[object]) -> bool:
    call = value.value if isinstance(value, ast.Await) else value
    return isinstance(call, ast.Call) and any(path(argument) in names for argument in arguments(call))


@remembered
def flags(code: ast.AST) -> frozenset[str]:
    """The variables that a function gives an outcome of its own and returns: ``done = False``, ``return done``."""
    returned = {n.value.id for n in own_of(code, ast.Return) if isinstance(n.value, ast.Name)}
    return frozenset(returned & (_plainly_bound(code) | _told(code))) if returned else frozenset()


def _told(code: ast.AST) -> set[str]:
    """The variables that get what a function returns which is given some variable, a session perhaps."""
    given = (one for one in assigned_in(code) if _is_given(one.value))
    return {target.id for one in given for target in one.targets if isinstance(target, ast.Name)}


def _is_given(value: ast.expr) -> bool:
    call = value.value if isinstance(value, ast.Await) else value
    return isinstance(call, ast.Call) and any(path(argument) for argument in arguments(call))


@remembered
def flags_beside(code: ast.AST) -> frozenset[str]:
    """The same of variables that stand in a tuple which is returned: ``return session, ours``."""
    tuples = [n.value for n in own_of(code, ast.Return) if isinstance(n.value, ast.Tuple)]
    returned = {e.id for one in tuples for e in one.elts if isinstance(e, ast.Name)}
    return frozenset(returned & _plainly_bound(code)) if returned else frozenset()


def _plain(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and (value.value is None or isinstance(value.value, bool))


def _plainly_bound(code: ast.AST) -> set[str]:
    """The variables that somewhere get ``True``, ``False`` or ``None``, or the outcome of a test."""
    found: set[str] = set()
    for node in assigned_in(code):
        for target in node.targets:
            pairs = [(target, node.value)]
            if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                pairs = [*zip(target.elts, node.value.elts, strict=False)]
            plain = (t for t, v in pairs if _plain(v) or isinstance(v, (ast.Compare, ast.UnaryOp)))
            found.update(t.id for t in plain if isinstance(t, ast.Name))
    return found


def returning(value: ast.expr | None, known: guards.Guards) -> Iterator[guards.Guards]:
    """The ways that ``return value`` splits into, as far as tests of the value come out differently."""
    kind = kinds.of(value)
    of_kind = {(kinds.atom(RESULT, kind), True)} if kind not in ("", "bool") else set()
    if isinstance(value, (ast.Tuple, ast.List, ast.Set, ast.Dict)):
        elements = value.keys if isinstance(value, ast.Dict) else value.elts
        sure = not elements or any(e is not None and not isinstance(e, ast.Starred) for e in elements)
        truth = {(RESULT, bool(elements))} if sure else set()
        told = {
            (place(RESULT, at), bool(e.value))
            for at, e in enumerate(value.elts if isinstance(value, (ast.Tuple, ast.List)) else ())
            if isinstance(e, ast.Constant) and _plain(e)
        }
        yield guards.forget(known, RESULT) | {(f"{RESULT} is None", False)} | truth | told | of_kind
    elif isinstance(value, _OBJECTS):
        yield guards.forget(known, RESULT) | {(f"{RESULT} is None", False)} | of_kind
    else:
        yield from (way | of_kind for way in guards.learned(RESULT, value or ast.Constant(None), known))


def place(of: str, index: int) -> str:
    """The test of what stands at a place of something."""
    return f"{of} [{index}]"


SOMETHING = ("something",)
"""What is known of an element that is not ``None``, and of which nobody knows whether it counts as true."""


def known(element: ast.expr, met: guards.Guards) -> tuple[object] | None:
    """What is known of an element of a tuple that is returned, as a value that tests of it come out alike for."""
    if isinstance(element, ast.Constant):
        return (element.value,)
    if not isinstance(element, ast.Name):
        return None
    truth = guards.outcome(element, met)
    if truth is not None:
        return (truth,)
    return SOMETHING if (f"{element.id} is None", False) in met else None


def called_off(known: guards.Guards) -> guards.Guards:
    """The guards where a return that was under way is not to be."""
    return guards.forget(known, RESULT) | NOTHING_RETURNED


def of_result(conditions: guards.Guards) -> guards.Guards:
    """The conditions that speak of what is returned."""
    return frozenset(c for c in conditions if c[0].partition(" ")[0] == RESULT)


def untold(outcome: Outcome) -> Outcome:
    """An outcome without what the returned value says."""
    spoken = of_result(outcome.conditions)
    return replace(outcome, conditions=outcome.conditions - spoken) if spoken else outcome


def telling(outcomes: Iterable[Outcome]) -> list[Outcome]:
    """The outcomes; without what the returned value says, where it says several things and tells nothing by them."""
    found = list(outcomes)
    said: dict[object, set[guards.Guards]] = {}
    for one in found:
        if one.raised is None:
            kind = (one.state, one.pending, one.marks, one.returned)
            said.setdefault(kind, set()).add(of_result(one.conditions))
    answers = list(said.values())
    idle = answers and len(answers[0]) > 1 and all(answer == answers[0] for answer in answers)
    return [untold(one) for one in found] if idle else found
