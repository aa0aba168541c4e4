"""Small programs in which everything that happens is an event with a number.

``t(1)`` happens; ``q(2)`` also answers, true or false; ``k(3)`` gives a number to match; ``i(4)`` is asked for items;
``m(5)`` is entered and exited. A *body* is a list of statements, a statement a tuple: its kind and its parts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

Statement = tuple[Any, ...]
Body = list[Statement]
Draw = Callable[[int], int]

SIMPLE: list[Statement] = [("t",), ("return",), ("raise", "A")]
IN_LOOP: list[Statement] = [("break",), ("continue",)]
IN_HANDLER: list[Statement] = [("raise", "")]
KINDS = ["A", "B", "(A, B)", "Exception", "BaseException", ""]


def source(body: Body, *, stoppable: bool = False) -> str:
    """The program as a function ``f``.

    :param stoppable: whether it returns, from wherever an exception may be caught, once ``over()`` is true; that
        changes nothing before.
    """
    writer = Writer(stoppable=stoppable)
    writer.body([*body, ("t",)], 1)
    return "\n".join(["def f():", "    x = None", *writer.lines]) + "\n"


class Writer:
    """Writes statements down, and numbers the events in the order of the text."""

    def __init__(self, *, stoppable: bool) -> None:
        self.lines: list[str] = []
        self.numbers = count(1)
        self.stoppable = stoppable

    def body(self, body: Body, indent: int) -> None:
        """The statements of a body."""
        for kind, *parts in body:
            method = getattr(self, f"write_{kind}", None)
            if method is None:
                self.line(indent, self.simple(kind, parts))
            else:
                method(indent, *parts)

    def line(self, indent: int, text: str) -> None:
        """One line."""
        self.lines.append("    " * indent + text)

    def block(self, indent: int, head: str, body: Body, *, stops: bool = False) -> None:
        """A header and what stands below it; nothing where that is empty."""
        if body:
            self.line(indent, f"{head.rstrip()}:")
            if stops and self.stoppable:
                self.line(indent + 1, "if over(): return")
            self.body(body, indent + 1)

    def simple(self, kind: str, parts: list[Any]) -> str:
        """A statement of one line."""
        if kind == "t":
            return f"t({next(self.numbers)})"
        if kind == "raise":
            return f"raise {parts[0]}".rstrip()
        if kind in ("break", "continue"):
            return kind
        word = "x =" if kind == "assign" else kind
        return f"{word} {expression(parts[0] if parts else ('q',), self.numbers)}"

    def write_if(self, indent: int, test: Statement, body: Body, orelse: Body) -> None:
        """Its ``else`` may be empty."""
        self.block(indent, f"if {expression(test, self.numbers)}", body)
        self.block(indent, "else", orelse)

    def write_while(self, indent: int, test: Statement, body: Body, orelse: Body) -> None:
        """The same."""
        self.block(indent, f"while {expression(test, self.numbers)}", body, stops=True)
        self.block(indent, "else", orelse)

    def write_for(self, indent: int, body: Body, orelse: Body) -> None:
        """The same."""
        self.block(indent, f"for x in i({next(self.numbers)})", body, stops=True)
        self.block(indent, "else", orelse)

    def write_with(self, indent: int, items: int, body: Body) -> None:
        """One or several items."""
        self.block(indent, "with " + ", ".join(f"m({next(self.numbers)}) as x" for _ in range(items)), body)

    def write_match(self, indent: int, cases: list[tuple[str, Statement | None, Body]]) -> None:
        """Cases with a guard and without."""
        self.line(indent, f"match k({next(self.numbers)}):")
        for pattern, guard, body in cases:
            test = f" if {expression(guard, self.numbers)}" if guard else ""
            self.block(indent + 1, f"case {pattern}{test}", body)

    def write_try(self, indent: int, body: Body, handlers: list[tuple[str, Body]], orelse: Body, final: Body) -> None:
        """Whatever of it there is."""
        self.block(indent, "try", body)
        for kind, inner in handlers:
            self.block(indent, f"except {kind}", inner, stops=True)
        self.block(indent, "else", orelse)
        self.block(indent, "finally", final, stops=True)


def expression(shape: Statement, numbers: Iterator[int]) -> str:
    """An expression; the shape is its kind and its parts."""
    kind, *parts = shape
    if kind == "q":
        return f"q({next(numbers)})"
    texts = [expression(part, numbers) for part in parts]
    if kind == "not":
        return f"(not {texts[0]})"
    if kind == "walrus":
        return f"(x := {texts[0]})"
    if kind == "arms":
        body, test, other = texts
        return f"({body} if {test} else {other})"
    if kind in ("and", "or"):
        return "(" + f" {kind} ".join(texts) + ")"
    return str(kind)  # a name or a constant


def bodies(size: int, *, loop: bool = False, handler: bool = False) -> Iterator[Body]:
    """Every body of a size: the number of its statements, at all levels."""
    if size == 0:
        yield []
        return
    for first in range(1, size + 1):
        for statement in statements(first, loop=loop, handler=handler):
            if first < size and statement[0] in ("return", "raise", "break", "continue"):
                continue  # what follows is never reached
            for rest in bodies(size - first, loop=loop, handler=handler):
                yield [statement, *rest]


def statements(size: int, *, loop: bool, handler: bool) -> Iterator[Statement]:
    """Every statement of a size."""
    if size == 1:
        yield from SIMPLE + (IN_LOOP if loop else []) + (IN_HANDLER if handler else [])
        return
    for one in bodies(size - 1, loop=True, handler=handler):
        yield from (("while", ("q",), one, []), ("while", ("True",), [("t",), *one], []), ("for", one, [("t",)]))
    for one in bodies(size - 1, loop=loop, handler=handler):
        yield from (("with", 1, one), ("if", ("q",), one, []))
    for first in range(1, size - 1):
        for one in bodies(first, loop=loop, handler=handler):
            for two in bodies(size - 1 - first, loop=loop, handler=handler):
                yield ("try", one, [], [], two)
            for two in bodies(size - 1 - first, loop=loop, handler=True):
                yield from (("try", one, [("A", two)], [], []), ("try", one, [("", two)], [("t",)], [("t",)]))


class Drawn:
    """A random program.

    :param draw: gives a number below its argument.
    """

    def __init__(self, draw: Draw) -> None:
        self.draw = draw

    def body(self, depth: int, *, loop: bool = False, handler: bool = False, most: int = 3) -> Body:
        """A body in which statements nest at most ``depth`` deep."""
        return [self.statement(depth, loop=loop, handler=handler) for _ in range(1 + self.draw(most))]

    def statement(self, depth: int, *, loop: bool, handler: bool) -> Statement:
        """A statement, simple ones at the bottom."""
        simple = SIMPLE + (IN_LOOP if loop else []) + (IN_HANDLER if handler else [])
        kinds = ["simple", "assign", "assert", "return"]
        if depth:
            kinds += ["if", "while", "for", "with", "match", "try", "try", "try"]
        kind = kinds[self.draw(len(kinds))]
        if kind == "simple":
            return simple[self.draw(len(simple))]
        if kind in ("assign", "assert", "return"):
            return (kind, self.shape(2))

        def inner(*, loop: bool = loop, handler: bool = handler) -> Body:
            return self.body(depth - 1, loop=loop, handler=handler, most=2)

        if kind == "if":
            return (kind, self.shape(2), inner(), inner() if self.draw(2) else [])
        if kind == "while":
            test = [("q",), ("True",), ("and", ("q",), ("q",))][self.draw(3)]
            return (kind, test, [("t",), *inner(loop=True)], inner() if self.draw(2) else [])
        if kind == "for":
            return (kind, inner(loop=True), inner() if self.draw(2) else [])
        if kind == "with":
            return (kind, 1 + self.draw(2), inner())
        if kind == "match":
            return self.match(inner)
        return self.attempt(inner)

    def match(self, inner: Callable[[], Body]) -> Statement:
        """A ``match`` over a number."""
        cases = [("0", ("q",) if self.draw(2) else None, inner())]
        if self.draw(2):
            cases.append(("1 | 2" if self.draw(2) else "1", None, inner()))
        if self.draw(2):
            cases.append(("_", None, inner()))
        return ("match", cases)

    def attempt(self, inner: Callable[..., Body]) -> Statement:
        """A ``try``."""
        handlers = [(KINDS[self.draw(len(KINDS))], inner(handler=True)) for _ in range(self.draw(3))]
        handlers = [one for one in handlers if one[0]] + [one for one in handlers if not one[0]][:1]
        final = inner() if not handlers or self.draw(2) else []
        return ("try", inner(), handlers, inner() if handlers and self.draw(2) else [], final)

    def shape(self, depth: int) -> Statement:
        """An expression."""
        kinds = ["q", "q", "x", "True", "None"]
        if depth:
            kinds += ["not", "and", "or", "arms", "walrus"]
        kind = kinds[self.draw(len(kinds))]
        parts = {"not": 1, "and": 2 + self.draw(2), "or": 2 + self.draw(2), "arms": 3, "walrus": 1}.get(kind, 0)
        return (kind, *(self.shape(depth - 1) for _ in range(parts)))
