"""``python -m session_lint`` and the script ``session-lint``: the command, and at once what is asked again and again.

Editors and hooks ask for the version each time, and for files that are as clean as they were: that shall not cost a
command line's imports.
"""

from __future__ import annotations

import sys

VERSION = (["--version"], ["-V"])


def main() -> None:
    """Run the command and exit."""
    if sys.argv[1:] in VERSION:
        from session_lint import __version__  # noqa: PLC0415  (see above)

        print(f"session-lint, version {__version__}")  # noqa: T201
        return
    try:
        if sys.argv[1:2] == ["check"] and sys.stdout is not None and _known_clean(sys.argv[1:]):
            return
        from session_lint.cli import main as command  # noqa: PLC0415
    except KeyboardInterrupt:
        sys.exit(130)
    command()


def _known_clean(arguments: list[str]) -> bool:
    """Whether there is nothing to tell of some files, which has then been said."""
    from session_lint.unchanged import said_of  # noqa: PLC0415  (see above)

    said = said_of(arguments)
    if said is None:
        return False
    try:
        sys.stdout.write(said)
        sys.stdout.flush()
    except OSError:  # the command knows what to say of that
        return False
    return True


if __name__ == "__main__":
    main()
