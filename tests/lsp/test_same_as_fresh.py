"""After whatever was typed, opened, closed and cancelled, the server says what a fresh start says.

By default a hundred and fifty edits; ``SESSION_LINT_EDITS=10000`` asks for more, ``SESSION_LINT_SEED`` for others.
"""

from __future__ import annotations

import logging
import os
import random
from collections import Counter
from typing import TYPE_CHECKING, Any

from session_lint import analysis, engine
from session_lint.lsp.positions import Columns, line_starts
from session_lint.settings import Settings
from session_lint.source import Source
from tests.lsp.texts import HEAD, MODELS, SHAPES

if TYPE_CHECKING:
    from pathlib import Path

    from tests.lsp.client import Client

EDITS = int(os.environ.get("SESSION_LINT_EDITS", "150"))
SEED = int(os.environ.get("SESSION_LINT_SEED", "7"))
BATCH = 25
DB = """\
from contextlib import contextmanager

from sqlalchemy.orm import sessionmaker

SessionLocal = sessionmaker()
_session = None


def fresh():
    return SessionLocal()


@contextmanager
def scope():
    session = fresh()
    try:
        yield session
        session.commit()
    except Exception:
        session.rollback()
        raise
    finally:
        session.close()


def get_session():
    global _session
    if _session is None:
        _session = SessionLocal()
    return _session


def close_session():
    global _session
    if _session is not None:
        _session.close()
        _session = None
"""
SERVICE = """\
from db import close_session, fresh, get_session, scope
from models import Order, User


def store(session, total):
    session.add(Order(total=total))
    session.commit()


def sell(total):
    with scope() as session:
        store(session, total)
        return total


def count():
    session = fresh()
    return session.query(User).count()


def main():
    get_session().add(User())
    close_session()


def forgotten():
    return get_session().query(User).count()
"""
WEB = """\
from service import count, forgotten, main, sell


def page(request):
    sell(request.total)
    return [count(), forgotten()]


if __name__ == "__main__":
    main()
"""
TYPED = (
    *("x", "\n", "\n\n", "    ", "\t", "(", ")", '"', "'''", "# ", ":", "é", "😀", "\\", "\u2028", "\r\n", "\x0c"),
    *(
        "session.close()",
        "session.commit()",
        "fresh()",
        "scope()",
        "return session",
        "get_session()",
        "close_session()",
    ),
    *(
        "with scope() as session:\n        ",
        "\nfrom db import fresh\n",
        "# session-lint: ignore[SES101]",
        "  # noqa: SES101\n",
    ),
    "\n\ndef helper():\n    return fresh()\n\n",
    "\n\ndef again():\n    session = helper()\n    session.add(1)\n\n",
    "\n\nclass Keeper:\n    def __init__(self):\n        self.session = fresh()\n\n",
)
COLUMNS = Columns("utf-16")


class Editor:
    """One who types at random, and what the files and the open texts then hold."""

    def __init__(self, client: Client, root: Path, chance: random.Random) -> None:
        self.client, self.root, self.chance = client, root, chance
        orders = HEAD + "".join(shape.format(n=n, m=n - 1, t=n - 2) for n, shape in enumerate(SHAPES))
        self.texts = {"db.py": DB, "service.py": SERVICE, "web.py": WEB, "models.py": MODELS, "orders.py": orders}
        self.first = dict(self.texts)
        self.disk = dict(self.texts)
        self.versions: dict[str, int] = {}
        for name, text in self.texts.items():
            (root / name).write_text(text, encoding="utf-8", newline="")

    def uri(self, name: str) -> str:
        """What the editor calls a file."""
        return (self.root / name).as_uri()

    def act(self) -> None:
        """Do one thing that people do in an editor."""
        closed = [name for name in self.texts if name not in self.versions]
        if closed and (not self.versions or self.chance.random() < 0.1):
            self.open(self.chance.choice(closed))
            return
        name = self.chance.choice([*self.versions])
        what = self.chance.random()
        if what < 0.03:
            self.close(name)
        elif what < 0.06:
            self.save(name)
        elif what < 0.12:
            self.ask_and_leave(name)
        elif what < 0.2:
            self.replace(name, self.first[name])
        elif what < 0.45:
            self.rearrange(name)
        else:
            self.type(name)

    def tidy(self) -> None:
        """Let most open texts be Python again: of others there is little to say."""
        for name in self.versions:
            if self.chance.random() < 0.8:
                self.rearrange(name)

    def open(self, name: str) -> None:
        """Open a file."""
        self.texts[name] = self.disk[name]
        self.versions[name] = 1
        self.client.open(self.uri(name), self.texts[name])

    def close(self, name: str) -> None:
        """Close a text without saving it."""
        del self.versions[name]
        self.texts[name] = self.disk[name]
        self.client.close(self.uri(name))

    def save(self, name: str) -> None:
        """Save a text."""
        self.disk[name] = self.texts[name]
        (self.root / name).write_text(self.texts[name], encoding="utf-8", newline="")
        self.client.notify("textDocument/didSave", {"textDocument": {"uri": self.uri(name)}})
        change = {"uri": self.uri(name), "type": 2}
        self.client.notify("workspace/didChangeWatchedFiles", {"changes": [change]})

    def ask_and_leave(self, name: str) -> None:
        """Ask what can be done, and leave before the answer comes."""
        place = {"start": {"line": 0, "character": 0}, "end": {"line": 200, "character": 0}}
        params = {"textDocument": {"uri": self.uri(name)}, "range": place, "context": {"diagnostics": []}}
        number = self.client.begin("textDocument/codeAction", params)
        self.client.notify("$/cancelRequest", {"id": number})

    def replace(self, name: str, text: str) -> None:
        """Put another text in the place of one."""
        self.versions[name] += 1
        self.texts[name] = text
        self.client.change(self.uri(name), self.versions[name], {"text": text})

    def rearrange(self, name: str) -> None:
        """Take a whole part of some text out, or put it, or another one's, somewhere else: that stays Python."""
        other = self.chance.choice([*self.first])
        parts = self.first[name].split("\n\n\n")
        if self.chance.random() < 0.5:
            parts.pop(self.chance.randrange(len(parts)))
        part = self.chance.choice([*parts, *self.first[other].split("\n\n\n")])
        lines = part.splitlines(keepends=True)
        if self.chance.random() < 0.5:
            lines.insert(self.chance.randrange(1, len(lines) + 1), "    session.commit()\n")
        parts.insert(self.chance.randrange(len(parts) + 1), "".join(lines))
        self.replace(name, "\n\n\n".join(parts))

    def type(self, name: str) -> None:
        """Replace a random stretch by something that people type."""
        text = self.texts[name]
        start = self.chance.randrange(len(text) + 1)
        end = min(len(text), start + self.chance.choice([0, 0, 0, 1, 5, 40, 200]))
        while "\r\n" in (text[start - 1 : start + 1], text[end - 1 : end + 1]):  # no place is between the two
            start, end = max(start - 1, 0), min(end + 1, len(text))
        content = self.chance.choice(TYPED)
        place = {"start": self.place(text, start), "end": self.place(text, end)}
        self.versions[name] += 1
        self.texts[name] = text[:start] + content + text[end:]
        self.client.change(self.uri(name), self.versions[name], {"range": place, "text": content})

    @staticmethod
    def place(text: str, offset: int) -> dict[str, int]:
        """A place as the protocol counts it."""
        starts = [start for start in line_starts(text) if start <= offset]
        units = len(text[starts[-1] : offset].encode("utf-16-le")) // 2
        return {"line": len(starts) - 1, "character": units}

    def told(self) -> dict[str, list[tuple[Any, ...]]]:
        """What the server says of each open text."""
        self.client.settle()
        published = {name: self.client.published[self.uri(name)] for name in self.versions}
        assert self.versions == {name: one["version"] for name, one in published.items()}
        return {name: sorted(tuple(d["data"]) for d in one["diagnostics"]) for name, one in published.items()}

    def expected(self) -> dict[str, list[tuple[Any, ...]]]:
        """What a fresh start says, with the open texts in the place of the files."""
        engine.forget()
        for name in self.versions:
            analysis.stand_in(self.root / name, self.texts[name].encode())
        settings = Settings(cache=False)
        found = {}
        for name in self.versions:
            path = str(self.root / name)
            findings = engine.lint_source(Source(path, self.texts[name]), settings)
            found[name] = sorted((f.code, f.location.row, f.location.column, f.message) for f in findings)
        engine.forget()
        return found


def test_after_random_edits_and_cancellations_the_server_says_what_a_fresh_start_says(
    client: Client, shop: Path
) -> None:
    (shop / "users.py").unlink()
    editor = Editor(client, shop, random.Random(SEED))
    seen: Counter[str] = Counter()
    for batch in range(EDITS // BATCH):
        for _ in range(BATCH):
            editor.act()
        editor.tidy()
        expected = editor.expected()
        assert expected == editor.told(), f"after {(batch + 1) * BATCH} edits with seed {SEED}"
        seen.update(code for found in expected.values() for code, *_ in found)
    assert {"SES101", "SES900"} <= {*seen}, seen
    logging.getLogger(__name__).info("findings that were compared: %s", seen)
