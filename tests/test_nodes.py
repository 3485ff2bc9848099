"""Nodes of baths, and integrals over them, against enclosures and each other."""

from __future__ import annotations

import math

import flint
import numpy as np
import pytest

from benchmarks.campaign import Tally, cases, report, tried
from pertsym.baths.correlation import Correlation
from pertsym.baths.densities import DrudeLorentz, ExpressionDensity, Ohmic, Underdamped
from pertsym.baths.enclosure import transform
from pertsym.baths.integrals import spectral_integral
from pertsym.baths.integrand import Integrand
from pertsym.baths.piecewise_integral import finite_part
from pertsym.model.expression import parse_expression

BATHS = [
    Correlation(Ohmic(0.1, 1.0, 1), "boson", 1.3),
    Correlation(Ohmic(0.1, 1.0, 2.5), "boson", math.inf),
    Correlation(DrudeLorentz(0.1, 1.3), "boson", 2.0),
    Correlation(DrudeLorentz(0.1, math.pi), "boson", 2.0),  # a pole of J on a thermal one
    Correlation(Underdamped(0.3, 1.0, 2.0), "boson", 0.7),  # critical damping
    Correlation(Underdamped(0.3, 1.0, 1.4), "boson", 0.7),  # a pole close to the path
]


def test_random_sets_stay_within_their_bounds() -> None:
    tally = Tally()
    for case in [case for case in cases(40, 7) if case.coupling == "off-diagonal"]:
        tried(case, tally)
    assert tally.values > 100
    assert not tally.outside, report(tally)
    assert np.median(tally.overestimates) < 1e3


@pytest.mark.parametrize("bath", BATHS, ids=str)
def test_transforms_are_enclosed(bath: Correlation) -> None:
    for w in (-2.0, 1e-3, 0.8):
        for m in (0, 1):
            value, error = bath.transform(w, m)
            ball = transform(bath, w, m, 18)
            assert abs(float((ball - flint.arb(value)).mid())) <= error + float(ball.rad())
            assert error < 1e-11 * (abs(value) + abs(bath.spectrum(w, m).value))


@pytest.mark.parametrize("bath", BATHS, ids=str)
def test_the_nodes_give_the_spectrum_back(bath: Correlation) -> None:
    w = np.array([-1.7, 0.02, 0.4, 3.0])
    wanted = bath.unit.spectrum(w)
    found, bound = bath.unit.nodes(0.02, 3.0).half_sided(w)
    assert np.all(np.abs(2 * found.real - wanted.value) <= 2 * bound + wanted.error)
    assert np.all(bound < 1e-11 * np.abs(found))


@pytest.mark.parametrize("a", BATHS[:4], ids=str)
@pytest.mark.parametrize("b", BATHS[2:5], ids=str)
def test_two_spectra_may_change_places(a: Correlation, b: Correlation) -> None:
    """w -> x - w: the pole goes to x - p, a simple one changes its sign."""
    x, p = 1.1, 0.3
    for order, sign in ((1, -1), (2, 1)):
        one = spectral_integral("CC", a, b, -1, x, ((1.0, p, order),))
        other = spectral_integral("CC", b, a, -1, x, ((1.0, x - p, order),))
        assert abs(one.value - sign * other.value) <= one.error + other.error + 1e-15
        assert one.error < 1e-9


def test_arrays_of_temperatures_are_what_single_ones_are() -> None:
    betas = np.array([0.3, 1.0, 4.0])
    many = Correlation(Ohmic(0.1, 1.0, 1), "boson", betas)
    poles = ((1.0, 0.4, 2),)
    found = spectral_integral("CP", many, many, 1, 0.7, poles)
    for k, beta in enumerate(betas):
        bath = Correlation(Ohmic(0.1, 1.0, 1), "boson", float(beta))
        single = spectral_integral("CP", bath, bath, 1, 0.7, poles)
        assert abs(single.value - found.value[k]) <= single.error + found.error[k]


FORMULAS = {
    "w*exp(-w)": True,
    "0.3*w**1.5*exp(-w/2)": True,
    "sqrt(w)/(1+w)**1.7": True,
    "w*exp(-w)+0.02*w/((w**2-4)**2+0.01*w**2)": True,
    "w*tanh(w)*exp(-sqrt(w))": True,
    "w/((w-1)**2+0.01)*exp(-w)": True,
    "w*exp(-w**2)": False,  # grows below the axis
    "w*exp(-w)*sin(w)**2": False,
    "w/(1+w)": False,  # P exists as a difference only
    "w*exp(-w)*Abs(w-1)": False,
    "w/((w**2-1)**2+w**2/4)**2": False,  # double poles
}


@pytest.mark.parametrize("text", FORMULAS)
def test_formulas_have_nodes_where_they_continue(text: str) -> None:
    """Both engines, at temperatures and frequencies drawn at random."""
    density = ExpressionDensity(parse_expression(text))
    assert density.continues == FORMULAS[text]
    if not density.continues:
        return
    rng = np.random.default_rng(11)
    for beta, statistics in ((math.inf, "boson"), (10 ** rng.uniform(-1, 2), "boson")):
        bath = Correlation(density, statistics, beta)
        for w in (-1.3, 0.02, *rng.uniform(0.1, 3, 2)):
            for m in (0, 1):
                value, error = bath.transform(w, m)
                other, bound = finite_part(Integrand(bath.thermal), [(1.0, w, m + 1)])
                assert abs(value - other) <= error + bound
                assert error < 1e-11 * (abs(value) + abs(bath.spectrum(w, m).value))


@pytest.mark.parametrize("text", [t for t, known in FORMULAS.items() if known])
def test_a_pole_that_was_overlooked_is_noticed(text: str) -> None:
    """Without its resonances, or with one too many, 2 Re G is not the spectrum."""
    density = ExpressionDensity(parse_expression(text))
    continuation = density._continuation
    assert continuation.is_sure(density)
    positions, residues = continuation.resonances()
    wrong = (positions, 1.001 * residues)
    if not len(positions):
        wrong = (np.array([1.0 - 0.3j]), np.array([1e-3j]))
    object.__setattr__(density, "resonances", wrong)
    assert not continuation.is_sure(density)


@pytest.mark.parametrize("s", [3.0, 5.0])
def test_second_derivatives_at_zero(s: float) -> None:
    """On two rays the ends at 0 diverge one by one, and not together."""
    for beta in (0.6, 3.0):
        bath = Correlation(Ohmic(0.1, 1.0, s), "boson", beta)
        value, error = bath.transform(0.0, 2)
        other, bound = finite_part(Integrand(bath.thermal), [(2.0, 0.0, 3)])
        assert abs(value - other) <= error + bound
        assert error < 1e-10 * abs(value)
