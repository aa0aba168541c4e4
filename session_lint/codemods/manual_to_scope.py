"""Manual session management becomes a ``with``, as a libcst command."""

from __future__ import annotations

from typing import ClassVar

from session_lint.codemods.command import MendCommand


class ManualToScopeCommand(MendCommand):
    """SES101, SES102 and SES104: a scope or a ``with`` where a session is managed by hand."""

    DESCRIPTION = "Open sessions in a scope where they are managed by hand and the program provably writes the same."
    CODES: ClassVar[tuple[str, ...]] = ("SES101", "SES102", "SES104")
