"""Shows what came out: ``flask --app lab.web run``, or ``flask --app lab.web report pi``.

A session for each request, in ``g.db``; the command has one, too. A view that writes commits before it returns.
"""

import click
from flask import Flask, abort, g, request
from sqlalchemy import func
from sqlalchemy.exc import IntegrityError

from database.flask import init_app

from .models import Run, Series

app = Flask(__name__)
init_app(app)


def find(name):
    return g.db.query(Series).filter_by(name=name).one_or_none()


@app.get("/series")
def overview():
    rows = g.db.query(Series.name, func.count(Run.result), func.avg(Run.result)).outerjoin(Run).group_by(Series.name)
    return {name: {"done": done, "mean": mean} for name, done, mean in rows.order_by(Series.name)}


@app.get("/series/<name>")
def show(name):
    series = find(name) or abort(404)
    return {str(run.seed): run.result for run in series.runs}


@app.post("/series/<name>/runs")
def plan(name):
    g.db.add(Run(series=find(name) or abort(404), seed=request.get_json()["seed"]))
    try:
        g.db.commit()
    except IntegrityError:
        g.db.rollback()
        return {"error": "this run is planned already"}, 409
    return {"planned": True}, 201


@app.cli.command()
@click.argument("name")
def report(name):
    """Print the results of a series."""
    series = find(name)
    if series is None:
        raise click.ClickException(f"there is no series {name}")
    for run in series.runs:
        click.echo(f"{run.seed}: {'waiting' if run.result is None else format(run.result, '.4f')}")
