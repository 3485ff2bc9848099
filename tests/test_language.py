"""Formulas are read back, compared exactly, and refused where they are not understood."""

from __future__ import annotations

import itertools
import json
import random
import re
from collections import Counter
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sympy
from scipy.integrate import quad

import pertsym as ps
from pertsym.equations.bloch import Bloch
from pertsym.equations.equilibrium import EquilibriumConstant
from pertsym.equations.generator import Generator
from pertsym.equations.models import laird
from pertsym.equations.symbolic_operators import symbolic_interaction
from pertsym.exact import Gaussian
from pertsym.language.decide import Undecided, compare_form, compare_sides
from pertsym.language.dictionary import Dictionary
from pertsym.language.field import with_room
from pertsym.language.limits import Limit, sign
from pertsym.language.meaning import Reader
from pertsym.language.parser import parse
from pertsym.language.syntax import FormulaError
from pertsym.language.trial import Trial
from pertsym.library import derivations, find
from pertsym.present import formulas, latex, text
from pertsym.present.elements import element_symbol
from pertsym.present.latex import form_latex
from pertsym.present.layout import Piece
from pertsym.present.markup import label
from pertsym.present.symbolic import form_expression
from pertsym.present.text import form_lines
from pertsym.reduction.elements import symbols_of
from pertsym.reduction.spectral import (
    Monomial,
    SpectralForm,
    SpectralIntegral,
    Thermal,
    Value,
    monomial,
)
from tests.command_line import BASE, DENSITY, TEMPERATURE, model_file, refused, run
from tests.formula_mutants import mutants

LAIRD = Dictionary(1, ("C1", "C2"), densities=("Gamma",), values={"delta": "1"})
BIASED = Dictionary(1, ("B",), ("c", "d", "x"))
THREE = Dictionary(2, ("X", "Y"), ("x", "y"))


@cache
def bloch() -> Bloch:
    return Bloch(laird())


def dictionary_of(form: SpectralForm) -> Dictionary:
    """The names in a form."""
    baths = {a.name for a in form.values} | {
        name for a in form.integrals for name in (a.name, a.other)
    }
    count = 1
    for m, _ in form:
        sizes = [len(linear) for linear, _ in m.denominators]
        sizes += [len(a.frequency) for a in m.atoms if isinstance(a, Value)]
        sizes += [len(a.exponent) for a in m.atoms if isinstance(a, Thermal)]
        sizes += [len(a.pole) for a in m.atoms if isinstance(a, SpectralIntegral)]
        count = max([count, *sizes])
    return Dictionary(count, tuple(sorted(baths)), symbols_of(form))


def reads_back(form: SpectralForm) -> bool:
    """Whether LaTeX and text of a form are read as the form itself."""
    dictionary = dictionary_of(form)
    return all(
        bool(compare_form(form, source, dictionary, limit="", notation=notation))
        for source, notation in (
            (form_latex(form), "latex"),
            ("\n".join(form_lines(form)), "text"),
        )
    )


# ---------------------------------------------------------------------------------------------
# Round trips


def printed_by(name: str, monkeypatch: pytest.MonkeyPatch) -> list[SpectralForm]:
    """Every spectral form that the document of a derivation shows."""
    seen: dict[SpectralForm, None] = {}
    original = formulas.form_pieces

    def recorded(form: SpectralForm) -> list[Piece]:
        seen.setdefault(form)
        return original(form)

    for module in (latex, text):
        monkeypatch.setattr(module, "form_pieces", recorded)
    paper = find(name)
    paper.narrate(max(paper.orders))
    monkeypatch.undo()
    return list(seen)


@pytest.mark.parametrize("name", [paper.name for paper in derivations()])
def test_everything_a_derivation_prints_is_read_back(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    forms = printed_by(name, monkeypatch)
    expected = {"biased_two_level": 50, "ccqme_two_levels": 20, "laird_budimir_skinner_1991": 30}
    assert len(forms) >= expected.get(name, 0)
    assert [form for form in forms if not reads_back(form)] == []


def quantities() -> list[tuple[str, str, int]]:
    found = []
    for name in ("biased_two_level", "laird_budimir_skinner_1991", "three_levels_two_baths"):
        equations = find(name).equations
        assert equations is not None
        elements = ["R_1001", "R_1010"] + ([] if "k_up" in equations.names else ["R_2112"])
        found += [(name, q, order) for q in (*equations.names, *elements) for order in (2, 4)]
    return found


@pytest.mark.parametrize("name", ["biased_two_level", "laird_budimir_skinner_1991"])
def test_every_quantity_of_two_levels_is_read_as_the_same_object(name: str) -> None:
    """Not only equal: the canonical form itself, since one frequency leaves no fractions."""
    equations = find(name).equations
    assert equations is not None
    dictionary = Dictionary.of(equations.interaction)
    for _, quantity, order in (entry for entry in quantities() if entry[0] == name):
        found = equations.series(quantity)[order]
        for form in (found.form, found.imaginary):
            node = parse(form_latex(form), dictionary, "latex")
            again = with_room(
                1,
                lambda field, n=node: field.spectral_form(Reader(field, dictionary, "").element(n)),
            )
            assert again == form


def test_every_quantity_of_three_levels_is_read_back() -> None:
    equations = find("three_levels_two_baths").equations
    assert equations is not None
    for _, quantity, order in (entry for entry in quantities() if entry[0].startswith("three")):
        found = equations.series(quantity)[order]
        assert all(reads_back(form) for form in (found.form, found.imaginary) if form)


def random_form(seed: int) -> SpectralForm:
    """Whatever a form may hold, more than the derivations need."""
    rng = random.Random(seed)
    count = rng.choice((1, 1, 2, 3, 11))
    baths = rng.sample(["C1", "C12", "B", "hot", "spin bath_2", "γ1"], 2)
    elements = rng.sample(["d0", "x", "eta", "ab", "lam2", "n"], 2)

    def frequency() -> tuple[int, ...]:
        form = [0] * count
        for _ in range(rng.choice((0, 1, 2))):
            form[rng.randrange(count)] += rng.choice((-2, -1, 1, 1))
        return tuple(form)

    total = SpectralForm(())
    for _ in range(rng.randint(1, 6)):
        atoms: list[object] = []
        for _ in range(rng.randint(0, 3)):
            kind = rng.choice("CCPPTI" if not atoms else "CP")
            if kind == "T":
                atoms.append(Thermal("T", rng.randint(0, 2), frequency()))
            elif kind == "I":
                other = rng.choice(("CC", "CP"))
                reflect = rng.choice((-1, 1))
                shift, pole = frequency(), frequency()
                atoms.append(
                    SpectralIntegral(other, *baths, reflect, shift, pole, rng.randint(1, 3))
                )
            else:
                atoms.append(Value(kind, rng.choice(baths), rng.choice((0, 1, 2, 4)), frequency()))
        denominators = tuple(
            (tuple(int(k == j) for k in range(count)), rng.randint(1, 2))
            for j in sorted(rng.sample(range(count), rng.choice((0, 1))))
        )
        z = (
            Gaussian(rng.randint(-9, 9)) * Gaussian.of("0.25")
            if rng.random() < 0.8
            else Gaussian(0, 3)
        )
        term = monomial(z, *atoms, pi_power=rng.randint(-2, 2), denominators=denominators)  # type: ignore[arg-type]
        named = monomial(Gaussian(1))
        if rng.random() < 0.5:
            from pertsym.reduction.spectral import MatrixElement

            named = monomial(Gaussian(1), *(MatrixElement("S", rng.choice(elements)) for _ in "ab"))
        total += term * named
    return total


@pytest.mark.parametrize("seed", range(150))
def test_random_forms_are_read_back(seed: int) -> None:
    form = random_form(seed)
    assert reads_back(form) if form else True


# ---------------------------------------------------------------------------------------------
# The same written differently, by a second writer and by hand


@pytest.mark.parametrize("name", ["biased_two_level", "laird_budimir_skinner_1991"])
@pytest.mark.parametrize("rewritten", [sympy.expand, sympy.together, sympy.factor])
def test_what_sympy_makes_of_a_form_is_accepted(name: str, rewritten: object) -> None:
    """SymPy rearranges and writes; its LaTeX of the rearranged formula is the same formula."""
    equations = find(name).equations
    assert equations is not None
    dictionary = Dictionary.of(equations.interaction)
    for quantity in ("k_up", "inv_T1", "inv_T2_prime", "frequency_shift"):
        for order in (2, 4):
            form = equations.series(quantity)[order].form
            if len(form.terms) > 25:
                continue
            written = sympy.latex(rewritten(form_expression(form)))  # type: ignore[operator]
            assert compare_form(form, written, dictionary), (quantity, order)


ACCEPTED = [
    ("k_up", 2, "", "Ĉ_1(-ω0)"),
    ("k_up", 2, "", "Chat1(-w0)"),
    ("k_up", 2, "", r"k_{10}^{(2)} = \hat{C}_{1}\left(-\omega_{0}\right)"),
    ("k_up", 2, "", r"\delta^2\widehat C_1(-\omega_0)"),
    ("k_up", 2, "", r"2\, \Gamma_1(\omega_0)\, n(\omega_0)"),
    ("k_up", 2, "thermal", "exp(-beta*w0)*Chat_1(w0)"),
    ("k_up", 2, "", "2 J_1(w0)/(exp(hbar w0/(k_B T)) - 1)"),
    ("k_up", 2, "", r"J_1(\omega_0)\left[\coth\frac{\beta\omega_0}{2}-1\right]"),
    ("k_up", 2, "", r"\frac{J_1(\omega_0)\,e^{-\beta\omega_0/2}}{\sinh(\beta\omega_0/2)}"),
    ("k_down", 2, "", r"2\Gamma_1(\omega_0)[n(\omega_0)+1]"),
    ("k_down", 2, "", r"-2\Gamma_1(\omega_0)\,n(-\omega_0)"),
    ("inv_T1", 2, "", r"2\Gamma_1(\omega_0)\coth(\beta\omega_0/2)"),
    ("inv_T1", 2, "", r"\frac{2J_1(\omega_0)}{\tanh\left(\tfrac12\beta\omega_0\right)}"),
    ("inv_T1", 2, "zero-temperature", r"2\Gamma_1(\omega_0)"),
    ("inv_T1", 2, "zero-temperature", r"2\Gamma_1(\omega_0)\coth(\beta\omega_0/2)"),
    ("inv_T1", 2, "classical", r"2\hat C_1(\omega_0)"),
    ("inv_T1", 2, "classical", r"\frac{4T}{\omega_0}J_1(\omega_0)"),
    ("inv_T2", 2, "", r"\tfrac12[\hat C_1(\omega_0)+\hat C_1(-\omega_0)]"),
    ("frequency_shift", 2, "", "(P1(-ω0) - P1(ω0))/(2π)"),
    ("frequency_shift", 2, "", "1/2π*P1(-ω0) - P1(ω0)/2π"),
    ("frequency_shift", 2, "", r"-\frac{\omega_0}{\pi}\mathrm{P}\!\int_{-\infty}^{\infty}"
     r"\frac{\hat C_1(\omega')\,d\omega'}{\omega'^2-\omega_0^2}"),
    ("frequency_shift", 2, "zero-temperature", r"-\frac{2\omega_0}{\pi}\,\mathrm{P}\!\int_0^\infty "
     r"d\omega\,\frac{\Gamma_1(\omega)}{\omega^2-\omega_0^2}"),
    ("k_up", 4, "zero-temperature", r"\frac{2\Gamma_1(\omega_0)}{\pi}\int_0^\infty d\omega\,"
     r"\frac{\Gamma_1'(\omega)}{\omega+\omega_0}"),
    ("inv_T2_prime", 4, "", r"\frac1\pi\,\mathrm{P}\!\int\frac{d\omega}{\omega^2-\omega_0^2}\left("
     r"\omega\frac{\partial}{\partial\omega}[\hat C_1(\omega)\hat C_1(-\omega)]"
     r"-\hat C_2(\omega)\hat C_2(-\omega)\right)"),
    ("inv_T2_prime", 4, "", r"\frac1\pi\,\mathrm{P}\!\int\frac{d\omega}{\omega^2-\omega_0^2}\left("
     r"2\omega\hat C_1'(\omega)\hat C_1(-\omega)-\hat C_2(\omega)\hat C_2(-\omega)\right)"),
    ("inv_T2_prime", 4, "classical", r"\frac1\pi\,\mathrm{P}\!\int\frac{d\omega}"
     r"{\omega^2-\omega_0^2}\left(2\omega\hat C_1(\omega)\hat C_1'(\omega)-\hat C_2(\omega)^2"
     r"\right)"),
    ("inv_T1", 4, "classical", r"\frac2\pi\left\{\omega_0^{-1}\hat C_2(\omega_0)P_2(\omega_0)-"
     r"\hat C_1'(\omega_0)P_1(\omega_0)-\hat C_1(\omega_0)P_1'(\omega_0)\right\}"),
]  # fmt: skip


@pytest.mark.parametrize(("quantity", "order", "limit", "source"), ACCEPTED)
def test_the_same_written_differently(quantity: str, order: int, limit: Limit, source: str) -> None:
    """And the numbers of a chosen bath say so too."""
    form = bloch().series(quantity)[order].form
    result = compare_form(form, source, LAIRD, limit=limit)
    assert result.verdict == "equal"
    assert result.counterexample is None
    node = parse(source.partition("=")[2] or source, LAIRD)
    for seed in range(2):
        trial = Trial(LAIRD, result.limit, seed)
        assert complex(trial.tree(node)) == pytest.approx(trial.form(form), rel=1e-8)


def test_the_equilibrium_constant_of_the_source() -> None:
    """Laird's (116): e^{beta w0} and powers of beta, divided and multiplied out."""
    form = EquilibriumConstant(laird())[2]
    source = (
        r"K^{(2)} = \frac{e^{-\beta\omega_0}}{2\pi} \left\{ \beta P_1(\omega_0) - \beta "
        r"P_1(-\omega_0) + P_1'(-\omega_0) \left( e^{\beta\omega_0} + 1 \right) - P_1'(\omega_0) "
        r"\left( e^{-\beta\omega_0} + 1 \right) \right\}"
    )
    assert compare_form(form, source, LAIRD)
    assert not compare_form(form, source.replace("+ 1", "- 1"), LAIRD)


def test_detailed_balance_turns_an_integral_over() -> None:
    """Ĉ(w) Ĉ(-w0 - w) under an integral against Ĉ(w) Ĉ(w0 - w), by KMS."""
    form = monomial(Gaussian(1), SpectralIntegral("CC", "B", "B", -1, (-1,), (0,), 1))
    source = "-e^(-βω0) P∫dω Ĉ(ω) Ĉ(ω0-ω)/ω"
    dictionary = Dictionary(1, ("B",))
    assert compare_form(form, source, dictionary)
    assert not compare_form(form, source.removeprefix("-"), dictionary)
    slope = monomial(Gaussian(2), Value("C", "B", 1, (0,)))
    assert compare_form(slope, "β Ĉ_B(0)", dictionary)  # KMS at w = 0


@pytest.mark.parametrize(
    ("form", "expected"),
    [((1,), 1), ((-2,), -1), ((0,), 0), ((-1, 1), 1), ((1, -1), -1), ((2, -1), None), ((-1, 2), 1)],
)
def test_signs_of_combinations_of_ascending_levels(form: tuple[int, ...], expected: object) -> None:
    assert sign(form) == expected


def test_frequencies_between_levels() -> None:
    form = monomial(Gaussian(2), Value("C", "X", 0, (-1, 1)))
    for source in ("2Ĉ_X(ω2-ω1)", "2 Ĉ_X(ω21)", r"2\hat C_X(\omega_{21})", "4 J_X(ω21)(n(ω21)+1)"):
        assert compare_form(form, source, THREE), source
    assert not compare_form(form, "2Ĉ_X(ω12)", THREE)
    # 1/(w1 w2) by partial fractions
    product = SpectralForm(((Monomial(0, (((0, 1), 1), ((1, 0), 1)), ()), Gaussian(1)),))
    assert compare_form(product, "(1/ω1 - 1/ω2)/(ω2-ω1)", THREE)


# ---------------------------------------------------------------------------------------------
# What is wrong is told apart


def test_mutants_are_rejected_with_a_counterexample() -> None:
    """At least 400; one that is equal after all must be so by numbers that know no algebra."""
    counts: Counter[str] = Counter()
    forms = []
    for name, quantity, order in quantities():
        equations = find(name).equations
        assert equations is not None
        found = equations.series(quantity)[order]
        dictionary = Dictionary.of(equations.interaction)
        forms += [(form, dictionary) for form in (found.form, found.imaginary) if form]
    for number, (form, dictionary) in enumerate(forms):
        baths = [label(name).latex for name in dictionary.baths]
        elements = [element_symbol(name).latex for name in dictionary.elements]
        wrong = dict.fromkeys(
            itertools.islice(mutants(number, form_latex(form), baths, elements), 12)
        )
        for what, source in list(wrong)[:6]:
            kind = what.split()[0]
            try:
                result = compare_form(form, source, dictionary, notation="latex")
            except FormulaError:  # such as an integral over two transforms, which has no meaning
                counts["refused"] += 1
                continue
            if result:
                trial = Trial(dictionary, "", 77)
                number_read = complex(trial.tree(parse(source, dictionary, "latex")))
                assert number_read == pytest.approx(trial.form(form), rel=1e-8)
                counts["equal"] += 1
                continue
            assert result.counterexample is not None
            assert result.counterexample["given"] != result.counterexample["derived"]
            counts[kind] += 1
            counts["rejected"] += 1
    assert counts["rejected"] >= 400
    assert counts["equal"] <= 3
    assert counts["refused"] <= 5
    assert min(counts[k] for k in ("sign", "factor", "argument", "index", "prime", "letter")) >= 25


def test_factors() -> None:
    form = bloch().k_up[4].form
    source = form_latex(form)
    for factor, shown in (
        ("2", "2"),
        (r"i", "i"),
        (r"\frac{\pi}{3}", r"\frac{\pi}{3}"),
        ("-1", "-1"),
    ):
        result = compare_form(form, rf"{factor}\left({source}\right)", LAIRD)
        assert result.verdict == "equal up to a factor"
        assert result.factor == shown
        assert not result
    biased = Bloch(symbolic_interaction(2, [([["d", "x"], ["x", "c"]], "B")])).k_up[2].form
    result = compare_form(biased, "3 x^3 Ĉ(-ω0)/ω0", BIASED)
    assert result.factor == r"3x\,\frac{1}{\omega_0}" or "omega_0" in str(result.factor)
    assert compare_form(form, "0", LAIRD).verdict == "different"
    assert compare_form(SpectralForm(()), "0", LAIRD).verdict == "equal"
    assert compare_form(SpectralForm(()), "Ĉ_1(ω0)", LAIRD).verdict == "different"


def test_the_difference_is_a_formula_of_the_language() -> None:
    form = bloch().k_up[2].form
    result = compare_form(form, r"2 J_1(\omega_0)\tanh(\beta\omega_0/2)", LAIRD)
    assert result.verdict == "different"
    wrong = parse(r"2 J_1(\omega_0)\tanh(\beta\omega_0/2)", LAIRD)
    shown = parse(result.difference, LAIRD, "latex")
    trial = Trial(LAIRD, "thermal", 5)
    assert complex(trial.tree(shown)) == pytest.approx(
        complex(trial.tree(wrong)) - trial.form(form), rel=1e-9
    )


def test_complex_elements_and_their_parts() -> None:
    found = bloch().series("R_1010")[2]
    whole = f"Re R1010(2) + i x = {''.join(form_lines(found.form))}"
    assert compare_form(found.form, whole, LAIRD, imaginary=found.imaginary)
    part = form_latex(found.imaginary, r"\mathrm{Im}\,R_{1010}^{(2)}")
    assert compare_form(found.form, part, LAIRD, imaginary=found.imaginary)
    both = rf"\left({form_latex(found.form)}\right) + i\left({form_latex(found.imaginary)}\right)"
    assert compare_form(found.form, both, LAIRD, imaginary=found.imaginary)
    conjugate = both.replace(") + i", ") - i")
    assert not compare_form(found.form, conjugate, LAIRD, imaginary=found.imaginary)


def test_trial_numbers_know_the_relations_of_their_limit() -> None:
    for limit in ("thermal", "classical"):
        trial = Trial(LAIRD, limit, 3)
        (w,) = trial.frequencies
        up, down = (complex(trial.spectrum("C1", 0, np.array(complex(s * w)))) for s in (1, -1))
        factor = np.exp(-trial.beta * w) if limit == "thermal" else 1
        assert down == pytest.approx(factor * up, rel=1e-12)
        # P from the principal value, by another quadrature
        direct, _ = quad(
            lambda u, t=trial: complex(t.spectrum("C1", 0, np.array(u + 0j))).real,
            -400, 400, weight="cauchy", wvar=w, limit=400,
        )  # fmt: skip
        value = complex(trial.transform("C1", 0, np.array(complex(w))))
        assert value.real == pytest.approx(direct, rel=1e-4)
        assert abs(value.imag) < 1e-9


def test_what_cannot_be_told_apart_is_not_called_different() -> None:
    """w -> -w for classical baths, where one spectrum is differentiated: a relation not known."""
    left, right = (
        rf"\mathrm{{P}}\!\int d\omega\,\frac{{\hat C_1(\omega)\hat C_2'(\omega)}}"
        rf"{{\omega{sign}\omega_0}}"
        for sign in "-+"
    )
    with pytest.raises(Undecided, match="agree at all numbers"):
        compare_sides(f"{left} = {right}", LAIRD, "classical")
    assert compare_sides(f"{left} = {right}", LAIRD).verdict == "different"
    assert compare_sides(f"{left} = {left}", LAIRD, "classical")


# ---------------------------------------------------------------------------------------------
# What is not understood


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


# ---------------------------------------------------------------------------------------------
# The command


def test_the_command(tmp_path: Path) -> None:
    file = tmp_path / "formula.tex"
    arguments = ("compare", "laird_budimir_skinner_1991", file, "--quantity", "k_up", "--order", 4)
    source = form_latex(bloch().k_up[4].form, "k_{10}^{(4)}")
    file.write_text(source, encoding="utf-8")
    result = run(*arguments, "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout) == {
        "verdict": "equal", "limit": None, "factor": "1", "difference": "0", "counterexample": None
    }  # fmt: skip
    file.write_text(source.replace(r"- P_1(-\omega_0)", r"+ 3P_1(-\omega_0)"), encoding="utf-8")
    result = run(*arguments, "--json")
    assert result.exit_code == 1
    record = json.loads(result.stdout)
    assert record["verdict"] == "different"
    assert record["difference"] == r"\frac{2}{\pi}\,\hat C_1'(-\omega_0)P_1(-\omega_0)"
    assert record["counterexample"]["given"] != record["counterexample"]["derived"]
    shown = run(*arguments)
    assert shown.exit_code == 1
    assert "given - derived" in shown.stdout
    file.write_text(source.replace(r"\omega_0", r"\omega_7", 1), encoding="utf-8")
    result = run(*arguments, "--json")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "column" in result.stderr
    assert "^" in result.stderr


def test_the_command_with_a_model(tmp_path: Path) -> None:
    model = model_file(tmp_path)
    file = tmp_path / "formula.txt"
    file.write_text("k10 = 2 J(ω0) n(ω0)\n", encoding="utf-8")
    assert run("compare", model, file, "--quantity", "k_up", "--order", 2).exit_code == 0
    zero = ("--limit", "zero-temperature")
    assert run("compare", model, file, "--quantity", "k_up", "--order", 2, *zero).exit_code == 0
    file.write_text("0", encoding="utf-8")
    assert run("compare", model, file, "--quantity", "k_up", "--order", 2, *zero).exit_code == 0


def test_what_the_command_refuses(tmp_path: Path) -> None:
    file = tmp_path / "formula.txt"
    file.write_text("0", encoding="utf-8")
    start = ("compare", "laird_budimir_skinner_1991", file, "--quantity")
    refused(run(*start, "k_up", "--order", 3), 2, "--order")
    refused(run(*start, "k_up", "--order", 6), 4, "orders 2, 4")
    refused(run(*start, "speed", "--order", 2), 2, "--quantity", "k_up")
    refused(run("compare", "nobody", file, "--quantity", "k_up", "--order", 2), 2, "nobody")
    refused(
        run("compare", "proton_transfer", file, "--quantity", "k_up", "--order", 2), 2, "no quant"
    )


def test_results_compare_themselves() -> None:
    rate = ps.bloch([([["d", "x"], ["x", "c"]], "B")]).k_up[2]
    assert ps.compare(rate, "k10(2) = 2 x² J(ω0) n(ω0)")
    assert ps.compare(rate, repr(rate))
    wrong = ps.compare(rate, "2 x² J(ω0) [n(ω0) + 1]", limit="thermal")
    assert wrong.verdict == "different"
    assert "different" in repr(wrong)
    element = ps.generator([([["d", "x"], ["x", "c"]], "B")]).R_1010[2]
    assert ps.compare(element.real, element.real.latex())
    assert ps.compare(element.imaginary, element.imaginary.latex())
    assert not ps.compare(element, element.real.latex().partition("=")[2])


def test_three_level_models_compare_elements() -> None:
    equations = find("three_levels_two_baths").equations
    assert isinstance(equations, Generator)
    dictionary = Dictionary.of(equations.interaction)
    form = equations.series("k_10")[2].form
    limit: Limit = "thermal"
    assert compare_form(form, "x^2 2 J_X(ω1) n(ω1)", dictionary, limit=limit)


TILTED = Dictionary(
    1,
    ("B",),
    ("Delta", "d0", "d1", "eps", "x"),
    definitions={"d0": "-eps/(2 ω0)", "d1": "eps/(2 ω0)", "x": "Delta/(2 ω0)"},
    squares={"eps": "ω0^2 - Delta^2"},
)


@pytest.mark.parametrize(
    "source",
    [
        r"\frac{\Delta^2}{4(\epsilon^2+\Delta^2)}\hat C_B(-\omega_0)",
        r"\frac{\omega_0^2-\varepsilon^2}{4\omega_0^2}\hat C(-\omega_0)",
        r"\frac{\Delta^4-\omega_0^4+2\epsilon^2\omega_0^2-\epsilon^4+\Delta^2\omega_0^2}{4\omega_0^4}"
        r"\hat C(-\omega_0)",
        "x² Ĉ_B(-ω0)",
        "Delta^2/(2 (eps^2 + Delta^2)) * J(ω0) n(ω0).",
    ],
)
def test_elements_that_are_defined_by_other_symbols(source: str) -> None:
    """A tilted two-level system in the symbols of its site basis, with w0^2 = eps^2 + Delta^2."""
    bloch = Bloch(symbolic_interaction(2, [([["d0", "x"], ["x", "d1"]], "B")]))
    form = bloch.k_up[2].form
    result = compare_form(form, source, TILTED)
    assert result.verdict == "equal"
    node = parse(source, TILTED)
    trial = Trial(TILTED, result.limit, 4)
    assert trial.elements["eps"] ** 2 + trial.elements["Delta"] ** 2 == pytest.approx(
        trial.frequencies[0] ** 2
    )
    assert complex(trial.tree(node)) == pytest.approx(trial.form(form), rel=1e-9)
    wrong = compare_form(form, source.replace("4", "5", 1).replace("x²", "x³"), TILTED)
    assert wrong.verdict != "equal" or "J" in source
    assert compare_form(bloch.k_up[4].form, form_latex(bloch.k_up[4].form), TILTED)


def test_models_say_what_temperature_means(tmp_path: Path) -> None:
    file = tmp_path / "formula.txt"
    file.write_text("2 J(ω0) n(ω0)", encoding="utf-8")
    start = ("compare", model_file(tmp_path, (TEMPERATURE, "temperature = 0.0")), file)
    rest = ("--quantity", "k_up", "--order", 2, "--json")
    assert json.loads(run(*start, *rest).stdout)["limit"] == "zero-temperature"
    classical = model_file(tmp_path, (TEMPERATURE, 'statistics = "classical"\ntemperature = 0.5'))
    file.write_text("2 J(ω0)/(β ω0)", encoding="utf-8")
    assert json.loads(run("compare", classical, file, *rest).stdout) == {
        "verdict": "equal", "limit": "classical", "factor": "1", "difference": "0",
        "counterexample": None,
    }  # fmt: skip
    two = BASE.replace(
        "[[couplings]]", '[[couplings]]\noperator = [[0, 1], [1, 0]]\nbath = "y"\n[[couplings]]', 1
    )
    two += "[baths.y]\ntemperature = 2.0\nspectral_density = " + DENSITY + "\n"
    path = tmp_path / "two.toml"
    path.write_text(two, encoding="utf-8")
    file.write_text("2 J_x(ω0) n(ω0) + 2 J_y(ω0) n(ω0)", encoding="utf-8")
    result = run("compare", path, file, *rest)
    assert result.exit_code == 2
    assert "one temperature" in result.stderr
    file.write_text("Ĉ_x(-ω0) + Ĉ_y(-ω0)", encoding="utf-8")
    assert run("compare", path, file, *rest).exit_code == 0
    file.write_text(r"e^{-\beta\omega_0}\cdot 0", encoding="utf-8")
    constant = ("compare", "laird_budimir_skinner_1991", file, "--quantity", "equilibrium_constant")
    assert run(*constant, "--order", 2).exit_code == 1


@pytest.mark.parametrize("written", ["w0", "w_0", "w_{0}", "w _ 0"])
def test_w0_may_be_typed_in_latex(written: str) -> None:
    form, one = bloch().series("k_up")[2].form, Dictionary(1, ("C1", "C2"))
    typed = rf"\hat C_{{C1}}(-{written}) \cdot \frac{{{written}}}{{\omega_0}}"
    same = typed.replace(written, r"\omega_0")
    assert parse(typed, one) is not None
    assert compare_form(form, typed, one).verdict == compare_form(form, same, one).verdict
    three = Dictionary(2, ("B",))
    rate = monomial(Gaussian(2), Value("C", "B", 0, (-1, 1)))
    assert compare_form(rate, r"2\,\hat C_B(w_2 - w1)", three)
    for wrong in (r"\pi w", r"\pi w_3", r"\pi w0x", r"\pi w_{0"):
        with pytest.raises(FormulaError):
            parse(wrong, one)


@pytest.mark.parametrize(
    "written", ["2 J_x(w0) n_y(w0)", r"2 J_{x}(\omega_0)\,n_{y}(\omega_0)", r"\pi n_y(w0)"]
)
def test_occupations_of_several_temperatures_are_told_how_to_write(written: str) -> None:
    two = Dictionary(1, ("x", "y"), temperature="")
    with pytest.raises(FormulaError, match=r"\\hat C_y\(-\\omega_0\)"):
        parse(written, two)
    with pytest.raises(FormulaError, match=r"n\(ω\) for n_y"):
        parse(written, Dictionary(1, ("x", "y")))


def test_a_model_at_zero_temperature_is_compared_there(tmp_path: Path) -> None:
    path = model_file(tmp_path, (TEMPERATURE, "temperature = 0.0"))
    file = tmp_path / "formula.txt"

    def verdict(formula: str, quantity: str, order: int) -> tuple[str, str | None]:
        file.write_text(formula, encoding="utf-8")
        rest = ("--quantity", quantity, "--order", order, "--json")
        found = json.loads(run("compare", path, file, *rest).stdout)
        return found["verdict"], found["limit"]

    assert verdict("0", "k_up", 2) == ("equal", "zero-temperature")
    assert verdict("Ĉ_x(-ω0)", "k_up", 2) == ("equal", None)
    assert verdict("0", "k_down", 2)[0] == "different"
    assert verdict("Ĉ_x(ω0)", "inv_T1", 2) == ("equal", "zero-temperature")
    warm = model_file(tmp_path)
    file.write_text("0", encoding="utf-8")
    assert run("compare", warm, file, "--quantity", "k_up", "--order", 2).exit_code == 1


# ---------------------------------------------------------------------------------------------
# The names of one's own model

TILTED_FILE = """
[symbols]
eps = "real"
Delta = "positive"
[system]
hamiltonian = [["eps/2", "Delta/2"], ["Delta/2", "-eps/2"]]
[[couplings]]
operator = [["1/2", 0], [0, "-1/2"]]
bath = "B"
[baths.B]
temperature = 1.0
spectral_density = { kind = "drude-lorentz", lam = 0.1, gamma = 2.0 }
"""
DIMER = Path(__file__).parent.parent / "examples" / "dimer.toml"


@pytest.mark.parametrize("order", [2, 4])
@pytest.mark.parametrize("which", ["dimer", "tilted"])
def test_compare_knows_what_derive_prints(tmp_path: Path, which: str, order: int) -> None:
    model, formula = DIMER, tmp_path / "formula"
    if which == "tilted":
        model = tmp_path / "tilted.toml"
        model.write_text(TILTED_FILE, encoding="utf-8")
    asked = ("--quantity", "k_up", "--order", order)
    record = json.loads(run("derive", model, *asked, "--json").stdout)
    for written in (record["latex"], record["text"]):
        formula.write_text(written, encoding="utf-8")
        result = run("compare", model, formula, *asked)
        assert (result.exit_code, result.stdout) == (0, "equal\n")
        name, _, body = written.partition("=")
        turned = body.translate({ord("+"): "-", ord("-"): "+"})
        for wrong in (f"-({body})", turned):
            formula.write_text(f"{name}={wrong}", encoding="utf-8")
            result = run("compare", model, formula, *asked, "--json")
            assert result.exit_code == 1
            assert json.loads(result.stdout)["verdict"] != "equal"


@pytest.mark.parametrize("seed", range(6))
def test_symbols_of_a_file_are_known_to_compare(tmp_path: Path, seed: int) -> None:
    """k_up(2) by hand in the symbols, of H = [[a eps, b V], [b V, -a eps]] and S = diag(p, q)."""
    rng = random.Random(seed)
    a, b = (Fraction(rng.randint(1, 9), rng.randint(1, 5)) for _ in range(2))
    p, q = rng.sample(range(-3, 4), 2)
    text = TILTED_FILE.replace("eps/2", f"{a}*eps").replace("Delta/2", f"{b}*Delta")
    text = text.replace('[["1/2", 0], [0, "-1/2"]]', f"[[{p}, 0], [0, {q}]]")
    model, formula = tmp_path / "model.toml", tmp_path / "formula.txt"
    model.write_text(text, encoding="utf-8")
    above = f"Ĉ(-ω0) * {(p - q) ** 2} * ({b})^2 Delta^2"
    right = f"{above}/(4 (({a})^2 eps^2 + ({b})^2 Delta^2))"
    asked = ("--quantity", "k_up", "--order", 2)
    for written, code in ((right, 0), (right.replace("eps^2 +", "eps^2 -"), 1)):
        formula.write_text(written, encoding="utf-8")
        result = run("compare", model, formula, *asked)
        assert result.exit_code == code, result.output
    formula.write_text(f"{above}/ω0^2", encoding="utf-8")
    assert run("compare", model, formula, *asked, "--set", f"eps={seed}").exit_code == 0
    refused(run("compare", model, formula, *asked, "--set", "delta=1"), 2, "delta")


@pytest.mark.parametrize(
    ("system", "names"),
    [
        ({"hamiltonian": [["eps/2", "x+I*y"], ["x-I*y", "-eps/2"]]}, "c eps f g h s x y"),
        ({"hamiltonian": [["eps/2", 3], [3, "-eps/2"]]}, "c eps g s"),
        ({"hamiltonian": [[5, 3], [3, 1]]}, "c g s"),
        ({"hamiltonian": [["e1", "V"], ["V", "e2"]]}, "V c e1 e2 g s"),
        ({"hamiltonian": [["e1", "T"], ["T", "e2"]]}, "c g s"),
        ({"energies": ["-E/2", "E/2"]}, "E g"),
        ({"energies": [0, "w0"]}, "g"),
    ],
)
def test_names_of_two_levels(system: Any, names: str) -> None:
    """Every model knows its own formulas, and squares keep signs apart."""
    coupling = ps.Coupling([["1/2", "g"], ["g", "-1/2"]], "B")
    derived = ps.derive(ps.Model(**system, couplings=[coupling]))
    assert " ".join(derived.dictionary.elements) == names
    trial = Trial(derived.dictionary, "", 1)
    if "c" in trial.elements:
        assert trial.elements["c"] ** 2 + trial.elements["s"] ** 2 == pytest.approx(1)
    for order, quantity in itertools.product((2, 4), ("k_up", "inv_T2", "frequency_shift")):
        result = derived[quantity][order]
        assert result.compare(result.latex())
        assert derived.compare(quantity, order, result.text)
        head, _, body = result.text.partition("=")
        assert not ps.compare(result, f"{head}= 2 ({body})")


def test_derived_models_compare() -> None:
    derived = ps.derive(ps.load(DIMER))
    second = "[Ĉ_a(-ω0) + Ĉ_b(-ω0)] g^2 V^2/(eps^2 + 4 V^2)"
    assert derived.compare("k_up", 2, second)
    assert derived.compare("k_up", 2, "2 n(ω0) [J_a(ω0) + J_b(ω0)] V^2 g^2/ω0^2")
    assert derived.k_up[2].compare(second)
    assert not derived.compare("k_up", 2, "-" + second)
    opposite = derived.compare("k_up", 2, "-[Ĉ_a(-ω0) + Ĉ_b(-ω0)] g^2 V^2/ω0^2")
    assert opposite.factor == "-1"
    assert derived.compare("k_up", 2, "0", limit="zero-temperature")
    constant = derived.equilibrium_constant[2]
    assert derived.compare("equilibrium_constant", 2, constant.latex())
    with pytest.raises(ValueError, match="speed"):
        derived.compare("speed", 2, "0")
    with pytest.raises(FormulaError, match="known are"):
        derived.compare("k_up", 2, "kappa")
    with pytest.raises(ValueError, match="order"):
        derived.compare("k_up", 3, "0")


def test_blocks_of_more_levels_have_unit_circles() -> None:
    model = ps.Model(
        hamiltonian=[["eps/2", "V", 0], ["V", "-eps/2", 0], [0, 0, "E"]],
        couplings=[ps.Coupling([[1, 0, 0], [0, 0, "g"], [0, "g", 0]], "B")],
    )
    derived = ps.derive(model)
    dictionary = derived.dictionary
    assert set(dictionary.squares.values()) == {"1 - s^2", "1 - v^2"}
    result = derived.k[1, 0][2]
    assert result.compare(result.latex())
    assert result.compare(f"{result.text} + (u^2 + v^2 - 1) Ĉ(ω1)")
