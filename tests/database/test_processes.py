"""What an import does, and what forked and spawned processes see; each in interpreters of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")

IMPORT = """
import os
import database, database.session, database.flask
print(sorted(name for name in os.listdir() if name.endswith('.db')))
"""

FIRST_USE = """
import os
from sqlalchemy import text
from database import SessionLocal, scoped_session
session = SessionLocal()
if "LATER_URL" in os.environ:
    os.environ["DATABASE_URL"] = os.environ["LATER_URL"]
print(sorted(name for name in os.listdir() if name.endswith('.db')))
with scoped_session() as session:
    session.execute(text("create table item (name text)"))
print(sorted(name for name in os.listdir() if name.endswith('.db')))
"""

FORK = """
import os, sys
from sqlalchemy import text
from database import close_global_session, get_session, scoped_session

with scoped_session() as session:
    session.execute(text("create table item (name text)"))
session = get_session()
session.execute(text("insert into item values ('before the fork')"))
pooled = session.get_bind().pool
child = os.fork()
if not child:
    mine = get_session()
    own = mine is not session and mine.get_bind().pool is not pooled
    seen = mine.execute(text("select name from item")).all()
    print("child", own, seen, flush=True)
    {closing}
    del session, mine
    {ending}
print("parent", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), get_session() is session)
session.execute(text("insert into item values ('after it')"))
session.commit()
print(session.scalars(text("select name from item")).all())
close_global_session()
"""

LOCKED = """
import os, threading
from database import get_session, session
held, done = threading.Event(), threading.Event()

def hold():
    with session._process.lock:
        held.set()
        done.wait()

threading.Thread(target=hold).start()
held.wait()
child = os.fork()
if not child:
    get_session()
    os._exit(7)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
done.set()
"""

POOL = """
import multiprocessing, os, sys
from sqlalchemy import text
from database import close_global_session, get_session, scoped_session

inherited = None

def work(number):
    session = get_session()
    try:
        session.execute(text("insert into item values (:name)"), {{"name": str(number)}})
        session.commit()
        return session is not inherited and os.getpid() != int(os.environ["PARENT"])
    finally:
        close_global_session()

if __name__ == "__main__":
    os.environ["PARENT"] = str(os.getpid())
    with scoped_session() as session:
        session.execute(text("create table item (name text)"))
    inherited = get_session()
    inherited.execute(text("select name from item")).all()
    with multiprocessing.get_context("{method}").Pool(2) as pool:
        print(set(pool.map(work, range(20))))
    inherited.rollback()
    print(get_session() is inherited, len(inherited.execute(text("select name from item")).all()))
    close_global_session()
"""


def run(script: str, tmp_path: Path, **environment: str) -> list[str]:
    """What a program prints that runs in an empty folder, line by line."""
    (tmp_path / "cwd").mkdir()
    path = tmp_path / "program.py"
    path.write_text(script, "utf-8")
    inherited = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", path],
        cwd=tmp_path / "cwd",
        env={**inherited, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def test_import_opens_nothing_and_reads_nothing(tmp_path: Path) -> None:
    """Not even a setting that makes no sense."""
    assert run(IMPORT, tmp_path, DATABASE_URL="nonsense") == ["[]"]


def test_the_default_is_a_file_made_by_the_first_operation(tmp_path: Path) -> None:
    """A session that was not used yet has made none."""
    assert run(FIRST_USE, tmp_path) == ["[]", "['database.db']"]


def test_the_environment_is_read_at_the_first_use(tmp_path: Path) -> None:
    """What stood there at the import does not count."""
    assert run(FIRST_USE, tmp_path, DATABASE_URL="nonsense", LATER_URL="sqlite:///later.db") == ["[]", "['later.db']"]


@forks
@pytest.mark.parametrize("ending", ["sys.exit()", "os._exit(0)"])
@pytest.mark.parametrize("closing", ["close_global_session()", "pass"])
def test_a_forked_child_has_its_own_and_harms_nothing(tmp_path: Path, ending: str, closing: str) -> None:
    """The parent's transaction is under way while the child lives and ends; its journal must outlive the child."""
    printed = run(FORK.format(ending=ending, closing=closing), tmp_path, DATABASE_URL="sqlite:///items.db")
    assert printed == ["child True []", "parent 0 True", "['before the fork', 'after it']"]


@forks
def test_a_fork_under_a_held_lock_leaves_the_child_free(tmp_path: Path) -> None:
    """Another thread of the parent was just opening the session."""
    assert run(LOCKED, tmp_path) == ["7"]


@pytest.mark.parametrize("method", ["spawn", pytest.param("fork", marks=forks)])
def test_workers_have_their_own(tmp_path: Path, method: str) -> None:
    """Every worker writes through a global session that is not the parent's; the parent's still works."""
    url = f"sqlite:///{tmp_path / 'items.db'}"
    assert run(POOL.format(method=method), tmp_path, DATABASE_URL=url) == ["{True}", "True 20"]
