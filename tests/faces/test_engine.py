"""The run over files: whatever one file does, the others are reported."""

from __future__ import annotations

import ast
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from session_lint import engine
from session_lint.engine import FileReport, lint_file, lint_paths, lint_source
from session_lint.finding import Location
from session_lint.python.modules import module_name
from session_lint.rules import catalogue
from session_lint.settings import Settings
from session_lint.source import Source
from tests.faces.deep import SUM, readable

if TYPE_CHECKING:
    from session_lint.analysis import ModuleFacts
    from session_lint.finding import Finding

LEAK = """from sqlalchemy.orm import Session


def load(engine):
    session = Session(engine)
    session.execute("SELECT 1")
    return 1
"""
CLEAN = "x = 1\n"
PLAIN = Settings(cache=False)


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(**files: str | bytes) -> list[Path]:
    """Make Python files in the current folder."""
    paths = []
    for name, content in files.items():
        path = Path(f"{name}.py")
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        paths.append(path)
    return paths


def said(findings: tuple[Finding, ...] | list[Finding]) -> list[tuple[int, str]]:
    """Row and code of findings."""
    return [(finding.location.row, finding.code) for finding in findings]


def reasons(path: Path, settings: Settings = PLAIN) -> list[str]:
    """What is wrong with a file."""
    return [finding.message for finding in lint_file(path, settings).findings]


@pytest.mark.parametrize(
    ("content", "message", "location"),
    [
        (b"def f(:\n", "file not analysed: syntax error: invalid syntax", Location(1, 7)),
        (b"x = 1\ny = '\xe9'\n", None, Location(2, 1)),
        (b"# coding: nonsense\n", "file not analysed: cannot be decoded: unknown encoding: nonsense", Location(1, 1)),
        (
            b"(" * 10_000 + b")" * 10_000,
            "file not analysed: syntax error: too many nested parentheses",
            Location(1, 201),
        ),
    ],
)
def test_a_file_that_cannot_be_analysed_says_why_and_where(
    content: bytes, message: str | None, location: Location
) -> None:
    (report,) = lint_paths(write(bad=content), PLAIN)
    (finding,) = report.findings
    assert ("SES900", "bad.py", location) == (finding.code, finding.filename, finding.location)
    assert finding.message == message or (message is None and "can't decode byte 0xe9" in finding.message)


def test_a_null_byte_is_named() -> None:
    for text in (LEAK + "\0", "# a comment\n" + LEAK + "\0", "# a comment\n" + LEAK + "x = '\0'\n"):
        (message,) = reasons(write(null=text)[0])
        assert ("null bytes" in message, "internal error" in message) == (True, False)


def test_an_unreadable_file_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("x.py").mkdir()
    assert ["file not analysed: cannot be read: Is a directory"] == reasons(Path("x.py"))
    assert ["file not analysed: cannot be read: No such file or directory"] == reasons(Path("gone.py"))

    def denied(_path: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", denied)
    assert ["file not analysed: cannot be read: Permission denied"] == reasons(Path("a.py"))


@pytest.mark.parametrize(
    ("content", "row"),
    [
        (b"\xef\xbb\xbf" + LEAK.encode(), 5),
        (LEAK.replace("\n", "\r\n").encode(), 5),
        (b"\x0c\n" + LEAK.encode(), 6),
        (b"# coding: latin-1\nx = '\xe9'\n" + LEAK.encode(), 7),
        ("# -*- coding: future_fstrings -*-\nx = 'é'\n".encode() + LEAK.encode(), 7),
    ],
)
def test_how_a_file_is_written_does_not_matter(content: bytes, row: int) -> None:
    assert [(row, "SES101")] == said(lint_file(write(a=content)[0], PLAIN).findings)


def test_an_empty_file_is_clean() -> None:
    assert [FileReport("a.py", ())] == list(lint_paths(write(a=""), PLAIN))


def test_the_others_are_reported() -> None:
    paths = write(a=LEAK, b="def f(:", c=LEAK, d=b"\xff", e=CLEAN)
    expected = [("a.py", ["SES101"]), ("b.py", ["SES900"]), ("c.py", ["SES101"]), ("d.py", ["SES900"]), ("e.py", [])]
    assert expected == [(r.path, [f.code for f in r.findings]) for r in lint_paths(paths, PLAIN)]
    assert expected == [(r.path, [f.code for f in r.findings]) for r in lint_paths(paths, PLAIN, jobs=2)]


def test_what_is_not_selected_is_not_reported_but_a_failure_is() -> None:
    paths = write(a=LEAK, b="def f(:")
    other = replace(PLAIN, select=("SES2",))
    assert [[], ["SES900"]] == [[f.code for f in r.findings] for r in lint_paths(paths, other)]
    ignored = replace(PLAIN, ignore=("SES900", "SES101"))
    assert [[], []] == [[f.code for f in r.findings] for r in lint_paths(paths, ignored)]


def test_comments_silence() -> None:
    text = LEAK.replace("Session(engine)", "Session(engine)  # noqa: SES101")
    assert [] == lint_source(Source("a.py", text), PLAIN)
    assert [(5, "SES101")] == said(lint_source(Source("a.py", text), PLAIN, noqa=False))
    assert [] == lint_source(Source("a.py", "# session-lint: ignore-file\ndef f(:"), PLAIN)


def test_a_tree_is_not_parsed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    tree = ast.parse(LEAK)
    monkeypatch.setattr(ast, "parse", lambda *_: pytest.fail("parsed again"))
    assert [(5, "SES101")] == said(lint_source(Source("a.py", LEAK), PLAIN, tree))


def broken(monkeypatch: pytest.MonkeyPatch, error: BaseException, filename: str = "bad.py") -> None:
    """Let a rule raise in one file."""

    def check(facts: ModuleFacts) -> list[Finding]:
        if facts.source.filename == filename:
            raise error
        return []

    rules = catalogue()
    monkeypatch.setattr(engine, "catalogue", lambda: {**rules, "SES101": replace(rules["SES101"], check=check)})


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (KeyError("x"), "file not analysed: internal error: KeyError: 'x'"),
        (AssertionError(), "file not analysed: internal error: AssertionError"),
        (RecursionError("too deep"), "file not analysed: internal error: RecursionError: too deep"),
        (MemoryError(), "file not analysed: internal error: MemoryError"),
    ],
)
def test_an_internal_error_is_the_files_own(monkeypatch: pytest.MonkeyPatch, error: Exception, message: str) -> None:
    broken(monkeypatch, error)
    reports = list(lint_paths(write(bad=LEAK, good=CLEAN), PLAIN))
    assert [("bad.py", [message]), ("good.py", [])] == [(r.path, [f.message for f in r.findings]) for r in reports]


def test_an_error_before_the_analysis_is_the_files_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """What tells whether a file may hold a session is the tool's, too."""
    bad, good = write(bad=CLEAN, good=LEAK)
    asked = engine.concerned

    def concerned(data: bytes, path: Path, settings: Settings) -> bool:
        if path != good:
            raise KeyError("x")
        return asked(data, path, settings)

    monkeypatch.setattr(engine, "concerned", concerned)
    reports = lint_paths([bad, good], PLAIN, named=())
    found = [(r.path, f.location.row, f.code, f.message) for r in reports for f in r.findings]
    assert found[0] == ("bad.py", 1, "SES900", "file not analysed: internal error: KeyError: 'x'")
    assert [one[:3] for one in found[1:]] == [("good.py", 5, "SES101")]


def test_a_rule_that_fails_hides_nothing_of_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """What went wrong is said once, whatever the number of rules that it happens in."""
    rules = catalogue()

    def check(_facts: ModuleFacts) -> list[Finding]:
        raise KeyError("x")

    failing = {code: replace(rules[code], check=check) for code in ("SES102", "SES301")}
    monkeypatch.setattr(engine, "catalogue", lambda: {**rules, **failing})
    assert [(1, "SES900"), (5, "SES101")] == said(lint_file(write(bad=LEAK)[0], PLAIN).findings)


def test_an_interruption_is_not_swallowed(monkeypatch: pytest.MonkeyPatch) -> None:
    broken(monkeypatch, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        list(lint_paths(write(bad=LEAK), PLAIN))


def test_deep_code_gets_a_deep_stack() -> None:
    deep = "x = " + " + ".join(["1"] * 2_000) + "\n"
    assert [(5, "SES101")] == said(lint_file(write(deep=LEAK + deep)[0], PLAIN).findings)


def test_deeper_code_is_analysed_where_python_reads_it() -> None:
    (path,) = write(deep=LEAK + SUM)
    expected = ["SES101"] if readable() else ["SES900"]
    assert expected == [finding.code for finding in lint_file(path, PLAIN).findings]


def test_a_process_that_dies_hides_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    rules, parent = catalogue(), os.getpid()

    def check(facts: ModuleFacts) -> list[Finding]:
        if facts.source.filename == "f3.py" and os.getpid() != parent:
            os._exit(1)
        return list(rules["SES101"].check(facts))

    monkeypatch.setattr(engine, "catalogue", lambda: {"SES101": replace(rules["SES101"], check=check)})
    paths = write(**{f"f{number}": LEAK for number in range(6)})
    reports = list(lint_paths(paths, PLAIN, jobs=2))
    assert [(p.name, "SES900" if p.name == "f3.py" else "SES101") for p in paths] == [
        (r.path, r.findings[0].code) for r in reports
    ]
    assert "file not analysed: internal error: the process that analysed it has died" == reports[3].findings[0].message


def test_many_files_come_in_their_order() -> None:
    paths = write(**{f"f{number:03}": LEAK if number % 7 == 0 else CLEAN for number in range(100)})
    alone = list(lint_paths(paths, PLAIN, jobs=1))
    assert alone == list(lint_paths(paths, PLAIN, jobs=2))
    assert [str(path) for path in paths] == [report.path for report in alone]
    assert alone == list(lint_paths(paths, PLAIN))


def test_a_run_may_be_left_early() -> None:
    paths = write(**{f"f{number:03}": CLEAN for number in range(100)})
    assert FileReport("f000.py", ()) == next(iter(lint_paths(paths, PLAIN, jobs=2)))


@pytest.mark.parametrize("jobs", [1, 2])
def test_the_second_run_is_cached_and_equal(jobs: int) -> None:
    paths = write(a=LEAK, b=CLEAN, c="def f(:")
    first = list(lint_paths(paths, Settings(), jobs))
    second = list(lint_paths(paths, Settings(), jobs))
    assert [False, False, False] == [report.cached for report in first]
    assert [True, True, False] == [report.cached for report in second]
    assert first == [replace(report, cached=False) for report in second]


def test_the_cache_notices_what_changed() -> None:
    (path,) = write(a=LEAK)
    settings = Settings()
    assert [(5, "SES101")] == said(lint_file(path, settings).findings)
    assert not lint_file(path, replace(settings, ignore=("SES1",))).findings
    write(a=CLEAN)
    assert FileReport("a.py", ()) == lint_file(path, settings)
    assert FileReport("a.py", (), cached=True) == lint_file(path, settings)


def test_modules_are_named_by_their_packages() -> None:
    Path("src/pkg/sub").mkdir(parents=True)
    for folder in ("src/pkg", "src/pkg/sub"):
        Path(folder, "__init__.py").touch()
    expected = ["pkg.sub.a", "pkg.sub", "pkg", "a", "session"]
    places = ["src/pkg/sub/a.py", "src/pkg/sub/__init__.py", "src/pkg/__init__.py", "src/a.py", "database/session.py"]
    assert expected == [module_name(Path(place)) for place in places]


def test_modules_are_named_from_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("src/pkg/sub").mkdir(parents=True)
    Path("src/pkg/__init__.py").touch()
    monkeypatch.chdir("src/pkg/sub")
    assert ["pkg.a", "pkg"] == [module_name(Path(place)) for place in ("../a.py", "../../pkg/__init__.py")]
