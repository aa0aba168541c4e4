"""What a terminal understands beside text: colours, links, and the characters that frames are drawn with."""

from __future__ import annotations

from functools import cached_property

from session_lint.report.run import Look
from session_lint.values import dataclass

_CODES = {
    "error": "1;31",
    "warning": "1;33",
    "style": "1;36",
    "step": "1;34",
    "help": "1;32",
    "code": "36",
    "added": "32",
    "removed": "31",
    "bold": "1",
    "dim": "2",
}


@dataclass(frozen=True)
class Glyphs:
    """The characters that frames are drawn with.

    :param bar: between a line's number and the line.
    :param gap: in the place of the bar where lines are left out.
    :param under: under what a step is about. What a finding is about has carets in any case.
    :param cut: where a line goes on that is too long.
    :param head: before the place of a frame in another file.
    """

    bar: str
    gap: str
    under: str
    cut: str
    head: str


DRAWN = Glyphs("│", "⋮", "─", "…", " ╭─")
ASCII = Glyphs("|", ":", "-", "...", "-->")


@dataclass(frozen=True)
class Paint:
    """Dresses a text as a :class:`Look` allows."""

    look: Look

    def __call__(self, text: str, style: str) -> str:
        """A text in a style: ``error``, ``dim`` or another word of the table above."""
        return f"\x1b[{_CODES[style]}m{text}\x1b[0m" if self.look.colour and text else text

    def link(self, text: str, url: str) -> str:
        """A text that leads somewhere."""
        return f"\x1b]8;;{url}\x1b\\{text}\x1b]8;;\x1b\\" if self.look.links and url else text

    @cached_property
    def glyphs(self) -> Glyphs:
        """Lines where the output's encoding has them, else what ASCII has for them."""
        try:
            "".join(vars(DRAWN).values()).encode(self.look.encoding)
        except (UnicodeEncodeError, LookupError):
            return ASCII
        return DRAWN


PLAIN = Paint(Look())
