"""Exponential representations against the correlation functions they stand for."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pertsym.baths import rational_samples
from pertsym.baths.balanced_truncation import Modes
from pertsym.baths.correlation import Correlation
from pertsym.baths.densities import (
    DrudeLorentz,
    Exponentials,
    ExpressionDensity,
    Ohmic,
    Table,
    Underdamped,
)
from pertsym.baths.divergence import Divergent
from pertsym.baths.exponential_fit import _SLOWEST, _merged, represent
from pertsym.baths.line_bound import Line
from pertsym.baths.rational_samples import approximate
from pertsym.expressions.expression import parse_expression
from tests import time_balls

INF = math.inf


def half_sided(exponentials, w):
    """G(w) = sum c/(nu - iw) for real w."""
    c, nu = np.array(exponentials.c), np.array(exponentials.nu)
    return np.sum(c / (nu.real - 1j * (np.asarray(w)[..., None] - nu.imag)), axis=-1)


def expression(text):
    return ExpressionDensity(parse_expression(text))


RATIONAL = expression("0.1*w/((1+w**2/1.5**2)*(1+w**2/2**2)*(1+w**2/3**2))")
SOLVENT = Correlation(DrudeLorentz(1.5e-4, 1e-3), "boson", 1052.58)
TENT = Table((0.0, 0.5, 1.0, 2.0), (0.0, 0.4, 0.2, 0.0))

# correlation, tolerance, most exponents
BATHS = {
    "drude": (SOLVENT, 1e-9, 25),
    "drude, cold": (Correlation(DrudeLorentz(0.1, 1.0), "boson", 1e3), 1e-7, 30),
    "drude, T = 0": (Correlation(DrudeLorentz(0.1, 1.0)), 1e-4, 16),
    "super-Ohmic": (Correlation(Ohmic(0.1, 1.0, 3.0), "boson", 1.0), 1e-7, 19),
    "Ohmic, T = 0": (Correlation(Ohmic(0.025, 5.0, 1.0)), 1e-5, 20),
    "sub-Ohmic, T = 0": (Correlation(Ohmic(0.1, 1.0, 0.5)), 1e-4, 25),
    "Ohmic, classical": (Correlation(Ohmic(0.1, 1.0, 1.0), "classical", 2.0), 1e-7, 28),
    "rational": (Correlation(RATIONAL, "boson", 1.3), 1e-10, 9),
    "rational, classical": (Correlation(RATIONAL, "classical", 1.3), 1e-10, 3),
    "underdamped": (Correlation(Underdamped(0.3, 1.0, 0.2), "boson", 2.0), 1e-9, 8),
    "underdamped, narrow": (Correlation(Underdamped(0.3, 1.0, 1e-3), "boson", 2.0), 1e-9, 4),
    "quartic cutoff": (Correlation(expression("0.1*w*exp(-w**4/16)"), "boson", 1.0), 1e-8, 16),
    "table": (Correlation(TENT, "boson", 1.0), 1e-3, 30),
}
THERMAL = [name for name, (bath, _, _) in BATHS.items() if bath.statistics == "boson"]


@pytest.fixture(scope="module")
def represented():
    """Each representation is made once."""
    cache = {}

    def get(name):
        if name not in cache:
            correlation, tolerance, _ = BATHS[name]
            cache[name] = represent(correlation, [tolerance])[0]
        return cache[name]

    return get


def deviations(correlation, exponentials, seed, points, transforms):
    """|Ĉ - Ĉ_fit|/2 at many points and |G - G_fit| at some, log-uniform and of both signs."""
    random = np.random.default_rng(seed)
    w = correlation.thermal.scale * 10.0 ** random.uniform(-8, 8, points)
    w[: points // 2] = correlation.thermal.scale * 10.0 ** random.uniform(-2, 1.5, points // 2)
    w *= random.choice([-1.0, 1.0], points)
    spectral = correlation.spectrum(w).value / 2 - half_sided(exponentials, w).real
    w = np.concatenate(([0.0, 1e9 * correlation.thermal.scale], w[: transforms - 2]))
    transform = correlation.transform(w).value
    g = correlation.spectrum(w).value / 2 - 0.5j / math.pi * transform
    return np.abs(spectral), np.abs(g - half_sided(exponentials, w))


@pytest.mark.parametrize("name", BATHS)
def test_the_stated_error_is_kept_and_not_exaggerated(name, represented):
    correlation, tolerance, most = BATHS[name]
    result = represented(name)
    assert 0 < result.error <= tolerance * result.scale
    assert len(result.exponentials.nu) <= most
    spectral, full = deviations(correlation, result.exponentials, 7, 2000, 8)
    assert np.max(spectral) <= result.error
    assert np.max(full) <= result.error
    if result.error > 1e-12 * result.scale:  # not rounding alone
        assert max(np.max(spectral), np.max(full)) > result.error / 10


@pytest.mark.parametrize("name", BATHS)
def test_rates_decay_and_come_real_or_in_pairs(name, represented):
    nu = represented(name).exponentials.nu
    assert all(rate.real > 0 for rate in nu)
    assert sorted(map(repr, nu)) == sorted(repr(rate.conjugate() + 0j) for rate in nu)


@pytest.mark.parametrize("name", BATHS)
def test_scale_is_the_largest_g(name, represented):
    correlation, _, _ = BATHS[name]
    result = represented(name)
    resonances = [centre for centre, _ in correlation.density.features]
    w = np.concatenate((correlation.thermal.scale * np.geomspace(1e-3, 10, 8), resonances))
    w = np.concatenate((-w, [0.0], w))
    values = correlation.spectrum(w).value / 2 - 0.5j / math.pi * correlation.transform(w).value
    assert 0.8 * result.scale < np.max(np.abs(values)) <= result.scale * (1 + 1e-8)


def drude_in_time(t):
    """The Matsubara sum of the bath `SOLVENT`."""
    lam, gamma, beta = 1.5e-4, 1e-3, 1052.58
    nu = 2 * math.pi * np.arange(1, 2000) / beta
    sum_ = np.sum(4 * lam * gamma / beta * nu / (nu**2 - gamma**2) * np.exp(-nu * t))
    return lam * gamma * (1 / math.tan(beta * gamma / 2) - 1j) * np.exp(-gamma * t) + sum_


def super_ohmic_in_time(t):
    """alpha wc^(1-s)/(pi beta^(s+1)) Gamma(s+1) [zeta(s+1, ...) + zeta(s+1, ...)], s = 3."""
    shifts = (2 - 1j * t, 1 + 1j * t)
    return 0.1 * 6 / math.pi * sum(complex(mpmath.zeta(4, shift)) for shift in shifts)


def ohmic_in_time(t):
    return 0.025 * 25 / math.pi / (1 + 5j * t) ** 2


@pytest.mark.parametrize(
    ("name", "exact"),
    [
        ("drude", drude_in_time),
        ("super-Ohmic", super_ohmic_in_time),
        ("Ohmic, T = 0", ohmic_in_time),
        ("table", lambda t: complex(time_balls.correlation(BATHS["table"][0], t, 10))),
    ],
)
def test_correlation_in_time(name, exact, represented):
    """|int dw [Ĉ - Ĉ_fit] e^{-iwt}| <= (total variation)/t, and the error swings 100 times."""
    result = represented(name)
    c, nu = (np.array(part) for part in (result.exponentials.c, result.exponentials.nu))
    for scaled in (0.3, 2.0, 9.0) if name != "table" else (1.0,):
        t = scaled / BATHS[name][0].thermal.scale
        fitted = np.sum(c * np.exp(-nu * t))
        assert abs(fitted - exact(t)) <= 30 * result.error / t
        assert abs(fitted) > 300 * result.error / t


@pytest.mark.parametrize("name", THERMAL)
def test_detailed_balance_of_the_fit(name, represented):
    """Ĉ(-w) = e^{-beta w} Ĉ(w); at T = 0 there is nothing at -w."""
    correlation, _, _ = BATHS[name]
    result = represented(name)
    w = correlation.thermal.scale * np.geomspace(1e-6, 1e3, 301)
    up, down = (2 * half_sided(result.exponentials, side * w).real for side in (1, -1))
    factor = np.exp(-correlation.beta * w) if correlation.beta < INF else 0.0
    assert np.max(np.abs(down - factor * up)) <= 4 * result.error


def test_no_method_does_with_five_exponents_less(represented):
    """Adamyan-Arov-Krein: m exponents leave at least the Hankel singular value m + 1."""
    fine = represent(SOLVENT, [1e-12])[0].exponentials
    rates = np.array(fine.nu).real
    u = np.arange(math.log(1e-3 / rates.max()), math.log(60 / rates.min()), 0.15)
    t, root = np.exp(u), np.exp(u / 2) * math.sqrt(0.15)
    kernel = sum(
        c * np.outer(np.exp(-nu * t), np.exp(-nu * t))
        for c, nu in zip(fine.c, fine.nu, strict=True)
    )
    singular = np.linalg.svd(kernel * np.outer(root, root), compute_uv=False)
    result = represented("drude")
    assert singular[len(result.exponentials.nu) - 5] > 1e-9 * result.scale


@pytest.mark.parametrize(
    ("density", "number"),
    [
        (DrudeLorentz(0.3, 2.0), 1),
        (Underdamped(0.3, 1.0, 0.2), 2),
        (Underdamped(0.3, 1.0, 3e-4), 2),
        (Underdamped(0.3, 1.0, 7.0), 2),
        (Underdamped(0.3, 1.0, 2.0), 2),  # critical: by a fit
    ],
)
def test_classical_baths_need_as_many_as_j_has_poles(density, number):
    correlation = Correlation(density, "classical", 0.5)
    result = represent(correlation, [1e-9])[0]
    assert len(result.exponentials.nu) == number
    spectral, full = deviations(correlation, result.exponentials, 3, 300, 40)
    assert max(np.max(spectral), np.max(full)) <= result.error <= 1e-9 * result.scale
    if density != Underdamped(0.3, 1.0, 2.0):
        assert result.error < 2e-11 * result.scale
    # C(0) = (1/pi) int dw 2T J/w is T times twice the reorganisation energy
    twice = 2 * 0.3 if isinstance(density, DrudeLorentz) else 0.3**2
    assert sum(result.exponentials.c) == pytest.approx(2.0 * twice, rel=1e-8)


def test_given_exponentials_are_not_touched():
    density = Exponentials((1.0, 0.5 - 2j), (0.3, 1.0 + 5j))
    result = represent(Correlation(density), [1e-9])[0]
    assert result.exponentials is density
    assert result.error == 0.0
    w = np.linspace(-20, 20, 4001)
    peak = np.max(np.abs(half_sided(density, w)))
    assert peak <= result.scale * (1 + 1e-12)
    assert peak > 0.999 * result.scale


def test_no_coupling_is_a_vanishing_exponential():
    result = represent(Correlation(DrudeLorentz(0.0, 1.0), "boson", 1.0), [1e-9])[0]
    assert result.exponentials.c == (0.0,)
    assert result.error == result.scale == 0.0


def test_an_unreachable_tolerance_returns_the_best_with_its_error(monkeypatch):
    monkeypatch.setattr(rational_samples, "_TERMS", 8)
    cold = Correlation(TENT)
    result = represent(cold, [1e-6])[0]
    assert 1e-6 * result.scale < result.error < 0.1 * result.scale
    spectral, full = deviations(cold, result.exponentials, 5, 2000, 12)
    assert max(np.max(spectral), np.max(full)) <= result.error


def test_more_accuracy_takes_more_exponents():
    results = [represent(SOLVENT, [tolerance])[0] for tolerance in (1e-3, 1e-6)]
    numbers = [len(result.exponentials.nu) for result in results]
    assert numbers[0] < numbers[1] < 15
    assert results[0].error > results[1].error


def test_results_do_not_depend_on_units_or_repetition():
    once = represent(SOLVENT, [1e-6])[0]
    assert represent(SOLVENT, [1e-6])[0] == once
    unit = 2.0**40
    solvent = DrudeLorentz(1.5e-4 * unit, 1e-3 * unit)
    scaled = represent(Correlation(solvent, "boson", 1052.58 / unit), [1e-6])[0]
    assert len(scaled.exponentials.nu) == len(once.exponentials.nu)
    assert scaled.error / scaled.scale == pytest.approx(once.error / once.scale, rel=1e-2)


@pytest.mark.parametrize(
    ("correlation", "reason"),
    [
        (Correlation(Ohmic(0.1, 1.0, 0.5), "boson", 1.0), "w^-0.5"),
        (Correlation(Ohmic(0.1, 1.0, 0.5), "classical", 1.0), "w^-0.5"),
        (Correlation(Table((0.0, 1.0), (0.0, 1.0)), "boson", 1.0), "w -> 1"),
        (Correlation(expression("w**2/(1+w**2)"), "boson", 1.0), "w -> inf"),
    ],
)
def test_unbounded_transforms_are_refused(correlation, reason):
    with pytest.raises(Divergent, match="unbounded") as caught:
        represent(correlation, [1e-9])[0]
    assert reason in caught.value.reason


@pytest.mark.parametrize("horizon", [0.3, 20.0, 1e4])
@pytest.mark.parametrize(
    "correlation",
    [
        Correlation(Ohmic(0.1, 1.0, 0.5), "boson", 1.0),
        Correlation(Ohmic(0.1, 2.0, 1.05), "boson", 0.2),
        Correlation(Ohmic(0.1, 1.0, 0.3), "boson", math.inf),
        Correlation(expression("sqrt(w)/(1+w**4)"), "boson", 2.0),
    ],
)
def test_up_to_a_horizon_slow_exponents_are_few(correlation, horizon):
    """C(t) at times up to it, where G(0) is infinite or reached by a small power of w."""
    fit = represent(correlation, [1e-9], horizon=horizon)[0]
    assert fit.horizon == horizon
    assert min(abs(nu) for nu in fit.exponentials.nu) > 1e-5 / horizon
    times = horizon * np.array([0.05, 0.3, 1.0])
    c, nu = np.array(fit.exponentials.c), np.array(fit.exponentials.nu)
    exact = np.array([complex(time_balls.correlation(correlation, t, 10)) for t in times])
    off = np.abs(np.exp(-np.outer(times, nu)) @ c - exact)
    assert np.all(off < 1e-5 * np.abs(exact))


@pytest.mark.parametrize("tolerance", [0.0, 1.0, -1e-9, math.nan])
def test_impossible_tolerances_are_refused(tolerance):
    with pytest.raises(ValueError, match=r"^tolerance: must be between"):
        represent(SOLVENT, [tolerance])[0]


def test_array_parameters_are_refused():
    with pytest.raises(ValueError, match=r"^correlation: .*shape \(2,\)"):
        represent(Correlation(DrudeLorentz(np.array([0.1, 0.2]), 1.0), "boson", 1.0), [1e-9])[0]


POWERS = st.floats(-1.5, 1.5).map(lambda x: 10.0**x)


@settings(max_examples=3, deadline=None, derandomize=True)
@given(
    st.one_of(
        st.builds(DrudeLorentz, POWERS, POWERS),
        st.builds(Underdamped, POWERS, POWERS, POWERS),
        st.builds(Ohmic, POWERS, POWERS, st.sampled_from([1.0, 2.0, 3.0, 4.0])),
    ),
    st.one_of(st.just(INF), POWERS),
)
def test_any_bath_is_represented(density, beta):
    correlation = Correlation(density, "boson", beta)
    result = represent(correlation, [1e-4])[0]
    assert result.error <= 1e-4 * result.scale
    assert len(result.exponentials.nu) <= 25
    spectral, full = deviations(correlation, result.exponentials, 1, 600, 6)
    assert max(np.max(spectral), np.max(full)) <= result.error


@pytest.mark.parametrize(
    ("correlation", "band", "tolerance", "most"),
    [
        (SOLVENT, 0.03, 1e-4, 5),
        (SOLVENT, 0.03, 1e-6, 8),
        (SOLVENT, 0.03, 1e-9, 13),
        (SOLVENT, 1.3e-3, 1e-6, 5),
        (Correlation(Underdamped(0.3, 1.0, 0.2), "boson", 2.0), 3.0, 1e-6, 4),
    ],
)
def test_few_exponentials_serve_a_band(correlation, band, tolerance, most):
    """The stated error is that of G min(1, (band/w)^2), against Ĉ and P themselves."""
    result = represent(correlation, [tolerance], band)[0]
    assert 0 < result.error <= tolerance * result.scale
    assert len(result.exponentials.nu) <= most
    c, nu = result.exponentials.c, result.exponentials.nu
    assert all(rate.real > 0 for rate in nu)
    w = band * np.concatenate((np.geomspace(1e-3, 1.0, 9), np.geomspace(1.5, 1e4, 8)))
    w = np.concatenate((-w, [0.0], w))
    g = correlation.spectrum(w).value / 2 - 0.5j / math.pi * correlation.transform(w).value
    weight = np.minimum(1.0, (band / np.maximum(np.abs(w), band)) ** 2)
    difference = weight * np.abs(g - half_sided(Exponentials(c, nu), w))
    assert result.error / 30 < np.max(difference) <= result.error
    assert np.max(weight * np.abs(g)) <= result.scale * (1 + 1e-8)


def test_a_band_beyond_all_of_the_bath_changes_little():
    wide = represent(SOLVENT, [1e-3], 1e6)[0]
    everywhere = represent(SOLVENT, [1e-3])[0]
    assert wide.scale == pytest.approx(everywhere.scale, rel=1e-3)
    assert len(wide.exponentials.nu) <= len(everywhere.exponentials.nu)


def test_exact_sums_are_not_reduced():
    density = Exponentials((1.0, 0.5), (0.3, 1e6))
    result = represent(Correlation(density), [1e-2], band=1.0)[0]
    assert result.exponentials is density
    assert result.error == 0.0


@pytest.mark.parametrize("band", [0.0, -1.0, math.inf, math.nan])
def test_impossible_bands_are_refused(band):
    with pytest.raises(ValueError, match=r"^band: must be positive"):
        represent(SOLVENT, [1e-6], band)[0]


def test_poles_over_24_decades_are_found():
    rates = np.array([1e-12, 3e-12, 1e-7, 2e-3, 1.0, 1.1, 4e4, 1e12])
    x = np.geomspace(1e-14, 1e14, 600)
    shares = rates / (x[:, None] + rates)
    values = np.array([np.sum(shares, axis=1), shares @ np.resize([1.0, -1.0], 8)])
    steps = approximate(x, values, np.ones_like(values), 1e-13, 20)
    poles = steps[-1].poles()
    for rate in rates:
        assert np.min(np.abs(poles + rate)) < 1e-7 * rate


def test_several_tolerances_at_once_are_those_one_by_one():
    tolerances = (1e-9, 1e-4, 1e-6)
    together = represent(SOLVENT, tolerances)
    numbers = [len(result.exponentials.nu) for result in together]
    assert numbers[1] < numbers[2] < numbers[0]
    for result, tolerance in zip(together, tolerances, strict=True):
        alone = represent(SOLVENT, [tolerance])[0]
        assert len(alone.exponentials.nu) == len(result.exponentials.nu)
        assert result.error <= tolerance * result.scale
        assert result.scale == pytest.approx(alone.scale, rel=1e-9)


def meeting(seed, number):
    """Drude with gamma = 2 pi T n and critical damping, exactly and beside it."""
    random = np.random.default_rng(seed)
    found = []
    for _ in range(number):
        beside = 1 + float(random.choice([0.0, -1.0, 1.0])) * 10.0 ** random.uniform(-15, -1)
        beta, n = 10.0 ** random.uniform(-1, 1), int(random.integers(1, 4))
        drude = DrudeLorentz(0.1, 2 * math.pi * n / beta * beside)
        found += [Correlation(drude, "boson", beta)]
        w0, beta = 10.0 ** random.uniform(-1, 1), 10.0 ** random.uniform(-1, 1)
        found += [Correlation(Underdamped(0.3, w0, 2 * w0 * beside), "boson", beta)]
        found += [Correlation(Underdamped(0.3, w0, 2 * w0 * beside), "classical", beta)]
    return found


@pytest.mark.parametrize("correlation", meeting(3, 8))
def test_poles_that_meet_have_moderate_amplitudes(correlation):
    """A double pole needs opposite amplitudes, which do not grow as the poles come closer."""
    result = represent(correlation, [1e-8])[0]
    assert result.error <= 1e-8 * result.scale
    c, nu = (np.array(part) for part in (result.exponentials.c, result.exponentials.nu))
    assert np.max(np.abs(c / nu)) < 1e7 * result.scale
    spectral, full = deviations(correlation, result.exponentials, 2, 300, 40)
    assert max(np.max(spectral), np.max(full)) <= result.error


@pytest.mark.parametrize("seed", range(8))
def test_random_baths_keep_their_bound(seed):
    """Narrow resonances to Q = 1e4, cold and hot, with and without a band."""
    random = np.random.default_rng(seed)
    beta = INF if seed % 4 == 0 else 10.0 ** random.uniform(-2, 2)
    density = (
        Underdamped(0.3, 1.0, 10.0 ** random.uniform(-4, 1)),
        DrudeLorentz(0.1, 10.0 ** random.uniform(-2, 2)),
        Ohmic(0.1, 1.0, float(random.choice([1.0, 2.0, 3.0, 1.7, 4.5]))),
    )[seed % 3]
    correlation = Correlation(density, "boson", beta)
    band = None if seed % 2 else 10.0 ** random.uniform(-1, 1)
    fine, coarse = represent(correlation, (1e-10, 3e-9), band)
    w = 10.0 ** random.uniform(-5, 3, 25) * random.choice([-1.0, 1.0], 25)
    centres = [centre for centre, _ in density.features]
    w = np.concatenate((w, [0.0], centres))
    g = correlation.spectrum(w).value / 2 - 0.5j / math.pi * correlation.transform(w).value
    weight = 1.0 if band is None else np.minimum(1.0, (band / np.maximum(np.abs(w), band)) ** 2)
    for result in (fine, coarse):
        difference = weight * np.abs(g - half_sided(result.exponentials, w))
        assert np.max(difference) <= result.error + 1e-13 * result.scale
        assert all(rate.real > 0 for rate in result.exponentials.nu)
    assert fine.error <= 1e-9 * fine.scale
    assert coarse.error <= 3e-9 * coarse.scale


@pytest.mark.parametrize("band", [INF, 2.0])
@pytest.mark.parametrize("seed", range(4))
def test_the_bound_on_the_line_is_above_every_value_and_close(seed, band):
    random = np.random.default_rng(seed)
    size = 10.0 ** random.uniform(-3, 3, 12)
    nu = size * np.exp(1j * random.uniform(-1.55, 1.55, 12))
    c = size * (random.normal(size=12) + 1j * random.normal(size=12))
    modes = Modes.of(c, nu)
    line = Line.around(modes, 1.0, 1e-6, 10, band).refined(modes, 1e-2)
    even, odd = modes.half_sided(line.at().ravel())
    shape = line.at().shape
    bound = line.largest(modes, even.reshape(shape), odd.reshape(shape))
    w = np.concatenate((np.geomspace(1e-6, 1e6, 40001), np.abs(nu.imag)))
    w = np.concatenate(
        (w, np.outer(nu.real, np.linspace(-3, 3, 301)).ravel() + np.abs(nu.imag).repeat(301))
    )
    w = np.concatenate((w, -w, [0.0]))
    weight = 1 / np.maximum(1.0, np.abs(w) / band) ** 2
    given = Exponentials(tuple(c), tuple(nu))
    values = np.concatenate(
        [weight[i::50] * np.abs(half_sided(given, w[i::50])) for i in range(50)]
    )
    assert 0.7 * bound < np.max(values) <= bound


def test_conjugate_exponents_are_brought_together():
    nu = np.array([1 + 2j, 3.0, 1 - 2j, 0.5 - 1j])
    c = np.array([1 + 1j, 2 - 1j, 0.5j, 4.0])
    modes = Modes.of(c, nu)
    assert len(modes.nu) == 3
    assert len(modes.exponentials()[1]) == 5
    w = np.linspace(0, 5, 7)
    even, odd = modes.half_sided(w)
    given = Exponentials(tuple(c), tuple(nu))
    assert even + 1j * odd == pytest.approx(half_sided(given, w), rel=1e-13)
    assert even.conj() + 1j * odd.conj() == pytest.approx(half_sided(given, -w), rel=1e-13)
    back = Modes.of(*modes.exponentials())
    assert back.s == pytest.approx(modes.s)
    assert back.a == pytest.approx(modes.a)


@pytest.mark.parametrize("seed", range(4))
def test_few_exponents_for_all_slow_ones(seed: int) -> None:
    """The same C(t) up to the horizon, within what is said to be lost."""
    rng = np.random.default_rng(seed)
    slowest = _SLOWEST / 7.0  # the horizon is 7
    turn = np.exp(0.8j * np.repeat([1, -1], 12))
    nu = turn * np.exp(-rng.uniform(0.1, 6, 24)) * slowest
    c = rng.uniform(size=24) + 1j * rng.normal(size=24) * (seed % 2)
    few, slow, lost = _merged(c, nu, slowest)
    assert len(few) < len(c)
    for t in (0.0, 0.5, 4.0, 7.0):
        with mpmath.workdps(40):
            one, other = (
                mpmath.fsum(x * mpmath.exp(-n * t) for x, n in zip(*pair, strict=True))
                for pair in ((c.tolist(), nu.tolist()), (few.tolist(), slow.tolist()))
            )
            assert abs(one - other) <= lost
    assert lost <= 1e-9 * np.abs(c).sum()  # (t nu)^4/4! of shares that may be large
