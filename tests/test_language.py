"""Formulas are read back, compared exactly, and refused where they are not understood."""

from __future__ import annotations

import itertools
import random
from collections import Counter

import numpy as np
import pytest
import sympy
from scipy.integrate import quad

from pertsym.equations.bloch import Bloch
from pertsym.equations.equilibrium import EquilibriumConstant
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
from tests.formula_mutants import mutants
from tests.laird import LAIRD, bloch

BIASED = Dictionary(1, ("B",), ("c", "d", "x"))
THREE = Dictionary(2, ("X", "Y"), ("x", "y"))


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
    list(paper.narrate(max(paper.orders)))
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


@pytest.mark.parametrize(
    ("name", "ways"),
    [
        ("nu", "ν"), ("mu", "μµ"), ("theta", "θϑ"), ("phi", "φϕ"), ("eps", "εϵ"), ("Omega", "Ω"),
        ("kappa_1", "κ"), ("lambda_2", "λ"),
    ],
)  # fmt: skip
def test_elements_are_read_by_their_greek_letters(name: str, ways: str) -> None:
    """In LaTeX as they are written, and in text by name and letter; others stay unknown."""
    interaction = symbolic_interaction(2, [([["d", name], [name, 0]], "B")])
    form, other = (Bloch(interaction).series(k)[2].form for k in ("k_up", "inv_T1"))
    dictionary = Dictionary.of(interaction)
    digits = name.partition("_")[2]
    written = [form_latex(form), f"{name}^2 Ĉ(-ω0)", *(f"{x}{digits}^2 Ĉ(-ω0)" for x in ways)]
    written += [f"{x}_{digits}² Ĉ(-ω0)" for x in ways if digits]
    for source in written:
        assert compare_form(form, source, dictionary), source
        assert not compare_form(other, source, dictionary), source
    for source in ("ξ^2 Ĉ(-ω0)", f"{ways[0]}{digits}7^2 Ĉ(-ω0)"):
        with pytest.raises(FormulaError, match="is not known"):
            compare_form(form, source, dictionary)


def test_nu_is_a_variable_where_nothing_is_called_so() -> None:
    form = Bloch(symbolic_interaction(2, [([["d", "x"], ["x", "c"]], "B")])).k_up[2].form
    for source in (r"\nu^2 \hat C(-\omega_0)", "ν^2 Ĉ(-ω0)"):
        with pytest.raises(FormulaError, match="a variable outside"):
            compare_form(form, source, BIASED)
