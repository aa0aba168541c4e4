"""What a report is about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_lint.values import dataclass, field

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from session_lint.analysis import ModuleFacts
    from session_lint.baseline import Comparison
    from session_lint.finding import Finding
    from session_lint.source import Source


@dataclass(frozen=True)
class Look:
    """How a report for people may look.

    :param colour: whether escape sequences for colours are understood.
    :param width: the columns of the terminal; ``None`` where the output is not one, and nothing is wrapped.
    :param links: whether escape sequences for links (OSC 8) are understood.
    :param encoding: the output's, which decides what characters can be shown.
    """

    colour: bool = False
    width: int | None = None
    links: bool = False
    encoding: str = "utf-8"


@dataclass(frozen=True)
class Run:
    """What a run found.

    :param findings: in the order of their files and places.
    :param checked: how many files were looked at.
    :param source: the text of a file by its name; ``None`` where it is gone.
    :param baseline: what was found beside what is recorded, where a baseline is; ``findings`` are then the new ones.
    :param facts: what the rules were told of a file, by its name; ``None`` where that cannot be had again.
    """

    findings: Sequence[Finding]
    checked: int
    source: Callable[[str], Source | None]
    look: Look = field(default_factory=Look)
    baseline: Comparison | None = None
    facts: Callable[[str], ModuleFacts | None] = field(default=lambda _: None)

    def lines(self, filename: str, cell: int = 0) -> Sequence[str]:
        """The lines of a file, with their ends; none where it is gone.

        :param cell: the cell of a notebook whose lines they are.
        """
        found = self.source(filename)
        return found.lines_of(cell) if found is not None else ()
