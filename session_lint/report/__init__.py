"""Reports: one module a format, each with a function from a :class:`~session_lint.report.run.Run` to text.

A format is called as its module is, with hyphens. :data:`FORMATS` lists them; a module is imported when its format is
asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from session_lint.report.run import Run

FORMATS = (
    "full",
    "concise",
    "json",
    "json-lines",
    "github",
    "gitlab",
    "sarif",
    "junit",
    "rdjson",
    "pylint",
    "markdown",
    "html",
)


def reporter(form: str) -> Callable[[Run], str]:
    """The function that makes a report in one of :data:`FORMATS`.

    :raises UserError: where the format needs a library that is not installed.
    """
    found: Callable[[Run], str] = import_module(f"{__name__}.{form.replace('-', '_')}").report
    return found


def render(form: str, run: Run) -> str:
    """A run's report in one of :data:`FORMATS`."""
    return reporter(form)(run)
