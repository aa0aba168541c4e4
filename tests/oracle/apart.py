"""The same program over several files: what it uses stands in another module than the program."""

from __future__ import annotations

import ast
import re
from enum import Enum
from typing import TYPE_CHECKING

from session_lint.analysis import forget
from session_lint.engine import lint_file
from session_lint.settings import Settings
from tests.oracle.program import PROGRAM, headed, mentions

if TYPE_CHECKING:
    from pathlib import Path

    from session_lint.finding import Finding

LEAKS = ("SES101", "SES102")

Verdict = tuple[str, int, str, str]
"""The definition that a finding is in and the line of it, the code, and whether it is an error or a warning."""


class Form(Enum):
    """How the program's module comes to the other one."""

    NAMES = "from aids import …"
    MODULE = "import aids as h"
    RELATIVE = "from .aids import …"
    EXPORTED = "from .aids import …, where aids is a package that has it from elsewhere"
    ABSOLUTE = "from company.inner.aids import …"


def files(text: str, form: Form) -> dict[str, str]:
    """The files of a module taken apart, by their paths."""
    head, program = split(text)
    names = [name for name in defined(head) if mentions(program, name)]
    imported = f"import {', '.join(names)}" if names else "import *"
    aids, package = headed(head), {"company/__init__.py": ""}
    if form is Form.NAMES:
        return {"aids.py": aids, "program.py": headed(program, f"from aids {imported}")}
    if form is Form.MODULE:
        for name in names:
            program = re.sub(rf"\b{name}\b", f"h.{name}", program)
        return {"aids.py": aids, "program.py": headed(program, "import aids as h")}
    if form is Form.RELATIVE:
        return {**package, "company/aids.py": aids, "company/program.py": headed(program, f"from .aids {imported}")}
    if form is Form.ABSOLUTE:
        inner = {**package, "company/inner/__init__.py": "", "company/inner/aids.py": aids}
        return {**inner, "company/program.py": headed(program, f"from company.inner.aids {imported}")}
    return {
        **package,
        "company/aids/__init__.py": f"from .inner {imported}\n",
        "company/aids/inner.py": aids,
        "company/program.py": headed(program, f"from .aids {imported}"),
    }


def split(text: str) -> tuple[str, str]:
    """What a module defines before ``program``, and ``program``; its imports are left out."""
    body = re.sub(r"\A(?:(?:import|from) .*\n)*", "", text)
    head, _, program = body.partition(PROGRAM)
    return head.strip() + "\n", f"{PROGRAM}{program}"


def defined(text: str) -> list[str]:
    """The functions and classes that a text defines."""
    return [node.name for node in ast.parse(text).body if isinstance(node, (ast.FunctionDef, ast.ClassDef))]


def verdicts(text: str, findings: list[Finding]) -> list[Verdict]:
    """Findings by what does not change when definitions move to other places."""
    tops = [node for node in ast.parse(text).body if isinstance(node, (ast.FunctionDef, ast.ClassDef))]
    return [
        (top.name, found.location.row - top.lineno, found.code, found.severity.value)
        for found in findings
        for top in tops
        if top.lineno <= found.location.row <= (top.end_lineno or 0)
    ]


def linted(folder: Path, texts: dict[str, str]) -> list[Verdict]:
    """What the files of a project are told, all of them written to an empty folder."""
    settings = Settings(select=LEAKS, cache=False, root=folder)
    for name, text in {**texts, "pyproject.toml": ""}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    found: list[Verdict] = []
    for name, text in texts.items():
        found += verdicts(text, list(lint_file(folder / name, settings).findings))
    forget()
    return sorted(found)
