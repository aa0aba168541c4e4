from pathlib import Path
from tests.lsp.client import Client

TEXT = """from sqlalchemy.orm import sessionmaker

SessionLocal = sessionmaker()


def count(users):
    session = SessionLocal()
    return session.query(users).count()
"""


def test_it(tmp_path: Path) -> None:
    c = Client()
    try:
        c.initialize(tmp_path)
        f = tmp_path / "a.py"
        f.write_text(TEXT)
        c.open(f.as_uri(), TEXT)
        d = c.diagnostics(f.as_uri(), 1)
        print(d)
        a = c.actions(f.as_uri(), 6)
        print(a)
        print(c.ask("codeAction/resolve", a[0]))
        print(c.ask("codeAction/resolve", a[1]))
        print(c.ask("codeAction/resolve", a[-1]))
        c.change(
            f.as_uri(),
            2,
            {"range": {"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 0}}, "text": "\n"},
        )
        print(c.diagnostics(f.as_uri(), 2))
        print([(h["version"], len(h["diagnostics"])) for h in c.history])
        assert c.end() == 0
        print(c.notes, c.registered, c.errors)
    finally:
        c.kill()
