"""The obligation of a program's one global session: entries, debts, lost writes.

The session belongs to the program, so its debt is settled where the program enters: a helper passes what it opened on
to its callers, and only a code that nothing in the program calls is held to account. What the entry owes is reported in
the module that calls the getter, wherever the entry is.
"""

from __future__ import annotations

import ast
from pathlib import PurePath
from typing import TYPE_CHECKING

from session_lint.analysis.holding import arguments, releasing
from session_lint.analysis.places import is_test
from session_lint.analysis.requests import request_codes
from session_lint.analysis.state import Site, SiteKind
from session_lint.python.nodes import path
from session_lint.python.scopes import below
from session_lint.values import dataclass
from session_lint.vocabulary import Role

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.analysis.facts import Ending, ModuleFacts, Obligation
    from session_lint.analysis.module import Module


@dataclass(frozen=True, eq=False)
class Debt:
    """A getter that an entry reaches, and the ways on which the entry leaves its session open.

    :param origin: the getter's call.
    :param entry: the entry in words.
    :param closed: whether some normal way closes it.
    """

    origin: Site
    entry: str
    normal: list[Ending]
    raised: list[Ending]
    closed: bool


@dataclass(frozen=True, eq=False)
class Loss:
    """A write that was thrown away."""

    site: Site
    write: ast.AST
    end: ast.AST
    how: str
    symbol: str


def debts(facts: ModuleFacts) -> Iterator[Debt]:
    """The debt for each getter call: of the first entry that owes it though nothing raises, else of the first entry."""
    if facts.module is None or not facts.module.calling_singletons:
        return
    found: dict[Site, Debt] = {}
    served = request_codes(facts.module)
    hooked = settled(facts.module)
    for entry, obligation in _obligations(facts):
        code = obligation.site.code
        origin = obligation.site.origin
        if (origin in found and found[origin].normal) or origin.node not in facts.module.calls or origin.code in served:
            continue
        if origin.key in hooked or not is_entry(entry.module, code):
            continue
        open_ = [e for e in obligation.endings if e.leaks and not returned_or_yielded(e)]
        normal = [e for e in obligation.endings if e.normal]
        debt = Debt(
            origin,
            entry_words(entry, code, facts),
            [e for e in normal if e in open_],
            [e for e in open_ if not e.normal],
            any(e.closed for e in normal),
        )
        if debt.normal or (debt.raised and origin not in found):
            found[origin] = debt
    yield from found.values()


def _obligations(facts: ModuleFacts) -> Iterator[tuple[ModuleFacts, Obligation]]:
    """The global session's obligations in this module, then those of every other that reaches it."""
    assert facts.module is not None
    program = facts.module.program
    others = dict.fromkeys(m for m, _ in program.touching.values()) if program.project is not None else {}
    others.pop(facts.module, None)
    wanted = sorted(others, key=lambda m: m.source.filename) if facts.module.calling_singletons else []
    for one in (facts, *map(program.facts, wanted)):
        yield from ((one, obligation) for obligation in one.obligations(SiteKind.SINGLETON))


def returned_or_yielded(ending: Ending) -> bool:
    """Whether the entry hands the global session on, as a getter of its own would."""
    return ending.handed_over


def lost_writes(facts: ModuleFacts) -> Iterator[Loss]:
    """Each write through a global session that some way closes over, or ends the program on."""
    if facts.module is None:
        return
    seen: set[ast.AST] = set()
    for entry, obligation in sorted(_obligations(facts), key=lambda pair: pair[1].site.via is not None):
        for ending in obligation.endings:
            for write, end, how in _losses(entry, ending, obligation.site.code):
                if write not in seen and write in facts.module.calls:
                    seen.add(write)
                    yield Loss(obligation.site, write, end, how, facts.symbol(facts.code_at(write)))


def _losses(facts: ModuleFacts, ending: Ending, code: ast.AST) -> Iterator[tuple[ast.AST, ast.AST, str]]:
    for mark in ending.fact.marked("lost"):
        if mark.node is not None and mark.other is not None:
            yield mark.node, mark.other, "the session is closed without commit"
    pending = ending.fact.pending
    if (
        pending is not None
        and ending.normal
        and not ending.handed_over
        and facts.module is not None
        and is_entry(facts.module, code)
    ):
        yield pending, facts.end_node(ending), f"{entry_words(facts, code, facts)} ends without commit"


def is_entry(module: Module | None, code: ast.AST) -> bool:
    """Whether a code is run by nobody that the program knows: a module body, a function without callers."""
    if isinstance(code, ast.Module):
        return True
    if isinstance(code, ast.Lambda) or module is None:
        return False
    callers = module.program.callers(module, code)
    if callers is None or callers:
        return False
    scope = module.names.scopes.of[code]
    if scope.parent is not None and scope.parent.is_class:  # obj.method() on an object that cannot be followed
        return not module.program.called_blindly(module, scope.node)  # type: ignore[arg-type]
    return True


def entry_words(entry: ModuleFacts, code: ast.AST, facts: ModuleFacts) -> str:
    """An entry, for a message about a module."""
    symbol = entry.symbol(code)
    if entry is facts:
        return repr(symbol) if symbol else "the module"
    file = PurePath(entry.source.filename).name
    return f"{symbol!r} of {file}" if symbol else file


def settled(module: Module) -> frozenset[str]:
    """The singletons that no caller has to close: ``atexit``, an exit stack, a hook or a test's teardown does.

    Or nobody has to, as of what a function remembers.

    What tests do settles it for tests only. A net does not count: a function at exit that closes with a
    ``ResourceWarning``.
    """
    if module.program.project is None:
        return _settled_in(module)
    tested = is_test(module.source.filename)
    naming = (one for one in module.program.naming_singletons if tested or not is_test(one.source.filename))
    return frozenset().union(*map(_settled_in, naming))


def _settled_in(module: Module) -> frozenset[str]:
    found: set[str] = {*module.memoised_getters}
    for call, scope in module.names.scopes.calls.items():
        code = module.code_of(scope)
        given = [*arguments(call)]
        found.update(closed for value in given if (closed := module.closer_of(value, code)) and not _net(module, value))
        callee = module.calls.callee(call)
        if callee.role is Role.CLOSER and callee.meaning is not None and _hook(module, code):
            found.add(callee.meaning.closes)
    return frozenset(found)


def _net(module: Module, value: ast.expr) -> bool:
    """Whether a function that closes complains of what it finds open, so that it only catches what others forgot."""
    for name in module.names.qualify(value, module.names.scopes.module):
        defined = module.names.definition(name)
        if defined is None:
            continue
        home = module.program.module(defined[0])
        for call in below(defined[1]):
            if isinstance(call, ast.Call) and "warnings.warn" in home.calls.callee(call).names:
                scope = home.calls.scope(call)
                given = [*arguments(call)]
                if any("builtins.ResourceWarning" in home.names.qualify(one, scope) for one in given):
                    return True
    return False


def _hook(module: Module, code: ast.AST) -> bool:
    """Whether somebody else calls a function that closes and does not open: it is decorated, or a teardown."""
    if not isinstance(code, (ast.FunctionDef, ast.AsyncFunctionDef)) or module.may_open(code):
        return False
    outer = module.names.scopes.of[code].parent
    registered = any(path(d) not in ("staticmethod", "classmethod") for d in code.decorator_list)
    method = outer is not None and outer.is_class
    return registered or (method and releasing(code.name)) or code.name in ("teardown_module", "tearDownModule")
