"""What ends a run with a message and not with a traceback."""

from __future__ import annotations


class UserError(Exception):
    """Something that whoever started the tool can put right; the message says what, and where."""
