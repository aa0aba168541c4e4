"""``python -m session_lint`` and the script ``session-lint``: the command, and at once the version.

Editors and hooks ask for that each time: it shall not cost a command line's imports.
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
        from session_lint.cli import main as command  # noqa: PLC0415
    except KeyboardInterrupt:
        sys.exit(130)
    command()


def script() -> None:
    """The same as a process of its own, which ends with it."""
    try:
        main()
    except SystemExit as end:
        if "session_lint.cli.checking" in sys.modules and not isinstance(end.code, str):  # `check` has read files
            from session_lint.collecting import leave  # noqa: PLC0415  (others have little to free)

            leave(end.code or 0)
        raise


if __name__ == "__main__":
    script()
