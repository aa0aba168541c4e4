"""``session-lint doctor``: each thing that can be set up wrongly, and the same set up rightly."""

from __future__ import annotations

from pathlib import Path

import pytest

import session_lint
from tests.faces.inside import said

HOOKS = (
    "repos:\n  - repo: https://example.org/session-lint\n    rev: {rev}\n    hooks:\n      - id: session-lint\n{more}"
)
LOCAL = """\
repos:
- repo: local
  hooks:
  - id: sessions
    entry: session-lint check{force}
    language: system
    types: [python]
{more}"""
HERE = f"v{session_lint.__version__}"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_nothing_there_is_nothing_to_change(capsys: pytest.CaptureFixture[str]) -> None:
    done = said(capsys, "doctor")
    assert (0, "Nothing to change\n", "") == (done.code, done.out, done.err)
    assert [] == list(Path().iterdir())


@pytest.mark.parametrize(
    ("name", "wrong", "right", "word"),
    [
        ("pyproject.toml", "[tool.ruff]\n", '[tool.ruff.lint]\nexternal = ["SES"]\n', "RUF100"),
        ("ruff.toml", "line-length = 100\n", 'lint.external = ["ABC", "SES"]\n', "RUF100"),
        (".ruff.toml", 'lint.external = ["SES101"]\n', 'external = ["SES"]\n', "RUF100"),
        (".flake8", "[flake8]\nignore = E203,S\n", "[flake8]\nignore = E203,S1,SES\n", "write S1,"),
        (
            "setup.cfg",
            "[flake8]\nextend_ignore =\n  W503\n  SE\n",
            "[flake8]\nextend_ignore = W\n",
            "extend-ignore = SE",
        ),
        ("tox.ini", "[flake8]\nselect = E,F\n", "[flake8]\nselect = E,F\nextend-select = SES\n", "add SES to it"),
        (
            ".pre-commit-config.yaml",
            HOOKS.format(rev="main", more=""),
            HOOKS.format(rev=HERE, more="        args: [--select, SES1]\n"),
            f"write rev: {HERE}",
        ),
        (
            ".pre-commit-config.yaml",
            HOOKS.format(rev="v0.0.1", more=""),
            HOOKS.format(rev="0123abcd0123abcd", more=""),
            f"it runs 0.0.1, and {HERE[1:]} is installed here",
        ),
        (
            ".pre-commit-config.yaml",
            HOOKS.format(rev=HERE, more="        args:\n          - --watch  # always\n"),
            HOOKS.format(rev=HERE, more="  - repo: other\n    hooks:\n      - id: tests\n        args: [--watch]\n"),
            "take --watch out of its args",
        ),
        (
            ".pre-commit-config.yaml",
            LOCAL.format(force="", more="    require_serial: true\n"),
            LOCAL.format(force=" --force-exclude", more="    require_serial: true\n"),
            "add --force-exclude to its entry",
        ),
        (
            ".pre-commit-config.yaml",
            LOCAL.format(force="", more="    pass_filenames: false\n"),
            LOCAL.format(force="", more="    pass_filenames: false\n    require_serial: true\n"),
            "add require_serial: true",
        ),
        (".session_lint_cache", "no folder", None, "take it away"),
        ("pyproject.toml", "[tool.session-lint]\nselct = []\n", "[tool.session-lint]\nselect = []\n", "'select'"),
    ],
)
def test_what_is_wrong_is_said_and_what_is_right_is_not(
    capsys: pytest.CaptureFixture[str], name: str, wrong: str, right: str | None, word: str
) -> None:
    Path(name).write_text(wrong)
    done = said(capsys, "doctor")
    assert (1, 1, True) == (done.code, done.out.count("\n  help: "), word in done.out), done.out
    assert name in done.out or "settings" in done.out
    Path(name).unlink()
    if right is not None:
        Path(name).write_text(right)
    assert (0, "Nothing to change\n") == (said(capsys, "doctor").code, said(capsys, "doctor").out)


def test_ruff_settings_that_extend_others(capsys: pytest.CaptureFixture[str]) -> None:
    Path("ruff.toml").write_text('extend = "base.toml"\n')
    assert 1 == said(capsys, "doctor").code
    Path("base.toml").write_text('lint.external = ["SES"]\n')
    assert 0 == said(capsys, "doctor").code


@pytest.mark.parametrize("name", ["pyproject.toml", "ruff.toml", ".flake8", ".pre-commit-config.yaml"])
def test_broken_files_end_nothing(capsys: pytest.CaptureFixture[str], name: str) -> None:
    Path(name).write_bytes(b"\xff[[\n")
    done = said(capsys, "doctor")
    assert (0, "") == (done.code, done.err)
