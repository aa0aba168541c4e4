"""``check --dependents``: the files that are named, and those of their projects that import them, directly or not.

A hook is told which files a commit changes. Whether another file is right may rest on them: the helper that it calls,
the factory that it imports.
"""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

from session_lint.files import excluded
from session_lint.python.modules import absolute
from session_lint.python.project import project_of
from session_lint.report.concise import shown
from session_lint.source import SourceError, decode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from session_lint.python.project import Project
    from session_lint.settings import Settings


def with_dependents(paths: Sequence[str], settings_of: Callable[[Path], Settings]) -> list[str]:
    """The paths, and the files of their projects that depend on the files among them.

    :param settings_of: the settings that hold for a file; one that they exclude is left out.
    """
    named = [absolute(Path(path)) for path in paths if Path(path).is_file()]
    known = dict.fromkeys(named)
    importing: dict[Path, frozenset[Path]] = {}
    for target in named:
        for found in _importers(target, project_of(target), importing):
            if not excluded(found, settings_of(found)):
                known.setdefault(found)
    return [*paths, *(shown(str(path)) for path in known if path not in named)]


def _importers(target: Path, project: Project, importing: dict[Path, frozenset[Path]]) -> Iterator[Path]:
    """The files that import a file, those that import these, and so on.

    :param importing: what each file imports, as far as it was looked at; grows.
    """
    seen, todo = {target}, [target]
    while todo:
        current = todo.pop()
        for candidate in _candidates(current, project):
            if candidate in seen:
                continue
            if candidate not in importing:
                importing[candidate] = frozenset(_imports(candidate, project))
            if current in importing[candidate]:
                seen.add(candidate)
                todo.append(candidate)
                yield candidate


def _candidates(target: Path, project: Project) -> list[Path]:
    """The files that may import a file: they hold its name, or stand below it and may say ``from . import``."""
    if target.stem != "__init__":
        return project.holding(target.stem)
    below = [path for path in project.layout.files if target.parent in path.parents]
    return [*below, *project.holding(target.parent.name)]


def _imports(path: Path, project: Project) -> Iterator[Path]:
    """The files of the project that a file imports something from."""
    try:
        tree = decode(str(path), project.content(path)).parse()
    except SourceError:
        return
    for dotted in _dotted(ast.walk(tree), path, project):
        found = project.layout.locate(dotted, path.parent)
        if found is not None:
            yield found[0]


def _dotted(nodes: Iterable[ast.AST], path: Path, project: Project) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = _absolute(node, path, project)
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names if alias.name != "*")


def _absolute(node: ast.ImportFrom, path: Path, project: Project) -> str:
    if not node.level:
        return node.module or ""
    package = path.parents[min(node.level, len(path.parents)) - 1]
    name = project.layout.name(package / "__init__.py")
    return f"{name}.{node.module}" if node.module else name
