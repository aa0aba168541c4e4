"""What the doctor says: what is wrong, where, and what to change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Advice:
    """One thing to change.

    :param file: where.
    :param wrong: the fact.
    :param cure: what to do, an imperative.
    """

    file: Path
    wrong: str
    cure: str
