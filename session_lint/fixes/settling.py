"""Whether the global session may be closed in a ``finally`` of the entry that leaves it open, and where.

The entry is a function that nobody in the program calls, or a module's body. What follows the opening there goes into
a ``try`` whose ``finally`` calls the closer; a call of the closer that stood at the end moves into it.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from session_lint.finding import Applicability, Fix
from session_lint.fixes.shape import alone
from session_lint.python.nodes import own_nodes, own_of, path
from session_lint.python.scopes import BindingKind, parameters
from session_lint.values import dataclass
from session_lint.vocabulary import Role

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from session_lint.analysis import Ending, ModuleFacts
    from session_lint.analysis.module import Module
    from session_lint.analysis.singletons import Debt


_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)


@dataclass(frozen=True)
class _Closer:
    """How a module can call the closer of a global session.

    :param home: where it has to be imported from; empty where the module knows it already.
    :param beside: the row of the import that brings the getter.
    :param joins: the name by which that import binds the getter, where the closer is from the same module.
    """

    expression: str
    home: str = ""
    name: str = ""
    beside: int = 0
    joins: str = ""


@dataclass(frozen=True, eq=False)
class _Region:
    """Statements of one suite that a ``try`` can take in.

    :param drop: calls of the closer among them, which the ``finally`` makes superfluous.
    :param rest: the statements behind them.
    """

    statements: list[ast.stmt]
    drop: list[ast.stmt]
    rest: list[ast.stmt]


def settle(facts: ModuleFacts, debt: Debt) -> dict[str, Any]:
    """What a finding about the global session says of its cure: ``fix``, or ``refusal``."""
    found = _settled(facts, debt)
    return {"fix": found} if isinstance(found, Fix) else {"refusal": found}


def _settled(facts: ModuleFacts, debt: Debt) -> Fix | str:
    ending = (debt.normal or debt.raised)[0]
    module, code, site = ending.solved.problem.module, ending.solved.code, ending.fact.site
    assert site is not None
    assert facts.module is not None
    inner = _closing(facts, debt)
    if inner is not None and inner is not code:
        module, code, site = facts.module, inner, debt.origin
    if module is not facts.module:
        return f"{debt.entry} has to close it, in a `finally`"
    if any(isinstance(n, (ast.Yield, ast.YieldFrom)) for n in own_nodes(code)):
        return "the code is a generator: its consumer decides when the `finally` runs"
    closer = _closer(module, debt)
    if closer is None:
        return "no function that closes the global session is known by one name here"
    region = _region(module, code, site.node, debt.origin.key)
    if isinstance(region, str):
        return region
    for one in (region.statements[0], region.statements[-1], *region.drop):
        if not alone(facts.source, one):
            return f"line {one.lineno} holds more than one statement: put each on a line of its own"
    doubt = next(_doubts(code, [*debt.normal, *debt.raised], region), "")
    if code is inner and code is not ending.solved.code and not doubt and not _run_alone(module, code):
        doubt = "whoever catches what it raises would find the global session closed"
    start, last = facts.source.start(region.statements[0]), facts.source.start(region.statements[-1])
    plan = (
        ("first", (start.row, start.column)),
        ("last", (last.row, last.column)),
        ("drop", tuple((p.row, p.column) for p in map(facts.source.start, region.drop))),
        ("statement", closer.expression),
        ("module", closer.home),
        ("imported", closer.name),
        ("beside", closer.beside),
        ("joins", closer.joins),
    )
    applicability = Applicability.UNSAFE if doubt else Applicability.SAFE
    return Fix(applicability, "Close the global session in a `finally`", "wrap_in_finally", plan, doubt)


def _closing(facts: ModuleFacts, debt: Debt) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    """The function that asks for the global session where it closes it, too: then that is where it has to be mended."""
    code, module = facts.code_at(debt.origin.node), facts.module
    if module is None or not isinstance(code, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return None
    return code if any(_closes(module, n, debt.origin.key) for n in own_of(code, ast.Expr)) else None


def _run_alone(module: Module, code: ast.AST) -> bool:
    """Whether the module itself runs a function in a statement of its own, and nothing else in it names it."""
    name, body = getattr(code, "name", ""), getattr(module.names.scopes.module.node, "body", [])
    named = [n for n in module.parents if isinstance(n, ast.Name) and n.id == name]
    if len(named) != 1 or module.parents[code] is not module.names.scopes.module.node:
        return False
    suites = [body, *(s.body for s in body if isinstance(s, ast.If))]
    return any(isinstance(s, ast.Expr) and named[0] in ast.walk(s) for suite in suites for s in suite)


def _closer(module: Module, debt: Debt) -> _Closer | None:
    """How the module calls the closer of the global session that a getter gives."""
    top = module.names.scopes.module
    for name in top.bindings:
        found = module.calls.meaning(module.names.qualify(ast.Name(name, ast.Load()), top))
        if found is not None and found.role is Role.CLOSER and found.closes == debt.origin.key:
            return _Closer(f"{name}()")
    getter = debt.origin.node
    if not isinstance(getter, ast.Call):
        return None
    names = _closers(module, getter, debt.origin.key)
    if len(names) != 1:
        return None
    home, _, name = names[0].rpartition(".")
    if isinstance(getter.func, ast.Attribute):
        return _Closer(f"{path(getter.func.value)}.{name}()") if path(getter.func.value) else None
    bindings = top.bindings.get(path(getter.func), [])
    plain = len(bindings) == 1 and bindings[0].kind is BindingKind.IMPORT
    if not plain or name in top.bindings or bindings[0].node not in getattr(top.node, "body", ()):
        return None
    written = bindings[0].target.rpartition(".")[0]
    joins = path(getter.func) if written else ""
    return _Closer(f"{name}()", written or home, name, getattr(bindings[0].node, "lineno", 0), joins)


def _closers(module: Module, getter: ast.Call, key: str) -> list[str]:
    """The dotted names of the functions that close the global session of a getter."""
    meaning = module.calls.callee(getter).meaning
    told = module.calls.vocabulary.meaning(meaning.closer) if meaning is not None else None
    if meaning is not None and told is not None and told.role is Role.CLOSER:
        return [meaning.closer]
    elsewhere = module.names.elsewhere
    found = elsewhere.find(key.rpartition(".")[0], module.names) if elsewhere is not None else None
    if found is None:
        return []
    home = module.program.module(found[0])
    return [
        name for name, m in home.singletons.items() if m.role is Role.CLOSER and m.closes == key and _bare(home, name)
    ]


def _bare(home: Module, name: str) -> bool:
    """Whether a function of a module can be called with nothing, by a name at the module's top."""
    node = home.names.definitions[name]
    return isinstance(node, ast.FunctionDef) and not parameters(node) and "." not in home.names.scopes.of[node].path


def _region(module: Module, code: ast.AST, node: ast.AST, key: str) -> _Region | str:
    """The statements of a code that a ``try`` has to take in, or why there are none.

    :param node: what opens the session in it.
    """
    suite = _suite(code, node)
    at = next((i for i, s in enumerate(suite) if any(n is node for n in ast.walk(s))), None)
    if at is None:
        return "the entry opens it in a way that no `try` can be put around"
    bare = isinstance(suite[at], ast.Assign) and suite[at].value is node  # type: ignore[attr-defined]
    behind = suite[at + 1 :] if bare else suite[at:]
    closing = [s for s in behind if _closes(module, s, key)]
    end = behind.index(closing[-1]) + 1 if closing else len(behind)
    inside, rest = behind[:end], behind[end:]
    if len(inside) == len(closing):
        return "nothing is done with the session here"
    deeper = (n for s in inside if s not in closing for n in ast.walk(s))
    if any(_closes(module, n, key) for n in deeper):
        return "it is closed in more than one place"
    if any(isinstance(s, _DEFINITIONS) for s in inside):
        return "definitions stand behind the opening, and would move into the `try`"
    return _Region(inside, closing, rest)


def _suite(code: ast.AST, node: ast.AST) -> list[ast.stmt]:
    """The suite of a code that opens the session: its own, or that behind ``if __name__ == "__main__":``."""
    body: list[ast.stmt] = getattr(code, "body", [])
    for statement in body:
        guarded = isinstance(statement, ast.If) and any(
            isinstance(n, ast.Name) and n.id == "__name__" for n in ast.walk(statement.test)
        )
        if guarded and any(n is node for s in statement.body for n in ast.walk(s)):  # type: ignore[attr-defined]
            return statement.body  # type: ignore[attr-defined, no-any-return]
    return body


def _closes(module: Module, statement: ast.AST, key: str) -> bool:
    """Whether a statement does nothing but call the closer."""
    call = statement.value if isinstance(statement, ast.Expr) else None
    if not isinstance(call, ast.Call) or call not in module.calls or call.args or call.keywords:
        return False
    meaning = module.calls.callee(call).meaning
    return meaning is not None and meaning.role is Role.CLOSER and meaning.closes == key


def _doubts(code: ast.AST, endings: Sequence[Ending], region: _Region) -> Iterator[str]:
    """Why somebody may notice that the session is closed when the entry ends."""
    if any(e.normal and e.fact.pending is not None for e in endings):
        yield "changes may be uncommitted at the end, which a later commit of the global session would have saved"
    own = code if not isinstance(code, ast.Module) else None
    returns = (n for n in own_of(own, ast.Return)) if own is not None else ()
    for node in returns:
        plain = node.value is None or isinstance(node.value, (ast.Constant, ast.Compare, ast.JoinedStr))
        if not plain:
            yield f"line {node.lineno} returns what may be objects of the session, which closing detaches"
    if own is not None and any(n for s in region.rest for n in ast.walk(s) if isinstance(n, ast.Attribute)):
        yield "objects loaded from the session may be read behind the `finally`"
