"""The HTML report in a browser: it filters, opens, prints and fits, and nothing goes wrong in it."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest

from session_lint.report.html import report
from tests.report.browser import BINARY, Browser
from tests.report.pages import SHOP, run_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(BINARY is None, reason="needs Chromium: apt-get install chromium, or Chrome")

SHOWN = "[...document.querySelectorAll('.finding:not([hidden])')].map((f) => f.dataset.rule + ' ' + f.dataset.file)"
NARROW = {"width": 390, "height": 800, "deviceScaleFactor": 1, "mobile": True}
LATER = "new Promise((done) => requestAnimationFrame(() => setTimeout(done)))"


@pytest.fixture(name="browser", scope="module")
def _browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    browser = Browser(tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()


@pytest.fixture(name="url", scope="module")
def _url(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("page") / "report.html"
    texts = {"shop.py": SHOP, "api/far away's & café.py": SHOP.replace("def save", "def keep")}
    path.write_text(report(run_of(texts)), "utf-8")
    return path.as_uri()


@pytest.fixture(autouse=True)
def _silent(browser: Browser) -> Iterator[None]:
    """Nothing is written to the console, and no policy is hurt."""
    yield
    assert browser.complaints == []


BOTH = ["shop.py", "api/far away's & café.py"]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("", [f"SES101 {name}" for name in BOTH] + [f"SES102 {name}" for name in BOTH]),
        ("#rule=SES101&q=shop", ["SES101 shop.py"]),
        ("#q=KEEP%20line%2020", ["SES102 api/far away's & café.py"]),
        ("#q=caught+here", [f"SES102 {name}" for name in BOTH]),
        (
            "#file=api%2Ffar+away%27s+%26+caf%C3%A9.py&severity=error",
            [f"{code} {BOTH[1]}" for code in ("SES101", "SES102")],
        ),
        ("#severity=error&q=nowhere", []),
        ("#fix=none", []),
        ("#fix=safe&rule=SES101&group=file", [f"SES101 {name}" for name in sorted(BOTH)]),
        ("#fix=unsafe&rule=SES102&group=file", [f"SES102 {name}" for name in sorted(BOTH)]),
        ("#rule=SES999", [f"SES101 {name}" for name in BOTH] + [f"SES102 {name}" for name in BOTH]),
    ],
)
def test_the_address_filters(browser: Browser, url: str, asked: str, expected: list[str]) -> None:
    """By rule, severity, file, fix and words that all have to be there; what is unknown filters nothing."""
    browser.open(url + asked)
    assert browser.run(SHOWN) == expected
    assert browser.run("document.getElementById('nothing').hidden") == bool(expected)


def test_typing_filters_and_changes_the_address(browser: Browser, url: str) -> None:
    """A slash goes to the search; Escape empties it."""
    browser.open(url)
    for key in "/caught":
        browser.press(key)
    assert browser.run("document.activeElement.id") == "q"
    assert browser.run("[location.hash, document.getElementById('count').value]") == ["#q=caught", "2 of 4 shown"]
    browser.press("Escape")
    assert browser.run("[location.hash, document.getElementById('count').value]") == ["", "4 shown"]


def test_clearing_shows_everything(browser: Browser, url: str) -> None:
    """The button that stands where nothing matches."""
    browser.open(f"{url}#q=nowhere&rule=SES101&group=file")
    assert browser.run(f"{SHOWN}.length") == 0
    browser.run("document.getElementById('clear').click()")
    assert browser.run(f"[{SHOWN}.length, location.hash]") == [4, ""]


def test_a_group_is_a_rule_or_a_file(browser: Browser, url: str) -> None:
    """Each with how many of its findings are shown; going back restores the order."""
    heads = "[...document.querySelectorAll('.group:not([hidden]) h3')].map((h) => h.innerText.replace(/\\s+/g, ' '))"
    browser.open(url)
    by_rule = browser.run(heads)
    assert [head[:6] + head[-2:] for head in by_rule] == ["SES101 2", "SES102 2"]
    browser.run("document.querySelector('[name=group][value=file]').click()")
    assert browser.run(heads) == ["api/far away's & café.py 2", "shop.py 2"]
    browser.run("document.querySelector('[name=group][value=rule]').click()")
    assert browser.run(heads) == by_rule
    assert browser.run(SHOWN) == [f"SES101 {name}" for name in BOTH] + [f"SES102 {name}" for name in BOTH]


def test_a_finding_is_filled_when_it_is_opened(browser: Browser, url: str) -> None:
    """By the keyboard; its graph is there then, and its markup has become elements."""
    browser.open(url)
    assert browser.run("document.querySelectorAll('.body').length") == 0
    browser.run("document.querySelector('.finding summary').focus()")
    browser.ask(
        "Input.dispatchKeyEvent", type="keyDown", key="Enter", code="Enter", text="\r", windowsVirtualKeyCode=13
    )
    browser.run(LATER)
    assert browser.run("document.querySelector('.finding details').open") is True
    assert browser.run("[...document.querySelectorAll('.body .steps li')].length") == 2
    assert browser.run("document.querySelector('.body svg .start').getBoundingClientRect().width > 20") is True


def test_a_link_leads_to_a_finding(browser: Browser, url: str) -> None:
    """It opens it and goes there, past a filter that hides it."""
    browser.open(f"{url}#rule=SES101")
    mark = browser.run("document.querySelector('.finding[data-rule=SES102]').id")
    browser.run(f"location.hash = {mark!r}")
    browser.run(LATER)
    assert browser.run(
        "[document.activeElement.closest('.finding').id, document.activeElement.parentElement.open]"
    ) == [
        mark,
        True,
    ]
    browser.open(f"{url}#{mark}")
    assert browser.run("document.querySelector('details[open]').parentElement.id") == mark


def test_it_fits_a_phone_and_a_page(browser: Browser, url: str) -> None:
    """With everything open nothing is wider than the window, in neither theme; wide parts scroll in themselves."""
    browser.open(url)
    browser.run("document.getElementById('open').click()")
    for theme in ("light", "dark"):
        browser.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": theme}])
        browser.ask("Emulation.setDeviceMetricsOverride", **NARROW)
        browser.run(LATER)
        assert browser.run("document.documentElement.scrollWidth") == 390
        ground = browser.run("getComputedStyle(document.body).backgroundColor")
        assert ground == {"light": "rgb(255, 255, 255)", "dark": "rgb(20, 23, 28)"}[theme]
    browser.run("theme.value = 'light', theme.dispatchEvent(new Event('change'))")
    assert browser.run("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    browser.ask("Emulation.clearDeviceMetricsOverride")
    browser.ask("Emulation.setEmulatedMedia", features=[])
    browser.run("localStorage.clear()")


def test_no_line_of_a_graph_is_written_over_its_box(browser: Browser, url: str) -> None:
    """Text stays inside of its box, boxes do not overlap, and labels do not overlap boxes."""
    browser.open(url)
    browser.run("document.getElementById('open').click()")
    browser.run(LATER)
    overlaps = """[...document.querySelectorAll('.graph svg')].flatMap((svg) => {
        const [of, boxes] = [(e) => e.getBoundingClientRect(), [...svg.querySelectorAll('rect')]];
        const besides = (a, b) => a.right <= b.left + 1 || b.right <= a.left + 1;
        const apart = (a, b) => besides(a, b) || a.bottom <= b.top + 1 || b.bottom <= a.top + 1;
        const wrong = boxes.filter((a, i) => boxes.some((b, j) => i < j && !apart(of(a), of(b))));
        const texts = [...svg.querySelectorAll('g text')];
        const out = texts.filter((t) => of(t).right > of(t.parentElement.querySelector('rect')).right);
        const labels = [...svg.querySelectorAll('.l')].filter((l) => boxes.some((b) => !apart(of(l), of(b))));
        return [...wrong.map((b) => b.parentElement), ...out, ...labels].map((e) => e.textContent);
    })"""
    assert browser.run("document.querySelectorAll('.graph rect').length") > 20
    assert browser.run(overlaps) == []


def test_printing_opens_what_is_shown(browser: Browser, url: str, tmp_path: Path) -> None:
    """The print has all findings that the filter lets through, and the screen is as before afterwards."""
    sizes = []
    for asked in ("", "#rule=SES101&q=shop"):
        browser.open(url + asked)
        sizes.append(len(base64.b64decode(browser.ask("Page.printToPDF")["data"])))
        browser.run(LATER)
        assert browser.run("document.querySelectorAll('details[open]').length") == 0
        assert browser.run("document.querySelectorAll('.body').length") == (4 if not asked else 1)
    assert sizes[0] > 1.5 * sizes[1]
