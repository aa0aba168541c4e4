"""The words that every floor shares: Location, Step, Edit, Fix, Finding.

All of them are frozen values without behaviour of their own, so that they cross process
borders and sort in a stable order.
"""

from __future__ import annotations

from enum import Enum
from functools import total_ordering

from session_lint.values import dataclass, field


class Severity(str, Enum):
    """How much a finding matters.

    ``ERROR`` loses data, exhausts the pool or raises; ``WARNING`` does so in some circumstances;
    ``STYLE`` is legal but against the documented pattern.
    """

    ERROR = "error"
    WARNING = "warning"
    STYLE = "style"


class Applicability(str, Enum):
    """How far to trust a fix: ``SAFE`` provably writes the same, ``UNSAFE`` needs the author's eye."""

    SAFE = "safe"
    UNSAFE = "unsafe"


@total_ordering
@dataclass(frozen=True)
class Location:
    """A place in a text: ``row`` from 1, ``column`` in characters from 1.

    :param cell: the cell of a notebook that ``row`` counts in, from 1 among all its cells; 0 in other files.
    """

    row: int
    column: int
    cell: int = 0

    def __lt__(self, other: Location) -> bool:
        return (self.cell, self.row, self.column) < (other.cell, other.row, other.column)


@dataclass(frozen=True)
class Step:
    """One stop on the way that leads to a fault, a short clause: "opened here".

    :param end_location: where what it is about ends, exclusive; of a compound statement that is its head. It tells no
        two steps apart.
    """

    filename: str
    location: Location
    message: str
    end_location: Location | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Edit:
    """Text to put in place of what stands between two locations (end exclusive)."""

    content: str
    location: Location
    end_location: Location


@dataclass(frozen=True)
class Fix:
    """What would mend a finding.

    :param applicability: how far to trust it.
    :param message: the cure, an imperative: "Open the session in a scope".
    :param codemod: which codemod carries it out, a module of :mod:`session_lint.fixes`.
    :param plan: what that codemod needs to know, as plain values; only it reads them.
    :param reason: why the fix is not safe, in words the author can act on; empty when it is.
    """

    applicability: Applicability
    message: str
    codemod: str
    plan: tuple[tuple[str, object], ...]
    reason: str = ""


@dataclass(frozen=True)
class Finding:
    """One fault, with the way that leads to it.

    :param code: ``SES`` and three digits.
    :param name: the rule's kebab-case name.
    :param message: the fact, present tense, without a final period.
    :param location: where it is reported; ``end_location`` is exclusive.
    :param symbol: the qualified name of the function that holds it, empty for a module body.
    :param trace: the way to the fault, in the order the program takes it.
    :param fix: what would mend it, or ``None``.
    :param refusal: why there is no fix, empty when nothing was tried.
    :param url: the rule's page.
    """

    code: str
    name: str
    message: str
    filename: str
    location: Location
    end_location: Location
    symbol: str
    severity: Severity
    trace: tuple[Step, ...] = ()
    fix: Fix | None = None
    refusal: str = ""
    url: str = ""

    @property
    def mark(self) -> str:
        """What a line of a report puts behind the code: `` [*]`` where `fix` mends it safely."""
        return " [*]" if self.fix is not None and self.fix.applicability is Applicability.SAFE else ""
