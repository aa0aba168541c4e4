"""What the guard tells: a mistake that a program has made, with where it was made."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from session_lint.guard.frames import Frame, Stack

MESSAGES = {
    "SES101": "a session was not closed",
    "SES102": "a session was not closed after an error",
    "SES103": "a session was used again after it was closed, and not closed again",
    "SES105": "a session was not closed by the object that keeps it",
    "SES201": "the global session was not closed",
    "SES202": "the global session was not closed after an error",
    "SES203": "the global session was closed with changes that were not committed",
    "SES301": "commit() in a scope that commits by itself",
    "SES302": "{call}() in a scope that commits and closes by itself",
    "SES303": "the session of a scope was used after the scope had ended",
    "SES304": "an error was swallowed in a scope, and its transaction went on",
    "SES305": "a session was opened while another one was at work in the same call path",
    "SES401": "a session of another pattern was at work in the same call path",
    "SES501": "the global session was used in a request",
    "SES502": "the session of a request was not closed when the request ended",
    "SES503": "a dependency did not close its session",
    "SES504": "the session of a request was used after the request had ended",
    "SES601": "a session was used by two threads at once",
    "SES602": "a session was used in another process than it was opened in",
    "SES603": "a session was used by two tasks at once",
    "SES604": "a session that was opened while its module was imported was used by a function",
    "SES701": "an error was swallowed, and its transaction went on without rollback()",
    "SES702": "a session was closed with changes that were not committed",
    "SES703": "a transaction was idle for more than {seconds:g} seconds",
    "SES704": "the session of a thread was not removed from its registry",
    "SES802": "a blocking session waited for the database in a running event loop",
}
"""What is said of each code that can be seen at run time."""

logger = logging.getLogger("session_lint.guard")


@dataclass(frozen=True)
class Report:
    """One mistake.

    :param code: the rule's.
    :param message: what happened.
    :param opened: where the session was opened, the innermost call first.
    :param happened: where the mistake was made, if that is another place.
    :param thread: the name of the thread that opened the session.
    :param open: whether the mistake is that the session was left open.
    """

    code: str
    message: str
    opened: Stack
    happened: Stack | None = field(default=None)
    thread: str = ""
    open: bool = False

    @property
    def place(self) -> Frame | None:
        """The program's own line that the mistake is told of."""
        stack = self.opened if self.happened is None else self.happened.program
        return stack[0] if stack else None

    def __str__(self) -> str:
        """The report in full."""
        at = f"{self.place.filename}:{self.place.line}: " if self.place else ""
        where = "" if self.happened is None else f"It happened here:\n{self.happened.program}\n"
        by = f" by the thread {self.thread!r}" if self.thread and self.thread != "MainThread" else ""
        return f"{at}{self.code or 'connection'} {self.message}\n{where}The session was opened{by} here:\n{self.opened}"


class Log:
    """Warnings in the logger ``session_lint.guard``: each mistake once for each place."""

    def __init__(self) -> None:
        self._told: set[tuple[str, Frame | None, Frame | None]] = set()

    def __call__(self, report: Report) -> None:
        """Log a report, unless the same was logged of the same places before."""
        key = (report.code, report.place, report.opened[0] if report.opened else None)
        if key not in self._told:
            self._told.add(key)
            logger.warning("%s", report)
