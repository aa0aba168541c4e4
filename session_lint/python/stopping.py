"""Giving up an analysis that nobody waits for any more.

Whoever analyses for a long time looks here now and then; the process of an editor says when an answer has become stale.
What is half worked out then must be forgotten with :func:`session_lint.analysis.renew`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Stopped(BaseException):
    """The answer is not wanted any more; nothing that makes a finding of an error catches it."""


_asked: list[Callable[[], bool]] = []


def stop_when(stale: Callable[[], bool] | None) -> None:
    """Let analyses end where a question is answered with yes; ``None`` for none of them."""
    _asked[:] = [] if stale is None else [stale]


def go_on() -> None:
    """Pass a place where an analysis may be given up.

    :raises Stopped: where its answer is stale.
    """
    if _asked and _asked[0]():
        raise Stopped
