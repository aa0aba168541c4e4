"""Comments that silence findings, as they stand in a text."""

from __future__ import annotations

import re
import tokenize
from typing import TYPE_CHECKING

from session_lint.finding import Location
from session_lint.rules.unused_suppression import rule as unused_suppression
from session_lint.values import dataclass, field

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.finding import Finding
    from session_lint.source import Source

_CODES = r"(?P<codes>(?:[A-Z]+[0-9]+(?:[,\s]+)?)+)"
NOQA = re.compile(rf"# noqa(?::\s?{_CODES})?", re.IGNORECASE)  # flake8's own
NOQA_FILE = re.compile(rf"# flake8[:=]\s*noqa(?::\s?{_CODES})?", re.IGNORECASE)
_WORD = r"[A-Za-z]\w*(?:-\w+)*"
IGNORE = re.compile(r"#\s*session-lint:\s*ignore(?P<file>-file)?(?![\w-])(?:\[(?P<codes>[^\]]*)\])?", re.IGNORECASE)
ALLOW = re.compile(rf"#\s*session-lint:\s*allow(?P<file>-file)?\s+(?P<codes>{_WORD}(?:\s*,\s*{_WORD})*)", re.IGNORECASE)
_NEXT = re.compile(r"\s+#(?!\d)|# noqa|#\s*session-lint:", re.IGNORECASE)
"""Where another comment begins in the same one; ``see #12`` is none."""


@dataclass(frozen=True)
class Suppression:
    """What one comment, or a part of one, silences.

    :param words: codes, beginnings of codes and names of rules, as they are written; empty for everything.
    :param rows: the rows that it speaks for; ``None`` for the whole file.
    :param flake8: whether it is flake8's form.
    :param location: where it stands; ``end_location`` is exclusive.
    :param text: the comment up to its last word.
    :param span: where in that the words stand.
    :param rest: what stands behind it on the line.
    """

    words: tuple[str, ...]
    rows: range | None
    flake8: bool
    location: Location
    end_location: Location
    text: str
    span: tuple[int, int]
    rest: str

    @property
    def tail(self) -> str:
        """What the comment says behind its words, up to where another one begins."""
        further = _NEXT.search(self.rest)
        return (self.rest[: further.start()] if further else self.rest).rstrip()

    def covers(self, finding: Finding) -> bool:
        """Whether a finding is silenced; one about this comment itself only where it says so."""
        itself = finding.code == unused_suppression.code and finding.location == self.location
        everything = not self.words and not itself
        return self.reaches(finding) and (everything or any(names(word, finding) for word in self.words))

    def reaches(self, finding: Finding) -> bool:
        """Whether a finding stands where the comment speaks for."""
        return self.rows is None or finding.location.row in self.rows


@dataclass
class Comment:
    """One comment of a text.

    :param alone: whether nothing else stands on its row.
    :param rows: the rows that flake8 takes for its line.
    :param statement: the rows of the statement that it stands in.
    """

    text: str
    place: Location
    alone: bool
    rows: range = range(0)
    statement: range = range(0)


def suppressions(source: Source) -> Iterator[Suppression]:
    """All that comments silence, in the order of the text."""
    for comment in Layout.of(source).comments:
        for match in sorted((*IGNORE.finditer(comment.text), *ALLOW.finditer(comment.text)), key=re.Match.start):
            if match["codes"] != "" and (comment.alone or not match["file"]):  # empty brackets silence nothing
                yield _suppression(match, comment, None if match["file"] else comment.statement, flake8=False)
        noqa = NOQA.search(comment.text)
        if noqa:
            yield _suppression(noqa, comment, comment.rows, flake8=True)
        whole = NOQA_FILE.match(comment.text) if comment.alone else None
        if whole:
            yield _suppression(whole, comment, None, flake8=True)


def _suppression(match: re.Match[str], comment: Comment, rows: range | None, *, flake8: bool) -> Suppression:
    words = tuple(word for word in re.split(r"[,\s]+", match["codes"] or "") if word)
    column = comment.place.column + match.start()
    text = match[0].rstrip(", \t")
    start, end = (place - match.start() for place in match.span("codes"))
    return Suppression(
        words,
        rows,
        flake8,
        Location(comment.place.row, column),
        Location(comment.place.row, column + len(text)),
        text,
        (max(start, 0), min(end, len(text))),
        comment.text[match.start() + len(text) :],
    )


@dataclass
class Layout:
    """A text's comments and the lines that they speak for, both in order.

    Where the text stops being Python, what stands before that point still counts.

    :param lines: the rows that flake8 takes for one line each.
    """

    comments: list[Comment] = field(default_factory=list)
    lines: list[range] = field(default_factory=list)
    _line: int = 0  # the row in which flake8's line begins
    _statement: int = 0  # the row in which the statement begins; 0 between statements
    _fresh: bool = True  # whether a logical line is about to begin
    _decorator: bool = False  # whether the logical line is one: it belongs to what follows
    _pending: Comment | None = None
    _inside: list[Comment] = field(default_factory=list)

    @classmethod
    def of(cls, source: Source) -> Layout:
        """The layout of a text."""
        found, lines = cls(), iter(source.lines)
        try:
            for token in tokenize.generate_tokens(lambda: next(lines, "")):
                if token.type not in (tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER):
                    found._take(token)
        except (tokenize.TokenError, SyntaxError, SystemError):  # the last is Python 3.12's answer to a null byte
            pass
        return found

    def _take(self, token: tokenize.TokenInfo) -> None:
        row = token.start[0]
        self._line = self._line or row
        if token.type == tokenize.COMMENT:
            alone = not token.line[: token.start[1]].strip()
            self._pending = Comment(token.string, Location(row, token.start[1] + 1), alone)
        elif token.type in (tokenize.NL, tokenize.NEWLINE):
            self._end_line(token.end[0])
            if token.type == tokenize.NEWLINE:
                self._end_statement(token.end[0])
        elif self._fresh:
            self._fresh, self._decorator = False, token.string == "@"
            self._statement = self._statement or row

    def _end_line(self, row: int) -> None:
        rows = range(self._line, row + 1)
        self.lines.append(rows)
        self._line = 0
        if self._pending is not None:
            self._pending.rows = self._pending.statement = rows
            self.comments.append(self._pending)
            if self._statement:
                self._inside.append(self._pending)
            self._pending = None

    def _end_statement(self, row: int) -> None:
        self._fresh = True
        if self._decorator:
            return
        for comment in self._inside:
            comment.statement = range(self._statement, row + 1)
        self._inside.clear()
        self._statement = 0


def names(word: str, finding: Finding) -> bool:
    """Whether a word of a comment stands for a finding's rule."""
    return finding.name.upper() == word.upper() or finding.code.startswith(word.upper())
