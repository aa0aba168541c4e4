"""The arguments of a call, seen from the function that is called: which parameter gets what, and what that decides."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis import guards, kinds
from session_lint.analysis.holding import Hold, held, slots
from session_lint.analysis.keyed import contents, is_dict
from session_lint.analysis.results import RESULT
from session_lint.python.nodes import path
from session_lint.python.remembered import remembered
from session_lint.python.scopes import parameters

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from session_lint.analysis.calls import Callee
    from session_lint.analysis.module import Module
    from session_lint.analysis.state import Fact
    from session_lint.python.scopes import FunctionNode


@remembered
def bind(call: ast.Call, function: FunctionNode, *, bound: bool) -> Mapping[str, ast.expr | None]:
    """The argument of each parameter of a function.

    A default stands where none is given, ``None`` where the argument is not known.

    :param bound: whether the receiver of a method fills the first parameter already.
    """
    positional = [a.arg for a in (*function.args.posonlyargs, *function.args.args)]
    found: dict[str, ast.expr | None] = {}
    found.update(zip(reversed(positional), reversed(function.args.defaults), strict=False))
    keyword_defaults = zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True)
    found.update({arg.arg: default for arg, default in keyword_defaults})
    unsure = any(isinstance(a, ast.Starred) for a in call.args) or any(k.arg is None for k in call.keywords)
    if unsure:
        found = dict.fromkeys(found)
    for name, value in zip(positional[1:] if bound else positional, call.args, strict=False):
        if isinstance(value, ast.Starred):
            break
        found[name] = value
    found.update({k.arg: k.value for k in call.keywords if k.arg is not None})
    return found


def parameters_given(module: Module, call: ast.Call, function: FunctionNode, fact: Fact, *, bound: bool) -> list[str]:
    """The parameters of a function that get the session of a fact, by themselves or unpacked from a dictionary."""
    passed = bind(call, function, bound=bound).items()
    found = [name for name, argument in passed if argument is not None and held(argument, fact) is Hold.WHOLE]
    for keyword in call.keywords:
        if keyword.arg is None and held(keyword.value, fact) is Hold.INSIDE:
            keys = [key for key in _keys(module, keyword.value, fact) if key is not None]
            found += [name for key in keys if (name := _named(function, key)) and name not in found]
    return found


def _keys(module: Module, unpacked: ast.expr, fact: Fact) -> list[str | None]:
    """The keys under which a dictionary has the session."""
    if is_dict(module, unpacked):
        return [key for key, value in contents(unpacked) if held(value, fact) is Hold.WHOLE]  # type: ignore[arg-type]
    name = path(unpacked)
    return [ast.literal_eval(at[len(name) + 1 : -1]) for at in slots(name, fact)]


def _named(function: FunctionNode, key: str) -> str:
    """The parameter that a function gets by a keyword; empty where it has none."""
    if any(arg.arg == key for arg in (*function.args.args, *function.args.kwonlyargs)):
        return key
    return function.args.kwarg.arg if function.args.kwarg is not None else ""


def conditions_met(
    call: ast.Call,
    callee: Callee,
    conditions: guards.Guards,
    fact: Fact,
    required: frozenset[str] = frozenset(),
    telling: Collection[str] | None = None,
) -> Iterator[Fact]:
    """The caller's fact, if the conditions may hold under it, with what they teach about its guards.

    :param required: parameters of the caller that are taken to be there, since it must be given them.
    :param telling: the variables of which it is to be remembered, where not all are.
    """
    if not conditions or callee.function is None:
        yield fact
        return
    arguments = bind(call, callee.function, bound=callee.bound)
    if callee.bound and isinstance(call.func, ast.Attribute) and (own := parameters(callee.function)):
        arguments = {**arguments, own[0].arg: call.func.value}
    yield from _met(arguments, conditions, fact, required, guards.call_value(call), telling)


def conditions_met_by_reading(
    node: ast.Attribute, function: FunctionNode, conditions: guards.Guards, fact: Fact
) -> Iterator[Fact]:
    """The same where reading a field runs a property's function."""
    own = parameters(function)
    yield from _met({own[0].arg: node.value} if own else {}, conditions, fact, frozenset(), "")


def _met(
    arguments: Mapping[str, ast.expr | None],
    conditions: guards.Guards,
    fact: Fact,
    required: frozenset[str],
    result: str,
    telling: Collection[str] | None = None,
) -> Iterator[Fact]:
    """The caller's fact, if the conditions may hold under it.

    :param arguments: what stands for each parameter, the object that a method belongs to among them.
    :param result: the variable for what the call returns.
    """
    known = fact.guards
    for text, value in sorted(conditions):
        subject = text.split(" ", 1)[0]
        if subject == RESULT and result:
            known = guards.assume(known, result + text[len(RESULT) :], value) or known
        argument = arguments.get(subject.partition(".")[0])
        if argument is None:
            continue
        found = _outcome_of(text, argument, fact) if "." not in subject else None
        if found is None and text.endswith(" is None") and path(argument) in required:
            found = False
        if found is not None and found is not value:
            return
        test = _test_of(text, argument) if found is None else None
        if test is not None:
            assumed = guards.assume(known, test[0], test[1] is value)
            if assumed is None:
                return
            if telling is None or not guards.variables(test[0]).isdisjoint(telling):
                known = assumed
    yield fact.with_guards(known) if known != fact.guards else fact


def _test_of(text: str, argument: ast.expr) -> guards.Atom | None:
    """The caller's test that a test on a parameter is for an argument, and the outcome that makes it true."""
    name = path(argument)
    if name:
        return name + text[len(text.split(" ", 1)[0].partition(".")[0]) :], True
    return None if " " in text or "." in text else guards.atom(argument)


def _outcome_of(text: str, argument: ast.expr, fact: Fact) -> bool | None:
    """What a test on a parameter comes out as for an argument."""
    session = held(argument, fact) is Hold.WHOLE
    if text.endswith(" is None"):
        if isinstance(argument, ast.Constant):
            return argument.value is None
        if session:
            return False
        return guards.outcome(ast.Compare(argument, [ast.Is()], [ast.Constant(None)]), fact.guards)
    if kinds.MARK in text:
        return False if session and kinds.none_of_the_built_in(text) else kinds.outcome_of(text, kinds.of(argument))
    if " " in text or "." in text:
        return None
    return True if session else guards.outcome(argument, fact.guards)
