"""How soon the editor's server answers what is typed: the time from ``didChange`` to the diagnostics of that version.

A file of 2,000 lines, with dozens of sessions, is made; a client types into it as people do: characters inside of
functions, new lines, broken lines on the way. Two figures: until the editor is told of the version that was typed
(the first look), and until the whole text was looked at again (settled).

    python benchmarks/editor.py [--lines 2000] [--changes 200] [--pause 0.05] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.lsp.client import Client  # noqa: E402  # it stands in the tests
from tests.lsp.texts import MODELS, large  # noqa: E402

TYPED = ("x", " ", "session.flush()", "return None", "(", ")", "\n    ", "# why", "if ident:", "SessionLocal()")


def main() -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--lines", type=int, default=2000)
    parser.add_argument("--changes", type=int, default=200)
    parser.add_argument("--pause", type=float, default=0.05, help="seconds between two changes")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, help="where to write the figures, too")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(Path(folder) / "shop", given.lines, given.changes, given.pause, given.seed)
    print(json.dumps(figures, indent=2))
    if given.json:
        given.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


def measure(project: Path, lines: int, changes: int, pause: float, seed: int) -> dict[str, Any]:
    """The figures, in milliseconds."""
    project.mkdir()
    (project / "pyproject.toml").write_text("[project]\nname = 'shop'\n", encoding="utf-8")
    (project / "models.py").write_text(MODELS, encoding="utf-8")
    text = large(lines)
    file = project / "orders.py"
    file.write_text(text, encoding="utf-8")
    client = Client()
    try:
        client.initialize(project, options={})
        begun = time.perf_counter()
        client.open(file.as_uri(), text)
        found = client.diagnostics(file.as_uri(), 1)
        opened = time.perf_counter() - begun
        first, spent, settled = _typed(client, file.as_uri(), text, changes, pause, random.Random(seed))  # noqa: S311
        client.end()
    finally:
        client.kill()
    return {
        "lines": text.count("\n"),
        "findings": len(found),
        "changes": changes,
        "open, settled": round(opened * 1000),
        "didChange to diagnostics": _spread(first),
        "last didChange to settled": round(settled * 1000),
        "processor time from didChange to diagnostics": _spread(spent),
    }


def processor_time(process: int) -> float:
    """Seconds that a process has had a processor for, to which no other process of the machine adds; only on Linux."""
    threads = Path(f"/proc/{process}/task").glob("*/schedstat")
    return sum(int(thread.read_text("ascii").split()[0]) for thread in threads) / 1e9


def _typed(
    client: Client, uri: str, text: str, changes: int, pause: float, chance: random.Random
) -> tuple[list[float], list[float], float]:
    """Seconds from each change to its diagnostics, those of them that were worked, and from the last to the whole's."""
    times, worked = [], []
    rows = text.splitlines()
    inner = [number for number, line in enumerate(rows) if line.startswith("    ")]
    row, column = 0, 0
    version, begun = 1, 0.0
    for count in range(changes):
        if count % 20 == 0:
            row = chance.choice(inner)
            column = len(rows[row])
        typed = chance.choice(TYPED)
        place = {"line": row, "character": column}
        undo = {
            "line": row + typed.count("\n"),
            "character": len(typed.rpartition("\n")[2]) + column * ("\n" not in typed),
        }
        for start, end, content in ((place, place, typed), (place, undo, "")):
            version += 1
            begun, before = time.perf_counter(), processor_time(client.process.pid)
            client.change(uri, version, {"range": {"start": start, "end": end}, "text": content})
            while client.published[uri].get("version") != version:
                client.next()
            times.append(time.perf_counter() - begun)
            worked.append(processor_time(client.process.pid) - before)
            time.sleep(pause)
    client.settle()
    return times, worked, time.perf_counter() - begun


def _spread(seconds: list[float]) -> dict[str, float]:
    ordered = sorted(1000 * one for one in seconds)
    parts = statistics.quantiles(ordered, n=100)
    return {
        "median": round(parts[49], 1),
        "95th percentile": round(parts[94], 1),
        "99th percentile": round(parts[98], 1),
        "most": round(ordered[-1], 1),
    }


if __name__ == "__main__":
    main()
