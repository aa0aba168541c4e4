"""``[tool.session-lint.vocabulary]``: what a user says of names that no analysis can look into."""

from __future__ import annotations

import json
import os
import pickle
import re
import runpy
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

import session_lint
from session_lint.cache import key_of
from session_lint.settings import Settings, SettingsError, load, override
from session_lint.vocabulary import Meaning, Role, Tables, Vocabulary, builtin, compiled, vocabulary
from session_lint.vocabulary.checking import Mistake, checked
from session_lint.vocabulary.tables import TABLES, read_table
from tests.faces.test_plugin import INSTALLED, LOCAL
from tests.forked import LINTERS, module

GOOD = """[tool.session-lint]
[tool.session-lint.vocabulary.names]
"acme.db.open_session" = { role = "factory" }
"acme.db.unit_of_work" = { role = "scope", commits = true }
"acme.db.current" = { role = "singleton", closer = "acme.db.shut" }
[tool.session-lint.vocabulary.aliases]
"acme.Fresh" = "acme.db.open_session"
"""
TABLE = Tables(
    names=(
        ("acme.db.open_session", Meaning(Role.FACTORY)),
        ("acme.db.unit_of_work", Meaning(Role.SCOPE, commits=True)),
        ("acme.db.current", Meaning(Role.SINGLETON, closer="acme.db.shut")),
    ),
    aliases=(("acme.Fresh", "acme.db.open_session"),),
)
PROGRAMS = {
    "closed.py": """from acme.db import open_session


def closed(query):
    session = open_session()
    try:
        return list(session.execute(query))
    finally:
        session.close()
""",
    "leak.py": """from acme import Fresh


def leak(query):
    session = Fresh()
    return session.execute(query)
""",
    "owed.py": """from acme import db

print(list(db.current().execute("SELECT 1")))
""",
    "paid.py": """from acme import db

try:
    print(list(db.current().execute("SELECT 1")))
finally:
    db.shut()
""",
    "twice.py": """from acme.db import unit_of_work


def twice(row):
    with unit_of_work() as session:
        session.add(row)
        session.commit()
""",
}
FOUND = [("leak.py", 5, "SES101"), ("owed.py", 3, "SES201"), ("twice.py", 7, "SES301")]


def program(*arguments: str) -> tuple[int, str, str]:
    """One run in the current folder: exit code, standard output, standard error."""
    environment = {**os.environ, "PYTHONPATH": str(Path(session_lint.__file__).parents[1]), "NO_COLOR": "1"}
    done = module(*arguments, imported=LINTERS, environment=environment)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def by_command(*arguments: str) -> list[tuple[str, int, str]]:
    """File, row and code of what the command finds."""
    _, out, errors = program("session_lint", "check", "--output-format", "json", *arguments)
    assert "" == errors
    return [(Path(f["filename"]).name, f["location"]["row"], f["code"]) for f in json.loads(out)]


def by_flake8(*arguments: str) -> list[tuple[str, int, str]]:
    """File, row and code of what flake8 finds."""
    _, out, errors = program("flake8", "--select=SES", *arguments)
    assert "" == errors
    found = re.findall(r"(\w+\.py):(\d+):\d+: (SES\d+)", out)
    return sorted((name, int(row), code) for name, row, code in found)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project that uses somebody else's wrappers, and says what they are."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "setup.cfg").write_text("" if INSTALLED else LOCAL)
    (tmp_path / "pyproject.toml").write_text(GOOD)
    for name, text in PROGRAMS.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def test_it_is_read_and_kept(project: Path) -> None:
    settings = load(project)
    assert Settings(root=project, vocabulary=TABLE) == settings
    assert TABLE == override(settings, select=["SES1"]).vocabulary
    assert Tables() == load(project, isolated=True).vocabulary
    assert settings == pickle.loads(pickle.dumps(settings))  # noqa: S301  (as a run with processes does)
    assert hash(settings) == hash(load(project))


def test_both_faces_follow_it(project: Path) -> None:
    assert FOUND == by_command()
    assert FOUND == by_flake8()
    assert [] == by_command("--isolated")
    assert [] == by_flake8("--isolated")


def test_what_was_found_without_it_is_not_taken_for_what_holds_with_it(project: Path) -> None:
    (project / "pyproject.toml").write_text("[tool.session-lint]\n")
    assert [] == by_command()
    (project / "pyproject.toml").write_text(GOOD)
    assert FOUND == by_command()
    assert FOUND == by_flake8()
    (project / "pyproject.toml").write_text(GOOD.replace(", commits = true", ""))
    assert FOUND[:2] == by_command()


def test_findings_are_kept_by_it(project: Path) -> None:
    keys = {key_of(b"", "a.py", project, Settings(vocabulary=tables)) for tables in (Tables(), TABLE)}
    assert 2 == len(keys)


def test_a_wrapper_around_it_is_followed(project: Path) -> None:
    """What the project makes of such a name is inferred as from the libraries' own."""
    (project / "store.py").write_text("from acme.db import open_session\n\n\ndef make():\n    return open_session()\n")
    text = "from store import make\n\n\ndef f(q):\n    s = make()\n    return list(s.execute(q))\n"
    (project / "b.py").write_text(text)
    assert [("b.py", 5, "SES101")] == by_command("b.py")
    assert [("b.py", 5, "SES101")] == by_flake8("b.py")


@pytest.mark.parametrize("name", ["open_session", "other"])
def test_it_counts_for_what_the_project_defines(project: Path, name: str) -> None:
    """The user knows better than the body of a function that hides what it does."""
    (project / "pyproject.toml").write_text(f'{GOOD}"acme.db.other" = "acme.db.open_session"\n')
    (project / "acme").mkdir()
    (project / "acme" / "__init__.py").write_text("")
    (project / "acme" / "db.py").write_text(f"def {name}():\n    return registry['session']\n")
    text = f"from acme.db import {name}\n\n\ndef f(q):\n    s = {name}()\n    return list(s.execute(q))\n"
    (project / "b.py").write_text(text)
    assert [("b.py", 5, "SES101")] == by_command("b.py")
    assert [("b.py", 5, "SES101")] == by_flake8("b.py")
    (project / "pyproject.toml").write_text("[tool.session-lint]\n")
    assert [] == by_command("b.py")


def test_a_fix_uses_the_scope_of_the_table(project: Path) -> None:
    scope = '{ role = "factory", scope = "acme.db.unit_of_work" }'
    (project / "pyproject.toml").write_text(GOOD.replace('{ role = "factory" }', scope))
    file = project / "saved.py"
    file.write_text(
        """from acme.db import open_session


def save(row):
    session = open_session()
    try:
        session.add(row)
        session.commit()
    finally:
        session.close()
"""
    )
    code, _, errors = program("session_lint", "fix", "--select", "SES104", "saved.py")
    assert (0, "") == (code, errors)
    expected = """from acme.db import unit_of_work


def save(row):
    with unit_of_work() as session:
        session.add(row)
"""
    assert expected == file.read_text()


def test_the_built_in_tables_are_as_right() -> None:
    content: dict[str, dict[str, Any]] = {"names": {}, "aliases": {}}
    for table in map(read_table, TABLES):
        for key, entries in content.items():
            entries.update(table.get(key, {}))
    tables, mistakes = checked(content, Vocabulary({}, {}))
    assert [] == mistakes
    known = builtin()
    assert (known.names, known.aliases) == (dict(tables.names), dict(tables.aliases))


def test_the_page_tells_of_every_role_and_field() -> None:
    page = (Path(session_lint.__file__).parents[1] / "docs" / "configuration.md").read_text("utf-8")
    words = re.findall(r"`([\w-]+)(?: = [^`]*)?`", page.partition("## Vocabulary")[2].partition("\n## ")[0])
    wanted = {role.value for role in Role} | {field.name for field in fields(Meaning)} - {"role"}
    assert set() == wanted - {*words}


def test_the_user_wins() -> None:
    said = Tables(
        names=(("sqlmodel.orm.session.Session", Meaning(Role.MANAGED)), ("logging.info", Meaning(Role.NO_RETURN))),
        aliases=(("sqlalchemy.orm.Session", "acme.Thing"),),
    )
    joined = vocabulary(said)
    names = (
        "sqlmodel.orm.session.Session",
        "sqlmodel.Session",
        "logging.info",
        "logging.debug",
        "sqlalchemy.orm.Session",
    )
    roles = [found.role if (found := joined.meaning(name)) else None for name in names]
    assert [Role.MANAGED, Role.FACTORY, Role.NO_RETURN, Role.NO_RAISE, None] == roles


def test_nothing_said_costs_nothing() -> None:
    assert vocabulary(Tables()) is builtin()
    assert vocabulary(TABLE) is vocabulary(Tables(TABLE.names, TABLE.aliases))


def test_the_closer_follows_from_its_singleton() -> None:
    assert Meaning(Role.CLOSER, closes="acme.db.current") == vocabulary(TABLE).meaning("acme.db.shut")


def test_the_words_of_the_tables_are_looked_for() -> None:
    names = (
        ("acme.Engine().begin", Meaning(Role.SCOPE)),
        ("acme.Desk().*", Meaning(Role.FACTORY, methods=("fresh", "anew"))),
        ("acme.quiet", Meaning(Role.NO_RAISE)),
    )
    joined = vocabulary(Tables(names, (("acme.Local", "sqlalchemy.orm.sessionmaker()"), ("acme.calm", "acme.quiet"))))
    assert {"Engine", "fresh", "anew", "Local"} == {*joined.opening_words} - {*builtin().opening_words}
    assert [True, False] == [joined.mentions(text) for text in ("with Engine().begin():", "quiet(); calm()")]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"nmaes": {}}, [("] nmaes", "there is no such key")]),
        ({"names": 1}, [(".names]", "expected a table")]),
        ({"names": {"a.b": "factory"}}, [(".names] 'a.b'", "expected a table, such as { role = 'factory' }")]),
        ({"names": {"a.b": {}}}, [(".names] 'a.b'", "there is no role")]),
        ({"names": {"a.b": {"role": "factry"}}}, [(".names] 'a.b' role", "there is no role 'factry'")]),
        ({"names": {"a.b": {"role": 1}}}, [(".names] 'a.b' role", "expected `str`, got `int`")]),
        ({"names": {"a.b": {"role": "scope", "comits": True}}}, [(".names] 'a.b' comits", "there is no such key")]),
        (
            {"names": {"a.b": {"role": "scope", "commits": 1}}},
            [(".names] 'a.b' commits", "expected `bool`, got `int`")],
        ),
        (
            {"names": {"a.b": {"role": "factory", "commits": True}}},
            [(".names] 'a.b' commits", "the role 'factory' has no 'commits'; it may have 'scope'")],
        ),
        (
            {"names": {"a.b": {"role": "no-raise", "methods": ["c"]}}},
            [(".names] 'a.b' methods", "only a name that ends in '.*' has methods")],
        ),
        (
            {"names": {"a.b": {"role": "calls", "argument": -1}}},
            [(".names] 'a.b' argument", "arguments are counted from 0")],
        ),
        ({"names": {"a.b": {"role": "singleton"}}}, [(".names] 'a.b'", "the role 'singleton' needs 'closer'")]),
        (
            {"names": {"a.b": {"role": "singleton", "closer": "sqlalchemy.select"}}},
            [(".names] 'a.b' closer", "'sqlalchemy.select' is no closer")],
        ),
        (
            {"names": {"a.b": {"role": "singleton", "closer": "database.close_global_session"}}},
            [(".names] 'a.b' closer", "'database.close_global_session' closes 'database.session.get_session'")],
        ),
        ({"names": {"a.b": {"role": "closer"}}}, [(".names] 'a.b'", "the role 'closer' needs 'closes'")]),
        (
            {"names": {"a.b": {"role": "closer", "closes": "a.c"}}},
            [(".names] 'a.b' closes", "'a.c' is no singleton")],
        ),
        (
            {"names": {"a.b": {"role": "closer", "closes": "a.c"}, "a.c": {"role": "singleton"}}},
            [(".names] 'a.c'", "the role 'singleton' needs 'closer'")],
        ),
        (
            {"names": {"a.b": {"role": "factory", "scope": "a.c"}, "a.c": {"role": "scope"}}},
            [(".names] 'a.b' scope", "'a.c' is no scope that commits")],
        ),
        (
            {"names": {"a.b": {"role": "closer", "closes": "a c"}}},
            [(".names] 'a.b' closes", "'a c' is not a dotted name")],
        ),
        (
            {"names": {"a.*": {"role": "factory"}}},
            [(".names] 'a.*'", "an opener that ends in '.*' needs 'methods': files are looked through for them")],
        ),
        ({"aliases": {"a b": "a.c"}}, [(".aliases] 'a b'", "not a dotted name")]),
        ({"aliases": {"a.b": 1}}, [(".aliases] 'a.b'", "expected `str`, got `int`")]),
        ({"aliases": {"a.b": "a..c"}}, [(".aliases] 'a.b'", "'a..c' is not a dotted name")]),
        ({"aliases": {"a.b": "a.b"}}, [(".aliases] 'a.b'", "an alias of itself")]),
        (
            {"aliases": {"a.b": "a.c", "a.c": "a.b"}},
            [
                (".aliases] 'a.b'", "it leads round in a circle, or too far: a.b > a.c > a.b"),
                (".aliases] 'a.c'", "it leads round in a circle, or too far: a.c > a.b > a.c"),
            ],
        ),
        (
            {"names": {"a.b": {"role": "factory"}}, "aliases": {"a.b": "a.c"}},
            [(".aliases] 'a.b'", "it has a meaning in 'names' already")],
        ),
    ],
)
def test_each_mistake_is_named(content: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert expected == [(mistake.place, mistake.what) for mistake in checked(content)[1]]


def test_an_alias_that_grows_without_end_is_named() -> None:
    (mistake,) = checked({"aliases": {"a.b": "a.b.c"}})[1]
    assert ".aliases] 'a.b'" == mistake.place
    assert mistake.what.startswith("it leads round in a circle, or too far: a.b > a.b.c > a.b.c.c > ")


@pytest.mark.parametrize("name", ["session", "a.", ".a", "a..b", "a.b(", "a.b(x)", "a-b.c", "a.*.b", "*", "", "a.1b"])
def test_a_name_is_dotted(name: str) -> None:
    what = "not a dotted name, such as 'package.module.name', 'package.make()' or 'package.logger.*'"
    assert [Mistake(f".names] {name!r}", what)] == checked({"names": {name: {"role": "no-raise"}}})[1]


@pytest.mark.parametrize("name", ["a.b", "a.make()", "a.make()().begin", "a.logger.*", "a.*", "größe.b_1"])
def test_these_are_dotted_names(name: str) -> None:
    assert [] == checked({"names": {name: {"role": "no-raise"}}})[1]


BAD = """[tool.session-lint.vocabulary.names]
"acme.open" = { role = "factry" }
"acme.scope" = { role = "scope", comits = true }
"acme.current" = { role = "singleton" }
[tool.session-lint.vocabulary.aliases]
"acme.a" = "acme.b"
"acme.b" = "acme.a"
"""
WHERE = "[tool.session-lint.vocabulary"
LINES = [
    f"{WHERE}.names] 'acme.open' role: there is no role 'factry'; the nearest is 'factory'",
    f"{WHERE}.names] 'acme.scope' comits: there is no such key; the nearest is 'commits'",
    f"{WHERE}.names] 'acme.current': the role 'singleton' needs 'closer'",
    f"{WHERE}.aliases] 'acme.a': it leads round in a circle, or too far: acme.a > acme.b > acme.a",
    f"{WHERE}.aliases] 'acme.b': it leads round in a circle, or too far: acme.b > acme.a > acme.b",
]


def test_all_mistakes_are_named_together(project: Path) -> None:
    file = project / "pyproject.toml"
    file.write_text(BAD)
    expected = [f"{file}:{row}: {line}" for row, line in zip((2, 3, 4, 6, 7), LINES, strict=True)]
    with pytest.raises(SettingsError) as caught:
        load(project)
    assert expected == str(caught.value).splitlines()
    code, out, errors = program("session_lint", "check", "leak.py")
    assert (2, "", ["session-lint: " + expected[0], *expected[1:]]) == (code, out, errors.splitlines())
    code, out, errors = program("flake8", "--select=SES", "leak.py")
    assert (1, "") == (code, errors)
    assert [True, 1] == [all(line in out for line in expected), len(out.splitlines())]


def test_a_table_is_expected(project: Path) -> None:
    file = project / "pyproject.toml"
    file.write_text("[tool.session-lint]\nvocabulary = 1\n")
    with pytest.raises(SettingsError) as caught:
        load(project)
    assert f"{file}:2: [tool.session-lint] vocabulary: expected `object`, got `int`" == str(caught.value)


def test_the_module_is_made_of_the_tables() -> None:
    root = Path(session_lint.__file__).parents[1]
    made = runpy.run_path(str(root / "docs" / "tables.py"))["module"]()
    assert made == Path(compiled.__file__).read_text("utf-8"), "run `python docs/tables.py`"
