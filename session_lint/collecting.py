"""How often Python looks for garbage in a process that lints."""

from __future__ import annotations

import gc


def collect_seldom() -> None:
    """Let this process look for garbage seldom: syntax trees are many objects, which stay and are looked at again."""
    gc.set_threshold(100_000, 20, 50)
