"""Local dictionaries of which every use is in sight: what stands under one of their keys is as good as a variable.

Such a dictionary is made by the function itself (a display, ``dict(...)``, its own ``**options``), and all that happens
to it is that constant keys are asked for, set and deleted, and that ``**`` unpacks it into the arguments of a call,
which copies it. Of one that is used in any other way somebody else may have hold: what it is given is handed over.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis.holding import Hold, held, rename, slot, slots
from session_lint.analysis.state import Fact, give
from session_lint.python.nodes import own_nodes, own_of
from session_lint.python.remembered import remembered
from session_lint.python.scopes import below, parameters

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.analysis.module import Module
    from session_lint.flow import Code

_DICT = frozenset({"builtins.dict"})


def is_dict(module: Module, node: ast.AST | None) -> bool:
    """Whether an expression makes a dictionary, of which all that goes into it can be seen."""
    return isinstance(node, ast.Dict) or (isinstance(node, ast.Call) and module.calls.callee(node).names == _DICT)


def is_keyed(module: Module, code: Code, name: str) -> bool:
    """Whether a variable of a code is a dictionary of which every use is in sight."""
    made = _made(code).get(name)
    return made is not None and all(is_dict(module, value) for value in made)


@remembered
def _made(code: ast.AST) -> dict[str, list[ast.expr]]:
    """The variables of a function that are only used as its own dictionaries are, and what each is bound to."""
    if not isinstance(code, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return {}
    made: dict[str, list[ast.expr]] = {}
    known: set[ast.Name] = set()
    for node in own_nodes(code):
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if len(targets) == 1 and isinstance(targets[0], ast.Name):  # with a second name, it is used by that, too
                made.setdefault(targets[0].id, []).append(node.value)
                known.add(targets[0])
        else:
            known.update(_asked(node))
    if code.args.kwarg is not None:
        made.setdefault(code.args.kwarg.arg, [])
    given = {arg.arg for arg in parameters(code) if arg is not code.args.kwarg}
    shared = {name for n in own_of(code, ast.Global, ast.Nonlocal) for name in n.names}
    other = {n.id for n in below(code) if isinstance(n, ast.Name) and n not in known}
    return {name: values for name, values in made.items() if name not in given | shared | other}


def _asked(node: ast.AST) -> Iterator[ast.Name]:
    """The variables that an expression uses as a dictionary of which it wants no more than a key, or a copy."""
    name: ast.AST | None = None
    if isinstance(node, ast.Call):
        yield from (k.value for k in node.keywords if k.arg is None and isinstance(k.value, ast.Name))
        name = node.func.value if slot(node) else None  # type: ignore[attr-defined]  # of a method
    elif isinstance(node, ast.Subscript):
        name = node.value if slot(node) else None
    elif isinstance(node, ast.Compare):
        name = node.comparators[0] if slot(node) else None
    if isinstance(name, ast.Name):
        yield name


def copies_only(code: ast.AST, target: ast.Subscript) -> bool:
    """Whether a function puts something into its own ``**options`` that it has a variable for, too.

    Whatever the key is, they are only unpacked into calls, which copy them: nobody keeps them.
    """
    if not isinstance(code, (ast.FunctionDef, ast.AsyncFunctionDef)) or code.args.kwarg is None:
        return False
    name = code.args.kwarg.arg
    if not isinstance(target.value, ast.Name) or target.value.id != name:
        return False
    known: set[ast.AST] = set()
    for node in own_nodes(code):
        if isinstance(node, ast.Call):
            known.update(k.value for k in node.keywords if k.arg is None)
        elif isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Load):
            known.add(node.value)
        elif isinstance(node, ast.Compare):
            known.update(node.comparators)
    return all(n in known for n in below(code) if isinstance(n, ast.Name) and n.id == name)


def put(fact: Fact, target: str, value: ast.AST | None) -> Fact:
    """The fact after ``options["db"] = value`` of such a dictionary; without a value, after the key is deleted."""
    hold = held(value, fact)
    if hold is None and target not in fact.names:
        return fact
    if hold in (Hold.INSIDE, Hold.CLOSER):
        return give(fact)
    return _beside(rename(fact, target, value), target.partition("[")[0])


def fill(fact: Fact, name: str, value: ast.Dict | ast.Call) -> Fact:
    """The fact after ``options = {"db": session}`` or ``options = dict(db=session)``."""
    names: set[str] = set()
    for key, element in contents(value):
        hold = held(element, fact)
        if hold in (Hold.INSIDE, Hold.CLOSER) or (key is None and (hold or names)):
            return give(fact)  # under a key that nobody knows, or perhaps overwritten
        if key is not None:
            (names.add if hold else names.discard)(f"{name}[{key!r}]")
    emptied = rename(fact, name, None)
    return _beside(emptied._replace(names=emptied.names | names), name)


def _beside(fact: Fact, name: str) -> Fact:
    """The fact in which a dictionary holds the session where one of its keys does."""
    around = ("in", name)
    inside = bool(slots(name, fact))
    if inside is (around in fact.names):
        return fact
    return fact._replace(names=fact.names | {around} if inside else fact.names - {around})


def contents(made: ast.Dict | ast.Call) -> Iterator[tuple[str | None, ast.expr]]:
    """What goes into a dictionary, in order; the key is ``None`` where it is none or several that can be read."""
    if isinstance(made, ast.Dict):
        for key, value in zip(made.keys, made.values, strict=True):
            known = isinstance(key, ast.Constant) and isinstance(key.value, str)
            yield key.value if known else None, value  # type: ignore[union-attr]
    else:
        yield from ((None, value) for value in made.args)
        yield from ((keyword.arg, keyword.value) for keyword in made.keywords)


def taken(call: ast.Call, fact: Fact) -> Fact | None:
    """The fact after ``options.get("db")`` or ``options.pop("db")``; ``None`` where the call is of something else."""
    name = slot(call)
    if not name or not slots(name.partition("[")[0], fact):
        return None
    if name not in fact.names:
        return fact
    there = fact._replace(names=fact.names | {("temp", call)})
    popped = isinstance(call.func, ast.Attribute) and call.func.attr == "pop"
    return put(there, name, None) if popped else there
