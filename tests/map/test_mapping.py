"""The map itself: what it says of modules, definitions and entries."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from session_lint.mapping import Pattern, SessionMap
from tests.map.projects import SHOP, mapped, put

if TYPE_CHECKING:
    from pathlib import Path

    from session_lint.mapping import Node


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> SessionMap:
    told, failures = mapped(put(tmp_path_factory.mktemp("shop"), SHOP))
    assert failures == []
    return told


def module(told: SessionMap, name: str) -> Node:
    return next(node for node in told.modules if node.name == name)


def sites(told: SessionMap, name: str) -> list[tuple[str, str, str, str]]:
    return [(s.symbol, s.pattern.value, s.through, s.ending) for s in module(told, name).sites]


def test_each_place_has_its_pattern_what_it_goes_through_and_its_ending(shop: SessionMap) -> None:
    assert sites(shop, "shop.orders.store") == [
        ("save", "scope", "shop.db:work", "closed"),
        ("count", "manual", "shop.db:SessionLocal", "closed"),  # through another module, under another name
        ("leak", "manual", "shop.db:SessionLocal", "left open"),
        ("decorated", "scope", "shop.db:transactional", "closed"),
    ]


def test_what_a_framework_or_a_registry_keeps_is_a_requests_session(shop: SessionMap) -> None:
    assert sites(shop, "shop.orders.api") == [
        ("orders", "request", "shop.db:get_db", "closed by its owner"),
        ("kept", "request", "shop.db:registry", "closed by its owner"),
    ]


def test_what_defines_a_pattern_for_others_uses_none(shop: SessionMap) -> None:
    handed = [site.symbol for site in module(shop, "shop.db").sites if not site.uses]
    assert handed == ["work", "get_db", "current"]
    assert module(shop, "shop.db").patterns == {Pattern.SCOPE: 1}  # the decorator's wrapper


def test_definitions_are_those_of_the_vocabulary_command(shop: SessionMap) -> None:
    assert [(one.key, one.role) for one in shop.definitions] == [
        ("shop.db:SessionLocal", "factory"),
        ("shop.db:registry", "registry"),
        ("shop.db:work", "scope"),
        ("shop.db:get_db", "dependency"),
        ("shop.db:current", "singleton"),
        ("shop.db:close_current", "closer"),
        ("shop.db:transactional", "decorator"),
    ]


def test_modules_that_mix_are_told_but_not_tests(shop: SessionMap) -> None:
    both = [node.name for node in shop.modules if len(node.patterns) > 1]
    assert both == ["shop.orders.store", "tests.test_shop"]
    assert [node.name for node in shop.modules if node.mixed] == ["shop.orders.store"]


def test_who_closes_the_global_session(shop: SessionMap) -> None:
    closes = [(node.name, one.symbol, one.through) for node in shop.modules for one in node.closes]
    assert closes == [("shop.report", "main", "shop.db:close_current")]


def test_entries_reach_the_global_session_each_on_its_way_with_its_own_ending(shop: SessionMap) -> None:
    assert [([code for code, _ in one.way], one.ending) for one in shop.entries] == [
        (["shop.nightly:nightly", "shop.report:rows"], "left open"),
        (["shop.report", "shop.report:main", "shop.report:rows"], "closed"),
    ]


def test_a_module_that_only_enters_is_on_the_map(shop: SessionMap) -> None:
    assert sites(shop, "shop.nightly") == []
    assert not module(shop, "shop.nightly").concerned


def test_functions_that_are_passed_a_session_are_counted(shop: SessionMap) -> None:
    assert module(shop, "shop.orders.store").given == 2


def test_within_a_package_are_its_modules_and_what_they_go_through(shop: SessionMap) -> None:
    inside = shop.within("shop.orders")
    assert [node.name for node in inside.modules] == ["shop.orders.api", "shop.orders.store"]
    assert "shop.db:current" not in {one.key for one in inside.definitions}
    assert inside.entries == ()


def test_a_library_is_what_a_place_goes_through_where_the_project_has_nothing(tmp_path: Path) -> None:
    text = "from sqlalchemy.orm import Session\n\nwith Session(engine) as session:\n    session.add(1)\n"
    told, _ = mapped(put(tmp_path, {"one.py": text}))
    assert [(s.text, s.through, s.pattern.value) for s in told.modules[0].sites] == [
        ("Session(engine)", "sqlalchemy.orm.Session", "scope")
    ]
    assert [(d.key, d.role) for d in told.definitions] == [("sqlalchemy.orm.Session", "library")]


def test_requests_share_the_global_session(tmp_path: Path) -> None:
    text = """\
from flask import Flask

from database.session import get_session

app = Flask(__name__)


@app.route("/")
def index():
    return str(get_session().execute("select 1"))
"""
    told, _ = mapped(put(tmp_path, {"web.py": text}))
    assert [(e.symbol, e.request, e.ending) for e in told.entries] == [("index", True, "shared by all requests")]
    assert [s.ending for s in told.modules[0].sites] == ["shared by all requests"]


def test_what_closes_at_exit_closes_for_every_entry(tmp_path: Path) -> None:
    text = """\
import atexit

from database.session import close_global_session, get_session

atexit.register(close_global_session)


def report():
    return get_session().execute("select 1").all()
"""
    told, _ = mapped(put(tmp_path, {"late.py": text}))
    assert [(e.symbol, e.ending) for e in told.entries] == [("report", "closed at exit")]


def test_files_of_one_name_stay_apart(tmp_path: Path) -> None:
    text = "from sqlalchemy.orm import Session\n\nsession = Session()\nsession.close()\n"
    told, _ = mapped(put(tmp_path, {"one/main.py": text, "two/main.py": text}))
    assert len({node.name for node in told.modules}) == 2
    assert all(node.name.endswith("main") for node in told.modules)


def test_a_file_that_cannot_be_parsed_is_told_and_hides_nothing(tmp_path: Path) -> None:
    good = "from sqlalchemy.orm import Session\n\nsession = Session()\nsession.close()\n"
    told, failures = mapped(put(tmp_path, {"bad.py": "def (\n", "good.py": good}))
    assert [node.name for node in told.modules] == ["good"]
    assert [(failure.code, failure.location.row) for failure in failures] == [("SES900", 1)]
    assert told.checked == 2


def test_a_code_base_without_sessions_has_an_empty_map(tmp_path: Path) -> None:
    told, failures = mapped(put(tmp_path, {"plain.py": "print(1)\n"}))
    assert (told, failures) == (SessionMap((), (), (), 1), [])
