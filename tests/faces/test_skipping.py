"""Files without a word of sessions are not parsed: nothing else differs."""

from __future__ import annotations

from pathlib import Path

import pytest

from session_lint.engine import lint_paths
from session_lint.python.mentions import finder, importer, namer
from session_lint.python.project import Project
from session_lint.python.texts import Texts
from session_lint.settings import Settings
from tests.rules.cases import cases

SETTINGS = Settings(select=("ALL",), cache=False)
SYNTAX = b"import sqlalchemy\ndef f(:  # Session\n"
HOUSE = {
    "house/__init__.py": "",
    "house/engines.py": "from sqlalchemy.orm import sessionmaker\nLocal = sessionmaker()\n",
    "house/doors.py": "from house.engines import Local\n\ndef unlock():\n    return Local()\n",
    "house/guests.py": "from house.doors import unlock\n\ndef visit():\n    door = unlock()\n    door.execute('x')\n",
    "house/garden.py": "def water(plants):\n    return [plant for plant in plants]\n",
}


def write(folder: Path, files: dict[str, str]) -> list[Path]:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return sorted(folder / name for name in files)


def codes(paths: list[Path], named: tuple[Path, ...] | None = ()) -> list[tuple[str, list[str]]]:
    return [(Path(r.path).name, [f.code for f in r.findings]) for r in lint_paths(paths, SETTINGS, 1, named=named)]


def test_a_house_name_is_enough(tmp_path: Path) -> None:
    """A file that opens a session by a name of the project's own is never passed over."""
    paths = write(tmp_path, HOUSE)
    assert ("guests.py", ["SES101", "SES401"]) in [(n, sorted({*c, "SES401"})) for n, c in codes(paths) if c]
    assert codes(paths) == codes(paths, None)


def test_a_factory_that_is_passed_is_enough(tmp_path: Path) -> None:
    """So is a file that opens one by the name of its parameter."""
    guests = {"house/cellar.py": "def fetch(key):\n    door = key()\n    door.execute('x')\n"}
    lender = {"house/cook.py": "from house import cellar, engines\n\ncellar.fetch(engines.Local)\n"}
    paths = write(tmp_path, HOUSE | guests | lender)
    assert "SES101" in dict(codes(paths))["cellar.py"]
    assert codes(paths) == codes(paths, None)


def test_what_a_model_or_a_library_is_asked_is_enough(tmp_path: Path) -> None:
    """So is one that asks a model for its query, or a library for its session, and opens none."""
    bakery = {
        "bakery/__init__.py": "",
        "bakery/base.py": "from flask_sqlalchemy import SQLAlchemy\n\ndb = SQLAlchemy()\n",
        "bakery/models.py": "from bakery.base import db\n\nclass Loaf(db.Model):\n    pass\n",
        "bakery/telling.py": "import requests\nfrom bakery.models import Loaf\n\ndef tell():\n"
        "    for loaf in Loaf.query.all():\n        requests.post('http://example.org', loaf.name)\n",
        "bakery/wiping.py": "from sqlalchemy import delete\nfrom bakery.base import db\n"
        "from bakery.models import Loaf\n\ndef wipe(names):\n    for name in names:\n"
        "        try:\n            db.session.execute(delete(Loaf))\n"
        "        except Exception:\n            print(name)\n",
        "bakery/asking.py": "def ask(form):\n    return form.query('loaf')\n",
    }
    found = [(name, one) for name, found in codes(write(tmp_path, bakery)) for one in found]
    assert found == [("telling.py", "SES703"), ("wiping.py", "SES701")]


MENDING = """
from shop.wiping import wipe

def mend(db: {}):
    try:
        wipe(db)
    except Exception:
        print("so what")
    db.execute("y")
"""


@pytest.mark.parametrize(
    ("passing", "name", "importing"),
    [
        ("from shop.api.core import DbSession", "DbSession", "from shop.api import DbSession"),
        ("from shop.api.core import (\n    Other,\n    DbSession,\n)", "DbSession", "from shop.api import DbSession"),
        ("from shop.api.core import DbSession as Db", "Db", "from shop.api import Db"),
        ("from shop.api.core import *", "DbSession", "from shop.api import DbSession"),
        ("from shop.api import core", "core.DbSession", "from shop.api import core"),
        ("from .api.core import DbSession", "DbSession", "from . import DbSession"),
    ],
)
def test_an_annotation_that_a_package_passes_on_is_enough(
    tmp_path: Path, passing: str, name: str, importing: str
) -> None:
    """So is one that tells of a session by a name which another module has imported for it."""
    shop = {
        "shop/__init__.py": f"{passing}\n" if passing.startswith("from .") else "",
        "shop/api/__init__.py": f"{passing}\n" if not passing.startswith("from .") else "",
        "shop/api/core.py": "from typing import Annotated\nfrom fastapi import Depends\n"
        "from sqlalchemy.orm import Session, sessionmaker\nLocal = sessionmaker()\nOther = 1\n\n"
        "def get_db():\n    with Local() as db:\n        yield db\n\n"
        "DbSession = Annotated[Session, Depends(get_db)]\n",
        "shop/wiping.py": "from sqlalchemy.orm import Session\n\n"
        "def wipe(db: Session):\n    db.add(1)\n    db.flush()\n",
        "shop/mending.py": f"{importing}\n{MENDING.format(name)}",
        "shop/others.py": f"Db = DbSession = core = dict\n{MENDING.format(name)}",
    }
    assert [name for name, found in codes(write(tmp_path, shop)) if "SES701" in found] == ["mending.py"]


def test_nothing_differs_for_the_cases_of_the_rules(tmp_path: Path) -> None:
    texts = {f"{case.page}/n{n}.py": case.text for n, case in enumerate(cases())}
    paths = write(tmp_path, texts | {f"{name.split('/')[0]}/setup.py": "" for name in texts})
    whole = list(lint_paths(paths, SETTINGS, 1, named=None))
    assert any(report.findings for report in whole)
    for before, after in zip(whole, lint_paths(paths, SETTINGS, 1, named=()), strict=True):
        unparsed = {f for f in before.findings if f.code == "SES900"}
        assert set(before.findings) - unparsed == set(after.findings) - unparsed


def test_what_is_no_python_and_has_nothing_to_do_with_sessions_is_told_where_it_is_named(tmp_path: Path) -> None:
    (path,) = paths = write(tmp_path, {"a.py": "def f(:\n"})
    assert [("a.py", [])] == codes(paths)
    assert [("a.py", ["SES900"])] == codes(paths, (path,))
    assert [("a.py", ["SES900"])] == codes(paths, None)


@pytest.mark.parametrize("content", [b"x = '\xe9'\n", b"x = 1\0\n", b"# coding: nonsense\n", SYNTAX])
def test_what_is_no_text_or_may_have_a_session_is_told_in_any_case(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(content)
    assert [("a.py", ["SES900"])] == codes([path])


def test_words_count_only_where_some_file_names_a_package_that_sessions_come_from(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("")
    path = tmp_path / "a.py"
    path.write_text("def f(:  # Session\n")
    assert [("a.py", [])] == codes([path])
    (tmp_path / "b.py").write_text("import sqlalchemy\n")
    assert [("a.py", ["SES900"])] == codes([path])


def test_unused_suppressions_are_told_of_files_that_are_passed_over(tmp_path: Path) -> None:
    assert [("a.py", ["SES901"])] == codes(write(tmp_path, {"a.py": "x = 1  # noqa: SES101\n"}))


@pytest.mark.parametrize(
    "text",
    [
        "x = using(a)",
        "return using",
        "using if x else y",
        "with writer.using as s:",
        "f(using , 3)",
        "from a import using",
        "from a import b as using",
        "  using\n",
        "using \\\n  + 3",
        "type using = 3",
        "match using:",
        'f"{using!r}"',
        "not using",
        "lambda using: 3",
        "x: 'Using | using'",
    ],
)
def test_names_are_found(text: str) -> None:
    assert finder(["using"])(text.encode())


@pytest.mark.parametrize(
    "text",
    ["# when using the", "# stop using\n", "'using a thing'", "using `x`", "reusing(x)", "using_it()", "# using 3"],
)
def test_words_of_sentences_are_not(text: str) -> None:
    assert not finder(["using"])(text.encode())


@pytest.mark.parametrize(
    "text",
    [
        "import using",
        "import using.engine as e",
        "import os, using",
        "import os as o, \\\n    using",
        "try:\n    from using.orm import Session\nexcept ImportError: import other",
        "try: import using\nexcept ImportError: pass",
        "x = 1; from using import y",
        "e = importlib.import_module('using.orm')",
        'e = __import__( "using")',
        "pytest.importorskip('using')",
        "    from  using import (\n        y,\n    )",
        "\r\nimport using\r\n",
    ],
)  # fmt: skip
def test_imports_are_found(text: str) -> None:
    assert importer(frozenset({"other_one", "using"}))(text.encode())


@pytest.mark.parametrize(
    "text",
    [
        "# from using",
        "x = {'using': 3}",
        "using = 3",
        "from . import using",
        "from .using import x",
        "from app.using import x",
        "import app.using",
        "import using_it",
        "'''read\n    it from the using'''",
    ],
)
def test_what_imports_something_else_is_not(text: str) -> None:
    assert not importer(frozenset({"other_one", "using"}))(text.encode())


@pytest.mark.parametrize(
    ("name", "text", "there"),
    [
        ("save", "save(x)", True),
        ("save", "unsaved(x)", False),
        ("save", "# to save the world", False),
        (".save", "x.save(y)", True),
        (".save", "x.saved(y)", False),
        (".db.rollback", "self.db.rollback()", True),
        ("größe", "x = größe(y)", True),
        (".größ", "x.größe", False),
        (".groß", "x.groß()", True),
    ],
)
def test_a_name_is_looked_for_as_a_whole(name: str, text: str, there: bool) -> None:
    assert namer(name)(text.encode()) is there


def test_what_a_module_defines_is_told_by_its_text(tmp_path: Path) -> None:
    path = tmp_path / "house.py"
    path.write_text(
        "def plain(): ...\nasync def later(): ...\nclass Kind: ...\ndef größe(): ...\n"
        "def wrapped(): ...\nwrapped = cached(wrapped)\ntold: int = 1\n"
        "if x:\n    def perhaps(): ...\nvalue = plain\n# def spoken(): ...\n",
        "utf-8",
    )
    assert Texts(tmp_path).defined(path) == {name.encode() for name in ("plain", "later", "Kind", "größe")}


def test_a_module_is_read_once_a_definition_in_it_is_asked_for(tmp_path: Path) -> None:
    files = {"__init__.py": "", "tools.py": "def mend(x):\n    return x\nnail = mend\n"}
    files["work.py"] = "from house.tools import mend, nail\n"
    write(tmp_path, {f"house/{name}": text for name, text in files.items()} | {"setup.py": ""})
    project = Project(tmp_path)
    work = project.load(tmp_path / "house/work.py")
    assert work is not None
    tools, names = tmp_path / "house/tools.py", work.names
    assert names.follow("house.tools.mend") == {"house.tools.mend"}
    assert tools not in project.units
    assert f"file\0{tools}" in work.evidence
    found = names.definition("house.tools.mend")
    assert found is not None
    assert tools in project.units
    assert names.follow("house.tools.nail") == {"house.tools.mend"}
