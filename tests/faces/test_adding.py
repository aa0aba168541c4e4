"""Comments that are put into files to silence what is found."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from session_lint.engine import lint_source
from session_lint.finding import Finding, Location, Severity
from session_lint.fixes import rewritten
from session_lint.rules import catalogue
from session_lint.settings import Settings
from session_lint.source import Source
from session_lint.suppress import heard
from session_lint.suppress.adding import added
from session_lint.suppress.idle import unused
from tests.faces.test_plugin import LOCAL, flake8
from tests.forked import session_lint

RULES = catalogue()
LEAK = """from sqlalchemy.orm import Session


def load(engine):
    session = Session({arguments}){comment}
    session.execute("SELECT 1")
    return 1
"""


def finding(row: int, code: str = "SES101") -> Finding:
    """A finding somewhere on a line."""
    return Finding(code, RULES[code].name, "a fact", "a.py", Location(row, 1), Location(row, 2), "f", Severity.ERROR)


def silenced(text: str, *findings: Finding, reason: str = "") -> str:
    """The text with comments, which then silence the findings and are stable."""
    result = added(Source("a.py", text), findings, reason)
    after = Source("a.py", result.text)
    assert ((), findings) == (result.refused, result.silenced)
    assert [] == heard(after, list(findings))
    assert ast.dump(ast.parse(text)) == ast.dump(ast.parse(result.text))
    return result.text


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("x = 1", "x = 1  # noqa: SES101"),
        ("x = 1  # type: ignore", "x = 1  # type: ignore  # noqa: SES101"),
        ("x = 1  # noqa: E501", "x = 1  # noqa: E501,SES101"),
        ("x = 1  # noqa:E501, W1 because", "x = 1  # noqa:E501, W1,SES101 because"),
        ("x = 1  # noqa: E501 , # why", "x = 1  # noqa: E501,SES101 , # why"),
        ("x = 1  # NOQA: E501  # why", "x = 1  # NOQA: E501,SES101  # why"),
        ("x = 1  # session-lint: allow SES102 -- why", "x = 1  # session-lint: allow SES102 -- why  # noqa: SES101"),
        ("x = '# noqa: E501'", "x = '# noqa: E501'  # noqa: SES101"),
        ("x = '# noqa: E501'  # why", "x = '# noqa: E501'  # why  # noqa: SES101"),
        ("x = 'é'; y = '\u2028'", "x = 'é'; y = '\u2028'  # noqa: SES101"),
    ],
)
@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_the_code_is_added(line: str, expected: str, end: str) -> None:
    assert expected + end == silenced(line + end, finding(1))


def test_a_comment_of_its_own_form_gives_the_reason() -> None:
    expected = "x = 1  # noqa: E501  # session-lint: allow session-not-closed, missing-commit -- see #12\n"
    code = next(code for code, rule in RULES.items() if rule.name == "missing-commit")
    assert expected == silenced("x = 1  # noqa: E501\n", finding(1), finding(1, code), reason="see #12")


@pytest.mark.parametrize("reason", ["two\nlines", "a # b", "# b", "\x1b[0m", "a\u2028b"])
def test_a_reason_has_to_fit(reason: str) -> None:
    with pytest.raises(ValueError, match="a reason"):
        added(Source("a.py", "x = 1\n"), [finding(1)], reason)


@pytest.mark.parametrize(
    ("text", "row", "expected"),
    [
        ("x = 1 + \\\n    2\ny = 1\n", 1, "x = 1 + \\\n    2  # noqa: SES101\ny = 1\n"),
        ('x = f("""\n  # noqa: E501\n""", 1)\n', 1, 'x = f("""\n  # noqa: E501\n""", 1)  # noqa: SES101\n'),
        ("x = f(\n    1,\n)\n", 1, "x = f(  # noqa: SES101\n    1,\n)\n"),
        ("x = f(\n    1,\n)\n", 2, "x = f(\n    1,  # noqa: SES101\n)\n"),
        ("x = 1 \t\n", 1, "x = 1  # noqa: SES101\n"),
        ("\x0cx = 1\n", 1, "\x0cx = 1  # noqa: SES101\n"),
    ],
)
def test_strings_and_joined_lines_stay_whole(text: str, row: int, expected: str) -> None:
    assert expected == silenced(text, finding(row))


def test_several_findings_of_a_line_share_a_comment() -> None:
    text = silenced("x = 1\ny = 2\n", finding(1, "SES201"), finding(1), finding(1), finding(2, "SES102"))
    assert "x = 1  # noqa: SES101,SES201\ny = 2  # noqa: SES102\n" == text


@pytest.mark.parametrize(
    ("text", "wrong", "why"),
    [
        ("def f(:\n", finding(1, "SES900"), "not analysed"),
        ("x = 1  # noqa: SES101\n", finding(1, "SES901"), "session-lint fix"),
        ("x = 1\n", finding(7), "not one of the text"),
    ],
)
def test_what_cannot_be_silenced_is_refused_with_a_reason(text: str, wrong: Finding, why: str) -> None:
    result = added(Source("a.py", text), [wrong])
    assert (text, (), [wrong]) == (result.text, result.silenced, [found for found, _ in result.refused])
    assert why in result.refused[0][1]


LINES = st.sampled_from(
    [
        "x = 1",
        "x = 'é'  # a word",
        "x = f(\n    1,  # one\n    '''\n  a # noqa\n''',\n)",
        "x = 1 + \\\n    2",
        "if x:\n    y = [\n        1]  # type: ignore",
        "@a\n@b(\n  1)\ndef f(  # why\n  x): pass",
        "",
        "# a comment\nx = f(1)  # see #12",
        "s = '# noqa: E501'; t = f'{x}'  # noqa: E501",
        "s = 1  # noqa:E501, W2 because",
        "x = 1  # session-lint: allow SES104 -- why",
        "\x0cclass C:\n    '''text'''",
    ]
)


@given(
    st.lists(LINES, min_size=1, max_size=6).filter(any),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
    st.sampled_from(["", "see #12", "closed by the caller - always"]),
    st.data(),
)
@settings(max_examples=40, deadline=None)
def test_adding_and_removing_gives_the_text_back(
    lines: list[str], end: str, closed: bool, reason: str, data: st.DataObject
) -> None:
    """What was added silences all findings, again adds nothing, and goes when there is nothing to silence."""
    text = end.join("\n".join(lines).split("\n")) + end * closed
    rows = [row for row, line in enumerate(text.split(end), 1) if line.strip()]
    place = st.tuples(st.sampled_from(rows), st.sampled_from(["SES101", "SES102", "SES201"]))
    findings = [finding(row, code) for row, code in data.draw(st.lists(place, max_size=6, unique=True))]
    result = added(Source("a.py", text), findings, reason)
    after = Source("a.py", result.text)
    left = [found for found, _ in result.refused]
    assert left == heard(after, findings)
    assert result.text == added(after, [], reason).text
    ran = [code for code in RULES if code != "SES104"]
    while idle := [found for found in unused(after, [], ran) if found.fix]:
        assert idle[0].fix is not None
        after = Source("a.py", rewritten(after, idle[0].fix))
    assert text == after.text


def run(*arguments: str) -> tuple[int, str, str]:
    """The command ``check`` in the current folder."""
    done = session_lint("check", "--no-cache", *arguments)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def test_the_command_silences_what_it_and_flake8_find(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("setup.cfg").write_text(LOCAL)
    Path("a.py").write_bytes(LEAK.format(arguments="engine", comment="  # noqa: E501").replace("\n", "\r\n").encode())
    Path("b.py").write_text(LEAK.format(arguments="\n        engine", comment=""))
    Path("bad.py").write_text("def f(:  # Session\n")
    code, out, errors = run("--add-noqa", ".")
    assert (1, "2 findings silenced in 2 files, 1 left\n") == (code, out)
    assert errors.startswith("bad.py:1: SES900 was not silenced: ")
    assert b"    session = Session(engine)  # noqa: E501,SES101\r\n" in Path("a.py").read_bytes()
    assert "    session = Session(  # noqa: SES101\n" in Path("b.py").read_text()
    Path("bad.py").unlink()
    assert (0, "0 findings silenced in 0 files, 0 left\n", "") == run("--add-noqa")
    assert (0, [], "") == flake8("--select=SES")


def test_the_command_gives_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.py").write_text(LEAK.format(arguments="engine", comment=""))
    assert (2, "") == run("--add-noqa", "--reason", "two\nlines")[:2]
    assert (2, "") == run("--reason", "why")[:2]
    assert (2, "") == run("--add-noqa", "-")[:2]
    assert (0, "1 finding silenced in 1 file, 0 left\n", "") == run("--add-noqa", "--reason", "see #12", "a.py")
    said = "    session = Session(engine)  # session-lint: allow session-not-closed -- see #12\n"
    assert said in Path("a.py").read_text()
    assert [] == lint_source(Source("a.py", Path("a.py").read_text()), Settings(cache=False, require_reason=True))
