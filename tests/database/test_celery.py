"""The global session in a live Celery worker, whose messages are files."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.database.conftest import Store

ROOT = Path(__file__).parents[2]

TASKS = """
import os
from celery import Celery
from sqlalchemy import text
from database import get_session
from database.celery import init_app

folder = os.environ["MESSAGES"]
app = Celery("tasks", broker="filesystem://", broker_transport_options={
    "data_folder_in": folder, "data_folder_out": folder, "control_folder": folder})
init_app(app)
WRITE = text("insert into item (name) values (:name)")
get_session().execute(text("select 1"))  # what a fork must not share

@app.task
def save(name):
    session = get_session()
    fresh = session.info.setdefault("task", name) == name
    session.execute(WRITE, {"name": name if fresh else "crossed"})
    if name.startswith("bad"):
        raise ValueError(name)
    if not name.startswith("forgotten"):
        session.commit()
"""

EAGER = """
from celery import Celery
from sqlalchemy import text
from database import close_global_session, get_session
from database.celery import init_app

app = Celery("tasks", broker="memory://")
app.conf.task_always_eager = True
init_app(app)

@app.task
def look():
    return get_session() is mine

mine = get_session()
mine.execute(text("insert into item (name) values ('mine')"))
print(look.delay().get(), get_session() is mine)
mine.commit()
close_global_session()
"""


def environment(folder: Path) -> dict[str, str]:
    """What the worker and those that send it tasks share."""
    return {**os.environ, "PYTHONPATH": f"{ROOT}:{folder}", "MESSAGES": str(folder / "messages")}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_task_never_meets_what_another_one_left(postgres: Store, tmp_path: Path) -> None:
    """Tasks that raise or forget to commit save nothing, and leave no connection out."""
    (tmp_path / "messages").mkdir()
    (tmp_path / "tasks.py").write_text(TASKS, "utf-8")
    names = [f"{kind}{number}" for number in range(10) for kind in ("good", "bad", "forgotten")]
    send = f"import tasks\nfor name in {names}: tasks.save.delay(name)\ntasks.save.delay('last')"
    given = environment(tmp_path)
    subprocess.run([sys.executable, "-c", send], env=given, cwd=tmp_path, check=True, timeout=60)
    with (tmp_path / "log").open("w") as log:
        command = ["-m", "celery", "-A", "tasks", "worker", "-c", "2", "-P", "prefork", "--without-gossip"]
        worker = subprocess.Popen([sys.executable, *command], env=given, cwd=tmp_path, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 60
        while len(postgres.rows()) < 11 and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(0.3)
        resting = postgres.backends()
    finally:
        worker.terminate()
        worker.wait(30)
    said = (tmp_path / "log").read_text("utf-8")
    assert sorted(postgres.rows()) == sorted(["last", *(f"good{number}" for number in range(10))]), said
    # The process that loaded the tasks is in a transaction of its own; those of the workers rest.
    assert resting.count("idle in transaction") == 1, said
    assert "not committed" in said


def test_a_task_that_runs_at_once(store: Store, tmp_path: Path) -> None:
    """It works in its caller's session, and leaves it to its caller."""
    (tmp_path / "messages").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", EAGER],
        env=environment(tmp_path),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout, done.returncode, store.rows()) == ("True True\n", 0, ["mine"]), done.stderr
