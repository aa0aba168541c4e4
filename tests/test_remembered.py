"""What is remembered of the nodes of syntax trees, and for how long."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint import engine
from session_lint.python import remembered
from session_lint.python.nodes import own_nodes
from session_lint.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

MODULE = """
from sqlalchemy.orm import Session

def read(engine):
    db = Session(engine)
    return db.get(User, 1)
"""


def test_what_is_asked_of_a_node_again_is_known() -> None:
    code = ast.parse(MODULE)
    assert own_nodes(code) is own_nodes(code)


def test_few_answers_are_kept_from_one_file_to_the_next(tmp_path: Path) -> None:
    code = ast.parse(MODULE)
    nodes = own_nodes(code)
    _lint(tmp_path / "small.py")
    assert own_nodes(code) is nodes


def test_many_answers_are_let_go_of_when_a_file_is_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = ast.parse(MODULE)
    nodes = own_nodes(code)
    monkeypatch.setattr(remembered, "MOST", 1)
    assert _lint(tmp_path / "small.py") == ["SES101"]
    assert own_nodes(code) is not nodes
    assert [ast.dump(node) for node in own_nodes(code)] == [ast.dump(node) for node in nodes]


def _lint(file: Path) -> list[str]:
    file.write_text(MODULE)
    return [finding.code for finding in engine.lint_file(file, Settings(cache=False)).findings]
