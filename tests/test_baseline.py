"""Known findings: what counts as new, as known and as gone, beside a simple model; and what git makes of the file."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from session_lint.baseline import Comparison, Entry, Mark, compare, merged
from session_lint.finding import Finding, Location, Severity
from session_lint.recording import Baseline, _changed, read, rendered

FILES = [f"{folder}/{name}.py" for folder in ("shop", "store", "web") for name in "abc"]
MARKS = st.tuples(st.sampled_from(FILES), st.sampled_from("pqrst"))
MANY = st.lists(MARKS, min_size=200, max_size=200)


def entry(mark: Mark, count: int = 1, reason: str = "") -> Entry:
    """An entry for so many findings of a mark."""
    return Entry(mark[0], "SES101", "main", f"session = {mark[1]}()", mark[1], count, reason)


def entries(marks: Counter[Mark]) -> tuple[Entry, ...]:
    """A baseline that has recorded some findings."""
    return tuple(sorted(entry(mark, count) for mark, count in marks.items() if count > 0))


def finding(row: int, path: str) -> Finding:
    """A finding that only its place tells from others."""
    return Finding("SES101", "session-not-closed", "m", path, Location(row, 1), Location(row, 2), "", Severity.ERROR)


def compared(recorded: Counter[Mark], found: list[Mark], exists: set[str], looked: set[str]) -> Comparison:
    """What the code under test says."""
    marked = [(finding(row, mark[0]), mark) for row, mark in enumerate(found, 1)]
    return compare(
        entries(recorded),
        marked,
        lambda one: one.path in looked or one.path not in exists,
        lambda one: one.path in exists,
    )


def numbers(result: Comparison) -> tuple[int, int, int, int]:
    """How many are new, known, gone and left."""
    return len(result.new), len(result.known), result.number_gone, sum(one.count for one in result.left)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    recorded=MANY,
    dropped=st.sets(st.integers(0, 199)),
    added=st.lists(MARKS, max_size=30),
    moved=st.dictionaries(st.sampled_from(FILES), st.sampled_from([*FILES, "new/a.py", "new/z.py"]), max_size=4),
    unseen=st.sets(st.sampled_from(FILES), max_size=3),
)
def test_random_edits_beside_a_model(
    recorded: list[Mark], dropped: set[int], added: list[Mark], moved: dict[str, str], unseen: set[str]
) -> None:
    """Findings mended, made and moved with their files, and files that were not looked at."""
    before = Counter(recorded)
    after = [mark for number, mark in enumerate(recorded) if number not in dropped] + added
    after = [(moved.get(path, path), mark) for path, mark in after]
    exists = {path for path, _ in after} | ({*FILES} - {*moved}) | unseen
    found = [mark for mark in after if mark[0] not in unseen]

    here = before & Counter(found)
    rest = Counter(found) - here
    over = before - here
    lost, homeless = Counter[str](), Counter[str]()
    for (path, mark), number in over.items():
        lost[mark] += number * (path not in exists)
    for (path, mark), number in rest.items():
        homeless[mark] += number * ((path, mark) not in before)
    known = sum(here.values()) + sum((lost & homeless).values())
    asleep = sum(number for (path, _), number in over.items() if path in unseen)

    result = compared(before, found, exists, exists - unseen)
    gone = sum(before.values()) - known - asleep
    assert numbers(result) == (len(found) - known, known, gone, known + asleep)
    again = compared(Counter({one.mark: one.count for one in result.left}), found, exists, exists - unseen)
    assert numbers(again) == (len(found) - known, known, 0, known + asleep)


def test_a_new_one_does_not_take_the_place_of_a_mended_one() -> None:
    """One gone and another come in the same file: one of each, not none."""
    recorded = Counter({("a.py", "p"): 1})
    assert numbers(compared(recorded, [("a.py", "q")], {"a.py"}, {"a.py"})) == (1, 0, 1, 0)


def test_more_of_the_same_are_new() -> None:
    """As many are known as were counted, and no more."""
    recorded = Counter({("a.py", "p"): 2})
    assert numbers(compared(recorded, [("a.py", "p")] * 5, {"a.py"}, {"a.py"})) == (3, 2, 0, 2)


def test_a_copied_file_is_new() -> None:
    """While the old file stands, what is alike elsewhere was not moved there."""
    recorded = Counter({("a.py", "p"): 1})
    found = [("a.py", "p"), ("b.py", "p")]
    assert numbers(compared(recorded, found, {"a.py", "b.py"}, {"a.py", "b.py"})) == (1, 1, 0, 1)


def test_entries_follow_their_files() -> None:
    """Of two folders with files of the same names each entry goes with the file of its name."""
    recorded = Counter({("old/a.py", "p"): 1, ("old/b.py", "p"): 2})
    found = [("new/b.py", "p"), ("new/a.py", "p"), ("new/b.py", "p")]
    result = compared(recorded, found, {"new/a.py", "new/b.py"}, {"new/a.py", "new/b.py"})
    assert [(one.path, one.count) for one in sorted(result.left)] == [("new/a.py", 1), ("new/b.py", 2)]
    assert numbers(result) == (0, 3, 0, 3)


def test_what_is_alike_is_one_entry() -> None:
    """Counts add up, and every reason stays."""
    one = merged([entry(("a.py", "p")), entry(("a.py", "p"), 2, "old"), entry(("a.py", "p"), 1, "older")])
    assert one == [entry(("a.py", "p"), 4, "old; older")]


# its file


def saved(file: Path, *kept: Entry) -> Baseline:
    """A baseline in a file, which holds these entries afterwards."""
    (read(file) if file.exists() else Baseline(file)).written(kept)
    return read(file)


def test_its_file_gives_back_what_was_written(tmp_path: Path) -> None:
    """Names and texts of all kinds; line feeds and order, however it was checked out."""
    odd = Entry("ж/\udcff.py", "SES101", "", 'x = "\t\u2028"', "p", 3, "причина")
    file = tmp_path / "b.json"
    assert saved(file, odd, entry(("a.py", "p"))).entries == (entry(("a.py", "p")), odd)
    assert "причина" in file.read_text("utf-8")
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    assert saved(file, odd).entries == (odd,)
    assert b"\r" not in file.read_bytes()
    assert json.loads(file.read_bytes())["version"] == 1


def test_removing_an_entry_changes_no_other_line(tmp_path: Path) -> None:
    """Neither its neighbours nor the lines between; nor does counting less."""
    file = tmp_path / "b.json"
    kept = [entry((path, "p"), 2) for path in FILES]
    before = saved(file, *kept).data.splitlines()
    after = saved(file, *kept[:3], *kept[4:]).data.splitlines()
    assert [line for line in before if FILES[3].encode() not in line] == after
    less = saved(file, *kept[:3], entry((FILES[4], "p"), 1), *kept[5:]).data.splitlines()
    assert [number for number, pair in enumerate(zip(after, less, strict=True)) if pair[0] != pair[1]] == [
        next(number for number, line in enumerate(after) if FILES[4].encode() in line)
    ]


def test_a_file_that_a_formatter_has_rewritten_is_put_in_order(tmp_path: Path) -> None:
    """What it says counts, not how."""
    file = tmp_path / "b.json"
    saved(file, *[entry((path, "p")) for path in FILES])
    file.write_text(json.dumps(json.loads(file.read_text()), indent=4, sort_keys=True))
    assert saved(file, entry((FILES[0], "p"))).data == rendered([entry((FILES[0], "p"))])


def git(folder: Path, *arguments: str) -> str:
    """Git's answer, in a repository of the test."""
    who = ("-c", "user.email=a@example.org", "-c", "user.name=a", "-c", "init.defaultBranch=main")
    return subprocess.run(
        ["git", *who, *arguments], cwd=folder, check=True, capture_output=True, text=True, timeout=60
    ).stdout


def test_two_branches_that_prune_neighbours_merge(tmp_path: Path) -> None:
    """Each branch takes out every other entry; git merges them without a word, and what is left is what both left."""
    file = tmp_path / "b.json"
    kept = [entry((path, mark)) for path in FILES for mark in "pq"]
    git(tmp_path, "init", "-q")
    saved(file, *kept)
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "recorded")
    for branch, left in (("even", kept[::2]), ("odd", kept[1::2])):
        git(tmp_path, "checkout", "-qb", branch, "main")
        saved(file, kept[0], *[one for one in left if one != kept[0]])
        git(tmp_path, "commit", "-qam", branch)
    git(tmp_path, "merge", "-q", "even", "-m", "both")
    assert read(file).entries == (kept[0],)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    mine=st.sets(st.sampled_from(FILES)), theirs=st.sets(st.sampled_from(FILES)), before=st.sets(st.sampled_from(FILES))
)
def test_any_two_prunes_merge(mine: set[str], theirs: set[str], before: set[str]) -> None:
    """Whatever two branches take out, one after another prune, git's merge leaves what neither has."""
    every = [entry((path, "p")) for path in FILES]
    base = _changed(rendered(every), [e for e in every if e.path not in before])
    one, other = (_changed(base, [e for e in every if e.path not in before | gone]) for gone in (mine, theirs))
    with TemporaryDirectory() as name:
        files = [Path(name, side) for side in ("one", "base", "other")]
        for file, content in zip(files, (one, base, other), strict=True):
            file.write_bytes(content)
        done = subprocess.run(["git", "merge-file", *map(str, files)], capture_output=True, check=False, timeout=60)
        assert done.returncode == 0
        assert [e.path for e in read(files[0]).entries] == sorted({*FILES} - before - mine - theirs)
