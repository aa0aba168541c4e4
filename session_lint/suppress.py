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
do not. A comment that names codes and silences nothing is a finding of SES901.
"""

from __future__ import annotations

import re
import tokenize
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from session_lint.finding import Location, Step
from session_lint.rules import catalogue
from session_lint.rules.file_not_analysed import rule as not_analysed
from session_lint.rules.unused_suppression import rule as unused_suppression

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from session_lint.finding import Finding
    from session_lint.source import Source

_CODES = r"(?P<codes>(?:[A-Z]+[0-9]+(?:[,\s]+)?)+)"
NOQA = re.compile(rf"# noqa(?::\s?{_CODES})?", re.IGNORECASE)  # flake8's own
NOQA_FILE = re.compile(rf"# flake8[:=]\s*noqa(?::\s?{_CODES})?", re.IGNORECASE)
OWN = re.compile(r"#\s*session-lint:\s*ignore(?P<file>-file)?(?![\w-])(?:\[(?P<codes>[^\]]*)\])?", re.IGNORECASE)
_NOQA_OF_OURS = re.compile(r"noqa:[^\n]*ses\d")
_ANY_CODE = re.compile(r"[A-Z]+[0-9]+")
_OUR_CODE = re.compile(r"SES[0-9]+")
_NEVER_UNUSED = frozenset({not_analysed.code, unused_suppression.code})
"""Another Python may not read the file; and a comment against SES901 has silenced its own."""


@dataclass(frozen=True)
class Suppression:
    """What one comment, or a part of one, silences.

    :param words: codes, beginnings of codes and names of rules, as they are written; empty for everything.
    :param rows: the rows that it speaks for; ``None`` for the whole file.
    :param flake8: whether it is flake8's form.
    :param location: where it stands; ``end_location`` is exclusive.
    """

    words: tuple[str, ...]
    rows: range | None
    flake8: bool
    location: Location
    end_location: Location

    def covers(self, finding: Finding) -> bool:
        """Whether a finding is silenced."""
        return self._reaches(finding) and (not self.words or any(_names(word, finding) for word in self.words))

    def unused(self, findings: Iterable[Finding], ran: Collection[str]) -> list[str]:
        """The words that silence none of some findings, though all that they stand for was looked for.

        :param ran: the codes that were looked for.
        """
        reached = [finding for finding in findings if self._reaches(finding)]
        idle = [word for word in dict.fromkeys(self.words) if not any(_names(word, finding) for finding in reached)]
        return [word for word in idle if not _foreign(word) and set(_codes_of(word)) <= {*ran} - _NEVER_UNUSED]

    def _reaches(self, finding: Finding) -> bool:
        return self.rows is None or finding.location.row in self.rows


def heard(source: Source, findings: list[Finding], *, noqa: bool = True) -> list[Finding]:
    """The findings that no comment silences.

    :param noqa: whether flake8's comments count; the flake8 plugin leaves them to flake8.
    """
    if not findings or "#" not in source.text:
        return findings
    silence = [one for one in _suppressions(source) if noqa or not one.flake8]
    return [finding for finding in findings if not any(one.covers(finding) for one in silence)]


def names_codes(text: str) -> bool:
    """Whether a comment of a text may name codes of ours; quick, and says yes more often than it should."""
    if "#" not in text:
        return False
    lowered = text.lower()
    return "session-lint" in lowered or ("noqa" in lowered and bool(_NOQA_OF_OURS.search(lowered)))


def unused(source: Source, findings: Iterable[Finding], ran: Collection[str]) -> list[Finding]:
    """A finding for each comment that names what it does not silence.

    :param findings: all that was found in the text, before any comment is heard.
    :param ran: the codes that were looked for; nothing else can be called unused.
    """
    if not names_codes(source.text):
        return []
    found = list(findings)
    told = [(one, one.unused(found, ran)) for one in _suppressions(source)]
    return [_unused(source.filename, one, words) for one, words in told if words]


def _unused(filename: str, one: Suppression, words: list[str]) -> Finding:
    unknown = [word for word in words if not _codes_of(word)]
    reason = f"{_listed(words, 'and')} silence{'' if len(words) > 1 else 's'} nothing"
    reason += " on this line" if one.rows is not None else " in this file"
    reason += f"; there is no rule {_listed(unknown, 'or')}" if unknown else ""
    finding = unused_suppression.finding_at(filename, one.location, reason=reason)
    step = Step(filename, one.location, f"speaks for {_reach(one.rows)}", one.end_location)
    return replace(finding, end_location=one.end_location, trace=(step,))


def _reach(rows: range | None) -> str:
    if rows is None:
        return "the whole file"
    return f"line {rows[0]}" if len(rows) == 1 else f"lines {rows[0]} to {rows[-1]}"


def _listed(words: list[str], last: str) -> str:
    return f" {last} ".join(part for part in (", ".join(words[:-1]), words[-1]) if part)


def _suppressions(source: Source) -> Iterator[Suppression]:
    """All that comments silence, in the order of the text."""
    for comment, start, rows, alone in _comments(source):
        for match in OWN.finditer(comment):
            if match["codes"] != "" and (alone or not match["file"]):  # empty brackets silence nothing
                yield _suppression(match, start, None if match["file"] else rows, flake8=False)
        noqa = NOQA.search(comment)
        if noqa:
            yield _suppression(noqa, start, rows, flake8=True)
        whole = NOQA_FILE.match(comment) if alone else None
        if whole:
            yield _suppression(whole, start, None, flake8=True)


def _suppression(match: re.Match[str], start: Location, rows: range | None, *, flake8: bool) -> Suppression:
    words = tuple(word for word in re.split(r"[,\s]+", match["codes"] or "") if word)
    column = start.column + match.start()
    end = Location(start.row, column + len(match[0].rstrip(", \t")))
    return Suppression(words, rows, flake8, Location(start.row, column), end)


def _comments(source: Source) -> Iterator[tuple[str, Location, range, bool]]:
    """Every comment, with its place, the rows that it speaks for and whether it stands alone on its line.

    Where the text stops being Python the comments before that point still count.
    """
    lines = iter(source.lines)
    first, comment, place, alone = 0, "", Location(1, 1), True
    try:
        for token in tokenize.generate_tokens(lambda: next(lines, "")):
            if token.type in (tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER):
                continue
            first = first or token.start[0]
            if token.type == tokenize.COMMENT:
                comment = token.string
                place = Location(token.start[0], token.start[1] + 1)
                alone = not token.line[: token.start[1]].strip()
            if token.type in (tokenize.NL, tokenize.NEWLINE):
                if comment:
                    yield comment, place, range(first, token.end[0] + 1), alone
                first, comment = 0, ""
    except (tokenize.TokenError, SyntaxError, SystemError):  # the last is Python 3.12's answer to a null byte
        return


def _names(word: str, finding: Finding) -> bool:
    return finding.name.upper() == word.upper() or finding.code.startswith(word.upper())


def _codes_of(word: str) -> list[str]:
    """The codes that a word of a comment stands for."""
    known = catalogue().items()
    return [code for code, rule in known if code.startswith(word.upper()) or rule.name.upper() == word.upper()]


def _foreign(word: str) -> bool:
    """Whether a word is a code of another tool."""
    return bool(_ANY_CODE.fullmatch(word.upper())) and not _OUR_CODE.fullmatch(word.upper())
