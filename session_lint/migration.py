"""Taking a code base from sessions by hand to scopes: what there is, what the judge says of it, what is left."""

from __future__ import annotations

import ast
from collections import Counter
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING, Any

from session_lint.analysis import SiteKind
from session_lint.analysis.singletons import debts
from session_lint.engine import facts_of, lint_source
from session_lint.finding import Applicability, Fix
from session_lint.fixes import CannotFix, rewritten
from session_lint.fixes.judge import Refusal, to_scope
from session_lint.fixes.settling import settle
from session_lint.mend import Mended, attempt, beyond, mend
from session_lint.python.nodes import path
from session_lint.python.scopes import BindingKind
from session_lint.vocabulary import Meaning, Role, Tables

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from session_lint.analysis import ModuleFacts, Obligation
    from session_lint.settings import Settings
    from session_lint.source import Source

CODES = ("SES101", "SES102", "SES104", "SES201", "SES202", "SES503")
"""The rules whose fixes a migration carries out."""


class Verdict(str, Enum):
    """What can become of a site."""

    SAFE = "safe"
    UNSAFE = "unsafe"
    REFUSED = "refused"


_TOLD = ("file", "row", "symbol", "form", "reason")


@dataclass(frozen=True)
class Site:
    """A place that manages a session by hand.

    :param form: what it would become, or ``""`` where it stays.
    :param reason: why it is not safe, or refused; empty where it is safe.
    """

    file: str
    row: int
    symbol: str
    verdict: Verdict
    form: str
    reason: str
    fix: Fix | None = field(default=None, repr=False, compare=False)


def sites(source: Source, settings: Settings) -> list[Site]:
    """Every place of a module that manages a session by hand, with what the judge says of it, in the text's order.

    Openers and scopes, which hand their session on or lend it, and sessions in a ``with`` are no such places.

    :raises SourceError: where the text cannot be parsed.
    """
    facts = facts_of(source, settings)
    found = [_site(facts, one.site.node, one.symbol, to_scope(facts, one)) for one in _by_hand(facts)]
    for debt in debts(facts):
        told = settle(facts, debt)
        answer = told.get("fix") or Refusal(told["refusal"])
        found.append(_site(facts, debt.origin.node, facts.symbol(debt.origin.code), answer))
    return sorted(found, key=lambda site: site.row)


def factories(source: Source, settings: Settings) -> set[str]:
    """The dotted names by which a module knows the factories that it opens sessions with.

    :raises SourceError: where the text cannot be parsed.
    """
    facts = facts_of(source, settings)
    found: set[str] = set()
    for obligation in facts.obligations(SiteKind.OWNED):
        node, module = obligation.site.node, facts.module
        if isinstance(node, ast.Call) and module is not None:
            name = path(node.func)
            owner = module.names.owner(name.partition(".")[0], module.calls.scope(node))
            bindings = owner.bindings[name.partition(".")[0]] if name and owner is not None else []
            rest = name.partition(".")[2]
            found |= {f"{b.target}.{rest}".rstrip(".") for b in bindings if b.kind is BindingKind.IMPORT}
    return found


def _by_hand(facts: ModuleFacts) -> Iterable[Obligation]:
    for obligation in facts.obligations(SiteKind.OWNED):
        if isinstance(facts.module and facts.module.parents.get(obligation.site.node), ast.withitem):
            continue
        lent = any(e.fact.marked("yielded") for e in obligation.endings) or _is_scope(facts, obligation.site.code)
        if not lent and not all(e.handed_over for e in obligation.endings if e.normal):
            yield obligation


def _is_scope(facts: ModuleFacts, code: ast.AST) -> bool:
    """Whether a function is a context manager, which is what a migration aims at."""
    assert facts.module is not None
    return isinstance(code, (ast.FunctionDef, ast.AsyncFunctionDef)) and facts.module.is_context_manager(code)


def _site(facts: ModuleFacts, node: ast.AST, symbol: str, answer: Fix | Refusal) -> Site:
    row = facts.source.start(node).row
    if isinstance(answer, Refusal):
        return Site(facts.source.filename, row, symbol, Verdict.REFUSED, "", answer.reason)
    verdict = Verdict.SAFE if answer.applicability is Applicability.SAFE else Verdict.UNSAFE
    return Site(facts.source.filename, row, symbol, verdict, answer.message, answer.reason, answer)


def migrate(source: Source, settings: Settings, *, unsafe: bool) -> Mended:
    """The module with every site in the form that the judge found for it, each looked at after it was carried out.

    First what rules report, then what is right as it is and only managed by hand: in a `with` that leaves the commits
    where they are.

    :param settings: the user's, of which the choice of rules does not count.
    """
    chosen = replace(settings, select=CODES, ignore=(), extend_select=(), extend_ignore=())
    now = mend(source, chosen, unsafe=unsafe)
    problems = list(now.problems)
    failed: set[tuple[str, str]] = set()
    while (site := _next(replace(source, text=now.text), settings, failed)) is not None:
        try:
            now = replace(now, text=_carried_out(replace(source, text=now.text), settings, site))
        except CannotFix as error:
            failed.add((site.symbol, site.form))
            problems.append(f"{site.row}: was not rewritten: {error.reason}")
    return replace(now, problems=tuple(dict.fromkeys(problems)))


def _next(source: Source, settings: Settings, failed: set[tuple[str, str]]) -> Site | None:
    """The first site that no rule speaks of, and that may safely become a `with`."""
    for site in sites(source, settings):
        if site.verdict is Verdict.SAFE and site.fix is not None and (site.symbol, site.form) not in failed:
            return site
    return None


def _carried_out(source: Source, settings: Settings, site: Site) -> str:
    """The text with one more site rewritten.

    :raises CannotFix: where the codemod refuses, or the result has findings that the text did not have.
    """
    fix = site.fix
    assert fix is not None
    after = replace(source, text=attempt(source, lambda: rewritten(source, fix)))
    if len(sites(after, settings)) >= len(sites(source, settings)):
        raise CannotFix("it would still be managed by hand")
    if come := beyond(tuple(lint_source(after, settings)), tuple(lint_source(source, settings))):
        raise CannotFix(f"it would bring {next(iter(come))[0]}")
    return after.text


def aiming_at(settings: Settings, scope: str, factories: Iterable[str]) -> Settings:
    """The settings with a scope to aim at, said of some factories: each of them opens what the scope commits.

    :param scope: its dotted name.
    :param factories: dotted names of factories.
    """
    told = Meaning(Role.FACTORY, scope=scope)
    names = (*settings.vocabulary.names, (scope, Meaning(Role.SCOPE, commits=True)), *((f, told) for f in factories))
    return replace(settings, vocabulary=Tables(tuple(dict(names).items()), settings.vocabulary.aliases))


def counted(found: Sequence[Site]) -> dict[Verdict, int]:
    """How many sites there are of each verdict."""
    counts = Counter(site.verdict for site in found)
    return {verdict: counts[verdict] for verdict in Verdict}


def as_json(planned: Sequence[Site], left: Sequence[Site], changed: Sequence[str]) -> dict[str, Any]:
    """The report for other programs."""
    return {
        "planned": {verdict.value: count for verdict, count in counted(planned).items()},
        "changed_files": list(changed),
        "left": [{name: getattr(site, name) for name in _TOLD} | {"verdict": site.verdict.value} for site in left],
    }


def as_markdown(planned: Sequence[Site], left: Sequence[Site], changed: Sequence[str]) -> str:
    """The report for people: what was there, and what is left to do by hand, file by file, with the reasons."""
    lines = ["# Sessions by hand", "", *_table(planned), "", f"{len(changed)} files were changed.", ""]
    if not left:
        return "\n".join([*lines, "Nothing is left to do by hand.", ""])
    lines += ["## Left to do by hand", ""]
    reasons = Counter(site.reason or "safe, and not carried out" for site in left)
    lines += [f"- {count} times: {reason}" for reason, count in reasons.most_common()]
    for file in dict.fromkeys(site.file for site in left):
        lines += ["", f"### {file}", ""]
        for site in left:
            if site.file == file:
                where = f" in `{site.symbol}`" if site.symbol else ""
                lines.append(
                    f"- line {site.row}{where}: {site.verdict.value}{': ' if site.reason else ''}{site.reason}"
                )
    return "\n".join([*lines, ""])


def _table(found: Sequence[Site]) -> list[str]:
    counts = counted(found)
    return [
        "| sites | safe | unsafe | refused |",
        "| --: | --: | --: | --: |",
        f"| {len(found)} | {counts[Verdict.SAFE]} | {counts[Verdict.UNSAFE]} | {counts[Verdict.REFUSED]} |",
    ]
