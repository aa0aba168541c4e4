"""What a Celery worker does with the global session: a task never meets what another one left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from celery import signals

from .session import close_global_session

if TYPE_CHECKING:
    from celery import Task


def init_app(_app: object = None) -> None:
    """Close the global session after every task, and when a worker process ends.

    A task that writes commits before it returns; one that runs at once, in its caller's process, leaves the session to
    its caller. A worker that was forked has an engine of its own by :mod:`database.session`.
    """
    signals.task_postrun.connect(_end, weak=False)
    signals.worker_process_shutdown.connect(_end, weak=False)


def _end(task: Task | None = None, **_signal: object) -> None:
    if task is None or not task.request.is_eager:
        close_global_session()
