"""What ``[tool.session-lint]`` and the command line make of the rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from session_lint.rules import catalogue
from session_lint.settings import Settings, SettingsError, load, override

if TYPE_CHECKING:
    from pathlib import Path

RULES = catalogue()
DEFAULT = [code for code, rule in RULES.items() if rule.default]


def selected(settings: Settings, filename: str = "") -> list[str]:
    """The codes that settings select."""
    return [code for code, rule in RULES.items() if settings.selected(rule, filename)]


def starting(*prefixes: str) -> list[str]:
    """The catalogue's codes that begin so."""
    return [code for code in RULES if code.startswith(prefixes)]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (Settings(), DEFAULT),
        (Settings(select=("ALL",)), list(RULES)),
        (Settings(select=("SES1",)), starting("SES1")),
        (Settings(select=("SES101",)), ["SES101"]),
        (Settings(ignore=("SES1",)), [code for code in DEFAULT if not code.startswith("SES1")]),
        (Settings(ignore=("SES1",), extend_select=("SES101",)), [c for c in DEFAULT if c not in starting("SES1")[1:]]),
        (Settings(select=("SES1",), ignore=("SES101",)), starting("SES1")[1:]),
        (Settings(select=("SES101",), ignore=("SES1",)), ["SES101"]),
        (Settings(select=("SES101",), ignore=("SES101",)), []),
        (Settings(select=("ALL",), ignore=("SES",)), []),
        (Settings(ignore=("ALL",)), []),
        (
            Settings(select=("SES2",), extend_select=("SES101",), extend_ignore=("SES201",)),
            ["SES101", *starting("SES2")[1:]],
        ),
    ],
)
def test_the_longest_selector_wins(settings: Settings, expected: list[str]) -> None:
    assert expected == selected(settings)


def test_style_rules_are_selected_beside_the_default() -> None:
    style = next(code for code, rule in RULES.items() if not rule.default)
    assert sorted([*DEFAULT, style]) == selected(Settings(extend_select=(style,)))


def test_every_key_is_read(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        """[tool.session-lint]
select = ["SES1"]
ignore = ["SES101"]
extend-select = ["SES2"]
extend-ignore = ["SES202"]
exclude = ["old"]
extend-exclude = ["*_pb2.py"]
force-exclude = true
cache = false
[tool.session-lint.per-file-ignores]
"tests/**" = ["SES1"]
"""
    )
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "pyproject.toml").write_text("[tool.other]\nx = 1\n")
    expected = Settings(
        select=("SES1",),
        ignore=("SES101",),
        extend_select=("SES2",),
        extend_ignore=("SES202",),
        exclude=("old",),
        extend_exclude=("*_pb2.py",),
        per_file_ignores=(("tests/**", ("SES1",)),),
        force_exclude=True,
        root=tmp_path,
        cache=False,
    )
    assert expected == load(tmp_path / "deep" / "er")
    assert Settings() == load(tmp_path / "deep" / "er", isolated=True)


def test_rules_are_ignored_in_the_files_that_a_pattern_matches(tmp_path: Path) -> None:
    settings = Settings(root=tmp_path, select=("SES101", "SES201"), per_file_ignores=(("tests/", ("SES1",)),))
    assert ["SES201"] == selected(settings, str(tmp_path / "tests" / "deep" / "test_a.py"))
    assert ["SES101", "SES201"] == selected(settings, str(tmp_path / "src" / "a.py"))
    assert ["SES101", "SES201"] == selected(settings, str(tmp_path.parent / "tests" / "a.py"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "[tool.session-lint]\nselct = []",
            "2: [tool.session-lint] selct: there is no such key; the nearest is 'select'",
        ),
        ("[tool.session-lint]\nselect = 'SES1'", "2: [tool.session-lint] select: expected `array`, got `str`"),
        ("[tool.session-lint]\ncache = 1", "2: [tool.session-lint] cache: expected `bool`, got `int`"),
        ("[tool.session-lint]\nselect = [1]", "2: [tool.session-lint] select[0]: expected `str`, got `int`"),
        ("[tool]\nsession-lint = 1", " [tool.session-lint]: expected a table"),
        (
            "[tool.session-lint]\nignore = ['SES4O1']",
            "2: [tool.session-lint] ignore: no rule has the code 'SES4O1'; the nearest is 'SES401'",
        ),
        ("[tool.session-lint]\nselect = ['']", "2: [tool.session-lint] select: no rule has the code ''"),
    ],
)
def test_what_cannot_be_followed_is_named(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "pyproject.toml"
    file.write_text(text)
    with pytest.raises(SettingsError) as caught:
        load(tmp_path)
    assert f"{file}:{message}" == str(caught.value)


@pytest.mark.parametrize("data", [b"[tool.session-lint\n", b"# session-lint \xff\n"])
def test_a_broken_file_is_named(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "pyproject.toml").write_bytes(data)
    with pytest.raises(SettingsError, match=r"pyproject\.toml(:1)?: not a TOML file"):
        load(tmp_path)


def test_a_broken_file_without_our_table_is_not_ours(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_bytes(b"[tool.other\n")
    assert Settings() == load(tmp_path)


def test_a_file_may_be_named(tmp_path: Path) -> None:
    (tmp_path / "lint.toml").write_text("select = ['SES1']\n")
    assert Settings(select=("SES1",), root=tmp_path) == load(tmp_path, config=tmp_path / "lint.toml")
    (tmp_path / "pyproject.toml").write_text("[tool.other]\n")
    with pytest.raises(SettingsError, match=r"no table \[tool\.session-lint\]"):
        load(tmp_path, config=tmp_path / "pyproject.toml")
    with pytest.raises(SettingsError, match=r"gone\.toml: cannot be read: No such file"):
        load(tmp_path, config=tmp_path / "gone.toml")


@pytest.mark.parametrize(
    ("file", "options", "expected"),
    [
        (Settings(ignore=("SES101",)), {"select": ["SES101"]}, ["SES101"]),
        (Settings(select=("SES101", "SES201")), {"ignore": ["SES1"]}, ["SES201"]),
        (Settings(select=("SES101",)), {"ignore": ["SES1"]}, []),
        (Settings(select=("SES101",)), {"extend_select": ["SES201"]}, ["SES101", "SES201"]),
        (
            Settings(select=("SES2",), ignore=("SES201", "SES202")),
            {"extend_select": ["SES201"]},
            ["SES201", *starting("SES2")[2:]],
        ),
        (Settings(select=("SES101",)), {"select": None, "ignore": None}, ["SES101"]),
    ],
)
def test_the_command_line_wins(file: Settings, options: dict[str, list[str] | None], expected: list[str]) -> None:
    assert expected == selected(override(file, **options))


def test_other_options_replace_the_files() -> None:
    assert Settings(cache=False, exclude=("a",)) == override(
        Settings(), cache=False, exclude=("a",), force_exclude=None
    )


def test_an_unknown_code_on_the_command_line_is_refused() -> None:
    with pytest.raises(SettingsError) as caught:
        override(Settings(), select=("ses101",))
    assert "--select: no rule has the code 'ses101'; the nearest is 'SES101'" == str(caught.value)
