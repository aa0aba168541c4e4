"""Which folder is the project of a file."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING

import pytest

from session_lint.python import layout

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("files", "path", "root"),
    [
        ([".git/HEAD", "pyproject.toml", "src/app/db.py"], "src/app/db.py", ""),
        ([".git/HEAD", "services/billing/pyproject.toml", "services/billing/db.py"], "services/billing/db.py", ""),
        (["pyproject.toml", "services/billing/setup.py", "services/billing/db.py"], "services/billing/db.py",
         "services/billing"),
        (["main.py", "app/routes/users.py"], "app/routes/users.py", "app/routes"),
        (["requirements.txt", "app/requirements.txt", "app/routes/users.py"], "app/routes/users.py", ""),
        (["alembic.ini", "app/setup.py", "app/routes/users.py"], "app/routes/users.py", "app"),
        (["app/__init__.py", "app/routes/__init__.py", "app/routes/users.py"], "app/routes/users.py", ""),
        (["main.py", ".hidden/users.py"], ".hidden/users.py", ".hidden"),
        (["pyproject.toml", "lib/site-packages/them/db.py"], "lib/site-packages/them/db.py", "lib/site-packages/them"),
    ],
)  # fmt: skip
def test_root(tmp_path: Path, files: list[str], path: str, root: str) -> None:
    """The repository, the nearest manifest, or the folders that hang together."""
    for name in files:
        file = tmp_path / "projects" / "one" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    assert layout.root_of(tmp_path / "projects" / "one" / path) == tmp_path / "projects" / "one" / root


@pytest.mark.parametrize(
    ("files", "root"),
    [
        ({"app/database.py": "", "app/routes/users.py": "from app.database import SessionLocal"}, ""),
        ({"app/database.py": "", "app/routes/users.py": "import app.database"}, ""),
        ({"app/database.py": "", "app/routes/users.py": "def f():\n    from app import (\n        database)"}, ""),
        ({"app/database.py": "", "app/routes/users.py": "def f():\n    from app import database"}, ""),
        ({"app/core/db.py": "", "app/api/routes/users.py": "from app.core.db import SessionLocal"}, ""),
        ({"app/routes/other.py": "from app.routes.users import f", "app/routes/users.py": ""}, ""),
        ({"src/db/session.py": "", "src/api/users.py": "from db.session import SessionLocal"}, "src"),
        # a module right above, or one that imports what is below it
        ({"app/db.py": "", "app/routes/users.py": "import os, db"}, "app"),
        ({"app/db.py": "", "app/routes/users.py": "from .. import db"}, "app"),
        ({"app/db.py": "", "app/api/v1/users.py": "from ...db import Session"}, "app"),
        ({"app/db.py": "", "app/api/v1/users.py": "def f():\n    from ...db import Session"}, "app"),
        ({"main.py": "from app import routes", "app/db.py": "", "app/routes/users.py": "from db import get"}, ""),
        ({"app/main.py": "from routes.users import f", "app/routes/users.py": ""}, "app"),
        ({"app/main.py": "from .routes.users import f", "app/routes/users.py": ""}, "app"),
        ({"app/db.py": "", "app/routes/users.py": "from pathlib import Path"}, "app/routes"),
        ({"config.py": "", "app/routes/admin/users.py": "from config import Session"}, ""),
        ({"config.py": "", "app/routes/admin/users.py": "import config as c"}, ""),
        ({"a/b/db.py": "", "a/c/d/e/f/g/users.py": "from a.b.db import Session"}, ""),
        ({"controllers/more.py": "from app.routes.users import f", "app/routes/users.py": ""}, ""),
        ({"controllers/a/more.py": "from app import routes", "app/routes/users.py": ""}, ""),
        ({"controllers/more.py": "from app.services import f", "app/routes/users.py": ""}, "app/routes"),
        ({"app/db.py": "", "app/routes/db.py": "", "app/routes/users.py": "import db"}, "app/routes"),
        # what is not there is imported from elsewhere
        ({"app/routes/users.py": "from app.database import SessionLocal"}, "app/routes"),
        ({"flask/shop/users.py": "from flask import Flask\nimport flask.views"}, "flask/shop"),
        # a folder of that name further down is what is meant
        ({"app/app/database.py": "", "app/database.py": "", "app/routes/users.py": "import app.database"}, "app"),
        # the standard library's
        ({"json/decoder.py": "", "json/routes/users.py": "import json.decoder"}, "json"),
    ],
)  # fmt: skip
def test_root_by_what_files_import_from_each_other(tmp_path: Path, files: dict[str, str], root: str) -> None:
    """Without any mark, and in folders that are no packages."""
    for name, text in files.items():
        file = tmp_path / "projects" / "one" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    (users,) = (tmp_path / "projects" / "one").rglob("users.py")
    assert layout.root_of(users) == tmp_path / "projects" / "one" / root


@pytest.mark.parametrize(
    "named", [{}, {"TMPDIR": "."}, {"TMPDIR": "missing", "TMP": "."}, {"TMPDIR": "file", "TEMP": "."}, {"TMP": ""}]
)
def test_the_folder_for_temporary_files_is_the_one_that_python_takes(
    tmp_path: Path, named: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch(0o755)
    for name in ("TMPDIR", "TEMP", "TMP"):
        monkeypatch.delenv(name, raising=False)
    for name, value in named.items():
        monkeypatch.setenv(name, value and str(tmp_path / value))
    monkeypatch.setattr(tempfile, "tempdir", None)
    assert tempfile.gettempdir() == layout.temporary()


@pytest.mark.parametrize("place", ["home", "temporary"])
def test_a_folder_of_everything_is_no_project(tmp_path: Path, place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Scripts in the home folder, or in the one for temporary files, make no project of what lies beside them."""
    folder = tmp_path / place
    for name in (".git/HEAD", "note.py", "one/main.py", "other/pyproject.toml", "other/app.py"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    layout.crowded.cache_clear()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr(layout, "temporary", lambda: str(tmp_path / "temporary"))
    try:
        assert layout.root_of(folder / "one" / "main.py") == folder / "one"
        assert layout.root_of(folder / "other" / "app.py") == folder / "other"
        assert layout.root_of(folder / "note.py") == folder
        assert layout.Layout(folder).files == (folder / "note.py",)
        assert layout.Layout(folder).others == ()
    finally:
        layout.crowded.cache_clear()
