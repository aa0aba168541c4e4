"""Comments that are of no use, or of another use than they look: what SES901 says."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from session_lint.finding import Applicability, Fix, Step
from session_lint.rules import catalogue
from session_lint.rules.file_not_analysed import rule as not_analysed
from session_lint.rules.unused_suppression import BLANKET
from session_lint.rules.unused_suppression import rule as unused_suppression
from session_lint.suppress import names_codes
from session_lint.suppress.comments import names, suppressions
from session_lint.values import replace

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from session_lint.finding import Finding
    from session_lint.source import Source
    from session_lint.suppress.comments import Suppression

_ANY_CODE = re.compile(r"[A-Z]+[0-9]+")
_OUR_CODE = re.compile(r"SES[0-9]+")
_FIRST = re.compile(r"\s*:?\s*([A-Za-z][\w-]*)")
_FURTHER = re.compile(r"[,\s]+([A-Za-z][\w-]*)")
_TOOL = re.compile(
    r"\b(?:type|pylint|mypy|pyright|pyre|pytype|ruff|flake8|fmt|isort|yapf|pragma)\s*:|\b(?:nosec|nosonar|noqa)\b",
    re.IGNORECASE,
)
"""What a comment says to another tool."""
_BETWEEN = " \t-–—:;,."  # noqa: RUF001  (dashes as people write them)
_NEVER_UNUSED = frozenset({not_analysed.code, unused_suppression.code})
"""Another Python may not read the file; and a comment against SES901 has silenced its own."""


def unused(
    source: Source, findings: Iterable[Finding], ran: Collection[str], *, require_reason: bool = False
) -> list[Finding]:
    """A finding for each comment that does not do what it says.

    :param findings: all that was found in the text, before any comment is heard.
    :param ran: the codes that were looked for; nothing else can be called unused.
    :param require_reason: whether a comment has to say why it is there.
    """
    if not names_codes(source.text):
        return []
    found = list(findings)
    told = (_told(source, one, found, ran, require_reason=require_reason) for one in suppressions(source))
    return [finding for finding in told if finding is not None]


def _told(
    source: Source, one: Suppression, findings: list[Finding], ran: Collection[str], *, require_reason: bool
) -> Finding | None:
    """What is wrong with one comment, if anything."""
    idle = _idle_words(one, findings, ran)
    if idle:
        return _unused(source, one, idle)
    meant, end = _meant(one)
    if meant:
        return _blanket(source, one, meant, end)
    ours = not one.flake8 or any(not _foreign(word) for word in one.words)
    if require_reason and ours and not _reason(one):
        return _finding(source, one, "suppression without a reason", f"say why behind `{one.text}`")
    return None


def _idle_words(one: Suppression, findings: Iterable[Finding], ran: Collection[str]) -> list[str]:
    """The words that silence none of some findings, though all that they stand for was looked for."""
    reached = [finding for finding in findings if one.reaches(finding)]
    idle = [word for word in dict.fromkeys(one.words) if not any(names(word, finding) for finding in reached)]
    return [word for word in idle if not _foreign(word) and set(_codes_of(word)) <= {*ran} - _NEVER_UNUSED]


def _unused(source: Source, one: Suppression, words: list[str]) -> Finding:
    unknown = [word for word in words if not _codes_of(word)]
    reason = f"{_listed(words, 'and')} silence{'' if len(words) > 1 else 's'} nothing"
    place = " in this file" if one.rows is None else " on this line" if one.flake8 else " in this statement"
    reason += place if one.rows is None or len(one.rows) > 1 else " on this line"
    reason += f"; there is no rule {_listed(unknown, 'or')}" if unknown else ""
    left = _without(one, words)
    said = f"Remove {_listed(words, 'and')} from the comment" if left else "Remove the comment"
    return _finding(source, one, "unused suppression", reason, _fix(one, said, *(left or _gone(one))))


def _blanket(source: Source, one: Suppression, words: list[str], end: int) -> Finding:
    """A ``noqa`` that names rules in a way that flake8 does not read, up to some place behind it."""
    written = f"# noqa: {','.join(dict.fromkeys(map(_code, words)))}"
    fix = _fix(one, f"Write `{written}`", one.text + one.rest[:end], written)
    return _finding(source, one, BLANKET, f"flake8 takes this for a blanket noqa; write `{written}`", fix)


def _reason(one: Suppression) -> str:
    """Why it is there, in the author's words: behind it, or for ``noqa`` in another comment behind it."""
    said = one.rest.split("#") if one.flake8 else [one.tail]
    return "".join(part.strip(_BETWEEN) for part in said if not _TOOL.match(part.strip()))


def _finding(source: Source, one: Suppression, kind: str, reason: str, fix: Fix | None = None) -> Finding:
    finding = unused_suppression.finding_at(source.filename, one.location, kind=kind, reason=reason)
    step = Step(source.filename, one.location, f"speaks for {_reach(one.rows)}", one.end_location)
    return replace(finding, end_location=one.end_location, trace=(step,), fix=fix)


def _fix(one: Suppression, message: str, old: str, new: str) -> Fix:
    at = (one.location.row, one.location.column)
    return Fix(Applicability.SAFE, message, "reword_comment", (("at", at), ("old", old), ("new", new)))


def _without(one: Suppression, words: list[str]) -> tuple[str, str] | None:
    """The comment before and after some of its words are taken out; ``None`` where none would be left."""
    if {*one.words} <= {*words}:
        return None
    start, end = one.span
    pieces = re.findall(r"[,\s]*[^,\s]+", one.text[start:end])
    left = "".join(piece for piece in pieces if piece.lstrip(", \t") not in words)
    return one.text, one.text[:start] + left.lstrip(", \t") + one.text[end:]


def _gone(one: Suppression) -> tuple[str, str]:
    """The whole comment and what is left of it: what it says to another tool."""
    told = one.tail.strip(_BETWEEN) if _TOOL.search(one.tail) else ""
    return one.text + one.tail, f"# {told}" if told else ""


def _meant(one: Suppression) -> tuple[list[str], int]:
    """The rules that a blanket ``noqa`` names, which flake8 does not read, and where they end.

    None where it names no rule of ours.
    """
    words: list[str] = []
    end = 0
    if one.flake8 and not one.words and one.rows is not None:
        while match := (_FURTHER if words else _FIRST).match(one.rest, end):
            if not (_ANY_CODE.fullmatch(match[1].upper()) or _ours(match[1])):
                break
            words.append(match[1])
            end = match.end()
    return (words, end) if any(map(_ours, words)) else ([], 0)


def _ours(word: str) -> bool:
    """Whether a word is a code or the name of a rule; a beginning such as ``S`` may be a word of prose."""
    return bool(_OUR_CODE.fullmatch(word.upper())) or any(word.lower() == rule.name for rule in catalogue().values())


def _code(word: str) -> str:
    """A word as flake8 reads it."""
    return next((code for code, rule in catalogue().items() if rule.name.upper() == word.upper()), word.upper())


def _reach(rows: range | None) -> str:
    if rows is None:
        return "the whole file"
    return f"line {rows[0]}" if len(rows) == 1 else f"lines {rows[0]} to {rows[-1]}"


def _listed(words: Iterable[str], last: str) -> str:
    *others, final = words
    return f" {last} ".join(part for part in (", ".join(others), final) if part)


def _codes_of(word: str) -> list[str]:
    """The codes that a word of a comment stands for."""
    known = catalogue().items()
    return [code for code, rule in known if code.startswith(word.upper()) or rule.name.upper() == word.upper()]


def _foreign(word: str) -> bool:
    """Whether a word is a code of another tool."""
    return bool(_ANY_CODE.fullmatch(word.upper())) and not _OUR_CODE.fullmatch(word.upper())
