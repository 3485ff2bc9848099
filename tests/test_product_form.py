"""Order 4 in product form against independent routes, and what surrounds it: errors and routes."""

from __future__ import annotations

import json
import math
import tracemalloc
from pathlib import Path

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pertsym.baths import enclosure
from pertsym.baths.correlation import Correlation
from pertsym.baths.densities import BathDensity, DrudeLorentz, Ohmic, Underdamped
from pertsym.baths.exponentials import Exponentials
from pertsym.baths.time_correlation import elementary, hurwitz
from pertsym.certify import brute_force
from pertsym.dynamics.methods import evolve_estimated
from pertsym.generators.bloch_recursion import slow_subspace
from pertsym.generators.limit import Limit
from pertsym.generators.product_form import ProductForm
from pertsym.generators.representation import correlations_of, represented, separated
from pertsym.generators.second_order import Term, second_order
from pertsym.generators.sixth_order import SixthOrder
from pertsym.generators.system import Correlated, System
from pertsym.generators.tcl import ROUTES, Request, tcl_generator
from pertsym.model.bath import Bath
from pertsym.model.values import Coupling, Model
from tests import time_balls
from tests.command_line import run
from tests.open_systems import hermitian, open_system

Matrix = NDArray[np.complex128]


def levels(values: NDArray[np.float64], **operators: Matrix) -> System:
    return System(np.subtract.outer(values, values), operators)


def random_exponentials(random: np.random.Generator, count: int) -> Exponentials:
    c = random.normal(size=count) + 1j * random.normal(size=count)
    nu = np.exp(random.uniform(-1.5, 1.5, count)) + 1j * random.normal(size=count)
    return Exponentials(tuple(c), tuple(nu))


def random_baths(
    random: np.random.Generator, names: str, count: int, correlated: bool
) -> tuple[Correlated, ...]:
    return tuple(
        Correlated(a, b, random_exponentials(random, count))
        for a in names
        for b in names
        if correlated or a == b
    )


# ---------------------------------------------------------------------------------------------
# The generator


@given(st.integers(0, 10**6), st.integers(2, 4), st.integers(1, 3), st.booleans(), st.booleans())
@settings(max_examples=20, deadline=None, derandomize=True)
def test_product_form_is_the_recursion(
    seed: int, size: int, couplings: int, correlated: bool, degenerate: bool
) -> None:
    """Complex couplings, several baths, correlated or not, with and without equal levels."""
    random = np.random.default_rng(seed)
    energies = np.sort(random.uniform(0, 2, size))
    if degenerate:
        energies[1] = energies[0]
    names = "abc"[:couplings]
    system = levels(energies, **{x: hermitian(size, seed + k) for k, x in enumerate(names)})
    baths = random_baths(random, names, 2, correlated)
    form, expected = ProductForm(system, baths), slow_subspace(system, baths, 4).generators
    for order, found in ((2, form.second_order()), (4, form.fourth_order())):
        off = np.abs(found - expected[order]).max()
        # two equal levels have no fourth order
        rounding = Limit(system, baths, expected).rounding(order)
        assert off < 1e-12 * np.abs(expected[order]).max() + rounding
        assert rounding < 1e-10 * max(np.abs(k).max() for k in expected.values())


@given(st.integers(0, 10**6), st.integers(2, 3), st.integers(1, 2), st.booleans(), st.booleans())
@settings(max_examples=12, deadline=None, derandomize=True)
def test_sixth_order_is_the_recursion(
    seed: int, size: int, couplings: int, correlated: bool, degenerate: bool
) -> None:
    random = np.random.default_rng(seed)
    energies = np.sort(random.uniform(0, 2, size))
    if degenerate:
        energies[1] = energies[0]
    names = "ab"[:couplings]
    system = levels(energies, **{x: hermitian(size, seed + k) for k, x in enumerate(names)})
    baths = random_baths(random, names, 2, correlated)
    expected = slow_subspace(system, baths, 6).generators
    limit = Limit(system, baths, SixthOrder(system, baths).generators())
    for order, found in limit.generators.items():
        off = np.abs(found - expected[order]).max()
        assert off < 1e-12 * np.abs(expected[order]).max() + limit.rounding(order)


def test_order_six_of_many_exponents_avoids_the_third_level() -> None:
    """Seven sites with seven baths: little memory, and trace and Hermiticity at order 6."""
    random = np.random.default_rng(1)
    names, size = "abcdefg", 7
    system = levels(
        np.sort(random.uniform(0, 2, size)), **{x: hermitian(size, ord(x)) for x in names}
    )
    baths = Correlated.independent(
        (x, Exponentials((0.1, 0.05), (0.5 + 0.1 * k, 3.0))) for k, x in enumerate(names)
    )
    tracemalloc.start()
    found = Limit.of(system, baths, 6).generators[6]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2e8
    tensor, scale = found.reshape((size,) * 4), np.abs(found).max()
    assert np.abs(np.einsum("aacd->cd", tensor)).max() < 1e-12 * scale
    assert np.abs(tensor.conj() - tensor.transpose(1, 0, 3, 2)).max() < 1e-13 * scale


@pytest.mark.parametrize("seed", range(4))
def test_product_form_is_the_integrated_cumulant(seed: int) -> None:
    """Against moments of Liouvillians: two correlated couplings of three levels, two degenerate."""
    random = np.random.default_rng(seed)
    energies = np.array([0.0, 0.0, 1.3]) if seed % 2 else np.sort(random.uniform(0, 2, 3))
    first, second = hermitian(3, 2 * seed), hermitian(3, 2 * seed + 1)
    baths = random_baths(random, "ab", 2, True)
    system = levels(energies, a=first, b=second)
    expected = brute_force.generator(system, baths, 4)
    found = ProductForm(system, baths).fourth_order()
    assert np.abs(found - expected).max() < 1e-12 * np.abs(expected).max()


def test_structure_and_memory_of_many_levels() -> None:
    """Twenty-four levels and four baths: trace, Hermiticity, and less than a gigabyte."""
    random = np.random.default_rng(7)
    names, size = "abcd", 24
    system = levels(
        np.sort(random.uniform(0, 3, size)), **{x: hermitian(size, ord(x)) for x in names}
    )
    baths = random_baths(random, names, 20, False)
    tracemalloc.start()
    found = ProductForm(system, baths).fourth_order()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1e9
    tensor, scale = found.reshape(size, size, size, size), np.abs(found).max()
    assert np.abs(np.einsum("aacd->cd", tensor)).max() < 1e-11 * scale
    assert np.abs(tensor.conj() - tensor.transpose(1, 0, 3, 2)).max() < 1e-13 * scale


def test_pure_dephasing_has_no_fourth_order() -> None:
    random = np.random.default_rng(3)
    system = levels(
        np.array([0.0, 0.4, 1.5, 2.0]),
        a=np.diag(random.normal(size=4)).astype(complex),
        b=np.diag(random.normal(size=4)).astype(complex),
    )
    limit = Limit.of(system, random_baths(random, "ab", 3, True), 4)
    assert np.abs(limit.generators[4]).max() < limit.rounding(4)
    assert np.abs(limit.generators[2]).max() > 0.1


# ---------------------------------------------------------------------------------------------
# Exponents that meet


@pytest.mark.parametrize("seed", range(3))
def test_the_generator_is_smooth_where_exponents_meet(seed: int) -> None:
    """(a + b t) e^{-nu t} by two exponents ever closer: the limit, not its rounding."""
    random = np.random.default_rng(seed)
    a, b = (complex(*random.normal(size=2)) for _ in range(2))
    nu = complex(random.uniform(0.3, 2), random.normal())
    system = levels(np.array([0.0, 1.0]), a=np.array([[0.2, 0.9], [0.9, 0.8]], dtype=complex))

    def fourth(gap: float) -> Matrix:
        pair = Exponentials((a - b / gap, b / gap, 0.2), (nu + gap, nu, 0.5))
        baths = Correlated.independent([("a", separated(pair))])
        matrix: Matrix = Limit.of(system, baths, 4).generators[4]
        return matrix

    closest = fourth(1e-6)
    for gap in (1e-3, 1e-4, 1e-8):
        off = np.abs(fourth(gap) - closest).max() / np.abs(closest).max()
        # a derivative in the gap, and the digits of b / gap itself
        assert off < 10 * (gap + 1e-6) * abs(b) / nu.real**2 + 1e-14 / gap


def test_separated_exponents_are_the_same_function() -> None:
    pair = Exponentials((1e6, -1e6 + 0.5, 0.3, 0.1j), (1.0, 1.0 + 1e-6, 1.0j + 0.7, 9.0))
    spread = separated(pair)
    assert len(spread.c) > 4
    assert np.abs(spread.c).max() < 1
    w = np.linspace(-5, 5, 101)
    before, after = (
        (np.array(x.c) / (np.array(x.nu) - 1j * w[:, None])).sum(axis=1) for x in (pair, spread)
    )
    np.testing.assert_allclose(after, before, atol=1e-9)
    apart = Exponentials((0.4, 0.2), (1.0, 1.01))
    assert separated(apart) is apart


FAULTS = (
    {"kind": "drude-lorentz", "lam": 0.1, "gamma": math.pi},
    {"kind": "drude-lorentz", "lam": 0.1, "gamma": 1.0005 * math.pi},
    {"kind": "underdamped", "lam": 0.3, "w0": 1.0, "gamma": 2.0},
)


def written(path: Path, density: dict[str, object], operator: object, temperature: float) -> str:
    entries = ", ".join(f"{k} = {json.dumps(v)}" for k, v in density.items())
    path.write_text(
        f"[system]\nenergies = [0.0, 1.0]\n[[couplings]]\noperator = {json.dumps(operator)}\n"
        f'bath = "b"\n[baths.b]\ntemperature = {temperature}\n'
        f"spectral_density = {{ {entries} }}\n"
    )
    return str(path)


@pytest.mark.parametrize("density", FAULTS)
def test_poles_that_meet_at_finite_times(tmp_path: Path, density: dict[str, object]) -> None:
    """gamma = 2 pi T, beside it, and critical damping: K_2(3) to the digits stated."""
    path = written(tmp_path / "m.toml", density, [[0.2, 0.9], [0.9, 0.8]], 0.5)
    record = json.loads(run("generator", path, "--order", "2", "--time", "3", "--json").stdout)
    near = dict(density) | {"gamma": float(density["gamma"]) * (1 + 1e-3)}  # type: ignore[arg-type]
    other = written(tmp_path / "n.toml", near, [[0.2, 0.9], [0.9, 0.8]], 0.5)
    beside = json.loads(run("generator", other, "--order", "2", "--time", "3", "--json").stdout)
    found, expected = (np.array(x["orders"]["2"]["real"]) for x in (record, beside))
    assert np.abs(found - expected).max() < 3e-3 * np.abs(expected).max()
    assert np.array(record["error"]["2"]).max() < 1e-8


def test_no_infinity_leaves_the_closed_forms(tmp_path: Path) -> None:
    """Critical damping: what has no finite value is named, and the rest printed."""
    path = written(tmp_path / "m.toml", dict(FAULTS[2]), [[0.2, 0.9], [0.9, 0.8]], 0.5)
    done = run("generator", path, "--spectral", "--json")
    assert done.exit_code in (0, 4)
    record = json.loads(done.stdout)
    assert isinstance(record["orders"]["4"]["real"][0][3], float)
    rates = run("rates", path, "--order", "4", "--json")
    assert rates.exit_code in (0, 4)
    assert json.loads(rates.stdout)["orders"]["4"]["k_up"] == pytest.approx(
        -0.00286708667, rel=1e-8
    )


# ---------------------------------------------------------------------------------------------
# C(t) itself


@given(st.floats(1.05, 6.0), st.floats(1e-3, 5.0), st.floats(-30.0, 30.0))
@settings(max_examples=30, deadline=None, derandomize=True)
def test_hurwitz_zeta_of_complex_argument(power: float, real: float, imaginary: float) -> None:
    found = complex(hurwitz(power, np.array(complex(real, imaginary))))
    expected = complex(mpmath.zeta(power, mpmath.mpc(real, imaginary)))
    assert abs(found - expected) < 1e-13 * abs(expected)


@pytest.mark.parametrize("statistics", ["boson", "classical"])
@pytest.mark.parametrize("beta", [1.3, math.inf])
@pytest.mark.parametrize("s", [0.5, 1.0, 2.3])
def test_ohmic_correlation_function(statistics: str, beta: float, s: float) -> None:
    if statistics == "classical" and math.isinf(beta):
        return
    correlation = Correlation(Ohmic(0.2, 1.7, s), statistics, beta)  # type: ignore[arg-type]
    in_time = elementary(correlation)
    assert in_time is not None
    for t in (0.0, 1.4):
        expected = complex(time_balls.correlation(correlation, t, 16))
        assert abs(complex(in_time.function(np.array(t))) - expected) < 1e-12 * abs(
            complex(in_time.function(np.array(0.0)))
        )


@given(st.floats(0.2, 3.5), st.floats(0.1, 5.0), st.floats(0.3, 3.0))
@settings(max_examples=6, deadline=None, derandomize=True)
def test_ohmic_pure_dephasing_is_exact(s: float, temperature: float, wc: float) -> None:
    """The coherence decays by exp(-int_0^t (t - s) C(s) ds), for any power, sub-Ohmic included."""
    bath = Bath("b", "boson", 1 / temperature, Ohmic(0.1, wc, s))
    model = Model.of((0.0, 1.0), [Coupling.of([[0, 0], [0, 1]], "b")], [bath])
    times = [0.0, 1.0, 7.0]
    found = evolve_estimated(model, "tcl2", np.full((2, 2), 0.5 + 0j), times)
    in_time = elementary(Correlation(bath.density, "boson", bath.beta))
    assert in_time is not None
    x, weights = np.polynomial.legendre.leggauss(400)
    for time, state, error in zip(times, found.states, found.errors, strict=True):
        # nodes that cluster at the beginning, where C varies on the scale of 1/wc
        u = (x + 1) / 2
        at = time * u**2
        values = in_time.function(at) * (time - at) * 2 * time * u * weights / 2
        expected = 0.5 * np.exp(-1j * time - values.sum())
        assert abs(state[1, 0] - expected) <= error + 1e-12
    assert found.largest_error < 1e-6


def test_ohmic_generator_at_a_time_by_exponentials() -> None:
    """K_2(t) from C(t) and from the exponentials of a bath that has both."""
    bath = Bath("b", "boson", 1.0, Ohmic(0.1, 1.0, 3.0))
    model = Model.of((0.0, 0.7, 1.1), [Coupling.of(hermitian(3, 4).tolist(), "b")], [bath])
    term = tcl_generator(model, 2, 2.0).orders[2]
    request = Request(model, 2, 2.0, 1e-9, None, lambda _: None, False)
    other = next(r for r in ROUTES if r.name.startswith("transient")).term(request, 2)
    off = np.abs(term.matrix - other.matrix)
    assert np.all(off <= 3 * (term.error + other.error))
    assert term.error.max() < 1e-11


# ---------------------------------------------------------------------------------------------
# Second order, errors, routes


def test_second_order_is_one_call_for_all_frequencies(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    original = Correlation.spectrum

    def counted(self: Correlation, w: object, derivative: int = 0) -> object:
        calls.append(np.size(w))  # type: ignore[arg-type]
        return original(self, w, derivative)

    monkeypatch.setattr(Correlation, "spectrum", counted)
    size = 10
    model = open_system(
        np.linspace(0, 2, size) ** 1.1, [hermitian(size, 1)], [DrudeLorentz(0.1, 1.0)], 1.0
    )
    second_order(System.of(model), correlations_of(model))
    assert len(calls) == 2  # w = 0 is asked for by itself
    assert max(calls) == size * (size - 1)


@pytest.mark.parametrize("seed", range(8))
def test_second_order_keeps_the_digits_of_what_is_odd_in_the_frequency(seed: int) -> None:
    """P(w0) - P(-w0) far below the cutoff and the temperature, against an enclosure."""
    random = np.random.default_rng(seed)
    w0, beta = 10 ** random.uniform(-9, -3), 10 ** random.uniform(-4, 0)
    density = random_density(random)
    phase = complex(np.exp(2j * random.uniform(0, np.pi)))
    operator = [[0, phase], [phase.conjugate(), 0]]
    model = open_system((0.0, w0), [operator], [density], beta)
    term = tcl_generator(model, 2).orders[2]
    correlation = Correlation(density, "boson", beta)
    ahead, behind = (enclosure.transform(correlation, w, 0, 50) for w in (w0, -w0))
    expected = float(ahead - behind) / (2 * math.pi)
    found = term.matrix[2, 2].imag
    assert abs(found - expected) <= min(term.error[2, 2], 1e-8 * abs(expected))


def random_density(random: np.random.Generator) -> BathDensity:
    frequency = float(np.exp(random.uniform(-1.5, 2)))
    kind = random.integers(5)
    if kind == 0:
        return DrudeLorentz(0.1, frequency)
    if kind == 1:
        return Underdamped(0.3, frequency, frequency * float(np.exp(random.uniform(-3, 1.5))))
    return Ohmic(0.1, frequency, (1.0, 3.0, float(random.uniform(1.1, 4)))[kind - 2])


def routed(name: str, request: Request) -> Term:
    return next(route for route in ROUTES if route.name == name).term(request, 4)


@pytest.mark.parametrize("seed", range(16))
def test_order_four_from_poles_is_within_its_bound(seed: int) -> None:
    """Biased couplings, T = 0 and T > 0, against closed spectral forms: every single element."""
    random = np.random.default_rng(seed)
    beta = math.inf if random.random() < 0.5 else float(np.exp(random.uniform(-2, 2)))
    operator = hermitian(2, seed).real.astype(complex)
    model = open_system(
        (0.0, float(np.exp(random.uniform(-2, 2)))), [operator], [random_density(random)], beta
    )
    request = Request(model, 4, None, 1e-9, None, lambda _: None, False)
    found = routed("poles of the baths", request)
    exact = routed("closed spectral forms", request)
    assert np.all(np.abs(found.matrix - exact.matrix) <= found.error + exact.error)
    thermal = request.correlations["bath0"].thermal
    if thermal.power >= 1 or thermal.path().analytic:
        assert np.median(found.error[found.matrix != 0]) < 1e-8 * np.abs(found.matrix).max()


@pytest.mark.parametrize(
    ("s", "beta"), [(1.0, 2.0), (1.0, math.inf), (1.02, math.inf), (2.0, 2.0), (2.0, math.inf)]
)
def test_a_slow_tail_ends_as_a_real_function_of_time(s: float, beta: float) -> None:
    """An element that a logarithm enters, and leaves again: what is left is right."""
    model = open_system((0.0, 1.0), [[[0.2, 0.9], [0.9, 0.8]]], [Ohmic(0.1, 1.3, s)], beta)
    request = Request(model, 4, None, 1e-9, None, lambda _: None, False)
    found = routed("poles of the baths", request)
    exact = routed("closed spectral forms", request)
    off = np.abs(found.matrix - exact.matrix)
    assert np.all(off <= found.error + exact.error)
    assert found.error.max() < 1e-10 * np.abs(exact.matrix).max()


@pytest.mark.parametrize("seed", range(5))
def test_no_element_is_off_by_more_than_its_error(seed: int) -> None:
    """Order 4 with a coarse representation against all poles, every single element."""
    random = np.random.default_rng(seed)
    size = 3 + seed % 2
    density = (
        DrudeLorentz(0.05, random.uniform(0.3, 4)),
        Underdamped(0.2, random.uniform(0.4, 1.5), random.uniform(0.1, 1)),
    )[seed % 2]
    model = open_system(
        np.sort(random.uniform(0, 2, size)),
        [hermitian(size, seed), hermitian(size, seed + 50)],
        [density, DrudeLorentz(0.02, 1.0)],
        random.uniform(0.3, 3),
    )
    fine = tcl_generator(model, 4).orders[4]
    for tolerance in (1e-6, 1e-7):
        request = Request(model, 4, None, tolerance, None, lambda _: None, False)
        rough = routed("exponentials", request)
        off = np.abs(rough.matrix - fine.matrix)
        assert np.all(off <= rough.error + fine.error)
        assert np.median(rough.error / np.maximum(off, fine.error)) < 1e3


def test_elements_that_no_coupling_reaches_have_no_error() -> None:
    model = open_system((0.0, 0.8), [[[0, 1], [1, 0]]], [DrudeLorentz(0.05, 1.0)], 1.0)
    term = tcl_generator(model, 4).orders[4]
    assert term.matrix[0, 1] == 0
    assert term.error[0, 1] == 0
    assert term.error[0, 0] > 0


def test_every_request_has_a_route_and_refusals_say_why() -> None:
    model = open_system((0.0, 0.8), [[[0, 1], [1, 0]]], [DrudeLorentz(0.05, 1.0)], 1.0)
    expected = {
        (2, None, False): "Ĉ and P",
        (4, None, False): "poles of the baths",
        (6, None, False): "exponentials",
        (4, None, True): "closed spectral forms",
        (2, 1.0, False): "transient of exponentials",
        (4, 1.0, False): "transient of exponentials",
        (4, 0.0, False): "the start",
    }
    for (order, time, spectral), name in expected.items():
        request = Request(model, order, time, 1e-9, None, lambda _: None, spectral)
        refusals = {route.name: route.refusal(request, order) for route in ROUTES}
        assert next(x for x, why in refusals.items() if why is None) == name
        assert all(why is None or why for why in refusals.values())


def test_exponentials_in_a_model_are_exact() -> None:
    bath = Bath("b", "boson", None, Exponentials((0.1, 0.05j), (1.0, 0.6 + 0.2j)))
    model = Model.of((0.0, 1.0), [Coupling.of([[0.2, 0.9], [0.9, 0.8]], "b")], [bath])
    assert represented(model).exact
    found = evolve_estimated(model, "tcl4", np.diag([0.0, 1.0]).astype(complex), [0.0, 5.0, 20.0])
    fine = evolve_estimated(
        model, "tcl4", np.diag([0.0, 1.0]).astype(complex), [0.0, 5.0, 20.0], tolerance=1e-11
    )
    off = np.abs(found.states - fine.states).max(axis=(1, 2))
    assert np.all(off <= found.errors + fine.errors)
    assert found.largest_error < 2e-8  # of a tolerance of 1e-7
