"""Spectra and their transforms: closed forms, limits, error bounds, existence."""

from __future__ import annotations

import json
import math
import tomllib
from pathlib import Path

import mpmath
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from pertsym import Coupling, bloch
from pertsym.baths import enclosure
from pertsym.baths.balls import as_mpf
from pertsym.baths.correlation import Correlation
from pertsym.baths.densities import (
    DENSITIES,
    DrudeLorentz,
    Exponentials,
    ExpressionDensity,
    Ohmic,
    Table,
    Underdamped,
)
from pertsym.baths.divergence import Divergent
from pertsym.baths.integrals import (
    kernel_integral,
    regular_part,
    regular_slope,
    spectral_integral,
)
from pertsym.baths.integrand import Integrand
from pertsym.baths.piecewise_integral import finite_part
from pertsym.baths.time_correlation import hurwitz
from pertsym.estimate import Estimate
from pertsym.expressions.expression import parse_expression
from tests import time_balls

INF = math.inf


def expression(text):
    return ExpressionDensity(parse_expression(text))


def powers(low, high):
    return st.floats(low, high).map(lambda x: 10.0**x)


DENSITY = st.one_of(
    st.builds(
        Ohmic, powers(-2, 1), powers(-2, 2), st.sampled_from([0.3, 0.7, 1.0, 1.5, 2.0, 3.0, 5.0])
    ),
    st.builds(DrudeLorentz, powers(-2, 1), powers(-2, 2)),
    st.builds(Underdamped, powers(-2, 1), powers(-1, 1), powers(-3, 1)),
    st.sampled_from(
        [
            expression("0.1*w**3*exp(-w)"),
            expression("sin(w)*exp(-w)/(1+w**2)**0.3"),
            expression("tanh(w)**2*exp(-w/3)+log(1+w)*exp(-w)"),
            Table((0.0, 0.5, 1.0, 2.0), (0.0, 0.4, 0.2, 0.1)),
        ]
    ),
)
STATE = st.one_of(
    st.tuples(st.sampled_from(["boson", "classical"]), powers(-3, 3)),
    st.just(("boson", INF)),
)
FREQUENCY = st.tuples(st.sampled_from([1, -1]), powers(-6, 1.5)).map(lambda p: p[0] * p[1])


def natural_scale(correlation, w, derivative):
    """int |Ĉ| over the distance from w, cut where Ĉ starts to vary, to the power of the pole."""
    spectrum = correlation.thermal
    distances = [spectrum.scale]
    for point in spectrum.points:
        away = abs(point.position - w)
        distances.append(away if point.regularity < INF else math.hypot(away, point.width))
    local = min(distances)
    offsets = [
        p.position + np.outer([1, -1], np.geomspace(1e-3 * p.reach, 1e3 * spectrum.scale, 99))
        for p in spectrum.points
    ]
    samples = np.unique(np.concatenate([np.ravel(offsets), w + local * np.arange(-1.0, 2.0)]))
    samples = samples[~np.isin(samples, [p.position for p in spectrum.points])]
    values = np.abs(correlation.spectrum(samples).value)
    weights = 1 / np.maximum(np.abs(samples - w), local) ** (derivative + 1)
    return float(np.trapezoid(values * weights, samples))


def quadrature(correlation, w, derivative=0):
    """P or a derivative of it on panels of the real axis, whatever J is."""
    poles = [(float(math.factorial(derivative)), w, derivative + 1)]
    return Estimate(*finite_part(Integrand(correlation.thermal), poles))


@settings(max_examples=70, deadline=None, derandomize=True)
@given(DENSITY, STATE, FREQUENCY, st.integers(0, 3))
def test_error_of_the_spectrum_is_true(density, state, w, derivative):
    correlation = Correlation(density, *state)
    assume(w not in [p.position for p in correlation.thermal.points])
    estimate = correlation.spectrum(w, derivative)
    exact = as_mpf(enclosure.spectrum(correlation, w, derivative, 25))
    assert abs(estimate.value - exact) <= estimate.error
    # the natural scale of a derivative is that of the function over a power of w
    scale = (
        abs(exact) + abs(as_mpf(enclosure.spectrum(correlation, w, 0, 25))) / abs(w) ** derivative
    )
    assert estimate.error <= 1e-11 * scale + 1e-299


@settings(max_examples=70, deadline=None, derandomize=True)
@given(DENSITY, STATE, FREQUENCY, st.integers(0, 3))
def test_closed_form_and_quadrature_overlap(density, state, w, derivative):
    correlation = Correlation(density, *state)
    assume(w not in [p.position for p in correlation.thermal.points])
    value, error = correlation.transform(w, derivative)
    other, other_error = quadrature(correlation, w, derivative)
    assert abs(value - other) <= error + other_error
    scale = natural_scale(correlation, w, derivative)
    assert error <= 1e-9 * scale  # which nodes serve depends on what was asked before
    assert other_error <= 1e-9 * scale


@settings(max_examples=5, deadline=None, derandomize=True)
@given(
    st.builds(Ohmic, powers(-2, 1), powers(-1, 1), st.sampled_from([0.3, 0.7, 1.5, 3.0])),
    powers(-1, 1),
    FREQUENCY,
    st.integers(0, 3),
)
def test_error_of_the_transform_is_true(density, beta, w, derivative):
    correlation = Correlation(density, "boson", beta)
    exact = as_mpf(enclosure.transform(correlation, w, derivative, 25))
    for estimate in (correlation.transform(w, derivative), quadrature(correlation, w, derivative)):
        assert abs(estimate.value - exact) <= estimate.error + 1e-15 * abs(exact)


RATIONAL = [
    DrudeLorentz(0.3, 1.5),
    Underdamped(0.4, 0.9, 0.3),
    Underdamped(0.4, 0.9, 0.9e-3),
    Underdamped(0.4, 0.9, 5.0),
    Underdamped(0.4, 1.0, 2.0),  # critical: the poles coincide
    Underdamped(0.4, 1.0, 2.0 - 1e-9),
]


@pytest.mark.parametrize("density", RATIONAL)
@pytest.mark.parametrize("beta", [1e-3, 0.7, 1e6, INF])
@pytest.mark.parametrize("w", [1e-6, -0.9, 1e4])
def test_digamma_forms_against_the_quadrature(density, beta, w):
    for statistics in ("boson", "classical") if beta < INF else ("boson",):
        correlation = Correlation(density, statistics, beta)
        for derivative in (0, 3):
            value, error = correlation.transform(w, derivative)
            other, other_error = quadrature(correlation, w, derivative)
            assert abs(value - other) <= error + other_error
            assert other_error <= 1e-9 * natural_scale(correlation, w, derivative)


@pytest.mark.parametrize(("beta", "w"), [(1e-3, 1e-6), (2.0, -1e4), (1e6, 0.3), (1e6, -1e-6)])
def test_ohmic_quadrature_at_extreme_parameters(beta, w):
    correlation = Correlation(Ohmic(0.1, 1.0, 1.0), "boson", beta)
    exact = as_mpf(enclosure.transform(correlation, w, 1, 25))
    value, error = correlation.transform(w, 1)
    assert abs(value - exact) <= error
    assert error <= 1e-11 * natural_scale(correlation, w, 1)


def test_drude_transform_by_matsubara_sum():
    # C(t) = sum of the Drude pole and the Matsubara poles; P = -2 pi Im G summed by mpmath
    lam, gamma, beta, w = 0.3, 1.5, 2.0, 0.8
    with mpmath.workdps(25):
        lam, gamma, beta = mpmath.mpf(lam), mpmath.mpf(gamma), mpmath.mpf(beta)
        g = lam * gamma * (mpmath.cot(beta * gamma / 2) - 1j) / (gamma - 1j * mpmath.mpf(w))

        def term(k):
            nu = 2 * mpmath.pi * k / beta
            return 4 * lam * gamma / beta * nu / (nu**2 - gamma**2) / (nu - 1j * mpmath.mpf(w))

        exact = -2 * mpmath.pi * mpmath.im(g + mpmath.nsum(term, [1, mpmath.inf]))
        spectrum = 2 * mpmath.re(g + mpmath.nsum(term, [1, mpmath.inf]))
    correlation = Correlation(DrudeLorentz(0.3, 1.5), "boson", 2.0)
    assert correlation.transform(0.8).value == pytest.approx(float(exact), rel=1e-14)
    assert correlation.spectrum(0.8).value == pytest.approx(float(spectrum), rel=1e-14)
    assert as_mpf(enclosure.transform(correlation, 0.8, 0, 20)) == pytest.approx(exact, rel=1e-19)


def test_exponentials_are_exact():
    correlation = Correlation(Exponentials((0.3 + 0.1j, 0.2), (1 + 2j, 0.5)))
    w = np.array([-2.0, 0.0, 1.7])
    g = sum(c / (nu - 1j * w) for c, nu in zip((0.3 + 0.1j, 0.2), (1 + 2j, 0.5), strict=True))
    assert np.all(abs(correlation.spectrum(w).value - 2 * g.real) <= 1e-15)
    assert np.all(abs(correlation.transform(w).value + 2 * np.pi * g.imag) <= 1e-14)
    assert quadrature(correlation, 1.7).value == pytest.approx(-2 * math.pi * g[2].imag, rel=1e-13)
    assert (
        abs(
            complex(time_balls.correlation(correlation, 0.4))
            - ((0.3 + 0.1j) * np.exp(-(1 + 2j) * 0.4) + 0.2 * np.exp(-0.2))
        )
        < 1e-15
    )


def test_correlation_function_is_the_cosine_and_sine_transform_of_j():
    # T = 0, Ohmic: C(t) = (alpha/pi) s! wc^2/(1 + i wc t)^(s+1)
    correlation = Correlation(Ohmic(0.1, 2.0, 3.0))
    t = 0.7
    exact = mpmath.mpf(0.1) * 6 * 4 / mpmath.pi / (1 + 2j * mpmath.mpf(t)) ** 4
    assert abs(complex(time_balls.correlation(correlation, t, 15)) - exact) < 1e-14
    bath = Correlation(Ohmic(0.1, 1.0, 1.0), "classical", 2.0)
    classical = complex(time_balls.correlation(bath, t, 12))
    assert abs(classical - 2 * 0.1 / 2.0 / math.pi / (1 + t**2)) < 1e-12


@pytest.mark.parametrize(
    "density",
    [
        Ohmic(0.1, 1.0, 1.0),
        DrudeLorentz(0.1, 1.0),
        expression("w*exp(-w)"),
        Underdamped(0.1, 1.0, 0.1),
    ],
)
@pytest.mark.parametrize("beta", [1e-3, 1.0, 600.0])
def test_detailed_balance_to_relative_accuracy(density, beta):
    correlation = Correlation(density, "boson", beta)
    w = np.array([1e-5, 0.3, 1.0])
    up, down = correlation.spectrum(-w), correlation.spectrum(w)
    for k in range(3):
        ratio = float(mpmath.exp(-mpmath.mpf(beta) * mpmath.mpf(w[k])))
        assert up.value[k] == pytest.approx(ratio * down.value[k], rel=2e-14)


def test_temperature_going_to_zero():
    density = Ohmic(0.1, 1.0, 1.0)
    cold = Correlation(density)
    for beta in (1e20, 1e200, 1.7e308):
        correlation = Correlation(density, "boson", beta)
        assert correlation.spectrum(0.3) == pytest.approx(cold.spectrum(0.3), rel=1e-14)
        assert correlation.spectrum(-0.3).value == 0.0
        assert correlation.transform(0.3).value == pytest.approx(
            cold.transform(0.3).value, rel=1e-13
        )
        drude = Correlation(DrudeLorentz(0.3, 1.5), "boson", beta)
        assert drude.transform(-0.3).value == pytest.approx(
            Correlation(DrudeLorentz(0.3, 1.5)).transform(-0.3).value, rel=1e-14
        )
    assert cold.spectrum(-0.3) == (0.0, 0.0)
    assert cold.spectrum(-0.3, 2) == (0.0, 0.0)


def test_a_product_of_an_overflowing_and_a_vanishing_factor_is_evaluated():
    """J = (A/2) exp(-w^2/2) sinh(b w) at beta = 2 b has Ĉ = (A/2) exp(-w^2/2 + b w), exactly."""
    bath = Correlation(expression("0.3*exp(-w**2/2)*sinh(0.625*w)"), "boson", 1.25)
    w = np.array([-2000.0, -40.0, -3.0, -0.1, 0.0, 1e-9, 0.7, 35.0, 2000.0, 1e6])
    value, error = bath.spectrum(w)
    expected = 0.3 * np.exp(-(w**2) / 2 + 0.625 * w)
    assert np.all(np.abs(value - expected) <= error + 1e-14 * expected)
    assert np.all(error <= 1e-13 * expected + 1e-299)
    slope, bound = bath.spectrum(np.array([0.0, 1.0]), 1)
    assert np.all(np.abs(slope - [0.3 * 0.625, -0.3 * 0.375 * np.exp(0.125)]) <= bound + 1e-15)


def test_values_at_zero():
    assert Correlation(Ohmic(0.1, 1.0, 1.0), "boson", 2.0).spectrum(0.0).value == 0.1
    assert Correlation(Ohmic(0.1, 1.0, 3.0), "boson", 2.0).spectrum(0.0).value == 0.0
    formula = Correlation(expression("sin(w)*exp(-w)"), "boson", 2.0).spectrum(0.0)
    assert formula.value == pytest.approx(1.0, rel=1e-15)
    # KMS at w = 0: Ĉ' = beta Ĉ/2
    drude = Correlation(DrudeLorentz(0.3, 1.5), "boson", 2.0)
    assert drude.spectrum(0.0, 1).value == pytest.approx(drude.spectrum(0.0).value, rel=1e-15)
    # P(0) = int_0^inf 2 J/w
    assert drude.transform(0.0).value == pytest.approx(2 * math.pi * 0.3, rel=1e-14)
    cold = Correlation(Ohmic(0.1, 2.0, 3.0))
    assert cold.transform(0.0).value == pytest.approx(2 * 0.1 * 2.0 * 2, rel=1e-13)
    warm = Correlation(Ohmic(0.1, 2.0, 3.0), "boson", 0.4)
    assert warm.transform(0.0).value == pytest.approx(2 * 0.1 * 2.0 * 2, rel=1e-13)
    assert Correlation(Ohmic(0.1, 2.0, 3.0), "classical", 0.4).transform(0.0) == (0.0, 0.0)
    # the singular even part of a sub-Ohmic Ĉ drops out: P(0) = 2 alpha wc Gamma(s) at every T
    for beta in (0.4, 3.0, INF):
        sub_ohmic = Correlation(Ohmic(0.1, 2.0, 0.5), "boson", beta).transform(0.0)
        assert sub_ohmic.value == pytest.approx(2 * 0.1 * 2.0 * math.sqrt(math.pi), rel=1e-12)


@pytest.mark.parametrize(
    ("density", "state", "quantity", "w", "derivative", "match"),
    [
        (Ohmic(0.1, 1.0, 0.5), ("boson", 1.0), "spectrum", 0.0, 0, r"w\^-0\.5 at w -> 0"),
        (Ohmic(0.1, 1.0, 0.5), ("boson", 1.0), "transform", 0.0, 1, r"\|w\|\^-1\.5"),
        (Ohmic(0.1, 1.0, 1.0), ("boson", 1.0), "spectrum", 0.0, 1, "does not exist"),
        (Ohmic(0.1, 1.0, 1.0), ("boson", 1.0), "transform", 0.0, 1, "log"),
        (DrudeLorentz(0.1, 1.0), ("boson", INF), "spectrum", 0.0, 1, "does not exist"),
        (expression("w**0.5"), ("boson", 1.0), "transform", 1.0, 0, r"w\^-0\.5 at w -> inf"),
        (expression("w**-0.1*exp(-w)"), ("boson", 1.0), "transform", 1.0, 0, r"w\^-1\.1 at w -> 0"),
        (Table((0.0, 1.0), (0.0, 1.0)), ("boson", INF), "transform", 1.0, 0, "log"),
    ],
)
def test_what_does_not_exist_is_named(density, state, quantity, w, derivative, match):
    correlation = Correlation(density, *state)
    with pytest.raises(Divergent, match=match) as caught:
        getattr(correlation, quantity)(w, derivative)
    assert caught.value.reason == str(caught.value)


def test_the_same_exists_where_the_power_allows():
    assert Correlation(Ohmic(0.1, 1.0, 0.5)).spectrum(0.0) == (0.0, 0.0)
    assert math.isfinite(Correlation(expression("w**0.5")).transform(1.0, 1).value)
    assert math.isfinite(Correlation(expression("w**-0.1*exp(-w)")).transform(1.0).value)
    assert Correlation(Ohmic(0.0, 1.0, 0.5), "boson", 1.0).transform(0.0) == (0.0, 0.0)


def test_arrays_of_parameters_equal_their_elements():
    w = np.array([0.3, -0.9, 4.0])[:, None]
    beta, gamma = np.array([0.1, 3.0]), np.array([0.2, 7.0])
    many = Correlation(Underdamped(0.4, 1.1, gamma), "boson", beta)
    for quantity in ("spectrum", "transform"):
        for derivative in (0, 1):
            value, error = getattr(many, quantity)(w, derivative)
            assert value.shape == error.shape == (3, 2)
            for j in range(2):
                one = Correlation(Underdamped(0.4, 1.1, gamma[j]), "boson", beta[j])
                expected = getattr(one, quantity)(w[:, 0], derivative)
                assert np.allclose(value[:, j], expected.value, rtol=1e-13, atol=0)
    ohmic = Correlation(Ohmic(0.1, 1.0, np.array([1.0, 2.0, 0.5])), "boson", INF).transform(0.4)
    single = [Correlation(Ohmic(0.1, 1.0, s)).transform(0.4).value for s in (1.0, 2.0, 0.5)]
    assert ohmic.value.tolist() == single


@pytest.mark.parametrize(
    ("kind", "fields", "match"),
    [
        ("ohmic", {"alpha": -1, "wc": 1, "s": 1}, "^alpha: must be finite and >= 0, got -1;"),
        ("ohmic", {"alpha": 1, "wc": 0, "s": 1}, "^wc: must be finite and > 0"),
        ("ohmic", {"alpha": 1, "wc": 1, "s": math.nan}, "^s: "),
        ("ohmic", {"alpha": "x", "wc": 1, "s": 1}, "^alpha: "),
        ("drude-lorentz", {"lam": 1, "gamma": 0}, "^gamma: "),
        ("underdamped", {"lam": 1, "w0": INF, "gamma": 1}, "^w0: "),
        ("table", {"w": [0, 1, 1], "J": [0, 1, 1]}, "^w: must be strictly increasing"),
        ("table", {"w": [0, 1], "J": [1, 1]}, "^J: must be 0 at w = 0"),
        ("table", {"w": [0, 1], "J": [0, -1]}, "^J: must be >= 0"),
        ("table", {"w": [0, 1, 2], "J": [0, 1]}, "^J: must be as many"),
        ("exponentials", {"c": [1], "nu": [-1]}, "^nu: must be of positive real part"),
        ("exponentials", {"c": [1, 2], "nu": [1]}, "^nu: must be as many"),
        ("exponentials", {"c": [], "nu": []}, "^c: "),
    ],
)
def test_bad_parameters_name_their_field(kind, fields, match):
    with pytest.raises(ValueError, match=match):
        DENSITIES[kind](**fields)


@pytest.mark.parametrize("beta", [0.0, -1.0, math.nan, None])
def test_bad_temperatures(beta):
    with pytest.raises(ValueError, match=r"^beta: "):
        Correlation(Ohmic(0.1, 1.0, 1.0), "boson", beta)
    with pytest.raises(ValueError, match=r"^beta: must be finite for a classical bath"):
        Correlation(Ohmic(0.1, 1.0, 1.0), "classical", INF)


def test_tables_interpolate_their_samples():
    table = Table((0.5, 1.0, 2.0), (0.4, 0.2, 0.1))
    assert table.at(np.array([0.5, 1.0, 0.25, 2.5])).tolist() == [0.4, 0.2, 0.2, 0.0]
    below, above = table.at(np.array([1 - 1e-9, 1 + 1e-9]), 1)
    assert below == pytest.approx(above, abs=1e-8)


def _bath(table):
    density = dict(table["spectral_density"])
    kind = density.pop("kind")
    if kind == "expression":
        return Correlation(expression(density["expression"]), "boson", _beta(table))
    if kind == "exponentials":
        pairs = {name: tuple(complex(*entry) for entry in density[name]) for name in ("c", "nu")}
        return Correlation(Exponentials(**pairs))
    return Correlation(DENSITIES[kind](**density), table.get("statistics", "boson"), _beta(table))


def _beta(table):
    if "beta" in table:
        return table["beta"]
    return 1 / table["temperature"] if table["temperature"] else INF


@pytest.mark.parametrize(
    "path",
    sorted((Path(__file__).parent / "data" / "two_level").glob("*.toml")),
    ids=lambda p: p.stem,
)
def test_second_order_rates_of_reference_models(path):
    model = tomllib.loads(path.read_text())
    w0 = model["system"]["energies"][1] - model["system"]["energies"][0]
    strengths = {
        c["bath"]: c.get("strength", 1.0) * abs(complex(*np.atleast_1d(c["operator"][0][1])))
        for c in model["couplings"]
    }
    baths = {name: _bath(table) for name, table in model["baths"].items()}
    expected = json.loads(path.with_suffix(".json").read_text())["orders"]["2"]
    expected = {key: float(value) for key, value in expected.items()}

    def total(quantity, w):
        return sum(
            strengths[name] ** 2 * getattr(bath, quantity)(w).value
            for name, bath in baths.items()
            if name in strengths
        )

    largest = max(map(abs, expected.values()))
    shift = (total("transform", -w0) - total("transform", w0)) / (2 * math.pi)
    for key, value in (
        ("k_up", total("spectrum", -w0)),
        ("k_down", total("spectrum", w0)),
        ("frequency_shift", shift),
    ):
        assert value == pytest.approx(expected[key], rel=1e-12, abs=1e-13 * largest)


@pytest.mark.parametrize(
    ("text", "scale"),
    [
        ("0.1/(1+w**2)", 1.0),
        ("0.1*exp(-w)", 1.0),
        ("0.1*exp(-w**2)", 0.75),
        ("w/(1+w)", 1.0),
        ("w**2/(1+w/50)", 50.0),
        ("w**-0.5*exp(-w/3)", 3.0),
        ("exp(-1/w)/(1+w)", 2.0),
        ("w/(w**2+1e8)", 1e4),
        ("0.1", 1.0),
    ],
)
def test_scale_of_an_expression_is_where_it_varies(text, scale):
    assert 0.5 < expression(text).scale / scale < 2


@pytest.mark.parametrize(
    ("text", "j"),
    [
        ("0.1/(1+w**2)", lambda w: 0.1 / (1 + w**2)),
        ("0.1*exp(-w)", lambda w: 0.1 * math.exp(-w)),
        ("0.1*exp(-w**2)", lambda w: 0.1 * math.exp(-(w**2)) if w < 30 else 0.0),
        ("0.1*(1+w)/(1+w**3)", lambda w: 0.1 * (1 + w) / (1 + w**3)),
    ],
)
@pytest.mark.parametrize("w", [0.9, -0.9, 0.03])
def test_transform_of_a_density_that_does_not_vanish_at_zero(text, j, w):
    """T = 0: 2 P int_0^inf dx J(x)/(x - w) by QUADPACK, which knows nothing of our meshes."""
    options = {"epsabs": 1e-12, "epsrel": 1e-12, "limit": 200}
    if w > 0:
        wanted = quad(j, 0, 2 * w, weight="cauchy", wvar=w, **options)[0]
        wanted += quad(lambda x: j(x) / (x - w), 2 * w, 50, **options)[0]
    else:
        wanted = quad(lambda x: j(x) / (x - w), 0, 50, **options)[0]
    wanted += quad(lambda u: j(1 / u) / (1 / u - w) / u**2, 1e-12, 1 / 50, **options)[0]
    found = Correlation(expression(text), "boson", math.inf).transform(w)
    assert found.value == pytest.approx(2 * wanted, abs=1e-9)
    assert found.error < 1e-11


@pytest.mark.parametrize("shape", [(), (3,), (2, 3)])
def test_hurwitz_zeta_of_complex_arguments(shape: tuple[int, ...]) -> None:
    """A number, a row and a table of q against mpmath, relative to a sum of moduli."""
    rng = np.random.default_rng(6)
    for power in (1.2, 2.0, *rng.uniform(1.1, 6, 3)):
        q = rng.uniform(0.1, 3, shape) + 1j * rng.uniform(-20, 20, shape)
        found = hurwitz(float(power), q)
        assert found.shape == shape
        for z, value in zip(np.ravel(q), np.ravel(found), strict=True):
            exact = mpmath.zeta(power, mpmath.mpc(z))
            most = mpmath.zeta(power, z.real)  # of the sum of the moduli
            assert abs(mpmath.mpc(value) - exact) <= 3e-15 * most


def test_exponents_have_a_smallest_size_and_coefficients_none():
    """c = 0 is a term that is not there; an exponent of 1e-70 is a slip of units."""
    assert Exponentials((0.0, 1e-70, 0.2), (1.0, 2.0, 3.0)).c[0] == 0
    with pytest.raises(ValueError, match=r"^nu: "):
        Exponentials((0.1, 0.2), (1e-70, 1.0))


def test_a_formula_that_is_negative_somewhere_says_so():
    assert ExpressionDensity(parse_expression("0.1*w*exp(-w)")).remarks() == ()
    (said,) = ExpressionDensity(parse_expression("0.1*w*(1-w/3)*exp(-w)")).remarks()
    assert "negative at w = " in said
    assert float(said.split("w = ")[1].split(";")[0]) > 3


def test_nothing_couples_to_an_empty_bath():
    empty = Correlation(DrudeLorentz(0.0, 2.0), "boson", 1.0)
    full = Correlation(DrudeLorentz(0.1, 2.0), "boson", 1.0)
    poles = ((1.0, 0.7, 1), (-1.0, -0.7, 1))
    for found in (
        kernel_integral(empty, poles),
        kernel_integral(full, ()),
        spectral_integral("CP", empty, full, -1, 0.4, poles),
        spectral_integral("CC", full, empty, -1, 0.4, poles),
        regular_part("CP", full, empty, 1, 0.3, 0.6),
        regular_slope(empty),
    ):
        assert (found.value, found.error) == (0, 0)


def test_a_spectrum_has_no_value_where_it_jumps():
    step = Correlation(Table((1.0, 2.0), (0.2, 0.4), "linear"), "boson", 1.0)
    for w in (2.0, -2.0):
        with pytest.raises(Divergent, match=r"Ĉ\(w\) jumps at w = -?2"):
            step.spectrum(w)
    assert step.spectrum(2.0 + 1e-9).value == 0


def test_the_last_break_of_a_formula_is_its_end():
    for text, end in (
        ("0.1*w*(Heaviside(2-w) + Heaviside(1-w))", 2.0),
        ("0.1*w*Heaviside(3-w)", 3.0),
        ("0.1*w*exp(-w)*(1 + Heaviside(1-w))", INF),
    ):
        assert ExpressionDensity(parse_expression(text)).end == end


@pytest.mark.parametrize("w", [1e-9, 1e-5])
def test_differences_of_a_transform_keep_their_digits(w):
    """P(-w) - P(w) of the shift at w far below the bath, in one call and in many."""
    shift = bloch([Coupling.of([[0, 1], [1, 0]], "b")]).frequency_shift[2]
    for density in (DrudeLorentz(0.1, 2.0), Ohmic(0.1, 1.0, 3.0)):
        function = shift.function(b=density)
        many = function(np.full(3, w), 0.7)
        for one in (function(w, 0.7), Estimate(many.value[1], many.error[1])):
            assert 0 < one.error < 1e-9 * abs(one.value)
