"""Notebooks are checked cell by cell, Markdown block by block."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from session_lint.engine import FileReport, lint_content, lint_file, lint_paths
from session_lint.files import discover
from session_lint.finding import Finding, Location
from session_lint.settings import Settings
from tests.faces.test_cli import run

SETTINGS = Settings(cache=False)
IMPORT = "from database.session import SessionLocal"
LEAK = "def count(q):\n    session = SessionLocal()\n    return session.execute(q)\n"
PYTHON = {"kernelspec": {"language": "python", "name": "python3"}, "language_info": {"name": "python", "version": "3"}}


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder without a project around it, which would be read."""
    monkeypatch.chdir(tmp_path)


def notebook(*cells: str | tuple[str, str], metadata: dict[str, Any] | None = None, **more: Any) -> bytes:
    """A notebook's bytes: texts are code cells, pairs have their kind in front."""
    pairs = [cell if isinstance(cell, tuple) else ("code", cell) for cell in cells]
    listed = [
        {
            "cell_type": kind,
            "id": f"c{number}",
            "metadata": {},
            "source": text.splitlines(keepends=True),
            **({"execution_count": 1, "outputs": [{"output_type": "stream", "text": ["x"]}]} if kind == "code" else {}),
        }
        for number, (kind, text) in enumerate(pairs)
    ]
    content = {
        "cells": listed,
        "metadata": PYTHON if metadata is None else metadata,
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps({**content, **more}, indent=1).encode()


def lint(data: bytes, name: str = "work.ipynb") -> tuple[Finding, ...]:
    """The findings in a file's content."""
    return lint_content(data, Path(name), SETTINGS).findings


def places(findings: tuple[Finding, ...]) -> list[tuple[str, int, int, int]]:
    """Code, cell, row and column of each."""
    return [(f.code, f.location.cell, f.location.row, f.location.column) for f in findings]


# notebooks


def test_a_finding_has_its_cell() -> None:
    """Counted among all cells, those of text too; the rows of the message and of the way are the cell's."""
    (found,) = lint(notebook(("markdown", "# Work"), IMPORT, ("raw", "x ("), "%time 1\n" + LEAK))
    assert (found.location, found.end_location) == (Location(3, 15, 4), Location(3, 29, 4))
    assert found.message == "session 'session' is still open when line 4 of cell 4 returns"
    assert [step.location for step in found.trace] == [Location(3, 15, 4), Location(4, 5, 4)]
    assert (found.fix, found.refusal.startswith("a notebook is not rewritten")) == (None, True)


def test_cells_share_one_scope_in_their_order() -> None:
    """What one cell opens another may close, and use."""
    opened, used, closed = "session = SessionLocal()", "session.execute(1)", "session.close()"
    assert "SES101" not in [f.code for f in lint(notebook(IMPORT, opened, used, closed))]
    assert places(lint(notebook(IMPORT, opened, used))) == [("SES101", 2, 1, 11)]


def test_what_stands_in_a_notebook_is_not_imported() -> None:
    """A session of its own for functions is no mistake of a module (SES604); in a module it is one."""
    text = f"{IMPORT}\nsession = SessionLocal()\ndef f():\n    return session.execute(1)\n"
    assert "SES604" not in [f.code for f in lint(notebook(text))]
    assert "SES604" in [f.code for f in lint(text.encode(), "work.py")]


def test_comments_silence_in_cells() -> None:
    """On the line, and one that silences nothing is found in its cell."""
    silenced = LEAK.replace("()\n", "()  # noqa: SES101\n", 1)
    assert lint(notebook(IMPORT, silenced)) == ()
    (found,) = lint(notebook(IMPORT, "x = 1\ny = 2  # session-lint: ignore[SES201]\n"))
    assert (found.code, found.location, found.trace[0].message) == (
        "SES901",
        Location(2, 8, 2),
        "speaks for line 2 of cell 2",
    )


@pytest.mark.parametrize("source", [LEAK, LEAK.splitlines(keepends=True), LEAK.replace("\n", "\r\n"), LEAK.rstrip()])
def test_the_source_of_a_cell_is_a_text_or_lines(source: object) -> None:
    """With any line ends, and none at the end."""
    content = json.loads(notebook(IMPORT, "x", "y = 1"))
    content["cells"][1]["source"] = source
    assert places(lint(json.dumps(content).encode())) == [("SES101", 2, 2, 15)]


def test_a_cell_may_be_indented() -> None:
    """As IPython allows it: it is no part of the function in the cell above, and the columns are its own."""
    above, indented = "def f():\n    pass", "\n    session = SessionLocal()\n    session.execute(1)"
    assert places(lint(notebook(IMPORT, above, indented, "x = 1"))) == [("SES101", 3, 2, 15)]
    assert places(lint(notebook(IMPORT, f"%%time\n    # why\n{LEAK}"))) == [("SES101", 2, 4, 15)]
    (found,) = lint(notebook(IMPORT, above, indented, LEAK.replace("session", "other")))[1:]
    assert (found.location, found.symbol) == (Location(2, 13, 4), "count")


def test_wide_characters_and_a_byte_order_mark() -> None:
    """Columns are characters."""
    text = f"{IMPORT}\ndef f(q):\n    é, session = 'жж', SessionLocal()\n    return session.execute(q)\n"
    (place,) = places(lint(b"\xef\xbb\xbf" + notebook(text)))
    assert place == ("SES101", 1, 3, 24)


@pytest.mark.parametrize(
    ("metadata", "number"),
    [
        ({}, 1),
        ({"language_info": {"name": "python"}}, 1),
        ({"kernelspec": {"name": "python3", "display_name": "x"}}, 1),
        ({"language_info": {"name": "ipython"}}, 1),
        ({"language_info": {"name": "R"}}, 0),
        ({"kernelspec": {"language": "julia", "name": "julia-1.9"}}, 0),
        ({"kernelspec": {"language": "scala"}, "language_info": {"name": "scala"}}, 0),
    ],
)
def test_other_languages_are_left_alone(metadata: dict[str, Any], number: int) -> None:
    """A notebook that says nothing is Python."""
    assert len(lint(notebook(f"{IMPORT}\n{LEAK}", metadata=metadata))) == number


@pytest.mark.parametrize(
    ("data", "row", "said"),
    [
        (b'{\n"cells": [\n}', 3, "not a notebook: JSON is malformed"),
        (b"", 1, "not a notebook: "),
        (b"[]", 1, "not a notebook: Expected `object`, got `array`"),
        (b"{}", 1, "not a notebook: Object missing required field `nbformat`"),
        (b'{"nbformat": 4, "cells": [{"cell_type": "code", "source": 3}]}', 1, "not a notebook: Expected"),
        (b'{"nbformat": 3, "worksheets": []}', 1, "notebook of format 3: read from format 4 on"),
        (b'{"nbformat": 4, "cells": [{"cell_type": "code", "source": "\xff"}]}', 1, "not a notebook: "),
    ],
)
def test_what_is_no_notebook_is_said(data: bytes, row: int, said: str) -> None:
    """As SES900, with its reason, at its row where that is known."""
    (found,) = lint(data)
    assert (found.code, found.location, said in found.message) == ("SES900", Location(row, 1), True)


def test_a_cell_that_is_no_python_is_said() -> None:
    """With the cell and the row in it."""
    assert places(lint(notebook(IMPORT, "x = 1\nfor (\n"))) in (
        [("SES900", 2, 2, 5)],
        [("SES900", 2, 2, 6)],
    )


def test_a_notebook_without_words_of_sessions_is_parsed_where_it_is_named(tmp_path: Path) -> None:
    """As a module is: in a folder, prose in a cell is nobody's concern."""
    (tmp_path / "prose.ipynb").write_bytes(notebook("this cell isn't Python"))
    (tmp_path / "broken.ipynb").write_bytes(notebook(IMPORT, "this cell isn't Python"))
    (tmp_path / "silenced.ipynb").write_bytes(notebook("x = 1  # noqa: SES101"))

    def said(*paths: str) -> list[str]:
        done = run("check", "--no-cache", "--select=ALL", "--output-format=concise", *paths, cwd=tmp_path)
        return [" ".join(line.split()[:3]) for line in done.stdout.decode().splitlines() if "SES" in line]

    assert said(".") == ["broken.ipynb:cell 2:1:14: SES900", "silenced.ipynb:cell 1:1:8: SES901"]
    assert said("prose.ipynb") == ["prose.ipynb:cell 1:1:14: SES900"]


def test_a_notebook_without_code_is_clean() -> None:
    """Neither cells nor text in them."""
    assert lint(notebook()) == lint(notebook(("markdown", "x"), " \n")) == ()


def test_a_module_of_the_same_name_stays_itself(tmp_path: Path) -> None:
    """`db.ipynb` beside `db.py`: both are judged, and what a third imports is the module."""
    (tmp_path / "pyproject.toml").touch()
    opener = "from sqlalchemy.orm import Session\ndef make(e):\n    return Session(e)\n"
    (tmp_path / "db.py").write_text(opener)
    (tmp_path / "db.ipynb").write_bytes(
        notebook("def make(e):\n    return None\n", "session = make(1)\nsession.commit()")
    )
    (tmp_path / "use.py").write_text("from db import make\ndef f(e):\n    s = make(e)\n    s.execute(1)\n")
    names = [tmp_path / name for name in ("db.ipynb", "db.py", "use.py")]
    expected = [("db.ipynb", []), ("db.py", []), ("use.py", ["SES101"])]
    for order in (names, names[::-1]):
        found = [(Path(r.path).name, [f.code for f in r.findings]) for r in lint_paths(order, SETTINGS)]
        assert sorted(found) == expected


def test_it_imports_from_its_project(tmp_path: Path) -> None:
    """As a module in its place would."""
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "db.py").write_text("from sqlalchemy.orm import Session\ndef make(e):\n    return Session(e)\n")
    (tmp_path / "a.ipynb").write_bytes(notebook("from db import make", "def f(e):\n    s = make(e)\n    s.execute(1)"))
    assert places(lint_file(tmp_path / "a.ipynb", SETTINGS).findings) == [("SES101", 2, 2, 9)]


def test_what_is_kept_is_told_apart(tmp_path: Path) -> None:
    """New outputs change nothing; the same text in other cells does; and a second run finds the same in the cache."""
    settings, file = Settings(root=tmp_path), tmp_path / "a.ipynb"

    def linted(data: bytes) -> FileReport:
        file.write_bytes(data)
        (report,) = lint_paths([file], settings)
        return report

    first = linted(notebook(IMPORT, LEAK))
    again = linted(notebook(IMPORT, LEAK).replace(b'"x"', b'"y"'))
    other = linted(notebook(f"{IMPORT}\n{LEAK}"))
    assert (first.cached, again.cached, other.cached) == (False, True, False)
    assert (first.findings == again.findings, places(other.findings)) == (True, [("SES101", 1, 3, 15)])
    assert linted(notebook(IMPORT, LEAK)) == FileReport(str(file), first.findings, cached=True)


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    """A folder with a notebook, a Markdown file and a checkpoint."""
    (tmp_path / "work.ipynb").write_bytes(notebook(("markdown", "x"), IMPORT, "%time 1\n" + LEAK))
    (tmp_path / "notes.md").write_text(f"# Notes\n\n```python\n{IMPORT}\n{LEAK}```\n")
    (tmp_path / ".ipynb_checkpoints").mkdir()
    (tmp_path / ".ipynb_checkpoints" / "work-checkpoint.ipynb").write_bytes(notebook(IMPORT, LEAK))
    return tmp_path


@pytest.mark.parametrize("repository", [False, True])
def test_a_walk_takes_what_the_settings_say(folder: Path, monkeypatch: pytest.MonkeyPatch, repository: bool) -> None:
    """Notebooks unless told otherwise, Markdown where told; what is named is taken in any case."""
    monkeypatch.chdir(folder)
    if repository:
        subprocess.run(["git", "init", "-q"], check=True, timeout=60)
    Path("a.py").touch()

    def found(settings: Settings, *paths: str) -> list[str]:
        return [str(path) for path in discover(paths or ["."], settings)[0]]

    assert found(Settings()) == ["a.py", "work.ipynb"]
    assert found(Settings(notebooks=False)) == ["a.py"]
    assert found(Settings(markdown=True)) == ["a.py", "notes.md", "work.ipynb"]
    assert found(Settings(notebooks=False), "work.ipynb", "notes.md") == ["notes.md", "work.ipynb"]
    assert found(Settings(notebooks=False, force_exclude=True), "a.py", "work.ipynb", "notes.md") == [
        "a.py",
        "notes.md",
    ]


def test_a_project_inside_has_its_say(folder: Path) -> None:
    """About notebooks, too: a walk from above leaves out what its settings do."""
    (folder / "inside").mkdir()
    (folder / "inside" / "session-lint.toml").write_text("notebooks = false\n")
    (folder / "work.ipynb").rename(folder / "inside" / "work.ipynb")
    assert run("check", "--show-files", cwd=folder).stdout == b""
    assert run("check", "--show-files", "inside/work.ipynb", cwd=folder).stdout == b"inside/work.ipynb\n"


def test_the_reports(folder: Path) -> None:
    """The cell stands in every place that is printed, and the code as it was written."""
    done = run("check", "--no-cache", cwd=folder)
    assert done.stdout.decode().splitlines() == [
        "work.ipynb:cell 3:3:15: SES101 session 'session' is still open when line 4 of cell 3 returns",
        "1 │ %time 1",
        "2 │ def count(q):",
        "3 │     session = SessionLocal()",
        "  │               ^^^^^^^^^^^^^^ 1: opened here",
        "4 │     return session.execute(q)",
        "  │     ───────────────────────── 2: leaves here, still open",
        "  no fix: a notebook is not rewritten: the cell has to be changed where it is edited",
        "  see: https://session-lint.readthedocs.io/en/stable/rules/session-not-closed.html",
        "",
        "Found 1 error in 1 file (1 file checked)",
    ]
    (entry,) = json.loads(run("check", "--output-format", "json", "work.ipynb", cwd=folder).stdout)
    assert (entry["cell"], entry["location"], entry["trace"][1]["cell"]) == (3, {"row": 3, "column": 15}, 3)
    piped = run("check", "-", "--stdin-filename", "x.ipynb", cwd=folder, stdin=notebook(IMPORT, LEAK))
    assert piped.stdout.startswith(b"x.ipynb:cell 2:2:15: SES101 ")


def test_no_fix_touches_one(folder: Path) -> None:
    """`fix` and `migrate` leave it as it is, byte for byte, and say so."""
    before = {file: file.read_bytes() for file in folder.iterdir() if file.is_file()}
    done = run("fix", "--unsafe", ".", "notes.md", cwd=folder)
    assert (done.returncode, done.stdout) == (1, b"0 fixed in 0 files, 2 left\n")
    assert run("migrate", "--report", "", ".", "notes.md", cwd=folder).returncode == 0
    piped = run("fix", "--unsafe", "-", "--stdin-filename", "x.ipynb", cwd=folder, stdin=notebook(IMPORT, LEAK))
    assert (piped.returncode, piped.stdout) == (1, notebook(IMPORT, LEAK))
    assert b"x.ipynb:cell 2:2:15: SES101 was not fixed: a notebook is not rewritten" in piped.stderr
    assert {file: file.read_bytes() for file in folder.iterdir() if file.is_file()} == before


def test_a_baseline_knows_a_finding_in_another_cell(folder: Path) -> None:
    """And a change of its outputs is none."""
    assert run("baseline", cwd=folder).returncode == 0
    (folder / "work.ipynb").write_bytes(notebook(IMPORT, "x = 1\n", "y = 1", LEAK))
    assert run("check", "--baseline", cwd=folder).returncode == 0


# Markdown


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"```python\n{IMPORT}\n{LEAK}```\n", [(4, 15)]),
        (f"x\n\n~~~~ py title='x'\n{IMPORT}\n{LEAK}~~~~\n", [(6, 15)]),
        (f"```{{code-block}} python\n:caption: x\n\n{IMPORT}\n{LEAK}```\n", [(6, 15)]),
        (f"```{{.python}}\n{IMPORT}\n{LEAK}", [(4, 15)]),
        ("1. x\n\n   ```python\n   " + f"{IMPORT}\n{LEAK}".replace("\n", "\n   ").rstrip() + "\n   ```\n", [(6, 18)]),
        (f"```pycon\n>>> {IMPORT}\n>>> def f(q):\n...     s = SessionLocal()\n...     s.get(q)\n3\n```\n", [(4, 13)]),
        (f"```\r\n```\r\n```python\r\n{IMPORT}\r\n{LEAK}```\r\n", [(6, 15)]),
        (f"```python\n{IMPORT}\n{LEAK}```\n\n```python\n{LEAK}```\n", [(4, 15)]),
        (f"```python\n{IMPORT}\n{LEAK}```\n```python\n{IMPORT}\n{LEAK}```\n", [(4, 15), (10, 15)]),
        (f"```bash\n{IMPORT}\n{LEAK}```\n", []),
        (f"```\n{IMPORT}\n{LEAK}```\n", []),
        (f"```text\n```python\n{IMPORT}\n{LEAK}```\n", []),
        (f"````text\n```python\n{IMPORT}\n{LEAK}```\n````\n", []),
        (f"```python\n{IMPORT}\nand so on (\n{LEAK}```\n", []),
        ("```{code-block}\n```\n", []),
        ("```python\n", []),
        ("", []),
    ],
)  # fmt: skip
def test_blocks_of_markdown(text: str, expected: list[tuple[int, int]]) -> None:
    """Each block is a module of its own, at the file's rows and columns; other languages and pieces are left out."""
    found = lint(text.encode(), "notes.md")
    assert [(f.location.row, f.location.column) for f in found] == expected
    assert {f.location.cell for f in found} <= {0}


def test_markdown_on_request(folder: Path) -> None:
    """By the option, by the settings, and by its name."""
    assert run("check", "--no-cache", "--markdown", "--output-format", "concise", cwd=folder).stdout.startswith(
        b"notes.md:6:15: SES101 "
    )
    (folder / "pyproject.toml").write_text("[tool.session-lint]\nmarkdown = true\nnotebooks = false\n")
    done = run("check", "--output-format", "concise", cwd=folder)
    assert (done.returncode, len(done.stdout.splitlines())) == (1, 2)


def test_markdown_that_cannot_be_decoded() -> None:
    """Is said."""
    (found,) = lint(b"x\n```python\n\xff\n```\n", "notes.md")
    assert (found.code, "cannot be decoded: " in found.message) == ("SES900", True)
