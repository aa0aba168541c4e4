"""A generator that lends its session closes it whatever happens, as a libcst command."""

from __future__ import annotations

from typing import ClassVar

from session_lint.codemods.command import MendCommand


class LentSessionsCommand(MendCommand):
    """SES503: dependencies and fixtures."""

    DESCRIPTION = "Open the sessions that generators lend in a with."
    CODES: ClassVar[tuple[str, ...]] = ("SES503",)
