"""Tabulated transforms: against quadrature and closed forms, at frequencies drawn at random."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from pertsym.baths import enclosure
from pertsym.baths.correlation import Correlation
from pertsym.baths.densities import Density, DrudeLorentz, Ohmic, Underdamped
from pertsym.baths.node_path import ANGLE, EPS, OPERATIONS, Path
from pertsym.baths.nodes import Nodes
from pertsym.baths.tabulated import (
    _MISFIT,
    _SIZES,
    BITS,
    NUMERATOR,
    TabulatedTransform,
    chebyshev,
    combined,
    fitted,
    panels,
    position,
)
from pertsym.baths.thermal_spectrum import ThermalSpectrum
from pertsym.baths.thermal_tables import MANY
from pertsym.codegen.runtime import Temperatures, Varied, over_temperatures

DENSITIES = [
    Ohmic(0.1, 1.3, 1.0),
    Ohmic(0.1, 0.7, 3.0),
    Ohmic(0.1, 2.0, 0.5),
    DrudeLorentz(0.1, 2.0),
    Underdamped(0.3, 1.0, 0.05),
    Underdamped(0.3, 1.0, 3.1),
]
LOW, HIGH = 0.03, 40.0


def _rng() -> np.random.Generator:
    return np.random.default_rng(20240817)


@pytest.mark.parametrize("beta", [0.4, 30.0, math.inf])
@pytest.mark.parametrize("density", DENSITIES, ids=repr)
def test_frequencies_against_other_routes(density: Density, beta: float) -> None:
    rng = _rng()
    w = np.exp(rng.uniform(math.log(LOW), math.log(HIGH), 4)) * [1, -1, 1, -1]
    bath = Correlation(density, "boson", beta)
    spectrum = ThermalSpectrum(density, "boson", beta)
    table = TabulatedTransform(Nodes.of(spectrum.path(), LOW, HIGH), LOW, HIGH)
    for m in (0, 1):
        value, error = table.transform(w, m)
        size = np.abs(2 * math.pi * table.nodes.half_sided(w, m)[0])
        assert np.all(error <= 1e-11 * size)
        for k, at in enumerate(w):
            other = bath.transform(float(at), m)
            assert abs(value[k] - other.value) <= error[k] + other.error


@pytest.mark.parametrize("density", DENSITIES, ids=repr)
def test_frequencies_against_the_sum_over_nodes(density: Density) -> None:
    rng = _rng()
    nodes = Nodes.of(ThermalSpectrum(density, "boson", 2.0).path(), LOW, HIGH)
    table = TabulatedTransform(nodes, LOW, HIGH)
    x = np.exp(rng.uniform(math.log(LOW), math.log(HIGH), 500))
    for m in range(4):
        even, even_error, slope, slope_error = table.parts(x, m)
        for side in (1, -1):
            value, error = table.transform(side * x, m)
            plain, bound = nodes.half_sided(side * x, m)
            assert np.all(np.abs(value + 2 * math.pi * plain.imag) <= error)
            assert np.all(error <= 300 * (2 * math.pi * bound) + 1e-14 * np.abs(plain))
            whole = even + side * x * slope
            assert np.all(np.abs(value - whole) <= error + even_error + x * slope_error)


def test_slopes_keep_their_digits_far_below_the_cutoff() -> None:
    """[P(x) - P(-x)]/(2x) is smooth at x -> 0, though it is a small difference there."""
    low = 1e-7
    nodes = Nodes.of(ThermalSpectrum(DrudeLorentz(0.1, 2.0), "boson", 1.0).path(), low, 1.0)
    table = TabulatedTransform(nodes, low, 1.0)
    bath = Correlation(DrudeLorentz(0.1, 2.0), "boson", 1.0)
    exact = float(enclosure.transform(bath, 0.0, 1, 25).mid())
    _, _, slope, error = table.parts(np.array([low]))
    assert abs(slope[0] - exact) <= error[0] + 1e-12 * abs(exact)
    assert error[0] < 1e-10 * abs(exact)


class Thermal(Varied):
    """With a density of the package."""

    __slots__ = ()

    def path(self, beta: Any) -> Path:
        return ThermalSpectrum(self.density, "boson", beta).path()


@pytest.mark.parametrize("density", DENSITIES, ids=repr)
@pytest.mark.parametrize("count", [500, MANY + 300], ids=["wide panels", "octaves"])
def test_temperatures_against_the_sum_over_nodes(density: Density, count: int) -> None:
    rng = _rng()
    low, high = 0.05, 60.0
    beta = np.exp(rng.uniform(math.log(low), math.log(high), count))
    for x in (0.02, 1.0, 17.0):
        bath = Thermal(density, False, (), None)
        table = over_temperatures(("P", bath, bath, x), beta)
        assert all(isinstance(way, Temperatures) for _, way in table.members)
        nodes = Nodes.of(ThermalSpectrum(density, "boson", beta).path(), x, x)
        for m in (0, 1):
            for side in (1, -1):
                value, error = table.transform(np.full(len(beta), side), m)
                plain, bound = nodes.half_sided(np.full(len(beta), side * x), m)
                assert np.all(np.abs(value + 2 * math.pi * plain.imag) <= error)
                assert np.all(error <= 300 * (2 * math.pi * bound) + 1e-14 * np.abs(plain))


def test_panels_are_those_of_the_bits() -> None:
    first, centre, half = panels(0.3, 5.0)
    assert np.all(centre - half >= 0.25)
    assert centre[-1] + half[-1] > 5.0
    assert np.all(centre[1:] - half[1:] == centre[:-1] + half[:-1])
    index, t = position(centre)
    assert np.array_equal(index, first + np.arange(len(centre)))
    assert not np.any(t)
    assert np.all(half / (centre - half) <= 2.0 ** -(BITS + 1))


def test_the_polynomial_interpolates() -> None:
    first, centre, half = panels(1.0, 1.1)
    x = centre[:, None] + half[:, None] * chebyshev(9)
    pieces = fitted(first, np.sin(x)[None], np.zeros((1, len(centre))))
    value, error = pieces(x)
    assert np.all(np.abs(value[0] - np.sin(x)) <= error[0] + 1e-16)
    assert np.max(error) < 1e-13


@pytest.mark.parametrize("m", range(4))
def test_the_misfit_is_a_part_of_the_bound_of_the_nodes(m: int) -> None:
    """The largest term around the widest panel, a node anywhere from 45 to 90 degrees below.

    The bound has OPERATIONS EPS |a|/[sin(ANGLE) max(x, |w|)]^(m + 1), of D with m + 2 for m + 1.
    """
    _, centre, half = panels(1.0, 1.0)
    low, width = float(centre[0] - half[0]), 20.0
    turned = width * np.exp(2j * math.pi * np.arange(360) / 360)
    z = (centre[0] + half[0] * (turned + 1 / turned) / 2)[:, None]
    radii = np.logspace(-4, 4, 801)
    reach = np.maximum(low, radii) * math.sin(ANGLE)
    worst = np.zeros(2)
    for angle in np.linspace(math.pi / 4, math.pi / 2, 16):
        w = radii * np.exp(-1j * angle)
        q = 1 / ((z - w) * (z + w)) ** (m + 1)
        even, slope = combined([q * w**k for k in range(NUMERATOR[m] + 1)], z * z, m)
        own = math.factorial(m) / reach ** (m + 1)
        steep = math.factorial(m + 1) / reach ** (m + 2) if m < 3 else own / low
        worst = np.maximum(worst, [np.max(np.abs(even) / own), np.max(np.abs(slope) / steep)])
    missed = 4 * worst * width ** (1 - _SIZES[m]) / (width - 1) / (OPERATIONS * EPS)
    assert np.all(missed <= _MISFIT[m])
    assert np.max(missed) > 0.5 * _MISFIT[m] or _MISFIT[m] < 0.1
