"""What commands print that every start pays for: ``click.echo``, without click where that would change nothing."""

from __future__ import annotations

import os
import sys

_TAKES_ALL = ("utf-8", "UTF-8")


def say(text: str, *, nl: bool = True, err: bool = False, color: bool | None = None) -> None:
    """Print a text as ``click.echo`` does.

    What click changes is left to it: escape sequences, what an ASCII stream cannot say, and a console of Windows.
    """
    stream = sys.stderr if err else sys.stdout
    plain = "\x1b" not in text or color
    if plain and os.name == "posix" and (text.isascii() or stream.encoding in _TAKES_ALL):
        stream.write(f"{text}\n" if nl else text)
        stream.flush()
        return
    import click  # noqa: PLC0415  (see above)

    click.echo(text, nl=nl, err=err, color=color)
