"""What the language of formulas does not understand is refused at its place, with bounded work."""

from __future__ import annotations

import random
import re

import pytest

from pertsym.exact import Gaussian
from pertsym.language.decide import compare_form
from pertsym.language.dictionary import Dictionary
from pertsym.language.parser import parse
from pertsym.language.syntax import FormulaError
from pertsym.language.trial import Trial
from pertsym.present.latex import form_latex
from pertsym.present.text import form_lines
from pertsym.reduction.spectral import (
    Monomial,
    SpectralForm,
)
from tests.laird import LAIRD, bloch

REFUSED = [
    ("", 1, "no formula"),
    ("2 +", 4, "the formula ends"),
    ("2 +* 3", 4, "not expected"),
    ("(1 + 2", 1, "not closed"),
    ("1 + 2)", 6, "not opened"),
    ("[1 + 2)", 7, "does not close"),
    ("Ĉ_3(ω0)", 1, "bath is not known"),
    ("Ĉ(ω0)", 1, "not named"),
    ("Ĉ_1(ω1)", 5, "no frequency"),
    ("Ĉ_1(ω0/2)", 5, "integer combination"),
    ("Ĉ_1(ω0 π)", 5, "integer combination"),
    ("Ĉ_1(ω)", 5, "outside of its integral"),
    ("Ĉ_1", 4, "the formula ends"),
    ("C_1(ω0)", 1, "spectra are"),
    ("J_1(-ω0)", 1, "positive frequencies"),
    ("n(0)", 3, "transition frequency"),
    ("exp(ω0)", 5, "beta times"),
    ("exp(i β ω0)", 5, "must be real"),
    ("e^(β ω0/3)", 1, "half-integer"),
    ("x^2 Ĉ_1(ω0)", 1, "not known"),
    ("1/2 Ĉ_1(ω0)", 5, "two ways"),
    ("P_1(ω0)/ω0 Ĉ_1(ω0)", 12, "two ways"),
    ("Ĉ_1(ω0)^ω0", 9, "not expected"),
    ("Ĉ_1(ω0)^65", 9, "exponents are integers"),
    ("1/(ω0 - ω0)", 4, "division by zero"),
    ("P∫dω Ĉ_1(ω)/ω²", 1, "finite part"),
    ("∫dω Ĉ_1(ω)/ω", 1, "mark the integral"),
    ("P∫Ĉ_1(ω)/ω", 1, "one dω"),
    ("n Ĉ_1(ω0)", 3, "expected"),
    ("P∫dω Ĉ_1(ω)", 1, "fall off"),
    ("P∫dω Ĉ_1(2ω)/ω", 10, "factor 1 or -1"),
    ("P∫dω J_1(ω)/ω", 6, "J under an integral"),
    ("P∫dω 1/ω", 1, "no bath function"),
    ("P∫dω Ĉ_1(ω)Ĉ_1(ω)Ĉ_2(ω)/ω", 1, "more than two"),
    ("P∫dω Ĉ_1(ω) P∫dω Ĉ_1(ω)/ω", 13, "inside an integral"),
    ("P∫dω Ĉ_1(ω)/(ω²+ω0²)", 1, "divide only by"),
    ("dω", 1, "without an integral"),
    ("d/dω Ĉ_1(ω0)", 1, "under an integral over the same variable"),
    ("2 3", 3, "two numbers"),
    ("2 # 3", 3, "not part of the language"),
    ("__import__('os')", 1, "not known"),
    (r"\hat C_1(\omega_0", 9, "not closed"),
    (r"\frac{1}", 9, "denominator is missing"),
    (r"\hat D_1(\omega_0)", 1, "no known function"),
    (r"\int_0^1 d\omega \hat C_1(\omega)", 5, "run from"),
    (r"\foo", 1, "not known"),
    (r"|\hat C_1(\omega_0)|", 1, "even power"),
    (r"\sum_k \hat C_1(\omega_0)", 1, "not known"),
    (r"\hat C_1(\omega_0) \pm 1", 20, "not known"),
]


@pytest.mark.parametrize(("source", "column", "said"), REFUSED)
def test_what_is_not_understood_is_refused_at_its_place(
    source: str, column: int, said: str
) -> None:
    with pytest.raises(FormulaError, match=re.escape(said)) as caught:
        compare_form(bloch().k_up[2].form, source, LAIRD)
    fault = caught.value
    assert (fault.line, fault.column) == (1, column)
    excerpt, caret = str(fault).splitlines()[1:]
    assert caret.index("^") - 2 == min(column - 1, len(excerpt))


def test_places_in_several_lines_and_behind_the_equals_sign() -> None:
    with pytest.raises(FormulaError) as caught:
        compare_form(bloch().k_up[2].form, "k10 =\n Ĉ_1(ω0)\n  + Ĉ_9(ω0)", LAIRD)
    assert (caught.value.line, caught.value.column) == (3, 5)
    with pytest.raises(FormulaError, match="second equals sign"):
        compare_form(bloch().k_up[2].form, "a = b = Ĉ_1(ω0)", LAIRD)


@pytest.mark.parametrize(
    "source",
    ["(" * 100 + "1" + ")" * 100, "1+" * 600_000 + "1", "9" * 100, "1*" * 5000 + "1",
     "1/" * 5000 + "1", "P∫dω " + "d/dω " * 5000 + "Ĉ_1(ω)/ω", "P∫" * 5000 + "dω Ĉ_1(ω)/ω",
     "(ω0 + π + i + β)^64^2",
     "(" + "+".join(f"Ĉ_1({k}ω0)" for k in range(1, 40)) + ")^30"],
    ids=lambda source: f"{source[:12]} of {len(source)}",
)  # fmt: skip
def test_work_is_bounded(source: str) -> None:
    with pytest.raises(FormulaError):
        compare_form(bloch().k_up[2].form, source, LAIRD)


def test_own_symbols_of_a_source() -> None:
    dictionary = Dictionary(1, ("B",), values={"w_m": "(ω0 + 1)/2", "loop": "2 loop"})
    form = SpectralForm(((Monomial(0, (((1,), -1),), ()), Gaussian(1)),))
    assert compare_form(form, "2 w_m - 1", dictionary)
    with pytest.raises(FormulaError, match="through itself"):
        compare_form(form, "loop", dictionary)


@pytest.mark.parametrize("seed", range(200))
def test_garbage_is_an_error_and_nothing_else(seed: int) -> None:
    """Characters of good formulas, shuffled, cut and repeated: a FormulaError, or a verdict."""
    rng = random.Random(seed)
    form = bloch().k_up[4].form
    whole = form_latex(form) if seed % 2 else "\n".join(form_lines(form))
    pieces = re.findall(r"\\[A-Za-z]+|.", whole)
    for _ in range(rng.randint(1, 3)):
        k = rng.randrange(len(pieces))
        action = rng.choice("xds")
        if action == "x":
            pieces[k] = rng.choice(pieces)
        elif action == "d":
            del pieces[k]
        else:
            j = rng.randrange(len(pieces))
            pieces[k], pieces[j] = pieces[j], pieces[k]
    source = "".join(pieces)
    try:
        result = compare_form(form, source, LAIRD, notation="latex" if seed % 2 else "text")
    except FormulaError:
        return
    if result:  # then the numbers agree too
        trial = Trial(LAIRD, result.limit, seed)
        node = parse(source, LAIRD, "latex" if seed % 2 else "text")
        assert complex(trial.tree(node)) == pytest.approx(trial.form(form), rel=1e-8)
