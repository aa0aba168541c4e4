"""What the guide of the reference session module tells people to do, and not to do.

Each documented mistake has its code at its line; each documented way to do it is silent. Where the guide's own
form is a mistake by its own notes (a closer without ``finally``, the old manual pattern), that is what is expected.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.linting import lint


@dataclass(frozen=True)
class Snippet:
    """One block of the guide.

    :param title: the heading it stands under.
    :param expected: rows and codes.
    """

    title: str
    text: str
    expected: tuple[tuple[int, str], ...] = ()


SNIPPETS = [
    Snippet(
        "1. Scoped session",
        """\
from database.session import scoped_session
from experiments.models import ExperimentSeries

with scoped_session() as session:
    # Query and modify data
    series = session.query(ExperimentSeries).all()
    # Changes are committed on the way out
""",
    ),
    Snippet(
        "2. Global singleton session",
        """\
from database.session import get_session, close_global_session
from experiments.models import ExperimentSeries

session = get_session()  # Gets or creates singleton
try:
    experiment_series = session.query(ExperimentSeries).first()
    # ... do work ...
    session.commit()
finally:
    close_global_session()  # Clean up at end
""",
    ),
    Snippet(
        "3. Flask integration",
        """\
from flask import Flask, g

from database.session import SessionLocal

app = Flask(__name__)


@app.before_request
def create_session():
    g.db = SessionLocal()


@app.teardown_appcontext
def teardown_session(exception=None):
    if hasattr(g, "db"):
        g.db.close()
""",
    ),
    Snippet(
        "Migration: old pattern",
        """\
from database.session import SessionLocal

session = SessionLocal()
try:
    # do work
    session.commit()
finally:
    session.close()
""",
        ((3, "SES104"),),
    ),
    Snippet(
        "Migration: new pattern, scoped",
        """\
from database.session import scoped_session

with scoped_session() as session:
    # do work
    # auto-commits and closes
    pass
""",
    ),
    Snippet(
        "Migration: new pattern, singleton",
        """\
from database.session import close_global_session, get_session

session = get_session()
# do work
session.commit()
close_global_session()  # Call once at program end
""",
        ((3, "SES202"),),
    ),
    Snippet(
        "Example: graph generation",
        """\
# meta/generate_aggregate_graphs.py
from database.session import scoped_session
from meta.graphs import generate_all_graphs

with scoped_session() as session:
    generate_all_graphs(session)
""",
    ),
    Snippet(
        "Example: experiment execution",
        """\
# experiments/run_experiments.py
from database.session import close_global_session, get_session
from experiments.loop import experiment_loop


def run_a_single_experiment(name, config):
    session = get_session()
    experiment_loop(session, config)
    close_global_session()
""",
        ((7, "SES202"),),
    ),
    Snippet(
        "Example: data creation",
        """\
# meta/create_experiment_series.py
from database.session import scoped_session
from meta.data import insert_data, items

with scoped_session() as session:
    for item in items:
        insert_data(session, item)
    # Auto-commits all inserts
""",
    ),
    Snippet(
        "Note 1: never mix patterns",
        """\
from database.session import close_global_session, get_session, scoped_session


def report():
    with scoped_session() as session:
        return session.execute("select 1").scalar()


def loop():
    session = get_session()
    try:
        session.execute("select 1")
    finally:
        close_global_session()
""",
        ((10, "SES401"),),
    ),
    Snippet(
        "Note 2: commit explicitly when using the singleton",
        """\
from database.session import close_global_session, get_session
from experiments.models import Result

session = get_session()
try:
    session.add(Result(score=1))
finally:
    close_global_session()
""",
        ((6, "SES203"),),
    ),
    Snippet(
        "Note 3: scoped sessions commit by themselves",
        """\
from database.session import scoped_session
from experiments.models import Result

with scoped_session() as session:
    session.add(Result(score=1))
    session.commit()
    session.add(Result(score=2))
""",
        ((6, "SES301"),),
    ),
    Snippet(
        "Note 4: each worker has its own singleton",
        """\
from multiprocessing import Pool

from database.session import close_global_session, get_session
from experiments.loop import experiment_loop


def worker(config):
    session = get_session()
    try:
        experiment_loop(session, config)
        session.commit()
    finally:
        close_global_session()


def main(configs):
    with Pool(4) as pool:
        pool.map(worker, configs)
""",
    ),
    Snippet(
        "Note 5: no global session in Flask routes",
        """\
from flask import Flask

from database.session import get_session
from experiments.models import ExperimentSeries

app = Flask(__name__)


@app.route("/series")
def series():
    session = get_session()
    return str(session.query(ExperimentSeries).count())
""",
        ((11, "SES501"),),
    ),
    Snippet(
        "Note 5: the request's own session",
        """\
from flask import Flask, g

from experiments.models import ExperimentSeries

app = Flask(__name__)


@app.route("/series")
def series():
    return str(g.db.query(ExperimentSeries).count())
""",
    ),
    Snippet(
        "Don't: forget to close the global session",
        """\
from database.session import get_session

session = get_session()
# ... work ...
# Missing: close_global_session()
""",
        ((3, "SES201"),),
    ),
    Snippet(
        "Do: always close in a finally block",
        """\
from database.session import close_global_session, get_session

session = get_session()
try:
    # ... work ...
    session.execute("select 1")
finally:
    close_global_session()
""",
    ),
    Snippet(
        "Don't: commit in a scoped session",
        """\
from database.session import scoped_session

with scoped_session() as session:
    # ... work ...
    session.commit()  # Unnecessary, auto-commits
""",
        ((5, "SES301"),),
    ),
    Snippet(
        "Do: let the scoped session handle it",
        """\
from database.session import scoped_session

with scoped_session() as session:
    # ... work ...
    session.execute("select 1")
    # Auto-commits on successful exit
""",
    ),
]


@pytest.mark.parametrize("snippet", SNIPPETS, ids=lambda snippet: snippet.title)
def test_documented_snippet(snippet: Snippet) -> None:
    """The whole catalogue, also what is off by default, says exactly what the guide says."""
    assert tuple((found.location.row, found.code) for found in lint(snippet.text)) == snippet.expected


@pytest.mark.parametrize("snippet", [s for s in SNIPPETS if s.expected], ids=lambda snippet: snippet.title)
def test_documented_mistake_shows_its_path(snippet: Snippet) -> None:
    """Every finding tells the way that the program takes to the fault."""
    assert all(found.trace for found in lint(snippet.text))
