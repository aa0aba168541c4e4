"""How many operations the core needs for a fixed input, held against what was written down: a guard without a clock.

``python benchmarks/operations.py`` lints some programs of ``shapes.py`` and counts, for each of them, the calls of the
functions of each package of the linter, and beside them the calls of builtins, the texts that were parsed, the graphs
that were built and the steps that the solver took. Its exit status is 1 where a number is more than :data:`MORE` above
that of ``operations.json``, or more than :data:`LESS` below, so that what was won is not lost again unseen. ``--write``
renews the file. The numbers are the same on every run; those of other versions of Python are within the margin.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import os
import sys
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import shapes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from types import CodeType

    Counts = Mapping[str, Mapping[str, int]]
    """For each input, how often each operation happened."""

HERE = Path(__file__).resolve().parent
WRITTEN = HERE / "operations.json"
MORE, LESS = 0.10, 0.25
FEW = 100
"""So many more or fewer are nothing in any case."""
INPUTS: list[tuple[Callable[[int], shapes.Files], int]] = [
    (shapes.lines, 3_000),
    (shapes.statements, 100),
    (shapes.statements, 300),
    (shapes.branches, 30),
    (shapes.branches, 90),
    (shapes.alternatives, 30),
    (shapes.alternatives, 90),
    (shapes.tries, 30),
    (shapes.nested_finallies, 12),
    (shapes.sessions_at_once, 12),
    (shapes.questions, 30),
    (shapes.questions, 90),
    (shapes.fallbacks, 30),
    (shapes.fallbacks, 90),
    (shapes.functions, 30),
    (shapes.functions, 90),
    (shapes.chain, 20),
    (shapes.opening_chain, 20),
    (shapes.chain_of_modules, 20),
    (shapes.cycle, 8),
    (shapes.cycle, 24),
]
NAMED = {
    "texts parsed": (("ast.py", "parse"),),
    "graphs built": (("flow/builder.py", "build"),),
    "steps of the solver": (("analysis/lifecycle.py", "transfer"), ("analysis/lifecycle.py", "transfer_raise")),
}
"""Operations that are calls of certain functions, each by the end of its file's path and its name."""
INLINED = {"<listcomp>", "<dictcomp>", "<setcomp>"}
"""What is no call any more from Python 3.12 on."""


def counted(work: Callable[[], object]) -> dict[str, int]:
    """How often each operation happens in some work."""
    profile = cProfile.Profile()
    profile.runcall(work)
    found: Counter[str] = Counter()
    for entry in profile.getstats():
        for operation in _operations(entry.code):
            found[operation] += entry.callcount
    return dict(sorted(found.items()))


def _operations(code: CodeType | str) -> Iterator[str]:
    """What a call of some code counts as."""
    if isinstance(code, str):
        yield "calls of builtins"
        return
    path = code.co_filename.replace(os.sep, "/")
    _, ours, module = path.rpartition("/session_lint/")
    if ours and code.co_name not in INLINED:
        yield f"calls in {module.partition('/')[0].removesuffix('.py')}"
    for operation, functions in NAMED.items():
        if any(path.endswith(f"/{file}") and code.co_name == name for file, name in functions):
            yield operation


def counts() -> dict[str, dict[str, int]]:
    """How often each operation happens for each input; the same each time that a process begins with it."""
    from session_lint.engine import lint_paths  # noqa: PLC0415  (not before the hashes are what they have to be)
    from session_lint.settings import Settings  # noqa: PLC0415

    found: dict[str, dict[str, int]] = {}
    settings = Settings(cache=False)
    with TemporaryDirectory() as name:
        list(lint_paths(written(shapes.functions(1), Path(name, "first")), settings, 1))  # imports what it needs
        for shape, size in INPUTS:
            key = f"{shape.__name__} {size}"
            paths = written(shape(size), Path(name, key.replace(" ", "-")))
            found[key] = counted(lambda paths=paths: list(lint_paths(paths, settings, 1)))  # type: ignore[misc]
    return found


def written(files: shapes.Files, folder: Path) -> list[Path]:
    """The files of a project, written into a folder."""
    paths = []
    folder.mkdir(parents=True, exist_ok=True)
    Path(folder, "pyproject.toml").touch()  # here the project begins
    for name, text in files:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        paths.append(path)
    return paths


def differences(then: Counts, now: Counts) -> list[str]:
    """What has become more, or so much less that it should be written down, a line each."""
    said = []
    for key in sorted({*then, *now}):
        before, after = then.get(key, {}), now.get(key, {})
        for operation in sorted({*before, *after}):
            old, new = before.get(operation, 0), after.get(operation, 0)
            if new > old * (1 + MORE) and new > old + FEW:
                said.append(f"{key}, {operation}: {old} → {new}, more than {MORE:.0%} more")
            elif new < old * (1 - LESS) and new < old - FEW:
                said.append(f"{key}, {operation}: {old} → {new}; renew with --write, so that it stays")
    return said


def main() -> int:
    """Count, and compare or write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="write the numbers down")
    given = parser.parse_args()
    if os.environ.get("PYTHONHASHSEED") != "0":  # the order of sets decides how many steps some answers take
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | {"PYTHONHASHSEED": "0"})  # noqa: S606
    now = counts()
    if given.write:
        WRITTEN.write_text(json.dumps(now, indent=1) + "\n", "utf-8")
        return 0
    then: dict[str, Any] = json.loads(WRITTEN.read_text("utf-8"))
    said = differences(then, now)
    print("\n".join(said) or f"{len(now)} inputs, as written down")
    return int(bool(said))


if __name__ == "__main__":
    raise SystemExit(main())
