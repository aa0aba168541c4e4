"""The HTML report: what is on the page, and that nothing on it can break it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace
from importlib.resources import files
from itertools import pairwise
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from session_lint.errors import UserError
from session_lint.finding import Location, Step
from session_lint.report import render
from session_lint.report.html import report
from session_lint.report.run import Run
from tests.report.pages import SHOP, Element, page_of, read, run_of

if TYPE_CHECKING:
    from pathlib import Path

HOSTILE = "a</script><script>alert(1)</script>\"'<b>&amp;`x`\u202e\u2066\x00\x1b\udcff\n\r\t{{ 7*7 }}</noscript>]]>-->"


@pytest.fixture(name="page", scope="module")
def _page() -> Element:
    return page_of({"shop.py": SHOP})


def finding(page: Element, code: str) -> Element:
    """The only finding of a rule."""
    (found,) = (e for e in page.all("li", "finding") if e.attributes["data-rule"] == code)
    return found


def words(element: Element) -> str:
    return " ".join(element.text.split())


def test_a_very_long_line_is_cut_everywhere() -> None:
    """In the difference of a fix, too."""
    text = SHOP.replace("    tell(orders)", f"    tell('{'y' * 5000}')").replace(
        "    session.close()\n", "    session.close()\n"
    )
    page = page_of({"shop.py": text})
    assert [e for e in page.all("div", "diff") if "more characters" in e.text] != []
    assert "y" * 401 not in page.text


def test_the_head_counts_what_was_found(page: Element) -> None:
    """By severity, by rule and by folder."""
    tiles = [words(tile) for tile in page.all("ul", "tiles")[0].all("li")]
    assert tiles == ["2 errors", "0 warnings", "0 style findings", "1 with a safe fix"]
    by_rule, by_folder = ([words(row) for row in table.all("tr")] for table in page.all("table", "bars"))
    assert by_rule == [
        "RuleWhatFindings",
        "SES101A session that is opened and, on some way, never closed1",
        "SES102A session that is closed, but not when something raises before1",
    ]
    assert by_folder == ["FolderFindings", ".2"]


def test_a_finding_tells_its_steps(page: Element) -> None:
    """Numbered, in the order of the way; the same numbers stand at the lines of the source."""
    leak = finding(page, "SES102")
    assert [words(step) for step in leak.all("li")] == [
        "1 line 13 opened here",
        "2 line 15 the loop ends",
        "3 line 18 this call may raise",
        "4 line 19 caught here",
        "5 line 20 this call may raise",
        "6 line 20 the exception leaves, past the close",
    ]


def test_the_way_is_drawn_over_the_source(page: Element) -> None:
    """Each step stands below its line, and begins in its column."""
    rows = [row.text.strip("\n") for row in finding(page, "SES101").all("div", "code")[0].all("tr")]
    assert rows == [
        "6def count(users):",
        '7    """Everybody."""',
        "8    session = SessionLocal()",
        "              ╰ 1 opened here",
        "9    return session.query(users).count()  # it is not closed",
        "    ╰ 2 leaves here, still open",
    ]


def test_a_fix_is_shown_as_a_difference(page: Element) -> None:
    """What goes, what comes, and what stands around it."""
    rows = [
        (row.attributes["class"], row.all("code")[0].text)
        for row in finding(page, "SES101").all("div", "diff")[0].all("tr")
    ]
    assert rows == [
        ("gap", "⋯"),
        ("same", "def count(users):"),
        ("same", '    """Everybody."""'),
        ("del", "    session = SessionLocal()"),
        ("del", "    return session.query(users).count()  # it is not closed"),
        ("add", "    with SessionLocal() as session:"),
        ("add", "        return session.query(users).count()  # it is not closed"),
        ("same", ""),
        ("same", ""),
    ]


def test_the_graph_shows_the_way_in_colour(page: Element) -> None:
    """The boxes on it and the lines between them; other ways are there, too."""
    graph = finding(page, "SES102").all("figure", "graph")[0]
    on = [[text.text for text in box.all("text")] for box in graph.all("g", "on")]
    assert on == [
        ["save"],
        ["13", "session = SessionLocal()", "1"],
        ["15", "for order in orders:", "2"],
        ["18", "session.commit()", "3"],
        ["19", "except Exception:", "4", "20", "tell(orders)", "5", "6"],
        ["the exception leaves"],
    ]
    others = [box for box in graph.all("g", "b") if "on" not in box.attributes["class"].split()]
    assert [box.all("text")[1].text for box in others if len(box.all("text")) > 1] == [
        "if order.paid:",
        "session.add(order)",
        "session.close()",
        "session.rollback()",
    ]
    assert [label.text for label in graph.all("text", "l on")] == ["no more"]
    assert graph.all("title")[0].text == (
        "The way: save, line 13, line 14, line 15, line 18, line 19, line 20, the exception leaves"
    )


def test_the_page_needs_nothing_else(page: Element) -> None:
    """Its policy allows its own style and script by their digests; it names no other file."""
    (policy,) = (m.attributes["content"] for m in page.all("meta") if "http-equiv" in m.attributes)
    assert re.fullmatch(
        r"default-src 'none'; style-src 'sha256-[\w+/]{43}='; script-src 'sha256-[\w+/]{43}='; img-src data:;"
        r" base-uri 'none'; form-action 'none'",
        policy,
    )
    linked = {(e.tag, e.attributes[a]) for e in page.walk() for a in ("src", "href", "action") if a in e.attributes}
    assert {(tag, to) for tag, to in linked if tag != "a"} == {("link", "data:,")}
    assert {to.partition("/")[0] for tag, to in linked if tag == "a" and not to.startswith("#")} == {"https:"}
    assert not [e for e in page.walk() for name in e.attributes if name == "style" or name.startswith("on")]


def test_the_page_can_be_read_aloud(page: Element) -> None:
    """Landmarks, one first heading and no level left out, labelled fields, named pictures, tables with heads."""
    assert [len(page.all(tag)) for tag in ("main", "header", "footer", "h1")] == [1, 1, 1, 1]
    levels = [int(e.tag[1]) for e in page.walk() if re.fullmatch("h[1-6]", e.tag)]
    assert max(b - a for a, b in pairwise(levels)) == 1
    labelled = [e for label in page.all("label") for e in label.walk() if e.tag in ("input", "select")]
    assert labelled == [e for e in page.walk() if e.tag in ("input", "select")]
    assert all(words(label) for label in page.all("label") if label.all("input") or label.all("select"))
    assert all(svg.all("title")[0].text for svg in page.all("svg") if svg.attributes.get("role") == "img")
    assert all(table.all("th") for table in page.all("table", "bars"))
    ids = [e.attributes["id"] for e in page.walk() if "id" in e.attributes]
    assert len(ids) == len(set(ids))


def test_the_colours_can_be_told_apart() -> None:
    """Text has a contrast of 4.5 to 1 at least on what it stands on, lines that matter 3 to 1, in both themes."""
    style = files("session_lint.report.html").joinpath("templates", "report.css").read_text("utf-8")
    pairs = {name: (light, dark) for name, light, dark in re.findall(r"--([\w-]+): light-dark\((\S+), (\S+)\)", style)}
    texts = "text quiet link error warning style good keyword string comment literal path".split()
    grounds = ["page", "panel", "raised"]
    wanted = [(text, ground, 4.5) for text in texts for ground in grounds]
    wanted += [(name, f"{name}-fill", 4.5) for name in ("error", "warning", "style", "good")]
    wanted += [
        (name, fill, 4.5)
        for name in ("keyword", "string", "comment", "literal", "text", "path")
        for fill in ("error-fill", "good-fill")
        if (name, fill) != ("path", "good-fill")
    ]
    wanted += [("on-path", "path", 4.5), ("page", "text", 4.5)]
    wanted += [(name, ground, 3.0) for name in ("strong-line", "focus", "path") for ground in grounds]
    poor = [
        (name, ground, theme, round(contrast(pairs[name][theme], pairs[ground][theme]), 2))
        for name, ground, least in wanted
        for theme in (0, 1)
        if contrast(pairs[name][theme], pairs[ground][theme]) < least
    ]
    assert poor == []


def contrast(first: str, second: str) -> float:
    """The contrast ratio of WCAG 2 between two colours."""
    light, dark = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_two_runs_write_the_same_page() -> None:
    """No date, no number that is made up."""
    assert report(run_of({"shop.py": SHOP})) == report(run_of({"shop.py": SHOP}))


def test_nothing_found() -> None:
    """The page says so."""
    page = read(report(Run([], 14, lambda _: None)))
    assert words(page.all("p", "clear")[0]) == "All clear."
    assert words(page.all("p", "ran")[0]) == "0 findings in 0 of 14 files"


def test_a_step_in_another_file_shows_that_file() -> None:
    """Each file of the way has its excerpt, in the order of the way."""
    run = run_of({"shop.py": SHOP, "lib/far.py": "def far():\n    pass\n"})
    (leak, *_) = run.findings
    told = replace(
        leak, trace=(*leak.trace, Step("lib/far.py", Location(2, 5), "and here"), Step("gone.py", Location(1, 1), "?"))
    )
    page = read(report(replace(run, findings=[told])))
    assert [words(name) for name in page.all("div", "file")] == ["shop.py", "lib/far.py"]
    assert [words(step) for step in page.all("li", "finding")[0].all("li")][2:] == [
        "3 lib/far.py:2 and here",
        "4 gone.py:1 ?",
    ]


def test_a_file_that_is_gone_has_neither_source_nor_graph() -> None:
    """The finding is told all the same."""
    run = run_of({"shop.py": SHOP})
    page = read(report(replace(run, source=lambda _: None, facts=lambda _: None)))
    (leak,) = (e for e in page.all("li", "finding") if e.attributes["data-rule"] == "SES101")
    assert (leak.all("figure"), leak.all("div", "code"), len(leak.all("li"))) == ([], [], 2)
    assert words(leak.all("p", "none")[0]) == "The source is not there any more."


def test_places_in_a_notebook_count_in_their_cells(tmp_path: Path) -> None:
    """The address says the cell; the excerpt and the graph show its lines."""
    cells = ["from sqlalchemy.orm import Session\n", "1\n", "s = Session(e)\ns.add(1)\n"]
    code = [{"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": 0, "source": c} for c in cells]
    notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": code}
    (tmp_path / "try.ipynb").write_text(json.dumps(notebook), "utf-8")
    asked = ["check", "--no-cache", "--isolated", "--select", "SES101", "--output-format", "html", "try.ipynb"]
    written = subprocess.run(
        [sys.executable, "-m", "session_lint", *asked], cwd=tmp_path, capture_output=True, encoding="utf-8", check=False
    )
    (leak,) = read(written.stdout).all("li", "finding")
    assert words(leak.all("summary")[0].all("span", "at")[0]) == "try.ipynb:cell 3:1:5"
    assert "s = Session(e)" in [words(code) for code in leak.all("tr", "here")[0].all("code")]
    assert [words(step) for step in leak.all("li")] == ["1 cell 3:1 opened here", "2 cell 3:2 leaves here, still open"]


def test_hostile_text_stays_text() -> None:
    """Names, messages and source cannot end an element, run or turn the text around; nothing is hidden in them."""
    comment = "".join(c for c in HOSTILE if c not in "\x00\udcff\n\r")
    run = run_of({"shop.py": SHOP.replace("  # it is not closed", f"  # {comment}")})
    steps = tuple(Step(HOSTILE, Location(1, 1), HOSTILE) for _ in range(2))
    bad = replace(
        run.findings[0], message=HOSTILE, filename=HOSTILE, symbol=HOSTILE, trace=steps, code=HOSTILE, url=HOSTILE
    )
    text = report(replace(run, findings=[*run.findings, bad, bad]))
    page = read(text)
    text.encode("utf-8")
    assert [(len(page.all(tag)), tag) for tag in ("script", "style", "b")][:2] == [(1, "script"), (1, "style")]
    assert {b.text for b in page.all("b")} == {"4", "1", "0"}
    assert sorted({c for c in text if not c.isprintable()}) == ["\n"]
    assert "49" not in {words(e) for e in page.walk()}
    shown = page.all("li", "finding")[-1].attributes["data-file"]
    assert shown.startswith(
        "a</script><script>alert(1)</script>\"'<b>&amp;`x`\\u202e\\u2066\\x00\\x1b\\udcff\\n\\r\\t{{ 7*7 }}"
    )


def test_a_baseline_shows_what_has_changed() -> None:
    """New, known and gone, in all and by rule; a rule that has nothing left is listed, too."""
    run = run_of({"shop.py": SHOP})
    gone = (SimpleNamespace(code="SES101", count=3), SimpleNamespace(code="SES304", count=1))
    compared = SimpleNamespace(new=tuple(run.findings[:1]), known=tuple(run.findings[1:]), gone=gone)
    page = read(report(_Compared(run.findings[:1], 1, run.source, baseline=compared)))
    tiles = [words(tile) for tile in page.all("ul", "tiles")[0].all("li")]
    assert tiles[-3:] == ["+1 new since the baseline", "1 in the baseline", "\N{MINUS SIGN}4 gone since the baseline"]
    rows = [[words(cell) for cell in row.all("td")[1:5]] for row in page.all("table", "rules")[0].all("tr")[1:]]
    assert rows == [["1", "+1", "0", "\N{MINUS SIGN}3"], ["0", "0", "1", "0"], ["0", "0", "0", "\N{MINUS SIGN}1"]]


class _Compared(Run):
    """A run that was compared with a baseline."""

    def __init__(self, *given: Any, baseline: object) -> None:
        super().__init__(*given)
        object.__setattr__(self, "baseline", baseline)


def test_alike_findings_have_marks_of_their_own() -> None:
    """A link leads to one of them."""
    text = "from sqlalchemy.orm import Session\ndef f(e, q):\n    Session(e).add(q)\n    Session(e).add(q)\n"
    marks = [e.attributes["id"] for e in page_of({"a.py": text}).all("li", "finding")]
    assert len(marks) == len(set(marks)) > 1


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the words that install it."""
    monkeypatch.setitem(sys.modules, "jinja2", None)
    monkeypatch.delitem(sys.modules, "session_lint.report.html")
    with pytest.raises(UserError, match=re.escape("pip install 'session-lint[html]'")):
        render("html", Run([], 0, lambda _: None))


def test_the_command_writes_it(tmp_path: Path) -> None:
    """With the graphs; without the library it fails with 2 and says what to install."""
    (tmp_path / "shop.py").write_text(SHOP, "utf-8")
    asked = ["check", "--no-cache", "--isolated", "--output-format", "html", "shop.py"]
    written = subprocess.run(
        [sys.executable, "-m", "session_lint", *asked], cwd=tmp_path, capture_output=True, encoding="utf-8", check=False
    )
    assert (written.returncode, written.stderr) == (1, "")
    assert len(read(written.stdout).all("figure", "graph")) == 2
    without = (
        f"import sys; sys.modules['jinja2'] = None; sys.argv[1:] = {asked!r}; from session_lint.cli import main; main()"
    )
    failed = subprocess.run(
        [sys.executable, "-c", without], cwd=tmp_path, capture_output=True, encoding="utf-8", check=False
    )
    assert (failed.returncode, failed.stdout) == (2, "")
    assert failed.stderr == "session-lint: the HTML report needs jinja2: pip install 'session-lint[html]'\n"
