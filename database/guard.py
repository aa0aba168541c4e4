"""The linter's mistakes, seen at run time: ``SESSION_GUARD=1``, or :func:`install`. It needs session-lint installed."""

from session_lint.guard import Report, install, uninstall, watching

__all__ = ["Report", "install", "uninstall", "watching"]
