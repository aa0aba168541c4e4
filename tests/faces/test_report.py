"""The reports as functions, from a run to text."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from session_lint.finding import Applicability, Finding, Fix, Location, Severity, Step
from session_lint.report import render
from session_lint.report.concise import summary
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
        Step(filename, Location(5, 10), "the scope opens here", Location(5, 26)),
        Step("lib/gone.py", Location(3, 1), "is passed on"),
    )
    message = "commit() on 'session' inside a scope"
    return Finding("SES301", "commit-in-scope", message, filename, *place, "save", severity, trace, fix, refusal, URL)


def text(findings: list[Finding], checked: int, look: Look = Look()) -> str:  # noqa: B008  # it is frozen
    """The report for people."""
    return render("full", Run(findings, checked, {"job.py": Source("job.py", JOB)}.get, look))


def concise(findings: list[Finding], checked: int, look: Look = Look()) -> str:  # noqa: B008  # it is frozen
    """The report of a line each."""
    return render("concise", Run(findings, checked, lambda _: None, look))


def as_json(findings: list[Finding], source: Callable[[str], Source | None]) -> str:
    """The report for machines."""
    return render("json", Run(findings, 1, source))


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_text() -> None:
    """Place, frame with the steps, what cannot be shown, cure, the rule's page, summary."""
    assert text([finding()], 3) == (
        "job.py:7:9: SES301 [*] commit() on 'session' inside a scope (warning)\n"
        "4 │ def save(row):\n"
        "5 │     with scoped_session() as session:\n"
        "  │          ──────────────── 1: the scope opens here\n"
        "6 │         session.add(row)\n"
        "7 │         session.commit()\n"
        "  │         ^^^^^^^^^^^^^^^^\n"
        "  --> lib/gone.py:3:1 2: is passed on\n"
        "  help: Remove the commit\n"
        f"  see: {URL}\n"
        "\n"
        "Found 1 warning in 1 file (3 files checked), 1 fixable with `session-lint fix`\n"
    )


def test_text_without_a_safe_fix() -> None:
    """The reason stands beside it, whether it is unsafe or was refused."""
    unsafe = Fix(Applicability.UNSAFE, "Remove the commit", "drop_statement", (), "others may wait for it")
    said = [text([one], 1).splitlines()[8] for one in (finding(fix=unsafe), finding(fix=None, refusal="a loop"))]
    assert said == ["  help: Remove the commit (unsafe: others may wait for it)", "  no fix: a loop"]
    assert "[*]" not in text([finding(fix=unsafe)], 1)


def test_text_of_a_file_that_is_gone() -> None:
    """Its finding is told without a frame."""
    assert text([finding(filename="gone.py", fix=None)], 1) == (
        "gone.py:7:9: SES301 commit() on 'session' inside a scope (warning)\n"
        "  --> gone.py:5:10 1: the scope opens here\n"
        "  --> lib/gone.py:3:1 2: is passed on\n"
        f"  see: {URL}\n"
        "\n"
        "Found 1 warning in 1 file (1 file checked)\n"
    )


def test_text_of_a_file_that_has_become_shorter() -> None:
    """What stood behind its end is told, the rest is shown."""
    late = finding(fix=None, place=(Location(70, 1), Location(70, 9)))
    assert text([late], 1).splitlines()[:6] == [
        "job.py:70:1: SES301 commit() on 'session' inside a scope (warning)",
        "4 │ def save(row):",
        "5 │     with scoped_session() as session:",
        "  │          ──────────────── 1: the scope opens here",
        "6 │         session.add(row)",
        "  --> lib/gone.py:3:1 2: is passed on",
    ]


def test_the_page_of_a_rule_is_named_once() -> None:
    """With the first finding of the rule; where codes are links, nowhere."""
    found = [finding(), replace(finding(), code="SES302", url=f"{URL}#2"), finding()]
    named = [line for line in text(found, 1).splitlines() if "see:" in line]
    assert named == [f"  see: {URL}", f"  see: {URL}#2"]
    linked = text(found, 1, Look(links=True))
    assert "see:" not in linked
    assert linked.count(f"\x1b]8;;{URL}\x1b\\SES301\x1b]8;;\x1b\\ [*]") == 2


@pytest.mark.parametrize("form", ["full", "concise"])
def test_colours_and_links_change_nothing_else(form: str) -> None:
    """Without its escape sequences a coloured report is the plain one."""
    found = [finding(), finding(Severity.ERROR), finding(Severity.STYLE, fix=None, refusal="no")]
    source = {"job.py": Source("job.py", JOB)}.get
    plain, coloured, linked = (
        render(form, Run(found, 3, source, look)) for look in (Look(), Look(colour=True), Look(links=True))
    )
    assert "\x1b" not in plain
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == plain
    assert re.sub(r"\x1b\]8;;.*?\x1b\\", "", linked) == plain.replace(f"  see: {URL}\n", "")
    for colour in ("1;31", "1;33", "1;36"):
        assert f"\x1b[{colour}mSES301\x1b[0m" in coloured


def test_what_does_not_fit_goes_on_below() -> None:
    """Headline, cure and labels are wrapped, on a terminal only; places stand whole, for programs to find them."""
    unsafe = Fix(Applicability.UNSAFE, "Remove the commit", "drop_statement", (), "others may wait for it")
    assert text([finding(fix=unsafe)], 1, Look(width=44)).splitlines()[:13] == [
        "job.py:7:9: SES301 commit() on 'session'",
        "    inside a scope (warning)",
        "4 │ def save(row):",
        "5 │     with scoped_session() as session:",
        "  │          ────────────────",
        "  │          1: the scope opens here",
        "6 │         session.add(row)",
        "7 │         session.commit()",
        "  │         ^^^^^^^^^^^^^^^^",
        "  --> lib/gone.py:3:1 2: is passed on",
        "  help: Remove the commit (unsafe: others",
        "        may wait for it)",
        f"  see: {URL}",
    ]


def test_a_name_cannot_write_to_the_terminal() -> None:
    """Whatever a file is called, or a message holds, is one line of printable text."""
    bad = replace(finding(filename="a\x1b[2J\nb\u202e.py", fix=None), message="m\x1b]0;x\x07", trace=())
    expected = r"a\x1b[2J\nb\u202e.py:7:9: SES301 m\x1b]0;x\x07"
    assert concise([bad], 1).splitlines()[0] == expected
    assert text([bad], 1).splitlines()[0] == f"{expected} (warning)"


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
