"""Which files a run is about."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from session_lint import files
from session_lint.files import Missing, discover
from session_lint.settings import Settings


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture(name="no_git")
def _no_git(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", os.devnull)


def write(*names: str) -> None:
    """Make empty files and the folders they are in."""
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).touch()


def git(*arguments: str, folder: str = ".") -> None:
    """Run git on a repository of the test."""
    who = ("-c", "user.email=a@example.org", "-c", "user.name=a")
    subprocess.run(["git", "-C", folder, *who, *arguments], check=True, capture_output=True)


def found(*paths: str, settings: Settings | None = None) -> list[str]:
    """What a run is about, with slashes."""
    return [path.as_posix() for path in discover(paths or ["."], settings or Settings())[0]]


@pytest.mark.parametrize("repository", [False, True])
def test_a_walk_takes_python_and_leaves_out_the_usual_folders(repository: bool) -> None:
    if repository:
        git("init", "-q")
    write(
        "b.py",
        "a/z.py",
        "a.py",
        "a/b/c.py",
        "notes.txt",
        "build/x.py",
        ".venv/lib/x.py",
        "a/node_modules/x.py",
        "x.pyc",
    )
    assert ["a/b/c.py", "a/z.py", "a.py", "b.py"] == found()


@pytest.mark.parametrize("repository", [False, True])
def test_a_folder_named_like_a_module_is_walked(repository: bool) -> None:
    if repository:
        git("init", "-q")
    write("x.py/y.py")
    assert ["x.py/y.py"] == found()
    assert ["x.py/y.py"] == found("x.py")


def test_a_path_comes_once() -> None:
    write("a/b.py", "a/c.py")
    assert ["a/b.py", "a/c.py"] == found("a/c.py", "a", "./a/b.py", "a/../a", "a/")
    assert 2 == len(found("a", str(Path("a").absolute())))


def test_named_files_are_taken_whatever_they_are() -> None:
    write("script", "build/x.py")
    assert ["build/x.py", "script"] == found("script", "build/x.py")
    assert ["script"] == found("script", "build/x.py", settings=Settings(force_exclude=True))


def test_a_named_folder_is_walked_even_if_it_is_excluded() -> None:
    write("build/lib/x.py", "build/lib/venv/y.py")
    assert ["build/lib/x.py"] == found("build")
    assert ["build/lib/x.py"] == found("build/lib")
    assert [] == found("build", settings=Settings(force_exclude=True))


def test_what_is_missing_is_told_and_the_others_go_on() -> None:
    write("a.py")
    os.mkfifo("pipe")
    Path("broken").symlink_to("nowhere")
    expected = (
        [Path("a.py")],
        [
            Missing("gone.py", "no such file or folder"),
            Missing("pipe", "neither a file nor a folder"),
            Missing("broken", "neither a file nor a folder"),
        ],
    )
    assert expected == discover(["gone.py", "a.py", "pipe", "broken"], Settings())


def test_a_folder_that_cannot_be_listed_is_told(monkeypatch: pytest.MonkeyPatch, no_git: None) -> None:
    write("a/x.py", "b/y.py")
    scandir = os.scandir

    def closed(path: str) -> object:
        if os.fspath(path).endswith("a"):
            raise PermissionError(13, "Permission denied", os.fspath(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", closed)
    assert ([Path("b/y.py")], [Missing("a", "cannot be listed: Permission denied")]) == discover(["."], Settings())


def test_excluded_patterns_are_relative_to_the_root(tmp_path: Path) -> None:
    write("a/gen/x.py", "a/x_pb2.py", "a/y.py", "gen/z.py", "build/b.py")
    settings = Settings(root=tmp_path, extend_exclude=("/gen", "*_pb2.py"))
    assert ["a/gen/x.py", "a/y.py"] == found(settings=settings)
    assert ["a/gen/x.py", "a/y.py"] == found("a", settings=settings)
    assert ["build/b.py", "gen/z.py"] == found(settings=Settings(root=tmp_path, exclude=("a",)))


IGNORED = ("a.py", "gen/b.py", "sub/c.py", "sub/skip.py", "sub/kept.py", "sub/deep/skip.py")


def ignore() -> None:
    """Files, some of which two ``.gitignore`` files ignore."""
    write(*IGNORED)
    Path(".gitignore").write_text("gen/\nkept.py\n")
    Path("sub/.gitignore").write_text("skip.py\n!kept.py\n")


@pytest.mark.parametrize("walker", ["git", "walk"])
def test_ignored_files_are_left_out(walker: str, monkeypatch: pytest.MonkeyPatch) -> None:
    git("init", "-q")
    ignore()
    if walker == "walk":
        monkeypatch.setenv("PATH", os.devnull)
    assert ["a.py", "sub/c.py", "sub/kept.py"] == found()
    assert ["sub/c.py", "sub/kept.py"] == found("sub")
    assert ["gen/b.py"] == found("gen")  # named all the same
    assert ["sub/skip.py"] == found("sub/skip.py")


def test_tracked_and_deleted_files_are_not_there() -> None:
    git("init", "-q")
    write("a.py", "b.py", "ü.py", "with space.py")
    git("add", ".")
    Path("a.py").unlink()
    assert ["b.py", "with space.py", "ü.py"] == found()


def test_repositories_inside_a_repository_are_walked() -> None:
    git("init", "-q")
    write("a.py", "module/b.py", "module/out.py", "loose/c.py")
    Path("module/.gitignore").write_text("out.py\n")
    for inner in ("module", "loose"):
        git("init", "-q", folder=inner)
    git("add", ".", folder="module")
    git("commit", "-qm", "one", folder="module")
    git("add", "module")
    assert ["a.py", "loose/c.py", "module/b.py"] == found()


def test_the_environment_of_a_git_hook_does_not_mislead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write("other/x.py", "mine/a.py")
    git("init", "-q", folder="other")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "other" / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(tmp_path / "other"))
    assert ["mine/a.py"] == found("mine")


def test_a_repository_cannot_run_a_program(tmp_path: Path) -> None:
    git("init", "-q")
    write("a.py")
    hook = tmp_path / "hook"
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    hook.chmod(0o755)
    git("config", "core.fsmonitor", str(hook))
    assert ["a.py"] == found()
    assert not (tmp_path / "ran").exists()


def test_git_is_asked_where_it_works() -> None:
    assert files.listed_by_git(Path(), (".py",)) is None
    git("init", "-q")
    write("a.py")
    assert (["a.py"], []) == files.listed_by_git(Path(), (".py",))
