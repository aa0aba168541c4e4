"""The corpus: published packages that use SQLAlchemy, at pinned versions, unpacked and never imported.

``python benchmarks/corpus.py`` fetches what ``corpus.toml`` lists and is not there yet. Only wheels are
taken, because pip builds a source distribution to learn its name, and building runs its code.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

HERE = Path(__file__).resolve().parent
ROOT = HERE / ".corpus"


class CorpusError(Exception):
    """A package that cannot be fetched, or is not the one that was pinned."""


@dataclass(frozen=True, order=True)
class Package:
    """One pinned package.

    :param name: the distribution's name.
    :param version: the exact version.
    :param sha256: the digest of its wheel, in hexadecimal.
    """

    name: str
    version: str
    sha256: str

    @property
    def folder(self) -> Path:
        """Where its Python files are unpacked."""
        return ROOT / f"{self.name}-{self.version}"


def packages(table: Path = HERE / "corpus.toml", kind: str = "package") -> list[Package]:
    """What the table lists, in its order.

    :param kind: ``plain`` for the packages that do not use SQLAlchemy, which only ``run.py`` asks for.
    """
    return [Package(**entry) for entry in tomllib.loads(table.read_text("utf-8"))[kind]]


def python_files(package: Package) -> list[Path]:
    """The unpacked Python files of a package, sorted."""
    return sorted(package.folder.rglob("*.py"))


def fetch(package: Package) -> bool:
    """Download and unpack a package, unless it is there.

    :returns: whether anything was fetched.
    :raises CorpusError: where pip fails or the digest differs.
    """
    if package.folder.is_dir():
        return False
    ROOT.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=ROOT) as scratch:
        wheel = _download(package, Path(scratch))
        unpacked = Path(scratch, "unpacked")
        unpack(wheel, unpacked)
        shutil.move(unpacked, package.folder)  # in one step, so that a broken run leaves no half package
    return True


def unpack(wheel: Path, target: Path) -> None:
    """The Python files of a wheel, written below ``target``.

    :raises CorpusError: where a member's name leads out of ``target``.
    """
    target.mkdir()
    with zipfile.ZipFile(wheel) as archive:
        for member in archive.infolist():
            if member.is_dir() or not member.filename.endswith(".py"):
                continue
            if not (target / member.filename).resolve().is_relative_to(target.resolve()):
                raise CorpusError(f"{wheel.name}: {member.filename!r} leads out of the archive")
            archive.extract(member, target)


def _download(package: Package, scratch: Path) -> Path:
    pin = f"{package.name}=={package.version}"
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    # Some packages refuse the newest Pythons, or the oldest; the corpus is read, never run.
    command += ["--only-binary", ":all:", "--ignore-requires-python", "--dest", str(scratch), pin]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    found = list(scratch.glob("*.whl"))
    if done.returncode or len(found) != 1:
        raise CorpusError(f"{pin}: pip could not fetch a wheel\n{done.stderr}")
    digest = hashlib.sha256(found[0].read_bytes()).hexdigest()
    if digest != package.sha256:
        raise CorpusError(f"{pin}: the wheel's SHA-256 is {digest}, pinned is {package.sha256}")
    return found[0]


def fetched(package: Package) -> bool:
    """Fetch a package and say how that went; ``False`` where it cannot be had."""
    try:
        state = "fetched" if fetch(package) else "there"
    except CorpusError as error:
        print(error, file=sys.stderr)
        return False
    print(f"{package.name} {package.version}: {state}, {len(python_files(package))} Python files", flush=True)
    return True


def main() -> int:
    """Fetch what is missing; the exit status is 2 where something cannot be had."""
    failed = sum(not fetched(package) for package in [*packages(), *packages(kind="plain")])
    return 2 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
