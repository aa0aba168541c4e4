"""The findings that a code base had when it began to be checked: recorded once, known again later, and only ever fewer.

An entry says in which file a finding is and by which mark it is known again (:mod:`session_lint.fingerprint`), and how
many there are that are alike in both. No line numbers: they would change with every edit. No bare counts of a code:
they would let a new finding take the place of a mended one.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from session_lint.finding import Finding


@dataclass(frozen=True, order=True)
class Entry:
    """Findings of one file that are alike.

    :param path: the file, from the baseline's folder, with slashes.
    :param code: the rule's.
    :param symbol: the function that they are in, and ``text`` its line: for people only.
    :param fingerprint: the mark by which they are known again.
    :param count: how many there are.
    :param reason: why they were accepted; empty for those that were there from the beginning.
    """

    path: Annotated[str, msgspec.Meta(min_length=1)]
    code: str
    symbol: str
    text: str
    fingerprint: Annotated[str, msgspec.Meta(min_length=1)]
    count: Annotated[int, msgspec.Meta(ge=1)] = 1
    reason: str = ""

    @property
    def mark(self) -> Mark:
        """What no other entry has."""
        return self.path, self.fingerprint


Mark = tuple[str, str]
"""A file and a fingerprint."""


@dataclass(frozen=True)
class Comparison:
    """What was found beside what was recorded.

    :param new: the findings that are not recorded.
    :param known: those that are.
    :param gone: the entries of which nothing is left, or less than they say; ``count`` is how many have gone.
    :param left: the entries without what is gone, those of moved files under their new names.
    """

    new: tuple[Finding, ...] = ()
    known: tuple[Finding, ...] = ()
    gone: tuple[Entry, ...] = ()
    left: tuple[Entry, ...] = ()

    @property
    def number_gone(self) -> int:
        """How many recorded findings are no longer there."""
        return sum(entry.count for entry in self.gone)


def compare(
    entries: Sequence[Entry],
    marked: Sequence[tuple[Finding, Mark]],
    looked: Callable[[Entry], bool],
    exists: Callable[[Entry], bool],
) -> Comparison:
    """Match findings with entries, each of them once.

    A finding is known where its file has an entry with its fingerprint. One whose file has none may have come from a
    file that is gone: it then uses up an entry of that file.

    :param marked: findings with their marks.
    :param looked: whether an entry was looked for.
    :param exists: whether the file of an entry is still there.
    """
    free = Counter({entry.mark: entry.count for entry in entries})
    known: set[int] = set()
    for index, (_, mark) in enumerate(marked):
        if free[mark] > 0:
            free[mark] -= 1
            known.add(index)
    lost = [entry for entry in entries if free[entry.mark] > 0 and not exists(entry)]
    moved = _moved(lost, free, {index: mark for index, (_, mark) in enumerate(marked) if index not in known})
    gone = [replace(e, count=free[e.mark]) for e in entries if free[e.mark] > 0 and looked(e)]
    return Comparison(
        tuple(f for i, (f, _) in enumerate(marked) if i not in known and i not in moved),
        tuple(f for i, (f, _) in enumerate(marked) if i in known or i in moved),
        tuple(gone),
        tuple(_left(entries, gone, moved.values())),
    )


def _moved(lost: Sequence[Entry], free: Counter[Mark], rest: dict[int, Mark]) -> dict[int, tuple[Entry, str]]:
    """Which findings have come from which entry of a file that is gone, and where they are now.

    :param lost: the entries of such files, of which something is left over.
    :param free: how much of each entry is left over, which shrinks.
    :param rest: the findings that are not known yet, by number.
    """
    by_print: dict[str, list[Entry]] = {}
    for entry in lost:
        by_print.setdefault(entry.fingerprint, []).append(entry)
    found: dict[int, tuple[Entry, str]] = {}
    for same_name in (True, False):  # a file that only its folder has changed comes first
        for index, (path, mark) in rest.items():
            if index in found or (path, mark) in free:
                continue
            for entry in by_print.get(mark, ()):
                if free[entry.mark] > 0 and (not same_name or _name(entry.path) == _name(path)):
                    free[entry.mark] -= 1
                    found[index] = entry, path
                    break
    return found


def _name(path: str) -> str:
    return path.rpartition("/")[2]


def _left(entries: Iterable[Entry], gone: Iterable[Entry], moved: Iterable[tuple[Entry, str]]) -> Iterator[Entry]:
    """The entries without what is gone, and with what has moved in its new place."""
    less = Counter({entry.mark: entry.count for entry in gone})
    there = Counter(replace(entry, path=path, count=1) for entry, path in moved)
    less.update(entry.mark for entry, _ in moved)
    for entry in entries:
        if entry.count > less[entry.mark]:
            yield replace(entry, count=entry.count - less[entry.mark])
    yield from merged(replace(entry, count=count) for entry, count in there.items())


def merged(entries: Iterable[Entry]) -> list[Entry]:
    """The entries with one for each mark, which counts them all and has all their reasons."""
    found: dict[Mark, Entry] = {}
    for entry in entries:
        same = found.get(entry.mark)
        if same is None:
            found[entry.mark] = entry
            continue
        reasons = "; ".join(dict.fromkeys(reason for reason in (same.reason, entry.reason) if reason))
        found[entry.mark] = replace(same, count=same.count + entry.count, reason=reasons)
    return sorted(found.values())
