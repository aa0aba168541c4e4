"""Comments that silence what is found, put into a text: for who adopts the linter on code that is not to change yet."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from session_lint.rules import catalogue
from session_lint.rules.file_not_analysed import rule as not_analysed
from session_lint.rules.unused_suppression import rule as unused_suppression
from session_lint.source import physical_lines
from session_lint.suppress.comments import NOQA, Layout

if TYPE_CHECKING:
    from collections.abc import Iterable

    from session_lint.finding import Finding, Location
    from session_lint.source import Source

_END = re.compile(r"[ \t]*[\r\n]*\Z")
_FURTHER = re.compile(r"\s#(?!\d)")


@dataclass(frozen=True)
class Added:
    """A text with comments.

    :param text: where nothing was added, what it was.
    :param silenced: the findings that the comments silence.
    :param refused: those that no comment was written for, with the reason.
    """

    text: str
    silenced: tuple[Finding, ...]
    refused: tuple[tuple[Finding, str], ...]


def added(source: Source, findings: Iterable[Finding], reason: str = "") -> Added:
    """A module's text with a comment for each finding: ``# noqa: SES101`` at the end of flake8's line.

    A ``noqa`` that is there already gets the codes. Strings, continued lines and line ends stay what they are; done
    again, with what is then found, it changes nothing.

    :param findings: those that are reported in the text.
    :param reason: why they are silenced; with one, the comment is ``# session-lint: allow NAME -- reason``.
    :raises ValueError: where the reason cannot stand in a comment.
    """
    check_reason(reason)
    layout, lines = Layout.of(source), physical_lines(source.text)
    last = {row: rows[-1] for rows in layout.lines for row in rows}
    comments = {comment.place.row: comment for comment in layout.comments}
    by_row: dict[int, list[Finding]] = {}
    refused: list[tuple[Finding, str]] = []
    for finding in findings:
        row = last.get(finding.location.row, 0)
        why = _refusal(finding, row)
        if why:
            refused.append((finding, why))
        else:
            by_row.setdefault(row, []).append(finding)
    for row, some in by_row.items():
        comment = comments.get(row)
        lines[row - 1] = _commented(lines[row - 1], some, reason, comment.place if comment else None)
    return Added("".join(lines), tuple(f for some in by_row.values() for f in some), tuple(refused))


def check_reason(reason: str) -> None:
    """Refuse a reason that would not be read as one.

    :raises ValueError: with what is wrong with it.
    """
    if not reason.isprintable():
        raise ValueError("a reason stands on one line, and has no control characters")
    if _FURTHER.search(f" {reason}"):
        raise ValueError("a reason has no '#' in it, behind which another comment would begin")


def _refusal(finding: Finding, row: int) -> str:
    """Why no comment is written for a finding; empty where one is."""
    if finding.code == not_analysed.code:
        return "a file that is not analysed has no place for it"
    if finding.code == unused_suppression.code:
        return "it is about a comment, which `session-lint fix` puts right"
    return "" if row else "the line is not one of the text"


def _commented(line: str, findings: list[Finding], reason: str, comment: Location | None) -> str:
    """A line with a comment for some findings.

    :param comment: where one begins that it has already.
    """
    codes = sorted({finding.code for finding in findings})
    end = _END.search(line)
    text, rest = (line[: end.start()], end[0].lstrip(" \t")) if end else (line, "")
    if reason:
        return f"{text}  # session-lint: allow {', '.join(catalogue()[code].name for code in codes)} -- {reason}{rest}"
    noqa = NOQA.search(text, comment.column - 1) if comment else None
    if noqa is None or not noqa["codes"]:
        return f"{text}  # noqa: {','.join(codes)}{rest}"
    place = noqa.start("codes") + len(noqa["codes"].rstrip(", \t"))
    return f"{text[:place]},{','.join(codes)}{text[place:]}{rest}"
