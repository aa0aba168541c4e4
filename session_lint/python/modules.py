"""Where a file stands among the packages: its dotted module name."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def module_name(path: Path) -> str:
    """The dotted name that a file is imported by.

    The packages above it are the folders that hold an ``__init__.py``; the first that does not is where imports start.

    :param path: the file; it need not exist.
    :returns: ``package.module``, and ``package`` for an ``__init__.py``.
    """
    path = path.absolute()
    parts = [] if path.name == "__init__.py" else [path.stem]
    folder = path.parent
    while (folder / "__init__.py").is_file() and folder.name:
        parts.append(folder.name)
        folder = folder.parent
    return ".".join(reversed(parts)) or path.stem
