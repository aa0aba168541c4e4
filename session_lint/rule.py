"""What a rule is: one module whose docstring is its page, and one value that says the rest.

From the module alone are derived the kebab-case name, the summary, the page, the examples that the
tests run, and the rule's place in every listing. A rule that lacks one of them is refused when
:mod:`session_lint.rules` is imported, by name.
"""

from __future__ import annotations

import re
import sys
from functools import cached_property
from typing import TYPE_CHECKING

from session_lint.finding import Finding, Fix, Location, Severity, Step
from session_lint.values import dataclass

if TYPE_CHECKING:
    import ast
    from collections.abc import Callable, Iterable

    from session_lint.analysis import ModuleFacts

_STANDING = {
    "on": "on",
    "style": "off, a matter of style; `extend-select` switches it on",
    "young": "off, still young: too few of its findings in real code have been read; `extend-select` switches it on",
}
DOCS = "https://session-lint.readthedocs.io/en/stable/rules/"


class RuleError(Exception):
    """A rule module that lacks something every rule must have."""


@dataclass(frozen=True)
class Example:
    """One Python block of a rule's page.

    :param text: the code.
    :param errors: the lines (from 1) that carry an ``# error`` comment: the rule must report exactly there.
    """

    text: str
    errors: tuple[int, ...]


@dataclass(frozen=True)
class Rule:
    """A rule of the catalogue.

    :param module: the ``__name__`` of the module that defines it; its docstring is the page.
    :param code: ``SES`` and three digits.
    :param message: the fact, with ``{placeholders}`` that :meth:`finding` fills.
    :param severity: what a finding has where :meth:`finding` is not told otherwise.
    :param check: from the facts of a module to findings.
    :param fix: the codemods of :mod:`session_lint.fixes` that mend it; empty when it has none.
    :param style: whether it is a matter of taste, and runs only where it is selected.
    :param young: whether too few of its findings in real code have been reviewed; it, too, runs only where selected.
    """

    module: str
    code: str
    message: str
    severity: Severity
    check: Callable[[ModuleFacts], Iterable[Finding]]
    fix: tuple[str, ...] = ()
    style: bool = False
    young: bool = False

    def __post_init__(self) -> None:
        """Refuse a rule without a code or a page."""
        if not self.code.startswith("SES") or not self.code[3:].isdecimal() or len(self.code) != len("SES101"):
            raise RuleError(f"{self.module}: code {self.code!r} is not SES and three digits")
        page = sys.modules[self.module].__doc__ or ""
        if not page.strip():
            raise RuleError(f"{self.module}: the module has no docstring, which is the rule's page")
        for heading in ("## What it does", "## Why is this bad?", "## Example"):
            if heading not in page:
                raise RuleError(f"{self.module}: the page has no section {heading!r}")

    @property
    def default(self) -> bool:
        """Whether it runs when nothing is selected."""
        return not (self.style or self.young)

    @property
    def status(self) -> str:
        """``on``, or why it is off by default: ``style`` or ``young``."""
        return "on" if self.default else "style" if self.style else "young"

    @property
    def standing(self) -> str:
        """What it does by default, and why, in words."""
        return _STANDING[self.status]

    @cached_property
    def doc(self) -> str:
        """The page, in Markdown."""
        import inspect  # noqa: PLC0415  (most runs print no page)

        return inspect.cleandoc(sys.modules[self.module].__doc__ or "")

    @property
    def name(self) -> str:
        """The kebab-case name, which is the module's."""
        return self.module.rpartition(".")[2].replace("_", "-")

    @property
    def summary(self) -> str:
        """The first line of the page, without its period."""
        return self.doc.partition("\n")[0].rstrip(".")

    @property
    def url(self) -> str:
        """Where the page is published."""
        return f"{DOCS}{self.name}.html"

    @property
    def examples(self) -> tuple[Example, ...]:
        """The Python blocks of the page, in order."""
        blocks = re.findall(r"```python\n(.*?)```", self.doc, re.DOTALL)
        return tuple(Example(text, error_lines(text)) for text in blocks)

    def finding(
        self,
        facts: ModuleFacts,
        node: ast.AST,
        *,
        symbol: str = "",
        trace: Iterable[Step] = (),
        severity: Severity | None = None,
        fix: Fix | None = None,
        refusal: str = "",
        **words: object,
    ) -> Finding:
        """A finding of this rule at a node of the module."""
        source = facts.source
        return Finding(
            code=self.code,
            name=self.name,
            message=self.message.format(**words),
            filename=source.filename,
            location=source.start(node),
            end_location=source.end(node),
            symbol=symbol,
            severity=severity or self.severity,
            trace=tuple(trace),
            fix=fix,
            refusal=refusal,
            url=self.url,
        )

    def finding_at(self, filename: str, location: Location, **words: object) -> Finding:
        """A finding of this rule in a file that has no facts."""
        return Finding(
            code=self.code,
            name=self.name,
            message=self.message.format(**words),
            filename=filename,
            location=location,
            end_location=location,
            symbol="",
            severity=self.severity,
            url=self.url,
        )


def error_lines(text: str) -> tuple[int, ...]:
    """The lines of an example (from 1) that end in an ``# error`` comment."""
    return tuple(row for row, line in enumerate(text.splitlines(), 1) if re.search(r"#\s*error\b", line))
