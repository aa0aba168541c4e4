"""The report for people who look through a code base: one page in one file, which needs no network.

The words of the page are in ``templates/``; everything that is put between them is escaped there, by jinja2.
"""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files
from typing import TYPE_CHECKING

from session_lint.errors import UserError
from session_lint.report.concise import line_of, spot
from session_lint.report.html.entry import entries
from session_lint.report.html.summary import summary

try:
    import jinja2
except ImportError:
    raise UserError("the HTML report needs jinja2: pip install 'session-lint[html]'") from None

if TYPE_CHECKING:
    from session_lint.report.run import Run


def report(run: Run) -> str:
    """All findings on one page of HTML, with their ways and graphs."""
    environment = _environment()
    found = entries(run)
    style, script = _part("report.css"), _part("report.js")
    return environment.from_string(_part("report.html")).render(
        **summary(run, found),
        entries=found,
        style=style,
        style_hash=_digest(style),
        script=script,
        script_hash=_digest(script),
    )


def _environment() -> jinja2.Environment:
    made = jinja2.Environment(
        autoescape=True, finalize=_readable, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    made.filters |= {"line_of": line_of, "readable": _readable, "spot": spot, "ticked": _ticked}
    return made


def _ticked(text: str) -> str:
    """A message in which what stands between backticks is code."""
    from markupsafe import Markup, escape  # noqa: PLC0415  # comes with jinja2

    pieces = [str(escape(_readable(piece))) for piece in text.split("`")]
    if len(pieces) % 2 == 0:  # one is left over
        pieces[-2:] = ["`".join(pieces[-2:])]
    return Markup("".join(f"<code>{p}</code>" if n % 2 else p for n, p in enumerate(pieces)))  # noqa: S704  # escaped


def _readable(value: object) -> object:
    """A text in which nothing is hidden: no character that moves, turns or ends those around it."""
    if type(value) is not str or value.isprintable():
        return value
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in value)


def _part(name: str) -> str:
    return files(__package__).joinpath("templates", name).read_text("utf-8")


def _digest(text: str) -> str:
    """What the page's content security policy knows a part by."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
