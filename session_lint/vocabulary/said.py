"""What a user says that names mean: all that settings have to know of the vocabulary."""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_lint.values import dataclass

if TYPE_CHECKING:
    from session_lint.vocabulary.tables import Meaning


@dataclass(frozen=True)
class Tables:
    """What a user adds: the pairs of a table of names, and those of a table of aliases."""

    names: tuple[tuple[str, Meaning], ...] = ()
    aliases: tuple[tuple[str, str], ...] = ()
