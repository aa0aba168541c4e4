"""The page in a real browser: it asks for nothing, says nothing wrong, and answers to clicks and keys."""

from __future__ import annotations

import re
import shutil
import subprocess
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest

from session_lint.report.map import render
from session_lint.report.map.groups import Opening
from tests.map.projects import SHOP, mapped, put

if TYPE_CHECKING:
    from pathlib import Path

BROWSER = next((name for name in ("chromium", "chromium-browser", "google-chrome") if shutil.which(name)), None)
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --enable-logging=stderr --dump-dom"
).split()
DRIVE = """
<script>
const tell = (name, value) => document.body.setAttribute(`data-$${name}`, value);
const shown = () => [...document.querySelectorAll(".module:not([hidden])")].map((one) => one.dataset.name).join(" ");
const key = (target, name) => target.dispatchEvent(new KeyboardEvent("keydown", { key: name, bubbles: true }));
tell("first", shown());
key(document.querySelector('.box[data-box="shop.report"]'), "Enter");
tell("entered", shown());
tell("open", document.querySelector('.module[data-name="shop.report"] details').open);
tell("picked", document.querySelector(".box.picked").dataset.box);
const mark = document.querySelector('.def[data-definition="shop.db:registry"]');
mark.dispatchEvent(new MouseEvent("click", { bubbles: true }));
tell("clicked", shown());
key(document.body, "Escape");
const find = document.getElementById("find");
find.value = "close_current";
find.dispatchEvent(new Event("input"));
tell("found", shown());
tell("dim", [...document.querySelectorAll(".box:not(.dim)")].map((one) => one.dataset.box).join(" "));
const before = document.querySelector("#view svg").getAttribute("width");
key(document.body, "+");
tell("larger", Number(document.querySelector("#view svg").getAttribute("width")) > Number(before));
document.getElementById("theme").click();
tell("theme", document.documentElement.dataset.theme);
</script>
""".replace("$$", "$")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    told, _ = mapped(put(tmp_path_factory.mktemp("shop"), SHOP))
    return render("html", told, Opening())


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [f"{tag} {name}" for name, _ in attrs if name in ("src", "href", "srcset", "action")]


def test_the_page_needs_nothing_beside_it(page: str) -> None:
    links = _Links()
    links.feed(page)
    assert links.found == []
    assert "@import" not in page
    assert "url(" not in page


@pytest.mark.skipif(BROWSER is None, reason="Chromium is not installed")
def test_the_page_answers_to_keys_clicks_and_searches(page: str, tmp_path: Path) -> None:
    file = tmp_path / "map.html"
    file.write_text(page.replace("</body>", f"{DRIVE}</body>"), "utf-8")
    assert BROWSER is not None
    command = [BROWSER, *FLAGS, f"--user-data-dir={tmp_path / 'profile'}", file.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert re.findall(r"CONSOLE.*", done.stderr) == []
    body = re.search(r"<body[^>]*>", done.stdout)
    assert body is not None
    assert dict(re.findall(r'data-(\w+)="([^"]*)"', body[0])) == {
        "first": "shop.db shop.nightly shop.orders.api shop.orders.store shop.report tests.test_shop",
        "entered": "shop.report",
        "open": "true",
        "picked": "shop.report",
        "clicked": "shop.orders.api",
        "found": "shop.report",
        "dim": "shop.report",
        "larger": "true",
        "theme": "dark",
    }
