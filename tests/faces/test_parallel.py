"""Which files each process looks at."""

from __future__ import annotations

from collections import Counter
from itertools import chain
from pathlib import Path

import pytest

from session_lint.parallel import CHUNK, Share, choose, shares_of
from session_lint.settings import Settings

BIG, SMALL, MIDDLE = Path("/big"), Path("/small"), Path("/middle")


def share(project: Path, number: int, run: int | None = None, size: int = 1) -> Share:
    """Some files of a project."""
    return Share([project / f"{number}_{n}.py" for n in range(size)], project, run)


def dealt(shares: list[Share], turns: list[int]) -> list[int]:
    """What each process takes, when they come for more in some order."""
    taken = [0] * len(shares)
    found = []
    for process in turns:
        found.append(choose(shares, taken, process))
        taken[found[-1]] = 1
    return found


def test_each_process_goes_through_its_own_run() -> None:
    """Files beside each other go to one process, however often the other one comes."""
    shares = [share(BIG, n, n // 4) for n in range(8)]
    assert dealt(shares, [0, 1, 1, 0, 0, 1, 1, 0]) == [0, 4, 5, 1, 2, 6, 7, 3]


def test_who_is_done_helps_with_the_end() -> None:
    """Of the run that most is left of."""
    shares = [share(BIG, n, n // 3) for n in range(9)]
    assert dealt(shares, [0, 0, 0, 1, 0, 0, 0, 0, 0]) == [0, 1, 2, 3, 8, 5, 7, 4, 6]


def test_one_project_after_the_other_and_whole_ones_at_the_end() -> None:
    """The largest first."""
    shares = [share(SMALL, 0), share(BIG, 0, 0), share(MIDDLE, 0, size=5), share(BIG, 1, 1)]
    assert dealt(shares, [1, 1, 0, 0]) == [3, 1, 2, 0]


def test_a_process_without_a_run_helps() -> None:
    """Where there are fewer shares than processes."""
    assert dealt([share(BIG, 0, 0), share(BIG, 1, 1)], [2, 3]) == [0, 1]


@pytest.mark.parametrize("processes", [2, 3, 8])
def test_every_file_is_in_one_share(tmp_path: Path, processes: int) -> None:
    """Those of a small project in one, those of a large one in runs of about the same length."""
    paths = []
    for name, count in (("large", 500), ("little", 9)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "pyproject.toml").touch()
        paths += [tmp_path / name / f"m{n:03}.py" for n in range(count)]
    shares = shares_of(paths, Settings(cache=False), processes)
    assert list(chain.from_iterable(one.paths for one in shares)) == paths
    assert [one.run for one in shares if one.project.name == "little"] == [None]
    runs = Counter(one.run for one in shares for _ in one.paths if one.run is not None)
    assert sorted(runs) == list(range(processes))
    assert max(runs.values()) - min(runs.values()) <= 2 * CHUNK
