"""The run on several processes: files in portions out, reports in the files' order back.

It is imported when there are files enough: starting processes is slower than linting a few files.
"""

from __future__ import annotations

import multiprocessing
import signal
import sys
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from typing import TYPE_CHECKING

from session_lint import keeping, stages
from session_lint.collecting import collect_seldom
from session_lint.engine import FileReport, failed, lint_file, prepare
from session_lint.python.project import root_of_project

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from session_lint.settings import Settings

CHUNK = 32  # files handed to a process at once, at most


def lint_on(
    processes: int, paths: Sequence[Path], settings: Settings, thorough: frozenset[Path]
) -> Iterator[FileReport]:
    """The findings in files, one report each, in the order of the files.

    Whoever is interrupted, or stops asking, ends the processes at once, in the middle of what they do: what they keep
    between runs, they keep in transactions.

    :param thorough: those that are parsed whatever they hold.
    """
    batches = _batches(paths, settings, processes)
    reports: dict[Path, FileReport] = {}
    others = set(multiprocessing.active_children())
    pool = _pool(processes)
    try:
        largest = sorted(batches, key=len, reverse=True)
        begun = {
            tuple(batch): pool.submit(_lint_batch, batch, settings, thorough.intersection(batch)) for batch in largest
        }
        for batch in batches:
            found, spent = begun[tuple(batch)].result()
            stages.add(spent)
            for path, report in zip(batch, found, strict=True):
                reports[path] = report
                yield report
        pool.shutdown()  # in peace: one that is left to the end of the process closes its pipes under its own threads
    except BrokenProcessPool:
        yield from _one_by_one([path for path in paths if path not in reports], settings, thorough)
    except BaseException:
        for process in set(multiprocessing.active_children()) - others:
            process.terminate()
        raise
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _batches(paths: Sequence[Path], settings: Settings, processes: int) -> list[list[Path]]:
    """The files in the portions that processes get, in their order.

    A project is one portion: what is learnt about it once serves all its files. One that is too large for that is
    learnt about beforehand, so that all processes have it, and dealt out in pieces.
    """
    projects: dict[Path, list[Path]] = {}
    for path in paths:
        projects.setdefault(root_of_project(path) if settings.whole_project else path.parent, []).append(path)
    found: list[list[Path]] = []
    for files in projects.values():
        piece = len(files)
        if piece * processes > len(paths):
            piece = max(1, min(CHUNK, len(files) // (processes * 4)))
            if settings.whole_project:
                prepare(files[0], settings)
        found += [files[start : start + piece] for start in range(0, len(files), piece)]
    return found


def _lint_batch(
    paths: Sequence[Path], settings: Settings, thorough: frozenset[Path]
) -> tuple[list[FileReport], dict[str, float]]:
    """The reports on some files, and what the time went into."""
    root = root_of_project(paths[0])
    for other in _under_way - {root}:
        keeping.leave(other)  # what is learnt of a project serves its files only, which come one after the other
    _under_way.clear()
    _under_way.add(root)
    stages.taken()
    return [lint_file(path, settings, thorough=path in thorough) for path in paths], stages.taken()


_under_way: set[Path] = set()
"""The project whose files this process was given last."""


def _one_by_one(paths: Sequence[Path], settings: Settings, thorough: frozenset[Path]) -> Iterator[FileReport]:
    """Go on after a process has died, in another one, to name the file that kills it."""
    pool = _pool(1)
    for path in paths:
        try:
            yield pool.submit(partial(lint_file, thorough=path in thorough), path, settings).result()
        except BrokenProcessPool:
            pool = _pool(1)
            dead = failed(str(path), settings, "internal error: the process that analysed it has died")
            yield FileReport(str(path), tuple(dead))
    pool.shutdown()


def _pool(processes: int) -> ProcessPoolExecutor:
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    return ProcessPoolExecutor(processes, context, _begin)


def _begin() -> None:
    """Begin as one of several processes: an interruption is the first one's business, which ends this one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    collect_seldom()
