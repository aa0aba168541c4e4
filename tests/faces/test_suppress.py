"""Comments that silence findings."""

from __future__ import annotations

import pytest

from session_lint.finding import Finding, Location, Severity
from session_lint.source import Source
from session_lint.suppress import heard


def finding(row: int, code: str = "SES101", name: str = "session-not-closed") -> Finding:
    """A finding somewhere on a line."""
    return Finding(code, name, "a fact", "a.py", Location(row, 5), Location(row, 9), "f", Severity.ERROR)


def rows(text: str, *, noqa: bool = True, code: str = "SES101") -> list[int]:
    """The rows of a text on which a finding would be heard."""
    findings = [finding(row, code) for row in range(1, len(text.splitlines()) + 1)]
    return [f.location.row for f in heard(Source("a.py", text), findings, noqa=noqa)]


@pytest.mark.parametrize(
    ("comment", "silenced"),
    [
        ("# noqa", True),
        ("# NOQA", True),
        ("# noqa: SES101", True),
        ("# noqa:SES101", True),
        ("# noqa: ses101", True),
        ("# noqa: E501,SES101", True),
        ("# noqa: E501 SES101", True),
        ("# noqa: SES1", True),
        ("# noqa: S", True),  # no code has no digit: blanket
        ("# noqa: E501", False),
        ("# noqa: SES102", False),
        ("# noqa: some-name", True),  # flake8 takes it for a blanket one
        ("# noqa : SES102", True),  # and this
        ("#noqa", False),  # and does not know this
        ("# a word first # noqa: SES101", True),
        ("# session-lint: ignore[SES101] closed by the caller", True),
        ("#session-lint:ignore[SES101]", True),
        ("# session-lint: ignore[SES102, SES101]", True),
        ("# session-lint: ignore[session-not-closed]", True),
        ("# session-lint: ignore[SES1]", True),
        ("# session-lint: ignore", True),
        ("# type: ignore  # session-lint: ignore[SES101]", True),
        ("# session-lint: ignore[SES102] # session-lint: ignore[SES101]", True),
        ("# session-lint: ignore[SES102]", False),
        ("# session-lint: ignore[]", False),
        ("# session-lint: ignored", False),
        ("# session-lint: ignore-file", False),  # not on a line of its own
        ("# an ordinary comment", False),
    ],
)
def test_what_a_comment_silences(comment: str, silenced: bool) -> None:
    assert ([1, 3] if silenced else [1, 2, 3]) == rows(f"a = 1\nb = 2  {comment}\nc = 3\n")


@pytest.mark.parametrize(
    ("comment", "code", "silenced"),
    [
        ("# session-lint: ignore-file", "SES101", True),
        ("# session-lint: ignore-file[SES101] legacy", "SES101", True),
        ("# session-lint: ignore-file[SES101]", "SES201", False),
        ("# flake8: noqa", "SES101", True),
        ("# flake8: noqa: SES101", "SES101", True),
        ("# flake8: noqa: E501", "SES101", False),
    ],
)
def test_what_a_comment_silences_in_the_file(comment: str, code: str, silenced: bool) -> None:
    text = f"a = 1\n\nif a:\n    {comment}\n    b = 2\n"
    assert ([] if silenced else [1, 2, 3, 4, 5]) == rows(text, code=code)


def test_strings_and_backslashes_join_lines_and_brackets_do_not() -> None:
    text = 'a = """\n\n"""  # noqa\nb = 1 + \\\n    2  # noqa\nc = (\n    3\n)  # noqa\n'
    assert [6, 7] == rows(text)


def test_only_comments_silence() -> None:
    assert [1, 2] == rows('a = "# noqa"\nb = "# session-lint: ignore"\n')


def test_noqa_may_be_left_to_flake8() -> None:
    text = "a = 1  # noqa\nb = 2  # session-lint: ignore\n# flake8: noqa\n"
    assert [1, 3] == rows(text, noqa=False)
    assert [] == rows(text)


def test_comments_count_up_to_where_the_text_stops_being_python() -> None:
    assert [2, 3] == rows("a = 1  # noqa\nb = (\nc = 3\n")
    assert [] == rows("# session-lint: ignore-file\ndef f(:\n  x = '''\n")


@pytest.mark.parametrize("text", ["a = 1  # noqa", "a = 1  # noqa\r\nb = 2\r\n", "\x0ca = 1  # noqa\nb = 2\n"])
def test_line_ends_do_not_matter(text: str) -> None:
    assert [2] == [*rows(text), 2][:1]
    assert 1 not in rows(text)


@pytest.mark.parametrize(
    ("comment", "silenced"),
    [
        ("# session-lint: allow session-not-closed -- closed by the caller", True),
        ("# session-lint: allow SES101", True),
        ("# session-lint:allow SES1", True),
        ("# Session-Lint: Allow session-not-closed", True),
        ("# session-lint: allow missing-commit, session-not-closed -- both", True),
        ("# session-lint: allow session-not-closed closed by the caller", True),
        ("# session-lint: allow session-not-closed-- close", True),
        ("# type: ignore  # session-lint: allow session-not-closed", True),
        ("# session-lint: allow missing-commit -- session-not-closed is another matter", False),
        ("# session-lint: allow missing-commit session-not-closed", False),  # names stand between commas
        ("# session-lint: allow", False),  # it names no rule
        ("# session-lint: allow -- session-not-closed", False),
        ("# session-lint: allowed session-not-closed", False),
        ("# session-lint: allow-file session-not-closed", False),  # not on a line of its own
        ("# session-lint allow session-not-closed", False),
    ],
)
def test_what_a_comment_allows(comment: str, silenced: bool) -> None:
    assert ([1, 3] if silenced else [1, 2, 3]) == rows(f"a = 1\nb = 2  {comment}\nc = 3\n")


def test_what_a_comment_allows_in_the_file() -> None:
    text = "a = 1\n# session-lint: allow-file session-not-closed -- legacy\nb = 2\n"
    assert [] == rows(text)
    assert [1, 2, 3] == [
        f.location.row for f in heard(Source("a.py", text), [finding(n, "SES102", "x") for n in (1, 2, 3)])
    ]


STATEMENT = """before = 1
call(
    1,
    \"\"\"text

    \"\"\",
)
after = 1
"""


@pytest.mark.parametrize("row", [2, 3, 6, 7])
@pytest.mark.parametrize("comment", ["# session-lint: allow SES101 -- why", "# session-lint: ignore[SES101] why"])
def test_our_own_comment_speaks_for_the_whole_statement(row: int, comment: str) -> None:
    lines = STATEMENT.splitlines()
    lines[row - 1] += f"  {comment}"
    assert [1, 8] == rows("\n".join(lines))
    lines[row - 1] = lines[row - 1].replace(comment, "# noqa: SES101")
    assert len(rows("\n".join(lines))) > 2 + (row == 3)  # flake8's does not


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # a compound statement: up to its colon
        ("with a(\n    b  # {}\n) as c:\n    d = 1\n", [4]),
        ("if a:  # {}\n    b = 1\nc = 1\n", [2, 3]),
        # decorators belong to what they decorate
        ("@a  # {}\n@b(\n    1\n)\ndef f(\n    x,\n):\n    y = 1\n", [8]),
        ("@a\n# a comment\n@b\nclass C:  # {}\n    y = 1\n", [5]),
        ("@a\n# {}\n\ndef f(): pass\nx = 1\n", [5]),
        ("x = 1\n@a\ndef f():\n    x = 1  # {}\n    y = 1\n", [1, 2, 3, 5]),
        # a comment of its own inside brackets speaks for the statement, outside for nothing else
        ("a = [\n    # {}\n    1,\n]\nb = 1\n", [5]),
        ("# {}\na = 1\n", [2]),
        ("a = 1\n    # {}\nb = 1\n", [1, 3]),
        # joined lines
        ("a = 1 + \\\n    2  # {}\nb = 1\n", [3]),
        ("a = 1; b = (\n    2)  # {}\nc = 1\n", [3]),
        # the text ends before the statement does
        ("a = 1\nb = (\n    2,  # {}\n", [1, 2]),
        ("a = x @ (\n    y\n)  # {}\nb = 1\n", [4]),
    ],
)
def test_what_a_statement_is(text: str, expected: list[int]) -> None:
    assert expected == rows(text.replace("{}", "session-lint: allow SES101 -- why"))
