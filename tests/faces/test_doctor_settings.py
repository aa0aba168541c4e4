"""``session-lint doctor`` about what the settings and a baseline say without effect."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.faces.inside import LEAK, said

BASELINE = ".session-lint-baseline.json"


@pytest.fixture(autouse=True)
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with a leak and settings that all have an effect."""
    monkeypatch.chdir(tmp_path)
    Path("leak.py").write_text(LEAK)
    settings('ignore = ["SES2"]', '[per-file-ignores]\n"leak.py" = ["SES102"]')


def settings(*lines: str, name: str = "session-lint.toml") -> None:
    Path(name).write_text("\n".join(lines) + "\n")


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    """What is wrong, a line each; the exit code goes with it."""
    done = said(capsys, "doctor", *arguments)
    lines = [line for line in done.out.splitlines()[:-1] if not line.startswith("  help: ")]
    assert (1 if lines else 0, "") == (done.code, done.err)
    return lines


def test_settings_that_have_an_effect_are_left_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert [] == told(capsys)


def test_settings_without_effect(capsys: pytest.CaptureFixture[str]) -> None:
    """Each with the file that it stands in."""
    settings(
        'ignore = ["SES104"]',
        'extend-select = ["SES101"]',
        "[per-file-ignores]",
        '"gone/**" = ["SES1"]',
        '"leak.py" = ["SES104"]',
    )
    assert [
        "session-lint.toml: ignore: 'SES104' changes nothing: its rules do not run without it, too",
        "session-lint.toml: extend-select: 'SES101' changes nothing: its rules run without it, too",
        "session-lint.toml: per-file-ignores: 'gone/**' matches no file",
        "session-lint.toml: per-file-ignores: 'leak.py': 'SES104' stands for no rule that runs",
    ] == told(capsys)


def test_a_file_that_another_hides(capsys: pytest.CaptureFixture[str]) -> None:
    settings("[tool.session-lint]", name="pyproject.toml")
    (line,) = told(capsys)
    assert line.endswith("pyproject.toml: it is not read, because session-lint.toml stands beside it")


def test_it_is_about_the_folder_that_is_named(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")
    settings("[per-file-ignores]", '"gone.py" = ["SES1"]', name=str(tmp_path / "session-lint.toml"))
    assert ["../session-lint.toml: per-file-ignores: 'gone.py' matches no file"] == [
        line.replace(f"{tmp_path}/", "../") for line in told(capsys, "..")
    ]


def test_mistakes_are_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    """With the cache; nothing is said of what cannot be known without them."""
    settings("jobs = -1")
    Path(BASELINE).write_text("[]")
    (line,) = told(capsys)
    assert "expected `int` >= 0" in line


@pytest.mark.parametrize("name", [BASELINE, "ci/old.json"])
def test_a_baseline(capsys: pytest.CaptureFixture[str], name: str) -> None:
    """In its usual place and where the settings have it: one that is fine, of rules that are gone, and none."""
    Path("ci").mkdir()
    if name != BASELINE:
        settings(f'baseline = "{name}"')
    assert [] == told(capsys)
    assert 0 == said(capsys, "baseline").code
    assert [] == told(capsys)
    text = Path(name).read_text().replace("SES101", "SES199")
    Path(name).write_text(re.sub('"fingerprint": "[0-9a-f]+"', '"fingerprint": "0"', text))
    assert [f"{name}: it records findings of SES199, which no rule has"] == told(capsys)
    assert 0 == said(capsys, "baseline", "--prune").code  # the help that is given
    assert [] == told(capsys)
    Path(name).write_text("[]")
    (line,) = told(capsys)
    assert line.startswith(f"{name}: it cannot be used: ")
