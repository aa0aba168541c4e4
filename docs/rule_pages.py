"""What the documentation says about the rules, written from the rules themselves.

``python docs/rule_pages.py`` brings the table in the README in step with the catalogue; the pages under
``docs/rules/`` are written by every build.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from session_lint.rules import catalogue

if TYPE_CHECKING:
    from session_lint.rule import Rule

HERE = Path(__file__).resolve().parent
README = HERE.parent / "README.md"
ABOUT = """\
The first digit says what a rule is about: 1 sessions that are opened by hand, 2 the global session, 3 scopes,
4 patterns, 5 requests, 6 threads, processes and tasks, 7 transactions, 8 asyncio, 9 the tool itself.
`session-lint explain CODE` prints a page in the terminal; what runs is [chosen in the
settings](../configuration.md#the-file)."""
TOOL = "SES9"
"""How the codes begin that are about the tool's own work."""
BEGIN, END = "<!-- rules: begin -->", "<!-- rules: end -->"


def table(link: str) -> str:
    """All rules as a Markdown table.

    :param link: where a rule's page stands, with ``{name}`` for the rule's name.
    """
    rows = ["| code | name | reports | severity | fix |", "| --- | --- | --- | --- | --- |"]
    for rule in catalogue().values():
        name = f"[{rule.name}]({link.format(name=rule.name)})"
        rows.append(f"| {rule.code} | {name} | {rule.summary} | {_severity(rule)} | {'yes' if rule.fix else ''} |")
    return "\n".join(rows)


def page(rule: Rule) -> str:
    """A rule's page in Markdown: its docstring between its properties and how to silence it."""
    fix = "[some of its findings](../fixes.md#what-becomes-what)" if rule.fix else "none"
    known = f"**Severity:** {rule.severity.value}. **By default:** {rule.standing}. **Fix:** {fix}."
    head = f"# {rule.code}: {rule.name}\n\n{known}\n\n{rule.doc}"
    return f"{head}\n\n## Silencing it\n{_silencing(rule)}\n\n## Beside it\n{_beside(rule)}\n"


def silenced(rule: Rule) -> str:
    """The marked line of the example with a comment that silences the rule; empty for one of the tool itself."""
    bad = next((example for example in rule.examples if example.errors), None)
    if bad is None or rule.code.startswith(TOOL):
        return ""
    code = bad.text.splitlines()[bad.errors[0] - 1].partition("# error")[0].rstrip()
    return f"{code}  # session-lint: allow {rule.name} -- the reason"


def _silencing(rule: Rule) -> str:
    """How to, for one place and for files."""
    files = (
        f'For files: `"tests/**" = ["{rule.code}"]` in `per-file-ignores`; for all: `ignore = ["{rule.code}"]` '
        "([Configuration](../configuration.md#the-file))."
    )
    line = silenced(rule).strip()
    if not line:
        return files
    code = f"`# noqa: {rule.code}` ([Suppressions](../configuration.md#suppressions))"
    return (
        f"For one statement, by name and with the reason:\n\n```text\n{line}\n```\n\n"
        f"or by code, where flake8 reads it too: {code}. {files}"
    )


def _beside(rule: Rule) -> str:
    """The rules of the same hundred."""
    group = [other for other in catalogue().values() if other.code[:4] == rule.code[:4] and other.code != rule.code]
    rows = [f"- [{other.code} {other.name}]({other.name}.md): {other.summary}" for other in group]
    return "\n".join(
        [*rows, "- [All rules](index.md), [how it decides](../how-it-decides.md), [the runtime guard](../guard.md)"]
    )


def readme(text: str) -> str:
    """The README with the table between the markers brought in step."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table(_published('{name}'))}\n{END}{after}"


def write_pages(folder: Path) -> None:
    """A page for each rule and an index; what has not changed is not written, what has no rule is removed."""
    folder.mkdir(exist_ok=True)
    pages = {f"{rule.name}.md": page(rule) for rule in catalogue().values()}
    names = "\n".join(rule.name for rule in catalogue().values())
    pages["index.md"] = f"# Rules\n\n{ABOUT}\n\n{table('{name}.md')}\n\n```{{toctree}}\n:hidden:\n\n{names}\n```\n"
    for stale in {path.name for path in folder.iterdir()} - pages.keys():
        (folder / stale).unlink()
    for name, text in pages.items():
        path = folder / name
        if not path.is_file() or path.read_text("utf-8") != text:
            path.write_text(text, "utf-8")


def _severity(rule: Rule) -> str:
    young = ", young" if rule.young else ""
    return rule.severity.value if rule.default else f"{rule.severity.value}{young}, off by default"


def _published(name: str) -> str:
    rule = next(iter(catalogue().values()))
    return rule.url.replace(rule.name, name)


if __name__ == "__main__":
    README.write_text(readme(README.read_text("utf-8")), "utf-8")
