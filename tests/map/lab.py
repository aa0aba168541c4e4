"""The picture of ``examples/lab`` in the documentation; ``python -m tests.map.lab`` draws it anew."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from session_lint.report.map import render
from session_lint.report.map.groups import Opening
from tests.map.projects import mapped

ROOT = Path(__file__).resolve().parent.parent.parent
PICTURE = ROOT / "docs" / "_static" / "map-lab.svg"


def picture() -> str:
    """The lab with the reference module beside it, as it stands in a project of its own."""
    with tempfile.TemporaryDirectory() as folder:
        for source in (ROOT / "examples" / "lab", ROOT / "database"):
            shutil.copytree(source, Path(folder, source.name))
        Path(folder, "pyproject.toml").touch()
        told, failures = mapped(Path(folder, "lab"))
    assert failures == []
    return render("svg", told, Opening())


if __name__ == "__main__":
    PICTURE.write_text(picture(), "utf-8")
