"""Syntax trees that take a third of the memory of :mod:`ast`'s own, for programs of which all modules are kept.

A node of :mod:`ast` has a dictionary for its fields, which takes four times the memory of what is in it. Here each kind
has a class with a slot for each field instead, derived from the kind itself: whatever asks by ``isinstance``, or by the
name of a class, sees no difference. What compares classes takes :func:`kind_of`, or :func:`with_compact`: trees that
others have made are understood, too.
"""

from __future__ import annotations

import ast
import contextlib
import sys
from typing import TYPE_CHECKING, Any

from session_lint.stages import stage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_PLAIN = frozenset(
    "arg asname attr conversion ctx id is_async kind kwd_attrs level module name op ops rest simple str tag "
    "type_comment type_ignores".split()
)


class _Fields(dict[type[ast.AST], tuple[str, ...]]):
    """Where a kind of node has nodes: not in the fields for names, numbers and marks."""

    def __missing__(self, kind: type[ast.AST]) -> tuple[str, ...]:
        self[kind] = tuple(name for name in kind._fields if name not in _PLAIN)
        return self[kind]


FIELDS = _Fields({ast.Constant: (), ast.MatchSingleton: (), ast.Global: (), ast.Nonlocal: ()})
"""These have plain values in fields that elsewhere hold nodes."""
if sys.version_info >= (3, 12):
    FIELDS[ast.TypeAlias] = ast.TypeAlias._fields
_LINES = [*range(2000)]
"""The numbers of lines, each one object: a node has two of them."""


@stage("parsing")
def compact(tree: ast.Module) -> ast.Module:
    """A tree, with all nodes in it replaced; those around what is nested too deeply for that stay as they are."""
    last = max((statement.end_lineno or 0 for statement in tree.body[-1:]), default=0)
    _LINES.extend(range(len(_LINES), last + 1))
    # A node is replaced after those inside of it: what has been reached by then is a tree. The lines that older Pythons
    # tell of what stands in an f-string need not be lines of the file.
    with contextlib.suppress(RecursionError, IndexError):
        tree.body[:] = [_MAKERS[statement.__class__](statement) for statement in tree.body]
    return tree


def kind_of(node: ast.AST) -> type[ast.AST]:
    """The kind of a node: the class of :mod:`ast` that it is of."""
    kind = type(node)
    return _KINDS.get(kind, kind)


def with_compact(kinds: Iterable[type[ast.AST]]) -> set[type[ast.AST]]:
    """Some kinds, and the classes of their nodes in trees that are compact."""
    found = {*kinds}
    return found | {made for made, kind in _KINDS.items() if kind in found}


class _Name(ast.Name):
    """A name, which ends where its letters end: a third of all nodes."""

    __slots__ = ("col_offset", "ctx", "id", "lineno")

    @property
    def end_lineno(self) -> int:  # type: ignore[override]  # a field there
        return self.lineno

    @property
    def end_col_offset(self) -> int:  # type: ignore[override]
        return self.col_offset + len(self.id)


def _make_name(node: ast.Name) -> ast.Name:
    if node.end_col_offset != node.col_offset + len(node.id):
        return node  # other letters than those of ASCII
    made = _Name.__new__(_Name)
    made.id = node.id
    made.ctx = node.ctx
    made.lineno = _LINES[node.lineno]
    made.col_offset = node.col_offset
    return made


class _Makers(dict[type, "Callable[[Any], Any]"]):
    """What makes of a value that which stands in a tree for it, by its class."""

    def __missing__(self, kind: type) -> Callable[[Any], Any]:
        made = next((made for made, of in _KINDS.items() if of is kind), None)
        self[kind] = (lambda value: value) if made is None else _maker(kind, made)  # a mark, a name, a number, nothing
        return self[kind]


def _maker(kind: type[ast.AST], made: type[ast.AST]) -> Callable[[Any], Any]:
    """What makes a compact node of another one: a function without a loop over fields, for millions of nodes."""
    lines = ["def make(node):", " made = new(kind)"]
    if kind is ast.Constant:
        lines.insert(1, " if node.kind: return node")  # u"": it is not said often enough to have a slot
    for name in _kept_fields(kind):
        if name in FIELDS[kind]:  # a list stays the same one, which is as large as it has to be
            lines += [
                f" value = node.{name}",
                " if not value and value.__class__ is list: value = none",
                " elif value.__class__ is list: value[:] = [makers[one.__class__](one) for one in value]",
                " else: value = makers[value.__class__](value)",
                f" made.{name} = value",
            ]
        else:
            lines.append(f" made.{name} = {f'lines[node.{name}]' if name.endswith('lineno') else f'node.{name}'}")
    space = {"new": made.__new__, "kind": made, "makers": _MAKERS, "lines": _LINES, "none": _NONE}
    exec("\n".join([*lines, " return made"]), space)  # noqa: S102  (of names that `ast` gives, as `dataclasses` does)
    return space["make"]  # type: ignore[return-value]


def _compact_class(kind: type[ast.AST]) -> type[ast.AST]:
    return type(kind.__name__, (kind,), {"__slots__": _kept_fields(kind), "__module__": __name__})


def _kept_fields(kind: type[ast.AST]) -> tuple[str, ...]:
    """The fields that are not always ``None`` here, as the class of the kind has them by default."""
    every = (*kind._fields, *kind._attributes)  # noqa: SLF001  (its documented name: where the node stands)
    return tuple(name for name in every if name not in ("kind", "type_comment"))


def _kinds() -> list[type[ast.AST]]:
    """All kinds of nodes that are in modules, but for marks."""
    single = (ast.comprehension, ast.arguments, ast.arg, ast.keyword, ast.alias, ast.withitem, ast.match_case)
    several: list[type[ast.AST]] = [ast.stmt, ast.expr, ast.excepthandler, ast.pattern]
    if sys.version_info >= (3, 12):
        several.append(ast.type_param)
    return [*single, *(kind for one in several for kind in one.__subclasses__() if kind.__module__ == "ast")]


_Name.__name__ = "Name"
_KINDS = {_Name if kind is ast.Name else _compact_class(kind): kind for kind in _kinds()}
_MAKERS = _Makers({ast.Name: _make_name})
_NONE: list[ast.AST] = []
"""The one empty list of all nodes: nobody changes a tree."""
FIELDS.update({made: FIELDS[kind] for made, kind in _KINDS.items()})
