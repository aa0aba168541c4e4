"""How time and memory grow with what is linted: the tables and the chart of ``docs/performance.md``.

    python benchmarks/growth.py [--only branches chain] [--quick] [--write]

Each shape of ``shapes.py`` is made in several sizes and checked on one process without a cache; what counts is the time
of the processor. Where a size takes longer than :data:`BOUND`, the larger ones are left out, and the table says so. The
exponent is the slope of a line through the logarithms of size and time above a bare start: 1 is linear. Each program
leaks, so a run that says nothing is a fault, and the exit status is 1 then.
"""

from __future__ import annotations

import argparse
import json
import math
import re
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import page
import shapes
from measure import cost
from operations import written

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_CODE = re.compile(r"^\S+:\d+:\d+: (SES\d{3})", re.MULTILINE)
HERE = Path(__file__).resolve().parent
RESULTS = HERE / "growth.json"
BOUND = 60.0
"""Seconds of the processor within which every program of a page has to be answered for."""
PATIENCE = 3600.0
"""Seconds on the clock that any run gets."""
SMALL = 0.3
"""Seconds above a bare start that are too few to tell anything of growth."""
FILES = {
    shapes.lines: (1_000, 10_000, 100_000, 1_000_000, 5_000_000),
    shapes.chain_of_modules: (10, 40, 160, 640),
    shapes.cycle: (4, 16, 64, 256),
    shapes.callers: (10, 40, 160, 640),
}
CODE = {
    shapes.statements: (10, 100, 300, 1_000, 3_000, 10_000),
    shapes.branches: (50, 150, 500, 1_500, 5_000),
    shapes.flags: (50, 150, 500, 1_500, 5_000),
    shapes.closing_branches: (5, 15, 50, 500, 5_000),
    shapes.returning_branches: (50, 150, 500, 1_500, 5_000),
    shapes.alternatives: (50, 150, 500, 1_500, 5_000),
    shapes.loops: (50, 150, 500, 1_500, 5_000),
    shapes.tries: (50, 150, 500, 1_500, 5_000),
    shapes.nested_ifs: (10, 30, 90),
    shapes.nested_loops: (10, 30, 90),
    shapes.nested_withs: (10, 30, 90),
    shapes.nested_tries: (10, 30, 90, 200),
    shapes.nested_finallies: (10, 30, 90, 200),
    shapes.sessions_at_once: (10, 30, 100, 300, 1_000, 10_000),
    shapes.sessions_in_turn: (10, 30, 100, 300, 1_000, 10_000),
    shapes.fallbacks: (10, 100, 300, 1_000),
    shapes.questions: (10, 100, 300, 1_000, 3_000),
    shapes.functions: (10, 100, 300, 1_000),
    shapes.methods: (10, 100, 1_000),
    shapes.chain: (10, 100, 300, 1_000),
    shapes.opening_chain: (10, 100, 300, 1_000),
}


@dataclass(frozen=True)
class Run:
    """One size of a shape.

    :param processor: seconds; ``None`` where it took longer than the bound.
    :param peak: bytes of the largest process.
    :param answer: what was said: ``findings``, ``given up`` (SES900) or ``nothing``.
    """

    size: int
    processor: float | None
    peak: int
    answer: str


def measured(shape: Callable[[int], shapes.Files], size: int, bound: float) -> Run:
    """One program of a shape, made and checked."""
    command = [sys.executable, "-m", "session_lint", "check", "--isolated", "--no-cache", "-j", "1"]
    with TemporaryDirectory() as name:
        written(shape(size), Path(name))
        limited = ["sh", "-c", f'ulimit -t {math.ceil(bound)} && exec "$@"', "sh"] if shape in CODE else []
        ran = cost([*limited, *command, "--output-format", "concise", "."], Path(name), PATIENCE)
    if ran.status < 0:
        return Run(size, None, ran.peak, "not in time")
    if ran.status not in (0, 1):
        sys.exit(f"{shape.__name__} {size}: status {ran.status}\n{ran.error[-2000:]}")
    codes = set(_CODE.findall(ran.out))
    answer = "given up" if codes == {"SES900"} else "findings" if codes else "nothing"
    return Run(size, ran.processor, ran.peak, answer)


def exponent(points: Sequence[tuple[float, float]], start: float) -> float | None:
    """The slope of the line that fits the logarithms of sizes and of seconds above a start best.

    :returns: ``None`` where there are no two points that are worth it.
    """
    worth = [(math.log(size), math.log(spent - start)) for size, spent in points if spent - start > SMALL]
    if len(worth) < 2:  # noqa: PLR2004  (a line needs two)
        return None
    middle_x, middle_y = (sum(point[axis] for point in worth) / len(worth) for axis in (0, 1))
    across = sum((x - middle_x) ** 2 for x, _ in worth)
    return sum((x - middle_x) * (y - middle_y) for x, y in worth) / across


def grown(shape: Callable[[int], shapes.Files], sizes: Sequence[int], bound: float) -> list[Run]:
    """A shape in all sizes, up to the first that is not answered for in time."""
    runs: list[Run] = []
    for size in sizes:
        runs.append(measured(shape, size, bound))
        spent = runs[-1].processor
        said = f"{spent:8.2f} s" if spent is not None else "too long"
        print(f"{shape.__name__:<20}{size:>10,} {said}{runs[-1].peak / 2**20:8.0f} MB  {runs[-1].answer}", flush=True)
        if spent is None:
            break
    return runs


def fitted(runs: Sequence[Run], start: float) -> float | None:
    """The exponent of a shape; what was given up does not count, since that is quick."""
    return exponent([(r.size, r.processor) for r in runs if r.processor is not None and r.answer == "findings"], start)


def main() -> int:
    """Measure, print, and write where that is wanted."""
    names = {shape.__name__: shape for shape in {**FILES, **CODE}}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=names, metavar="SHAPE", help=f"of {', '.join(names)}")
    parser.add_argument("--most", type=int, default=10**9, metavar="SIZE", help="leave larger sizes out")
    parser.add_argument(
        "--bound", type=float, default=BOUND, metavar="S", help="seconds of the processor (%(default)s)"
    )
    parser.add_argument("--write", action="store_true", help="write growth.json, the page and its chart")
    given = parser.parse_args()
    start = measured(shapes.functions, 1, given.bound).processor or 0.0
    found = json.loads(RESULTS.read_text("utf-8"))["shapes"] if given.write and RESULTS.exists() else {}
    silent = []
    for name in given.only or names:
        sizes = [size for size in {**FILES, **CODE}[names[name]] if size <= given.most]
        runs = grown(names[name], sizes, given.bound)
        slope = fitted(runs, start)
        print(f"{name:<20}  exponent {'-' if slope is None else format(slope, '.2f')}", flush=True)
        silent += [f"{name} {run.size}" for run in runs if run.answer == "nothing"]
        found[name] = {
            "what": (names[name].__doc__ or "").partition("\n")[0],
            "exponent": slope and round(slope, 2),
            "runs": [{**asdict(run), "processor": run.processor and round(run.processor, 3)} for run in runs],
        }
        if given.write:
            RESULTS.write_text(
                json.dumps({"start": start, "bound": given.bound, "shapes": found}, indent=1) + "\n", "utf-8"
            )
    if given.write:
        page.write()
    print("\n".join(f"nothing was said of {one}" for one in silent))
    return int(bool(silent))


if __name__ == "__main__":
    raise SystemExit(main())
