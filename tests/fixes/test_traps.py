"""Traps for a rewrite: where it would change the program, it is refused, or takes another form, or is unsafe."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from textwrap import indent

import pytest

from session_lint.engine import forget
from session_lint.finding import Applicability
from session_lint.fixes import CannotFix, apply, edits, parsing, rewritten
from session_lint.mend import mend
from session_lint.settings import Settings
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
    opening = f"{head}def f(x):\n    session = {factory}()\n    try:\n"
    return f"{opening}{lines}        session.commit()\n    finally:\n        session.close()\n"


DEFINITION = "from contextlib import contextmanager\n\n\n@contextmanager\ndef scope():\n    s = S()\n    try:\n"
CLOSING = "    finally:\n        s.close()\n\n\n"
HANDLER = "    except Exception:\n        s.rollback()\n"
SCOPES = {
    "lends something else": "        yield Repo(s)\n        s.commit()\n",
    "raises something else": f"        yield s\n        s.commit()\n{HANDLER}        raise Own\n",
    "does more": "        s.execute('set role reader')\n        yield s\n        s.commit()\n",
}


@pytest.mark.parametrize("body", SCOPES.values(), ids=SCOPES)
def test_a_scope_that_does_more_is_not_taken(body: str) -> None:
    """The module's own scope has to be the same thing, not only a scope."""
    scope = f"{DEFINITION}{body}{CLOSING}"
    assert "with S.begin() as session:" in mended(MAKER + scope + manual("session.add(x)", head=""))


def test_a_plain_scope_is_taken() -> None:
    """The project's own form comes first."""
    body = "        yield s\n        s.commit()\n    except Exception:\n        s.rollback()\n        raise\n"
    scope = f"{DEFINITION}{body}{CLOSING}"
    assert "    with scope() as session:\n        session.add(x)\n" in mended(
        MAKER + scope + manual("session.add(x)", head="")
    )


END = "def end(session):\n    try:\n        {}\n    finally:\n        session.close()\n\n\n"
CLOSERS = {
    END.format("session.rollback()"): "scope()",
    END.format("session.commit()"): "S.begin()",
    END.format("count()"): "S.begin()",
    "def end(session):\n    session.rollback()\n\n\n": "S.begin()",
    "from elsewhere import end\n\n\n": "S.begin()",
}


@pytest.mark.parametrize(("closer", "taken"), CLOSERS.items())
def test_a_scope_may_close_by_a_function(closer: str, taken: str) -> None:
    """One that does nothing else, in a session that carries a note."""
    scope = closer + DEFINITION.replace("S()", "S(info={'pattern': 'scope'})")
    text = f"{MAKER}{scope}        yield s\n        s.commit()\n    finally:\n        end(s)\n\n\n"
    assert f"with {taken} as session:" in mended(text + manual("session.add(x)", head=""))


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
    head = "from database import SessionLocal\n"
    text = (
        f"{head}\nsession = SessionLocal()\ntry:\n    session.add(1)\n    session.commit()\n"
        "finally:\n    session.close()\n\nimport os\n"
    )
    added = "from database.session import scoped_session\n"
    assert mended(text).startswith(f"{head}{added}\nwith scoped_session() as session:\n")


def test_comments_of_an_import_stay_with_their_names() -> None:
    """A `noqa` on another line is another noqa."""
    names = "    SessionLocal,  # the factory\n    get_session,  # the global one\n"
    head = f"from database.session import (\n{names})\n\n\nX = SessionLocal\n\n\n"
    after = mended(manual("session.add(x)", "SessionLocal", head))
    assert after.startswith(f"from database.session import (\n{names}    scoped_session,\n)\n")


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
        "user = session.query(User).first()\nsession.commit()\nreturn user",
    ],
)
def test_objects_of_a_leaked_session_keep_it_unsafe(body: str) -> None:
    """Whoever holds them would find them detached."""
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    text = f"{MAKER}def f(x):\n    session = S()\n{lines}"
    assert mended(text) == text


MAPPED = """from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship, sessionmaker

S = sessionmaker()


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "user"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    posts: Mapped[list["Post"]] = relationship()


class OwnError(Exception):
    def __init__(self, what):
        self.what = what


def put(session, one):
    session.add(one)


def build(name):
    user = User(name=name)
    return user


"""
OUT = {
    "what it made": "user = User(name=x)\nsession.add(user)\nsession.commit()\nreturn user",
    "what it made, by a helper": "user = build(x)\nput(session, user)\nsession.commit()\nreturn user",
    "what a helper makes, among others": "users = [build(x)]\nsession.add_all(users)\nsession.commit()\nreturn users",
    "what it was given": "session.add(x)\nsession.commit()",
    "what it was given, among others": "session.add_all([User(), x.user])\nsession.commit()",
    "what it was given, in a loop": "for user in x:\n    session.add(user)\nsession.commit()",
    "an exception": "user = session.get(User, 1)\nif user.name != x:\n    raise OwnError(user)",
    "a list of the caller's": "x += session.query(User).all()",
    "an alias": "users = x.users\nfor user in session.query(User):\n    users.append(user)",
    "another alias": "users = x.users\nusers += session.query(User).all()",
    "one of two": "users = x.users or []\nusers.extend(session.query(User).all())",
    "a function": "user = session.get(User, 1)\ndef posts():\n    return len(user.posts)\nreturn posts",
    "a default": "user = session.get(User, 1)\ndef posts(user=user):\n    return 1\nreturn posts",
    "a function that is registered": "user = session.get(User, 1)\n@x.hook\ndef posts():\n    print(user.posts)",
    "a pattern": "match session.get(User, 1):\n    case User() as user:\n        return user",
    "a part of a pattern": "match session.query(User).all():\n    case [one, *others]:\n        return others",
    "an item among targets": "x['a'], y = session.query(User).limit(2)",
    "a field among targets": "x.a, y = session.query(User).limit(2)\nx.b = session.query(User).all()",
    "what map() calls": "list(map(x.append, session.query(User)))",
    "a lambda that map() calls": "list(map(lambda user: x.append(user), session.query(User)))",
    "the first": "return max(session.query(User), key=lambda user: user.name)",
    "an operator": "import operator\noperator.iadd(x, session.query(User).all())",
}


@pytest.mark.parametrize("body", OUT.values(), ids=OUT)
def test_ways_out_of_a_leaked_session(body: str) -> None:
    """Each of them lets somebody have an object that closing would detach."""
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    finding = next(f for f in lint(f"{MAPPED}def f(x):\n    session = S()\n{lines}") if f.code in ("SES101", "SES102"))
    assert finding.fix is not None
    assert finding.fix.applicability is Applicability.UNSAFE
    assert finding.fix.reason.startswith("line ")


INSIDE = {
    "a column of what it made": "user = User(name=x)\nsession.add(user)\nsession.commit()\nreturn user.id",
    "a column of what a helper got": "user = User(name=x)\nput(session, user)\nsession.commit()\nreturn user.name",
    "a count": "return session.query(User).count()",
    "a text": "user = session.get(User, 1)\nif user.name != x:\n    raise OwnError(f'not {user}')\nreturn str(user)",
    "an exception with a column": "user = session.get(User, 1)\nif x:\n    raise OwnError(user.name)\nreturn user.id",
    "names": "names = []\nfor user in session.query(User):\n    names.append(user.name)\nreturn names",
    "names that are added": "names = []\nfor user in session.query(User):\n    names += [user.name]\nreturn names",
    "a list of its own": "users = list()\nusers += session.query(User).all()\nusers.append(User())\nprint(len(users))",
    "what it makes in a loop": "for name in x:\n    user = User(name=name)\n    session.add(user)\nsession.commit()",
    "what it makes at once": "session.add_all([User(name=name) for name in x])\nsession.commit()",
    "what it has made": "users = [build(n) for n in x]\nsession.add_all(user for user in users)\nsession.commit()",
    "a function of its own": "user = session.get(User, 1)\ndef posts():\n    return 1\nreturn posts",
    "a pattern": "match session.get(User, 1):\n    case User() as user:\n        return user.name is None",
    "what map() calls": "return len(list(map(str, session.query(User))))",
    "the largest": "return max(3, session.query(User).count())",
}


@pytest.mark.parametrize("body", INSIDE.values(), ids=INSIDE)
def test_plain_values_may_leave(body: str) -> None:
    """They know nothing of the session."""
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    assert "() as session:\n" in mended(f"{MAPPED}def f(x):\n    session = S()\n{lines}")


@pytest.mark.parametrize(
    ("body", "scope"),
    [
        ("session.add(x)\nwork()", False),
        ("session.add_all(x)\nwork()", False),
        ("session.add(x)\nif session.query(User).count():\n    x.n = 1", False),
        ("session.delete(x)\nwork()", False),
        ("x += session.query(User).all()\nwork()", False),
        ("x.a, y = session.query(User).limit(2)\nwork()", False),
        ("session.add(x)", True),
        ("session.add(x)\nsession.flush()", True),
        ("session.add(User(name=x))\nwork()", True),
        ("user = User(name=x)\nsession.add(user)\nsession.flush()\nwork(user)", True),
    ],
)
def test_what_a_rollback_would_expire(body: str, scope: bool) -> None:
    """Objects of others, where something else may fail than what rolls back by itself; not those that are new."""
    text = manual(body, head=MAPPED)
    assert ("with S.begin() as session:" in mended(text)) is scope


@pytest.mark.parametrize(
    ("work", "same"), [("", False), ("    session.flush()\n", False), ("    work()\n", True), ("    x[0]()\n", True)]
)
def test_what_others_have_when_something_fails(work: str, same: bool) -> None:
    """After a commit that failed nothing can be read of it, whether the session is closed or not."""
    text = (
        f"{MAPPED}def f(x):\n    session = S()\n    session.add(x)\n{work}    session.commit()\n    session.close()\n"
    )
    assert (mended(text) == text) is same


def test_an_asynchronous_session_gets_an_asynchronous_with() -> None:
    """By what the factory makes, not by what is awaited."""
    head = "from sqlalchemy.ext.asyncio import async_sessionmaker\n\nS = async_sessionmaker()\n\n\n"
    body = "    s = S()\n    work(s, x)\n    await s.close()\n"
    assert "    async with S() as s:\n" in mended(f"{head}async def f(x):\n{body}")
    plain = f"{head}def f(x):\n    s = S()\n    work(s, x)\n    s.close()\n"
    assert mended(plain) == plain


TEXTS = {
    "form feeds": f"{MAKER}\x0c\nX = 1\n\x0c\n\x0cdef f():\n    s = S()\n    s.add(1)\n    return 1\n\n\n\x0cY = 2\n",
    "tabs": f"{MAKER}def f():\n\ts = S()\n\ts.add(1)\n\treturn 1\n\n\nclass C:\n  def g(self):\n     pass\n",
    "carriage returns": f"{MAKER}def f():\n    s = S()\n    s.add(1)\n    return 1\n\n\nY = 2\n".replace("\n", "\r\n"),
    "no last newline": f"{MAKER}Y = 2\n\n\ndef f():\n    s = S()\n    s.add(1)\n    return 1",
    "comments": (
        f"{MAKER}def f():  # type: () -> int\n    s = S()  # opened\n    # adds\n    s.add(1)  # noqa: E501\n"
        "    return 1  # the end\n    # behind\n\n\n# fmt: off\nY = [1,\n     2]  # fmt: on\nZ = 1 + \\\n    2\n"
    ),
    "a space before a colon": (
        f"{MAKER}def f():\n    s = S()\n    s.add(1)\n    return 1\n\n\n"
        "try:\n    Y = 1\nexcept ValueError :\n    Y = 2\n"
    ),
    "white space": f"{MAKER}Y = 2   \n\n\ndef f( ):\n    s = S()\n    s.add( 1 )\n    return  1\n\n \nZ=1 ;W =2\n\t\n",
}


def outside(text: str) -> list[str]:
    """Every line that is no statement of ``f``."""
    inside = ("s = S()", "with S()", "s.add", "return", "# adds", "# behind")
    return [line for line in text.splitlines(keepends=True) if not line.strip().startswith(inside)]


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_every_other_byte_stays(text: str) -> None:
    """What is no part of the rewritten statements is as it was; no comment is lost."""
    after = mended(text)
    assert after != text
    assert outside(after) == outside(text)
    assert re.findall(r"#.*", after) == re.findall(r"#.*", text)
    assert mended(after) == after


def test_what_libcst_cannot_read() -> None:
    """Said in plain words, with the line."""
    text = f"{MAKER}def f():\n    s = S()\n    s.add(1)\n    return 1\n\n\n(x): int = 1\n"
    (finding,) = lint(text)
    assert finding.fix is not None
    with pytest.raises(CannotFix, match="line 12 is Python that libcst does not read"):
        rewritten(Source("module.py", text), finding.fix)


def test_form_feeds_would_be_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test above sees it."""
    monkeypatch.setattr(parsing, "faithful", lambda _before, after: after)
    assert outside(mended(TEXTS["form feeds"])) != outside(TEXTS["form feeds"])


def test_edits_count_lines_as_python_does() -> None:
    """A form feed or a line separator inside a string is no new line."""
    text = f"{MAKER}X = '\x0c \u2028 \x85'\n\n\ndef f():\n    s = S()\n    s.add(1)\n    return 1\n"
    (finding,) = lint(text)
    assert finding.fix is not None
    source = Source("module.py", text)
    assert apply(text, edits(source, finding.fix)) == rewritten(source, finding.fix)
    assert [edit.location.row for edit in edits(source, finding.fix)] == [finding.location.row]


def test_a_declared_type_gives_way() -> None:
    """In a function it is read by nobody, and the `with` says the same."""
    text = f"{MAKER}def f():\n    session: Session = S()\n    session.add(1)\n    session.commit()\n"
    assert "    with S.begin() as session:\n        session.add(1)\n" in mended(text)
    whole = f"{MAKER}session: Session = S()\nsession.add(1)\nsession.commit()\n"
    assert mended(whole) == whole


def test_a_factory_that_callers_choose_stays() -> None:
    """No scope stands for it, though all callers that are seen pass the one that a scope is over."""
    scope = "from contextlib import contextmanager\n\n\n@contextmanager\ndef scope():\n    s = S()\n    try:\n"
    scope += "        yield s\n        s.commit()\n    except Exception:\n        s.rollback()\n        raise\n"
    scope += "    finally:\n        s.close()\n\n\n"
    work = (
        "def work(make):\n    s = make()\n    s.add(1)\n    s.commit()\n    s.close()\n\n\ndef main():\n    work(S)\n"
    )
    changed = mended(MAKER + scope + work)
    assert "    with make() as s:\n        s.add(1)\n        s.commit()\n" in changed
    assert "with scope()" in mended(MAKER + scope + work.replace("make()", "S()"))


def test_what_a_global_keeps_is_seen() -> None:
    """The object would be detached."""
    text = f"{MAKER}USER = None\n\n\ndef f(q):\n    global USER\n    session = S()\n    USER = session.scalar(q)\n"
    assert mended(text) == text


def test_a_session_that_is_used_behind_its_block() -> None:
    """Closed at the end of the `if`, it would begin anew behind it."""
    text = f"{MAKER}def f(x):\n    if x:\n        session = S()\n        session.add(x)\n    session.commit()\n"
    assert mended(text) == text


BOUND = (
    "from alembic import op\nfrom sqlalchemy import Column, Integer\nfrom sqlalchemy.orm import Session\n\n\n"
    "class Row(Base):\n    id = Column(Integer, primary_key=True)\n    name = Column(Integer)\n\n"
    "    def __init__(self, name):\n        self.name = name\n\n\ndef add(session, x):\n    session.add(x)\n\n\n"
)


def migration(body: str) -> str:
    """A migration that works on the migration's own connection."""
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    return f"{BOUND}def upgrade(x):\n    session = Session(bind=op.get_bind())\n{lines}"


@pytest.mark.parametrize(
    ("body", "same"),
    [
        ("session.add(Row(x))\nsession.commit()", False),
        ("session.add(x)\nsession.commit()", True),
        ("for row in session.query(Row):\n    row.name = x\nsession.commit()", False),
        ("add(session, Row(x))\nsession.commit()", False),
        ("rows = []\nfor row in session.query(Row):\n    rows.append(row)\nsession.commit()", False),
        ("session.add(x)\nsession.flush()", True),
        ("session.add(x)", True),
        ("unknown(session)\nsession.commit()", True),
        ("for row in session.query(Row):\n    row.name = x\n    session.flush()\n    return\nsession.commit()", True),
        ("if session.scalar(x):\n    return\nsession.commit()", False),
        ("x.rows = session.query(Row).all()\nsession.commit()", True),
    ],
)
def test_a_session_on_a_connection_of_somebody_else(body: str, same: bool) -> None:
    """Closing rolls back what is not committed, where the connection has begun nothing; and nothing else."""
    text = migration(body)
    after = mended(text)
    assert (after == text) is same
    assert same or "    with Session(bind=op.get_bind()) as session:\n" in after


def test_two_factories_are_two() -> None:
    """A scope over one database is no scope over another, though both come out of `sessionmaker`."""
    body = "        yield s\n        s.commit()\n    except Exception:\n        s.rollback()\n        raise\n"
    head = f"{MAKER.replace('S =', 'T = sessionmaker(other)' + chr(10) + 'S =')}{DEFINITION}{body}{CLOSING}"
    assert "    with scope() as session:\n" in mended(head + manual("session.add(x)", head=""))
    assert "    with T.begin() as session:\n" in mended(head + manual("session.add(x)", "T", head=""))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Session, SessionLocal, get_session", "Session, get_session, scoped_session"),
        ("SessionLocal, get_session", "get_session, scoped_session"),
        ("Base, SessionLocal", "Base, scoped_session"),
        ("get_session, SessionLocal", "get_session, scoped_session"),
        ("SessionLocal, ALL, get_session", "scoped_session, ALL, get_session"),
    ],
)
def test_the_order_of_an_import(before: str, after: str) -> None:
    """The new name stands where isort and ruff would put it; an order of the author's own is left."""
    used = "".join(f"print({name})\n" for name in before.split(", ") if name != "SessionLocal")
    head = f"from database.session import {before}\n\n{used}\n\n"
    expected = f"from database.session import {after}\n"
    assert mended(manual("session.add(x)", "SessionLocal", head)).startswith(expected)


PROJECT = """
from contextlib import asynccontextmanager, contextmanager
from sqlalchemy import create_engine
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import sessionmaker

Session = sessionmaker(create_engine("sqlite://"))
Async = async_sessionmaker(create_async_engine("sqlite+aiosqlite://"))


@contextmanager
def work():
    session = Session()
    try:
        yield session
        session.commit()
    except Exception:
        session.rollback()
        raise
    finally:
        session.close()


@asynccontextmanager
async def async_work():
    session = Async()
    try:
        yield session
        await session.commit()
    except Exception:
        await session.rollback()
        raise
    finally:
        await session.close()
"""


@pytest.mark.parametrize(
    ("head", "factory", "expected"),
    [
        (
            "from shop.db import Session\n",
            "Session",
            "from shop.db import work\n\n\ndef f(x):\n    with work() as s:\n",
        ),
        (
            "from shop.db import Session, work\n",
            "Session",
            "from shop.db import Session, work\n\n\ndef f(x):\n    with work() as s:\n",
        ),
        ("from shop import db\n", "db.Session", "def f(x):\n    with db.work() as s:\n"),
        (
            "from shop.db import Async\n",
            "Async",
            "from shop.db import async_work\n\n\nasync def f(x):\n    async with async_work() as s:\n",
        ),
    ],
)
def test_the_scope_of_another_file(
    head: str, factory: str, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The project's own scope is the one to aim at, wherever it stands."""
    monkeypatch.chdir(tmp_path)
    for name, text in {"pyproject.toml": "", "shop/__init__.py": "", "shop/db.py": PROJECT}.items():
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text(text)
    kind, wait = ("async def", "await ") if factory == "Async" else ("def", "")
    body = f"    try:\n        s.add(x)\n        {wait}s.commit()\n    finally:\n        {wait}s.close()\n"
    path = Path("shop/jobs.py")
    path.write_text(f"{head}\n\n{kind} f(x):\n    s = {factory}()\n{body}")
    forget()
    settings = Settings(cache=False, select=("SES104",))
    result = mend(Source(str(path), path.read_text()), settings, unsafe=False)
    assert expected in result.text


BY_HAND = "    try:\n        s.add(x)\n        s.commit()\n    finally:\n        s.close()\n"


def in_project(files: dict[str, str], path: str) -> str:
    """One file of a project in this folder, with its safe fixes carried out."""
    for name, text in {"pyproject.toml": "", **files}.items():
        Path(name).parent.mkdir(exist_ok=True, parents=True)
        Path(name).write_text(text)
    forget()
    source = Source(path, Path(path).read_text())
    return mend(source, Settings(cache=False, select=("SES101", "SES104")), unsafe=False).text


@pytest.mark.parametrize(
    ("path", "head", "expected"),
    [
        ("shop/jobs.py", "from .db import Session\n", "from .db import work\n"),
        ("shop/jobs.py", "from .db import Async, Session\n\nA = Async\n", "from .db import Async, work\n\nA = Async\n"),
        ("shop/more/jobs.py", "from ..db import Session\n", "from ..db import work\n"),
        (
            "shop/jobs.py",
            "from shop.db import Session as S; from shop.db import Async\n\nA = Async\n",
            "from shop.db import work; from shop.db import Async\n\nA = Async\n",
        ),
    ],
)
@pytest.mark.parametrize("root", ["", "__init__.py"])
def test_the_scope_joins_the_import(
    root: str, path: str, head: str, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However that writes the module; the project's folder may be a package itself."""
    monkeypatch.chdir(tmp_path)
    factory = "S" if " as S" in head else "Session"
    files = {"shop/__init__.py": "", "shop/more/__init__.py": "", "shop/db.py": PROJECT, **({root: ""} if root else {})}
    files[path] = f"{head}\n\ndef f(x):\n    s = {factory}()\n{BY_HAND}"
    assert in_project(files, path) == f"{expected}\n\ndef f(x):\n    with work() as s:\n        s.add(x)\n"


def test_the_folder_of_the_project_is_a_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its modules go by no name that an import could begin with."""
    monkeypatch.chdir(tmp_path)
    body = f"def f(x):\n    s = Session()\n{BY_HAND}"
    files = {"__init__.py": "", "db.py": PROJECT, "views.py": f"from .db import Session\n\n\n{body}"}
    assert in_project(files, "views.py").startswith("from .db import work\n\n\ndef f(x):\n    with work() as s:\n")


OTHERS = {
    "imports it": ("from shop.jobs import Session\n", True),
    "imports it, among others": ("from .jobs import (\n    f,\n    Session,\n)\n", True),
    "imports everything": ("from shop.jobs import *\n\nprint(Session)\n", True),
    "patches it": ("def test(mocker):\n    mocker.patch('shop.jobs.Session')\n", True),
    "sets it": ("from shop import jobs\n\n\ndef test(m):\n    m.setattr(jobs, 'Session', None)\n", True),
    "sets it, by its name": ("def test(m):\n    m.patch.multiple('shop.jobs', Session=None)\n", True),
    "reads it": ("import shop.jobs as j\n\nprint(j.Session)\n", True),
    "has it from elsewhere": ("from shop import jobs\nfrom shop.db import Session\n\nprint(Session, jobs)\n", False),
    "speaks of both": ("print('jobs', 1, 'Session')\n", False),
    "does without": ("from shop.jobs import f\n\nprint(f)\n", False),
}


@pytest.mark.parametrize(("other", "kept"), OTHERS.values(), ids=OTHERS)
def test_a_name_that_others_take_is_kept(
    other: str, kept: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They would find it no more."""
    monkeypatch.chdir(tmp_path)
    files = {"shop/__init__.py": "", "shop/db.py": PROJECT, "shop/other.py": other}
    files["shop/jobs.py"] = f"from shop.db import Session\n\n\ndef f(x):\n    s = Session()\n{BY_HAND}"
    names = "Session, work" if kept else "work"
    assert in_project(files, "shop/jobs.py").startswith(f"from shop.db import {names}\n\n\ndef f(x):\n    with work()")


@pytest.mark.parametrize(
    ("other", "same"),
    [("from shop import jobs\n\njobs.s.add(1)\n", True), ("print('s', 'jobs')\n", False), ("", False)],
)
def test_a_session_of_a_module_that_others_use(
    other: str, same: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Closing it ends what they do with it."""
    monkeypatch.chdir(tmp_path)
    text = "from shop.db import Session\n\ns = Session()\ns.add(1)\ns.commit()\n"
    files = {"shop/__init__.py": "", "shop/db.py": PROJECT, "shop/other.py": other, "shop/jobs.py": text}
    assert (in_project(files, "shop/jobs.py") == text) is same


LOGGED = (
    "import logging\nfrom sqlalchemy.orm import sessionmaker\n\nlogger = logging.getLogger()\nS = sessionmaker()\n\n\n"
)
LEFT_OVER = {
    "a return": ("if x:\n    work()\n    session.close()\n    return 1\n", True),
    "a line of a log": ("if x:\n    session.close()\n    logger.info(f'no {x}')\n    return False, 'no'\n", True),
    "what was loaded, as it is": ("u = session.get(U, x)\nif x:\n    session.close()\n    return u\n", True),
    "raising": ("if x:\n    session.close()\n    raise KeyError(x)\n", True),
    "the end of a clause": (
        "try:\n    work()\nexcept ValueError:\n    session.rollback()\n    session.close()\n    raise\n",
        True,
    ),
    "another line of the program": ("if x:\n    session.close()\n    work()\n    return 1\n", False),
    "what was loaded, read": ("u = session.get(U, x)\nif x:\n    session.close()\n    return u.name\n", False),
    "what was loaded, logged": (
        "u = session.get(U, x)\nif x:\n    session.close()\n    logger.info('%s', u)\n    return 1\n",
        False,
    ),
    "an exception that is caught": (
        "try:\n    work()\n    session.close()\n    raise KeyError\nexcept KeyError:\n    work(session)\n",
        False,
    ),
    "the next round of a loop": (
        "for y in x:\n    if y:\n        session.close()\n        continue\n    work(session)\n",
        False,
    ),
    "a `with` that ends later": ("with x:\n    work()\n    session.close()\n    return 1\n", False),
    "nothing else": ("if x:\n    session.close()\n", False),
}


@pytest.mark.parametrize(("body", "goes"), LEFT_OVER.values(), ids=LEFT_OVER)
def test_a_close_before_the_end_of_its_block(body: str, goes: bool) -> None:
    """It goes where the `with` closes with nothing in between that could tell; else it stays."""
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    after = mended(f"{LOGGED}def f(x):\n    session = S()\n    work(session)\n{lines}    work()\n    session.close()\n")
    assert "    with S() as session:\n" in after
    assert ("session.close()" not in after) is goes


def test_a_close_before_the_next_round() -> None:
    """Where the loop is around the block, the round ends with the block."""
    body = "        if not work(session):\n            session.close()\n            continue\n"
    text = f"{MAKER}def f(x):\n    for y in x:\n        session = S()\n{body}        work()\n        session.close()\n"
    after = mended(text)
    assert "            if not work(session):\n                continue\n            work()\n" in after


def test_continued_lines_move_with_their_statement() -> None:
    """Those behind a backslash, too; what stands in a string does not."""
    body = (
        "    n = session.query(x). \\\n        filter(1). \\\n        count() + len('a \\\n  b')\n"
        "    print(f'{n}', \\\n          n)\n"
    )
    text = f"{MAKER}def f(x):\n    session = S()\n{body}    session.close()\n"
    moved = "".join(f"    {line}" if line != "  b')\n" else line for line in body.splitlines(keepends=True))
    assert mended(text) == f"{MAKER}def f(x):\n    with S() as session:\n{moved}"


def test_empty_lines_of_a_module_stay_empty() -> None:
    """Also in parentheses; those around a `try` stay where they are."""
    text = (
        f"{MAKER}session = S()\n\nfor i in (1, 2):\n    print(\n        i,\n\n        session.get(U, i))\n\n"
        "x = 1\n\n# adds\n\ntry:\n    session.add(x)\n\n    session.commit()\nfinally:\n    session.close()\n"
    )
    assert mended(text) == (
        f"{MAKER}with S.begin() as session:\n    for i in (1, 2):\n        print(\n            i,\n\n"
        "            session.get(U, i))\n\n    x = 1\n\n    # adds\n\n    session.add(x)\n"
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "\n\n        # save\n        s.commit()  # now\n\n        return x\n",
            "\n\n        # save\n        # now\n\n        return x\n",
        ),
        ("\n\n        s.commit()\n", "\n"),
        ("\n        s.commit()  # noqa: E501\n", "\n"),
        ("\n        s.commit()  # type: ignore[misc]\n        # end\n", "\n        # end\n"),
        ("\n        s.commit()  # noqa is wrong\n", "\n        # noqa is wrong\n"),
    ],
)
def test_what_stays_of_a_dropped_statement(before: str, after: str) -> None:
    """Its comments, as far apart from the others as they were; not what it told to tools."""
    head = (
        "from database.session import scoped_session\n\n\ndef f(x):\n    with scoped_session() as s:\n        s.add(x)"
    )
    assert mended(head + before) == head + after


@pytest.mark.parametrize(
    "body",
    [
        "    session = S(); session.add(x)\n    session.commit()\n    session.close()\n",
        "    session = S()\n    session.add(x); session.commit(); session.close()\n",
        "    if x: session = S(); session.add(x); session.commit(); session.close()\n",
    ],
)
def test_statements_that_share_a_line_have_no_fix(body: str) -> None:
    """It is refused where the finding is told already, in words that say what stands in the way."""
    (finding,) = (f for f in lint(f"{MAKER}def f(x):\n{body}") if f.code in ("SES101", "SES102", "SES104"))
    assert finding.fix is None
    assert "line" in finding.refusal


def test_a_finally_on_one_line_is_no_hindrance() -> None:
    """It goes as a whole; and so do statements within the block that share a line."""
    text = f"{MAKER}def f(x):\n    session = S()\n    try:\n        session.add(1); work()\n        session.commit();\n"
    assert mended(f"{text}    finally: session.close()\n") == (
        f"{MAKER}def f(x):\n    with S.begin() as session:\n        session.add(1); work()\n"
    )


ONE = "session = S()\nwork(session)\nsession.close()\n"
BLOCK = "with S() as session:\n    work(session)\n"
SEVERAL = {
    "one after the other": (f"{ONE}\n{ONE}", f"{BLOCK}\n{BLOCK}"),
    "in branches": (
        f"if x:\n{indent(ONE, '    ')}else:\n{indent(ONE, '    ')}",
        f"if x:\n{indent(BLOCK, '    ')}else:\n{indent(BLOCK, '    ')}",
    ),
    "one behind the other, in a branch": (
        f"{ONE}if x:\n{indent(ONE, '    ')}",
        f"{BLOCK}if x:\n{indent(BLOCK, '    ')}",
    ),
    "let go of": (f"{ONE}del session\n", f"{BLOCK}del session\n"),
    "nothing behind it": (f"{ONE}session = None\nreturn session\n", f"{BLOCK}session = None\nreturn session\n"),
    "bound in the block": (
        "session = S()\nwork(session)\nsession = session.merge(x)\nwork(session)\nsession.close()\n",
        "",
    ),
    "used behind a branch": (f"session = None\nif x:\n{indent(ONE, '    ')}work(session)\n", ""),
    "used in a function": (f"def later():\n    return session\n{ONE}{ONE}", ""),
    "a loop's variable": (f"{ONE}for session in x:\n    work(session)\n", ""),
}


@pytest.mark.parametrize(("before", "after"), SEVERAL.values(), ids=SEVERAL)
def test_a_variable_of_several_sessions(before: str, after: str) -> None:
    """Each is mended where what uses it is told apart by where it stands."""
    head = f"{MAKER}def f(x):\n"
    text = mended(head + indent(before, "    "))
    assert mended(text) == head + indent(after or before, "    ")


MODELS = (
    "from sqlalchemy import Column, Integer, String, func, select\n"
    "from sqlalchemy.orm import declarative_base, relationship, sessionmaker\n\n"
    "S = sessionmaker()\nBase = declarative_base()\n\n\n"
    "class U(Base):\n    __tablename__ = 'u'\n    id = Column(Integer, primary_key=True)\n    name = Column(String)\n"
    "    posts = relationship('Post')\n\n\n"
)
VALUES = {
    "a row": ("row = session.query(U.name).filter(U.id == x).first()\nreturn row[0]", True),
    "rows": ("return session.query(U.id, U.name.label('n'), func.count(U.id)).all()", True),
    "a value": ("return session.scalar(select(U.name).where(U.id == x))", True),
    "values": ("q = select(U.name)\nreturn session.scalars(q).all()", True),
    "a row of a statement": ("row = session.execute(select(U.id, U.name)).first()\nreturn row", True),
    "a text": ("return ','.join(u.name for u in session.query(U))", True),
    "a list of columns": ("return [u.name for u in session.query(U)]", True),
    "dictionaries of columns": ("return [{'id': u.id, 'name': u.name} for u in session.query(U).all()]", True),
    "a dictionary of columns": ("return {u.id: u.name for u in session.query(U).all()}", True),
    "a truth": ("return any(u.name for u in session.query(U))", True),
    "columns in a loop": (
        "found = []\nfor name, in session.query(U.name):\n    found.append(name)\nreturn found",
        True,
    ),
    "a query that has not run": ("return session.query(U.name)", False),
    "a generator that has not run": ("return (u.name for u in session.query(U))", False),
    "an object beside a column": ("return session.query(U.name, U).all()", False),
    "an object that is added": ("return session.query(U.name).add_entity(U).all()", False),
    "an object of a statement": ("return session.scalar(select(U))", False),
    "a list of objects": ("return [u for u in session.query(U)]", False),
    "a list of what they lead to": ("return [u.posts for u in session.query(U)]", False),
    "objects by their keys": ("return {u.id: u for u in session.query(U)}", False),
    "what nobody knows": ("return session.query(V.name).first()", False),
    "a relationship": ("return session.query(U.posts).all()", False),
}


@pytest.mark.parametrize(("body", "plain"), VALUES.values(), ids=VALUES)
def test_values_of_columns_know_no_session(body: str, plain: bool) -> None:
    """Whoever gets them does not see that it is closed."""
    text = f"{MODELS}def f(x):\n    session = S()\n{indent(body, '    ')}\n"
    assert (mended(text) != text) is plain


@pytest.mark.parametrize(
    ("opening", "reason"),
    [
        ("def f(x, db=None):\n    if db is None:\n        db = S()\n", "it is opened under a condition"),
        ("def f(x):\n    try:\n        db = S()\n    except OSError:\n        return\n", "it is used behind the block"),
    ],
)
def test_the_reason_of_an_opening_in_a_block(opening: str, reason: str) -> None:
    """It says where it stands."""
    found = [f for f in lint(f"{MAKER}{opening}    db.add(x)\n    db.commit()\n    return 1\n") if f.code == "SES101"]
    assert [f.refusal.startswith(reason) for f in found] == [True]


TYPED = (
    "from sqlalchemy.exc import SQLAlchemyError\nfrom sqlalchemy.orm import Session, sessionmaker\n\n"
    "S = sessionmaker()\n\n\n"
)
WORK = "    work()\n    session.add(1)\n    session.close()\n"
UNUSED = {
    "a type": (f"def f():\n    session: Session = S()\n{WORK}", "import sessionmaker"),
    "a type in quotes": (f'def f():\n    session: "Session" = S()\n{WORK}', "import sessionmaker"),
    "a word in a text": (
        f'def f():\n    """Session: what else."""\n    session: Session = S()\n{WORK}',
        "import sessionmaker",
    ),
    "a type that is needed elsewhere": (
        f"def f():\n    session: Session = S()\n{WORK}\n\ndef g(session: Session) -> None: ...\n",
        "import Session, sessionmaker",
    ),
    "a type that is needed elsewhere, in quotes": (
        f"def f():\n    session: Session = S()\n{WORK}\n\ndef g(session: 'Session | None') -> None: ...\n",
        "import Session, sessionmaker",
    ),
    "a name that is exported": (
        f"__all__ = ['Session']\n\n\ndef f():\n    session: Session = S()\n{WORK}",
        "import Session, sessionmaker",
    ),
    "an exception": (
        (
            "def f():\n    session = S()\n    work()\n    try:\n        session.add(1)\n        session.commit()\n"
            "    except SQLAlchemyError:\n        session.rollback()\n        raise\n"
            "    finally:\n        session.close()\n"
        ),
        "\nfrom sqlalchemy.orm import",
    ),
}


@pytest.mark.parametrize(("body", "left"), UNUSED.values(), ids=UNUSED)
def test_an_import_goes_with_what_needed_it(body: str, left: str) -> None:
    """A linter would ask for that next; what something else needs stays."""
    after = mended(TYPED + body)
    assert after != TYPED + body
    assert left in f"\n{after}"
    assert ("SQLAlchemyError" in after) is ("\n" not in left)


def test_an_import_for_others_stays() -> None:
    """It says so."""
    head = TYPED.replace("Session, sessionmaker", "Session, sessionmaker  # noqa: F401")
    after = mended(f"{head}def f():\n    session: Session = S()\n{WORK}")
    assert "with S() as session:" in after
    assert after.startswith(head)


def test_an_else_stays_where_it_is() -> None:
    """Where the clauses stay: only the `finally` goes."""
    text = (
        f"{MAKER}def f(x):\n    session = S()\n    work()\n    try:\n        session.add(x)\n    except ValueError:\n"
        "        return 1\n    else:\n        return 2\n    finally:\n        session.close()\n"
    )
    assert mended(text) == (
        f"{MAKER}def f(x):\n    with S() as session:\n        work()\n        try:\n            session.add(x)\n"
        "        except ValueError:\n            return 1\n        else:\n            return 2\n"
    )


@pytest.mark.parametrize(
    ("inner", "same"),
    [
        ("count = lambda: session.query(x).count()\nwork(count())", False),
        ("def save():\n    session.add(Row(1))\nsave()", False),
        ("work(lambda: session.query(x).count())", True),
        ("def save():\n    session.add(Row(1))\nKEPT.append(save)", True),
    ],
)
def test_a_function_of_the_block_may_know_the_session(inner: str, same: bool) -> None:
    """As long as nobody else gets it."""
    lines = "".join(f"    {line}\n" for line in inner.splitlines())
    text = f"{MAKER}def f(x):\n    session = S()\n{lines}    work()\n    session.close()\n"
    assert (mended(text) == text) is same


MODEL = (
    "from sqlalchemy import Column, Integer, text\nfrom sqlalchemy.orm import relationship, sessionmaker\n\n"
    "S = sessionmaker()\n\n\n"
    "class User(Base):\n    id = Column(Integer, primary_key=True)\n    name = Column(Integer)\n"
    "    addresses = relationship('Address')\n\n"
    "    def to_dict(self):\n        return {'id': self.id}\n\n"
    "    def columns(self):\n        return {c.name: getattr(self, c.name) for c in self.__table__.columns}\n\n"
    "    def everything(self):\n        return {'addresses': self.addresses}\n\n\n"
    "def plain(user):\n    return {'id': user.id, 'name': user.name}\n\n\n"
    "def whole(user):\n    return {'user': user}\n\n\n"
    "def kept(user):\n    KEPT.append(user)\n    return user.id\n\n\n"
    "def named(session, key):\n    user = session.query(User).filter(User.id == key).first()\n"
    "    return user.name\n\n\n"
    "def later(user):\n    yield user.addresses\n\n\n"
    "@other\ndef decorated(user):\n    return user.id\n\n\n"
)
RETURNED = {
    "plain(session.get(User, 1))": True,
    "[plain(user) for user in session.query(User).all()]": True,
    "named(session, 1)": True,
    "session.execute(text('select 1')).fetchall()": True,
    "session.execute('select 1').scalar()": True,
    "session.query(session.query(User).exists()).scalar()": True,
    "next((user.name for user in session.query(User)), None)": True,
    "list(user.name for user in session.query(User))": True,
    "'%s' % session.get(User, 1).addresses": True,
    "whole(session.get(User, 1))": False,
    "kept(session.get(User, 1))": False,
    "later(session.get(User, 1))": False,
    "decorated(session.get(User, 1))": False,
    "session.execute(text('select 1'))": False,
    "session.query(User).from_statement(text('select 1')).all()": False,
    "next(user for user in session.query(User))": False,
    "(user.name for user in session.query(User))": False,
}


@pytest.mark.parametrize(("value", "safe"), RETURNED.items(), ids=RETURNED)
def test_what_is_returned_is_followed(value: str, safe: bool) -> None:
    """Through functions of the project: plain values know nothing of the session."""
    body = f"def f():\n    session = S()\n    return {value}\n"
    assert mended(MODEL + body) == MODEL + (
        f"def f():\n    with S() as session:\n        return {value}\n" if safe else body
    )


@pytest.mark.parametrize(("method", "safe"), [("to_dict", True), ("columns", True), ("everything", False)])
def test_methods_of_mapped_classes_are_followed(method: str, safe: bool) -> None:
    """Where it is known of which class the object is."""
    text = f"{MODEL}def f():\n    session = S()\n    user = session.get(User, 1)\n    return user.{method}()\n"
    assert (mended(text) != text) is safe


ASYNC_CLASS = (
    "from sqlalchemy.ext.asyncio import AsyncSession\nfrom sqlalchemy.orm import Session, sessionmaker\n\n\n"
    "class Mine(AsyncSession):\n    pass\n\n\nclass Yours(Session):\n    pass\n\n\n"
)


@pytest.mark.parametrize(
    ("kind", "code", "form"),
    [
        ("Mine", "async def", "    async with S() as session:\n"),
        ("Yours", "async def", "    with S() as session:\n"),
        ("Yours", "def", "    with S() as session:\n"),
        ("Mine", "def", ""),
        ("chosen()", "def", ""),
    ],
)
def test_the_class_tells_which_with_it_is(kind: str, code: str, form: str) -> None:
    """Also one of the project's own; where nothing tells, there is none."""
    body = f"{code} f():\n    session = S()\n    print(session.is_active)\n"
    text = f"{ASYNC_CLASS}S = sessionmaker(class_={kind})\n\n\n{body}"
    after = mended(text)
    assert form in after if form else after == text


SHORTER = {
    "a plain end": ("count = session.query(x).count()\n", "return count\n"),
    "what comes after the commit": ("session.add(Row(1))\nsession.commit()\n", "# then\nwork()\nreturn 1\n"),
    "nothing, where it may hold a lock": ("session.execute('lock')\nwork()\n", ""),
    "nothing, where it may hold changes": ("session.add(Row(1))\nsession.flush()\nwork()\nsession.rollback()\n", ""),
    "nothing, where the session is not used": ("work()\nreturn 1\n", ""),
    "what does not read an object": ("user = session.query(x).first()\nwork()\nprint(user)\n", "work()\n"),
}


@pytest.mark.parametrize(("inside", "behind"), SHORTER.values(), ids=SHORTER)
def test_a_block_that_nobody_closes_ends_with_the_last_use(inside: str, behind: str) -> None:
    """What else the function does is not moved."""
    opening, rest = f"{MAKER}def f(x):\n    session = S()\n", indent(behind, "    ")
    after = mended(opening + indent(inside, "    ") + rest)
    assert after == f"{MAKER}def f(x):\n    with S() as session:\n{indent(inside, '        ')}{rest}"


TURNS = {
    "name = session.get(Row, n) is None\nprint(name)": True,
    "session.add(Row(1))\nsession.commit()\nwork()": True,
    "row = session.query(Row).first()\nprint(row)": True,
    "session.add(Row(n))\nsession.flush()\nif x:\n    session.commit()": False,
    "print(row)\nrow = session.query(Row).first()": False,
    "if n:\n    row = session.query(Row).first()\nprint(row)": False,
    "for row in session.query(Row):\n    print(row)\nprint(row)": False,
    "if n:\n    print(other.is_active)\nother = session": False,
}


@pytest.mark.parametrize(("body", "safe"), TURNS.items(), ids=TURNS)
def test_each_turn_of_a_loop_closes_its_own(body: str, safe: bool) -> None:
    """Where none needs what the turn before has left."""
    text = f"{MAKER}def f(x, row=None):\n    for n in x:\n        session = S()\n{indent(body, ' ' * 8)}\n"
    assert (mended(text) != text) is safe


def test_what_is_around_the_block_may_swallow_an_error() -> None:
    """Then objects are read behind it."""
    text = (
        f"{MAKER}def f(x):\n    user = None\n    with x:\n        session = S()\n"
        "        user = session.query(x).first()\n        work()\n        session.close()\n    return user\n"
    )
    assert mended(text) == text
    assert mended(text.replace("return user", "return 1")) != text
