"""The global session is closed in a ``finally``, as a libcst command."""

from __future__ import annotations

from typing import ClassVar

from session_lint.codemods.command import MendCommand


class ClosedGlobalSessionCommand(MendCommand):
    """SES201 and SES202: the entry that leaves the global session open."""

    DESCRIPTION = "Close the global session in a finally of the function or script that uses it."
    CODES: ClassVar[tuple[str, ...]] = ("SES201", "SES202")
