"""What gets out of a block of what was loaded there: by what it returns, raises, keeps or gives to others."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis.arguments import bind
from session_lint.fixes.expressions import (
    makes_plain,
    places_of,
    start_of,
    word_of,
)
from session_lint.fixes.given_to import GivenTo
from session_lint.fixes.loaded_in import DEEPEST
from session_lint.python.scopes import parameters

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.analysis.calls import Callee

_KEEPING_NOTHING = (
    "alembic.op.",
    "builtins.",
    "copy.",
    "datetime.",
    "decimal.",
    "hashlib.",
    "itertools.",
    "json.",
    "logging.",
    "math.",
    "operator.",
    "orjson.",
    "os.path.",
    "re.",
    "simplejson.",
    "sqlalchemy.",
    "textwrap.",
    "time.",
    "uuid.",
)
"""Where functions come from that keep nothing of their arguments but in what they return."""
_KEEPING = frozenset(
    "builtins.setattr operator.iadd operator.iand operator.iconcat operator.ior operator.setitem".split()
)
"""Those among them that keep it in another argument."""
_CALLING = frozenset("map filter reduce starmap takewhile dropwhile filterfalse groupby accumulate".split())
"""Functions that call one of their arguments with the elements of another."""


class Block(GivenTo):
    """Statements that use a session, and what of it they let out."""

    @property
    def changes(self) -> bool:
        """Whether objects that were loaded may be changed: a field assigned, a collection asked, one given away."""
        stored = any(
            start_of(p) in self.loaded
            for t, _ in self.syntax.bindings
            for p in places_of(t)
            if not isinstance(p, ast.Name)
        )
        calls = [n for n in self.syntax.calls if not makes_plain(n)]
        asked = any(isinstance(n.func, ast.Attribute) and start_of(n) in self.loaded for n in calls)
        given = [
            a for n in calls if start_of(n) not in self.sessions for a in (*n.args, *(k.value for k in n.keywords))
        ]
        return stored or asked or any(map(self.holds, given))

    def escapes(self, *, returning: bool = True, of_others: bool = True) -> Iterator[str]:
        """Why what was loaded may get out, in words.

        :param returning: whether it may get out by being returned.
        :param of_others: whether objects count that somebody else has given to the session.
        """
        for node in self.syntax.nodes:
            if isinstance(node, ast.Return) and returning and node.value is not None and self.holds(node.value):
                yield f"line {node.lineno} returns what may be objects of the session, which it would detach"
            elif isinstance(node, ast.Raise) and node.exc is not None and self.holds(node.exc):
                yield f"line {node.lineno} raises what may hold objects of the session"
            elif (
                isinstance(node, ast.Call)
                and not self.starts_here(node)
                and not (makes_plain(node) or self.is_free(node))
            ):
                yield from self._given(node)
        for function, names in self.syntax.functions.items():
            if function.decorator_list and names & (self.loaded | self.sessions):
                yield f"line {function.lineno} gives what may be objects of the session to others"
        yield from self._stored()
        yield from self._of_others() if of_others else ()

    def _stored(self) -> Iterator[str]:
        """Where a variable, a field or an item that outlives the block gets what was loaded."""
        added = {id(node.target) for node in self.syntax.nodes if isinstance(node, ast.AugAssign)}
        elsewhere = self.module.names.scopes.of[self.code].elsewhere
        for target, value in self.syntax.bindings:
            for place in places_of(target):
                kept = (
                    place.id in elsewhere or (id(place) in added and not self.is_own(place.id))
                    if isinstance(place, ast.Name)
                    else start_of(place) not in self.loaded | self.sessions
                )
                if kept and self.holds(value):
                    yield f"line {place.lineno} keeps what may be objects of the session"

    def _of_others(self) -> Iterator[str]:
        """Where the session is given objects that were there before it."""
        function = isinstance(self.code, (ast.FunctionDef, ast.AsyncFunctionDef)) and self.depth
        passed = {arg.arg for arg in parameters(self.code)} if function else set()  # type: ignore[arg-type]
        for part in self.attached:
            if start_of(part) not in passed and not self.makes(part, 0):
                yield f"line {part.lineno} gives the session {ast.unparse(part)!r}, which others may have"

    def _given(self, call: ast.Call) -> Iterator[str]:
        """What a call gets of the session, where it may keep it."""
        given = [a for a in (*call.args, *(k.value for k in call.keywords)) if self.holds(a)]
        if not given:
            return
        callee = self.module.calls.callee(call) if call in self.module.calls else None
        unknown = callee is None or (callee.function is None and callee.owner is None)
        if unknown and not self.strict and all(isinstance(a, ast.Name) and a.id in self.sessions for a in given):
            return
        if callee is not None and _keeps_nothing(callee):
            yield from self._called_back(call, given[0])
            return
        if callee is not None and self._followed(call, callee):
            return
        yield f"line {call.lineno} gives what may be objects of the session to others"

    def _called_back(self, call: ast.Call, given: ast.expr) -> Iterator[str]:
        """What a function gets that is called with objects of the session: ``map(found.append, users)``."""
        called = call.args if word_of(call) in _CALLING else []
        for function in (*called, *(k.value for k in call.keywords if k.arg in ("key", "default"))):
            if not isinstance(function, (ast.Name, ast.Attribute, ast.Call)) or self.holds(function):
                continue
            made = ast.copy_location(ast.Call(function, [given], []), call)
            self.module.calls.stands_in(made, call)
            if not self.starts_here(made) and not makes_plain(made):
                yield from self._given(made)

    def _followed(self, call: ast.Call, callee: Callee) -> bool:
        """Whether it is a function of the project that lets nothing out of what it is given."""
        function, home = callee.function, self.module.at(callee)
        if callee.owner is not None:
            made = self.module.initialiser(callee)
            if made is None:
                return True  # what it makes holds it, and is followed as that
            home, function = made
        if function is None or self.depth == DEEPEST or function in self.met:
            return function is not None and function in self.met
        self.met.add(function)
        bound = callee.bound or callee.owner is not None
        inner = self.inside(home, function, bind(call, function, bound=bound), made=callee.owner is not None)
        if inner is None:
            return False
        inner.load()
        return next(inner.escapes(returning=False), None) is None


def _keeps_nothing(callee: Callee) -> bool:
    plain = callee.meaning is None or not callee.meaning.runs
    return plain and bool(callee.names) and all(_is_known(name) for name in callee.names)


def _is_known(name: str) -> bool:
    return name.startswith(_KEEPING_NOTHING) and name not in _KEEPING
