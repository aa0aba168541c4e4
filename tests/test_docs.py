"""The documentation says what the code says."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import pytest

from session_lint.cli.commands import command as command_line
from session_lint.engine import lint_source
from session_lint.report import render
from session_lint.report.run import Run
from session_lint.rules import catalogue
from session_lint.settings import Settings
from session_lint.source import Source
from tests.linting import lint

if TYPE_CHECKING:
    from session_lint.rule import Rule

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.fixture(name="rule_pages", scope="module")
def _rule_pages() -> dict[str, Any]:
    """The names of ``docs/rule_pages.py``, which stands in no package."""
    return runpy.run_path(str(ROOT / "docs" / "rule_pages.py"))


@pytest.fixture(name="pictures", scope="module")
def _pictures() -> dict[str, Any]:
    """The names of ``docs/pictures.py``."""
    return runpy.run_path(str(ROOT / "docs" / "pictures.py"))


def test_readme_lists_the_rules(rule_pages: dict[str, Any]) -> None:
    """The table between the markers is the catalogue's; ``python docs/rule_pages.py`` writes it."""
    text = (ROOT / "README.md").read_text("utf-8")
    assert text.count(rule_pages["BEGIN"]) == text.count(rule_pages["END"]) == 1
    assert rule_pages["readme"](text) == text


def test_every_rule_gets_a_page(rule_pages: dict[str, Any], tmp_path: Path) -> None:
    """One page a rule, headed by its code and name; what has no rule any more goes."""
    (tmp_path / "forgotten.md").write_text("# SES000: forgotten\n", "utf-8")
    rule_pages["write_pages"](tmp_path)
    heads = {path.name: path.read_text("utf-8").partition("\n")[0] for path in tmp_path.iterdir()}
    rules = {f"{rule.name}.md": f"# {rule.code}: {rule.name}" for rule in catalogue().values()}
    assert heads == {"index.md": "# Rules", **rules}


@pytest.mark.parametrize(
    "rule", [rule for rule in catalogue().values() if not rule.code.startswith("SES9")], ids=lambda rule: rule.code
)
def test_a_page_silences_its_rule(rule_pages: dict[str, Any], rule: Rule) -> None:
    """The comment that it shows does, at the line of the example with the mistake."""
    bad, line = rule.examples[0], rule_pages["silenced"](rule)
    lines = bad.text.splitlines()
    lines[bad.errors[0] - 1] = line
    settings = Settings(select=(rule.code,), whole_project=False)
    with_comment, without = (lint_source(Source("example.py", text), settings) for text in ("\n".join(lines), bad.text))
    assert (with_comment, [found.location.row for found in without]) == ([], list(bad.errors))
    assert line.strip() in rule_pages["page"](rule)


def test_readme_shows_what_is_printed() -> None:
    """The finding below the first example is what the command says of it."""
    text = (ROOT / "README.md").read_text("utf-8")
    example, shown = (re.findall(rf"```{kind}\n(.*?)```", text, re.DOTALL)[0] for kind in ("python", "text"))
    source = Source("users.py", example)
    report = render("full", Run(lint_source(source, Settings()), 1, {"users.py": source}.get))
    assert report.rpartition("\n\n")[0] == shown.rstrip("\n")


def test_pictures_show_the_analysis(pictures: dict[str, Any]) -> None:
    """They are what ``python docs/pictures.py`` writes, and no other stands beside them."""
    folder = pictures["FOLDER"]
    assert {path.name: path.read_text("utf-8") for path in folder.iterdir()} == pictures["pictures"]()


def test_how_it_decides_is_right_about_its_examples() -> None:
    """What each function on the page is said to do wrong, if anything."""
    text = (ROOT / "docs" / "how-it-decides.md").read_text("utf-8")
    assert [
        [(found.code, found.trace[-1].location.row) for found in lint(example)]
        for example in re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    ] == [[("SES101", 16)], [("SES102", 11)], []]


def test_the_comparison_is_of_the_rules_of_today() -> None:
    """All of their examples were given to the tools, and session-lint told of each."""
    text = (ROOT / "docs" / "comparison.md").read_text("utf-8")
    examples = sum(bool(example.errors) for rule in catalogue().values() for example in rule.examples)
    assert f"| marked lines with a finding, of {examples} |" in text
    assert re.search(rf"^\| session-lint [\d.]+ \| `--select ALL` \| {examples} \| {examples} \|", text, re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_that_are_shown_exist(page: Path) -> None:
    """Each command, and each option that is given to one."""
    code = "\n".join(re.findall(r"```.*?```|`[^`\n]+`", page.read_text("utf-8"), re.DOTALL))
    shown = re.findall(r"(?:^|[`$(] ?)session-lint ([a-z-]+)([^`|\n]*)", code, re.MULTILINE)
    unknown = set()
    for name, rest in shown:
        command = command_line.get_command(click.Context(command_line), name)
        options = {option for param in command.params for option in param.opts} if command is not None else set()
        given = re.findall(r"(?<![\w-])--?[a-z][a-z-]*", re.sub(r"#.*|\"[^\"]*\"|'[^']*'", "", rest))
        unknown |= {f"{name} {option}".rstrip() for option in given or [""] if option not in options | {"", "--help"}}
        unknown |= {name} if command is None else set()
    assert unknown == set()


@pytest.mark.parametrize("name", command_line.list_commands(click.Context(command_line)))
def test_the_command_line_has_its_page(name: str) -> None:
    """Every command, and every option of it."""
    text = (ROOT / "docs" / "command-line.md").read_text("utf-8")
    command = command_line.get_command(click.Context(command_line), name)
    assert command is not None
    options = [option for param in command.params for option in (*param.opts, *param.secondary_opts)]
    named = set(re.findall(r"[`\s](--[a-z-]+)", text))
    assert f"session-lint {name}" in text
    assert {option for option in options if option.startswith("--")} <= named


def _blocks() -> list[tuple[str, str]]:
    """The Python of the pages; the pages that show what is wrong have tests of their own."""
    wrong = {"README.md", "how-it-decides.md"}
    return [
        (page.name, block)
        for page in PAGES
        if page.name not in wrong
        for block in re.findall(r"```python\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
    ]


@pytest.mark.parametrize(("page", "block"), _blocks())
def test_python_that_is_recommended_is_right(page: str, block: str) -> None:
    """No rule has anything to say about it, not even those that are off by default."""
    assert [(found.code, found.location.row) for found in lint(block)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_to_rules_lead_somewhere(page: Path) -> None:
    """Every ``rules/…`` page that is linked has its rule."""
    linked = set(re.findall(r"rules/([a-z-]+)\.(?:md|html)", page.read_text("utf-8"))) - {"index"}
    assert linked <= {rule.name for rule in catalogue().values()}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_that_are_named_exist(page: Path) -> None:
    """A file of the project that a page names is there."""
    named = set(
        re.findall(
            r"`((?:session_lint|database|tests|docs|benchmarks|examples|\.ci)/[\w./]+)`", page.read_text("utf-8")
        )
    )
    assert {name for name in named if not (ROOT / name).exists()} == set()


def test_architecture_names_every_module_of_the_pipeline() -> None:
    """A package or module at the top of ``session_lint`` has its place in the list."""
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    parts = {
        path.stem
        for path in (ROOT / "session_lint").iterdir()
        if path.suffix == ".py" or (path / "__init__.py").is_file()
    }
    assert {
        part
        for part in parts - {"__init__", "__main__"}
        if f"session_lint/{part}" not in text and f"`{part}`" not in text
    } == set()
