"""Plans a series: ``python -m lab.create pi --runs 20``. A script, so a scope: all of it is saved, or nothing."""

import argparse

from database.session import scoped_session

from .models import Base, Run, Series


def create(name, darts, runs):
    with scoped_session() as session:
        Base.metadata.create_all(session.connection())
        series = Series(name=name, darts=darts)
        series.runs = [Run(seed=seed) for seed in range(runs)]
        session.add(series)


def main():
    parser = argparse.ArgumentParser(prog="lab.create")
    parser.add_argument("name")
    parser.add_argument("--darts", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=20)
    asked = parser.parse_args()
    create(asked.name, asked.darts, asked.runs)
    print(f"{asked.runs} runs of {asked.name} are planned")


if __name__ == "__main__":
    main()
