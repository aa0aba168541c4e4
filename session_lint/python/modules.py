"""Where a file stands among the packages: its dotted module name."""

from __future__ import annotations

import os
from pathlib import Path


def absolute(path: Path) -> Path:
    """One name for a file, however it was named: from the root, without ``..``, which would be a folder like others.

    Links are left as they are.
    """
    return Path(os.path.abspath(path))  # noqa: PTH100  (pathlib either keeps `..` or follows links)


def module_name(path: Path) -> str:
    """The dotted name that a file is imported by.

    The packages above it are the folders that hold an ``__init__.py``; the first that does not is where imports start.

    :param path: the file; it need not exist.
    :returns: ``package.module``, and ``package`` for an ``__init__.py``.
    """
    path = absolute(path)
    parts = [] if path.name == "__init__.py" else [path.stem]
    folder = path.parent
    while (folder / "__init__.py").is_file() and folder.name:
        parts.append(folder.name)
        folder = folder.parent
    return ".".join(reversed(parts)) or path.stem
