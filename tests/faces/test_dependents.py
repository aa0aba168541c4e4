"""``check --dependents``: who imports what was named, in every way that there is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.faces.inside import said

if TYPE_CHECKING:
    from pathlib import Path

FILES = {
    "setup.py": "",
    "shop/__init__.py": "",
    "shop/db.py": "def open_session(): ...\n",
    "shop/plain.py": "import shop.db\n",
    "shop/named.py": "from shop import db\n",
    "shop/relative.py": "from .db import open_session\n",
    "shop/sub/__init__.py": "",
    "shop/sub/above.py": "def late():\n    from .. import db\n",
    "shop/indirect.py": "from shop.named import db\n",
    "shop/broken.py": "import shop.db\ndef f(:\n",
    "shop/stranger.py": "db = 'shop.db'\nimport other.db\n",
    "other/__init__.py": "",
    "other/db.py": "",
    "migrations/one.py": "import shop.db\n",
    "tests/test_db.py": "from shop.db import *\n",
}


@pytest.fixture(autouse=True)
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "pyproject.toml").write_text('[tool.session-lint]\nextend-exclude = ["migrations/"]\n')
    monkeypatch.chdir(tmp_path)


def listed(capsys: pytest.CaptureFixture[str], *paths: str) -> list[str]:
    """The files that a run would look at."""
    return said(capsys, "check", "--dependents", "--show-files", *paths).out.splitlines()


def test_importers_are_found_through_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    direct = [
        "shop/db.py",
        "shop/named.py",
        "shop/plain.py",
        "shop/relative.py",
        "shop/sub/above.py",
        "tests/test_db.py",
    ]
    assert sorted([*direct, "shop/indirect.py"]) == listed(capsys, "shop/db.py")


def test_a_file_that_nobody_imports_stands_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert ["shop/plain.py"] == listed(capsys, "shop/plain.py")
    assert ["other/db.py", "shop/stranger.py"] == listed(capsys, "other/db.py")


def test_a_package_is_imported_by_what_is_in_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert ["shop/indirect.py", "shop/named.py", "shop/sub/__init__.py", "shop/sub/above.py"] == [
        path
        for path in listed(capsys, "shop/__init__.py", "shop/sub/__init__.py")
        if "sub" in path or "named" in path or "indirect" in path
    ]
