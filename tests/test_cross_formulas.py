"""Formulas of correlated baths: C_ab beside C_a and C_b, against independent baths and matrices."""

from __future__ import annotations

import itertools
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pertsym as ps
from pertsym.api import Derived
from pertsym.baths.correlation import Correlation
from pertsym.baths.densities import DrudeLorentz, Exponentials, Ohmic, Underdamped
from pertsym.certify.standard import elements_by_routes, trace_and_hermiticity
from pertsym.distributions.chains import orient_chains
from pertsym.equations.thermal import detailed_balance
from pertsym.exact import Gaussian
from pertsym.model.errors import InputError
from pertsym.model_paper import paper_of_model
from pertsym.reduction.spectral import (
    Monomial,
    SpectralForm,
    SpectralIntegral,
    Thermal,
    Value,
)
from pertsym.results import Result
from tests.command_line import refused, run

X = (("d0", "x"), ("x", "d1"))
Y = (("e0", "y"), ("y", "e1"))
BLOCH = ("k_up", "k_down", "inv_T1", "inv_T2", "inv_T2_prime", "frequency_shift")
ELEMENTS = ("R_1000", "R_1011", "R_1001", "R_0010", "R_1010", "k_01_eliminated")
ELEMENTS_OF_TWO = (*BLOCH, *ELEMENTS)


def two_levels(**cross: Any) -> Derived:
    """Two couplings with all matrix elements, correlated."""
    return ps.derive(
        ps.Model(
            energies=[0, "w0"],
            couplings=[ps.Coupling(X, "a"), ps.Coupling(Y, "b")],
            cross=[ps.Cross(("a", "b"), **cross)],
        )
    )


TWO = two_levels()
APART = ps.derive([ps.Coupling(X, "a"), ps.Coupling(Y, "b")])
ONE = ps.derive([ps.Coupling(X, "B"), ps.Coupling(Y, "B")])
S, T = (
    [[0, "x", 0], ["x", "d", "1/2"], [0, "1/2", 0]],
    [["e", 0, "y"], [0, 0, "y"], ["y", "y", 0]],
)
THREE = ps.derive(
    ps.Model(
        energies=[0, "w1", "w2"],
        couplings=[ps.Coupling(S, "hot"), ps.Coupling(T, "hat")],
        cross=[ps.Cross(("hot", "hat"))],
    )
)
THREE_APART = ps.derive([ps.Coupling(S, "hot"), ps.Coupling(T, "hat")])
THREE_ONE = ps.derive([ps.Coupling(S, "B"), ps.Coupling(T, "B")])
ELEMENTS_OF_THREE = ("k_10", "k_21", "R_1002", "R_2121", "R_0112")
CASES = [
    *((TWO, APART, ONE, name) for name in ELEMENTS_OF_TWO),
    *((THREE, THREE_APART, THREE_ONE, name) for name in ELEMENTS_OF_THREE),
]


def parts(result: Result) -> tuple[SpectralForm, SpectralForm]:
    return result.form, result.imaginary_form


def renamed(form: SpectralForm, names: dict[str, str]) -> SpectralForm:
    """Spectra under other names; monomials with a spectrum that has none are left out."""
    terms = []
    for m, z in form:
        atoms: list[Any] = []
        for atom in m.atoms:
            if isinstance(atom, SpectralIntegral):
                atoms.append((atom.name, atom.other, atom))
            elif isinstance(atom, Value):
                atoms.append((atom.name, atom.name, atom))
            else:
                atoms.append(("", "", atom))
        if not {n for a, b, _ in atoms for n in (a, b)} <= {"", *names}:
            continue
        changed = [
            atom
            if not a
            else atom._replace(name=names[a], other=names[b])
            if isinstance(atom, SpectralIntegral)
            else atom._replace(name=names[a])
            for a, b, atom in atoms
        ]
        terms.append((Monomial(m.pi_power, m.denominators, tuple(changed)), z))
    return orient_chains(SpectralForm.collect(terms))


@pytest.mark.parametrize("order", [2, 4])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case[3])
def test_limits_of_no_and_full_correlation(case: tuple[Any, ...], order: int) -> None:
    """C_ab = 0 leaves two independent baths, C_ab = C_a = C_b one bath with the sum; exactly."""
    found, apart, one, name = case
    names = sorted(set(found.interaction.correlations.values()))
    single = {n: n for n in set(apart.interaction.correlations.values())}
    assert len(names) == 3
    crossed = 0
    for k, form in enumerate(parts(found[name][order])):
        alone, together = (parts(x[name][order])[k] for x in (apart, one))
        assert renamed(form, single) == orient_chains(alone)
        assert renamed(form, dict.fromkeys(names, "B")) == orient_chains(together)
        crossed += len(form.terms) - len(renamed(form, single).terms)
    assert crossed > 0 or (name == "k_10" and order == 2)  # hat does not join 0 and 1


MIXED = ps.derive(
    [
        ps.Coupling([["d0+3*e0/5", "x+3*y/5"], ["x+3*y/5", "d1+3*e1/5"]], "a"),
        ps.Coupling([["4*e0/5", "4*y/5"], ["4*y/5", "4*e1/5"]], "b"),
    ]
)


@pytest.mark.parametrize("order", [2, 4])
@pytest.mark.parametrize("name", ELEMENTS_OF_TWO)
def test_partial_correlation_is_a_mixture_of_independent_baths(name: str, order: int) -> None:
    """B_b = 3/5 B_a + 4/5 B_c: Ĉ_ab = 3/5 Ĉ_a in the formula, operators mixed outside; exactly."""
    for k, form in enumerate(parts(TWO[name][order])):
        terms = []
        for m, z in form:
            spectra = [atom for atom in m.atoms if isinstance(atom, Value | SpectralIntegral)]
            named = [name for atom in spectra for name in (atom.name, getattr(atom, "other", ""))]
            terms.append((m, z * Fraction(3, 5) ** named.count("ab")))
        mixed = parts(MIXED[name][order])[k]
        here = renamed(SpectralForm.collect(terms), {"a": "B", "b": "B", "ab": "B"})
        assert here == renamed(mixed, {"a": "B", "b": "B"})


@pytest.mark.parametrize(("fraction", "seed"), [(0.5, 0), (-1.0, 1), (1.0, 2)])
def test_functions_of_a_fraction_are_the_numbers(fraction: float, seed: int) -> None:
    """Formulas in C_ab against closed forms of independent baths, to the stated errors."""
    rng = np.random.default_rng(seed)
    values = dict(
        zip(("d0", "d1", "x", "e0", "e1", "y", "w0"), rng.uniform(0.2, 1, 7), strict=True)
    )
    one, other = DrudeLorentz(0.05, 1.7), DrudeLorentz(rng.uniform(0.01, 0.1), 1.7)
    baths = {n: ps.Bath(x, beta=0.8) for n, x in (("a", one), ("b", other))}
    numbers = TWO.at(**values, **baths, a_b=fraction)
    stated = two_levels(fraction=fraction)
    for order, name in itertools.product((2, 4), BLOCH):
        value, error = numbers[name][order]
        found = TWO[name][order].function(a=one, b=other, ab=fraction)(**values, beta=0.8)
        assert abs(found.value - value) <= 2 * (found.error + error)
        assert found.error < 1e-12
        if name == "k_up":
            known = stated[name][order].function(**baths)(**values)
            assert known.value == pytest.approx(found.value, abs=found.error)
    constant = TWO.equilibrium_constant[2].function(**baths, ab=fraction)(**values)
    assert numbers.equilibrium_constant[2].value == pytest.approx(constant.value, abs=1e-12)


def test_functions_of_a_density_and_of_arrays() -> None:
    one, other, shared = DrudeLorentz(0.05, 1.7), DrudeLorentz(0.06, 1.1), Ohmic(0.02, 2.0, 1)
    values = {"d0": 0.3, "d1": -0.2, "x": 0.7, "e0": 0.4, "e1": 0.1, "y": 0.5}
    fractions, lam = np.array([-1.0, 0.0, 0.5]), np.array([0.01, 0.02, 0.05])
    for name in ("k_up", "frequency_shift"):
        f = TWO[name][4].function(a=one, b=other, b_a=shared)
        numbers = TWO.at(
            **values, w0=1.0, ab=shared, a=ps.Bath(one, beta=0.8), b=ps.Bath(other, beta=0.8)
        )
        value, error = numbers[name][4]
        found = f(w0=1.0, beta_a=0.8, beta_b=0.8, **values)
        assert abs(found.value - value) <= 2 * (found.error + error)
        g = TWO[name][4].function(a=one, b=DrudeLorentz(lam, 1.7), ab=fractions)
        many = g(w0=np.array([0.9, 1.0, 1.1]), beta=0.8, **values)
        for k in range(3):
            single = TWO[name][4].function(a=one, b=DrudeLorentz(lam[k], 1.7), ab=fractions[k])
            here = single(w0=(0.9, 1.0, 1.1)[k], beta=0.8, **values)
            assert abs(many.value[k] - here.value) <= many.error[k] + here.error


@pytest.mark.parametrize(
    ("derived", "elements"),
    [(TWO, ("R_0011", *ELEMENTS[:-1])), (THREE, ("R_1100", "R_1002", "R_0112"))],
    ids=["two levels", "three levels"],
)
def test_exponentials_by_independent_routes(derived: Derived, elements: tuple[str, ...]) -> None:
    """C_ab with exponents of its own: residues, time integrals, superoperators, recursion."""
    generator = derived.generator
    chosen = [e for e in generator.elements if generator.name(e) in elements]
    evidence = elements_by_routes(generator, chosen, (1,))(15)
    assert evidence.status != "failed", evidence.detail
    assert len(chosen) == len(elements)


def test_the_trace_and_hermiticity_of_all_elements() -> None:
    evidence = trace_and_hermiticity(TWO.generator)(15)
    assert evidence.status == "proved", evidence.detail


def test_a_project_verifies_a_model_with_correlated_baths(tmp_path: Path) -> None:
    path = tmp_path / "model.toml"
    simple = MODEL.replace('[["d", 1], [1, 0]]', "[[0, 1], [1, 0]]").replace(
        "[[1, 0.5], [0.5, -1]]", "[[1, 0], [0, -1]]"
    )
    path.write_text(simple + "fraction = 0.5")
    paper = paper_of_model(path)
    assert {"trace_and_hermiticity", "elements_by_routes"} <= paper.checks.keys()
    for name, check in paper.checks.items():
        assert check(15).status != "failed", name


def test_detailed_balance_of_a_pair() -> None:
    """Ĉ_ab(-w) = e^{-beta w} Ĉ_ba(w) in formulas: k_up(2) = e^{-beta w} k_down(2) with the pair."""
    up, down = (detailed_balance(TWO[n][2].form) for n in ("k_up", "k_down"))
    boltzmann = Monomial(0, (), (Thermal("T", 0, (1,)),))
    assert up == down * SpectralForm(((boltzmann, Gaussian(1)),))
    assert {"ab"} < {value.name for value in up.values}
    # and the constant that follows from imaginary time is the one of the rates
    one, other = Underdamped(0.3, 1.0, 0.5), Underdamped(0.2, 1.0, 0.5)
    values = {"d0": 0.3, "d1": -0.2, "x": 0.7, "e0": 0.4, "e1": 0.1, "y": 0.5, "w0": 1.1}
    baths = {"a": one, "b": other, "ab": -0.7}
    rates = {
        (n, order): TWO[f"{n}_eliminated"][order].function(**baths)(**values, beta=0.9).value
        for n, order in itertools.product(("k_10", "k_01"), (2, 4))
    }
    ratio = rates["k_10", 2] / rates["k_01", 2]
    second = (rates["k_10", 4] - ratio * rates["k_01", 4]) / rates["k_01", 2]
    constant = [
        TWO.equilibrium_constant[n].function(**baths)(**values, beta=0.9).value for n in (0, 2)
    ]
    np.testing.assert_allclose([ratio, second], constant, atol=1e-12)


@pytest.mark.parametrize(
    "written",
    [
        r"\hat C_{ab}(-\omega_0)",
        r"\hat C_{ba}(-\omega_0)",
        r"\hat C_{\mathrm{ab}}(-\omega_0)",
        r"\hat C_{b,a}(-\omega_0)",
        r"e^{-\beta\omega_0}\hat C_{ba}(\omega_0)",
        "Ĉ_ba(-ω0)",
        "2 J_ab(w0) n(w0)",
        r"2 J_{ba}(\omega_0) n(\omega_0)",
    ],
)
def test_formulas_on_paper(written: str) -> None:
    latex = "\\" in written or "{" in written
    own = (
        r"x^2 \hat C_{a}(-\omega_0) + y^2 \hat C_{b}(-\omega_0) + 2 x y "
        if latex
        else "x^2 Ĉ_a(-ω0) + y^2 Ĉ_b(-ω0) + 2 x y "
    )
    assert TWO.compare("k_up", 2, own + written)
    assert not TWO.compare(
        "k_up", 2, own + "3 " + written if written[0] != "2" else own + written[1:]
    )


@pytest.mark.parametrize("derived", [TWO, THREE], ids=["short names", "long names"])
def test_what_is_printed_is_read_again(derived: Derived) -> None:
    result = derived.k_10[4] if derived is THREE else derived.inv_T2[4]
    assert result.compare(result.text)
    assert result.compare(result.latex())


MODEL = """
[system]
energies = [0.0, 1.0]
[[couplings]]
operator = [["d", 1], [1, 0]]
bath = "a"
[[couplings]]
operator = [[1, 0.5], [0.5, -1]]
bath = "b"
[symbols]
d = 0.5
[baths.a]
temperature = 1.0
spectral_density = { kind = "drude-lorentz", lam = 0.05, gamma = 1.0 }
[baths.b]
temperature = 1.0
spectral_density = { kind = "drude-lorentz", lam = 0.02, gamma = 1.0 }
[[cross]]
baths = ["a", "b"]
"""


def test_documents_of_a_model_file(tmp_path: Path) -> None:
    path, latex = tmp_path / "model.toml", tmp_path / "model.tex"
    path.write_text(MODEL + "fraction = 0.5")
    result = run("derive", path, "--order", 2, "--latex", latex)
    assert result.exit_code == 0, result.stderr
    text = latex.read_text()
    for piece in (
        r"C_{\mathrm{ab}}(t) = \langle B_{\mathrm{a}}(t)B_{\mathrm{b}}(0)\rangle = "
        r"C_{\mathrm{ba}}(-t)^*",
        r"\hat C_{\mathrm{ab}}(-\omega)=e^{-\beta\omega}\hat C_{\mathrm{ba}}(\omega)",
        r"J_{\mathrm{ab}}(\omega) = \frac{1}{2}\,\sqrt{J_{\mathrm{a}}(\omega)\,"
        r"J_{\mathrm{b}}(\omega)}",
        r"\hat C_{\mathrm{ab}}(-\omega_0)",
        "are correlated",
    ):
        assert piece in text
    assert "baths are independent" not in text
    derived = ps.derive(ps.load(path))
    names = ["k_up", "inv_T2"]
    steps = derived.document(order=4, quantities=names)
    printed = dict(line.split(" = ")[:2] for line in steps.step("numbers").text)
    baths = {b.name: b for b in derived.model.baths} if derived.model else {}
    for name, shown in zip(names, ("k10(4)", "(1/T2)(4)"), strict=True):
        value, _, error = printed[shown].partition(" +- ")
        found = derived[name][4].function(**baths)(d=0.5)
        assert float(value) == pytest.approx(found.value, rel=1e-9)
        assert float(error) < 1e-12
    written = derived.k_up[4].text
    (tmp_path / "formula.txt").write_text(written)
    arguments = ("--quantity", "k_up", "--order", 4)
    assert run("compare", path, tmp_path / "formula.txt", *arguments).exit_code == 0
    (tmp_path / "formula.txt").write_text(written.replace("Ĉ_ab(-ω0)", "2Ĉ_ab(-ω0)", 1))
    assert run("compare", path, tmp_path / "formula.txt", *arguments).exit_code == 1


def test_a_pair_without_numbers_has_formulas_only(tmp_path: Path) -> None:
    path = tmp_path / "model.toml"
    path.write_text(MODEL)
    result = run("derive", path, "--quantity", "k_up", "--order", "2")
    assert result.exit_code == 0
    assert "Ĉ_ab(-ω0)" in result.stdout
    assert "numbers" not in [s.key for s in ps.derive(ps.load(path)).document(order=2).steps]
    refused(run("rates", path), 2, "cross[0].fraction", "spectral_density")
    with pytest.raises(InputError, match=r"cross\[0\].fraction"):
        ps.derive(ps.load(path)).at()


def test_an_indefinite_matrix_exits_2_and_names_the_frequency(tmp_path: Path) -> None:
    path = tmp_path / "model.toml"
    density = "spectral_density = { kind = 'ohmic', alpha = 0.5, wc = 1.0, s = 1 }"
    path.write_text(MODEL + density)
    for command in (("rates", path), ("generator", path), ("export", path,
                     "--language", "python", "--output", tmp_path / "rates.py")):  # fmt: skip
        line = refused(run(*command), 2, "not positive semidefinite: at w = ")
        w = float(line.partition("at w = ")[2].split(",")[0])
        one, other = DrudeLorentz(0.05, 1.0), DrudeLorentz(0.02, 1.0)
        shared = Ohmic(0.5, 1.0, 1)
        ja, jb, jab = (Correlation(x, "boson", 1.0).spectrum(w).value for x in (one, other, shared))
        assert jab**2 > ja * jb


def test_refusals() -> None:
    one, other = DrudeLorentz(0.05, 1.7), DrudeLorentz(0.06, 1.7)
    f = TWO.k_up[2].function
    with pytest.raises(TypeError, match=r"ab=.*fraction"):
        f(a=one, b=other)
    with pytest.raises(TypeError, match="spectral density for b"):
        f(a=one, ab=0.5)
    with pytest.raises(InputError, match="at w = "):
        f(a=one, b=other, ab=Ohmic(0.5, 1.0, 1))
    with pytest.raises(InputError, match="positive semidefinite"):
        f(a=one, b=other, ab=np.array([0.3, -1.1]))
    with pytest.raises(InputError, match="more than a factor"):
        f(a=one, b=DrudeLorentz(0.06, 1.6), ab=0.5)
    sums = Exponentials((0.1,), (1.0,))
    for a, b in ((sums, other), (one, sums), (sums, sums)):
        with pytest.raises(TypeError, match="J_ab as exponentials where the baths are given so"):
            f(a=a, b=b, ab=0.5)
    with pytest.raises(TypeError, match="one temperature"):
        f(a=one, b=other, ab=0.5)(1.0, beta_a=1.0, beta_b=2.0, x=1, y=1)
    with pytest.raises(TypeError, match="ac"):
        f(a=one, b=other, ac=0.5)
    zero = f(a=one, b=None)(1.0, 0.8, x=1.0, y=1.0)
    assert zero.value == pytest.approx(f(a=one, b=other, ab=0)(1.0, 0.8, x=1.0, y=0.0).value)


def test_three_fractions_at_once() -> None:
    names = "abc"
    pairs = [("a", "b"), ("b", "c"), ("a", "c")]
    derived = ps.derive(
        ps.Model(
            energies=[0, 1],
            couplings=[ps.Coupling(((k, 1), (1, -k)), n) for k, n in enumerate(names)],
            cross=[ps.Cross(pair) for pair in pairs],
        )
    )
    density = DrudeLorentz(0.04, 1.3)
    baths = {n: ps.Bath(density, beta=0.7) for n in names}
    fractions = {"ab": 0.5, "bc": -0.3, "ca": 0.2}
    numbers = derived.at(**baths, **fractions)
    for name in ("k_up", "inv_T2"):
        value, error = numbers[name][4]
        found = derived[name][4].function(**baths, **fractions)()
        assert abs(found.value - value) <= 2 * (found.error + error)
    with pytest.raises(InputError, match="of a, b, c is not positive semidefinite"):
        derived.k_up[2].function(**baths, ab=0.9, bc=0.9, ac=-0.9)


def test_names_that_are_taken() -> None:
    """A bath "ab" leaves C_{a,b} for the pair; a bath "a,b" as well leaves none."""
    operators = {n: ((k, 1), (1, 0)) for k, n in enumerate(("a", "b", "ab", "a,b"))}
    couplings = [ps.Coupling(x, n) for n, x in operators.items()]
    cross = [ps.Cross(("a", "b"))]
    three = ps.derive(ps.Model(energies=[0, 1], couplings=couplings[:3], cross=cross))
    assert {"a", "b", "ab", "a,b"} == set(three.interaction.correlations.values())
    assert three.compare("k_up", 2, "Ĉ_a(-ω0) + Ĉ_b(-ω0) + Ĉ_ab(-ω0) + 2 Ĉ_a,b(-ω0)")
    with pytest.raises(InputError, match="rename"):
        ps.derive(ps.Model(energies=[0, 1], couplings=couplings, cross=cross))


def test_bath_names_that_are_no_identifiers() -> None:
    density = DrudeLorentz(0.04, 1.3)
    plain = ps.derive([ps.Coupling(X, "B")]).k_up[4].function(B=density)
    odd = ps.derive([ps.Coupling(X, "the bath")]).k_up[4].function(**{"the bath": density})
    values = {"w0": 1.1, "beta": 0.8, "d0": 0.3, "d1": 0.1, "x": 0.4}
    assert odd(**values) == plain(**values)
