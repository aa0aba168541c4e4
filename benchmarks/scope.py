"""What ``scoped_session()`` costs beside a bare ``with SessionLocal.begin()``, and what the guard adds, in one run.

``python benchmarks/scope.py`` prints a table of ratios. Each round takes every way once, in turn, so that all of them
meet the same machine; a ratio is that of the quickest rounds. Each unit of work writes a row and reads one, on a SQLite
file, or on the database that ``DATABASE_URL`` names. Its exit status is 1 where the scope costs more than :data:`MOST`.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Column, Integer, String, select
from sqlalchemy.orm import registry

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from database import SessionLocal, scoped_session
from database.session import get_engine
from session_lint.guard import install, uninstall

if TYPE_CHECKING:
    from collections.abc import Callable

MOST = 1.05
"""How many times the bare block a scope may cost."""

mapper = registry()


@mapper.mapped
class Item:
    """What is written and read."""

    __tablename__ = "benchmark_item"
    id = Column(Integer, primary_key=True)
    name = Column(String(20))


def work(opening: Callable[[], Any], units: int) -> float:
    """Seconds for a number of units of work, each in a block of its own."""
    start = time.perf_counter()
    for _ in range(units):
        with opening() as session:
            session.add(Item())
            session.flush()
            session.scalars(select(Item).limit(1)).all()
    return time.perf_counter() - start


def guarded(units: int) -> float:
    """The same of a scope, with the guard at work."""
    install()
    seconds = work(scoped_session, units)
    uninstall()
    return seconds


def main() -> int:
    """Time all ways and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=40, metavar="N")
    parser.add_argument("--units", type=int, default=100, metavar="N", help="units of work in a round")
    asked = parser.parse_args()
    logging.disable()
    ways: dict[str, Callable[[int], float]] = {
        "with SessionLocal.begin()": lambda units: work(SessionLocal.begin, units),
        "with scoped_session()": lambda units: work(scoped_session, units),
        "with scoped_session(), guarded": guarded,
    }
    with tempfile.TemporaryDirectory() as folder:
        os.environ.setdefault("DATABASE_URL", f"sqlite:///{folder}/benchmark.db")
        mapper.metadata.create_all(get_engine())
        for way in ways.values():
            way(asked.units)
        rounds = [{name: way(asked.units) for name, way in ways.items()} for _ in range(asked.rounds)]
        mapper.metadata.drop_all(get_engine())
        get_engine().dispose()
    quickest = {name: min(one[name] for one in rounds) / asked.units for name in ways}
    bare = quickest["with SessionLocal.begin()"]
    print("| | microseconds | ratio |\n| --- | --: | --: |")
    for name, seconds in quickest.items():
        print(f"| `{name}` | {seconds * 1e6:.0f} | {seconds / bare:.3f} |")
    return int(quickest["with scoped_session()"] / bare > MOST)


if __name__ == "__main__":
    sys.exit(main())
