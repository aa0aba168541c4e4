"""Writing a file so that it is never half-written, and that what somebody else wrote meanwhile is not lost."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from session_lint.errors import UserError

BOM = "\ufeff"


class WriteError(UserError):
    """A file that was left as it is; the message says why."""


def encoded(text: str, before: bytes, encoding: str) -> bytes:
    """The text as bytes, with a byte order mark where the file had one.

    :param before: the file's bytes.
    :raises WriteError: where its encoding cannot say it.
    """
    mark = BOM.encode() if before.startswith(BOM.encode()) else b""
    try:
        return mark + text.encode("utf-8" if mark else encoding)
    except UnicodeEncodeError as error:
        raise WriteError(f"cannot be written in its encoding: {error}") from None


def write(path: Path, before: bytes, after: bytes) -> None:
    """Put new content in place of what was read, all or nothing.

    A symbolic link stays one: what it points at is written. Mode and ownership are kept.

    :param before: what the file held when it was read.
    :raises WriteError: where the file has changed since, or cannot be written.
    """
    target = path.resolve()
    try:
        if target.read_bytes() != before:
            raise WriteError("the file has changed since it was read")
        if not os.access(target, os.W_OK):
            raise WriteError("the file is read-only")
        _replace(target, after)
    except OSError as error:
        raise WriteError(error.strerror or str(error)) from None


def _replace(target: Path, content: bytes) -> None:
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        _keep_owner(target, temporary)  # first: a change of owner takes bits from the mode
        shutil.copymode(target, temporary)
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _keep_owner(target: Path, temporary: Path) -> None:
    if hasattr(os, "chown"):
        old, new = target.stat(), temporary.stat()
        if (old.st_uid, old.st_gid) != (new.st_uid, new.st_gid):
            os.chown(temporary, old.st_uid, old.st_gid)


def overwrite(path: Path, content: bytes) -> None:
    """Write a file of the tool's own in the place of whatever was there, all or nothing.

    What is no file, as `/dev/stdout` or a pipe, is written to.

    :raises WriteError: where it cannot be written.
    """
    place_for(path)
    target = path.resolve()
    try:
        if not target.exists():
            create(target, content)
        elif target.is_file():
            _replace(target, content)
        else:
            with path.open("wb") as stream:
                stream.write(content)
    except OSError as error:
        raise WriteError(f"{path}: cannot be written: {error.strerror or error}") from None


def place_for(path: Path) -> None:
    """See whether a file could be written.

    :raises WriteError: where its folder is missing, or it is a folder itself.
    """
    if path.is_dir():
        raise WriteError(f"{path}: is a folder; name a file in it")
    if not path.parent.is_dir():
        raise WriteError(f"{path}: there is no folder {path.parent}; make it first: mkdir -p {path.parent}")


def create(path: Path, content: bytes) -> None:
    """Write a new file, all or nothing.

    :raises FileExistsError: where somebody else has written one meanwhile.
    :raises OSError: where it cannot be written.
    """
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o666 & ~_umask())
        path.hardlink_to(temporary)  # unlike a renaming, this takes nobody's place
    finally:
        temporary.unlink(missing_ok=True)


def _umask() -> int:
    """What new files may not be allowed, which can only be asked by setting it."""
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
