"""How long the command takes to start, as multiples of a bare interpreter's own start.

The runs alternate, so that whatever else the machine does falls on all alike; what is told is medians and their ratios,
of the time on the clock and of the processor's. Modules are compiled beforehand, as an installation has them.

    python benchmarks/startup.py [--runs 30] [--script .venv/bin/session-lint]
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parent.parent
CLEAN = """\
from database.session import scoped_session


def count(query):
    with scoped_session() as session:
        return session.execute(query).scalar()
"""
LEAK = CLEAN.replace(
    "    with scoped_session() as session:\n        return", "    session = SessionLocal()\n    return"
).replace("scoped_session", "SessionLocal")
FIRST = ", the first time"
"""Behind a command that finds no cache."""
AIMS = {"--version": 3.0, "check": 6.0}
"""How many times a bare start a command may take."""


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=30, help="how often each is run")
    parser.add_argument("--script", type=Path, help="the installed script, in place of `python -m session_lint`")
    given = parser.parse_args()
    start = [str(given.script)] if given.script else [sys.executable, "-m", "session_lint"]
    commands = {"python -c pass": [sys.executable, "-c", "pass"], "--version": [*start, "--version"]}
    for words in ("check -q plain.py", "check -q clean.py", "check leak.py"):
        commands[words] = commands[f"{words}{FIRST}"] = [*start, *words.split()]
        commands[f"{words} --no-cache"] = [*commands[words], "--no-cache"]
    with TemporaryDirectory() as folder:
        places = {name: Path(folder, "fresh" if name.endswith(FIRST) else "known") for name in commands}
        for place in {*places.values()}:
            place.mkdir()
            (place / "pyproject.toml").touch()
            (place / "clean.py").write_text(CLEAN)
            (place / "leak.py").write_text(LEAK)
            (place / "plain.py").write_text("def double(number):\n    return number * 2\n")
        _print(_measured(commands, places, given.runs))


def _measured(
    commands: dict[str, list[str]], places: dict[str, Path], runs: int
) -> dict[str, list[tuple[float, float]]]:
    """Seconds on the clock and of the processor, run by run; the first run of each is not counted."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPATH"] = str(ROOT)
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
    for number in range(runs + 1):
        for name, command in commands.items():
            if name.endswith(FIRST):
                shutil.rmtree(places[name] / ".session_lint_cache", ignore_errors=True)
            processor, begun = _processor(), time.perf_counter()
            subprocess.run(command, cwd=places[name], env=environment, stdout=subprocess.DEVNULL, check=False)
            if number:
                times[name].append((time.perf_counter() - begun, _processor() - processor))
    return times


def _processor() -> float:
    """Seconds that the processor has spent on processes that this one has started and seen end."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def _print(times: dict[str, list[tuple[float, float]]]) -> None:
    middle = {name: tuple(map(median, zip(*runs, strict=True))) for name, runs in times.items()}
    bare = middle["python -c pass"]
    print(f"{'command':<34} {'clock ms':>9} {'times':>6} {'processor ms':>13} {'times':>6} {'aim':>5}")
    for name, (clock, processor) in middle.items():
        aim = AIMS.get(name.split()[0])
        print(
            f"{name:<34} {clock * 1e3:>9.1f} {clock / bare[0]:>6.1f} {processor * 1e3:>13.1f} "
            f"{processor / bare[1]:>6.1f} {f'< {aim:.0f}' if aim else '':>5}"
        )


if __name__ == "__main__":
    main()
