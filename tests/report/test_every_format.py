"""What holds for every format, whatever is found in whatever file."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import unquote_to_bytes
from xml.etree import ElementTree as ET

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from session_lint.finding import Finding, Location, Severity, Step
from session_lint.report import FORMATS, render
from session_lint.report.junit import _said as _xml
from session_lint.report.plain import one_line, sayable
from session_lint.report.run import Run
from tests.report.readers import command

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ODD = "ab %#?&,:;=|<>[](){}'\"`*_~\\$@!é\U0001d4ae\u3042\udc80\udcff\x07\x1b\x7f\x85\u2028\ufffe\n\r\t"
NAMES = st.text(ODD.replace("\\", ""), min_size=1, max_size=8).filter(lambda name: not name.startswith("<"))
"""Parts of names as POSIX has them: any byte but two; what is no UTF-8 comes as the second half of a surrogate pair."""
FILENAMES = st.lists(NAMES, min_size=1, max_size=3).map("/".join).map(lambda name: f"{name}.py")
TEXTS = st.text(ODD + "\x00", max_size=12) | st.text(max_size=12)
LOCATIONS = st.builds(Location, st.integers(1, 10**6), st.integers(1, 300))
RULES = st.sampled_from(
    [("SES101", "session-not-closed"), ("SES301", "commit-in-scope"), ("SES900", "file-not-analysed")]
)


@st.composite
def findings(draw: st.DrawFn) -> Finding:
    """A finding with odd names, texts and places."""
    code, name = draw(RULES)
    start = draw(LOCATIONS)
    end = max(start, draw(LOCATIONS))
    steps = draw(st.lists(st.builds(Step, FILENAMES, LOCATIONS, TEXTS), max_size=3))
    return Finding(
        code, name, draw(TEXTS), draw(FILENAMES), start, end, draw(TEXTS), draw(st.sampled_from(Severity)), tuple(steps)
    )


Told = tuple[str, int, str]
"""A file, a row, a message, each as the format can say it."""


def _json(text: str) -> list[Told]:
    here = f"{Path.cwd()}{os.sep}"
    return [_entry(entry, here) for entry in json.loads(text)]


def _json_lines(text: str) -> list[Told]:
    here = f"{Path.cwd()}{os.sep}"
    return [_entry(json.loads(line), here) for line in text.split("\n")[:-1]]


def _entry(entry: dict[str, Any], here: str) -> Told:
    return entry["filename"].removeprefix(here), entry["location"]["row"], entry["message"]


def _sarif(text: str) -> list[Told]:
    told = []
    for result in json.loads(text)["runs"][0]["results"]:
        place = result["locations"][0]["physicalLocation"]
        filename = os.fsdecode(unquote_to_bytes(place["artifactLocation"]["uri"])).removeprefix("service/")
        told.append((filename, place["region"]["startLine"], result["message"]["text"]))
    return told


def _gitlab(text: str) -> list[Told]:
    issues = json.loads(text)
    assert len({issue["fingerprint"] for issue in issues}) == len(issues)
    return [_issue(issue["location"], issue["description"]) for issue in issues]


def _issue(location: dict[str, Any], description: str) -> Told:
    return location["path"].removeprefix("service/"), location["lines"]["begin"], description.partition(" ")[2]


def _github(text: str) -> list[Told]:
    told = []
    for line in text.split("\n")[:-1]:
        _, properties, data = command(line)
        told.append((properties["file"].removeprefix("service/"), int(properties["line"]), data))
    return told


def _junit(text: str) -> list[Told]:
    cases = list(ET.fromstring(text).iter("testcase"))  # noqa: S314  # our own
    assert len({(case.attrib["classname"], case.attrib["name"]) for case in cases}) == len(cases)
    return [
        (case.attrib["file"].removeprefix("service/"), int(case.attrib["line"]), case[0].attrib["message"])
        for case in cases
        if len(case)
    ]


def _rdjson(text: str) -> list[Told]:
    return [
        (found["location"]["path"], found["location"]["range"]["start"]["line"], found["message"])
        for found in json.loads(text)["diagnostics"]
    ]


def _pylint(text: str) -> list[Told]:
    matches = [
        re.fullmatch(r"(.*?\.py):(\d+): \[SES\d{3}\([a-z-]+\), .*?\] (.*)", line) for line in text.split("\n")[:-1]
    ]
    return [(match[1], int(match[2]), match[3]) for match in matches if match]


Reader: TypeAlias = "tuple[Callable[[str], list[Told]], Callable[[str], str], Callable[[str], str]]"


def _same(text: str) -> str:
    return text


READERS: dict[str, Reader] = {
    "json": (_json, _same, _same),
    "json-lines": (_json_lines, _same, _same),
    "sarif": (_sarif, _same, sayable),
    "gitlab": (_gitlab, sayable, sayable),
    "github": (_github, sayable, sayable),
    "junit": (_junit, _xml, _xml),
    "rdjson": (_rdjson, sayable, sayable),
    "pylint": (_pylint, one_line, one_line),
}
"""How a format is read, and how it says names of files and texts."""


QUICK = settings(
    max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@QUICK
@given(found=st.lists(findings(), max_size=3))
def test_it_can_be_read_again(found: Sequence[Finding]) -> None:
    """Each finding is there with its file, its row and its message; what follows the message is the way."""
    for form, (read, name, text) in READERS.items():
        told = read(render(form, Run(found, len(found), lambda _: None)))
        assert [(filename, row) for filename, row, _ in told] == [(name(f.filename), f.location.row) for f in found]
        for finding, (_, _, message) in zip(found, told, strict=True):
            expected = text(finding.message)
            assert (message if not finding.trace else message[: len(expected)]) == expected


@QUICK
@given(found=st.lists(findings(), max_size=2))
def test_it_says_the_same_each_time(found: Sequence[Finding]) -> None:
    """What it says ends in a line end, or is nothing, and is text that any file can hold."""
    run = Run(found, len(found), lambda _: None)
    for form in READERS.keys() | {"markdown"}:
        text = render(form, run)
        assert (render(form, run), text[-1:]) in {(text, "\n"), (text, "")}
        assert text.encode().decode() == text


def test_every_format_is_read_here() -> None:
    """Beside those for people."""
    assert set(FORMATS) - READERS.keys() == {"full", "concise", "markdown", "html"}
