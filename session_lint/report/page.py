"""A page of Markdown as a terminal shows it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.report.paint import Paint

_INLINE = re.compile(r"`(?P<code>[^`]+)`|\[(?P<text>[^\]]+)\]\((?P<url>[^)\s]+)\)")


def page(text: str, paint: Paint) -> str:
    """A page with its headings, code and links dressed; where there are no colours, as it stands.

    Links are written out: a pager may not know what to do with them.
    """
    return "\n".join(_lines(text.split("\n"), paint)) if paint.look.colour else text


def _lines(lines: list[str], paint: Paint) -> Iterator[str]:
    fenced = False
    for line in lines:
        if line.startswith("```"):
            fenced = not fenced
        elif fenced:
            yield f"    {paint(line, 'code')}" if line else ""
        elif line.startswith("#"):
            yield paint(line.lstrip("#").strip(), "bold")
        else:
            yield _INLINE.sub(lambda found: _inline(found, paint), line)


def _inline(found: re.Match[str], paint: Paint) -> str:
    return paint(found["code"], "code") if found["code"] else f"{found['text']} ({found['url']})"
