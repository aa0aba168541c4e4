"""A file that could not be read, decoded or parsed, or a function that is too large to be followed.

## What it does
Reports a file that the analysis could not look into, and says why and where; and a function with more ways through it
than can be followed. What was found in a folder and holds no word that has to do with sessions is read, and parsed only
where it is named.

## Why is this bad?
A file that is skipped silently looks clean. The rest of the run goes on; the exit code says that there was a finding.

## Example
```text
def broken(session:  # SES900 syntax error: '(' was never closed
```

Use instead: a file that Python itself can read.

## At run time
A file that cannot be read cannot be run either.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_lint.finding import Severity
from session_lint.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.analysis import ModuleFacts
    from session_lint.finding import Finding


def check(facts: ModuleFacts) -> Iterator[Finding]:
    """One finding for each function that has more ways than can be followed; the engine reports whole files."""
    if not facts.solved and not facts.given_up:
        return
    for code in facts.given_up:
        name = facts.symbol(code)
        where = code if name else facts.first_statement
        yield rule.finding(
            facts, where, symbol=name, reason=f"{name or 'the module body'} has too many ways through it"
        )


rule = Rule(
    __name__,
    code="SES900",
    message="file not analysed: {reason}",
    severity=Severity.ERROR,
    check=check,
)
