"""Code that is nested deeper than some Pythons read, whatever stack they get."""

from __future__ import annotations

import ast
import sys
import threading

SUM = "x = " + " + ".join(["1"] * 20_000) + "\n"
"""An addition of so many terms is that many levels of syntax."""


def readable() -> bool:
    """Whether this Python reads :data:`SUM` on a deep stack; from 3.12 on its parser has a limit of its own."""
    trees: list[ast.Module] = []

    def parse() -> None:
        try:
            trees.append(ast.parse(SUM))
        except (RecursionError, MemoryError):
            return

    frames, stack = sys.getrecursionlimit(), threading.stack_size(512 * 1024 * 1024)
    try:
        sys.setrecursionlimit(100_000)
        thread = threading.Thread(target=parse)
        thread.start()
        thread.join()
    finally:
        threading.stack_size(stack)
        sys.setrecursionlimit(frames)
    return bool(trees)
