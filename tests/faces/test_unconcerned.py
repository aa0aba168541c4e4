"""What is settled without the analysis is what the analysis says."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from session_lint import analysis, engine, signs
from session_lint.engine import FileReport, forget, lint_file
from session_lint.python.project import project_of
from session_lint.settings import Settings
from session_lint.vocabulary import Meaning, Role, Tables, builtin
from tests.faces.inside import CLEAN, LEAK

if TYPE_CHECKING:
    import ast

    from session_lint.analysis import ModuleFacts
    from session_lint.source import Source

ROOT = Path(__file__).parents[2]
PLAIN = "def double(number):\n    return number * 2\n"
OPENER = "from sqlalchemy.orm import Session\n\n\ndef opened():\n    return Session(1)\n"
MIDDLE = "from opener import opened\n\n\nclass Kept:\n    @property\n    def fresh(self):\n        return opened()\n"
USER = "def use(kept):\n    kept.fresh.execute(1)\n    return 1\n"
THROUGH = "from middle import Kept\n\n\ndef use():\n    s = Kept().fresh\n    s.execute(1)\n"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("pyproject.toml").touch()
    forget()


def written(**files: str) -> None:
    for name, text in files.items():
        Path(f"{name}.py").write_text(text)


def told(name: str, settings: Settings) -> FileReport:
    forget()
    return lint_file(Path(name), settings)


@pytest.fixture
def analysed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that the analysis is asked about."""
    asked: list[str] = []
    facts_of = engine.facts_of

    def noted(source: Source, settings: Settings, *rest: ast.Module | None) -> ModuleFacts:
        asked.append(source.filename)
        return facts_of(source, settings, *rest)

    monkeypatch.setattr(engine, "facts_of", noted)
    return asked


SETTINGS = [Settings(cache=False), Settings(), Settings(cache=False, whole_project=False)]


@pytest.mark.parametrize("settings", SETTINGS)
def test_a_file_without_words_of_sessions_is_not_analysed(settings: Settings, analysed: list[str]) -> None:
    written(plain=PLAIN, leak=LEAK, clean=CLEAN)
    assert [(), ()] == [told("plain.py", settings).findings for _ in range(2)]
    assert [] == analysed
    assert told("leak.py", settings).findings
    assert ["leak.py"] == analysed


@pytest.mark.parametrize("settings", SETTINGS)
def test_what_is_no_python_is_told(settings: Settings, analysed: list[str]) -> None:
    written(broken="def f(:\n")
    (found,) = told("broken.py", settings).findings
    assert ("SES900", []) == (found.code, analysed)


@pytest.mark.parametrize("settings", SETTINGS[:2])
def test_words_are_followed_through_files(settings: Settings, analysed: list[str]) -> None:
    written(opener=OPENER, middle=MIDDLE, through=THROUGH, plain=PLAIN)
    assert ["SES101"] == [found.code for found in told("through.py", settings).findings]
    assert () == told("plain.py", settings).findings
    assert ["through.py"] == analysed


@pytest.mark.parametrize("line", ["session.commit()", "session.rollback()", "db.flush()"])
def test_whoever_ends_a_session_is_analysed(line: str, analysed: list[str]) -> None:
    written(ender=f"def end(session, db):\n    {line}\n")
    told("ender.py", SETTINGS[0])
    assert ["ender.py"] == analysed


def test_the_users_own_words_count(analysed: list[str]) -> None:
    written(own="import acme\n\n\ndef use():\n    s = acme.fetch()\n    s.execute(1)\n")
    assert () == told("own.py", SETTINGS[0]).findings
    tables = Tables((("acme.fetch", Meaning(Role.FACTORY)),))
    (found,) = told("own.py", Settings(cache=False, vocabulary=tables)).findings
    assert ("SES101", ["own.py"]) == (found.code, analysed)


def test_what_was_settled_is_looked_at_again_when_there_are_more_words(analysed: list[str]) -> None:
    nothing = "def opened():\n    return 1\n"
    user = "from opener import opened\n\n\ndef use():\n    s = opened()\n    s.execute(1)\n"
    written(opener=nothing, user=user)
    assert [False, True] == [told("user.py", Settings()).cached for _ in range(2)]
    assert [] == analysed
    written(opener=OPENER)
    assert ["SES101"] == [found.code for found in told("user.py", Settings()).findings]
    written(opener=nothing)
    assert () == told("user.py", Settings()).findings


def test_a_factory_that_is_passed_is_a_word_for_the_file_that_gets_it(analysed: list[str]) -> None:
    written(
        opener=OPENER, user="def use(make):\n    s = make()\n    s.execute(1)\n", main="import user\n\nuser.use(1)\n"
    )
    assert () == told("user.py", Settings()).findings
    written(main="import user\nfrom sqlalchemy.orm import Session\n\nuser.use(lambda: Session(1))\nuser.use(Session)\n")
    assert ["SES101"] == [found.code for found in told("user.py", Settings()).findings]
    assert told("user.py", Settings()).cached


def test_what_is_kept_of_one_file_holds_for_another(analysed: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The words are not looked for anew, be they learnt or only possible."""
    written(plain=PLAIN, other=f"{PLAIN}\n\nmore = 1\n", leak=LEAK, third="third = 1\n")
    told("plain.py", Settings())
    with monkeypatch.context() as patch:
        patch.setattr(signs, "widest", lambda *_: pytest.fail("looked for"))
        assert () == told("other.py", Settings()).findings
        assert told("leak.py", Settings()).findings
        assert () == told("third.py", Settings()).findings
    assert ["leak.py"] == analysed


def test_where_there_is_much_to_read_the_analysis_learns_it(analysed: list[str]) -> None:
    written(plain=PLAIN, **{f"leak{number}": LEAK + "\n" * 4000 for number in range(6)})
    assert () == told("plain.py", Settings()).findings
    assert ["plain.py"] == analysed


@pytest.mark.parametrize("folder", ["examples", "database", "tests/oracle", "session_lint/guard"])
def test_whatever_is_learnt_was_possible(folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signs, "_LITTLE", 10**9)
    shutil.copytree(ROOT / folder, tmp_path / "code")
    place = tmp_path / "code" / "any.py"
    learnt, properties, shared = analysis.learnt(place)
    possible = signs.widest(project_of(place), builtin().opening_words)
    assert learnt is not None
    assert possible is not None
    named = {one.split()[0] for one in shared}
    assert set() == ({*learnt, *properties, *named} - {"begin"}) - possible
    assert learnt > set(builtin().opening_words)
