"""The reports as functions, from a run to text."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from session_lint.finding import Applicability, Finding, Fix, Location, Severity, Step
from session_lint.report import render
from session_lint.report.concise import summary
from session_lint.report.frame import columns, frame
from session_lint.report.run import Look, Run
from session_lint.source import Source

if TYPE_CHECKING:
    from collections.abc import Callable

URL = "https://session-lint.readthedocs.io/en/stable/rules/commit-in-scope.html"
JOB = """\
from database.session import scoped_session


def save(row):
    with scoped_session() as session:
        session.add(row)
        session.commit()
"""
WIDE = "def f():\n\n\té = 'あ'; session = Session()  # ⏎\n\treturn é\n"
SAFE = Fix(Applicability.SAFE, "Remove the commit", "drop_statement", (("at", (7, 9)),))


def finding(
    severity: Severity = Severity.WARNING,
    filename: str = "job.py",
    fix: Fix | None = SAFE,
    refusal: str = "",
    place: tuple[Location, Location] = (Location(7, 9), Location(7, 25)),
) -> Finding:
    """A finding as the rule SES301 makes it."""
    trace = (
        Step(filename, Location(5, 10), "the scope opens here"),
        Step("lib/gone.py", Location(3, 1), "is passed on"),
    )
    message = "commit() on 'session' inside a scope"
    return Finding("SES301", "commit-in-scope", message, filename, *place, "save", severity, trace, fix, refusal, URL)


def text(findings: list[Finding], checked: int, *, colour: bool = False) -> str:
    """The report for people."""
    known = {"job.py": Source("job.py", JOB), "wide.py": Source("wide.py", WIDE)}
    return render("full", Run(findings, checked, known.get, Look(colour=colour)))


def concise(findings: list[Finding], checked: int) -> str:
    """The report of a line each."""
    return render("concise", Run(findings, checked, lambda _: None))


def as_json(findings: list[Finding], source: Callable[[str], Source | None]) -> str:
    """The report for machines."""
    return render("json", Run(findings, 1, source))


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_text() -> None:
    """Place, frame, trace with the source of each step, cure, summary."""
    assert text([finding()], 3) == (
        "job.py:7:9: SES301 [*] commit() on 'session' inside a scope (warning)\n"
        "5 |     with scoped_session() as session:\n"
        "6 |         session.add(row)\n"
        "7 |         session.commit()\n"
        "  |         ^^^^^^^^^^^^^^^^\n"
        "  1. job.py:5 the scope opens here: with scoped_session() as session:\n"
        "  2. lib/gone.py:3 is passed on\n"
        "  help: Remove the commit\n"
        "\n"
        "Found 1 warning in 1 file (3 files checked), 1 fixable with `session-lint fix`\n"
    )


def test_text_without_a_safe_fix() -> None:
    """The reason stands beside it, whether it is unsafe or was refused."""
    unsafe = Fix(Applicability.UNSAFE, "Remove the commit", "drop_statement", (), "others may wait for it")
    said = [text([one], 1).splitlines()[7] for one in (finding(fix=unsafe), finding(fix=None, refusal="a loop"))]
    assert said == ["  help: Remove the commit (unsafe: others may wait for it)", "  no fix: a loop"]
    assert "[*]" not in text([finding(fix=unsafe)], 1)


def test_text_of_a_file_that_is_gone() -> None:
    """Its finding is told without a frame."""
    assert text([finding(filename="gone.py", fix=None)], 1) == (
        "gone.py:7:9: SES301 commit() on 'session' inside a scope (warning)\n"
        "  1. gone.py:5 the scope opens here\n"
        "  2. lib/gone.py:3 is passed on\n"
        "\n"
        "Found 1 warning in 1 file (1 file checked)\n"
    )


def test_colour_changes_nothing_else() -> None:
    """Without its escape sequences a coloured report is the plain one."""
    coloured = text([finding(), finding(Severity.ERROR)], 3, colour=True)
    plain = coloured
    for code in ("1;31", "1;33", "1", "2", "32", "0"):
        plain = plain.replace(f"\x1b[{code}m", "")
    assert plain == text([finding(), finding(Severity.ERROR)], 3)
    assert "\x1b[1;33mSES301\x1b[0m" in coloured
    assert "\x1b[1;31mSES301\x1b[0m" in coloured


def test_carets_stand_under_tabs_and_wide_characters() -> None:
    """A tab is four columns, an ideograph two, a combining accent none."""
    shown = text([finding(filename="wide.py", place=(Location(3, 11), Location(3, 30)))], 1).splitlines()
    assert shown[1:5] == [
        "1 | def f():",
        "2 |",
        "3 |     é = 'あ'; session = Session()  # ⏎",
        "  |               ^^^^^^^^^^^^^^^^^^^",
    ]
    accented = "    e\u0301 = 'あ'; session"
    assert (columns(shown[4].partition("^")[0]), columns(accented)) == (
        columns(shown[3].partition("session")[0]),
        len("    e = 'aa'; session"),
    )


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ((1, 1), (1, 2), ["1 | ab", "  | ^", "2 | cd", "3 | ef"]),
        ((2, 2), (4, 1), ["1 | ab", "2 | cd", "  |  ^", "3 | ef", "4 | gh"]),
        ((4, 9), (4, 9), ["2 | cd", "3 | ef", "4 | gh", "  |   ^", "5 | \ufffdi"]),
        ((9, 1), (9, 1), []),
    ],
    ids=["first line", "over several lines", "behind the end of its line", "behind the end of the file"],
)
def test_frame(start: tuple[int, int], end: tuple[int, int], expected: list[str]) -> None:
    """Two lines around the place; the mark ends with its line; nothing that moves the cursor is shown."""
    shown = frame(["ab\n", "cd\r\n", "ef\n", "gh\n", "\x1bi"], Location(*start), Location(*end), lambda text, _: text)
    assert shown == expected


def test_concise() -> None:
    """A line each; below the current folder a path is relative, elsewhere it is whole."""
    found = [finding(), finding(filename=str(Path.cwd() / "sub" / "a.py"), fix=None), finding(filename="/else/a.py")]
    assert concise(found, 7) == (
        "job.py:7:9: SES301 [*] commit() on 'session' inside a scope\n"
        "sub/a.py:7:9: SES301 commit() on 'session' inside a scope\n"
        "/else/a.py:7:9: SES301 [*] commit() on 'session' inside a scope\n"
        "Found 3 warnings in 3 files (7 files checked), 2 fixable with `session-lint fix`\n"
    )


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        ("", "All clear: 14 files checked"),
        ("e", "Found 1 error in 1 file (14 files checked)"),
        ("eeew", "Found 3 errors and 1 warning in 1 file (14 files checked)"),
        ("sws", "Found 1 warning and 2 style findings in 1 file (14 files checked)"),
        ("esw", "Found 1 error, 1 warning and 1 style finding in 1 file (14 files checked)"),
    ],
)
def test_summary(kinds: str, expected: str) -> None:
    """What was found, by how much it matters."""
    severities = {"e": Severity.ERROR, "w": Severity.WARNING, "s": Severity.STYLE}
    assert summary([finding(severities[kind], fix=None) for kind in kinds], 14) == expected


def test_json() -> None:
    """Every field of a finding, its edits carried out only here."""
    step = {"filename": str(Path.cwd() / "job.py"), "cell": None, "location": {"row": 5, "column": 10}}
    assert json.loads(as_json([finding()], lambda name: Source(name, JOB))) == [
        {
            "code": "SES301",
            "name": "commit-in-scope",
            "message": "commit() on 'session' inside a scope",
            "filename": str(Path.cwd() / "job.py"),
            "cell": None,
            "location": {"row": 7, "column": 9},
            "end_location": {"row": 7, "column": 25},
            "symbol": "save",
            "severity": "warning",
            "trace": [
                {**step, "message": "the scope opens here"},
                {
                    "filename": str(Path.cwd() / "lib" / "gone.py"),
                    "cell": None,
                    "location": {"row": 3, "column": 1},
                    "message": "is passed on",
                },
            ],
            "fix": {
                "applicability": "safe",
                "message": "Remove the commit",
                "edits": [
                    {"content": "", "location": {"row": 7, "column": 1}, "end_location": {"row": 8, "column": 1}}
                ],
                "reason": None,
            },
            "fix_refusal": None,
            "url": URL,
        }
    ]


@pytest.mark.parametrize(
    ("source", "refusal"),
    [
        (None, None),
        (JOB.replace("()\n", "(); pass\n"), "the statement does not stand on a line of its own"),
        ("def f(:\n", "syntax error: invalid syntax"),
    ],
    ids=["gone", "refused", "broken meanwhile"],
)
def test_json_of_a_fix_that_cannot_be_carried_out(source: str | None, refusal: str | None) -> None:
    """There is no fix then, and the others' findings are reported."""
    (entry,) = json.loads(as_json([finding()], lambda name: None if source is None else Source(name, source)))
    assert (entry["fix"], entry["fix_refusal"]) == (None, refusal)


@pytest.mark.parametrize("depth", [600, 1_200, 20_000])
def test_json_of_a_fix_in_deep_code(depth: int) -> None:
    """What libcst cannot follow is refused before it ends the process."""
    deep = Source("job.py", JOB + "x = " + " + ".join(["1"] * depth) + "\n")
    (entry,) = json.loads(as_json([finding()], lambda _: deep))
    assert (entry["fix"], "nested too deeply" in entry["fix_refusal"]) == (None, True)


def test_json_is_ascii_whatever_a_file_is_called() -> None:
    """It stays JSON in every encoding of the output; standard input has no folder."""
    for name, shown in {"é\udcff.py": str(Path.cwd() / "é\udcff.py"), "<stdin>": "<stdin>"}.items():
        written = as_json([finding(filename=name, fix=None, refusal="no")], lambda _: None)
        assert (written.isascii(), json.loads(written)[0]["filename"]) == (True, shown)
        assert (json.loads(written)[0]["fix"], json.loads(written)[0]["fix_refusal"]) == (None, "no")
