"""Traps for a rewrite: where it would change the program, it is refused, takes another form, or needs the author's eye."""

from __future__ import annotations

import ast

import pytest

from session_lint.finding import Applicability
from session_lint.fixes import rewritten
from session_lint.source import Source
from tests.linting import lint

MAKER = "from sqlalchemy.orm import sessionmaker\n\nS = sessionmaker()\n\n\n"


def mended(text: str, code: str = "") -> str:
    """The text with its first safe fix carried out; unchanged where there is none."""
    for finding in lint(text):
        if (
            finding.fix is not None
            and finding.fix.applicability is Applicability.SAFE
            and finding.code.startswith(code)
        ):
            after = rewritten(Source("module.py", text), finding.fix)
            ast.parse(after)
            return after
    return text


def manual(body: str, factory: str = "S", head: str = MAKER) -> str:
    """A function that does something between opening and committing."""
    lines = "".join(f"        {line}\n" for line in body.splitlines())
    return f"{head}def f(x):\n    session = {factory}()\n    try:\n{lines}        session.commit()\n    finally:\n        session.close()\n"


SCOPES = {
    "lends something else": "        yield Repo(s)\n        s.commit()\n    finally:\n        s.close()\n",
    "raises something else": "        yield s\n        s.commit()\n    except Exception as e:\n        s.rollback()\n        raise RuntimeError from e\n    finally:\n        s.close()\n",
    "does more": "        s.execute('set role reader')\n        yield s\n        s.commit()\n    finally:\n        s.close()\n",
}


@pytest.mark.parametrize("body", SCOPES.values(), ids=SCOPES)
def test_a_scope_that_does_more_is_not_taken(body: str) -> None:
    """The module's own scope has to be the same thing, not only a scope."""
    scope = (
        f"from contextlib import contextmanager\n\n\n@contextmanager\ndef scope():\n    s = S()\n    try:\n{body}\n\n"
    )
    assert "with S.begin() as session:" in mended(MAKER + scope + manual("session.add(x)", head=""))


def test_a_plain_scope_is_taken() -> None:
    """The project's own form comes first."""
    body = "        yield s\n        s.commit()\n    except Exception:\n        s.rollback()\n        raise\n    finally:\n        s.close()\n"
    scope = (
        f"from contextlib import contextmanager\n\n\n@contextmanager\ndef scope():\n    s = S()\n    try:\n{body}\n\n"
    )
    assert "    with scope() as session:\n        session.add(x)\n" in mended(
        MAKER + scope + manual("session.add(x)", head="")
    )


@pytest.mark.parametrize(
    "body", ["save(session, x)", "session.begin()\nsession.add(x)", "session.autoflush = False\nsession.add(x)"]
)
def test_begin_tolerates_no_other_control(body: str) -> None:
    """Somebody else's commit in `factory.begin()` raises."""
    assert ".begin() as" not in mended(manual(body))


def test_a_local_import_is_not_lifted() -> None:
    """An import in a function may be there because of a cycle."""
    text = (
        "def f(x):\n    from database.session import SessionLocal\n    session = SessionLocal()\n"
        "    try:\n        session.add(x)\n        session.commit()\n    finally:\n        session.close()\n"
    )
    assert "scoped_session" not in mended(text)


def test_a_conditional_import_is_not_replaced() -> None:
    """The fallback would no longer work."""
    head = "try:\n    from database.session import SessionLocal\nexcept ImportError:\n    SessionLocal = None\n\n\n"
    assert "scoped_session" not in mended(manual("session.add(x)", "SessionLocal", head))


def test_the_import_stands_before_its_use() -> None:
    """Beside the factory's own, not behind the last import of the file."""
    text = (
        "from database import SessionLocal\n\nsession = SessionLocal()\ntry:\n    session.add(1)\n    session.commit()\n"
        "finally:\n    session.close()\n\nimport os\n"
    )
    assert mended(text).startswith(
        "from database import SessionLocal\nfrom database.session import scoped_session\n\nwith scoped_session() as session:\n"
    )


def test_comments_of_an_import_stay_with_their_names() -> None:
    """A `noqa` on another line is another noqa."""
    head = "from database.session import (\n    SessionLocal,  # the factory\n    get_session,  # the global one\n)\n\n\nX = SessionLocal\n\n\n"
    after = mended(manual("session.add(x)", "SessionLocal", head))
    assert after.startswith(
        "from database.session import (\n    SessionLocal,  # the factory\n    get_session,  # the global one\n    scoped_session,\n)\n"
    )


@pytest.mark.parametrize(
    "items",
    [
        "scoped_session() as s, suppress(ValueError)",
        "scoped_session() as s, lock",
        "scoped_session() as s, scoped_session() as b",
    ],
)
def test_a_commit_before_other_exits_stays(items: str) -> None:
    """What ends between the commit by hand and the scope's own would see it later."""
    head = "from contextlib import suppress\nfrom database.session import scoped_session\n\n\n"
    text = f"{head}def f(x, lock):\n    with {items}:\n        s.add(x)\n        s.commit()\n"
    assert mended(text, "SES301") == text


@pytest.mark.parametrize(
    "body",
    [
        "user = session.query(User).first()\nif user:\n    return user\nsession.close()\nreturn None",
        "x.user = session.query(User).first()",
        "x.extend(session.query(User).all())",
        "user = session.query(User).first()\nThread(target=work, args=(user,)).start()",
        "for user in session.query(User):\n    emit(user)",
    ],
)
def test_objects_of_a_leaked_session_keep_it_unsafe(body: str) -> None:
    """Whoever holds them would find them detached."""
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    text = f"{MAKER}def f(x):\n    session = S()\n{lines}"
    assert mended(text) == text


def test_an_asynchronous_session_gets_an_asynchronous_with() -> None:
    """By what the factory makes, not by what is awaited."""
    head = "from sqlalchemy.ext.asyncio import async_sessionmaker\n\nS = async_sessionmaker()\n\n\n"
    assert "    async with S() as s:\n" in mended(f"{head}async def f(x):\n    s = S()\n    await work(s, x)\n")
    plain = f"{head}def f(x):\n    s = S()\n    work(s, x)\n"
    assert mended(plain) == plain


def test_form_feeds_do_not_shift_edits() -> None:
    """Lines are Python's lines."""
    text = f"{MAKER}\x0cdef f():\n    s = S()\n    s.add(1)\n    return 1\n"
    assert mended(text) == f"{MAKER}\x0cdef f():\n    with S() as s:\n        s.add(1)\n        return 1\n"
