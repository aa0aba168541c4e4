"""What a survey of the corpus costs beside one process that lints it, and that a killed worker costs no file.

    python benchmarks/survey.py [--leave-out agno] [--workers 2] [--corpus FOLDER]

lints all packages in one process; then surveys them with a worker, with several, and with several of which one is
killed in the middle. It prints a table; *efficiency* is the time of one process over that of all workers together, by
the clock, and by the processor's time, which what else the machine does blurs less. Its exit status is 1 where a survey
found something else than one process, or a file is not there exactly once.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from corpus import ROOT

PLACES = "SELECT path, code, row, column FROM findings"
COUNTS = "SELECT count(*), count(DISTINCT path) FROM files"
Places = list[tuple[str, str, int, int]]

ALONE = """
import json, sys
from pathlib import Path
from session_lint.cli.run import groups
from session_lint.collecting import collect_seldom
from session_lint.engine import lint_paths
collect_seldom()
given = dict.fromkeys(("config", "exclude", "extend_exclude")) | {"isolated": False, "no_cache": True}
reports = [
    report
    for folder in sys.argv[1:]
    for settings, files in groups([folder], given)[0]
    for report in lint_paths(files, settings, 1)
]
found = [(f.filename, f.code, f.location.row, f.location.column) for report in reports for f in report.findings]
print(json.dumps([len(reports), found]))
"""


@dataclass(frozen=True)
class Spent:
    """What a run took, in seconds.

    :param processor: of all its processes together.
    """

    name: str
    clock: float
    processor: float
    workers: int = 1


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, default=ROOT, help="the folder of the packages")
    parser.add_argument("--leave-out", nargs="*", default=[], metavar="PREFIX", help="packages that are left out")
    parser.add_argument("--workers", type=int, default=2, help="how many there are where there are several")
    given = parser.parse_args()
    folders = [
        str(folder)
        for folder in sorted(given.corpus.iterdir())
        if folder.is_dir() and not folder.name.startswith((".", *given.leave_out))
    ]
    with TemporaryDirectory() as place:
        alone, (files, places) = _alone(folders)
        one = _survey(folders, 1, Path(place, "one.sqlite3"))
        several = _survey(folders, given.workers, Path(place, "several.sqlite3"))
        killed = _survey(folders, given.workers, Path(place, "killed.sqlite3"), several.processor / given.workers / 3)
        faults = [
            fault
            for file in sorted(Path(place).glob("*.sqlite3"))
            for fault in _faults(file, files, sorted(map(tuple, places)))
        ]
    _print(alone, [one, several, killed])
    print(f"\n{len(folders)} packages, {files} files, {len(places)} findings; ", end="")
    print("; ".join(faults) or "the same in every run, each file once")
    sys.exit(bool(faults))


def _alone(folders: list[str]) -> tuple[Spent, tuple[int, Places]]:
    begun, processor = time.perf_counter(), _processor()
    done = subprocess.run([sys.executable, "-c", ALONE, *folders], stdout=subprocess.PIPE, check=True)
    spent = Spent("one process", time.perf_counter() - begun, _processor() - processor)
    return spent, json.loads(done.stdout)


def _survey(folders: list[str], workers: int, output: Path, killing: float | None = None) -> Spent:
    """Survey some folders.

    :param killing: a worker is killed as soon as it has spent so many of the processor's seconds.
    """
    begun, processor = time.perf_counter(), _processor()
    words = ["survey", "--exit-zero", "--workers", str(workers), "--output", str(output), *folders]
    run = subprocess.Popen([sys.executable, "-m", "session_lint", *words], stdout=subprocess.DEVNULL)
    if killing is not None:
        _kill_one(run, killing)
    if run.wait():
        sys.exit(f"the survey ended with {run.returncode}")
    name = f"survey, {workers} worker{'s' * (workers > 1)}" + ", one killed" * (killing is not None)
    return Spent(name, time.perf_counter() - begun, _processor() - processor, workers)


def _kill_one(run: subprocess.Popen[bytes], busy: float) -> None:
    """Kill a worker as soon as it has spent so many of the processor's seconds."""
    while run.poll() is None:
        for worker, seconds in _workers(run.pid):
            if seconds > busy:
                os.kill(worker, signal.SIGKILL)
                return
        time.sleep(0.2)
    sys.exit("the survey has ended before a worker could be killed")


def _workers(parent: int) -> list[tuple[int, float]]:
    """The worker processes of a survey, each with the processor's seconds that it has spent."""
    command = ["ps", "-eww", "-o", "pid=,ppid=,time=,args="]
    listed = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    rows = [line.split(None, 3) for line in listed.splitlines()]
    return [(int(row[0]), _seconds(row[2])) for row in rows if row[1] == str(parent) and "spawn_main" in row[3]]


def _seconds(spent: str) -> float:
    """The seconds of a time as `ps` writes it: ``00:01:05``, elsewhere ``1:05.20``."""
    total = 0.0
    for part in spent.split(":"):
        total = 60 * total + float(part)
    return total


def _faults(file: Path, files: int, places: list[tuple[object, ...]]) -> list[str]:
    """What is wrong in the results of a survey."""
    connection = sqlite3.connect(file)
    number, different = connection.execute(COUNTS).fetchone()
    found = sorted(connection.execute(PLACES).fetchall())
    connection.close()
    faults = (
        [] if number == different == files else [f"{file.stem}: {number} files, {different} different, not {files}"]
    )
    return faults if found == places else [*faults, f"{file.stem}: other findings"]


def _processor() -> float:
    """Seconds that the processor has spent on processes that this one has started and seen end, and on theirs."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def _print(alone: Spent, surveys: list[Spent]) -> None:
    print("| run | clock, s | processor, s | efficiency by the clock | by the processor |")
    print("| --- | --: | --: | --: | --: |")
    print(f"| {alone.name} | {alone.clock:.1f} | {alone.processor:.1f} | | |")
    for one in surveys:
        clock, processor = alone.clock / (one.clock * one.workers), alone.processor / one.processor
        print(f"| {one.name} | {one.clock:.1f} | {one.processor:.1f} | {clock:.0%} | {processor:.0%} |")


if __name__ == "__main__":
    main()
