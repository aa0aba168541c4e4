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
    """A rule's page in Markdown: its docstring below a heading and its properties."""
    fix = "Some of its findings have a fix." if rule.fix else "It has no fix."
    head = f"# {rule.code}: {rule.name}\n\n**Severity:** {_severity(rule)}. {fix}"
    return f"{head}\n\n{rule.doc}\n"


def readme(text: str) -> str:
    """The README with the table between the markers brought in step."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table(_published('{name}'))}\n{END}{after}"


def write_pages(folder: Path) -> None:
    """A page for each rule and an index; what has not changed is not written, what has no rule is removed."""
    folder.mkdir(exist_ok=True)
    pages = {f"{rule.name}.md": page(rule) for rule in catalogue().values()}
    pages["index.md"] = f"# Rules\n\n{table('{name}.md')}\n\n```{{toctree}}\n:hidden:\n:glob:\n\n*\n```\n"
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
