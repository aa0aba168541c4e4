"""What is looked at first after a change, and how what is known of a text follows another version of it."""

from __future__ import annotations

import random
from functools import partial
from typing import TYPE_CHECKING

import pytest
from lsprotocol import types

from session_lint.engine import lint_source
from session_lint.finding import Location
from session_lint.lsp.focus import MOST_ROWS, Piece, focus, outline, revised
from session_lint.lsp.positions import Columns, line_starts
from session_lint.python.texts import Texts
from session_lint.settings import Settings
from session_lint.source import Source, SourceError, decode, encode
from tests.lsp.test_same_as_fresh import DB, SERVICE, TYPED, WEB
from tests.lsp.texts import HEAD, SHAPES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from session_lint.finding import Finding
    from session_lint.lsp.focus import Focus, Outline

ORDERS = HEAD + "".join(shape.format(n=n, m=n - 1, t=n - 2) for n, shape in enumerate(SHAPES))


def told(finding: Finding) -> tuple[object, ...]:
    return finding.code, finding.location, finding.end_location, finding.message, finding.trace, finding.refusal


def of(text: str) -> Source:
    return Source("module.py", text)


def looked_at(before: str, after: str) -> Focus | None:
    return focus(outline(of(before), of(before).parse()), outline(of(after), of(after).parse()))


def names(seen: Focus | None) -> list[str]:
    assert seen is not None
    tree = of(seen.text).parse()
    return [node.name for node in tree.body if hasattr(node, "name")]


def test_only_the_function_that_has_changed_is_looked_at() -> None:
    seen = looked_at(ORDERS, ORDERS.replace('"""Read one and forget."""', '"""Read."""\n    ident += 1'))
    assert ["leak_1"] == names(seen)
    assert seen is not None
    assert ORDERS.count("\n") + 1 == seen.text.count("\n")


def test_those_that_name_it_and_those_that_it_names_are_looked_at_with_it() -> None:
    assert ["total_3", "Repository4", "report_5"] == names(looked_at(ORDERS, ORDERS.replace("total = 0", "total = 1")))


def test_those_that_name_what_is_gone_are_looked_at() -> None:
    renamed = ORDERS.replace("class Repository4", "class Repository9")
    assert ["total_3", "Repository9", "report_5"] == names(looked_at(ORDERS, renamed))


def test_a_change_outside_of_all_functions_is_about_the_whole() -> None:
    assert None is looked_at(ORDERS, ORDERS.replace("from models import Order, User", "from models import Order"))
    assert None is looked_at(ORDERS, ORDERS + "\n# session-lint: ignore-file\n")
    assert None is looked_at(ORDERS, ORDERS + "".join(f"\ndef more_{n}():\n    return {n}\n" for n in range(MOST_ROWS)))


def test_what_was_found_elsewhere_moves_with_its_lines() -> None:
    after = ORDERS.replace('"""Read one."""', '"""Read one."""\n    ident += 1\n    ident += 2')
    settings = Settings(whole_project=False)
    seen = looked_at(ORDERS, after)
    assert seen is not None
    found = lint_source(of(seen.text), settings)
    merged = seen.merged(lint_source(of(ORDERS), settings), found)
    assert [told(one) for one in lint_source(of(after), settings)] == [told(one) for one in merged]
    assert seen.rows.isdisjoint(finding.location.row for finding in lint_source(of(after), settings))


def test_an_outline_of_what_differs_is_the_outline_of_the_whole() -> None:
    chance = random.Random(3)
    checked = 0
    for text in (DB, SERVICE, WEB, ORDERS):
        known = outline(of(text), of(text).parse())
        for _ in range(150):
            start = chance.randrange(len(text) + 1)
            end = min(len(text), start + chance.choice([0, 0, 3, 60]))
            other = text[:start] + chance.choice(TYPED) + text[end:]
            expected = said(partial(whole, other))
            assert expected == said(partial(revised, known, of(other)))
            checked += isinstance(expected[0], Piece)
    assert checked > 100


def whole(text: str) -> Outline:
    return outline(of(text), of(text).parse())


def said(work: Callable[[], Outline]) -> tuple[object, ...]:
    try:
        return work().pieces
    except SourceError as error:
        return error.message, error.location


@pytest.mark.parametrize(("encoding", "units"), [("utf-8", 5), ("utf-16", 3), ("utf-32", 2)])
def test_columns_in_each_encoding(encoding: str, units: int) -> None:
    columns, lines = Columns(encoding), ["a😀b\r\n"]
    assert types.Position(0, units) == columns.position(lines, Location(1, 3))
    assert Location(1, 3) == columns.location(lines, types.Position(0, units))
    assert Location(1, 4) == columns.location(lines, types.Position(0, 99))
    assert types.Position(1, 0) == columns.position(lines, Location(2, 1))
    assert 4 == columns.offset("\na😀b", line_starts("\na😀b"), types.Position(1, units + 1))
    assert 4 == columns.offset("\na😀b", line_starts("\na😀b"), types.Position(7, 0))


@pytest.mark.parametrize(
    "text", ["x = 'é'\n", "# coding: latin-1\nx = 'é'\n", "# coding: latin-1\nx = '😀'\n", "# coding: nonsense\n"]
)
def test_a_text_becomes_bytes_that_say_the_same_where_there_are_such(text: str) -> None:
    data = encode(text)
    if "nonsense" in text or "😀" in text:
        assert text.encode() == data
    else:
        assert text == decode("x.py", data).text


def test_which_files_hold_a_word_stays_right_when_texts_change(tmp_path: Path) -> None:
    chance = random.Random(5)
    words = ["fresh", "session", "commit", "sion", "s", "get_session", "nothing"]
    sets = [frozenset({"fresh", "scope"}), frozenset({"session"})]
    pool = {"a.py": DB, "b.py": SERVICE, "c.py": WEB}
    for name, text in pool.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    kept = Texts(tmp_path)
    for _ in range(80):
        name = chance.choice([*pool])
        text = pool[name]
        start = chance.randrange(len(text) + 1)
        pool[name] = text[:start] + chance.choice(TYPED) + text[start + chance.choice([0, 4, 30]) :]
        kept.replace(tmp_path / name, pool[name].encode())
        fresh = Texts(tmp_path)
        for other, content in pool.items():
            fresh.replace(tmp_path / other, content.encode())
        assert [fresh.holding(word) for word in words] == [kept.holding(word) for word in words]
        files = kept.layout.files
        assert [fresh.having(one, files) for one in sets] == [kept.having(one, files) for one in sets]
    kept.replace(tmp_path / "a.py", None)
    assert DB.encode() == kept.content(tmp_path / "a.py")
