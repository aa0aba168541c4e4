"""A redundant commit in a scope goes, as a libcst command."""

from __future__ import annotations

from typing import ClassVar

from session_lint.codemods.command import MendCommand


class RedundantCommitCommand(MendCommand):
    """SES301: the last statement of a committing scope is a commit."""

    DESCRIPTION = "Delete commits at the end of scopes that commit by themselves."
    CODES: ClassVar[tuple[str, ...]] = ("SES301",)
