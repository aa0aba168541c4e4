"""A comment that names a rule to silence it, where the rule has nothing to say.

## What it does
Reports a `# noqa: SES…` that silences nothing on its line, a `# session-lint: allow …` or `# session-lint: ignore[…]`
that silences nothing in its statement, and a `# flake8: noqa: SES…`, `# session-lint: allow-file …` or
`# session-lint: ignore-file[…]` that silences nothing in its file. It names the codes in question; the others of the
comment are still needed.

Reports, too, a `# noqa` that names rules in a way that flake8 does not read (`# noqa: session-not-closed`,
`# noqa SES101`, `# noqa : SES101`): flake8 silences everything on the line. As it would silence this finding as well,
the flake8 plugin puts it on line 1.

With `require-reason = true` in the settings, reports each comment against our rules that does not say why it is there.

Only rules that ran can be called unused: a comment against a rule that is not selected stays. A beginning of a code
(`SES1`) is unused where all rules that it stands for ran and were silent. Codes of other tools and a `# noqa` without
codes are not looked at, and neither is a file that could not be analysed. A code that does not exist is always unused.

## Why is this bad?
Somebody has mended the code, or the line has moved away from its comment. The comment stays and hides the next mistake
on that line. One that is misspelt never silenced anything.

## Example
```python
from sqlalchemy.orm import Session


def load(engine, query):
    with Session(engine) as session:  # noqa: SES101  # error
        return session.scalars(query).all()
```

Use instead:
```python
from sqlalchemy.orm import Session


def load(engine, query):
    with Session(engine) as session:
        return session.scalars(query).all()
```

## Fix safety
A comment changes nothing that a program does. The fix takes out the words that silence nothing, or the comment with its
reason when no word is left; codes of other tools stay, and so does what the comment says to another tool. For a blanket
comment it writes the codes of the rules that it names: what else is found on the line is then reported.

## Exceptions
A comment that has to stay, because other settings need it, says so: `# noqa: SES101,SES901`.

## At run time
This is about comments, which do nothing there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_lint.finding import Severity
from session_lint.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.analysis import ModuleFacts
    from session_lint.finding import Finding


BLANKET = "blanket suppression"
"""What a finding begins with that flake8 would silence by the very comment that it is about."""


def check(_facts: ModuleFacts) -> Iterator[Finding]:
    """Nothing: what a comment silences shows once all rules have spoken, and is told where comments are heard."""
    return iter(())


rule = Rule(
    __name__,
    code="SES901",
    message="{kind}: {reason}",
    severity=Severity.WARNING,
    check=check,
    fix=("reword_comment",),
)
