"""What the linter says about the programs of the proofs: the marked lines, and nothing else of their codes."""

from __future__ import annotations

import importlib
import pkgutil

import pytest

from session_lint.rules import catalogue
from tests import proofs
from tests.linting import lint
from tests.rules.cases import Case, Expected, modules

PROOFS = {
    name.removeprefix("test_"): importlib.import_module(f"{proofs.__name__}.{name}")
    for _, name, _ in pkgutil.iter_modules(proofs.__path__)
    if name.startswith("test_") and name != "test_marks"
}

UNPROVEN = {"file_not_analysed", "unused_suppression"}
"""Rules about files and comments, which have nothing to show in a database."""


def programs(kind: str) -> list[tuple[str, str]]:
    """The programs of a kind, each with the proof that it stands in.

    :param kind: what their names begin with: ``FAULT`` or ``CURE``.
    """
    return [(proof, name) for proof, module in PROOFS.items() for name in vars(module) if name.startswith(kind)]


def marks(proof: str, program: str) -> list[Expected]:
    """What the comments of a program say, in the order of the lines."""
    return Case(proof, "", 0, vars(PROOFS[proof])[program]).expected


def found(proof: str, program: str, code: str) -> list[Expected]:
    """What the linter says of a code about a program."""
    findings = lint(vars(PROOFS[proof])[program], select=[code])
    return [Expected(found.location.row, found.code, found.severity.value) for found in findings]


def code_of(proof: str) -> str:
    """The one code that a proof is about, if the linter knows it."""
    (code,) = {mark.code for mark in marks(proof, "FAULT")}
    if code not in catalogue():
        pytest.skip(f"{code} is not in the catalogue")
    return code


@pytest.mark.parametrize(("proof", "program"), programs("FAULT"))
def test_a_fault_is_found_where_it_is_marked(proof: str, program: str) -> None:
    """Line, code and severity."""
    code = code_of(proof)
    assert found(proof, program, code) == marks(proof, program)
    assert catalogue()[code].module.rpartition(".")[2] == proof


@pytest.mark.parametrize(("proof", "program"), programs("CURE"))
def test_a_cure_is_not_found(proof: str, program: str) -> None:
    """Nothing of that code."""
    assert marks(proof, program) == []
    assert found(proof, program, code_of(proof)) == []


@pytest.mark.parametrize("proof", PROOFS)
def test_a_proof_shows_both(proof: str) -> None:
    """The mistake and what to write instead."""
    assert {proof} == {shown for shown, name in programs("FAULT") if shown == proof and marks(proof, name)}
    assert {proof} == {shown for shown, _ in programs("CURE") if shown == proof}


@pytest.mark.parametrize("rule", sorted(modules() - UNPROVEN))
def test_every_rule_has_a_proof(rule: str) -> None:
    """A rule says that something goes wrong, so it has to be shown."""
    assert rule in PROOFS
