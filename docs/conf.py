"""How Sphinx builds the documentation."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from rule_pages import write_pages  # noqa: E402  # it stands beside this file

from session_lint import __version__  # noqa: E402

if TYPE_CHECKING:
    from sphinx.application import Sphinx

project = "session-lint"
author = "the session-lint authors"
release = __version__
extensions = ["myst_parser"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]
html_extra_path = ["../session_lint/schema.json"]  # where editors look for it
html_theme = "furo"
html_show_copyright = False
html_title = f"session-lint {release}"


def setup(app: Sphinx) -> None:
    """Write the pages of the rules before Sphinx looks which pages there are."""
    app.connect("builder-inited", lambda _app: write_pages(HERE / "rules"))
