"""The linter's mistakes, seen at run time, in any program that uses SQLAlchemy.

``install()`` follows every session of the process from then on, by SQLAlchemy's events and around the methods of
``Session``. What it sees it reports with the code of the rule, with the stack in which the session was opened, and with
that in which the mistake was made. It changes nothing of what the program does, and keeps no session alive.

It is made for development and tests: each operation costs some microseconds more.
"""

from __future__ import annotations

from session_lint.guard.frames import Frame, Stack
from session_lint.guard.hooks import install, installed, uninstall, watching
from session_lint.guard.report import Report

__all__ = ["Frame", "Report", "Stack", "install", "installed", "uninstall", "watching"]
