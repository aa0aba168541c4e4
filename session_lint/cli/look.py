"""How what is printed may look: colours, width and links, by the terminal and the user's wishes.

Colours: ``--color always`` or ``never`` before all. Then, as pytest has it, ``NO_COLOR`` before ``FORCE_COLOR``; each
counts where it is not empty. ``CLICOLOR_FORCE``, which ruff knows, forces, too, unless it is ``0``. Else a terminal has
colours, unless it says ``TERM=dumb``.

Links: ``FORCE_HYPERLINK`` (``0`` against them, anything else for them). Else a terminal gets them that is known to
understand OSC 8; in ``tmux`` and ``screen`` it is the multiplexer that would have to, and many do not.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, TextIO

from session_lint.report.run import Look

if TYPE_CHECKING:
    from collections.abc import Mapping

_PROGRAMS = frozenset("Hyper WezTerm ghostty iTerm.app rio tabby terminology vscode zed".split())
_TERMS = ("alacritty", "contour", "foot", "xterm-ghostty", "xterm-kitty")
_SIGNS = ("DOMTERM", "KONSOLE_VERSION", "WT_SESSION")  # variables that only such a terminal sets
_VTE = 5000  # GNOME Terminal and its kin, from 0.50


def look(color: str = "auto", stream: TextIO | None = None) -> Look:
    """What may be printed to a stream.

    :param color: ``auto``, ``always`` or ``never``.
    :param stream: standard output by default.
    """
    out = sys.stdout if stream is None else stream
    terminal = out.isatty()
    return Look(
        colour=_colour(color, os.environ, terminal=terminal),
        width=_width() if terminal else None,
        links=color != "never" and _links(os.environ, terminal=terminal),
        encoding=getattr(out, "encoding", None) or "ascii",
    )


def _width() -> int:
    from shutil import get_terminal_size  # noqa: PLC0415  (hooks have no terminal)

    return get_terminal_size().columns


def _colour(color: str, environment: Mapping[str, str], *, terminal: bool) -> bool:
    if color != "auto":
        return color == "always"
    if environment.get("NO_COLOR"):
        return False
    if environment.get("FORCE_COLOR") or environment.get("CLICOLOR_FORCE", "0") not in ("", "0"):
        return True
    return terminal and environment.get("TERM") != "dumb"


def _links(environment: Mapping[str, str], *, terminal: bool) -> bool:
    if environment.get("FORCE_HYPERLINK"):
        return environment["FORCE_HYPERLINK"] != "0"
    term = environment.get("TERM", "")
    if not terminal or term == "dumb" or "TMUX" in environment or term.startswith(("screen", "tmux")):
        return False
    vte = environment.get("VTE_VERSION", "")
    return (
        environment.get("TERM_PROGRAM") in _PROGRAMS
        or term in _TERMS
        or any(environment.get(sign) for sign in _SIGNS)
        or (vte.isdecimal() and int(vte) >= _VTE)
    )
