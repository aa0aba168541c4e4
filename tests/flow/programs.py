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

    :param stoppable: whether it returns, from wherever an exception may be caught, once ``over()`` is true; that changes
        nothing before.
    """
    lines = ["def f():", "    x = None"]
    _write(lines, [*body, ("t",)], 1, count(1), stoppable=stoppable)
    return "\n".join(lines) + "\n"


def _write(lines: list[str], body: Body, indent: int, numbers: Iterator[int], *, stoppable: bool) -> None:
    pad = "    " * indent

    def block(head: str, inner: Body, *, stops: bool = False) -> None:
        lines.append(f"{pad}{head}:")
        if stops and stoppable:
            lines.append(f"{pad}    if over(): return")
        _write(lines, inner or [("pass",)], indent + 1, numbers, stoppable=stoppable)

    for kind, *parts in body:
        if kind in ("break", "continue", "pass"):
            lines.append(pad + kind)
        elif kind == "t":
            lines.append(f"{pad}t({next(numbers)})")
        elif kind == "raise":
            lines.append(f"{pad}raise {parts[0]}".rstrip())
        elif kind in ("return", "assert", "assign"):
            word = {"assign": "x ="}.get(kind, kind)
            lines.append(f"{pad}{word} {expression(parts[0] if parts else ('q',), numbers)}")
        elif kind in ("if", "while"):
            block(f"{kind} {expression(parts[0], numbers)}", parts[1], stops=kind == "while")
            if parts[2]:
                block("else", parts[2])
        elif kind == "for":
            block(f"for x in i({next(numbers)})", parts[0], stops=True)
            if parts[1]:
                block("else", parts[1])
        elif kind == "with":
            block("with " + ", ".join(f"m({next(numbers)}) as x" for _ in range(parts[0])), parts[1])
        elif kind == "match":
            lines.append(f"{pad}match k({next(numbers)}):")
            for pattern, guard, inner in parts[0]:
                test = f" if {expression(guard, numbers)}" if guard else ""
                lines.append(f"{pad}    case {pattern}{test}:")
                _write(lines, inner, indent + 2, numbers, stoppable=stoppable)
        else:
            block("try", parts[0])
            for caught, inner in parts[1]:
                block(f"except {caught}".rstrip(), inner, stops=True)
            if parts[2]:
                block("else", parts[2])
            if parts[3]:
                block("finally", parts[3], stops=True)


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
