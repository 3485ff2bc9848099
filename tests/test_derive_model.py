"""One's own Hamiltonian: its eigenbasis in symbols, formulas, functions and numbers."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import sympy

import pertsym as ps
from derivations.biased_two_level import checks as biased
from pertsym.equations.bloch import QUANTITIES
from pertsym.exact import Gaussian
from pertsym.model.diagonalisation import eigenbasis_of
from pertsym.model.entries import hermitian_at
from pertsym.model.matrix import eigenbasis
from pertsym.model.read import Place
from pertsym.reduction.elements import by_elements, with_elements
from pertsym.reduction.spectral import ZERO_FORM, SpectralForm

DRUDE = ps.DrudeLorentz(lam=0.05, gamma=2.0)
OHMIC = ps.Ohmic(alpha=0.05, wc=3.0, s=1.0)
TILTED = ps.Model(
    hamiltonian=[["eps/2", "Delta/2"], ["Delta/2", "-eps/2"]],
    couplings=[ps.Coupling([["1/2", 0], [0, "-1/2"]], "B")],
)
D = ps.derive(TILTED)


def substituted(form: SpectralForm, values: Mapping[str, tuple[Fraction, str]]) -> SpectralForm:
    """Each matrix element replaced by a number times a symbol."""
    total = ZERO_FORM
    for names, part in by_elements(form):
        factor, symbols = Fraction(1), []
        for name in names:
            factor *= values[name][0]
            symbols.append(values[name][1])
        if factor:
            total += with_elements(part.scaled(Gaussian(factor)), tuple(sorted(symbols)))
    return total


# ---------------------------------------------------------------------------------------------
# Formulas


@pytest.mark.parametrize("order", [2, 4])
@pytest.mark.parametrize("name", QUANTITIES)
def test_the_tilted_system_is_the_biased_one(name: str, order: int) -> None:
    """S = [[c - d, x], [x, c + d]] in the eigenbasis, with c = 0, d = cos/2, x = -sin/2."""
    values = {
        "c": (Fraction(0), ""),
        "d": (Fraction(1, 2), "c"),
        "x": (Fraction(-1, 2), "s"),
    }
    assert biased.INTERACTION.symbols == tuple(values)
    wanted = substituted(biased.EQUATIONS.series(name)[order].form, values)
    found = D[name][order].form
    renamed = SpectralForm.collect(
        (
            m._replace(
                atoms=tuple(
                    a._replace(
                        **{
                            field: biased.BATH
                            for field in ("name", "other")
                            if getattr(a, field, None) == "B"
                        }
                    )
                    for a in m.atoms
                )
            ),
            z,
        )
        for m, z in found
    )
    assert renamed == wanted
    assert bool(wanted) == (name != "inv_T2_prime" or order > 0)


def test_definitions_of_the_tilted_system() -> None:
    assert D.basis is not None
    eps, delta = (TILTED.symbols[n].symbol for n in ("eps", "Delta"))
    gap = sympy.sqrt(eps**2 + delta**2)
    assert sympy.simplify(D.basis.frequencies[0] - gap) == 0
    found = {d.name: d.expression for d in D.basis.definitions}
    assert sympy.simplify(found["c"] - eps / gap) == 0
    assert sympy.simplify(found["s"] - delta / gap) == 0
    shown = repr(D)
    for line in ("ω0 = sqrt(Delta**2 + eps**2)", "c = eps/", "mixing angle", "S_B = "):
        assert line in shown
    assert r"\varepsilon" in D._repr_latex_()


def numbers(seed: int, *names: str) -> dict[str, float]:
    rng = np.random.default_rng(seed)
    return {name: float(x) for name, x in zip(names, rng.normal(size=len(names)), strict=True)}


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("name", ["k_up", "inv_T2", "frequency_shift", "equilibrium_constant"])
def test_formulas_of_a_complex_system_at_numbers(name: str, seed: int) -> None:
    """Against the numerical route, which diagonalises without knowing the formulas."""
    model = ps.Model(
        hamiltonian=[["a", "b + I*g"], ["b - I*g", "d"]],
        couplings=[
            ps.Coupling([["x", "y - I*z"], ["y + I*z", 0]], "B"),
            ps.Coupling([[0, "0.3"], ["0.3", 1]], "B", "x"),
        ],
    )
    values = numbers(seed, "a", "b", "d", "g", "x", "y", "z")
    derived = ps.derive(model)
    order = 2
    series = getattr(derived, name)
    found = series[order].function(B=DRUDE)(beta=0.8, **values)
    a, b, d, g, x, y, z = values.values()
    h = np.array([[a, b + 1j * g], [b - 1j * g, d]])
    s = np.array([[x, y - 1j * z + 0.3 * x], [y + 1j * z + 0.3 * x, x]])
    energies, v = np.linalg.eigh(h)
    coupling = ps.Coupling(symmetric(v.conj().T @ s @ v), "B")
    plain = ps.Model.of(energies, [coupling], [ps.Bath("B", "boson", 0.8, DRUDE)])
    rates = ps.bloch_rates(plain, 4)
    wanted = rates.equilibrium_constant if name == "equilibrium_constant" else rates.orders
    number = wanted[order] if name == "equilibrium_constant" else wanted[order][name]
    assert found.value == pytest.approx(number.value, rel=1e-11, abs=1e-13)


def symmetric(matrix: Any) -> Any:
    return ((matrix + matrix.conj().T) / 2).tolist()


V_SYSTEM = ps.Model(
    energies=[0, "w1", "w2"],
    couplings=[
        ps.Coupling([[0, "x", 0], ["x", 0, 0], [0, 0, 0]], "X"),
        ps.Coupling([[0, 0, "y"], [0, 0, 0], ["y", 0, 0]], "Y"),
    ],
)


@pytest.mark.parametrize("order", [2, 4])
def test_two_baths_have_two_temperatures(order: int) -> None:
    derived = ps.derive(V_SYSTEM)
    values = {"w1": 0.875, "w2": 2.125, "x": 0.5, "y": 0.75}
    baths = {"X": ps.Bath(DRUDE, temperature=1.0), "Y": ps.Bath(OHMIC, temperature=0.4)}
    exact = derived.at(**values, **baths)
    for name in ("k_10", "k_20", "k_21"):
        f = derived[name][order].function(X=DRUDE, Y=OHMIC)
        arguments = ["w1", "w2", "beta", "x", "y", "beta_X", "beta_Y"]
        assert list(inspect.signature(f).parameters) == arguments
        found = f(beta_X=1.0, beta_Y=2.5, **values)
        wanted = exact[name][order]
        assert abs(found.value - wanted.value) <= found.error + wanted.error + 1e-9
        own = derived[name][order].function(**baths)(**values)
        assert own.value == found.value
        if order == 4 and found.value:
            swapped = f(beta_X=2.5, beta_Y=1.0, **values)
            assert abs(swapped.value - found.value) > 1e-3 * abs(found.value)


def test_a_list_of_temperatures_is_refused_for_two_baths() -> None:
    f = ps.derive(V_SYSTEM).k_10[4].function(X=DRUDE, Y=OHMIC)
    values = {"w1": 0.875, "w2": 2.125, "x": 0.5, "y": 0.75}
    with pytest.raises(TypeError, match=r"beta_X=.*, beta_Y="):
        f(beta=[1.0, 2.5], **values)
    assert f(beta=np.array([1.0, 2.5]), **values).value.shape == (2,)


def test_arguments_are_the_same_at_every_order() -> None:
    """A loop over orders and quantities needs no thought."""
    for name in QUANTITIES:
        for order in (2, 4):
            f = D[name][order].function(B=DRUDE)
            assert list(inspect.signature(f).parameters) == ["beta", "Delta", "eps"]
            assert np.isfinite(f(eps=0.5, Delta=np.array([0.5, 1.0]), beta=1.0).value).all()
    for name in ("k_10", "R_1010"):
        for order in (2, 4):
            part = ps.derive(V_SYSTEM)[name][order].real
            f = part.function(X=DRUDE, Y=OHMIC)
            assert np.isfinite(f(w1=0.9, w2=2.1, x=0.5, y=0.2, beta=1.0).value)


# ---------------------------------------------------------------------------------------------
# Eigenbases


def random_model(seed: int, size: int, *, real: bool) -> ps.Model:
    rng = np.random.default_rng(seed)
    h = rng.normal(size=(size, size)) + (0 if real else 1j) * rng.normal(size=(size, size))
    return ps.Model(
        hamiltonian=symmetric(h),
        couplings=[ps.Coupling(symmetric(rng.normal(size=(size, size))), "B")],
    )


@pytest.mark.parametrize("real", [True, False])
@pytest.mark.parametrize("size", [2, 3])
@pytest.mark.parametrize("seed", range(6))
def test_eigenvectors(seed: int, size: int, real: bool) -> None:
    model = random_model(seed, size, real=real)
    basis = eigenbasis_of(model)
    assert model.hamiltonian is not None
    rows = hermitian_at(model.hamiltonian, {}, Place("h"))
    energies, vectors = basis.numerical({})
    h = np.array([[complex(z) for z in row] for row in rows])
    np.testing.assert_allclose(h @ vectors, vectors * np.array(energies), atol=1e-13)
    np.testing.assert_allclose(vectors.conj().T @ vectors, np.eye(size), atol=1e-13)
    assert list(energies) == sorted(energies)
    if real:  # signs are those of the numerical commands
        np.testing.assert_allclose(vectors, eigenbasis(rows)[1], atol=1e-12)


@pytest.mark.parametrize("seed", range(8))
def test_signs_follow_the_values(seed: int) -> None:
    """Where values are known, signs of elements are those that `generator MODEL` prints."""
    values = numbers(seed, "eps", "Delta")
    if seed == 7:
        values["eps"] = 0.0
    model = ps.Model(
        hamiltonian=[["eps/2", "Delta/2"], ["Delta/2", "-eps/2"]],
        couplings=[ps.Coupling([["1/2", 0], [0, "-1/2"]], "B")],
        symbols=values,
    )
    basis = eigenbasis_of(model)
    assert model.hamiltonian is not None
    rows = hermitian_at(model.hamiltonian, model.values, Place("h"))
    _, vectors = basis.numerical(values)
    np.testing.assert_allclose(vectors, eigenbasis(rows)[1], atol=1e-12)
    _, elements = basis.numbers(values)
    off = basis.operators["B"][1, 0]
    total = sum(
        complex(z) * np.prod([float(elements[name]) for name in names]) for names, z in off.items()
    )
    wanted = (vectors.conj().T @ np.diag([0.5, -0.5]) @ vectors)[1, 0]
    assert total == pytest.approx(wanted, abs=1e-14)


BLOCKS = ps.Model(
    hamiltonian=[[0, "V", 0], ["V", "w", 0], [0, 0, "W"]],
    couplings=[
        ps.Coupling([[0, 0, 1], [0, 0, "g"], [1, "g", 0]], "A"),
        ps.Coupling([[1, 0, 0], [0, 0, 0], [0, 0, 0]], "B", "sqrt(2)"),
    ],
)


@pytest.mark.parametrize("seed", range(4))
def test_blocks_of_one_and_two_are_closed(seed: int) -> None:
    """Elements between blocks hold half angles; formulas agree with the numerical generator."""
    derived = ps.derive(BLOCKS)
    assert derived.basis is not None
    assert derived.basis.closed
    values = numbers(seed, "V", "w", "W", "g")
    values["W"] += 5
    exact = derived.at(
        **values, A=ps.Bath(DRUDE, temperature=1.0), B=ps.Bath(OHMIC, temperature=0.5)
    )
    for name in ("k_10", "k_20", "k_12", "R_1010", "R_0120"):
        part = derived[name][2].real
        found = part.function(A=DRUDE, B=OHMIC)(beta_A=1.0, beta_B=2.0, **values)
        wanted = exact[name][2]
        assert found.value == pytest.approx(np.real(wanted.value), rel=1e-10, abs=1e-13)
    assert any(abs(exact[name][2].value) > 1e-8 for name in ("k_10", "k_20", "k_12"))


def test_a_numerical_hamiltonian_has_named_elements() -> None:
    """A symmetric chain: parity forbids elements, and they are absent; the others have values."""
    j = 0.30000000000000004
    model = ps.Model(
        hamiltonian=[[0.1, j, 0], [j, 0.2, j], [0, j, 0.1]],
        couplings=[ps.Coupling([[1, 0, 0], [0, 0, 0], [0, 0, 1]], "B", "g")],
    )
    derived = ps.derive(model)
    assert derived.basis is not None
    assert not derived.basis.closed
    names = {d.name: d.value for d in derived.basis.definitions}
    _, vectors = np.linalg.eigh([[0.1, j, 0], [j, 0.2, j], [0, j, 0.1]])
    s = vectors.T @ np.diag([1.0, 0, 1]) @ vectors
    for name, value in names.items():
        m, n = map(int, name[1:])
        assert abs(value or 0) == pytest.approx(abs(s[m, n]), abs=1e-13)
    assert set(derived.basis.operators["B"]) == {(0, 0), (0, 2), (1, 1), (2, 0), (2, 2)}
    assert not derived.k_10[4].form  # the odd level is not reached
    shown = repr(derived.k_20[4]) + derived.k_20[4].latex()
    assert not re.search(r"\d{5}", shown)
    assert "S02" in shown
    values = {"g": 0.3}
    found = derived.k_20[2].function(B=DRUDE)(beta=1.0, **values)
    wanted = derived.at(B=ps.Bath(DRUDE, temperature=1.0), **values).k_20[2]
    assert found.value == pytest.approx(wanted.value, rel=1e-11)


@pytest.mark.parametrize("seed", range(1, 5))
def test_a_numerical_formula_is_as_short_as_a_symbolic_one(seed: int) -> None:
    """A coupling with diagonal and off-diagonal elements; names of the angle are still read."""
    rng = np.random.default_rng(seed)
    a, b, eps, v, more = (round(x, 1 + seed % 2) for x in rng.uniform(0.1, 0.9, size=5))
    model = ps.Model(
        hamiltonian=[[eps, v], [v, -eps]],
        couplings=[ps.Coupling([[f"{a} + {more}", b], [b, f"-{a} + {more}"]], "B")],
    )
    derived = ps.derive(model)
    plain = ps.derive([ps.Coupling([["m - z", "x"], ["x", "m + z"]], "B")])
    assert derived.basis is not None
    assert {d.name for d in derived.basis.definitions} >= {"c", "s", "x", "z"}
    for name in ("k_up", "inv_T2"):
        assert len(derived[name][4].terms) == len(plain[name][4].terms)
    assert derived.compare("k_up", 4, derived.k_up[4].latex())
    assert derived.compare("k_up", 2, rf"({b} c - {a} s)^2 \hat C_B(-\omega_0)")
    assert not derived.compare("k_up", 2, rf"({b} c + {a} s)^2 \hat C_B(-\omega_0)")
    found = derived.k_up[4].function(B=DRUDE)(beta=1.0)
    wanted = derived.at(B=ps.Bath(DRUDE, temperature=1.0)).k_up[4]
    assert found.value == pytest.approx(wanted.value, rel=1e-8)


@pytest.mark.parametrize("seed", range(3))
def test_elements_between_blocks_have_names(seed: int) -> None:
    """A V system: the angle is shown as such, and elements are those of eigenvectors."""
    rng = np.random.default_rng(seed)
    h = np.diag([0.0, *rng.uniform(1, 2, size=2)])
    h[1, 2] = h[2, 1] = rng.uniform(-0.4, 0.4)
    s = np.zeros((3, 3))
    s[0, 1:] = s[1:, 0] = rng.uniform(0.2, 1, size=2)
    derived = ps.derive(ps.Model(hamiltonian=h.tolist(), couplings=[ps.Coupling(s.tolist(), "B")]))
    assert derived.basis is not None
    names = {d.name: d for d in derived.basis.definitions}
    _, vectors = np.linalg.eigh(h)
    elements = vectors.T @ s @ vectors
    for n in (1, 2):
        assert names[f"x0{n}"].value == pytest.approx(abs(elements[0, n]), abs=1e-13) or (
            names[f"x0{n}"].value == pytest.approx(-abs(elements[0, n]), abs=1e-13)
        )
    shown = repr(derived)
    assert "atan" not in shown
    assert "u = cos(theta/2) = 0." in shown
    assert "x01 = <0|S_B|1> = " in shown
    assert len(derived.k_10[2].form.terms) == 1
    assert derived.compare("k_10", 4, derived.k_10[4].latex())


def test_numbers_that_are_not_simple_have_names() -> None:
    derived = ps.derive(
        [ps.Coupling([[0.5, 0.7071067811865476], [0.7071067811865476, -0.5]], "B", 1)]
    )
    assert derived.basis is not None
    ((name, value),) = [(d.name, d.value) for d in derived.basis.definitions]
    assert value == 0.7071067811865476
    assert repr(derived.k_up[2]) == f"k10(2) = {name}² Ĉ_B(-ω0)"
    assert "/" not in re.sub(r"\(1/\d+π\)", "", repr(derived.k_up[2]))
    f = derived.k_up[2].function(B=DRUDE)
    plain = ps.derive([ps.Coupling(ps.sigma_x, "B")]).k_up[2].function(B=DRUDE)
    assert f(1.1, 0.8).value == pytest.approx(plain(1.1, 0.8).value / 2, rel=1e-14)


# ---------------------------------------------------------------------------------------------
# Numbers


def test_numbers_of_the_tilted_system() -> None:
    n = D.at(eps=0.5, Delta=1.0, B=ps.Bath(DRUDE, temperature=1.0))
    for name in QUANTITIES:
        for order in (2, 4):
            f = D[name][order].function(B=DRUDE)(eps=0.5, Delta=1.0, beta=1.0)
            value, error = n[name][order]
            assert abs(f.value - value) <= f.error + error + 1e-14
    assert n.k_up[2].value == pytest.approx(-n.matrix[2][0, 0].real, rel=1e-12)
    assert n.R_1010[4].value == pytest.approx(n.matrix[4][2, 2])
    assert n.error[4].shape == n.matrix[4].shape == (4, 4)
    assert n.equilibrium_constant[2].error < 1e-12
    with pytest.raises(AttributeError, match="is unknown"):
        _ = n.k_sideways
    with pytest.raises(ps.InputError, match="no level 2"):
        n.evolve("tcl2", initial=2, times=[0.0])
    with pytest.raises(ps.InputError, match="'sites' is unknown"):
        n.steady("tcl2", basis="sites")  # type: ignore[arg-type]


def test_site_populations_by_hand() -> None:
    model = ps.Model(
        hamiltonian=TILTED.hamiltonian,
        couplings=TILTED.couplings,
        observables={"sx": [[0, 1], [1, 0]]},
    )
    values = {"eps": -0.4, "Delta": 0.9}
    n = ps.derive(model).at(**values, B=ps.Bath(DRUDE, temperature=0.7))
    times = np.linspace(0, 6, 5)
    sites = n.evolve("tcl2", initial=0, times=times)
    h = np.array([[-0.2, 0.45], [0.45, 0.2]])
    _, v = np.linalg.eigh(h)
    start = v.T @ np.diag([1.0, 0]) @ v
    coupling = ps.Coupling(symmetric(v.T @ np.diag([0.5, -0.5]) @ v), "B")
    plain = ps.Model.of(np.linalg.eigvalsh(h), [coupling], [ps.Bath("B", "boson", 1 / 0.7, DRUDE)])
    states = ps.evolve(plain, "tcl2", start, list(times))
    rotated = v @ states @ v.T
    np.testing.assert_allclose(sites.states, rotated, atol=1e-8)
    np.testing.assert_allclose(sites.populations.sum(axis=1), 1, atol=1e-12)
    values, errors = sites.expectation["sx"]
    np.testing.assert_allclose(values, 2 * rotated[:, 0, 1].real, atol=1e-8)
    assert np.all(errors < 1e-6)
    assert np.all(errors > 0)
    energy = n.evolve("tcl2", initial=sites.states[0], times=[0.0])
    np.testing.assert_allclose(energy.states[0], sites.states[0], atol=1e-12)
    gibbs = n.steady("gibbs").matrix
    weights = np.exp(-np.linalg.eigvalsh(h) / 0.7)
    wanted = v @ np.diag(weights / weights.sum()) @ v.T
    np.testing.assert_allclose(gibbs, wanted, atol=1e-13)
    assert n.mean_force(0).matrix == pytest.approx(gibbs, abs=1e-13)
    assert "system basis" in repr(sites)


@pytest.mark.parametrize("size", [2, 3])
@pytest.mark.parametrize("seed", range(3))
def test_states_in_the_basis_of_a_complex_hamiltonian(seed: int, size: int) -> None:
    """The Gibbs state is exp(-beta H)/Z there, and a level at t = 0 is a basis vector."""
    model = random_model(seed, size, real=False)
    n = ps.derive(model).at(B=ps.Bath(DRUDE, temperature=0.7))
    assert model.hamiltonian is not None
    rows = hermitian_at(model.hamiltonian, {}, Place("h"))
    h = np.array([[complex(z) for z in row] for row in rows])
    energies, v = np.linalg.eigh(h)
    weights = np.exp(-(energies - energies[0]) / 0.7)
    wanted = v @ np.diag(weights / weights.sum()) @ v.conj().T
    np.testing.assert_allclose(n.steady("gibbs").matrix, wanted, atol=1e-13)
    start = n.evolve("redfield", initial=size - 1, times=[0.0, 0.1])
    np.testing.assert_allclose(start.populations[0], np.eye(size)[-1], atol=1e-12)
    diagonal = n.steady("gibbs", basis="energy").matrix
    np.testing.assert_allclose(diagonal, np.diag(weights / weights.sum()), atol=1e-13)


def test_a_density_may_be_a_formula() -> None:
    w = sympy.Symbol("w")
    formula = "0.2*w/(4 + w**2)"
    exact = D.k_up[4].function(B=DRUDE)(eps=0.5, Delta=1.0, beta=1.0)
    for density in (formula, sympy.Rational(1, 5) * w / (4 + w**2)):
        bath = ps.Bath(density, temperature=1.0)
        found = D.k_up[4].function(B=bath)(eps=0.5, Delta=1.0)
        assert found.value == pytest.approx(exact.value, rel=1e-9)
        assert D.at(eps=0.5, Delta=1.0, B=bath).k_up[4].value == pytest.approx(found.value)
    bare = D.k_up[4].function(B=formula)(eps=0.5, Delta=1.0, beta=1.0)
    assert bare.value == pytest.approx(exact.value, rel=1e-9)
    with pytest.raises(ps.InputError, match="unknown name"):
        ps.Bath("0.1*v", temperature=1.0)
    with pytest.raises(ps.InputError, match="give one of the two"):
        ps.Bath(DRUDE, temperature=1.0, beta=1.0)
    with pytest.raises(ps.InputError, match="must not be negative"):
        ps.Bath(DRUDE, temperature=-1.0)
    assert ps.Bath(DRUDE, temperature=0).beta == np.inf


def test_at_says_what_is_missing() -> None:
    bath = ps.Bath(DRUDE, temperature=1.0)
    with pytest.raises(TypeError, match="a value for Delta, a Bath for B"):
        D.at(eps=1.0)
    with pytest.raises(TypeError, match="unknown: gamma, Y"):
        D.at(eps=1.0, Delta=1.0, gamma=1.0, B=bath, Y=bath)
    positive = ps.derive(
        ps.Model(
            hamiltonian=[[0, "V"], ["V", 0]],
            couplings=[ps.Coupling([[1, 0], [0, 0]], "B")],
            symbols={"V": "positive"},
        )
    )
    with pytest.raises(ps.InputError, match="not positive"):
        positive.at(V=-1.0, B=bath)


# ---------------------------------------------------------------------------------------------
# What is refused


def test_mistakes_are_named() -> None:
    good = [ps.Coupling([[1, 0], [0, 0]], "B")]
    h: Any = [["a", "b"], ["b", "d"]]
    for fault, said in (
        (lambda: ps.Model(couplings=good), "exactly one"),
        (lambda: ps.Model(hamiltonian=h, energies=[0, 1], couplings=good), "exactly one"),
        (lambda: ps.Model(hamiltonian=h, couplings=[]), "no coupling"),
        (lambda: ps.Model(hamiltonian=[["a"]], couplings=good), "fewer than two"),
        (lambda: ps.Model(hamiltonian=[["a", "b"]], couplings=good), "square"),
        (lambda: ps.Model(hamiltonian=[[0, "b"], ["c", 0]], couplings=good), "not Hermitian"),
        (lambda: ps.Model(hamiltonian=[["I*a", 0], [0, 1]], couplings=good), "not Hermitian"),
        (lambda: ps.Model(hamiltonian=h, couplings=good, symbols={"a": "big"}), "assumption"),
        (lambda: ps.Model(hamiltonian=h, couplings=good, units="furlong"), "units"),
        (lambda: ps.Model(hamiltonian=[[0, "a("], [1, 0]], couplings=good), "not a formula"),
        (lambda: ps.Model(hamiltonian=[[0, None], [1, 0]], couplings=good), "is no entry"),
        (
            lambda: (
                ps.Coupling([[0, "I"], ["I", 0]], "B").numeric()
                and ps.Model(hamiltonian=h, couplings=[ps.Coupling([[0, "I"], ["I", 0]], "B")])
            ),
            "not Hermitian",
        ),
        (
            lambda: ps.Model(hamiltonian=h, couplings=[ps.Coupling([[1, 0], [0, 0]], "B", "I")]),
            "is not real",
        ),
        (
            lambda: ps.Model(
                hamiltonian=h, couplings=good, baths={"C": ps.Bath(DRUDE, temperature=1.0)}
            ),
            "no bath 'B'",
        ),
        (
            lambda: ps.Model(
                hamiltonian=h, couplings=[ps.Coupling([[1, 0, 0], [0, 0, 0], [0, 0, 0]], "B")]
            ),
            "3 rows",
        ),
        (
            lambda: ps.derive([ps.Coupling([[0, "sqrt(x)"], ["sqrt(x)", 0]], "B")]),
            "not",
        ),
    ):
        with pytest.raises(ps.InputError, match=said):
            fault()


def test_degenerate_levels_are_refused() -> None:
    coupling = ps.Coupling([[0, 1], [1, 0]], "B")
    for h in ([["a", 0], [0, "a"]], [["a", "b - b"], ["b - b", "a"]], [["2*a", 0], [0, "a + a"]]):
        model = ps.Model(hamiltonian=h, couplings=[coupling])
        with pytest.raises(ps.NotYetDerivable, match="degenerate"):
            ps.derive(model)


# ---------------------------------------------------------------------------------------------
# Sequences


def test_terms_and_steps_are_sequences() -> None:
    terms = D.k_up[4].terms
    assert len(terms) == len(list(terms)) > 4
    assert len(terms[1:3]) == 2
    assert repr(terms[1]).split() == repr(terms).splitlines()[2].split()
    steps = D.k_up[4].steps
    assert [step.key for step in steps[-3:]] == ["spectral", "notation", "rules"]
    assert steps[0].title in repr(steps[:2])
    assert "$$" in steps._repr_latex_()
    assert [step.key for step in D.steps] == ["hamiltonian", "eigenbasis", "definitions"]


def test_functions_of_numbers_take_any_model() -> None:
    """Also one in its site basis, with symbols that have values."""
    model = ps.Model(
        hamiltonian=[["eps", "g", 0], ["g", 0, "g/2"], [0, "g/2", "-eps"]],
        couplings=[ps.Coupling([[1, 0, 0], [0, 0, 0], [0, 0, -1]], "B")],
        baths={"B": ps.Bath(ps.DrudeLorentz(lam=0.02, gamma=1.5), temperature=0.8)},
        symbols={"eps": 0.4, "g": 0.3},
    )
    numbers = ps.derive(model).at()
    for n in (2, 4):
        assert np.array_equal(ps.tcl_generator(model, 4).orders[n].matrix, numbers.matrix[n])
    for method in ("tcl2", "mean-force", "ccqme"):
        found = numbers.steady(method, basis="energy")
        assert np.allclose(ps.steady(model, method), found.states[0], rtol=0, atol=1e-14)
    start = np.diag([1.0, 0, 0]).astype(complex)
    assert ps.evolve(model, "tcl2", start, [0.0, 1.0]).shape == (2, 3, 3)
    assert ps.redfield(model).shape == ps.ccqme(model).shape == (9, 9)
    assert np.isclose(np.trace(ps.mean_force(model, 2).matrix), 1)
    assert ps.tcl_slip(model, 2).orders.keys() == {0, 2}
    pair = ps.Model(
        hamiltonian=[["eps", 1], [1, 0]],
        couplings=[ps.Coupling([[1, 0], [0, 0]], "B")],
        baths=model.baths,
        symbols={"eps": 0.4},
    )
    rates = ps.bloch_rates(pair, 2).orders[2]["k_up"]
    assert rates is not None
    assert rates.value == ps.derive(pair).at().k_up[2].value
    swept = ps.sweep(pair, {"temperature": [0.8]}, order=2)
    assert float(swept["k_up"].sel(order=2)[0]) == pytest.approx(rates.value, rel=1e-12)
    for without, key in (({}, "symbols.eps"), ({"eps": 1.0}, "baths.B")):
        open_model = ps.Model(
            hamiltonian=[["eps", 1], [1, 0]],
            couplings=[ps.Coupling([[1, 0], [0, 0]], "B")],
            baths={} if without else model.baths,
            symbols=without or {"eps": "real"},
        )
        with pytest.raises(ps.InputError, match=key):
            ps.steady(open_model, "tcl2")


@pytest.mark.parametrize("seed", range(3))
def test_rounding_between_mirrored_entries_is_averaged_away(seed: int) -> None:
    """Numbers whose last digits differ make a Hermitian operator, and its golden rule."""
    rng = np.random.default_rng(seed)
    x, off = float(rng.uniform(0.1, 2)), float(10.0 ** rng.uniform(-300, -16))
    for rows in (
        [[1, x, off], [x, 0, x], [0, x, 1]],
        [[1, x, 0], [x * (1 + 2**-52), 0, x], [0, x, 1]],
    ):
        model = ps.Model(energies=[0.1, 0.9, 1.7], couplings=[ps.Coupling(rows, "B")])
        bath = ps.Bath(ps.DrudeLorentz(0.1, 1.3), temperature=0.7)
        found = ps.derive(model).at(B=bath).k[1, 0][2]
        bath_itself = ps.Correlation(ps.DrudeLorentz(0.1, 1.3), "boson", 1 / 0.7)
        wanted = bath_itself.spectrum(-0.8).value
        assert found.value == pytest.approx(x * x * wanted, rel=1e-12)


@pytest.mark.parametrize("seed", range(2))
def test_documents_of_a_classical_and_a_quantum_bath(seed: int) -> None:
    """The two routes differ in which sign of w they write for the classical bath."""
    rng = np.random.default_rng(seed)
    a, b = (float(f"{z:.3f}") for z in rng.uniform(0.1, 1, 2))
    model = ps.Model(
        energies=[0, 1.3],
        couplings=[ps.Coupling([[1, a], [a, 0]], "a"), ps.Coupling([[b, 0], [0, 0]], "b")],
        baths={
            "a": ps.Bath(ps.DrudeLorentz(0.1, 1.3), temperature=0.7),
            "b": ps.Bath(ps.DrudeLorentz(0.1, 1.3), temperature=0.7, statistics="classical"),
        },
    )
    for name in ("R_1010", "inv_T1"):
        assert "rules" in {step.key for step in getattr(ps.derive(model), name)[4].steps}


def test_what_has_a_formula_and_no_numbers_says_so() -> None:
    model = ps.Model(energies=[0, 1, 2], couplings=[ps.Coupling(np.ones((3, 3)), "B")])
    numbers = ps.derive(model).at(B=ps.Bath(ps.DrudeLorentz(0.1, 1.3), temperature=0.7))
    with pytest.raises(ps.NotYetDerivable, match="numbers for two levels alone"):
        numbers["k_10_eliminated"]


@pytest.mark.parametrize("seed", range(2))
def test_paths_that_no_memory_holds_are_refused_at_once(seed: int) -> None:
    """Order 8 of two tilted baths has 1e9 paths; order 4 of the same is nothing."""
    rng = np.random.default_rng(seed)
    (a, b), (c, d) = rng.integers(1, 9, (2, 2)).tolist()
    couplings = [ps.Coupling([[0, f"{a}*x"], [f"{a}*x", f"{b}*y"]], "A")]
    couplings.append(ps.Coupling([[f"{c}*x", "z"], ["z", f"{d}*y"]], "B"))
    derived = ps.derive(ps.Model(energies=[0, 1], couplings=couplings))
    assert len(derived.k_up[4].terms)
    with pytest.raises(
        ps.NotYetDerivable, match=r"order 8: R_\d{4} has .* paths, more than memory holds"
    ):
        derived.k_up[8]


@pytest.mark.parametrize(
    ("tunnelling", "shown"),
    [
        (
            0.1,
            ("H_S = [0.3, 0.1;", "c = 5*sqrt(29)/29 = 0.9284766909", "w0 = sqrt(29)/10 = 0.53"),
        ),
        (0.123, ("H_S = [0.3, 0.123;", "c = 0.8972800521", "w0 = 0.5572396253")),
        (0.1234567, ("H_S = [0.3, 0.1234567;", "c = 0.8", "w0 = 0.5")),
    ],
)
def test_numbers_are_written_as_a_reader_would(tunnelling: float, shown: tuple[str, ...]) -> None:
    """A closed form where it is short, a number elsewhere, one way in a matrix."""
    model = ps.Model(
        hamiltonian=[[0.3, tunnelling], [tunnelling, -0.2]],
        couplings=[ps.Coupling([[1, 0], [0, 0]], "B")],
    )
    text = str(ps.derive(model)).replace("ω0", "w0")
    for part in shown:
        assert part in text
