"""The places in the corpus where a session may be opened, in an order drawn once and for all, to label by reading.

``python benchmarks/sites.py --count 25 --skip 50`` prints candidates 51 to 75 with the lines around each. What is a
candidate is told by how names look, generously and without session-lint, so that the labels owe nothing to what the
tool can see. Sites in tests are left out.
"""

from __future__ import annotations

import argparse
import ast
import random
import re
import warnings
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from corpus import packages, python_files

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SEED = 20_261_123
# What the corpus calls its openers, once the leading underscores are off.
CALLS = re.compile(
    r"Session|SASession|AsyncSession|SessionLocal|\w*Session(Local|Maker)|(async_)?session(_maker|_factory|_scope)?|"
    r"(create|new|get|make|open|acquire)(_\w+)?_session(_async|_maker)?|"
    r"(db|sa|async|versioned|object)_session|"
    r"session_scoped|(index_)?transaction"
)
FACTORIES = {"sessionmaker", "async_sessionmaker", "scoped_session"}
# Sessions of other things: web logins, Spark, HTTP, labelling.
OTHERS = re.compile(r"\w+_(spark|webhook|backend|labeling|requests?|galaxy|tag_handler|from|in|for)_(\w+_)?session")
DECORATORS = re.compile(r"(provide|read|stream|transactional|with)_session|transaction|session_scope")
ATTRIBUTES = re.compile(r"(db|model|meta|trans)\.(session|Session|sa_session)")
ELSEWHERE = re.compile(r"requests|aiohttp|txrequests|boto3?|botocore|httpx|onnxruntime|pyspark|tensorflow|flask")
TESTS = re.compile(r"(^|/)(tests?|testing|pytest_plugins)/|(^|/)(test_|conftest)")
# Of each hundred sites so many of each shape: the calls outside `with` are where faults are.
SHARES = {"call": 50, "with": 34, "decorator": 8, "attribute": 8}
LARGEST_SHARE = 0.2


class Site(NamedTuple):
    """One candidate.

    :param package: the distribution's name.
    :param file: relative to the package's folder.
    :param line: counted from 1.
    :param symbol: the function or class around it, dotted; empty at module level.
    :param shape: ``call``, ``with``, ``decorator`` or ``attribute``.
    :param text: the expression.
    """

    package: str
    file: str
    line: int
    symbol: str
    shape: str
    text: str


@dataclass
class _Finder(ast.NodeVisitor):
    package: str
    file: str

    def __post_init__(self) -> None:
        self.found: list[Site] = []
        self._around: list[str] = []
        self._with: set[ast.expr] = set()
        self._foreign: set[str] = set()
        self._attributes: set[tuple[str, str]] = set()
        self._called: set[ast.expr] = set()

    def visit_Import(self, node: ast.Import) -> None:
        self._imported(node.names, None)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        self._imported(node.names, node.module or ".")

    def _imported(self, names: list[ast.alias], module: str | None) -> None:
        for name in names:
            if ELSEWHERE.fullmatch((module or name.name).partition(".")[0]):
                self._foreign.add((name.asname or name.name).partition(".")[0])

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._inside(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self._function(node)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        for decorator in node.decorator_list:
            called = decorator.func if isinstance(decorator, ast.Call) else decorator
            if DECORATORS.fullmatch(_last_name(called)):
                self._add(decorator, "decorator", symbol=".".join([*self._around, node.name]))
        self._inside(node)

    def _inside(self, node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self._around.append(node.name)
        for child in ast.iter_child_nodes(node):
            if child not in node.decorator_list:
                self.visit(child)
        self._around.pop()

    def visit_With(self, node: ast.With) -> None:
        self._block(node)

    def visit_AsyncWith(self, node: ast.AsyncWith) -> None:
        self._block(node)

    def _block(self, node: ast.With | ast.AsyncWith) -> None:
        self._with.update(item.context_expr for item in node.items)
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        name = _last_name(node.func)
        if isinstance(node.func, ast.Call):  # the session of a factory that is made in the same breath
            found = _last_name(node.func.func) in FACTORIES
        else:
            found = bool(CALLS.fullmatch(name.lstrip("_"))) and not OTHERS.fullmatch(name)
        if found and ast.unparse(node.func).split(".")[0] not in self._foreign:
            self._add(node, "with" if node in self._with else "call")
            self._called.add(node.func)
        self.generic_visit(node)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if node.attr.lower().endswith("session") and node not in self._called:
            text, symbol = ast.unparse(node), ".".join(self._around)
            if ATTRIBUTES.fullmatch(text) and (symbol, text) not in self._attributes:
                self._attributes.add((symbol, text))  # the first use in each function stands for the others
                self._add(node, "attribute")
        self.generic_visit(node)

    def _add(self, node: ast.expr, shape: str, *, symbol: str | None = None) -> None:
        around = ".".join(self._around) if symbol is None else symbol
        self.found.append(Site(self.package, self.file, node.lineno, around, shape, ast.unparse(node)))


def _last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def sites_in(source: str, package: str, file: str) -> list[Site]:
    """The candidates of one file, in the order of the text; none where it is not Python."""
    finder = _Finder(package, file)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            finder.visit(ast.parse(source))
    except SyntaxError:
        return []
    return sorted(set(finder.found))


def candidates() -> list[Site]:
    """Every candidate of the corpus outside its tests, sorted by place."""
    found = []
    for package in packages():
        for path in python_files(package):
            file = path.relative_to(package.folder).as_posix()
            if not TESTS.search(file):
                found += sites_in(path.read_text("utf-8", errors="replace"), package.name, file)
    return sorted(found)


def drawn(sites: Iterable[Site], seed: int = SEED) -> Iterator[Site]:
    """Candidates in the order in which they are read.

    Each shape is shuffled by itself and has its share of every hundred; a package that has given its largest share of
    what was drawn so far is passed over until the others have caught up, or nothing else is left.
    """
    heaps: dict[str, list[Site]] = defaultdict(list)
    for site in sorted(sites):
        heaps[site.shape].append(site)
    for shape in sorted(heaps):
        random.Random(f"{seed} {shape}").shuffle(heaps[shape])  # noqa: S311 (a draw, not a secret)
    given: Counter[str] = Counter()
    shapes: Counter[str] = Counter()
    while any(heaps.values()):
        shape = min((s for s in heaps if heaps[s]), key=lambda s: ((shapes[s] + 1) / SHARES[s], s))
        allowed = LARGEST_SHARE * (given.total() + 3)
        heap = heaps[shape]
        site = heap.pop(next((i for i, s in enumerate(heap) if given[s.package] < allowed), 0))
        given[site.package] += 1
        shapes[shape] += 1
        yield site


def shown(site: Site, number: int, *, around: int) -> str:
    """A candidate with the lines around it, to read."""
    folder = next(p.folder for p in packages() if p.name == site.package)
    lines = (folder / site.file).read_text("utf-8", errors="replace").splitlines()
    first = max(0, site.line - around)
    text = [
        f"{n:>5}{'>' if n == site.line else ' '} {line}"
        for n, line in enumerate(lines[first : site.line + around], first + 1)
    ]
    where = f"#{number} {site.package} {site.file}:{site.line} [{site.shape}] in {site.symbol or '(module)'}"
    return "\n".join([f"{where}: {site.text}", *text, ""])


def main() -> int:
    """Print candidates; see the head of this file."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--count", type=int, default=25, help="how many")
    parser.add_argument("--skip", type=int, default=0, help="how many to pass over first")
    parser.add_argument("--around", type=int, default=12, help="lines before and after each")
    parser.add_argument("--numbers", action="store_true", help="only how many there are, by package and shape")
    options = parser.parse_args()
    found = candidates()
    if options.numbers:
        for (package, shape), count in sorted(Counter((s.package, s.shape) for s in found).items()):
            print(f"{package:<24}{shape:<12}{count:>6}")
        return 0
    for number, site in enumerate(drawn(found), 1):
        if options.skip < number <= options.skip + options.count:
            print(shown(site, number, around=options.around))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
