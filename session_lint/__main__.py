"""``python -m session_lint`` is the command ``session-lint``."""

from session_lint.cli import main

if __name__ == "__main__":
    main()
