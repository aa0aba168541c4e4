"""Where a project asks for an SQLAlchemy below 1.4, no `with` is written that its sessions have not."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from session_lint.engine import forget, lint_source
from session_lint.settings import Settings
from session_lint.source import Source

if TYPE_CHECKING:
    from session_lint.finding import Finding

MADE = "from sqlalchemy.orm import sessionmaker\n\nS = sessionmaker()\n\n\n"
LEAK = "def f(x):\n    s = S()\n    s.execute(x)\n"
SCOPE = (
    "from contextlib import contextmanager\n"
    f"{MADE}@contextmanager\ndef work():\n    s = S()\n    try:\n        yield s\n        s.commit()\n"
    "    except Exception:\n        s.rollback()\n        raise\n    finally:\n        s.close()\n\n\n"
)
OLD = {
    "pinned": ("requirements.txt", "flask==1.0\nSQLAlchemy==1.3.24\n"),
    "below": ("setup.py", "setup(install_requires=['flask', 'sqlalchemy[asyncio] >= 1.2, <1.4'])\n"),
    "below, in full": ("setup.cfg", "[options]\ninstall_requires =\n    sqlalchemy<1.4.0b1\n"),
    "compatible": ("pyproject.toml", "[project]\ndependencies = ['sqlalchemy~=1.3.0']\n"),
    "any of a series": ("requirements.txt", "sqlalchemy==1.3.*\n"),
    "poetry's tilde": ("pyproject.toml", "[tool.poetry.dependencies]\nsqlalchemy = '~1.3'\n"),
    "poetry's table": ("pyproject.toml", "[tool.poetry.dependencies]\nSQLAlchemy = {version = '~1.3', extras = []}\n"),
    "Pipfile": ("Pipfile", "[packages]\nsqlalchemy = '==1.3.0'\n"),
}
NEW = {
    "nothing": ("requirements.txt", "flask\n"),
    "a lower bound": ("requirements.txt", "sqlalchemy>=1.3\n"),
    "two series": ("setup.py", "setup(install_requires=['sqlalchemy>=1.3,<2.0'])\n"),
    "below 2": ("requirements.txt", "sqlalchemy<2\n"),
    "compatible": ("pyproject.toml", "[project]\ndependencies = ['sqlalchemy~=1.3']\n"),
    "pinned": ("requirements.txt", "sqlalchemy==1.4.0\n"),
    "below a bug": ("requirements.txt", "sqlalchemy<1.4.5\n"),
    "any of 1": ("requirements.txt", "sqlalchemy==1.*\n"),
    "another package": ("requirements.txt", "flask-sqlalchemy<1.4\nsqlalchemy-utils==0.3\n"),
    "a comment": ("requirements.txt", "# sqlalchemy<1.4 once\nsqlalchemy\n"),
    "for an old Python": ("requirements.txt", "sqlalchemy<1.4; python_version < '3'\nsqlalchemy\n"),
    "poetry's caret": ("pyproject.toml", "[tool.poetry.dependencies]\nsqlalchemy = '^1.3'\n"),
    "either": ("pyproject.toml", "[tool.poetry.dependencies]\nsqlalchemy = '~1.3 || ~1.4'\n"),
}


def found(manifest: str, said: str, text: str, code: str = "SES101") -> list[Finding]:
    """What is found in a file of the project in this folder that says what it needs."""
    for name, content in {"pyproject.toml": "", manifest: said, "jobs.py": text}.items():
        Path(name).write_text(content)
    forget()
    return lint_source(Source("jobs.py", text), Settings(cache=False, select=(code,)))


@pytest.mark.parametrize(("manifest", "said"), OLD.values(), ids=OLD)
def test_no_with_for_an_old_version(manifest: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason says which file asks for it."""
    monkeypatch.chdir(tmp_path)
    (finding,) = found(manifest, said, MADE + LEAK)
    assert finding.fix is None
    assert finding.refusal == f"{manifest} asks for an SQLAlchemy below 1.4, whose sessions have no `with`"


@pytest.mark.parametrize(("manifest", "said"), NEW.values(), ids=NEW)
def test_a_with_for_others(manifest: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing says that the version is old."""
    monkeypatch.chdir(tmp_path)
    (finding,) = found(manifest, said, MADE + LEAK)
    assert finding.fix is not None


def test_a_scope_of_the_projects_own_needs_no_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has a `with` of its own; `begin()` came with 1.4, too."""
    monkeypatch.chdir(tmp_path)
    body = "def f():\n    s = S()\n    try:\n        s.add(1)\n        s.commit()\n    finally:\n        s.close()\n"
    assert found("requirements.txt", "sqlalchemy<1.4\n", MADE + body, "SES104") == []
    (finding,) = found("requirements.txt", "sqlalchemy<1.4\n", SCOPE + body, "SES104")
    assert finding.fix is not None
    assert found("requirements.txt", "sqlalchemy\n", MADE + body, "SES104")[0].fix is not None
