"""What the author has silenced: comments that take findings of their line, or of their file, out of the report.

=====================================================  ==============================================================
``# noqa``                                             everything on the line
``# noqa: SES101,E501``                                the codes that begin so
``# session-lint: allow session-not-closed -- reason`` the rules of these names, or the codes that begin so
``# session-lint: ignore[SES201] reason``              the same
``# session-lint: ignore``                             everything of ours
``# flake8: noqa``                                     everything in the file, on a line of its own
``# session-lint: allow-file session-not-closed``      the rules of these names in the file, on a line of its own
``# session-lint: ignore-file``                        everything of ours in the file; with ``[SES201]``, only that
=====================================================  ==============================================================

A line of ``noqa`` is what flake8 takes for one: the lines that a string or a backslash joins belong together, those
inside brackets do not. A comment of our own speaks for the whole statement that it stands in, for a compound statement
up to its colon, with the decorators above it.

``comments`` reads them, ``idle`` finds those that are of no use, ``adding`` writes new ones. They are imported where
there are comments that may matter.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from session_lint.finding import Finding
    from session_lint.source import Source


def names_codes(text: str) -> bool:
    """Whether a comment of a text may name codes of ours; quick, and says yes more often than it should."""
    if "#" not in text:
        return False
    lowered = text.lower()
    return "session-lint" in lowered or ("noqa" in lowered and bool(_noqa_of_ours().search(lowered)))


@cache
def _noqa_of_ours() -> re.Pattern[str]:
    from session_lint.rules import names  # noqa: PLC0415  (few texts need it)

    return re.compile(rf"noqa[^\n]*(?:ses\d|{'|'.join(names())})")


def heard(source: Source, findings: list[Finding], *, noqa: bool = True) -> list[Finding]:
    """The findings that no comment silences.

    :param noqa: whether flake8's comments count; the flake8 plugin leaves them to flake8.
    """
    if not findings or "#" not in source.text:
        return findings
    from session_lint.suppress.comments import suppressions  # noqa: PLC0415  (see above)

    silence = [one for one in suppressions(source) if noqa or not one.flake8]
    return [finding for finding in findings if not any(one.covers(finding) for one in silence)]
