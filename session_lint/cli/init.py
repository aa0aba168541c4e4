"""``session-lint init``: put a copy of the reference session module into a project, or bring one up to date."""

from __future__ import annotations

import difflib
import hashlib
import io
import keyword
import re
from pathlib import Path
from typing import Any

import click

import session_lint
from session_lint.cli.exits import CLEAN, FAILED
from session_lint.cli.screen import Screen
from session_lint.report.concise import many, shown
from session_lint.writing import WriteError, create, write

REFERENCE = "database"
STAMP = re.compile(rb"# session-lint [^\n]*: copied as it is \((?P<digest>[0-9a-f]{12})\)\n")


@click.command(cls=Screen, examples=("session-lint init --diff", "session-lint init src/shop --name db"))
@click.argument("folder", metavar="[DIR]", default=".", type=click.Path(path_type=Path))
@click.option("--name", default=REFERENCE, show_default=True, help="What the package is called.")
@click.option("--diff", is_flag=True, help="Show what would be written and write nothing.")
@click.option("--force", is_flag=True, help="Overwrite files of other contents too.")
@click.pass_context
def init(context: click.Context, /, folder: Path, **given: Any) -> None:  # click's options
    """Put a copy of the reference session module into a project, or bring one up to date.

    It writes DIR/database/: `scoped_session()` for scripts, `get_session()` and `close_global_session()` for long
    runs, their asynchronous twin, what Flask, FastAPI, Celery and pytest need, and the guard. The first line of
    each file says which version it is, and has a digest of it: a copy of another version that nobody has changed is
    replaced. Where any other file is in the way, nothing is written at all, unless with --force.

    Exit codes: 0 it is there now, 2 it could not be written.
    """
    if not given["name"].isidentifier() or keyword.iskeyword(given["name"]):
        raise click.BadParameter(f"{given['name']!r} is no name of a package", param_hint="--name")
    if not folder.is_dir():
        raise click.BadParameter(f"{shown(str(folder))} is not a folder", param_hint="DIR")
    wanted = {folder / given["name"] / name: data for name, data in files(given["name"]).items()}
    there = {path: path.read_bytes() for path in wanted if path.exists()}
    other = [path for path, data in there.items() if data != wanted[path] and not untouched(data)]
    if other and not given["force"]:
        for path in other:
            click.echo(f"session-lint: {shown(str(path))}: is there already, and is another file", err=True)
        context.exit(FAILED)
    new = {path: data for path, data in wanted.items() if there.get(path) != data}
    if given["diff"]:
        click.echo("".join(_changed(path, there.get(path), data) for path, data in new.items()), nl=False)
        context.exit(CLEAN)
    for path, data in new.items():
        _write(path, there.get(path), data)
        click.echo(f"{shown(str(path))}")
    _next_step(folder / given["name"], new)


def files(name: str) -> dict[str, bytes]:
    """The reference module's files by their names, as a package of some name, each with its stamp."""
    inside = Path(session_lint.__file__).parent
    home = next(p for p in (inside / "reference" / REFERENCE, inside.parent / REFERENCE) if p.is_dir())
    texts = {path.name: path.read_text("utf-8") for path in sorted(home.glob("*.py"))}
    submodules = "|".join(sorted(file.removesuffix(".py") for file in texts))
    own = re.compile(rf"\b{REFERENCE}\.(?=(?:{submodules})\b)")
    return {file: _stamped(own.sub(f"{name}.", text).encode()) for file, text in texts.items()}


def untouched(data: bytes) -> bool:
    """Whether a file is a copy of some version that nobody changed since."""
    stamp = STAMP.match(data)
    return stamp is not None and stamp["digest"].decode() == _digest(data[stamp.end() :])


def _stamped(data: bytes) -> bytes:
    return f"# session-lint {session_lint.__version__}: copied as it is ({_digest(data)})\n".encode() + data


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:12]


def _write(path: Path, before: bytes | None, data: bytes) -> None:
    try:
        path.parent.mkdir(exist_ok=True)
        if before is None:
            create(path, data)
        else:
            write(path, before, data)
    except OSError as error:
        raise WriteError(f"{shown(str(path))}: {error.strerror or error}") from None
    except WriteError as error:
        raise WriteError(f"{shown(str(path))}: {error}") from None


def _changed(path: Path, before: bytes | None, data: bytes) -> str:
    name = shown(str(path)).lstrip("/")
    old = "/dev/null" if before is None else f"a/{name}"
    old_lines, new_lines = (
        list(io.StringIO(text)) for text in ((before or b"").decode(errors="replace"), data.decode())
    )
    return "".join(difflib.unified_diff(old_lines, new_lines, old, f"b/{name}"))


def _next_step(package: Path, written: dict[Path, bytes]) -> None:
    if not written:
        click.echo(f"{shown(str(package))} is there already, and is the same")
        return
    click.echo(
        f"{many(len(written), 'file')} written; `from {package.name} import scoped_session`, and set DATABASE_URL"
    )
