"""Comments that silence nothing: SES901, in the command, in its fixes, in flake8 and with kept findings."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from session_lint.engine import lint_file, lint_source
from session_lint.finding import Applicability, Location, Severity
from session_lint.fixes import CannotFix, rewritten
from session_lint.flow import Graph, SolverLimit
from session_lint.mend import mend
from session_lint.settings import Settings
from session_lint.source import Source
from session_lint.suppress import idle, names_codes
from tests.faces.test_plugin import LOCAL, flake8, ours

PLAIN = Settings(cache=False)
LEAK = """from sqlalchemy.orm import Session


def load(engine):
    session = Session(engine){comment}
    session.execute("SELECT 1")
    return 1
"""
CLOSED = """from sqlalchemy.orm import Session


def load(engine):
    with Session(engine) as session:{comment}
        session.execute("SELECT 1")
    return 1
"""


def told(text: str, settings: Settings = PLAIN, *, noqa: bool = True) -> list[tuple[int, int, str]]:
    """Row, column and what SES901 says; the code for other findings."""
    found = lint_source(Source("a.py", text), settings, noqa=noqa)
    return [(f.location.row, f.location.column, _words(f.code, f.message)) for f in found]


def _words(code: str, message: str) -> str:
    return message.removeprefix("unused suppression: ") if code == "SES901" else code


def said(text: str, settings: Settings = PLAIN, *, noqa: bool = True) -> list[str]:
    """What SES901 says, and the codes of other findings."""
    return [words for _, _, words in told(text, settings, noqa=noqa)]


@pytest.mark.parametrize(
    ("comment", "expected"),
    [
        ("# noqa: SES101", ["SES101 silences nothing on this line"]),
        ("# noqa:ses101", ["ses101 silences nothing on this line"]),
        ("# noqa: E501,SES101", ["SES101 silences nothing on this line"]),
        ("# noqa: SES101, SES102", ["SES101 and SES102 silence nothing on this line"]),
        ("# noqa: SES101 SES102 SES201", ["SES101, SES102 and SES201 silence nothing on this line"]),
        ("# noqa: SES999", ["SES999 silences nothing on this line; there is no rule SES999"]),
        ("# noqa: SES1011", ["SES1011 silences nothing on this line; there is no rule SES1011"]),
        ("# noqa: SES101,SES999", ["SES101 and SES999 silence nothing on this line; there is no rule SES999"]),
        ("# session-lint: ignore[SES101] it is closed", ["SES101 silences nothing on this line"]),
        ("# session-lint: ignore[session-not-closed]", ["session-not-closed silences nothing on this line"]),
        (
            "# session-lint: ignore[sesion-not-closed]",
            ["sesion-not-closed silences nothing on this line; there is no rule sesion-not-closed"],
        ),
        ("# session-lint: ignore[SES20]", ["SES20 silences nothing on this line"]),
        (
            "# session-lint: ignore[SES101]  # noqa: SES102",
            ["SES101 silences nothing on this line", "SES102 silences nothing on this line"],
        ),
        # not a matter of ours
        ("# noqa", []),
        ("# noqa: E501", []),
        ("# noqa: S101,SESX1", []),
        ("# session-lint: ignore", []),
        ("# session-lint: ignore[]", []),
        ("# session-lint: ignore[E501]", []),
        ("# an ordinary comment about SES101", []),
        # a rule that has not run
        ("# noqa: SES104", []),
        ("# noqa: SES1", []),  # SES104 is among them
        ("# session-lint: ignore[SES]", []),
        # the interpreter decides what it can read
        ("# noqa: SES900", []),
        ("# noqa: SES9", []),
        # silenced itself
        ("# noqa: SES901", []),
        ("# noqa: SES101,SES901", []),
        ("# session-lint: ignore[unused-suppression, SES101]", []),
        ("# noqa: SES101  # session-lint: ignore[SES901]", []),
        ("# session-lint: ignore[SES101]  # noqa", []),
        ("# session-lint: ignore[SES101]  # session-lint: ignore", []),
    ],
)
def test_what_a_comment_is_told(comment: str, expected: list[str]) -> None:
    assert expected == said(CLOSED.format(comment=f"  {comment}"))


@pytest.mark.parametrize(
    ("comment", "expected"),
    [
        ("# noqa: SES101", []),
        ("# noqa: SES1", []),
        ("# noqa: ses101", []),
        ("# noqa: SES101  # session-lint: ignore[SES101]", []),
        ("# noqa  # session-lint: ignore[SES101]", []),
        ("# session-lint: ignore[session-not-closed]", []),
        ("# noqa: SES101,SES102", ["SES102 silences nothing on this line"]),
        ("# session-lint: ignore[SES101, SES101, SES201]", ["SES201 silences nothing on this line"]),
        ("# noqa: SES102", ["SES101", "SES102 silences nothing on this line"]),
    ],
)
def test_a_comment_that_is_needed_stays(comment: str, expected: list[str]) -> None:
    assert expected == said(LEAK.format(comment=f"  {comment}"))


@pytest.mark.parametrize(
    ("comment", "expected"),
    [
        ("# session-lint: ignore-file[SES101]", []),
        ("# session-lint: ignore-file", []),
        ("# flake8: noqa: SES101", []),
        (
            "# session-lint: ignore-file[SES101, SES999]",
            ["SES999 silences nothing in this file; there is no rule SES999"],
        ),
        ("# flake8: noqa: SES102", ["SES102 silences nothing in this file", "SES101"]),
        ("# session-lint: ignore-file[SES102] legacy", ["SES102 silences nothing in this file", "SES101"]),
        ("# session-lint: ignore-file[SES102, SES901]", ["SES101"]),
        ("x = 1  # session-lint: ignore-file[SES102]", ["SES101"]),  # not on a line of its own: no suppression
    ],
)
def test_what_a_comment_for_the_whole_file_is_told(comment: str, expected: list[str]) -> None:
    assert expected == said(f"{comment}\n{LEAK.format(comment='')}")


def test_only_what_was_looked_for_is_unused() -> None:
    text = CLOSED.format(comment="  # noqa: SES101,SES201,SES104,SES999")
    unknown = "; there is no rule SES999"
    assert [f"SES101, SES201 and SES999 silence nothing on this line{unknown}"] == said(text)
    some = replace(PLAIN, select=("SES1", "SES901"))
    assert [f"SES101, SES104 and SES999 silence nothing on this line{unknown}"] == said(text, some)
    assert [f"SES999 silences nothing on this line{unknown}"] == said(text, replace(PLAIN, select=("SES901",)))
    assert [] == said(text, replace(PLAIN, select=("SES1",)))
    assert [] == said(text, replace(PLAIN, ignore=("SES901",)))
    in_file = replace(PLAIN, per_file_ignores=(("a.py", ("SES101",)),))
    assert [f"SES201 and SES999 silence nothing on this line{unknown}"] == said(text, in_file)
    everything = replace(PLAIN, select=("SES1", "SES901"))
    assert ["SES1 silences nothing on this line"] == said(CLOSED.format(comment="  # noqa: SES1"), everything)


def test_it_stands_at_the_comment() -> None:
    text = 'é = """\n\n"""  # type: ignore  # noqa: E501, SES101  # why\n# session-lint: ignore-file[SES102]\n'
    first, second = lint_source(Source("a.py", text), PLAIN)
    assert (Location(3, 22), Location(3, 42)) == (first.location, first.end_location)
    assert (Location(4, 1), Location(4, 36)) == (second.location, second.end_location)
    assert ["speaks for lines 1 to 3", "speaks for the whole file"] == [f.trace[0].message for f in (first, second)]
    assert ("unused-suppression", "", Severity.WARNING) == (first.name, first.symbol, first.severity)


def test_a_string_is_no_comment() -> None:
    assert [] == said('a = "# noqa: SES101"\nb = """\n# session-lint: ignore-file[SES999]\n"""\n')


@pytest.mark.parametrize("text", ["def f(:  # noqa: SES101\n", "x = 1  # noqa: SES999\n\0", "x = (  # noqa: SES101\n"])
def test_a_file_that_is_not_analysed_has_none(text: str) -> None:
    assert ["SES900"] == said(text)
    assert [] == said(text, replace(PLAIN, ignore=("SES900",)))
    assert ["SES900"] == said(text, replace(PLAIN, select=("SES901",)))


def test_a_function_that_is_given_up_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def too_many(graph: Graph, _problem: object) -> None:
        raise SolverLimit(graph.code)

    monkeypatch.setattr("session_lint.analysis.module.solve", too_many)
    text = LEAK.format(comment="  # noqa: SES101")
    assert ["SES900"] == said(text)
    assert [] == said(text, replace(PLAIN, ignore=("SES900",)))


def test_a_text_without_such_a_comment_is_not_looked_through(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idle, "suppressions", lambda _: pytest.fail("looked through"))
    for text in ("x = 1\n", "x = 1  # noqa: E501\nsession = 1\n", "SES101 = 'noqa'\n", "x = 1  # SES101\n"):
        assert [] == said(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x = 1  # noqa:ses101", True),
        ("x = 1  # NOQA: E501 SES101", True),
        ("x = 1  # Session-Lint: ignore[a]", True),
        ("# flake8: noqa: SES1", True),
        ("# a session of SES101", False),
        ("noqa: SES101", False),
        ("# noqa\nSES101 = 1", False),
    ],
)
def test_where_codes_may_be_named(text: str, expected: bool) -> None:
    assert expected == names_codes(text)


def test_findings_that_were_kept_are_heard_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    file, settings = Path("a.py"), Settings(root=tmp_path)
    for text in (LEAK, CLOSED):
        file.write_text(text.format(comment="  # noqa: SES101,SES102"))
        first, again = lint_file(file, settings), lint_file(file, settings)
        assert (first.findings, [False, True]) == (again.findings, [first.cached, again.cached])
        expected = ["SES102"] if text is LEAK else ["SES101 and SES102"]
        assert expected == [f.message.split(": ")[1].partition(" silence")[0] for f in again.findings]


def _line(finding: dict[str, Any]) -> str:
    """A finding of the JSON report, as flake8 writes it."""
    place = f"{Path(finding['filename']).name}:{finding['location']['row']}:{finding['location']['column']}"
    safe = finding["fix"] is not None and finding["fix"]["applicability"] == "safe"
    return f"{place}: {finding['code']}{' [*]' * safe} {finding['message']}"


def test_the_command_and_flake8_say_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("setup.cfg").write_text(LOCAL)
    lines = [
        "# noqa: SES101",
        "# noqa: SES999",
        "# noqa",
        "# noqa: E501",
        "# noqa: SES901",
        "# noqa: SES102,SES901",
        "# session-lint: ignore[SES101]",
        "# session-lint: ignore[SES102]  # noqa: E501",
        "# session-lint: ignore[SES102]  # noqa: SES101",
        "# noqa: SES101  # session-lint: ignore[SES101]",
    ]
    for number, comment in enumerate(lines):
        Path(f"leak{number}.py").write_text(LEAK.format(comment=f"  {comment}"))
        Path(f"closed{number}.py").write_text(CLOSED.format(comment=f"  {comment}"))
    Path("text.py").write_text('a = """\n\n"""  # noqa: SES101\n')
    Path("file.py").write_text(f"# session-lint: ignore-file[SES102]\n{LEAK.format(comment='')}")
    Path("skipped.py").write_text(f"# flake8: noqa\nx = 1  # session-lint: ignore[SES102]\n{LEAK.format(comment='')}")
    command = [sys.executable, "-m", "session_lint", "check", "--output-format", "json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "" == done.stderr
    by_command = sorted(map(_line, json.loads(done.stdout)))
    code, by_flake8, errors = flake8("--select=SES")
    assert (1, "", by_command) == (code, errors, by_flake8)
    heard = {line.partition(":")[0] for line in by_flake8 if "SES901" in line}
    closed = {f"closed{number}.py" for number in (0, 1, 6, 7, 8, 9)}
    assert closed | {"leak1.py", "leak7.py", "leak8.py", "text.py", "file.py"} == heard


def test_flake8_needs_its_comments_as_long_as_they_silence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """flake8 hears `# noqa` after the plugin has spoken; what it will drop was found all the same."""
    monkeypatch.chdir(tmp_path)
    Path("setup.cfg").write_text(LOCAL)
    Path("a.py").write_text(LEAK.format(comment="  # noqa: SES101"))
    assert [] == ours()
    assert ["a.py:5 SES101"] == ours("--disable-noqa")
    assert [] == ours("--ignore=SES101")  # flake8 drops it, the plugin has found it
    assert [] == ours("--session-lint-ignore=SES101")  # it was not looked for
    Path("a.py").write_text(CLOSED.format(comment="  # noqa: SES101"))
    assert ["a.py:5 SES901"] == ours()
    assert ["stdin:5 SES901"] == ours("-", stdin=Path("a.py").read_text())
    assert [] == ours("--session-lint-ignore=SES901")
    Path("b.py").write_text("x = 1  # noqa: SES101\n")  # nothing in it has to do with sessions
    assert ["b.py:1 SES901"] == ours("b.py")


def test_a_comment_that_a_fix_leaves_without_work_goes_too() -> None:
    text = """from database.session import SessionLocal, scoped_session


def load(row):
    with scoped_session() as session:
        session.add(row)


def save(row):
    session = SessionLocal()  # noqa: SES401
    try:
        session.add(row)
        session.commit()
    finally:
        session.close()
"""
    settings = replace(PLAIN, extend_select=("SES104",))
    assert ["SES104"] == said(text, settings)
    mended = mend(Source("a.py", text), settings, unsafe=False)
    assert (["SES104", "SES901"], []) == ([f.code for f in mended.applied], [f.code for f in mended.left])
    assert "# noqa" not in mended.text


def mended(text: str, settings: Settings = PLAIN) -> str:
    """The text with the safe fixes of SES901 carried out, and no others."""
    while found := [f for f in lint_source(Source("a.py", text), settings) if f.code == "SES901" and f.fix]:
        assert found[0].fix is not None
        assert Applicability.SAFE is found[0].fix.applicability
        text = rewritten(Source("a.py", text), found[0].fix)
    return text


@pytest.mark.parametrize(
    ("comment", "expected"),
    [
        ("  # noqa: SES101", ""),
        ("\t # noqa:SES101,SES102 ", ""),
        ("  # noqa: E501,SES101", "  # noqa: E501"),
        ("  # noqa: SES101,E501", "  # noqa: E501"),
        ("  # noqa: SES101, E501  SES102,W1 because", "  # noqa: E501,W1 because"),
        ("  # noqa: SES101 E501", "  # noqa: E501"),
        ("  # noqa:SES101,E501", "  # noqa:E501"),
        ("  # noqa: SES101 closed by the caller", ""),
        ("  # noqa: SES101 pylint: disable=x", "  # pylint: disable=x"),
        ("  # type: ignore  # noqa: SES101", "  # type: ignore"),
        ("  # noqa: SES101  # type: ignore", "  # type: ignore"),
        ("  # a word # noqa: SES101", "  # a word"),
        ("  # session-lint: allow session-not-closed -- see #12", ""),
        ("  # session-lint: allow session-not-closed, SES999 -- why  # noqa: E501", "  # noqa: E501"),
        ("  # session-lint: allow session-not-closed, SES104 -- why", "  # session-lint: allow SES104 -- why"),
        ("  # session-lint: allow SES104,error-swallowed-in-scope -- why", "  # session-lint: allow SES104 -- why"),
        ("  # session-lint: ignore[SES101] why", ""),
        ("  # session-lint: ignore[ SES101, SES104 ] why", "  # session-lint: ignore[SES104] why"),
        ("  # session-lint: ignore[SES104, SES101]", "  # session-lint: ignore[SES104]"),
        ("  # session-lint: ignore[SES101]# noqa: SES102", ""),
        # nothing to mend
        ("  # noqa", "  # noqa"),
        ("  # noqa: E501", "  # noqa: E501"),
        ("  # noqa: SES104", "  # noqa: SES104"),
    ],
)
def test_what_silences_nothing_goes(comment: str, expected: str) -> None:
    assert CLOSED.format(comment=expected) == mended(CLOSED.format(comment=comment))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# session-lint: ignore-file[SES101]\nx = 1\n", "x = 1\n"),
        ("x = 1\n\n    # session-lint: allow-file session-not-closed -- old\ny = 1\n", "x = 1\n\ny = 1\n"),
        ("# flake8: noqa: SES101,E501\nx = 1\n", "# flake8: noqa: E501\nx = 1\n"),
        ("# flake8: noqa: SES101", ""),
        ("x = 1  # noqa: SES101", "x = 1"),
        ("x = 1  # noqa: SES101\r\ny = 1\r\n", "x = 1\r\ny = 1\r\n"),
        ("\x0cx = 'é'  # noqa: SES101\n\x0c\ny = 1\n", "\x0cx = 'é'\n\x0c\ny = 1\n"),
        ("x = '''\n  # noqa: SES101\n'''  # noqa: SES101\n", "x = '''\n  # noqa: SES101\n'''\n"),
        ("x = (  # noqa: SES101\n    # session-lint: allow SES101\n)\n", "x = (\n)\n"),
    ],
)
def test_nothing_else_of_the_text_changes(text: str, expected: str) -> None:
    assert expected == mended(text)


def test_a_comment_does_not_make_another_one_name_the_encoding() -> None:
    text = "# session-lint: allow-file SES101\n#\n# coding: latin-1\n"
    (found,) = lint_source(Source("a.py", text), PLAIN)
    assert found.fix is not None
    with pytest.raises(CannotFix, match="names the encoding"):
        rewritten(Source("a.py", text), found.fix)
    with pytest.raises(CannotFix, match="the comment was not found"):
        rewritten(Source("a.py", "x = 1\n"), found.fix)


@pytest.mark.parametrize(
    ("comment", "written"),
    [
        ("# noqa: session-not-closed", "# noqa: SES101"),
        ("# noqa: session-not-closed, SES102 because", "# noqa: SES101,SES102 because"),
        ("# noqa:  SES101", "# noqa: SES101"),
        ("# noqa SES101", "# noqa: SES101"),
        ("# noqa : SES101", "# noqa: SES101"),
        ("# NOQA ses101 ses101 is it", "# noqa: SES101 is it"),
        ("# noqa E501 session-not-closed", "# noqa: E501,SES101"),
    ],
)
def test_a_blanket_comment_that_names_rules(comment: str, written: str) -> None:
    text = LEAK.format(comment=f"  {comment}")
    codes = written.partition(" because")[0].partition(" is")[0]
    assert [f"blanket suppression: flake8 takes this for a blanket noqa; write `{codes}`"] == said(text)
    after = mended(text.replace("SES102", "SES101"))
    assert LEAK.format(comment="  " + written.replace(",SES102", "")) == after
    assert [] == said(after)
    assert [] == said(text, replace(PLAIN, ignore=("SES901",)))
    assert [] == said(text.replace(comment, f"{comment}  # session-lint: allow unused-suppression"))


@pytest.mark.parametrize(
    "comment",
    [
        "# noqa",
        "# noqa because SES101 is wrong",
        "# noqa: E501x",
        "# noqa: some-name",
        "# noqa: S",
        "# noqa see above",
        "# noqa E501",
        "#noqa: SES1",
    ],
)
def test_other_blanket_comments_are_not_ours(comment: str) -> None:
    assert [] == said(CLOSED.format(comment=f"  {comment}"))


def test_flake8_tells_of_a_blanket_comment_on_line_1(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("setup.cfg").write_text(LOCAL)
    Path("a.py").write_text(LEAK.format(comment="  # noqa: session-not-closed"))
    what = "blanket suppression in line 5: flake8 takes this for a blanket noqa; write `# noqa: SES101`"
    assert [f"a.py:1:1: SES901 [*] {what}"] == flake8("--select=SES")[1]


REASONED = replace(PLAIN, require_reason=True)


@pytest.mark.parametrize(
    ("comment", "complained"),
    [
        ("# noqa: SES101", True),
        ("# noqa: SES101 closed by the caller", False),
        ("# noqa: SES101  # closed by the caller", False),
        ("# noqa: SES101  # type: ignore", True),
        ("# noqa: SES101 TODO: close it", False),
        ("# session-lint: allow session-not-closed -- as agreed: the pool closes it", False),
        ("# noqa", False),
        ("# session-lint: allow session-not-closed", True),
        ("# session-lint: allow session-not-closed --", True),
        ("# session-lint: allow session-not-closed  # noqa: E501", True),
        ("# session-lint: allow session-not-closed -- the caller's", False),
        ("# session-lint: ignore", True),
        ("# session-lint: ignore the caller's", False),
        ("# session-lint: ignore[SES101]", True),
        ("# session-lint: ignore[SES101] the caller's", False),
        ("# session-lint: allow session-not-closed, unused-suppression", False),  # it has silenced that, too
    ],
)
def test_a_reason_may_be_required(comment: str, complained: bool) -> None:
    text = LEAK.format(comment=f"  {comment}")
    assert [] == said(text)
    expected = [f"suppression without a reason: say why behind `{comment.partition(' --')[0].partition('  #')[0]}`"]
    assert (expected if complained else []) == said(text, REASONED)


def test_a_comment_without_use_needs_no_reason() -> None:
    assert ["SES101 silences nothing on this line"] == said(CLOSED.format(comment="  # noqa: SES101"), REASONED)
    assert [] == said("x = 1  # noqa: E501\n", REASONED)


def test_a_comment_of_our_own_speaks_for_its_statement() -> None:
    text = LEAK.replace("Session(engine){comment}", "Session(\n        engine,\n    )  # session-lint: allow {}")
    assert [] == said(text.replace("{}", "session-not-closed -- why"))
    assert ["SES101", "SES102 silences nothing in this statement"] == said(text.replace("{}", "SES102 -- why"))
