"""Carries out what is planned: ``python -m lab.experiments --workers 4``.

A long run, so the global session: the process that deals the work has one, and each worker has its own. Every run is
committed when it is done, so that an error, or a break, loses one run at most; the next start takes up what is left.
"""

import argparse
import multiprocessing
import random
import sys

from database.session import close_global_session, get_session

from .models import Run


def estimate(seed, darts):
    """Pi, by how many of the darts that hit a square hit its circle."""
    dice = random.Random(seed)
    hits = sum(dice.random() ** 2 + dice.random() ** 2 <= 1 for _ in range(darts))
    return 4 * hits / darts


def carry_out(session, number):
    run = session.get(Run, number)
    run.result = estimate(run.seed, run.series.darts)


def work(jobs):
    """What a worker does until there is nothing left: one session for all its runs."""
    session = get_session()
    try:
        for number in iter(jobs.get, None):
            carry_out(session, number)
            session.commit()
    finally:
        close_global_session()


def waiting():
    session = get_session()
    try:
        query = session.query(Run.id).filter(Run.result.is_(None)).order_by(Run.id)
        return [number for (number,) in query]
    finally:
        close_global_session()


def carry_out_all(workers):
    """All runs that wait, and how many of the workers failed."""
    jobs = multiprocessing.Queue()
    for number in waiting():
        jobs.put(number)
    processes = [multiprocessing.Process(target=work, args=(jobs,)) for _ in range(workers)]
    for process in processes:
        jobs.put(None)
        process.start()
    for process in processes:
        process.join()
    return sum(process.exitcode != 0 for process in processes)


def main():
    parser = argparse.ArgumentParser(prog="lab.experiments")
    parser.add_argument("--workers", type=int, default=2)
    failed = carry_out_all(parser.parse_args().workers)
    print(f"{len(waiting())} runs are left")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
