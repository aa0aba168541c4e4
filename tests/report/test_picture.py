"""The pictures of graphs: where the way of a finding goes, what is drawn of a large function, what cannot be drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from session_lint.analysis import analyse
from session_lint.engine import retold
from session_lint.report.html.condensed import MOST
from session_lint.report.html.picture import picture
from session_lint.rules import catalogue
from session_lint.settings import Settings
from session_lint.source import Source
from tests.linting import lint

if TYPE_CHECKING:
    from session_lint.analysis import ModuleFacts
    from session_lint.finding import Finding
    from session_lint.report.html.picture import Picture

HEAD = "from sqlalchemy.orm import Session\n"


def facts_of(text: str) -> ModuleFacts:
    source = Source("module.py", text)
    return analyse(source, source.parse(), "module")


def drawn(text: str, code: str) -> tuple[Finding, Picture]:
    """The first finding of a rule, and its picture."""
    finding = lint(text, [code])[0]
    found = picture(finding, facts_of(text))
    assert found is not None
    return finding, found


def on(found: Picture) -> list[str]:
    """The lines of the boxes on the way, a box each."""
    return [" | ".join(line.text for line in box.lines) for box in found.boxes if box.on]


def test_the_way_of_a_normal_leak() -> None:
    """Through the test that decides it, to the end; the other way is drawn beside it."""
    text = HEAD + (
        "def f(e, done):\n    s = Session(e)\n    s.add(1)\n"
        "    if done:\n        return 1\n    s.close()\n    return 2\n"
    )
    _, found = drawn(text, "SES101")
    assert on(found) == ["f", "s = Session(e) | s.add(1) | if done:", "return 1", "returns"]
    assert [(wire.label, wire.on) for wire in found.wires if wire.label] == [("false", False), ("true", True)]
    assert found.words == "f, line 3, line 4, line 5, line 6, returns"


def test_the_way_through_a_finally() -> None:
    """The copy of the block that runs on an exception is the one on the way."""
    text = HEAD + (
        "def f(e):\n    s = Session(e)\n    try:\n        s.add(1)\n        s.commit()\n"
        "    finally:\n        log()\n    s.close()\n"
    )
    _, found = drawn(text, "SES102")
    assert on(found)[-1] == "the exception leaves"
    assert [box.on for box in found.boxes if any(line.text == "log()" for line in box.lines)].count(True) == 1
    assert all(wire.exceptional for wire in found.wires if wire.on and wire is found.wires[-1])


def test_what_cannot_raise_has_no_exception() -> None:
    """An edge that the analysis does not follow is not drawn, nor marked."""
    _, found = drawn(HEAD + "def f(e):\n    s = Session(e)\n    print(1)\n", "SES101")
    assert [(box.kind, box.raises) for box in found.boxes] == [("start", False), ("code", False), ("end", False)]


def test_the_way_ends_at_a_misuse() -> None:
    """Where the fault is not that the function is left, the way stops at it."""
    text = "from database.session import scoped_session\n\n\ndef f(row):\n    with scoped_session() as s:\n"
    text += "        s.add(row)\n        s.commit()\n        tell(row)\n"
    _, found = drawn(text, "SES301")
    assert on(found) == ["f", "with scoped_session() as s: | s.add(row) | s.commit()"]
    assert ("tell(row)", False) in [(box.lines[0].text, box.on) for box in found.boxes]


def test_steps_in_other_functions_are_passed_over() -> None:
    """The way is that of the function which holds the finding."""
    text = HEAD + "def make(e):\n    return Session(e)\n\n\ndef f(e):\n    s = make(e)\n    s.add(1)\n"
    finding, found = drawn(text, "SES101")
    assert {step.location.row for step in finding.trace} == {3, 7, 8}
    assert on(found) == ["f", "s = make(e) | s.add(1)", "returns"]


def test_a_test_of_several_parts_is_drawn_in_parts() -> None:
    """Each says what it asks, even where nothing is called in it."""
    text = HEAD + "def f(e, a):\n    if a.b and a.c:\n        log()\n    s = Session(e)\n    s.add(1)\n"
    _, found = drawn(text, "SES101")
    assert [(box.kind, box.lines[0].row, box.lines[0].text) for box in found.boxes][1:3] == [
        ("code", 3, "if a.b and a.c:"),
        ("choice", 3, "a.c"),
    ]


def test_no_box_is_empty() -> None:
    """A comprehension goes round in a box of its own, which says where it stands."""
    text = (
        HEAD + "def f(e, rows):\n    s = Session(e)\n    return [\n        s.get(row)\n        for row in rows\n    ]\n"
    )
    _, found = drawn(text, "SES101")
    assert ["for row in rows"] in [[line.text for line in box.lines] for box in found.boxes]
    assert all(line.text for box in found.boxes for line in box.lines)


def test_what_an_exception_leads_to_has_a_box_of_its_own() -> None:
    """Even where nothing else leads there."""
    text = HEAD + (
        "def f(e, rows):\n    s = Session(e)\n    for row in rows:\n        try:\n            s.add(row)\n"
        "        except:\n            log(row)\n            continue\n    s.flush()\n"
    )
    _, found = drawn(text, "SES101")
    lines = [[line.text for line in box.lines] for box in found.boxes]
    assert ["s.add(row)"] in lines
    assert ["except:", "log(row)", "continue"] in lines


def test_a_module_body_has_a_graph_too() -> None:
    """It ends, and returns nothing."""
    _, found = drawn(HEAD + "s = Session(e)\ns.add(1)\n", "SES101")
    assert (found.name, found.boxes[-1].lines[0].text) == ("module", "ends")


def test_a_large_function_is_cut_to_the_way() -> None:
    """And what is next to it; the picture says how much is missing."""
    tests = "".join(f"    if a[{n}]:\n        b({n})\n    else:\n        c({n})\n" for n in range(60))
    _, found = drawn(HEAD + f"def f(e, a):\n{tests}    s = Session(e)\n    s.add(1)\n", "SES101")
    assert len(found.boxes) == MOST + 1
    assert found.left_out == 180 + 2 - MOST
    whole = drawn(HEAD + "def f(e, a):\n    if a:\n        b()\n    s = Session(e)\n    s.add(1)\n", "SES101")[1]
    assert whole.left_out == 0


def test_a_long_block_is_shortened() -> None:
    """To its beginning, its end, and the lines with steps."""
    calls = "".join(f"    s.add({n})\n" for n in range(20))
    _, found = drawn(HEAD + f"def f(e):\n    s = Session(e)\n{calls}    return 1\n", "SES101")
    assert [line.text for line in found.boxes[1].lines] == ["s = Session(e)", "s.add(0)", "⋯", "return 1"]


def test_no_picture_where_there_is_nothing_to_draw() -> None:
    """A module that was not analysed; a finding whose place is not in the graph any more."""
    finding, _ = drawn(HEAD + "def f(e):\n    s = Session(e)\n    s.add(1)\n", "SES101")
    assert picture(finding, facts_of("x = 1\n")) is None
    assert picture(finding, facts_of(HEAD + "\n\n\n\ndef g(e):\n    Session(e)\n")) is None


def test_code_that_is_nested_very_deeply_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page is made all the same."""
    text = HEAD + "def f(e):\n    s = Session(e)\n    s.add(1)\n"
    finding, _ = drawn(text, "SES101")
    deep = Source("module.py", text.replace("(1)", f"(a{'.b()' * 400})"))
    assert retold(deep, Settings(whole_project=False)) is None

    def nested(*_: object) -> None:
        raise RecursionError

    monkeypatch.setattr("session_lint.report.html.picture.condense", nested)
    assert picture(finding, facts_of(text)) is None


@pytest.mark.parametrize("code", [code for code, rule in catalogue().items() if code not in ("SES900", "SES901")])
def test_every_rule_has_pictures(code: str) -> None:
    """Each finding of each rule's own examples has one, with its way in it."""
    for example in catalogue()[code].examples:
        for finding in lint(example.text, [code]):
            found = picture(finding, facts_of(example.text))
            assert found is not None
            assert sum(box.on for box in found.boxes) > 1
