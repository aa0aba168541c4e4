"""A file that could not be read, decoded or parsed.

## What it does
Reports a file that the analysis could not look into, and says why and where.

## Why is this bad?
A file that is skipped silently looks clean. The rest of the run goes on; the exit code says that there was a finding.

## Example
```text
def broken(:  # SES900 syntax error: invalid syntax
```

Use instead: a file that Python itself can read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_lint.finding import Severity
from session_lint.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterable

    from session_lint.analysis import ModuleFacts
    from session_lint.finding import Finding


def check(_facts: ModuleFacts) -> Iterable[Finding]:
    """Nothing: a file that has facts was analysed. The engine reports the others."""
    return ()


rule = Rule(
    __name__,
    code="SES900",
    message="file not analysed: {reason}",
    severity=Severity.ERROR,
    check=check,
)
