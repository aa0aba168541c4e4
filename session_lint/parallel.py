"""The run on several processes: files in shares out, reports in the files' order back.

It is imported when there are files enough: starting processes is slower than linting a few files.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from session_lint import keeping, stages
from session_lint.apart import POSSIBLE, apart, end_with
from session_lint.collecting import ONE_RUN, collect_seldom
from session_lint.engine import FileReport, failed, lint_file, prepare
from session_lint.python.project import root_of_project
from session_lint.rules import catalogue

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from multiprocessing.context import BaseContext
    from pathlib import Path

    from session_lint.settings import Settings

CHUNK = 32
"""How many files of a project that is dealt out are one share, at most."""
MANY = 100
"""How many files of a project are worth a process that ends with them."""


class Share(NamedTuple):
    """Files that one process looks at, one after the other.

    :param run: of a project that is dealt out: which of the processes begins with it. What a process has learnt of the
        files beside these serves them, too, so each goes through a run of its own, and helps others with the end of
        theirs.
    """

    paths: list[Path]
    project: Path
    run: int | None = None


def lint_on(
    processes: int, paths: Sequence[Path], settings: Settings, thorough: frozenset[Path]
) -> Iterator[FileReport]:
    """The findings in files, one report each, in the order of the files.

    Whoever is interrupted, or stops asking, ends the processes at once, in the middle of what they do: what they keep
    between runs, they keep in transactions. An interruption gives what is there already, and then goes on.

    :param thorough: those that are parsed whatever they hold.
    """
    shares = shares_of(paths, settings, processes)
    catalogue()  # all of them need the rules
    reports: dict[Path, FileReport] = {}
    others = set(multiprocessing.active_children())
    context = _context()
    work = _Work(shares, settings, thorough, _Taken(context, len(shares)))
    pool = ProcessPoolExecutor(processes, context, _begin, (work,))
    told = 0
    try:
        for done in as_completed([pool.submit(_lint_next) for _ in shares]):
            index, found, spent = done.result()
            stages.add(spent)
            reports.update(zip(shares[index].paths, found, strict=True))
            while told < len(paths) and paths[told] in reports:
                yield reports[paths[told]]
                told += 1
        pool.shutdown()  # in peace: one that is left to the end of the process closes its pipes under its own threads
    except BrokenProcessPool:
        yield from _one_by_one(paths[told:], reports, settings, thorough)
    except BaseException as error:
        for process in set(multiprocessing.active_children()) - others:
            process.terminate()
        if isinstance(error, KeyboardInterrupt):
            yield from (reports[path] for path in paths[told:] if path in reports)
        raise
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def shares_of(paths: Sequence[Path], settings: Settings, processes: int) -> list[Share]:
    """The files in the shares that processes get.

    A project is one share: what is learnt about it once serves all its files. One that is too large for that is learnt
    about beforehand, so that all processes have it, and dealt out.
    """
    projects: dict[Path, list[Path]] = {}
    for path in paths:
        projects.setdefault(root_of_project(path) if settings.whole_project else path.parent, []).append(path)
    found: list[Share] = []
    for project, files in projects.items():
        if len(files) * processes <= len(paths):
            found.append(Share(files, project))
            continue
        if settings.whole_project:
            prepare(files[0], settings)
        piece = max(1, min(CHUNK, len(files) // (processes * 4)))
        starts = range(0, len(files), piece)
        found += [Share(files[s : s + piece], project, n * processes // len(starts)) for n, s in enumerate(starts)]
    return found


def choose(shares: Sequence[Share], taken: Sequence[int], process: int) -> int:
    """The share that a process takes next, of those that are not taken; there is one.

    First those of a project that is dealt out: the next of its own run, or else the last of the run with most left.
    Then whole projects, the largest first.
    """
    left = [index for index, mark in enumerate(taken) if not mark]
    dealt = [index for index in left if shares[index].run is not None]
    if not dealt:
        return max(left, key=lambda index: len(shares[index].paths))
    dealt = [index for index in dealt if shares[index].project == shares[dealt[0]].project]
    own = [index for index in dealt if shares[index].run == process]
    if own:
        return own[0]
    most = Counter(shares[index].run for index in dealt).most_common(1)[0][0]
    return [index for index in dealt if shares[index].run == most][-1]


class _Taken:
    """Which shares are taken, in memory that all processes see."""

    def __init__(self, context: BaseContext, count: int) -> None:
        self._marks = context.Array("b", count)
        self._begun = context.Value("i", 0)

    def number(self) -> int:
        """A number of its own for each process that asks, from 0."""
        with self._begun.get_lock():
            self._begun.value += 1
            return int(self._begun.value) - 1

    def take(self, shares: Sequence[Share], process: int) -> int:
        """Take the next share for a process."""
        with self._marks.get_lock():
            index = choose(shares, self._marks[:], process)
            self._marks[index] = 1
            return index


class _Work(NamedTuple):
    """What there is to do, which each process knows from its beginning."""

    shares: list[Share]
    settings: Settings
    thorough: frozenset[Path]
    taken: _Taken


class _Process:
    """What one of the processes is about."""

    work: _Work
    number: int
    project: Path | None = None


def _lint_next() -> tuple[int, list[FileReport], dict[str, float]]:
    """The number of a share, the reports on its files, and what the time went into."""
    work = _Process.work
    index = work.taken.take(work.shares, _Process.number)
    share = work.shares[index]
    if _Process.project not in (None, share.project):
        keeping.leave(_Process.project)  # what is learnt of a project serves its files only
        _Process.project = None
    if POSSIBLE and share.run is None and len(share.paths) > MANY:
        try:
            return index, *apart(partial(_lint_apart, share, work))
        except ChildProcessError:
            os._exit(1)  # which is found out about as if it had been this one's own end
    _Process.project = share.project
    return index, *_lint(share, work)


def _lint(share: Share, work: _Work) -> tuple[list[FileReport], dict[str, float]]:
    """The reports on the files of a share, and what the time went into."""
    stages.taken()
    found = [lint_file(path, work.settings, thorough=path in work.thorough) for path in share.paths]
    return found, stages.taken()


def _lint_apart(share: Share, work: _Work) -> tuple[list[FileReport], dict[str, float]]:
    try:
        return _lint(share, work)
    finally:
        keeping.close()


def _one_by_one(
    paths: Sequence[Path], reports: dict[Path, FileReport], settings: Settings, thorough: frozenset[Path]
) -> Iterator[FileReport]:
    """Go on after a process has died, in another one, to name the file that kills it.

    :param reports: those that are there already.
    """
    pool = ProcessPoolExecutor(1, _context(), _begin)
    for path in paths:
        if path in reports:
            yield reports[path]
            continue
        try:
            yield pool.submit(partial(lint_file, thorough=path in thorough), path, settings).result()
        except BrokenProcessPool:
            pool = ProcessPoolExecutor(1, _context(), _begin)
            dead = failed(str(path), settings, "internal error: the process that analysed it has died")
            yield FileReport(str(path), tuple(dead))
    pool.shutdown()


def _context() -> BaseContext:
    return multiprocessing.get_context("fork" if POSSIBLE else "spawn")


def _begin(work: _Work | None = None) -> None:
    """Begin as one of several processes: an interruption is the first one's business, which ends this one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    first = multiprocessing.parent_process()
    if POSSIBLE and first is not None and first.pid is not None:
        end_with(first.pid)
    collect_seldom(ONE_RUN)
    if work is not None:
        _Process.work, _Process.number = work, work.taken.number()
