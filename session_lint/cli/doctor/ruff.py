"""Whether ruff leaves our ``# noqa`` comments alone."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from session_lint.cli.doctor.advice import Advice

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CURE = 'add external = ["SES"] to its [lint] table ([tool.ruff.lint] in pyproject.toml)'
_MOST_EXTENDED = 10  # files that extend each other; ruff refuses a circle


def ruff(root: Path) -> Iterator[Advice]:
    """Ruff takes ``# noqa: SES101`` for a mistake, and its fix removes it, unless it is told of our codes."""
    for name in (".ruff.toml", "ruff.toml", "pyproject.toml"):  # ruff's own order; the first one counts
        table = _table(root / name)
        if table is not None:
            if not any("SES".startswith(code) for code in _external(root / name)):
                yield Advice(root / name, "ruff does not know our codes: it removes `# noqa: SES101` (RUF100)", CURE)
            return


def _external(file: Path) -> list[str]:
    """The codes that ruff leaves alone by a file, or by one that it extends."""
    for _ in range(_MOST_EXTENDED):
        table = _table(file) or {}
        lint = table.get("lint", {})
        found = lint.get("external", table.get("external")) if isinstance(lint, dict) else None
        if isinstance(found, list):
            return [code for code in found if isinstance(code, str) and code]
        if not isinstance(table.get("extend"), str):
            return []
        file = file.parent / table["extend"]
    return []


def _table(file: Path) -> dict[str, Any] | None:
    """Ruff's settings in a file; ``None`` where it has none, or is not TOML, which ruff itself says."""
    try:
        content = tomllib.loads(file.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    found = content if file.name != "pyproject.toml" else content.get("tool", {}).get("ruff")
    return found if isinstance(found, dict) else None
