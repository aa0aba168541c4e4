"""Write the tables of the vocabulary as a module, which a start reads in a hundredth of the time that TOML takes.

python docs/tables.py
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FOLDER = Path(__file__).resolve().parent.parent / "session_lint" / "vocabulary"
MODULE = FOLDER / "compiled.py"
HEAD = '''"""The TOML tables of this folder as Python has them; made by ``python docs/tables.py``, not by hand."""

from __future__ import annotations

from typing import Any

CONTENT: dict[str, dict[str, Any]] = {
'''


def main() -> None:
    """Write the module."""
    MODULE.write_text(module(), "utf-8")


def module() -> str:
    """The text of the module: a line for each entry."""
    return f"{HEAD}{''.join(map(_table, sorted(FOLDER.glob('*.toml'))))}}}\n"


def _table(file: Path) -> str:
    content = tomllib.loads(file.read_text("utf-8"))
    parts = "".join(f"        {_said(key)}: {{\n{_entries(entries)}        }},\n" for key, entries in content.items())
    return f"    {_said(file.stem)}: {{\n{parts}    }},\n"


def _entries(entries: dict[str, Any]) -> str:
    return "".join(f"            {_said(name)}: {_said(entry)},\n" for name, entry in entries.items())


def _said(value: Any) -> str:  # noqa: ANN401  (whatever TOML has)
    """A value as Python has it, in double quotes."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_said(key)}: {_said(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return f"({', '.join(map(_said, value))}{',' * (len(value) == 1)})"
    return json.dumps(value) if isinstance(value, str) else repr(value)


if __name__ == "__main__":
    main()
