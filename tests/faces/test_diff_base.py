"""``check --diff-base``: what a branch has brought, as a real git sees it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.faces.inside import HEAD, LEAK, git, said
from tests.faces.test_notebooks import notebook

OLD = f"{HEAD}def old(q):\n    session = SessionLocal()\n    return session.execute(q)\n"
CLOSED = f"""{HEAD}def closed(q):
    session = SessionLocal()
    try:
        q()
    finally:
        session.close()
    q()
"""
UNCLOSED = CLOSED.replace("        session.close()\n", "        q()\n")


@pytest.fixture(autouse=True)
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with an old leak on `main`, and a branch."""
    monkeypatch.chdir(tmp_path)
    git(tmp_path, "init", "-q", "-b", "main")
    (tmp_path / "old.py").write_text(OLD)
    (tmp_path / "closed.py").write_text(CLOSED)
    (tmp_path / "with space ä.py").write_text(OLD)
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "Begin")
    git(tmp_path, "checkout", "-q", "-b", "branch")
    return tmp_path


def brought(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[tuple[str, int]]:
    """The places of what a branch has brought."""
    done = said(capsys, "check", "--no-cache", "--output-format", "json", "--diff-base", "main", *arguments)
    found = [(Path(f["filename"]).name, f["location"]["row"]) for f in json.loads(done.out)]
    assert (1 if found else 0, "") == (done.code, done.err)
    return found


def test_old_findings_are_not_the_branches(capsys: pytest.CaptureFixture[str]) -> None:
    assert [] == brought(capsys)
    assert 1 == said(capsys, "check", "--no-cache").code


def test_inserted_lines_bring_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("old.py", "with space ä.py"):
        Path(name).write_text("import os\n\n\n" + OLD)
    assert [] == brought(capsys)


def test_new_and_changed_lines_count_committed_or_not(capsys: pytest.CaptureFixture[str], repository: Path) -> None:
    more = OLD + LEAK.removeprefix(HEAD).replace("def", "\n\ndef")
    Path("with space ä.py").write_text(more)
    git(repository, "commit", "-q", "-a", "-m", "More")
    assert [("with space ä.py", 10)] == brought(capsys)
    Path("old.py").write_text(OLD.replace("execute(q)", "execute(q).all()"))  # a line of the way, not its first
    Path("untracked.py").write_text(LEAK)
    assert [("old.py", 5), ("untracked.py", 5), ("with space ä.py", 10)] == brought(capsys)


def test_a_deleted_close_counts(capsys: pytest.CaptureFixture[str]) -> None:
    Path("closed.py").write_text(UNCLOSED.replace("    try:\n        q()\n    finally:\n        q()\n", ""))
    assert [("closed.py", 5)] == brought(capsys)


def test_a_moved_file_brings_nothing(capsys: pytest.CaptureFixture[str], repository: Path) -> None:
    git(repository, "mv", "old.py", "moved.py")
    assert [] == brought(capsys)


def test_what_others_did_on_main_is_not_the_branches(capsys: pytest.CaptureFixture[str], repository: Path) -> None:
    git(repository, "checkout", "-q", "main")
    Path("closed.py").write_text(OLD)
    git(repository, "commit", "-q", "-a", "-m", "On main")
    git(repository, "checkout", "-q", "branch")
    assert [] == brought(capsys)


def test_a_link_stands_for_what_it_leads_to(
    capsys: pytest.CaptureFixture[str],
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    repository: Path,
) -> None:
    Path("old.py").write_text(OLD.replace("SessionLocal()", "SessionLocal( )"))
    link = tmp_path_factory.mktemp("elsewhere") / "link"
    link.symlink_to(repository)
    monkeypatch.chdir(link.parent)
    assert [("old.py", 5)] == brought(capsys, "link")


def test_lines_that_look_like_a_diff(capsys: pytest.CaptureFixture[str]) -> None:
    Path("old.py").write_text('"""\n++ b/closed.py\n@@ -1 +5 @@\n"""\n' + OLD)
    assert [] == brought(capsys)


def test_of_a_notebook_the_cells_are_compared(capsys: pytest.CaptureFixture[str], repository: Path) -> None:
    """By their code, in whatever line of the file it stands; new outputs touch nothing."""
    leak = LEAK.removeprefix(HEAD)
    cells = [HEAD, leak, leak.replace("count", "other")]
    Path("old name ä.ipynb").write_bytes(notebook(*cells))
    git(repository, "add", ".")
    git(repository, "commit", "-q", "-m", "A notebook")
    git(repository, "branch", "-q", "-f", "main")
    git(repository, "mv", "old name ä.ipynb", "work.ipynb")
    Path("work.ipynb").write_bytes(notebook("import os\n" * 9, *cells).replace(b'"x"', b'"y"'))
    assert [] == brought(capsys)
    Path("work.ipynb").write_bytes(notebook(*cells[:2], cells[2].replace("(q)\n", "(q).all()\n")))
    assert [("work.ipynb", 2)] == brought(capsys)  # of cell 3
    Path("work.ipynb").write_bytes(notebook(*cells, "x = ("))
    assert [("work.ipynb", 1)] == brought(capsys)


def test_all_of_a_new_notebook_counts(capsys: pytest.CaptureFixture[str], repository: Path) -> None:
    Path("new.ipynb").write_bytes(notebook(LEAK, "x = 1"))
    assert [("new.ipynb", 5)] == brought(capsys)
    git(repository, "add", ".")
    assert [("new.ipynb", 5)] == brought(capsys)


def test_what_no_baseline_knows_and_the_branch_has_not_brought(capsys: pytest.CaptureFixture[str]) -> None:
    """Is not counted as new, with either report for people."""
    assert 0 == said(capsys, "baseline", "--no-cache", "old.py").code
    for more in ((), ("--statistics",)):
        done = said(capsys, "check", "--no-cache", "--baseline", "--diff-base", "main", *more)
        assert (0, "Nothing new: 3 files checked; 0 new, 1 known (baseline), 0 gone\n") == (done.code, done.out)


@pytest.mark.parametrize("revision", ["nowhere", "--all", "HEAD~9", ""])
def test_an_unknown_revision_is_named(capsys: pytest.CaptureFixture[str], revision: str) -> None:
    done = said(capsys, "check", "--no-cache", f"--diff-base={revision}")
    assert (2, "", True) == (done.code, done.out, "`git fetch` brings one" in done.err), done.err


def test_outside_of_git_it_says_so(
    capsys: pytest.CaptureFixture[str], tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path_factory.mktemp("bare")
    (folder / "leak.py").write_text(LEAK)
    monkeypatch.chdir(folder)
    done = said(capsys, "check", "--no-cache", "--diff-base", "main")
    assert (2, "", True) == (done.code, done.out, "is in no git repository; run without it" in done.err)
