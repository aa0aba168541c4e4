"""What is said at the end of a survey."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from session_lint.report.columns import harmless
from session_lint.report.concise import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from session_lint.survey.results import Row

MOST = 20
"""How many projects are listed."""


def summary(rows: Sequence[Row], codes: Sequence[tuple[str, str, int]]) -> str:
    """How much there was, the projects with the most findings, what was found, and what failed.

    :param rows: one for each project.
    :param codes: the rules with findings: code, name, and how many.
    """
    parts = [_projects(rows), _codes(codes), _failures(rows), _total(rows)]
    return "\n".join(part for part in parts if part)


def _projects(rows: Sequence[Row]) -> str:
    listed = sorted(rows, key=lambda row: (-row.findings, Path(row.project).parts))[:MOST]
    cells = [("project", "files", "lines", "findings")]
    cells += [(harmless(shown(r.project)), f"{r.files:,}", f"{r.lines:,}", f"{r.findings:,}") for r in listed]
    first, *widths = (max(len(row[place]) for row in cells) for place in range(4))
    lines = [
        "  ".join((row[0].ljust(first), *(cell.rjust(width) for cell, width in zip(row[1:], widths, strict=True))))
        for row in cells
    ]
    more = len(rows) - len(listed)
    return "\n".join([*lines, *([f"and {_many(more, 'project')} with fewer findings"] if more else [])]) + "\n"


def _codes(codes: Sequence[tuple[str, str, int]]) -> str:
    width = max((len(f"{count:,}") for *_, count in codes), default=0)
    return "".join(f"{count:>{width},}  {code}  {name}\n" for code, name, count in codes)


def _failures(rows: Sequence[Row]) -> str:
    failed = [row for row in rows if row.failure]
    return "".join(f"failed: {harmless(shown(row.project))}: {harmless(row.failure)}\n" for row in failed)


def _total(rows: Sequence[Row]) -> str:
    files, lines, found, unanalysed = (
        sum(getattr(row, name) for row in rows) for name in ("files", "lines", "findings", "unanalysed")
    )
    failed = sum(bool(row.failure) for row in rows)
    counts = ((len(rows), "project"), (files, "file"), (lines, "line"), (found, "finding"))
    said = [", ".join(_many(number, word) for number, word in counts)]
    said += [f"{_many(unanalysed, 'file')} could not be analysed"] if unanalysed else []
    said += [f"{_many(failed, 'project')} failed"] if failed else []
    return "; ".join(said) + "\n"


def _many(number: int, word: str) -> str:
    """A number of things: "1 file", "9,584 files"."""
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"
