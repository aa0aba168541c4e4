"""A finding and the steps of its way as marks on the lines of files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_lint.report.columns import harmless
from session_lint.values import dataclass

if TYPE_CHECKING:
    from session_lint.finding import Finding, Location


@dataclass(frozen=True)
class Mark:
    """What is marked of a file, and what is said of it.

    :param end: exclusive.
    :param labels: what to say, one below the other; numbered in the order of the way where it has several steps.
    :param main: whether it is what the finding is about.
    """

    start: Location
    end: Location
    labels: tuple[str, ...]
    main: bool


def marks(finding: Finding) -> dict[tuple[str, int], list[Mark]]:
    """The marks of a finding by the names of their files, with the cell of a notebook: its own first, then on the way.

    Steps at one place are one mark, and so is what is said twice: ``2, 5: this may raise``.
    """
    said: dict[tuple[str, Location, Location], dict[str, list[int]]] = {}
    own = (finding.filename, finding.location, _own_end(finding))
    said[own] = {}
    for number, step in enumerate(finding.trace, 1):
        place = (step.filename, step.location, step.end_location or step.location)
        if place[:2] == own[:2] and place[2] == step.location:
            place = own
        said.setdefault(place, {}).setdefault(step.message, []).append(number)
    found: dict[tuple[str, int], list[Mark]] = {}
    for (filename, start, end), messages in said.items():
        labels = tuple(_label(message, numbers, len(finding.trace)) for message, numbers in messages.items())
        mark = Mark(start, end, labels, main=(filename, start, end) == own)
        found.setdefault((filename, start.cell), []).append(mark)
    return found


def _own_end(finding: Finding) -> Location:
    """Where a finding ends on its first line: a step at the same place knows where the head of a block does."""
    if finding.end_location.row == finding.location.row:
        return finding.end_location
    same = (s for s in finding.trace if (s.filename, s.location) == (finding.filename, finding.location))
    return next((step.end_location for step in same if step.end_location is not None), finding.end_location)


def _label(message: str, numbers: list[int], steps: int) -> str:
    said = harmless(message)
    return said if steps == 1 else f"{', '.join(map(str, numbers))}: {said}"
