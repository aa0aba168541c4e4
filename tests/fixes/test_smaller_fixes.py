"""The smaller fixes: an `await` that was forgotten, a generator that lends its session."""

from __future__ import annotations

import asyncio
from textwrap import dedent, indent
from typing import Any, final

import pytest

from session_lint.finding import Applicability, Finding
from session_lint.fixes import rewritten
from session_lint.source import Source
from tests.linting import lint

ASYNC = "from sqlalchemy.ext.asyncio import AsyncSession\n\n\nasync def f(session: AsyncSession, q):\n"
MADE = "from sqlalchemy.orm import sessionmaker\n\nS = sessionmaker()\n\n\n"
ASYNC_MADE = "from sqlalchemy.ext.asyncio import async_sessionmaker\n\nS = async_sessionmaker()\n\n\n"


def found(text: str, code: str) -> Finding:
    """The first finding of a rule."""
    return next(f for f in lint(text) if f.code == code)


def mended(text: str, code: str) -> str:
    """The text with the fix of that finding."""
    fix = found(text, code).fix
    assert fix is not None
    return rewritten(Source("module.py", text), fix)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("session.commit()", "await session.commit()"),
        ("session.commit()  # now", "await session.commit()  # now"),
        ("x = session.execute(q).scalar()", "x = (await session.execute(q)).scalar()"),
        ("x = (session.execute(q)).scalar()", "x = (await session.execute(q)).scalar()"),
        ("return session.execute(q).scalars().all()", "return (await session.execute(q)).scalars().all()"),
        ("x = session.scalars(q).one().name", "x = (await session.scalars(q)).one().name"),
        ("x = session.execute(\n        q,\n    ).all()", "x = (await session.execute(\n        q,\n    )).all()"),
    ],
)
def test_await(before: str, after: str) -> None:
    """With parentheses where the result is asked for something, and nowhere else."""
    assert mended(f"{ASYNC}    {before}\n", "SES801") == f"{ASYNC}    {after}\n"
    assert not [f for f in lint(f"{ASYNC}    {after}\n") if f.code == "SES801"]


def test_nothing_can_be_awaited_in_plain_code() -> None:
    """The finding says so."""
    finding = found(f"{ASYNC.replace('async def', 'def')}    session.commit()\n", "SES801")
    assert finding.fix is None
    assert "not asynchronous" in finding.refusal


LENT = {
    "closed when all goes well": (
        "def get_db():\n    db = S()  # opened\n    yield db\n    # done\n    db.close()\n",
        "def get_db():\n    with S() as db:  # opened\n        yield db\n        # done\n",
    ),
    "committed behind the yield": (
        "def get_db():\n    db = S()\n    yield db\n    db.commit()\n    db.close()\n",
        "def get_db():\n    with S() as db:\n        yield db\n        db.commit()\n",
    ),
    "a clause without a close": (
        (
            "def get_db():\n    db = S()\n    try:\n        yield db\n        db.commit()\n    except ValueError:\n"
            "        db.rollback()\n        raise\n    db.close()\n"
        ),
        (
            "def get_db():\n    with S() as db:\n        try:\n            yield db\n            db.commit()\n"
            "        except ValueError:\n            db.rollback()\n            raise\n"
        ),
    ),
    "a method": (
        "class Db:\n    def get(self):\n        db = S()\n        yield db\n        db.close()\n",
        "class Db:\n    def get(self):\n        with S() as db:\n            yield db\n",
    ),
}


@pytest.mark.parametrize(("before", "after"), LENT.values(), ids=LENT)
def test_a_generator_that_lends(before: str, after: str) -> None:
    """It closes whatever its consumer throws into it."""
    fix = found(MADE + before, "SES503").fix
    assert fix is not None
    assert fix.applicability is Applicability.SAFE
    assert mended(MADE + before, "SES503") == MADE + after
    assert not [f for f in lint(MADE + after) if f.code == "SES503"]


@final
class Closing:
    """A session that knows whether it was closed."""

    closed = False

    def __enter__(self) -> Closing:
        return self

    def __exit__(self, *_: object) -> None:
        self.closed = True

    async def __aenter__(self) -> Closing:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.closed = True

    def close(self) -> None:
        """As a session does."""
        self.closed = True


def test_the_exception_of_a_consumer_closes() -> None:
    """By running it."""
    text = mended(MADE + LENT["closed when all goes well"][0], "SES503")
    names: dict[str, object] = {}
    exec(text, names)  # noqa: S102  (a program of ours)
    session = names["S"] = Closing()
    names["S"] = lambda: session
    generator = names["get_db"]()  # type: ignore[operator]
    assert next(generator) is session
    with pytest.raises(ValueError, match="of the consumer"):
        generator.throw(ValueError("of the consumer"))
    assert session.closed


def test_an_asynchronous_generator() -> None:
    """With an asynchronous `with`, and closed when it is run."""
    before = "async def get_db():\n    db = S()\n    yield db\n    await db.close()\n"
    text = mended(ASYNC_MADE + before, "SES503")
    assert text == ASYNC_MADE + "async def get_db():\n    async with S() as db:\n        yield db\n"
    names: dict[str, object] = {}
    exec(text, names)  # noqa: S102  (a program of ours)
    session = Closing()
    names["S"] = lambda: session

    async def consume() -> None:
        generator = names["get_db"]()  # type: ignore[operator]
        await anext(generator)
        with pytest.raises(ValueError, match="of the consumer"):
            await generator.athrow(ValueError("of the consumer"))

    asyncio.run(consume())
    assert session.closed


def test_one_that_nobody_closed_so_far() -> None:
    """Closing it can be seen."""
    text = dedent(
        """
        from fastapi import Depends

        def get_db():
            db = S()
            yield db

        def handler(db=Depends(get_db)):
            return db
        """
    )
    fix = found(MADE + text, "SES503").fix
    assert fix is not None
    assert fix.applicability is Applicability.UNSAFE
    assert "detached" in fix.reason


SCOPE = "from database.session import scoped_session\n\n\ndef f(x):\n    with scoped_session() as s:\n"


@pytest.mark.parametrize(
    ("code", "before", "after"),
    [
        ("SES301", "s.add(x)\ns.commit()\ns.add(1)\n", "s.add(x)\ns.flush()\ns.add(1)\n"),
        ("SES301", "s.add(x)\ns.commit()\nreturn x.id\n", "s.add(x)\ns.flush()\nreturn x.id\n"),
        ("SES301", "s.add(x)\ns.commit()\nprint(x)\n", "s.add(x)\ns.flush()\nprint(x)\n"),
        (
            "SES301",
            "s.add(x)\ntry:\n    s.commit()\nexcept ValueError:\n    return False\nreturn True\n",
            "s.add(x)\ntry:\n    s.flush()\nexcept ValueError:\n    return False\nreturn True\n",
        ),
        (
            "SES301",
            "if x:\n    s.add(x)\n    s.commit()\n    return x, 1\nreturn None\n",
            "if x:\n    s.add(x)\n    return x, 1\nreturn None\n",
        ),
        ("SES302", "s.add(x)\ns.rollback()\n", "s.add(x)\n"),
        ("SES302", "s.add(x)\ns.close()  # done\n", "s.add(x)\n# done\n"),
    ],
    ids=[
        "a commit that splits",
        "a commit before a read",
        "a commit before a call",
        "a commit whose error is caught",
        "a commit in a branch",
        "a rollback at the end",
        "a close at the end",
    ],
)
def test_what_the_author_has_to_judge(code: str, before: str, after: str) -> None:
    """Unsafe, with the reason."""
    text = SCOPE + indent(before, " " * 8)
    fix = found(text, code).fix
    assert fix is not None
    assert fix.applicability is Applicability.UNSAFE
    assert "would" in fix.reason or "may" in fix.reason
    assert mended(text, code) == SCOPE + indent(after, " " * 8)


def test_a_rollback_in_the_middle_has_no_fix() -> None:
    """Nobody can know what was meant."""
    assert found(f"{SCOPE}        s.add(x)\n        s.rollback()\n        s.add(1)\n", "SES302").fix is None


MANAGER = "from contextlib import contextmanager\n" + MADE + "@contextmanager\n"


def test_a_context_manager_without_a_finally() -> None:
    """It closes whatever happens in the body of its `with`."""
    before = "def work():\n    s = S()\n    yield s\n    s.commit()\n    s.close()\n"
    after = "def work():\n    with S() as s:\n        yield s\n        s.commit()\n"
    fix = found(MANAGER + before, "SES102").fix
    assert fix is not None
    assert fix.applicability is Applicability.SAFE
    assert mended(MANAGER + before, "SES102") == MANAGER + after
    assert not lint(MANAGER + after)


def test_a_context_manager_that_never_closes() -> None:
    """Whoever keeps an object of it would see the close."""
    fix = found(f"{MANAGER}def work():\n    s = S()\n    yield s\n    s.commit()\n", "SES101").fix
    assert fix is not None
    assert fix.applicability is Applicability.UNSAFE


ROUTE = """from flask import Flask
from database.session import get_session

app = Flask(__name__)


@app.route("/")
def count():
    return {"count": get_session().scalar("select 1")}
"""


def test_the_session_of_a_request() -> None:
    """For the global one; the import goes with its last use, and the reason says what else is needed."""
    fix = found(ROUTE, "SES501").fix
    assert fix is not None
    assert fix.applicability is Applicability.UNSAFE
    assert "init_app(app)" in fix.reason
    after = mended(ROUTE, "SES501")
    assert after == ROUTE.replace("Flask\nfrom database.session import get_session\n", "Flask, g\n").replace(
        "get_session()", "g.db"
    )
    both = ROUTE.replace("import get_session", "import SessionLocal, get_session") + "\n\nX = SessionLocal\n"
    assert "from database.session import SessionLocal\n" in mended(both, "SES501")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("from flask import Flask\n", "import flask\nfrom flask import Flask\n"),
        (
            "from database.session import get_session\n",
            "import database.session as d\nget_session = d.get_session\n",
        ),
    ],
)
def test_the_session_of_a_request_under_other_imports(old: str, new: str) -> None:
    """It still fits, or there is no fix."""
    finding = found(ROUTE.replace(old, new), "SES501")
    assert finding.fix is not None or finding.refusal


LAZY = """from flask import Flask, g
from sqlalchemy.orm import sessionmaker

SessionLocal = sessionmaker()
app = Flask(__name__)


def get_db():
    if "db" not in g:
        g.db = SessionLocal()
    return g.db
"""


def test_a_teardown_for_a_request() -> None:
    """It is added, and closes."""
    fix = found(LAZY, "SES502").fix
    assert fix is not None
    assert fix.applicability is Applicability.UNSAFE
    after = mended(LAZY, "SES502")
    assert after == LAZY + (
        '\n\n@app.teardown_appcontext\ndef close_db(exception=None):\n    db = g.pop("db", None)\n'
        "    if db is not None:\n        db.close()\n"
    )
    assert not [f for f in lint(after) if f.code == "SES502"]
    names: dict[str, Any] = {"__name__": __name__}
    exec(after, names)  # noqa: S102  (a program of ours)
    session = Closing()
    names["SessionLocal"] = lambda: session
    with names["app"].app_context():
        assert names["get_db"]() is session
    assert session.closed


def test_no_teardown_without_an_application() -> None:
    """The refusal says where it belongs."""
    finding = found(LAZY.replace("app = Flask(__name__)\n", ""), "SES502")
    assert finding.fix is None
    assert "register a teardown there" in finding.refusal


@pytest.mark.parametrize("body", ["s.add(x); s.commit()", "s.add(x)\n        if x: s.commit()"])
def test_a_commit_that_shares_its_line_has_no_fix(body: str) -> None:
    """Nor is it called fixable."""
    finding = found(f"{SCOPE}        {body}\n", "SES301")
    assert finding.fix is None
    assert "holds more than the commit" in finding.refusal


HELD = "from contextlib import contextmanager\n\n\n@contextmanager\ndef scope():\n    s = S()\n    try:\n"
ENDING = (
    "    finally:\n        s.close()\n\n\ndef f(x):\n    with scope() as s:\n        s.add(x)\n        s.commit()\n"
)
RAISING = "    except ValueError:\n        s.rollback()\n        raise\n"
SCOPES = {
    "at once": ("        yield s\n        s.commit()\n", True),
    "at once, and handles errors of both": (
        "        yield s\n        s.commit()\n    except ValueError:\n        raise OSError from None\n",
        True,
    ),
    "in an `else`": (f"        yield s\n{RAISING}    else:\n        s.commit()\n", True),
    "after something else": ("        yield s\n        publish()\n        s.commit()\n", False),
    "under other clauses": (
        "        yield s\n    except ValueError:\n        raise OSError from None\n    else:\n        s.commit()\n",
        False,
    ),
    "after something else in an `else`": (
        f"        yield s\n{RAISING}    else:\n        publish()\n        s.commit()\n",
        False,
    ),
}


@pytest.mark.parametrize(("lends", "safe"), SCOPES.values(), ids=SCOPES)
def test_a_scope_has_to_commit_at_once(lends: str, safe: bool) -> None:
    """Else what it does before its own commit would come before that of the block, or other clauses see what fails."""
    fix = found(MADE + HELD + lends + ENDING, "SES301").fix
    assert fix is not None
    assert (fix.applicability is Applicability.SAFE) is safe
    assert safe or "before its own commit" in fix.reason


CLASS = (
    "class Work:\n    def __enter__(self):\n        self.s = S()\n        return self.s\n\n"
    "    def __exit__(self, kind, error, trace):\n        if kind is None:\n{}            self.s.commit()\n"
    "        self.s.close()\n\n\ndef f(x):\n    with Work() as s:\n        s.add(x)\n        s.commit()\n"
)


@pytest.mark.parametrize(("does", "safe"), [("", True), ("            publish()\n", False)])
def test_so_has_a_class(does: str, safe: bool) -> None:
    """What its `__exit__` does besides comes before its commit, or may."""
    fix = found(MADE + CLASS.format(does), "SES301").fix
    assert fix is not None
    assert (fix.applicability is Applicability.SAFE) is safe
