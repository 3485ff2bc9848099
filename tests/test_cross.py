"""Correlated baths against correlation functions that are put together by hand."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import pertsym as ps
from pertsym.baths.correlation import Correlation
from pertsym.baths.densities import Density, DrudeLorentz, Mixture, Ohmic, Underdamped
from pertsym.dynamics.methods import evolve
from pertsym.generators.limit import Limit
from pertsym.generators.second_order import redfield_term
from pertsym.generators.system import Correlated, System
from pertsym.generators.tcl import tcl_generator
from pertsym.model.bath import Bath
from pertsym.model.cross import Cross
from pertsym.model.errors import InputError
from pertsym.model.file import load_model
from pertsym.model.values import Coupling, Model
from pertsym.rates import bloch_rates
from tests.open_systems import hermitian

Array = NDArray[np.complex128]
BETA = 0.8


def pair(
    a: Density,
    b: Density,
    *cross: Cross,
    energies: tuple[float, ...] = (0.0, 0.9, 1.4),
    operators: tuple[Any, ...] = (),
) -> Model:
    """Two baths at one temperature and what correlates them."""
    size = len(energies)
    operators = operators or (hermitian(size, 5), hermitian(size, 8))
    couplings = [
        Coupling.of(np.asarray(s).tolist(), n) for s, n in zip(operators, "ab", strict=True)
    ]
    baths = [Bath("a", "boson", BETA, a), Bath("b", "boson", BETA, b)]
    return Model.of(energies, couplings, baths, cross=cross)


def redfield(model: Model, densities: dict[tuple[str, str], Density]) -> Array:
    """K_2 from C_ab(t) by the textbook's formula, sum over all pairs of baths."""
    gaps = np.subtract.outer(model.energies, model.energies)
    stated = {
        c.bath: np.array([[complex(x) for x in r] for r in c.operator]) for c in model.couplings
    }
    total = np.zeros((len(gaps) ** 2,) * 2, dtype=complex)
    for (a, b), density in densities.items():
        bath = Correlation(density, "boson", BETA)
        half = np.array(
            [
                [bath.spectrum(-w).value / 2 - 0.5j / np.pi * bath.transform(-w).value for w in row]
                for row in gaps
            ]
        )
        total += redfield_term(stated[a], stated[b] * half)
    return total


@pytest.mark.parametrize("fraction", [0.5, -1.0, 1.0, -0.3])
def test_fractions_of_one_shape(fraction: float) -> None:
    one, other = DrudeLorentz(0.05, 1.7), DrudeLorentz(0.02, 1.7)
    model = pair(one, other, Cross(("a", "b"), fraction))
    mixed = DrudeLorentz(np.sqrt(0.05 * 0.02), 1.7)
    shared = Mixture((mixed,), (fraction,))
    expected = redfield(
        model, {("a", "a"): one, ("b", "b"): other, ("a", "b"): shared, ("b", "a"): shared}
    )
    found = tcl_generator(model, 2).orders[2].matrix
    np.testing.assert_allclose(found, expected, atol=1e-14)
    assert len(model.used_baths) == (1 if abs(fraction) == 1 else 2)


def test_a_density_of_its_own_shape() -> None:
    one, other, shared = DrudeLorentz(0.05, 1.7), DrudeLorentz(0.06, 1.1), Ohmic(0.02, 2.0, 1)
    model = pair(one, other, Cross(("a", "b"), density=shared))
    every = {("a", "a"): one, ("b", "b"): other, ("a", "b"): shared, ("b", "a"): shared}
    np.testing.assert_allclose(
        tcl_generator(model, 2).orders[2].matrix, redfield(model, every), atol=1e-14
    )


def test_both_ways_to_state_one_correlation() -> None:
    """A fraction and the same J_ab as a density, to fourth order."""
    one, other = DrudeLorentz(0.05, 1.7), DrudeLorentz(0.05, 1.7)
    by_fraction = pair(one, other, Cross(("a", "b"), 0.6))
    by_density = pair(one, other, Cross(("a", "b"), density=DrudeLorentz(0.03, 1.7)))
    first, second = (tcl_generator(m, 4).orders for m in (by_fraction, by_density))
    for n in (2, 4):
        np.testing.assert_allclose(first[n].matrix, second[n].matrix, atol=1e-11)
    assert np.abs(first[4].matrix).max() > 1e-3


@pytest.mark.parametrize("fraction", [0.5, -1.0])
def test_independent_mixing(fraction: float) -> None:
    """b = f a + sqrt(1 - f^2) c with an independent c, orders 2 and 4."""
    density = DrudeLorentz(0.05, 1.7)
    operators = (hermitian(3, 5), hermitian(3, 8))
    model = pair(density, density, Cross(("a", "b"), fraction), operators=operators)
    mixed = [
        Coupling.of((operators[0] + fraction * operators[1]).tolist(), "a"),
        Coupling.of((np.sqrt(1 - fraction**2) * operators[1]).tolist(), "b"),
    ]
    reference = Model.of(model.energies, mixed, model.baths)
    found, expected = (tcl_generator(m, 4).orders for m in (model, reference))
    for n in (2, 4):
        np.testing.assert_allclose(found[n].matrix, expected[n].matrix, atol=1e-12)


def test_cross_correlations_in_the_recursion() -> None:
    """The hierarchy takes C_ab itself: exponentials for each pair, fourth order."""
    density = DrudeLorentz(0.05, 1.7)
    model = pair(density, density, Cross(("a", "b"), -0.4))
    (pure,) = (Correlation(density, "boson", BETA),)
    from pertsym.baths.exponential_fit import represent

    exponentials = represent(pure, [1e-11])[0].exponentials
    scaled = type(exponentials)(tuple(-0.4 * c for c in exponentials.c), exponentials.nu)
    correlations = [
        Correlated(x, y, exponentials if x == y else scaled)
        for x, y in itertools.product("ab", repeat=2)
    ]
    operators = {
        c.bath: np.array([[complex(x) for x in r] for r in c.operator]) for c in model.couplings
    }
    system = System(System.of(model).gaps, operators)
    expected = Limit.of(system, correlations, 4).generators
    found = tcl_generator(model, 4).orders
    for n in (2, 4):
        np.testing.assert_allclose(found[n].matrix, expected[n], atol=1e-9)


def singlet_model(fraction: float) -> Model:
    """Two equal qubits without interaction, each coupled by sigma_x to its own bath."""
    x = np.array([[0, 1], [1, 0]])
    one = np.eye(2)
    density = Ohmic(0.02, 2.0, 3)
    return pair(
        density,
        density,
        Cross(("a", "b"), fraction),
        energies=(0.0, 1.0, 1.0, 2.0),
        operators=(np.kron(x, one), np.kron(one, x)),
    )


@pytest.mark.parametrize("order", [2, 4])
def test_the_dark_state_stays_dark(order: int) -> None:
    """With fraction = 1 the sum of both operators acts: it annihilates the singlet."""
    singlet = np.array([0, 1, -1, 0]) / np.sqrt(2)
    state = np.outer(singlet, singlet).reshape(-1)
    dark = tcl_generator(singlet_model(1.0), order).orders[order].matrix @ state
    bright = tcl_generator(singlet_model(0.5), order).orders[order].matrix @ state
    assert np.abs(dark).max() < 1e-15
    assert np.abs(bright).max() > 1e-5


def test_the_dark_state_at_sixth_order_and_in_time() -> None:
    singlet = np.array([0, 1, -1, 0]) / np.sqrt(2)
    state = np.outer(singlet, singlet)
    model = singlet_model(1.0)
    assert len(model.used_baths) == 1
    sixth = tcl_generator(model, 6, tolerance=1e-5).orders[6]
    matrix = np.nan_to_num(sixth.matrix)  # of elements that are known to this tolerance
    assert np.abs(matrix @ state.reshape(-1)).max() < 1e-14 * np.abs(matrix).max()
    found = evolve(model, "tcl2", state, np.linspace(0, 30, 4))
    np.testing.assert_allclose(found, np.broadcast_to(state, (4, 4, 4)), atol=1e-10)


@pytest.mark.parametrize("order", [2, 4, 6])
@pytest.mark.parametrize("fraction", [1.0, -1.0, 0.5])
def test_two_qubits_against_independent_mixing(fraction: float, order: int) -> None:
    """Common noise of two qubits: B_b = f B_a + sqrt(1 - f^2) B_c; what is dark at f = +-1."""
    x, one = np.array([[0, 1], [1, 0]]), np.eye(2)
    first, second = np.kron(x, one), np.kron(one, x)
    density, energies = DrudeLorentz(0.05, 1.7), (0.0, 1.0, 1.0, 2.0)
    model = pair(
        density,
        density,
        Cross(("a", "b"), fraction),
        energies=energies,
        operators=(first, second),
    )
    mixed = [
        Coupling.of((first + fraction * second).tolist(), "a"),
        Coupling.of((np.sqrt(1 - fraction**2) * second).tolist(), "b"),
    ]
    reference = Model.of(energies, mixed[: 1 if abs(fraction) == 1 else 2], model.baths)
    tolerance = {} if order < 6 else {"tolerance": 1e-3}
    found, expected = (
        tcl_generator(m, order, **tolerance).orders[order].matrix for m in (model, reference)
    )
    assert np.all(np.isfinite(found))
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)
    state = np.array([0, 1, -fraction, 0]) / np.sqrt(1 + fraction**2)
    populated = np.outer(state, state).reshape(-1)
    decay, gain = np.abs(found @ populated).max(), np.abs(populated @ found).max()
    if abs(fraction) == 1:  # S_a + f S_b annihilates it: it neither decays nor dephases nor fills
        assert max(decay, gain) < 1e-13 * max(1, np.abs(found).max())
    else:
        assert min(decay, gain) > 1e-6


def test_three_baths_and_superoperators() -> None:
    """Three fractions at once; second order against all nine pairs."""
    density = DrudeLorentz(0.04, 1.3)
    f = {("a", "b"): 0.5, ("b", "c"): -0.3, ("a", "c"): 0.2}
    operators = {name: hermitian(3, 20 + k) for k, name in enumerate("abc")}
    model = Model.of(
        (0.0, 0.9, 1.4),
        [Coupling.of(s.tolist(), name) for name, s in operators.items()],
        [Bath(name, "boson", BETA, density) for name in "abc"],
        cross=[Cross(names, x) for names, x in f.items()],
    )
    every = {(x, x): density for x in "abc"} | {
        ends: Mixture((density,), (x,)) for names, x in f.items() for ends in (names, names[::-1])
    }
    np.testing.assert_allclose(
        tcl_generator(model, 2).orders[2].matrix, redfield(model, every), atol=1e-14
    )


def test_two_levels_in_closed_form_and_as_balls() -> None:
    """k_up of sigma_x and sigma_y with correlated baths; a ball holds the double's value."""
    x, y = [[0, 1], [1, 0]], [[0, -1j], [1j, 0]]
    one, other, shared = Ohmic(0.05, 1.0, 3), Ohmic(0.04, 1.5, 3), Ohmic(0.02, 1.2, 3)
    model = pair(
        one, other, Cross(("a", "b"), density=shared), energies=(0.0, 1.0), operators=(x, y)
    )
    fast, balls = bloch_rates(model, 4), bloch_rates(model, 4, 20)
    general = tcl_generator(model, 4).orders
    for n, name in itertools.product((2, 4), ("k_up", "inv_T2", "frequency_shift")):
        one_value, ball = fast.orders[n][name], balls.orders[n][name]
        assert one_value is not None
        assert ball is not None
        assert abs(one_value.value - float(ball.value)) <= one_value.error + float(ball.error)
    up = fast.orders[4]["k_up"]
    assert up is not None
    assert up.value == pytest.approx(general[4].matrix[3, 0].real, abs=1e-11)


MODEL = """
[system]
energies = [0.0, 1.0]
[[couplings]]
operator = [[0, 1], [1, 0]]
bath = "a"
[[couplings]]
operator = [[1, 0], [0, -1]]
bath = "b"
[baths.a]
temperature = 1.0
spectral_density = { kind = "drude-lorentz", lam = 0.05, gamma = 1.0 }
[baths.b]
temperature = 1.0
spectral_density = { kind = "drude-lorentz", lam = 0.02, gamma = 1.0 }
[[cross]]
baths = ["a", "b"]
"""


@pytest.mark.parametrize(
    ("cross", "key", "said"),
    [
        ("fraction = 1.5", "cross[0].fraction", "between -1 and 1"),
        ("", "cross[0].fraction", "spectral_density"),
        ("fraction = 0.1\nspectral_density = { kind = 'ohmic', alpha = 1, wc = 1, s = 1 }",
         "cross[0].fraction", "exactly one"),
        ("spectral_density = { kind = 'ohmic', alpha = 0.5, wc = 1.0, s = 1 }", "cross", "at w = "),
        ("fraction = 0.1\n[[cross]]\nbaths = ['b', 'a']\nfraction = 0.2", "cross[1].baths", "once"),
        ("fraction = 0.1\nfractoin = 1", "cross[0].fractoin", "fraction"),
    ],
)  # fmt: skip
def test_refusals(tmp_path: Path, cross: str, key: str, said: str) -> None:
    path = tmp_path / "model.toml"
    path.write_text(MODEL + cross)
    with pytest.raises(InputError) as caught:
        load_model(path)
    assert caught.value.key == key
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[baths.b]\ntemperature = 1.0", "[baths.b]\ntemperature = 2.0", "temperature"),
        ("lam = 0.02, gamma = 1.0", "lam = 0.02, gamma = 1.1", "factor"),
        ('baths = ["a", "b"]', 'baths = ["a", "c"]', "no bath 'c'"),
        ('baths = ["a", "b"]', 'baths = ["a", "a"]', "twice"),
    ],
)
def test_refusals_of_baths(tmp_path: Path, old: str, new: str, said: str) -> None:
    path = tmp_path / "model.toml"
    text = (MODEL + "fraction = 0.5").replace(old, new)
    assert text != MODEL + "fraction = 0.5"
    path.write_text(text)
    with pytest.raises(InputError, match=said):
        load_model(path)


def test_an_indefinite_matrix_of_three() -> None:
    density = DrudeLorentz(0.04, 1.3)
    baths = [Bath(name, "boson", BETA, density) for name in "abc"]
    couplings = [Coupling.of(((0, 1), (1, 0)), name) for name in "abc"]
    f = {("a", "b"): 0.9, ("b", "c"): 0.9, ("a", "c"): -0.9}
    with pytest.raises(InputError, match="not positive semidefinite"):
        Model.of((0, 1), couplings, baths, cross=[Cross(names, x) for names, x in f.items()])


def test_a_sweep_goes_point_by_point(tmp_path: Path) -> None:
    """A fraction ties the amplitudes together: J_ab follows when one of them is scanned."""
    xarray = pytest.importorskip("xarray")
    path = tmp_path / "model.toml"
    path.write_text(MODEL + "fraction = 0.5")
    values = [0.01, 0.04]
    found = ps.sweep(str(path), {"baths.a.lam": values}, order=2)
    assert isinstance(found, xarray.Dataset)
    for k, lam in enumerate(values):
        path.write_text((MODEL + "fraction = 0.5").replace("lam = 0.05", f"lam = {lam}"))
        single = bloch_rates(load_model(path), 2).orders[2]["frequency_shift"]
        assert single is not None
        assert float(found["frequency_shift"].sel(order=2)[k]) == pytest.approx(single.value)


SITES = """
[symbols]
eps = 0.7
V = 0.4
[system]
hamiltonian = [["eps/2", "V"], ["V", "-eps/2"]]
[[couplings]]
operator = [[1, 0], [0, 0]]
bath = "a"
[[couplings]]
operator = [[0, 0.3], [0.3, 1]]
bath = "b"
[observables]
site = [[1, 0], [0, 0]]
[baths.a]
temperature = 1.0
spectral_density = { kind = "drude-lorentz", lam = 0.05, gamma = 1.0 }
[baths.b]
temperature = 1.0
spectral_density = { kind = "drude-lorentz", lam = 0.02, gamma = 1.0 }
[[cross]]
baths = ["a", "b"]
"""


@pytest.mark.parametrize("seed", range(3))
def test_stated_models_keep_their_correlations(tmp_path: Path, seed: int) -> None:
    """A file, its statement and the same in Python: generators, steady states, dynamics."""
    rng = np.random.default_rng(seed)
    fraction, eps = round(rng.uniform(-0.9, 0.9), 2), round(rng.uniform(0.2, 1.0), 2)
    path = tmp_path / "model.toml"
    path.write_text((SITES + f"fraction = {fraction}").replace("eps = 0.7", f"eps = {eps}"))
    numeric = ps.load_model(path)
    baths = {
        n: ps.Bath(DrudeLorentz(x, 1.0), temperature=1.0) for n, x in (("a", 0.05), ("b", 0.02))
    }
    stated = ps.Model(
        hamiltonian=[["eps/2", "V"], ["V", "-eps/2"]],
        couplings=[
            ps.Coupling([[1, 0], [0, 0]], "a"),
            ps.Coupling([[0, "3/10"], ["3/10", 1]], "b"),
        ],
        baths=baths,
        cross=[ps.Cross(("a", "b"), fraction)],
        symbols={"V": 0.4},
        observables={"site": [[1, 0], [0, 0]]},
    )
    routes = [ps.derive(ps.load(path)).at(), ps.derive(numeric).at(), ps.derive(stated).at(eps=eps)]
    times = [0.0, 1.0, 5.0]
    initial = np.array([[0.6, 0.2j], [-0.2j, 0.4]])
    own = evolve(numeric, "tcl2", numeric.to_energy(initial), times)
    rest = numeric.to_system(ps.steady(numeric, "redfield"))
    for numbers in routes:
        for n in (2, 4):
            np.testing.assert_allclose(
                numbers.matrix[n], tcl_generator(numeric, n).orders[n].matrix, atol=1e-12
            )
        found = numbers.evolve("tcl2", initial=initial, times=times)
        np.testing.assert_allclose(found.states, numeric.to_system(own), atol=1e-9)
        site = np.asarray(found.expectation["site"].value)
        np.testing.assert_allclose(site, numeric.to_system(own)[:, 0, 0].real, atol=1e-9)
        np.testing.assert_allclose(numbers.steady("redfield").matrix, rest, atol=1e-9)
    path.write_text(SITES.partition("[[cross]]")[0].replace("eps = 0.7", f"eps = {eps}"))
    apart = tcl_generator(ps.load_model(path), 2).orders[2].matrix
    assert np.abs(apart - routes[0].matrix[2]).max() > 1e-5


def test_models_of_numbers_take_correlations() -> None:
    couplings = [ps.Coupling.of([[0, 1], [1, 0]], "a"), ps.Coupling.of([[1, 0], [0, -1]], "b")]
    baths = [Bath(name, "boson", BETA, DrudeLorentz(0.05, 1.7)) for name in "ab"]
    cross = [ps.Cross(("a", "b"), 0.5)]
    found = ps.Model.of([0, 1], couplings, baths, cross=cross)
    assert found.cross == tuple(cross)
    np.testing.assert_array_equal(
        ps.derive(found).at().matrix[2], tcl_generator(found, 2).orders[2].matrix
    )


@pytest.mark.parametrize(
    ("cross", "key"),
    [
        ([Cross(("a", "c"), 0.5)], "cross[0].baths[1]"),
        ([Cross(("a", "b"), 0.5), Cross(("b", "a"), 0.5)], "cross[1].baths"),
    ],
)
@pytest.mark.parametrize("bound", [True, False])
def test_statements_refuse_what_fits_no_bath(cross: list[Cross], key: str, bound: bool) -> None:
    baths = {n: ps.Bath(DrudeLorentz(0.05, 1.7), temperature=1.0) for n in "ab"}
    couplings = [([[0, 1], [1, 0]], "a"), ([[1, 0], [0, -1]], "b")]
    with pytest.raises(InputError) as caught:
        ps.Model(energies=[0, 1], couplings=couplings, baths=baths if bound else {}, cross=cross)
    assert caught.value.key == key


def test_a_file_with_a_wrong_fraction_is_refused_as_a_statement(tmp_path: Path) -> None:
    path = tmp_path / "model.toml"
    path.write_text(SITES + "fraction = 1.5")
    with pytest.raises(InputError) as caught:
        ps.load(path)
    assert (caught.value.source, caught.value.key) == (str(path), "cross[0].fraction")


@pytest.mark.parametrize("gamma", [1e-2, 1.3217e-4, 1e-7])
def test_a_narrow_peak_that_is_too_high(gamma: float) -> None:
    """J_ab exceeds sqrt(J_a J_b) at its resonance only, however sharp it is."""
    peak = 1.3217
    one = DrudeLorentz(0.1, 1.0)
    shared = Underdamped(0.5 * np.sqrt(gamma), peak, gamma)  # J = 0.19 at the peak
    with pytest.raises(InputError, match=r"at w = 1\.3"):
        pair(one, one, Cross(("a", "b"), density=shared))
