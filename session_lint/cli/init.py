"""``session-lint init``: put a copy of the reference session module into a project."""

from __future__ import annotations

import difflib
import io
import keyword
import re
from pathlib import Path
from typing import Any

import click

import session_lint
from session_lint.cli.run import CLEAN, FAILED
from session_lint.report.concise import many, shown
from session_lint.writing import WriteError, create

REFERENCE = "database"


@click.command()
@click.argument("folder", metavar="[DIR]", default=".", type=click.Path(path_type=Path))
@click.option("--name", default=REFERENCE, show_default=True, help="What the package is called.")
@click.option("--diff", is_flag=True, help="Show what would be written and write nothing.")
@click.pass_context
def init(context: click.Context, /, folder: Path, **given: Any) -> None:  # click's options
    """Put a copy of the reference session module into a project that has none.

    It writes DIR/database/: `scoped_session()` for scripts, `get_session()` and `close_global_session()` for long
    runs, and `init_app()` for Flask. Nothing is overwritten: where a file is there already and says something else,
    nothing is written at all.

    Exit codes: 0 it is there now, 2 it could not be written.
    """
    if not given["name"].isidentifier() or keyword.iskeyword(given["name"]):
        raise click.BadParameter(f"{given['name']!r} is no name of a package", param_hint="--name")
    if not folder.is_dir():
        raise click.BadParameter(f"{shown(str(folder))} is not a folder", param_hint="DIR")
    wanted = {folder / given["name"] / name: data for name, data in files(given["name"]).items()}
    other = [path for path, data in wanted.items() if path.exists() and path.read_bytes() != data]
    for path in other:
        click.echo(f"session-lint: {shown(str(path))}: is there already, and is another file", err=True)
    if other:
        context.exit(FAILED)
    missing = {path: data for path, data in wanted.items() if not path.exists()}
    if given["diff"]:
        click.echo("".join(_added(path, data.decode()) for path, data in missing.items()), nl=False)
        context.exit(CLEAN)
    for path, data in missing.items():
        _write(path, data)
        click.echo(f"{shown(str(path))}")
    _next_step(folder / given["name"], missing)


def files(name: str) -> dict[str, bytes]:
    """The reference module's files by their names, as a package of some name."""
    inside = Path(session_lint.__file__).parent
    home = next(p for p in (inside / "reference" / REFERENCE, inside.parent / REFERENCE) if p.is_dir())
    texts = {path.name: path.read_text("utf-8") for path in sorted(home.glob("*.py"))}
    return {
        file: re.sub(rf"\b{REFERENCE}\.(?=flask|session)", f"{name}.", text).encode() for file, text in texts.items()
    }


def _write(path: Path, data: bytes) -> None:
    try:
        path.parent.mkdir(exist_ok=True)
        create(path, data)
    except OSError as error:
        raise WriteError(f"{shown(str(path))}: {error.strerror or error}") from None


def _added(path: Path, text: str) -> str:
    name = shown(str(path)).lstrip("/")
    return "".join(difflib.unified_diff([], list(io.StringIO(text)), "/dev/null", f"b/{name}"))


def _next_step(package: Path, written: dict[Path, bytes]) -> None:
    if not written:
        click.echo(f"{shown(str(package))} is there already, and is the same")
        return
    click.echo(
        f"{many(len(written), 'file')} written; `from {package.name} import scoped_session`, and set DATABASE_URL"
    )
