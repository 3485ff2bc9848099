"""Transforms of piecewise spectra: closed forms, mpmath on the pieces, limits, jumps."""

import math
from itertools import pairwise

import mpmath
import numpy as np
import pytest

from pertsym.baths import enclosure
from pertsym.baths.correlation import Correlation
from pertsym.baths.densities import ExpressionDensity, Ohmic, Table, Underdamped
from pertsym.baths.divergence import Divergent
from pertsym.baths.integrand import Integrand
from pertsym.baths.piecewise import PiecewiseSpectrum
from pertsym.baths.piecewise_integral import finite_part, panels_of
from pertsym.baths.thermal_spectrum import ThermalSpectrum
from pertsym.estimate import Estimate
from pertsym.expressions.expression import parse_expression
from pertsym.model.bath import Bath
from pertsym.model.values import Coupling, Model
from pertsym.rates import bloch_rates

INF = math.inf


def panels(density, beta=INF, statistics="boson") -> PiecewiseSpectrum:
    return panels_of(ThermalSpectrum(density, statistics, beta))


def transform(spectrum: PiecewiseSpectrum, w, derivative: int = 0) -> Estimate:
    return Estimate(*spectrum.regular_transform(np.ravel(w), derivative))


def transform_mp(table: Table, beta: float, statistics: str, w):
    """P(w) by quadrature on each piece of the table, on a path that passes above the pole."""
    knots = [mpmath.mpf(k) for k in table.knots]
    total = mpmath.mpf(0)
    for side in (1,) if math.isinf(beta) else (1, -1):
        for k, (low, high) in enumerate(pairwise(knots)):
            row = [mpmath.mpf(c.numerator) / c.denominator for c in table._exact[k]]

            def value(x, side=side, low=low, row=row):
                density = 2 * mpmath.polyval(row[::-1], x - low)
                if statistics == "classical":
                    density /= beta * x
                elif not math.isinf(beta):
                    density *= side / -mpmath.expm1(-side * beta * x)
                return density / (side * x - w)

            path, pole = [low, high], side * w
            if low < pole < high:
                height = min(pole - low, high - pole, 1 / mpmath.mpf(beta) if beta < 1e3 else 1)
                path = [low, mpmath.mpc(pole, height), high]
            inner = [x + (mpmath.mpf(10) ** -25 if x == 0 else 0) for x in path]
            total += mpmath.re(mpmath.quad(value, inner))
    return total


# ---------------------------------------------------------------------------------------------
# closed forms


@pytest.mark.parametrize("peak", [0.3, 1.0, 1.9])
def test_triangle(peak: float) -> None:
    """J linear from 0 to 1 at the peak and back to 0 at 2, T = 0: P of straight lines is
    elementary, int (a + bx)/(x - w) = b (x_1 - x_0) + (a + bw) log|(x_1 - w)/(x_0 - w)|."""
    spectrum = panels(Table((0.0, peak, 2.0), (0.0, 1.0, 0.0), "linear"))
    rng = np.random.default_rng(3)
    w = np.concatenate((rng.uniform(-3, 5, 60), peak + np.array([1e-9, -1e-12]), [1e6, -1e9]))

    def exact(x, derivative):
        # in 60 digits, the slopes as quotients of the doubles
        with mpmath.workdps(60):
            x, total = mpmath.mpf(float(x)), mpmath.mpf(0)
            top = mpmath.mpf(peak)
            for low, high, a, b in (
                (0, top, 0, 1 / top),
                (top, 2, 2 / (2 - top), -1 / (2 - top)),
            ):
                log = mpmath.log(abs((high - x) / (low - x)))
                dlog = 1 / (x - high) - 1 / (x - low)
                ddlog = -1 / (x - high) ** 2 + 1 / (x - low) ** 2
                total += (
                    b * (high - low) + (a + b * x) * log,
                    b * log + (a + b * x) * dlog,
                    2 * b * dlog + (a + b * x) * ddlog,
                )[derivative]
            return float(2 * total)

    for m in range(3):
        found = transform(spectrum, w, m)
        expected = np.array([exact(x, m) for x in w])
        assert np.all(np.abs(found.value - expected) <= found.error)
        assert np.median(found.error / np.abs(expected)) < 2e-13
        assert np.all(found.error <= 1e-11 * np.max(np.abs(expected)))


def test_box_has_logarithms_at_its_ends() -> None:
    """J = w up to 3 and a jump there, T = 0: P = 2[3 + w log|(3 - w)/w|]."""
    bath = Correlation(Table((0.0, 3.0), (0.0, 3.0)))
    w = np.array([-2.0, 1e-3, 1.7, 3 - 1e-10, 3 + 1e-10, 40.0])
    value = 2 * (3 + w * np.log(np.abs((3 - w) / w)))
    assert bath.transform(w).value == pytest.approx(value, rel=1e-7)  # of the formula near 3
    with pytest.raises(Divergent, match="w -> 3"):
        bath.transform(3.0)
    with pytest.raises(Divergent, match="w -> 0"):
        bath.transform(np.array([1.0, 0.0]), 1)
    assert bath.transform(0.0).value == pytest.approx(6.0, rel=1e-15)
    with pytest.raises(ValueError, match=r"^derivative: must be 0, 1, 2 or 3"):
        bath.transform(1.0, 4)


# ---------------------------------------------------------------------------------------------
# quadrature in many digits


@pytest.mark.parametrize("seed", range(6))
def test_random_tables_against_quadrature(seed: int) -> None:
    rng = np.random.default_rng(seed)
    count = int(rng.integers(2, 9))
    knots = np.sort(10 ** rng.uniform(-1.5, 1, count))
    values = rng.uniform(0, 1, count)
    if seed % 2:
        knots, values = np.insert(knots, 0, 0.0), np.insert(values, 0, 0.0)
    how = ("monotone-cubic", "linear")[seed // 2 % 2]
    table = Table(tuple(knots), tuple(values), how)
    beta, statistics = [(INF, "boson"), (1.3, "boson"), (40.0, "boson"), (0.7, "classical")][
        seed % 4
    ]
    spectrum = panels(table, beta, statistics)
    w = rng.uniform(-1, 12, 4)
    with mpmath.workdps(20):
        exact = [float(transform_mp(table, beta, statistics, mpmath.mpf(x))) for x in w]
    found = transform(spectrum, w)
    assert np.all(np.abs(found.value - exact) <= found.error + 1e-15 * np.abs(exact))
    assert np.all(found.error <= 1e-12 * np.max(np.abs(exact)))


@pytest.mark.parametrize(
    ("density", "beta", "statistics", "w"),
    [
        (Table((2.0, 4.0), (0.2, 0.4)), INF, "boson", (-3.2, 1e-3, 2 + 1e-7, 2.1)),
        (Table((0.0, 0.5, 1.1, 3.0), (0.0, 0.2, 0.3, 0.07)), 1.0, "boson", (-0.7, 2.1)),
        (Table((0.5, 1.1, 3.0), (0.2, 0.3, 0.0), "linear"), 30.0, "boson", (-0.3, 1.2)),
        (Ohmic(0.1, 1.0, 0.5), INF, "boson", (-0.7, 1e-3, 2.1)),
        (Ohmic(0.1, 1.0, 0.5), 2.0, "boson", (-0.7, 1e-3)),
        (Ohmic(0.1, 1.0, 1.5), INF, "boson", (-0.7, 2.1)),
        (Underdamped(0.3, 1.0, 1e-3), 5.0, "boson", (0.3, 1.0001)),
    ],
    ids=str,
)
def test_derivatives_against_the_other_route(density, beta, statistics, w) -> None:
    c = Correlation(density, statistics, beta)
    spectrum = panels_of(c.thermal)
    w = np.array(w)
    for m in range(3):
        found = transform(spectrum, w, m)
        exact = [float(enclosure.transform(c, x, m, 16).mid()) for x in w]
        assert np.all(np.abs(found.value - exact) <= found.error)
        size = np.hypot(exact, math.pi * c.spectrum(w, m).value)  # P of w^(1/2) vanishes at small w
        assert np.all(found.error <= 1e-10 * size)


# ---------------------------------------------------------------------------------------------
# limits


def test_far_away_only_the_area_of_the_spectrum_is_seen() -> None:
    """P ~ -2 pi C(0)/w."""
    c = Correlation(Table((0.3, 0.9, 1.4, 2.2), (0.1, 0.7, 0.2, 0.0)), "boson", 3.0)
    knots = np.linspace(-2.2, 2.2, 20001)
    total = np.trapezoid(c.spectrum(knots).value, knots)
    assert c.transform(1e7).value == pytest.approx(-total / 1e7, rel=1e-4)


@pytest.mark.parametrize("beta", [INF, 1.5])
def test_fine_tables_of_an_ohmic_density_converge(beta: float) -> None:
    ohmic = Ohmic(0.3, 1.0, 1.0)
    w = np.array([-1.3, 0.37, 0.9, 2.11])
    exact = Correlation(ohmic, "boson", beta).transform(w)
    miss = []
    for count in (100, 400, 1600):
        knots = np.linspace(0, 45, count)
        table = Table(tuple(knots), tuple(ohmic.at(knots)))
        found = Correlation(table, "boson", beta).transform(w)
        miss.append(np.max(np.abs(found.value - exact.value)))
        assert np.max(np.abs(table.at(w[1:]) - ohmic.at(w[1:]))) <= table.interpolation_error
    assert miss[2] < miss[1] / 5 < miss[0] / 25  # a cusp at w = 0 costs a power
    assert miss[2] < 1e-4


def test_large_tables_agree_with_their_parts() -> None:
    """8000 samples: P is the sum over P of hats of one sample, by the closed form."""
    rng = np.random.default_rng(11)
    knots = np.linspace(0, 40, 8001)
    values = np.abs(knots * np.exp(-knots / 5) + 0.01 * rng.standard_normal(8001))
    values[[0, -1]] = 0.0
    spectrum = panels(Table(tuple(knots), tuple(values), "linear"))
    w = rng.uniform(-5, 45, 25)
    low, high = knots[:-1], knots[1:]
    slope = np.diff(values) / np.diff(knots)
    offset = w[:, None] - low
    at_w = values[:-1] + slope * offset
    exact = 2 * (slope * (high - low) + at_w * np.log(np.abs((high - w[:, None]) / offset)))
    found = transform(spectrum, w)
    # the sum of logarithms loses digits, the panels do not
    assert np.all(np.abs(found.value - np.sum(exact, axis=1)) <= 1e-10)
    assert np.max(found.error) < 1e-11


# ---------------------------------------------------------------------------------------------
# what went wrong before


def two_levels(table: Table, w0: float) -> Model:
    coupling = Coupling.of(((0, 1), (1, 0)), "b")
    return Model.of((0.0, w0), (coupling,), (Bath("b", "boson", INF, table),))


def test_a_table_that_ends_in_a_jump() -> None:
    """sigma_x at T = 0; the jump of J at the end belongs to P'."""
    table = Table((2.0, 4.0), (0.2, 0.4))
    k = bloch_rates(two_levels(table, 2.1), 4).orders[4]["k_down"]
    assert abs(k.value - 0.0185043102949295) <= k.error + 1e-16
    assert k.error < 1e-13


@pytest.mark.parametrize("seed", range(4))
def test_neighbours_of_that_table(seed: int) -> None:
    """With one coupling k_down(4) = [2 Im G(-w) G'(w) ...] needs P and P' on both sides."""
    rng = np.random.default_rng(seed)
    start, end = 2 + rng.uniform(-0.3, 0.3), 4 + rng.uniform(-0.3, 0.3)
    table = Table((start, end), (rng.uniform(0.1, 0.3), rng.uniform(0.3, 0.5)))
    w0 = start + 10 ** rng.uniform(-4, -0.2)
    c = Correlation(table)
    for m in range(3):
        exact = float(enclosure.transform(c, w0, m, 20).mid())
        kernel = [(float(math.factorial(m)), w0, m + 1)]
        single = Estimate(*finite_part(Integrand(c.thermal), kernel))
        for found in (c.transform(w0, m), single):
            assert abs(found.value - exact) <= found.error
            assert found.error < 3e-9 * abs(exact)


def test_linear_interpolation_and_its_error() -> None:
    table = Table((0.0, 1.0, 2.0, 3.0, 4.0), (0.0, 1.0, 0.5, 1.0, 0.0), "linear")
    assert table.at(np.array([0.5, 1.5, 3.75])).tolist() == [0.5, 0.75, 0.25]
    assert table.edges == ((1.0, 1.0), (2.0, 1.0), (3.0, 1.0), (4.0, 1.0))
    assert table.interpolation_error == pytest.approx(0.75)  # at 1: 0.25 from 0 and 0.5
    assert math.isnan(Table((1.0, 2.0), (1.0, 1.0)).interpolation_error)
    with pytest.raises(ValueError, match=r"^interpolation: must be 'monotone-cubic' or 'linear'"):
        Table((1.0, 2.0), (1.0, 1.0), "spline")


def test_edges_are_where_a_derivative_jumps() -> None:
    straight = Table((1.0, 2.0, 3.0), (1.0, 2.0, 3.0), "linear")
    assert straight.edges == ((3.0, 0.0),)
    smooth = Table((0.0, 1.0, 2.5), (0.0, 0.5, 0.0))
    assert [regularity for _, regularity in smooth.edges] == [2.0, 1.0]


# ---------------------------------------------------------------------------------------------
# formulas with break points


@pytest.mark.parametrize(
    ("text", "edges", "plain"),
    [
        ("w*exp(-w)*sqrt((w-1)^2)", ((1.0, 1.0),), lambda x: x * mpmath.exp(-x) * abs(x - 1)),
        ("w*exp(-w)*sqrt(w^2-2*w+1)", ((1.0, 1.0),), lambda x: x * mpmath.exp(-x) * abs(x - 1)),
        ("w*exp(-w)*Abs(w-1)^3", ((1.0, 3.0),), lambda x: x * mpmath.exp(-x) * abs(x - 1) ** 3),
        ("w*exp(-w)*Heaviside(1-w)", ((1.0, 0.0),), lambda x: x * mpmath.exp(-x) * (x < 1)),
        ("Min(w, 1)*exp(-w)", ((1.0, 1.0),), lambda x: min(x, 1) * mpmath.exp(-x)),
        ("Max(0, w*(1 - w))", ((1.0, 1.0),), lambda x: max(0, x * (1 - x))),
        (
            "Piecewise((w, w < 1), (exp(1-w), True))",
            ((1.0, 1.0),),
            lambda x: x if x < 1 else mpmath.exp(1 - x),
        ),
    ],
)
def test_formulas_with_break_points(text, edges, plain) -> None:
    density = ExpressionDensity(parse_expression(text))
    assert density.edges == edges
    spectrum = panels(density)
    w = np.array([-0.7, 0.4, 1.01, 2.5])
    exact, end = [], 80
    with mpmath.workdps(30):
        for x in map(mpmath.mpf, w.tolist()):
            here = plain(x) if x > 0 else mpmath.mpf(0)
            marks = sorted({0, 1, *([x, 2 * x] if x > 0 else []), 4, 12, end})
            value = mpmath.quad(lambda y, x=x, here=here: (plain(y) - here) / (y - x), marks)
            logarithm = mpmath.log((end - x) / x) if x > 0 else 0
            exact.append(float(2 * (value + here * logarithm)))
    found = transform(spectrum, w)
    assert np.all(np.abs(found.value - exact) <= found.error + 1e-15)
    assert np.all(found.error < 1e-11)
