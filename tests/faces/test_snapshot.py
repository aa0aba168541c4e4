"""A run over folders is told again as long as everything that it rests on looks as it did."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from session_lint import engine
from session_lint.cli.linting import Outcome, lint
from session_lint.cli.plain import options
from session_lint.cli.run import forget
from tests.faces.inside import LEAK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

CLEAN = "x = 1\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    (tmp_path / "pyproject.toml").write_text("")
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "leak.py").write_text(LEAK)
    (tmp_path / "app" / "other.py").write_text(CLEAN)
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    engine.forget()


def run(*words: str) -> Outcome:
    """A run, once what was written has settled."""
    time.sleep(0.12)

    forget()
    given = options(["check", *words])
    assert given is not None
    return lint(*given)


def told_again(outcome: Outcome) -> bool:
    return not outcome.groups


def test_the_same_is_told_again(project: Path) -> None:
    first, second = run("."), run(".")
    assert (False, True) == (told_again(first), told_again(second))
    assert [(r.path, r.findings) for r in first.reports] == [(r.path, r.findings) for r in second.reports]
    assert ["SES101"] == [finding.code for finding in second.findings]
    assert second.facts(second.findings[0].filename) is not None


CHANGES: dict[str, Callable[[Path], object]] = {
    "a text": lambda p: (p / "app/other.py").write_text(LEAK),
    "a file more": lambda p: (p / "app/new.py").write_text(LEAK),
    "a file less": lambda p: (p / "app/leak.py").unlink(),
    "a folder more": lambda p: (p / "app").rename(p / "apps"),
    "settings": lambda p: (p / "pyproject.toml").write_text("[tool.session-lint]\nignore = ['SES101']\n"),
    "settings of its own": lambda p: (p / "app/.session-lint.toml").write_text("ignore = ['SES101']\n"),
    "what git ignores": lambda p: (p / ".gitignore").write_text("leak.py\n"),
    "a repository": lambda p: (p / ".git").mkdir(),
    "a name": lambda p: (p / "app/leak.py").rename(p / "app/leaks.py"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_is_seen(project: Path, what: str) -> None:
    run(".")
    CHANGES[what](project)
    assert not told_again(run("."))


def test_the_rest_of_the_project_counts(project: Path) -> None:
    """Though only a folder of it was named."""
    run("app")
    (project / "beside.py").write_text(CLEAN)
    assert not told_again(run("app"))
    assert told_again(run("app"))


@pytest.mark.parametrize("words", [(".", "--no-cache"), (".", "app/leak.py"), ("app/leak.py",)])
def test_what_is_not_kept(project: Path, words: tuple[str, ...]) -> None:
    assert not told_again(run(*words))
    assert not told_again(run(*words))


def test_other_options_are_another_run(project: Path) -> None:
    run(".")
    assert not told_again(run(".", "--select", "SES4"))
    assert [] == run(".", "--select", "SES4").findings
    assert not told_again(run("app"))


def test_what_may_be_read_next_time_is_not_kept(project: Path) -> None:
    (project / "app/bad.py").write_text("def f(:  # Session\n")
    run(".")
    assert not told_again(run("."))


@pytest.mark.parametrize(
    "said", ["[tool.session-lint]\nextend = 'base.toml'\n", "tool.session-lint = { extend = 'base.toml' }\n"]
)
def test_settings_that_rest_on_others_are_not_kept(project: Path, said: str) -> None:
    (project / "base.toml").write_text("")
    (project / "pyproject.toml").write_text(said)
    run(".")
    assert not told_again(run("."))


def test_a_linked_folder_may_lead_to_where_nobody_looks(
    project: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    (project / "linked").symlink_to(tmp_path_factory.mktemp("elsewhere"))
    run(".")
    assert not told_again(run("."))


def test_a_module_may_be_imported_from_a_folder_that_is_not_linted(project: Path) -> None:
    (project / "build").mkdir()
    run(".")
    (project / "build" / "made.py").write_text(CLEAN)
    assert not told_again(run("."))


def test_what_has_just_changed_is_not_kept(project: Path) -> None:
    """It may change again without a trace in its times."""
    time.sleep(0.12)
    (project / "app/other.py").write_text("x = 2\n")
    given = options(["check", "."])
    assert given is not None
    lint(*given)
    assert not told_again(run("."))


def test_a_damaged_store_tells_nothing(project: Path) -> None:
    run(".")
    engine.forget()
    for file in (project / ".session_lint_cache").glob("findings*"):
        file.write_bytes(b"nonsense")
    assert ["SES101"] == [finding.code for finding in run(".").findings]
