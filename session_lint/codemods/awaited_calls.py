"""A coroutine of a session that nobody runs is awaited, as a libcst command."""

from __future__ import annotations

from typing import ClassVar

from session_lint.codemods.command import MendCommand


class AwaitedCallsCommand(MendCommand):
    """SES801: the coroutines of asynchronous sessions."""

    DESCRIPTION = "Await what is forgotten of an AsyncSession."
    CODES: ClassVar[tuple[str, ...]] = ("SES801",)
