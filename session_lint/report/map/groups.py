"""What a picture shows as one box: a module, or a package with all that is in it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from session_lint.mapping import Pattern

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from session_lint.mapping import Node, SessionMap

MOST = 40
"""How many boxes a picture has, where nobody says how far packages are opened, and the outermost has no more."""


@dataclass(frozen=True)
class Opening:
    """How far packages are opened.

    :param depth: how many levels; ``None`` for as many as give at most :data:`MOST` boxes.
    :param focus: the package that is shown; empty for all.
    """

    depth: int | None = None
    focus: str = ""


@dataclass(frozen=True)
class Group:
    """A package, or a module.

    :param name: dotted; empty for what is above several packages.
    :param inside: the packages and modules that it is opened to; empty for one that is drawn as a box.
    """

    name: str
    nodes: tuple[Node, ...]
    entries: int = 0
    inside: tuple[Group, ...] = ()

    @property
    def module(self) -> bool:
        """Whether it is a single module."""
        return len(self.nodes) == 1 and self.nodes[0].name == self.name

    @property
    def patterns(self) -> dict[Pattern, int]:
        """How many places use each pattern."""
        counts: Counter[Pattern] = Counter()
        for node in self.nodes:
            counts.update(node.patterns)
        return {pattern: counts[pattern] for pattern in Pattern if counts[pattern]}

    @property
    def mixed(self) -> int:
        """How many modules mix patterns."""
        return sum(node.mixed for node in self.nodes)

    @property
    def open(self) -> int:
        """How many places leave a session open on some way."""
        return sum(node.open for node in self.nodes)

    @property
    def lent(self) -> int:
        """How many places open a session for others: a scope's own, an opener's."""
        return sum(not site.uses for node in self.nodes for site in node.sites)

    def boxes(self) -> Iterator[Group]:
        """What is drawn as a box, from top to bottom."""
        if not self.inside:
            yield self
        for one in self.inside:
            yield from one.boxes()


def grouped(told: SessionMap, opening: Opening) -> Group:
    """The modules that get or close sessions, or enter, in packages that are opened as far as is asked for."""
    entering = {entry.module for entry in told.entries}
    nodes = tuple(node for node in told.modules if node.sites or node.closes or node.name in entering)
    root = _whole("", nodes)
    opened = _levels(root, opening.depth) if opening.depth is not None else _most(root)
    return _counted(root, opened, Counter(entry.module for entry in told.entries))


def _whole(name: str, nodes: tuple[Node, ...]) -> Group:
    """A group by the longest name that all its modules share."""
    split = [node.name.split(".") for node in nodes]
    depth = len(name.split(".")) if name else 0
    while split and all(len(parts) > depth and parts[depth] == split[0][depth] for parts in split):
        depth += 1
    return Group(".".join(split[0][:depth]) if split else name, nodes)


def _split(group: Group) -> tuple[Group, ...]:
    """The packages and modules right below a package, itself too where it has sessions in its ``__init__``."""
    depth = len(group.name.split(".")) if group.name else 0
    parts: dict[str, list[Node]] = {}
    for node in group.nodes:
        parts.setdefault(".".join(node.name.split(".")[: depth + 1]), []).append(node)
    return tuple(_whole(name, tuple(nodes)) for name, nodes in parts.items())


def _levels(root: Group, depth: int) -> dict[Group, Sequence[Group]]:
    opened: dict[Group, Sequence[Group]] = {}
    level = [root]
    for _ in range(depth):
        for group in level:
            if len(group.nodes) > 1:
                opened[group] = _split(group)
        level = [inner for group in level for inner in opened.get(group, ())]
    return opened


def _most(root: Group) -> dict[Group, Sequence[Group]]:
    """Open the outermost package, then the largest that there is room for, again and again."""
    opened: dict[Group, Sequence[Group]] = {}
    closed, boxes = [root], 1
    while closed:
        closed.sort(key=lambda group: (len(group.nodes), group.name))
        group = closed.pop()
        inner = _split(group) if len(group.nodes) > 1 else ()
        if len(inner) > 1 and (group is root or boxes + len(inner) - 1 <= MOST):
            opened[group] = inner
            boxes += len(inner) - 1
            closed += inner
    return opened


def _counted(group: Group, opened: dict[Group, Sequence[Group]], entries: Counter[str]) -> Group:
    inside = tuple(_counted(inner, opened, entries) for inner in opened.get(group, ()))
    return replace(group, entries=sum(entries[node.name] for node in group.nodes), inside=inside)
