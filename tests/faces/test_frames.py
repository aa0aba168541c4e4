"""How the way to a fault is drawn over the source."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

import pytest

from session_lint.analysis import analyse
from session_lint.analysis.trace import step
from session_lint.finding import Finding, Location, Severity, Step
from session_lint.report import render
from session_lint.report.columns import columns, shape, wrapped
from session_lint.report.run import Look, Run
from session_lint.rules import catalogue
from session_lint.source import Source
from tests.linting import lint

if TYPE_CHECKING:
    from pathlib import Path

    from session_lint.rule import Rule

Place = tuple[str, Location, Location]
LOOP = """\
def each(rows):
    for row in rows:
        session.add(row)
        session.commit()


def other():
    pass

    session = None
"""


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def drawn(text: str, main: str, *steps: tuple[str, str], look: Look = Look(), **others: str) -> list[str]:  # noqa: B008
    """The lines between headline and summary.

    :param main: what the finding is about: ``row fragment``.
    :param steps: the same with a message; of another file as ``name:row fragment``.
    :param others: the texts of other files.
    """
    files = {"a.py": Source("a.py", text), **{f"{name}.py": Source(f"{name}.py", t) for name, t in others.items()}}
    name, start, end = place(files, main)
    trace = []
    for where, message in steps:
        filename, begin, stop = place(files, where)
        trace.append(Step(filename, begin, message, stop))
    one = Finding("SES101", "a-rule", "m", name, start, end, "f", Severity.ERROR, tuple(trace))
    return render("full", Run([one], 1, files.get, look)).splitlines()[1:-2]


def place(files: dict[str, Source], where: str) -> Place:
    """Where a fragment stands; over several lines where it has a line end in it."""
    head, fragment = where.split(" ", 1)
    name, _, row = head.rpartition(":")
    filename = f"{name}.py" if name else "a.py"
    lines = files[filename].lines[int(row) - 1 :]
    column = lines[0].index(fragment.partition("\n")[0])
    parts = fragment.split("\n")
    last = len(parts[-1]) + (column if len(parts) == 1 else 0)
    return filename, Location(int(row), column + 1), Location(int(row) + len(parts) - 1, last + 1)


def test_one_step() -> None:
    """It needs no number."""
    assert drawn("session = open()\n", "1 open()", ("1 open()", "opened here")) == [
        "1 │ session = open()",
        "  │           ^^^^^^ opened here",
    ]


def test_steps_are_numbered_in_the_order_of_the_way() -> None:
    """In a loop the next one may stand above; lines are told from top to bottom."""
    steps = [("4 session.commit()", "committed here"), ("3 session.add(row)", "another transaction")]
    assert drawn(LOOP, "4 session.commit()", *steps) == [
        "2 │     for row in rows:",
        "3 │         session.add(row)",
        "  │         ──────────────── 2: another transaction",
        "4 │         session.commit()",
        "  │         ^^^^^^^^^^^^^^^^ 1: committed here",
    ]


def test_several_steps_on_a_line() -> None:
    """A mark each, in the order of the way; what the finding is about comes first where it is no step."""
    text = "def f():\n    return g(h(), session)\n"
    assert drawn(text, "2 session", ("2 g(h(), session)", "called"), ("2 h()", "may raise")) == [
        "1 │ def f():",
        "2 │     return g(h(), session)",
        "  │                   ^^^^^^^",
        "  │            ─────────────── 1: called",
        "  │              ─── 2: may raise",
    ]


def test_several_steps_at_a_place() -> None:
    """One mark with all that is said of it; what is said twice is said once."""
    steps = [("1 f()", "opened"), ("1 f()", "may raise"), ("2 g()", "goes on"), ("1 f()", "may raise")]
    assert drawn("f()\ng()\n", "1 f()", *steps) == [
        "1 │ f()",
        "  │ ^^^ 1: opened",
        "  │     2, 4: may raise",
        "2 │ g()",
        "  │ ─── 3: goes on",
    ]


def test_lines_far_apart() -> None:
    """A sign for what is left out, unless that is a line; numbers of one width."""
    text = "".join(f"line{row}\n" for row in range(1, 21))
    assert drawn(text, "3 line3", ("3 line3", "opened"), ("8 line8", "goes on"), ("20 line20", "ends")) == [
        " 1 │ line1",
        " 2 │ line2",
        " 3 │ line3",
        "   │ ^^^^^ 1: opened",
        " 4 │ line4",
        " 5 │ line5",
        " 6 │ line6",
        " 7 │ line7",
        " 8 │ line8",
        "   │ ───── 2: goes on",
        " 9 │ line9",
        "   ⋮",
        "19 │ line19",
        "20 │ line20",
        "   │ ────── 3: ends",
    ]


def test_blank_lines_at_the_edges_are_not_shown() -> None:
    """Nor at the edges of the pieces that are joined; between two lines they stay."""
    assert drawn(LOOP, "4 session.commit()", ("4 session.commit()", "one"), ("10 session = None", "two")) == [
        " 2 │     for row in rows:",
        " 3 │         session.add(row)",
        " 4 │         session.commit()",
        "   │         ^^^^^^^^^^^^^^^^ 1: one",
        "   ⋮",
        "10 │     session = None",
        "   │     ────────────── 2: two",
    ]


def test_other_files() -> None:
    """A frame each below the finding's own, headed by its place; numbers run through, the bars stand in one line."""
    steps = [
        ("lib:100 SessionLocal()", "opened here"),
        ("1 get()", "comes out of this call"),
        ("lib:102 close(s)", "never called"),
        ("aid:1 end()", "ends here"),
    ]
    lib = "\n" * 99 + "    s = SessionLocal()\n    return s\nclose(s)\n"
    assert drawn("s = get()\n", "1 get()", *steps, lib=lib, aid="end()\n") == [
        "  1 │ s = get()",
        "    │     ^^^^^ 2: comes out of this call",
        "    ╭─ lib.py:100:9",
        "100 │     s = SessionLocal()",
        "    │         ────────────── 1: opened here",
        "101 │     return s",
        "102 │ close(s)",
        "    │ ──────── 3: never called",
        "    ╭─ aid.py:1:1",
        "  1 │ end()",
        "    │ ───── 4: ends here",
    ]


def test_over_several_lines() -> None:
    """The mark ends with its first line; a short piece is shown to its end."""
    opening = "Session(\n    bind=x,\n    y=1,\n    z=2,\n    a=3,\n    b=4,\n)"
    assert drawn(f"s = {opening}\nuse(s)\nend()\n", f"1 {opening}", ("8 use(s)", "used")) == [
        "1 │ s = Session(",
        "  │     ^^^^^^^^",
        "2 │     bind=x,",
        "3 │     y=1,",
        "  ⋮",
        "7 │ )",
        "8 │ use(s)",
        "  │ ────── used",
        "9 │ end()",
    ]
    assert drawn("f(\n    1,\n    2,\n)\n", "1 f(\n    1,\n    2,\n)") == [
        "1 │ f(",
        "  │ ^^",
        "2 │     1,",
        "3 │     2,",
        "4 │ )",
    ]


def test_a_block_is_marked_at_its_head() -> None:
    """Where a step at the same place knows it."""
    text = "try:\n    f()\nexcept E as e:\n    pass\n    g()\n"
    block = "3 except E as e:\n    pass\n    g()"
    assert drawn(text, block, ("3 except E", "caught here")) == [
        "1 │ try:",
        "2 │     f()",
        "3 │ except E as e:",
        "  │ ^^^^^^^^ caught here",
        "4 │     pass",
        "5 │     g()",
    ]


def test_a_place_without_an_end() -> None:
    """Its first character is marked; behind the end of a line, the place behind it."""
    text = Source("a.py", "ab\ncd\n")
    found = [
        Finding("SES900", "n", "m", "a.py", place, place, "", Severity.ERROR)
        for place in (Location(1, 2), Location(2, 9))
    ]
    shown = render("full", Run(found, 1, {"a.py": text}.get)).splitlines()
    assert (shown[1:4], shown[6:9]) == (["1 │ ab", "  │  ^", "2 │ cd"], ["1 │ ab", "2 │ cd", "  │   ^"])


def test_a_very_long_line_is_cut_around_what_is_marked() -> None:
    """Only on the sides where it goes on; two places that are far from each other are two pieces of it."""
    text = ";".join(["x = 1"] * 9) + ";s = Session();" + ";".join(["y = 2"] * 19) + ";close(s);z = 3\n"
    steps = [("1 Session()", "opened"), ("1 close(s)", "closed"), ("1 z = 3", "ends")]
    assert drawn(text, "1 Session()", *steps, look=Look(width=44)) == [
        "1 │ … = 1;s = Session();y = 2;y = 2;y = 2;y…",
        "  │           ^^^^^^^^^ 1: opened",
        "1 │ …;y = 2;y = 2;y = 2;y = 2;close(s);z = 3",
        "  │                           ────────",
        "  │                           2: closed",
        "  │                                    ─────",
        "  │                                  3: ends",
    ]
    assert max(map(len, drawn(text, "1 Session()", steps[0]))) == 164


def test_without_lines_to_draw_with() -> None:
    """Where the encoding has no box drawing there is ASCII; what it cannot say is a question mark."""
    text = "s = 'あé'; f(s)\n" + "\n" * 9 + "x = 2\n"
    look = Look(encoding="ascii")
    assert drawn(
        text, "1 f(s)", ("1 f(s)", "one"), ("lib:1 é()", "two"), ("11 x = 2", "ends"), look=look, lib="é()\n"
    ) == [
        " 1 | s = '??'; f(s)",
        "   |           ^^^^ 1: one",
        "   :",
        "11 | x = 2",
        "   | ----- 3: ends",
        "  --> lib.py:1:1",
        " 1 | ?()",
        "   | --- 2: two",
    ]


@pytest.mark.parametrize(
    ("line", "shown", "indent"),
    [
        ("\té = 'あ'; f()", "    é = 'あ'; f()", 14),
        ("ab\tf()", "ab  f()", 4),
        ("e\u0301 = 1; f()", "e\u0301 = 1; f()", 7),
        ("s = '👩\u200d💻'; f()", "s = '👩💻'; f()", 12),
        ("s = '❤\ufe0f👍🏽'; f()", "s = '❤👍'; f()", 11),
        ("s = '\uac00\u1100\u1161'; f()", "s = '\uac00\u1100\u1161'; f()", 12),
        ("s = '\x1b[2J\x07'; f()", "s = '\ufffd[2J\ufffd'; f()", 13),
        ("s = '\u202e\u2066'; f()", "s = '\ufffd\ufffd'; f()", 10),
        ("s = '\u3000\xa0'; f()", "s = '   '; f()", 11),
        ("x = 1\x0c; f()", "x = 1\ufffd; f()", 8),
        ("s = '\ud800'; f()", "s = '\ufffd'; f()", 9),
    ],
    ids="tab tab-in-a-line combining zwj selector jamo control bidi spaces form-feed surrogate".split(),
)
def test_carets_stand_right(line: str, shown: str, indent: int) -> None:
    """Whatever is before them, and nothing that moves the cursor or turns the direction of reading is printed."""
    assert drawn(f"{line}\n", "1 f()") == [f"1 │ {shown}", f"  │ {' ' * indent}^^^"]


def test_half_a_wide_character_is_a_space() -> None:
    """A window that begins or ends in one keeps the columns of the rest."""
    assert shape("aあいb").between(2, 6) == " いb"
    assert shape("aあいb").between(0, 4) == "aあ "


@pytest.mark.parametrize(
    ("width", "expected"),
    [
        (None, ["one two three あいう four"]),
        (29, ["one two three あいう", "four"]),
        (28, ["one two three", "あいう four"]),
        (12, ["one", "two three", "あいう", "four"]),
        (10, ["", "one two", "three", "あいう", "four"]),
    ],
)
def test_wrapping(width: int | None, expected: list[str]) -> None:
    """Between words, by the columns that they take; a word longer than a line stands alone."""
    assert wrapped("one two three あいう four", width, 9, 2) == expected
    assert columns("あいう") == 6


@pytest.mark.parametrize("rule", [rule for rule in catalogue().values() if rule.examples], ids=lambda rule: rule.name)
def test_every_step_of_every_rule_is_drawn(rule: Rule) -> None:
    """Once, in its order, and all of what it is about is known."""
    for example in rule.examples:
        source = Source("module.py", example.text)
        for one in lint(example.text, [rule.code]):
            assert one.trace
            assert all(s.end_location is not None and s.location < s.end_location for s in one.trace)
            shown = render("full", Run([one], 1, {"module.py": source}.get)).splitlines()
            numbered = len(one.trace) > 1
            told = [line for line in shown[1:] if re.search(r"[\^─] \S|│  +\d+(, \d+)*: ", line)]
            said = "\n".join(told)
            for number, stop in enumerate(one.trace, 1):
                label = rf"\b{number}(, \d+)*: {re.escape(stop.message)}" if numbered else re.escape(stop.message)
                assert len(re.findall(label, said)) == 1


@pytest.mark.parametrize(
    ("statement", "marked"),
    [
        ("with f() as a, g() as b:\n        pass", "with f() as a, g() as b"),
        ("async with f():\n        pass", "async with f()"),
        ("for x in (1,\n 2):\n        pass", "for x in (1,\n 2)"),
        ("while f():\n        pass", "while f()"),
        ("if f() and g():\n        pass", "if f() and g()"),
        ("match f():\n        case 1:\n            pass", "match f()"),
        ("@g\n    async  def  é(a, b):\n        pass", "async  def  é"),
        ("class \\\n  A:\n        pass", "class"),
        ("return f(1,\n 2)", "return f(1,\n 2)"),
    ],
)
def test_what_a_step_is_about(statement: str, marked: str) -> None:
    """All of a simple statement or an expression; the head of one with a body, the name of a definition."""
    source = Source("a.py", f"async def around():\n    {statement}\n")
    (around,) = source.parse().body
    assert isinstance(around, ast.AsyncFunctionDef)
    one = step(analyse(source, source.parse(), "a"), around.body[0], "here")
    assert one.end_location is not None
    lines = source.lines[one.location.row - 1 : one.end_location.row]
    lines[-1] = lines[-1][: one.end_location.column - 1]
    assert "".join(lines)[one.location.column - 1 :] == marked
