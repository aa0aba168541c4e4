"""Which edition of the tool this is: what was found by another one is not what this one finds.

An installed package has a list of its files with their digests, ``RECORD`` (PyPA, "Recording installed projects"), by
which the same edition is known on every machine. A source checkout has none; there it is how the files look.
"""

from __future__ import annotations

import os
import sys
from functools import cache

from session_lint import __version__
from session_lint.digests import blake2b

PACKAGE = os.path.dirname(__file__)  # noqa: PTH120  (some hundred objects of pathlib cost more than to look)
_CODE = (".py", ".toml")


@cache
def fingerprint() -> str:
    """The tool itself, in one word: its version, its sources and tables, and the Python that runs it.

    :raises OSError: where its files cannot be looked at.
    """
    said = "\0".join((__version__, sys.version, *(_recorded() or _looks())))
    return blake2b(said.encode(errors="surrogateescape"), digest_size=32).hexdigest()


def _recorded() -> list[str]:
    """What the list of an installation says of the sources; nothing where there is none."""
    home, package = os.path.split(PACKAGE)
    place = os.path.join(home, f"{package}-{__version__}.dist-info", "RECORD")  # noqa: PTH118  (as above)
    try:
        with open(place, encoding="utf-8") as record:  # noqa: PTH123
            lines = record.read().splitlines()
    except (OSError, UnicodeDecodeError):
        return []
    return sorted(line for line in lines if line.startswith(f"{package}/") and line.partition(",")[0].endswith(_CODE))


def _looks() -> list[str]:
    """How each of the sources and tables looks: its place, its size, and when it was written and changed."""
    found = [PACKAGE]
    todo = [("", PACKAGE)]
    while todo:
        front, folder = todo.pop()
        with os.scandir(folder) as entries:
            for entry in sorted(entries, key=lambda one: one.name):
                if entry.name.endswith(_CODE):
                    look = entry.stat()
                    found.append(f"{front}{entry.name} {look.st_size} {look.st_mtime_ns} {look.st_ctime_ns}")
                elif "." not in entry.name and entry.name != "__pycache__" and entry.is_dir():
                    todo.append((f"{front}{entry.name}/", entry.path))
    return found
