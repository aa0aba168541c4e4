"""The first look after a change: only at the definitions that have changed, and at those that have to do with them.

Nearly everything that the analysis says of a function rests on the function, on what it calls and on who calls it. So a
text is looked at in which all other functions and classes are left blank, on the lines where they stood; what was
found in them before is kept and moved with its lines. That is right nearly always, and shown only until the whole text
has been looked at.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from session_lint.source import Source, SourceError, physical_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from session_lint.finding import Finding, Location

MOST_ROWS = 600
"""How many rows a first look may be about; for more it is no quicker than a whole one."""
_LINE = re.compile(r"\b(lines? )(\d+)")
_WORD = re.compile(r"[^\W\d]\w*")


@dataclass(frozen=True)
class Piece:
    """A statement at the top of a module, with its decorators.

    :param rows: those that it stands on, from 1.
    :param defines: whether it is a function or a class.
    :param names: what it binds.
    """

    text: str
    rows: range
    defines: bool
    names: frozenset[str]

    @property
    def words(self) -> frozenset[str]:
        """All names that stand in it."""
        return _words(self.text)


@dataclass(frozen=True, eq=False)
class Outline:
    """The statements at the top of a module, in its lines."""

    lines: list[str]
    pieces: tuple[Piece, ...]

    @cached_property
    def between(self) -> list[str]:
        """What stands between the statements: comments."""
        covered = {row for piece in self.pieces for row in piece.rows}
        found = (line.strip() for row, line in enumerate(self.lines, 1) if row not in covered)
        return [line for line in found if line]


@dataclass(frozen=True)
class Shift:
    """How many lines have come where two texts differ, and the first row of the first one after that."""

    rows: int
    first: int

    @classmethod
    def between(cls, before: Sequence[str], now: Sequence[str]) -> Shift:
        """That of two texts, by their lines."""
        most = min(len(before), len(now))
        start = _same(before, now, most)
        end = _same(before[::-1], now[::-1], most - start)
        return cls(len(now) - len(before), len(before) - end + 1)

    def row(self, row: int) -> int:
        """The row that a row has become."""
        return row + self.rows if row >= self.first else row


@dataclass(frozen=True)
class Focus:
    """What to look at first.

    :param text: the module's text with all else left blank.
    :param rows: the rows of the definitions that are looked at.
    :param moved: where the rows of what is not looked at have gone.
    """

    text: str
    rows: frozenset[int]
    moved: dict[int, int]
    shift: Shift

    def merged(self, before: Iterable[Finding], found: Iterable[Finding]) -> list[Finding]:
        """What was found before, where nothing was looked at, and what was found now: all that is known."""
        kept = [self._moved(finding) for finding in before if finding.location.row in self.moved]
        new = [finding for finding in found if finding.location.row in self.rows]
        return sorted([*kept, *new], key=lambda finding: (finding.location, finding.code))

    def _moved(self, finding: Finding) -> Finding:
        """The finding on its new lines; the plan of its fix is made anew before it is carried out."""
        trace = tuple(
            replace(step, message=self._said(step.message), location=self._place(step.location))
            if step.filename == finding.filename
            else step
            for step in finding.trace
        )
        fix = finding.fix and replace(finding.fix, reason=self._said(finding.fix.reason))
        return replace(
            finding,
            message=self._said(finding.message),
            location=self._place(finding.location),
            end_location=self._place(finding.end_location),
            trace=trace,
            fix=fix,
            refusal=self._said(finding.refusal),
        )

    def _said(self, text: str) -> str:
        """A text that names lines, with those that they have become."""
        return _LINE.sub(lambda found: f"{found[1]}{self._row(int(found[2]))}", text)

    def _row(self, row: int) -> int:
        return self.moved[row] if row in self.moved else self.shift.row(row)

    def _place(self, location: Location) -> Location:
        return replace(location, row=self._row(location.row))


def outline(source: Source, tree: ast.Module) -> Outline:
    """The statements at the top of a module."""
    lines = physical_lines(source.text)
    return Outline(lines, tuple(_piece(node, lines) for node in tree.body))


def revised(before: Outline, source: Source) -> Outline:
    """The outline of another version of a text, of which only the statements that differ are parsed.

    A statement begins at the start of a line. So where those before and those after the lines that differ are the
    same, and what is between them can be parsed by itself, the whole can be, and has the same statements.

    :raises SourceError: where it cannot be parsed.
    """
    lines = physical_lines(source.text)
    most = min(len(lines), len(before.lines))
    start = _same(before.lines, lines, most)
    end = _same(before.lines[::-1], lines[::-1], most - start)
    head = [piece for piece in before.pieces if piece.rows.stop <= start + 1]
    tail = [piece for piece in before.pieces if piece.rows.start > len(before.lines) - end]
    shift = len(lines) - len(before.lines)
    first = head[-1].rows.stop - 1 if head else 0
    last = tail[0].rows.start + shift - 1 if tail else len(lines)
    middle = Source(source.filename, "".join(lines[first:last]))
    if first and lines[first - 1].rstrip("\r\n").endswith("\\"):
        return outline(source, source.parse())
    try:
        tree = middle.parse()
    except SourceError:
        return outline(source, source.parse())  # which says where
    inner = [_shifted(_piece(node, lines[first:last]), first) for node in tree.body]
    return Outline(lines, (*head, *inner, *(_shifted(piece, shift) for piece in tail)))


def _same(one: Sequence[str], other: Sequence[str], most: int) -> int:
    """How many lines two texts have in common at their start."""
    return next((count for count in range(most) if one[count] != other[count]), most)


def _shifted(piece: Piece, rows: int) -> Piece:
    return replace(piece, rows=range(piece.rows.start + rows, piece.rows.stop + rows)) if rows else piece


def focus(before: Outline, now: Outline) -> Focus | None:
    """What to look at first, once one text has become another; ``None`` where that is all of it."""
    if before.between != now.between or _statements(before) != _statements(now):
        return None
    old: defaultdict[str, list[Piece]] = defaultdict(list)
    for piece in before.pieces:
        old[piece.text].append(piece)
    same, fresh = {}, []
    for piece in now.pieces:
        known = old[piece.text]
        if known:
            same[piece] = known.pop(0)
        elif piece.defines:
            fresh.append(piece)
    gone = {name for pieces in old.values() for piece in pieces for name in piece.names}
    chosen = _concerned(now, {*fresh}, gone)
    rows = frozenset(row for piece in chosen for row in piece.rows)
    if len(rows) > MOST_ROWS:
        return None
    moved = {
        row: row + piece.rows.start - was.rows.start
        for piece, was in same.items()
        if piece not in chosen
        for row in was.rows
    }
    return Focus(_blanked(now, chosen), rows, moved, Shift.between(before.lines, now.lines))


def _concerned(now: Outline, fresh: set[Piece], gone: Iterable[str]) -> set[Piece]:
    """The definitions that have to do with some that have changed, or that name one that is gone.

    They name each other, or a statement between them does; what they have in common only by reading the same
    variable, a factory of sessions say, keeps them apart.
    """
    binding: defaultdict[str, list[Piece]] = defaultdict(list)
    naming: defaultdict[str, list[Piece]] = defaultdict(list)
    known = {name for piece in now.pieces for name in piece.names} | {*gone}
    for piece in now.pieces:
        for name in piece.names:
            binding[name].append(piece)
        for word in piece.words & known - piece.names:
            naming[word].append(piece)
    todo = [(piece, True) for piece in (*fresh, *(p for name in gone for p in naming[name]))]
    seen: set[tuple[Piece, bool]] = set()
    while todo:
        piece, upwards = todo.pop()
        if (piece, upwards) in seen:
            continue
        seen.add((piece, upwards))
        todo += [(other, other.defines) for word in piece.words & known for other in binding[word]]
        if upwards:
            todo += [(other, True) for name in piece.names for other in naming[name]]
    return {piece for piece, _ in seen if piece.defines}


def _blanked(now: Outline, chosen: set[Piece]) -> str:
    lines = [*now.lines]
    for piece in now.pieces:
        if piece.defines and piece not in chosen:
            for row in piece.rows:
                line = lines[row - 1]
                lines[row - 1] = line[len(line.rstrip("\r\n")) :]
    return "".join(lines)


def _statements(one: Outline) -> list[str]:
    return [piece.text for piece in one.pieces if not piece.defines]


def _piece(node: ast.stmt, lines: Sequence[str]) -> Piece:
    defines = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
    first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))])
    rows = range(first, (node.end_lineno or node.lineno) + 1)
    names = {node.name} if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) else _bound(node)
    return Piece("".join(lines[rows.start - 1 : rows.stop - 1]), rows, defines, frozenset(names))


def _bound(node: ast.stmt) -> set[str]:
    """The names that a statement binds, or may."""
    found = {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    inner = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return found | {n.name for n in ast.walk(node) if isinstance(n, inner)}


@lru_cache(maxsize=4096)
def _words(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text))
