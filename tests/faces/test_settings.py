"""What ``[tool.session-lint]`` and the command line make of the rules."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import resources
from pathlib import Path
from typing import Any, get_args

import jsonschema  # type: ignore[import-untyped]
import pytest
from hypothesis import given
from hypothesis import settings as tried
from hypothesis import strategies as st

from session_lint.finding import Severity
from session_lint.report import FORMATS
from session_lint.rules import catalogue
from session_lint.settings import Settings, SettingsError, load, override
from session_lint.settings.checking import Layer, check
from session_lint.settings.idle import idle_settings
from session_lint.settings.reading import anchored
from session_lint.settings.schema import schema, schema_text
from session_lint.settings.table import Format, Weight, keys
from session_lint.vocabulary import builtin

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

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


def test_keys_that_other_faces_ask_for(tmp_path: Path) -> None:
    (tmp_path / "session-lint.toml").write_text(
        """output-format = "sarif"
error-on = "warning"
baseline = "known/baseline.json"
notebooks = false
markdown = true
unsafe-fixes = true
jobs = 3
require-reason = true
whole-project = false
"""
    )
    settings = load(tmp_path)
    assert (
        Settings(
            output_format="sarif",
            error_on="warning",
            baseline=str(tmp_path / "known" / "baseline.json"),
            notebooks=False,
            markdown=True,
            unsafe_fixes=True,
            jobs=3,
            require_reason=True,
            whole_project=False,
            root=tmp_path,
        )
        == settings
    )
    assert (tmp_path / "session-lint.toml",) == settings.files


def test_findings_are_kept_by_what_they_rest_on() -> None:
    loose = Settings(output_format="json", error_on="error", baseline="b", unsafe_fixes=True, jobs=2, markdown=True)
    assert repr(Settings()) == repr(loose)
    assert repr(Settings()) != repr(Settings(require_reason=True))


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["pyproject.toml", "session-lint.toml", ".session-lint.toml"], ".session-lint.toml"),
        (["pyproject.toml", "session-lint.toml"], "session-lint.toml"),
        (["pyproject.toml"], "pyproject.toml"),
    ],
)
def test_a_file_of_our_own_wins_in_its_folder_and_the_nearest_folder_wins(
    tmp_path: Path, names: list[str], expected: str
) -> None:
    (tmp_path / ".session-lint.toml").write_text("ignore = ['SES9']\n")
    folder = tmp_path / "deep"
    folder.mkdir()
    for name in names:
        (folder / name).write_text("[tool.session-lint]\ncache = false\n" if name[0] == "p" else "cache = false\n")
    settings = load(folder / "not-there")
    assert (False, (), (folder / expected,)) == (settings.cache, settings.ignore, settings.files)


def test_an_empty_file_of_our_own_counts(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.session-lint]\ncache = false\n")
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "session-lint.toml").touch()
    assert Settings(root=tmp_path / "deep") == load(tmp_path / "deep")


@pytest.fixture(name="company")
def _company(tmp_path: Path) -> Path:
    """A project whose part extends it."""
    (tmp_path / "pyproject.toml").write_text(
        """[tool.session-lint]
select = ["SES1", "SES2"]
ignore = ["SES101"]
extend-exclude = ["generated"]
baseline = "known.json"
jobs = 2
[tool.session-lint.per-file-ignores]
"tests/**" = ["SES1"]
[tool.session-lint.vocabulary.names]
"acme.scope" = { role = "scope", commits = true }
"acme.log.*" = { role = "no-raise" }
"""
    )
    (tmp_path / "part").mkdir()
    return tmp_path


def test_a_file_goes_over_the_one_that_it_extends(company: Path) -> None:
    (company / "part" / "session-lint.toml").write_text(
        """extend = "../pyproject.toml"
extend-select = ["SES101", "SES301"]
ignore = ["SES2"]
extend-exclude = ["old.py", "a/b"]
jobs = 4
[per-file-ignores]
"tests/" = ["SES301"]
[vocabulary.names]
"acme.log.*" = { role = "slow" }
"acme.open" = { role = "factory", scope = "acme.scope" }
"""
    )
    settings = load(company / "part")
    assert ["SES101", *starting("SES1")[1:], "SES301"] == selected(settings)
    assert (company, 4) == (settings.root, settings.jobs)
    assert str(company / "known.json") == settings.baseline
    assert ("generated", "/part/**/old.py", "/part/a/b") == settings.extend_exclude
    assert ["SES301"] == selected(settings, str(company / "tests" / "a.py"))
    assert ["SES101", *starting("SES1")[1:]] == selected(settings, str(company / "part" / "x" / "tests" / "a.py"))
    words = {name: meaning.role.value for name, meaning in settings.vocabulary.names}
    assert {"acme.scope": "scope", "acme.log.*": "slow", "acme.open": "factory"} == words
    assert (company / "part" / "session-lint.toml", company / "pyproject.toml") == settings.files


def test_a_selection_starts_afresh(company: Path) -> None:
    (company / "part" / "session-lint.toml").write_text('extend = "../pyproject.toml"\nselect = ["SES101"]\n')
    assert ["SES101"] == selected(load(company / "part"))


def test_patterns_of_a_shared_file_are_relative_to_who_extends_it(company: Path) -> None:
    (company / "shared").mkdir()
    (company / "shared" / "lint.toml").write_text(
        'extend-exclude = ["a/b"]\nextend = "more.toml"\n[per-file-ignores]\n"tests/x.py" = ["SES1"]\n'
    )
    (company / "shared" / "more.toml").write_text('select = ["SES101"]\n')
    (company / "part" / "session-lint.toml").write_text('extend = "../shared/lint.toml"\n')
    settings = load(company / "part")
    assert (company / "part", ("a/b",)) == (settings.root, settings.extend_exclude)
    assert [] == selected(settings, str(company / "part" / "tests" / "x.py"))
    assert ["SES101"] == selected(settings, str(company / "shared" / "tests" / "x.py"))


@pytest.mark.parametrize(
    ("pattern", "place", "expected"),
    [
        ("*.py", "a/b", "/a/b/**/*.py"),
        ("tests/", "a", "/a/**/tests/"),
        ("/x", "a", "/a/x"),
        ("x/y", "a", "/a/x/y"),
        ("**/x", "a", "/a/**/x"),
        ("!x", "a", "!/a/**/x"),
        ("x", "[a]*", "/\\[a\\]\\*/**/x"),
        ("x", ".", "x"),
        ("# x", "a", "# x"),
        ("", "a", ""),
    ],
)
def test_a_pattern_is_moved_to_a_folder_above(pattern: str, place: str, expected: str) -> None:
    assert expected == anchored(pattern, place)


def wrong(folder: Path, **how: Any) -> list[str]:
    """The mistakes in the settings of a folder, with the folder left out."""
    with pytest.raises(SettingsError) as caught:
        load(folder, **how)
    assert all(str(mistake) in str(caught.value).splitlines() for mistake in caught.value.mistakes)
    return str(caught.value).replace(f"{folder}{os.sep}", "").splitlines()


def test_all_mistakes_of_all_files_are_told_at_once(company: Path) -> None:
    (company / "pyproject.toml").write_text(
        """[project]
name = "x"

[tool.session-lint]
select = [
    "SES1",
    "SES4O1",
    3,
]
output-format = "sarrif"
jobs = -1
[tool.session-lint.vocabulary.names]
"acme.open" = { role = "factry" }
"""
    )
    (company / "session-lint.toml").write_text(
        """extend = "pyproject.toml"
cach = true
ignore = ["SES1", "SES9O1"]
[per-file-ignores]
"tests" = "SES1"
"docs/**" = ["SES1O4"]
[vocabulary.aliases]
"a.b" = "a.b"
"""
    )
    *others, last = map(repr, get_args(Format))
    formats = f"{', '.join(others)} or {last}"
    entry = "pyproject.toml:13: [tool.session-lint.vocabulary.names] 'acme.open'"
    assert [
        "pyproject.toml:5: [tool.session-lint] select[2]: expected `str`, got `int`",
        "pyproject.toml:7: [tool.session-lint] select: no rule has the code 'SES4O1'; the nearest is 'SES401'",
        f"pyproject.toml:10: [tool.session-lint] output-format: it may be {formats}; the nearest is 'sarif'",
        "pyproject.toml:11: [tool.session-lint] jobs: expected `int` >= 0",
        f"{entry} role: there is no role 'factry'; the nearest is 'factory'",
        "session-lint.toml:2: cach: there is no such key; the nearest is 'cache'",
        "session-lint.toml:3: ignore: no rule has the code 'SES9O1'; the nearest is 'SES901'",
        "session-lint.toml:5: per-file-ignores.'tests': expected `array`, got `str`",
        "session-lint.toml:6: per-file-ignores.'docs/**': no rule has the code 'SES1O4'; the nearest is 'SES104'",
        "session-lint.toml:8: [vocabulary.aliases] 'a.b': an alias of itself",
    ] == wrong(company)


def test_a_word_in_a_list_is_found_in_its_own_line(tmp_path: Path) -> None:
    (tmp_path / "session-lint.toml").write_text('# a comment\nignore = [\n  "SES1",\n  "SES7O1", # no\n]\n')
    assert ["session-lint.toml:4: ignore: no rule has the code 'SES7O1'; the nearest is 'SES701'"] == wrong(tmp_path)


def test_files_that_extend_nothing_or_each_other_are_named(tmp_path: Path) -> None:
    (tmp_path / "session-lint.toml").write_text("cach = 1\nextend = 'pyproject.toml'\n")
    assert [
        "session-lint.toml:2: extend: there is no file pyproject.toml",
        "session-lint.toml:1: cach: there is no such key; the nearest is 'cache'",
    ] == wrong(tmp_path)
    (tmp_path / "pyproject.toml").write_text("[tool.session-lint]\n")
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "session-lint.toml").write_text("extend = '../pyproject.tml'\n")
    assert wrong(tmp_path / "deep")[0].endswith("pyproject.tml; the nearest is 'pyproject.toml'")
    (tmp_path / "session-lint.toml").write_text("extend = 'pyproject.toml'\n")
    (tmp_path / "pyproject.toml").write_text("[tool.session-lint]\nextend = 'session-lint.toml'\n")
    circle = "the files extend each other in a circle: session-lint.toml > pyproject.toml > session-lint.toml"
    assert f"pyproject.toml:2: [tool.session-lint] extend: {circle}" == wrong(tmp_path)[0]
    (tmp_path / "pyproject.toml").write_text("[tool.other]\n")
    assert "pyproject.toml: there is no table [tool.session-lint]" == wrong(tmp_path)[0]
    (tmp_path / "session-lint.toml").write_text("extend = 'session-lint.toml'\n")
    assert ["session-lint.toml:1: extend: the files extend each other in a circle: session-lint.toml > session-lint.toml"] == wrong(tmp_path)  # fmt: skip  # noqa: E501


def test_in_a_file_of_our_own_the_keys_stand_at_the_top(tmp_path: Path) -> None:
    (tmp_path / "session-lint.toml").write_text("[tool.session-lint]\ncache = true\n")
    assert ["session-lint.toml: [tool.session-lint]: in this file the keys stand at the top"] == wrong(tmp_path)


def test_the_command_tells_of_all_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in (("one", "selct = []\n"), ("two", "cache = 1\n"), ("three", "")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "session-lint.toml").write_text(text)
        (tmp_path / name / "a.py").write_text("x = 1\n")
    (tmp_path / "pyproject.toml").write_text("[tool.session-lint]\njobs = true\n")
    monkeypatch.chdir(tmp_path)
    command = [sys.executable, "-m", "session_lint", "check", "."]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    expected = [
        "pyproject.toml:2: [tool.session-lint] jobs: expected `int`, got `bool`",
        "one/session-lint.toml:1: selct: there is no such key; the nearest is 'select'",
        "two/session-lint.toml:1: cache: expected `bool`, got `int`",
    ]
    said = done.stderr.removeprefix("session-lint: ").replace(f"{tmp_path}{os.sep}", "").splitlines()
    assert (2, "", expected) == (done.returncode, done.stdout, said)


def test_the_schema_is_the_settings() -> None:
    file = resources.files("session_lint") / "schema.json"
    renew = "python -c 'from session_lint.settings.schema import schema_text as t; print(t(), end=\"\")'"
    assert schema_text() == file.read_text("utf-8"), f"write it anew: {renew} > session_lint/schema.json"


@pytest.mark.parametrize(
    ("text", "sound"),
    [
        ("select = ['SES1', 'ALL', 'SES101']\njobs = 2\n[per-file-ignores]\nx = ['SES1']\n", True),
        ("[vocabulary.names]\n'a.b' = { role = 'scope', commits = true }\n[vocabulary.aliases]\n'a.c' = 'a.b'\n", True),
        ("selct = []\n", False),
        ("ignore = ['SES777']\n", False),
        ("output-format = 'sarrif'\n", False),
        ("jobs = -1\n", False),
        ("[per-file-ignores]\nx = 'SES1'\n", False),
        ("[vocabulary.names]\n'a.b' = { role = 'scop' }\n", False),
        ("[vocabulary.names]\n'a.b' = { commits = true }\n", False),
        ("[vocabulary.nams]\n", False),
    ],
)
def test_an_editor_and_the_command_agree(tmp_path: Path, text: str, sound: bool) -> None:
    checked = schema()
    jsonschema.Draft7Validator.check_schema(checked)
    (tmp_path / "session-lint.toml").write_text(text)
    assert sound == jsonschema.Draft7Validator(checked).is_valid(tomllib.loads(text))
    if sound:
        load(tmp_path)
    else:
        assert wrong(tmp_path)


def test_the_schema_speaks_of_every_key_role_and_rule() -> None:
    parts = schema()
    assert set(keys()) == set(parts["properties"])
    assert all(part.get("description") for part in parts["properties"].values())
    assert {rule.code for rule in RULES.values()} < {
        part["const"] for part in parts["definitions"]["Selector"]["anyOf"]
    }
    assert all(
        part.get("description")
        for name, part in parts["definitions"]["Meaning"]["properties"].items()
        if name != "role"
    )


def test_the_formats_and_severities_are_those_of_the_reports() -> None:
    assert set(FORMATS) <= set(get_args(Format))
    assert [severity.value for severity in Severity] == list(get_args(Weight))


def test_settings_without_effect_are_told(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.session-lint]\n")
    (tmp_path / "session-lint.toml").write_text(
        """ignore = ["SES104", "SES101"]
extend-select = ["SES102"]
[per-file-ignores]
"tests/**" = ["SES1", "SES104"]
"gone/**" = ["SES1"]
"""
    )
    files = [tmp_path / "tests" / "test_a.py", tmp_path / "a.py"]
    assert [
        f"{tmp_path / 'pyproject.toml'}: it is not read, because session-lint.toml stands beside it",
        "ignore: 'SES104' changes nothing: its rules do not run without it, too",
        "extend-select: 'SES102' changes nothing: its rules run without it, too",
        "per-file-ignores: 'tests/**': 'SES104' stands for no rule that runs",
        "per-file-ignores: 'gone/**' matches no file",
    ] == idle_settings(load(tmp_path), files)
    (tmp_path / "session-lint.toml").write_text('[per-file-ignores]\n"a.py" = ["SES9", "ALL"]\n')
    (tmp_path / "pyproject.toml").unlink()
    assert [] == idle_settings(load(tmp_path), files)
    assert [] == idle_settings(Settings(), files)


def test_ignores_of_an_option_are_relative_to_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "part").mkdir()
    monkeypatch.chdir(tmp_path)
    below = Settings(root=tmp_path / "part", select=("SES101",), per_file_ignores=(("b.py", ("SES1",)),))
    settings = override(below, per_file_ignores=[("part/a.py", ["SES1"])])
    assert ([], ["SES101"]) == (selected(settings, "part/a.py"), selected(settings, "part/b.py"))
    with pytest.raises(SettingsError) as caught:
        override(below, select=["SES8O1"], per_file_ignores=[("a", ["SES7O1"])])
    assert [
        "--select: no rule has the code 'SES8O1'; the nearest is 'SES801'",
        "--per-file-ignores: no rule has the code 'SES7O1'; the nearest is 'SES701'",
    ] == str(caught.value).splitlines()


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=4)
    | st.sampled_from(["SES1", "!", "a["]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from([*keys(), "x"]), VALUES, max_size=4))
@tried(max_examples=80, deadline=None)
def test_whatever_stands_in_a_file_is_followed_or_told(table: dict[str, Any]) -> None:
    layer = Layer(Path("a.toml"), "", (), table)
    mistakes = check(layer, builtin())
    assert all(mistake.what and mistake.key for mistake in mistakes)
    assert mistakes or {keys()[key][0] for key in table} == set(layer.given)


@pytest.mark.parametrize("extended", ["~nobody-of-that-name/a.toml", "a\\u0000b", "", "."])
def test_what_is_no_path_of_a_file_is_told(tmp_path: Path, extended: str) -> None:
    (tmp_path / "session-lint.toml").write_text(f'extend = "{extended}"\n')
    assert wrong(tmp_path)[0].startswith("session-lint.toml:1: extend: there is no file ")


def test_a_pattern_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "session-lint.toml").write_text('exclude = ["a"]\nextend-exclude = [\n  "!",\n]\n')
    (told,) = wrong(tmp_path)
    assert told.startswith("session-lint.toml:3: extend-exclude: pattern '!': ")
