"""Formulas of the ledgers are what the engine derives, and wrong ones are found out."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import replace
from functools import cache

import pytest

from pertsym.certify.claims import Claim
from pertsym.certify.formulas import formula_evidence, tie
from pertsym.certify.ledger import ledger_json, ledger_markdown, rows_from
from pertsym.certify.run import all_checks
from pertsym.exact import Gaussian
from pertsym.language.decide import compare_sides
from pertsym.language.dictionary import Dictionary, Known
from pertsym.language.syntax import FormulaError
from pertsym.library import derivations, find
from pertsym.present.elements import element_symbol
from pertsym.reduction.spectral import Value, monomial
from tests.formula_mutants import mutants

LAIRD = "laird_budimir_skinner_1991"
COMPARED = [
    (paper.name, claim) for paper in derivations() for claim in paper.claims() if claim.compare
]


@cache
def names(paper: str) -> Dictionary | None:
    return find(paper).ledger_names()


def row(equation: str) -> Claim:
    return next(claim for name, claim in COMPARED if (name, claim.equation) == (LAIRD, equation))


def test_how_many_rows_are_compared() -> None:
    """No fewer than there were."""
    counts = Counter(name for name, _ in COMPARED)
    assert counts[LAIRD] >= 65
    assert counts.total() >= 68


@pytest.mark.parametrize(
    ("paper", "claim"), COMPARED, ids=[f"{name}-{claim.equation}" for name, claim in COMPARED]
)
def test_rows_hold_and_their_mutants_do_not(paper: str, claim: Claim) -> None:
    dictionary = names(paper)
    assert dictionary is not None
    found = tie(claim, dictionary)
    assert (found.kind, found.holds) == ("compared", True), found.detail
    elements = [element_symbol(name).latex for name in dictionary.elements]
    wrong = list(
        dict.fromkeys(itertools.islice(mutants(1, claim.latex, ("_1", "_2"), elements), 40))
    )[:8]
    assert wrong
    accepted = [
        (what, latex) for what, latex in wrong if tie(replace(claim, latex=latex), dictionary).holds
    ]
    assert accepted == []


def test_the_wrong_sign_in_91() -> None:
    claim = row("91")
    wrong = claim.latex.replace(
        "[P_1(\\omega_0) - P_1(-\\omega_0)]", "[P_1(\\omega_0) + 3 P_1(-\\omega_0)]"
    )
    assert wrong != claim.latex
    found = tie(replace(claim, latex=wrong), names(LAIRD))
    assert not found.holds
    assert r"\frac{2}{\pi}\,\hat C_1'(-\omega_0)P_1(-\omega_0)" in found.detail
    (bad,) = rows_from([replace(claim, latex=wrong, check="")], {}, 20, names(LAIRD))
    assert bad.status == "failed"
    assert formula_evidence([replace(claim, latex=wrong)], names(LAIRD)).status == "failed"


def test_the_equation_that_holds_at_second_order_only() -> None:
    """(53) misses |R_1001|^2 at fourth order, as its note says; the comparison finds that."""
    claim = next(claim for claim in find(LAIRD).claims() if claim.equation == "53")
    found = tie(replace(claim, compare="generic"), names(LAIRD))
    assert not found.holds
    assert r"\delta^{4}" in found.detail


def test_ledgers_count_what_is_compared() -> None:
    claims = [
        row("91"),
        replace(row("91"), equation="1", compare="", expected="definition", check=""),
        replace(row("91"), equation="2", compare="", text="operators", check=""),
        replace(row("91"), equation="3", compare="", check=""),
    ]
    rows = rows_from(claims, {}, 20, names(LAIRD))
    assert [r.formula for r in rows] == ["compared", "definition", "text", "typed"]
    summary = ledger_markdown(rows).splitlines()[0]
    assert "1 read and equal to what the engine derives" in summary
    assert "1 typed and compared with nothing" in summary
    assert "text: operators" in ledger_json(rows)
    assert "formulas" in all_checks(find(LAIRD))
    assert formula_evidence(find(LAIRD).claims(), names(LAIRD)).status == "proved"


def test_rows_that_are_set_up_wrongly() -> None:
    claim = row("91")
    assert not tie(replace(claim, text="why"), names(LAIRD)).holds
    assert not tie(replace(claim, compare="warm"), names(LAIRD)).holds
    assert not tie(claim, None).holds
    assert not tie(replace(claim, latex="x"), names(LAIRD)).holds


SERIES = Dictionary(
    1,
    ("C1",),
    ("delta", "x"),
    quantities={
        "k": Known(
            monomial(Gaussian(1), Value("C", "C1", 0, (1,))), next_order=4
        ),
        "k^{(2)}": Known(monomial(Gaussian(1), Value("P", "C1", 0, (1,)))),
        "m": r"2k^{(2)}",
    },
    functions={"f": ("x", r"\frac{1}{x^2}")},
)  # fmt: skip


@pytest.mark.parametrize(
    ("source", "holds"),
    [
        (r"k = \hat C_1(\omega_0)", True),
        (r"k = \hat C_1(\omega_0) + O(\delta^4)", True),
        (r"k = \hat C_1(\omega_0) + 5\delta^4 + O(\delta^4)", True),
        (r"k = \hat C_1(\omega_0) + 5\delta^2 + O(\delta^4)", False),
        (r"k^{(2)} = P_1(\omega_0)", True),
        (r"k^{2} = \hat C_1(\omega_0)^2", True),
        (r"m = 2P_1(\omega_0) = 2\,k^{(2)}", True),
        (r"m = 2P_1(\omega_0) = 3\,k^{(2)}", False),
        (r"|i k|^2 = k^2", True),
        (r"f(2\omega_0) = \frac{1}{4\omega_0^2}", True),
        (r"f'(x) = -\frac{2}{x^3}", True),
        (r"\frac{\partial}{\partial x}\left(x^3\right) = 3x^2", True),
        (r"f'(x) = \frac{2}{x^3}", False),
    ],
)
def test_equations_between_names(source: str, holds: bool) -> None:
    assert bool(compare_sides(source, SERIES)) is holds


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (r"k", "no equation"),
        (r"k = \hat C_1(\omega_0) + O(\delta^6)", "known ends"),
        (r"k^{(4)} = 1", "not known"),
        (r"k' = 1", "not known"),
        (r"|k| = 1", "even power"),
        (r"f(0) = 1", "infinite"),
        (r"\lim_{T\to 0} k = 1", "not known"),
        (r"\frac{k}{\delta} = 1 + \cdots", "denominator"),
    ],
)
def test_equations_that_are_not_understood(source: str, said: str) -> None:
    with pytest.raises(FormulaError, match=said):
        compare_sides(source, SERIES)
