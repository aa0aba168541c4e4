"""``session-lint map``: its options, what it prints, how it ends."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result

from session_lint.cli.map import session_map
from tests.map.projects import put

if TYPE_CHECKING:
    from pathlib import Path

SESSION = "from sqlalchemy.orm import Session\n\nsession = Session()\nsession.close()\n"
FILES = {"shop/__init__.py": "", "shop/orders.py": SESSION, "shop/users.py": SESSION}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(put(tmp_path, FILES))
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(session_map, ["--isolated", *arguments])


def test_it_prints_a_summary_of_the_current_folder(folder: Path) -> None:
    done = run()
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.splitlines()[0] == "M  opened and closed by hand: 2 places in 2 modules"
    assert "shop.orders" in done.stdout
    assert str(folder) not in done.stdout


@pytest.mark.parametrize(
    ("form", "start"), [("svg", "<svg "), ("html", "<!doctype html>"), ("dot", "digraph "), ("json", "{")]
)
def test_it_writes_each_format_to_a_file(folder: Path, form: str, start: str) -> None:
    done = run(".", "--output-format", form, "--output-file", "map.out")
    assert (done.exit_code, done.output) == (0, "")
    assert (folder / "map.out").read_text("utf-8").startswith(start)


def test_file_names_are_relative_to_where_it_runs(folder: Path) -> None:
    told = json.loads(run(str(folder), "--output-format", "json").stdout)
    assert [one["filename"] for one in told["modules"]] == ["shop/orders.py", "shop/users.py"]


@pytest.mark.usefixtures("folder")
def test_depth_says_how_far_packages_are_opened() -> None:
    assert "2 modules  M2" in run(".", "--depth", "0").stdout
    assert "shop.users" in run(".", "--depth", "1").stdout


@pytest.mark.usefixtures("folder")
def test_focus_shows_a_part() -> None:
    done = run(".", "--focus", "shop.users")
    assert done.exit_code == 0
    assert "shop.users" in done.stdout
    assert "shop.orders" not in done.stdout


@pytest.mark.usefixtures("folder")
def test_focus_on_what_is_not_there_names_the_nearest() -> None:
    done = run(".", "--focus", "shop.user")
    assert done.exit_code == 2
    assert "--focus: no module with a session is called 'shop.user', or lies in it; did you mean 'shop.users'?" in (
        done.stderr
    )


def test_what_cannot_be_parsed_is_told_beside_the_rest(folder: Path) -> None:
    put(folder, {"shop/broken.py": "def (\n"})
    done = run("shop")
    assert done.exit_code == 2
    assert done.stderr.startswith("session-lint: shop/broken.py:1: ")
    assert "shop.orders" in done.stdout


@pytest.mark.usefixtures("folder")
def test_a_missing_path_is_told_beside_the_rest() -> None:
    done = run("shop", "nowhere")
    assert done.exit_code == 2
    assert "nowhere" in done.stderr
    assert "shop.orders" in done.stdout


def test_an_output_file_that_cannot_be_is_refused_before_any_work(folder: Path) -> None:
    done = run("shop", "--output-file", "nowhere/map.svg")
    assert done.exit_code != 0
    assert done.stdout == ""
    assert "there is no folder nowhere" in str(done.exception)
    assert not (folder / "nowhere").exists()


def test_an_empty_folder_has_no_sessions(tmp_path: Path) -> None:
    done = run(str(tmp_path))
    assert (done.exit_code, done.stdout) == (0, "No session is opened in 0 files\n")


def test_what_the_settings_say_of_names_is_on_the_map(folder: Path) -> None:
    text = "import lib\n\nwith lib.opened() as session:\n    session.commit()\n"
    names = '[tool.session-lint.vocabulary.names]\n"lib.opened" = { role = "scope", commits = true }\n'
    put(folder, {"pyproject.toml": names, "told.py": text})
    done = CliRunner().invoke(session_map, ["told.py"])
    assert (done.exit_code, "lib.opened  library  1 place" in done.stdout) == (0, True)


def test_help_shows_examples() -> None:
    assert "session-lint map src --output-format html --output-file map.html" in run("--help").stdout
