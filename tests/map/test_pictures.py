"""The pictures: nothing overlaps, hostile names do no harm, the same map gives the same text."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from session_lint.mapping import Close, Definition, Entrance, Node, Pattern, SessionMap, Site
from session_lint.report.map import FORMATS, render
from session_lint.report.map.groups import MOST, Opening, grouped
from session_lint.report.map.links import MOST as DEFINITIONS
from session_lint.report.map.words import columns, cut
from tests.map.projects import SHOP, mapped, put

if TYPE_CHECKING:
    from collections.abc import Iterator

SVG = "{http://www.w3.org/2000/svg}"
ALL = Opening()
HOSTILE = "</script><b>&\"'\\\x00\udc80\u202e{x}${style}"


def node(name: str, *sites: Site, closes: tuple[Close, ...] = ()) -> Node:
    return Node(name, f"{name.replace('.', '/')}.py", sites, closes, 0, test=False)


def site(pattern: Pattern, through: str, ending: str = "closed", row: int = 1) -> Site:
    return Site(row, "work", pattern, "opened()", through, ending)


def made(modules: int, definitions: int, name: str = "package{0}.part{1}.module{2}") -> SessionMap:
    """A map of many modules, each with several patterns, that go through many definitions."""
    keys = [f"app.db:opener_{number}" for number in range(definitions)]
    nodes = [
        node(
            name.format(number % 7, number % 13, number),
            *(site(p, keys[(number + i) % definitions], "left open", i) for i, p in enumerate(Pattern)),
            closes=(Close(9, "shut", keys[number % definitions]),),
        )
        for number in range(modules)
    ]
    nodes.sort(key=lambda one: one.name.split("."))
    told = [Definition(k, k.partition(":")[2], "app.db", "app/db.py", 1, "singleton", "so it is") for k in keys]
    entries = [
        Entrance(n.name, n.filename, "main", 1, ((f"{n.name}:main", 1),), keys[0], request=False, ending="left open")
        for n in nodes
    ]
    return SessionMap(tuple(nodes), tuple(told), tuple(entries), modules)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> SessionMap:
    folder = put(tmp_path_factory.mktemp("shop"), SHOP)
    told, _ = mapped(folder)
    short = [replace(one, filename=one.filename.removeprefix(f"{folder}/")) for one in told.modules]
    return replace(told, modules=tuple(short))


def parsed(svg: str) -> ET.Element:
    """A picture, which is well-formed."""
    return ET.fromstring(svg)  # noqa: S314  (it is our own)


@dataclass(frozen=True)
class Area:
    """What a text covers at most."""

    said: str
    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: Area) -> bool:
        """Whether two areas have a part in common."""
        across = self.left < other.right and other.left < self.right
        return across and self.top < other.bottom and other.top < self.bottom


def texts(svg: str) -> Iterator[Area]:
    """The texts of a picture, as wide as a monospaced font of 0.61 em makes them."""
    sizes = {"title": 16, "small": 11, "on": 11, "warn": 11, "mark": 11}
    for element in parsed(svg).iter(f"{SVG}text"):
        said = "".join(part for part in (element.text, *(child.tail for child in element)) if part)
        size = next((sizes[word] for word in element.get("class", "").split() if word in sizes), 12)
        x, y = float(element.get("x", 0)), float(element.get("y", 0))
        wide = columns(said) * size * 0.61
        left = x - wide if element.get("text-anchor") == "end" else x
        yield Area(said, left, y - size * 0.8, left + wide, y + size * 0.2)


LONG = "a_package_with_a_name{0}.that_nobody_would_like_to_type{1}.and_a_module_that_is_no_better_{2}"
WIDE = "包{0}.モジュール{1}.とても長い名前のモジュールですから切らなければなりません{2}"


@pytest.mark.parametrize(
    "told",
    [made(1, 1), made(30, 5), made(150, 3), made(60, 90), made(60, 12, LONG), made(25, 4, WIDE)],
    ids=["one", "some", "many modules", "many definitions", "long names", "wide names"],
)
@pytest.mark.parametrize("opening", [ALL, Opening(0), Opening(9)], ids=["fitting", "closed", "all open"])
def test_no_text_of_a_picture_overlaps_another_or_leaves_it(told: SessionMap, opening: Opening) -> None:
    svg = render("svg", told, opening)
    root = parsed(svg)
    found = sorted(texts(svg), key=lambda area: area.top)
    near = [pair for pair in combinations(found, 2) if abs(pair[0].top - pair[1].top) < 20]
    assert [(a.said, b.said) for a, b in near if a.meets(b)] == []
    width, height = float(root.get("width", 0)), float(root.get("height", 0))
    assert [a.said for a in found if a.left < 0 or a.right > width or a.top < 0 or a.bottom > height] == []


def bodies(svg: str, kind: str) -> list[Area]:
    """The boxes of a picture of one kind."""
    groups = (g for g in parsed(svg).iter(f"{SVG}g") if kind in g.get("class", "").split())
    rects = [next(g.iter(f"{SVG}rect")) for g in groups]
    lengths = [[float(rect.get(name, 0)) for name in ("x", "y", "width", "height")] for rect in rects]
    return [Area("", x, y, x + wide, y + high) for x, y, wide, high in lengths]


@pytest.mark.parametrize("kind", ["box", "def"])
def test_no_boxes_overlap(kind: str) -> None:
    found = bodies(render("svg", made(400, 120), ALL), kind)
    assert len(found) > 1
    assert not any(a.meets(b) for a, b in combinations(found, 2))


def test_large_projects_are_drawn_by_package() -> None:
    told = made(400, 3)
    boxes = list(grouped(told, ALL).boxes())
    assert len(boxes) <= MOST
    assert sum(len(box.nodes) for box in boxes) == 400
    assert len(list(grouped(told, Opening(0)).boxes())) == 1
    assert len(list(grouped(told, Opening(1)).boxes())) == 7
    assert len(list(grouped(told, Opening(9)).boxes())) == 400


def test_the_outermost_package_is_always_opened() -> None:
    told = made(90, 3, "one.package.module{2}")
    assert len(list(grouped(told, ALL).boxes())) == 90


def test_of_many_definitions_those_with_most_places_are_drawn() -> None:
    told = made(60, 90)
    busy = node("a.busy", *(site(Pattern.SCOPE, "app.db:opener_89", row=row) for row in range(50)))
    svg = render("svg", replace(told, modules=(busy, *told.modules)), ALL)
    assert 'data-definition="app.db:opener_89"' in svg
    assert len(bodies(svg, "def")) == DEFINITIONS + 1
    assert "50 more definitions, with fewer places" in svg


def test_a_package_and_its_own_module_are_two_boxes() -> None:
    told = SessionMap((node("a.b", site(Pattern.SCOPE, "")), node("a.b.c", site(Pattern.SCOPE, ""))), (), (), 2)
    assert [(box.name, box.module) for box in grouped(told, ALL).boxes()] == [("a.b", True), ("a.b.c", True)]
    assert "b (itself)" in render("svg", told, ALL)


def test_modules_of_one_name_end_no_run() -> None:
    twins = (node("a.b", site(Pattern.SCOPE, "")), node("a.b", site(Pattern.MANUAL, "")))
    assert [len(box.nodes) for box in grouped(SessionMap(twins, (), (), 2), ALL).boxes()] == [2]


@pytest.mark.parametrize("form", FORMATS)
def test_the_same_map_gives_the_same_text(form: str) -> None:
    assert render(form, made(60, 9), ALL) == render(form, made(60, 9), ALL)


def hostile() -> SessionMap:
    through = f"{HOSTILE}:{HOSTILE}"
    one = Node(HOSTILE, HOSTILE, (Site(1, HOSTILE, Pattern.MANUAL, HOSTILE, through, "closed"),), (), 0, test=False)
    told = Definition(through, HOSTILE, HOSTILE, HOSTILE, 1, "factory", HOSTILE)
    way = ((f"{HOSTILE}:{HOSTILE}", 1),)
    entry = Entrance(HOSTILE, HOSTILE, HOSTILE, 1, way, through, request=False, ending="closed")
    return SessionMap((one,), (told,), (entry,), 1)


def test_hostile_names_stay_text() -> None:
    svg = render("svg", hostile(), ALL)
    parsed(svg)
    page = render("html", hostile(), ALL)
    assert "<b>&" not in page
    assert page.count("</script>") == 2
    page.encode()  # no half of a character is left
    assert json.loads(render("json", hostile(), ALL))["modules"][0]["name"] == HOSTILE
    assert "\x00" not in render("text", hostile(), ALL)


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")
@pytest.mark.parametrize("told", [hostile(), made(60, 9), SessionMap((), (), (), 0)], ids=["hostile", "many", "empty"])
def test_graphviz_reads_its_graph(told: SessionMap) -> None:
    done = subprocess.run(["dot", "-Tplain"], input=render("dot", told, ALL).encode(), capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


def test_an_empty_map_says_so() -> None:
    empty = SessionMap((), (), (), 3)
    assert render("text", empty, ALL) == "No session is opened in 3 files\n"
    assert "No session is opened" in render("svg", empty, ALL)
    assert "0 modules with sessions" in render("html", empty, ALL)
    assert json.loads(render("json", empty, ALL))["modules"] == []


def test_a_text_is_cut_in_its_middle() -> None:
    assert cut("short", 5) == "short"
    assert cut("a_rather_long_name", 9) == "a_ra…ame"
    assert columns(cut("とても長い名前のモジュール", 11)) <= 11


def test_the_text_tells_what_the_picture_shows(shop: SessionMap) -> None:
    assert render("text", shop, ALL) == TEXT


TEXT = """\
M  opened and closed by hand: 3 places in 2 modules
S  scope: a with, or a decorator: 4 places in 3 modules
G  the global session (singleton): 1 place in 1 module
R  request: a framework keeps it: 2 places in 1 module
≠  mixes patterns: 1
▸  an entry that reaches the global session: 2
!  leaves a session open on some way: 2

  shop.db              S1 hands 3 on
  shop.nightly         ▸1
  shop.orders.api      R2
  shop.orders.store    M2 S2 ≠ !1
  shop.report          G1 ▸1 !1
  tests.test_shop      M1 S1

what they go through
  shop.db:SessionLocal   factory     6 places
  shop.db:work           scope       3 places
  shop.db:close_current  closer      1 place
  shop.db:current        singleton   1 place
  shop.db:get_db         dependency  1 place
  shop.db:registry       registry    1 place
  shop.db:transactional  decorator   1 place

2 ways from an entry to the global session
  shop.nightly:nightly → shop.report:rows → current(): left open
  shop.report → main → rows → current(): closed
"""


def test_the_json_has_the_documented_shape(shop: SessionMap) -> None:
    told = json.loads(render("json", shop, ALL))
    assert list(told) == ["version", "checked", "modules", "definitions", "entries"]
    api = next(one for one in told["modules"] if one["name"] == "shop.orders.api")
    assert api == {
        "name": "shop.orders.api",
        "filename": "shop/orders/api.py",
        "patterns": {"request": 2},
        "mixed": False,
        "test": False,
        "given": 1,
        "sites": [
            {
                "row": 6,
                "symbol": "orders",
                "pattern": "request",
                "text": "db: Depends(get_db)",
                "through": "shop.db:get_db",
                "ending": "closed by its owner",
                "open": False,
            },
            {
                "row": 11,
                "symbol": "kept",
                "pattern": "request",
                "text": "registry",
                "through": "shop.db:registry",
                "ending": "closed by its owner",
                "open": False,
            },
        ],
        "closes": [],
    }
