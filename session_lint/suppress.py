"""What the author has silenced: comments that take findings of their line, or of their file, out of the report.

==========================================  ===========================================================
``# noqa``                                  everything on the line
``# noqa: SES101,E501``                     the codes that begin so
``# session-lint: ignore[SES201] reason``   the codes that begin so, or the rule of that name
``# session-lint: ignore``                  everything on the line that is ours
``# flake8: noqa``                          everything in the file, on a line of its own
``# session-lint: ignore-file``             the same; with ``[SES201]``, only that
==========================================  ===========================================================

A line is what flake8 takes for one: the lines that a string or a backslash joins belong together, those inside brackets
do not.
"""

from __future__ import annotations

import re
import tokenize
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.finding import Finding
    from session_lint.source import Source

_CODES = r"(?P<codes>(?:[A-Z]+[0-9]+(?:[,\s]+)?)+)"
NOQA = re.compile(rf"# noqa(?::\s?{_CODES})?", re.IGNORECASE)  # flake8's own
NOQA_FILE = re.compile(rf"# flake8[:=]\s*noqa(?::\s?{_CODES})?", re.IGNORECASE)
OWN = re.compile(r"#\s*session-lint:\s*ignore(?P<file>-file)?(?![\w-])(?:\[(?P<codes>[^\]]*)\])?", re.IGNORECASE)


@dataclass
class _Silence:
    """What comments silence; no codes at all stand for all of them."""

    rows: dict[int, list[frozenset[str]]] = field(default_factory=dict)
    file: list[frozenset[str]] = field(default_factory=list)

    def covers(self, finding: Finding) -> bool:
        """Whether a finding is silenced."""
        return any(_names(codes, finding) for codes in (*self.file, *self.rows.get(finding.location.row, ())))


def heard(source: Source, findings: list[Finding], *, noqa: bool = True) -> list[Finding]:
    """The findings that no comment silences.

    :param noqa: whether flake8's comments count; the flake8 plugin leaves them to flake8.
    """
    if not findings or "#" not in source.text:
        return findings
    silence = _silence(source, noqa=noqa)
    return [finding for finding in findings if not silence.covers(finding)]


def _silence(source: Source, *, noqa: bool) -> _Silence:
    silence = _Silence()
    for comment, rows, alone in _comments(source):
        own = [match for match in OWN.finditer(comment) if match["codes"] != ""]  # empty brackets silence nothing
        found = [_codes(match) for match in own if not match["file"]]
        silence.file += [_codes(match) for match in own if match["file"] and alone]
        if noqa:
            match = NOQA.search(comment)
            found += [_codes(match)] if match else []
            whole = NOQA_FILE.match(comment) if alone else None
            silence.file += [_codes(whole)] if whole else []
        for row in rows if found else ():
            silence.rows.setdefault(row, []).extend(found)
    return silence


def _comments(source: Source) -> Iterator[tuple[str, range, bool]]:
    """Every comment, with the rows that it speaks for and whether it stands alone on its line.

    Where the text stops being Python the comments before that point still count.
    """
    lines = iter(source.lines)
    first, comment, alone = 0, "", True
    try:
        for token in tokenize.generate_tokens(lambda: next(lines, "")):
            if token.type in (tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER):
                continue
            first = first or token.start[0]
            if token.type == tokenize.COMMENT:
                comment = token.string
                alone = not token.line[: token.start[1]].strip()
            if token.type in (tokenize.NL, tokenize.NEWLINE):
                if comment:
                    yield comment, range(first, token.end[0] + 1), alone
                first, comment = 0, ""
    except (tokenize.TokenError, SyntaxError, SystemError):  # the last is Python 3.12's answer to a null byte
        return


def _codes(match: re.Match[str]) -> frozenset[str]:
    return frozenset(word.upper() for word in re.split(r"[,\s]+", match["codes"] or "") if word)


def _names(codes: frozenset[str], finding: Finding) -> bool:
    return not codes or finding.name.upper() in codes or finding.code.startswith(tuple(codes))
