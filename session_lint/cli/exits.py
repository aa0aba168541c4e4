"""The exit codes of all commands."""

from __future__ import annotations

CLEAN, FOUND, FAILED, INTERRUPTED = 0, 1, 2, 130
