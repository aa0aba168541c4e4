"""The example projects: one shop makes every documented mistake where its comments say so, and its twin makes none.

Nor does the lab, which has all three patterns. All of them run.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import create_engine, text

from tests.forked import DATABASES, module, session_lint

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "examples"
DOCUMENTED = {"SES101", "SES102", "SES104", "SES201", "SES202", "SES203", "SES301", "SES401", "SES501"}
MENDED = ["checkout.py", "payments.py", "stock.py"]
ENTERED = ["nightly_report.py", "restock.py"]

# A day of the shop: what is called, what it is given, and what it prints.
DAY = [
    ("restock 20", "", ""),
    ("checkout 1 2", "", ""),
    ("import_orders", "2,1\n1,3\n", ""),
    ("payments 1", "", ""),
    ("refunds 1", "", "3\n"),
    ("stock tea", "", "17\n"),
    ("stock nothing", "", "0\n"),
    ("nightly_report", "", "cup: 9.00\ntea: 22.50\n"),
]


ASK = """
from database.session import get_engine
from lab.web import app

client = app.test_client()
print(client.get("/series").json["pi"]["done"])
for seed in (100, 100):
    print(client.post("/series/pi/runs", json={"seed": seed}).status_code)
print(client.post("/series/e/runs", json={"seed": 1}).status_code, client.get("/series/e").status_code)
print(len(client.get("/series/pi").json), "out", get_engine().pool.checkedout())
"""


def python(
    *arguments: str, database: Path | None = None, given: str = "", environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """A run of this interpreter at the root of the project."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(EXAMPLES)]), **(environment or {})}
    if database:
        environment["DATABASE_URL"] = f"sqlite:///{database}"
    if arguments[0] == "-m":
        done = module(*arguments[1:], imported=DATABASES, cwd=ROOT, stdin=given.encode(), environment=environment)
        return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, input=given, capture_output=True, text=True, check=False)


@pytest.fixture(name="alone", scope="module")
def _alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The examples and the reference module without the rest of this project, which a run would read, too."""
    folder = tmp_path_factory.mktemp("alone")
    for name in ("examples", "database"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def check(folder: Path, project: str) -> tuple[int, list[dict[str, object]]]:
    """Exit code and findings of the command, with the whole catalogue."""
    done = session_lint("check", "--no-cache", "--select", "ALL", "--output-format", "json", project, cwd=folder)
    assert done.stderr == b""
    return done.returncode, json.loads(done.stdout)


def marks(project: str) -> list[tuple[str, int, str]]:
    """What the comments of a project promise: file, row, code."""
    return sorted(
        (path.name, row, code)
        for path in (ROOT / project).glob("*.py")
        for row, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        for code in re.findall(r"# (SES\d{3})", line)
    )


def places(findings: list[dict[str, object]]) -> list[tuple[str, int, str]]:
    """Where findings stand: file, row, code."""
    found = []
    for finding in findings:
        location = finding["location"]
        assert isinstance(location, dict)
        found.append((Path(str(finding["filename"])).name, location["row"], str(finding["code"])))
    return sorted(found)


def test_every_documented_mistake_is_found_at_its_line(alone: Path) -> None:
    """Nothing else is, and every finding shows its path."""
    status, findings = check(alone, "examples/shop")
    assert (status, places(findings)) == (1, marks("examples/shop"))
    assert {code for _, _, code in marks("examples/shop")} == DOCUMENTED
    assert [finding["code"] for finding in findings if not finding["trace"]] == []


def test_the_twin_is_silent(alone: Path) -> None:
    """No finding, and no comment that suppresses one."""
    assert (check(alone, "examples/shop_fixed"), marks("examples/shop_fixed")) == ((0, []), [])
    assert not re.search("noqa|session-lint:", "".join(path.read_text("utf-8") for path in EXAMPLES.rglob("*.py")))


def test_flake8_reports_the_same(alone: Path) -> None:
    """The plugin says what the command says; a style rule has to be named."""
    command = [sys.executable, "-m", "flake8", "--isolated", "--select", "SES,SES104", "examples/shop"]
    done = subprocess.run(command, cwd=alone, capture_output=True, text=True, check=False)
    found = [re.fullmatch(r"(.+):(\d+):\d+: (SES\d{3}) .*", line) for line in done.stdout.splitlines()]
    assert sorted((Path(m[1]).name, int(m[2]), m[3]) for m in found if m) == marks("examples/shop")


def test_fix_makes_the_twin(tmp_path: Path) -> None:
    """Where the linter mends a whole file, it comes out as its author would have written it."""
    shutil.copytree(EXAMPLES / "shop", tmp_path / "shop", ignore=shutil.ignore_patterns("__pycache__"))
    command = ("fix", "--isolated", "--no-cache", "--select", "ALL", str(tmp_path / "shop"))
    done = session_lint(*command, cwd=ROOT)
    assert (done.returncode, done.stdout, done.stderr) == (1, b"6 fixed in 6 files, 4 left\n", b"")
    for name in MENDED:
        twin = (EXAMPLES / "shop_fixed" / name).read_text("utf-8").replace("shop_fixed", "shop")
        assert re.sub(r"  # SES\d{3}", "", (tmp_path / "shop" / name).read_text("utf-8")) == twin
    for name in ENTERED:  # its author closes in the function, the linter where the program enters
        assert "\n    finally:\n        close_global_session()\n" in (tmp_path / "shop" / name).read_text("utf-8")


@pytest.mark.parametrize(("project", "saved"), [("shop", []), ("shop_fixed", ["cup", "tea"])])
def test_products_are_lost_by_one_and_saved_by_the_other(project: str, saved: list[str], tmp_path: Path) -> None:
    """What SES203 is about, seen from outside; the reference module warns."""
    database = tmp_path / "shop.db"
    call(project, "create_tables", database)
    done = python("-m", f"{project}.add_products", "tea=450", "cup=900", database=database)
    warned = "RuntimeWarning: the global session was closed with changes that were not committed" in done.stderr
    assert (done.returncode, done.stdout, warned, products(database)) == (0, "", not saved, saved)


@pytest.mark.parametrize("project", ["shop", "shop_fixed"])
def test_a_day_of_the_shop(project: str, tmp_path: Path) -> None:
    """All of the rest works as long as nothing fails, with its mistakes too."""
    database = tmp_path / "shop.db"
    call(project, "create_tables", database)
    put_in(database)
    printed = [call(project, command, database, given) for command, given, _ in DAY]
    assert printed == [output for _, _, output in DAY]


@pytest.mark.parametrize("project", ["shop", "shop_fixed"])
def test_the_window_shows_the_products(project: str, tmp_path: Path) -> None:
    """The web application answers."""
    database = tmp_path / "shop.db"
    call(project, "create_tables", database)
    put_in(database)
    ask = f"from {project}.web import app; print(app.test_client().get('/products').json)"
    assert python("-c", ask, database=database).stdout == "{'cup': 900, 'tea': 450}\n"


@pytest.fixture(name="lab_", params=["sqlite", "postgres"])
def _lab(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of a lab with an empty database, in which the guard watches every process."""
    url = f"sqlite:///{tmp_path / 'lab.db'}"
    if request.param == "postgres":
        url = request.getfixturevalue("server")
    yield {"DATABASE_URL": url, "SESSION_GUARD": "1"}
    engine = create_engine(url)
    with engine.begin() as connection:
        for table in ("run", "series"):
            connection.execute(text(f"drop table {table}"))
    engine.dispose()


def lab(environment: dict[str, str], *arguments: str) -> tuple[int, str]:
    """Exit code and output of one of the lab's programs."""
    done = python("-m", *arguments, environment=environment)
    return done.returncode, done.stdout + done.stderr


def test_the_lab_is_clean(alone: Path) -> None:
    """With every rule."""
    assert check(alone, "examples/lab") == (0, [])


def test_the_lab(lab_: dict[str, str]) -> None:
    """Planned by a script, carried out by four processes, shown by the web application and its command."""
    assert lab(lab_, "lab.create", "pi", "--runs", "12", "--darts", "400") == (0, "12 runs of pi are planned\n")
    assert lab(lab_, "lab.experiments", "--workers", "4") == (0, "0 runs are left\n")
    status, report = lab(lab_, "flask", "--app", "lab.web", "report", "pi")
    results = [float(line.split(": ")[1]) for line in report.splitlines()]
    assert (status, len(results), 2.5 < min(results), max(results) < 3.8) == (0, 12, True, True)
    assert lab(lab_, "flask", "--app", "lab.web", "report", "e") == (1, "Error: there is no series e\n")
    asked = python("-c", ASK, environment=lab_)
    assert (asked.stderr, asked.stdout.split()) == ("", ["12", "201", "409", "404", "404", "13", "out", "0"])
    assert lab(lab_, "lab.experiments", "--workers", "1") == (0, "0 runs are left\n")


def test_a_series_is_planned_as_a_whole(lab_: dict[str, str]) -> None:
    """The second one of a name leaves nothing behind."""
    assert lab(lab_, "lab.create", "pi", "--runs", "2")[0] == 0
    status, output = lab(lab_, "lab.create", "pi", "--runs", "3")
    assert (status, "IntegrityError" in output) == (1, True)
    assert lab(lab_, "flask", "--app", "lab.web", "report", "pi") == (0, "0: waiting\n1: waiting\n")


def call(project: str, command: str, database: Path, given: str = "") -> str:
    """Run a module of a project with its arguments.

    :returns: what it printed.
    """
    name, *arguments = command.split()
    done = python("-m", f"{project}.{name}", *arguments, database=database, given=given)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def products(database: Path) -> list[str]:
    """The names of the products that are saved."""
    connection = sqlite3.connect(database)
    try:
        return [name for (name,) in connection.execute("select name from product order by name")]
    finally:
        connection.close()


def put_in(database: Path) -> None:
    """Save the day's products."""
    connection = sqlite3.connect(database)
    with connection:
        rows = [("tea", 450), ("cup", 900)]
        connection.executemany("insert into product (name, price, stock) values (?, ?, 0)", rows)
    connection.close()
