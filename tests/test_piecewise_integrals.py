"""Integrals over a table and its transform: against enclosures, and what many samples cost."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from pertsym.baths.correlation import Correlation
from pertsym.baths.densities import Table
from pertsym.baths.densities.table import Interpolation
from pertsym.baths.piecewise import PiecewiseSpectrum
from pertsym.numerics.spectra import DoubleSpectra, EnclosedSpectra

_MOST_POINTS = 300  # for each knot of the two factors; graded to every knot it were above 1000


def _bath(rng: np.random.Generator, count: int, beta: float, between: Interpolation) -> Correlation:
    w = np.cumsum(rng.uniform(0.05, 1.0, count))
    return Correlation(Table(tuple(w), tuple(rng.uniform(0, 1, count)), between), "boson", beta)


@pytest.mark.parametrize("between", ["linear", "monotone-cubic"])
@pytest.mark.parametrize("beta", [0.5, math.inf])
def test_random_tables_against_enclosures(beta: float, between: Interpolation) -> None:
    rng = np.random.default_rng(20240911)
    baths = {"x": [(1, _bath(rng, 3, beta, between))]}
    shift, first, second = (float(x) for x in rng.uniform(-1.5, 1.5, 3))
    at: Any = ("x", "x", int(rng.choice([-1, 1])), shift, [(0.3, first, 2), (-0.7, second, 1)])
    found = DoubleSpectra(baths).mixed_integral("CP", *at)
    exact = EnclosedSpectra(baths, 15).mixed_integral("CP", *at)
    gap = abs(found.value - float(exact.value))
    assert gap <= found.error + 1e-14 * abs(found.value)
    assert found.error <= 1e-9 * abs(found.value)


@pytest.mark.parametrize("count", [40, 80])
def test_the_work_grows_with_the_samples_only(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    plain = PiecewiseSpectrum.regular_transform

    def counted(self: PiecewiseSpectrum, w: Any, derivative: int) -> Any:
        asked.append(np.size(w))
        return plain(self, w, derivative)

    monkeypatch.setattr(PiecewiseSpectrum, "regular_transform", counted)
    rng = np.random.default_rng(count)
    w = np.linspace(0.01, 12, count)
    values = 0.1 * w * np.exp(-w) * (1 + 0.02 * rng.standard_normal(count))
    bath = Correlation(Table(tuple(w), tuple(values)), "boson", 2.0)
    poles = [(-0.4, 0.0, 2), (-0.4, 1.0, 2), (-0.7, 0.0, 1), (0.7, 1.0, 1)]
    found = DoubleSpectra({"x": [(1, bath)]}).mixed_integral("CP", "x", "x", -1, 1.0, poles)
    assert found.error <= 3e-9 * abs(found.value)
    assert sum(asked) <= _MOST_POINTS * 4 * count
    assert len(asked) < 400  # one call for each halving, not for each knot


@pytest.mark.parametrize("seed", range(3))
def test_poles_where_the_transform_has_its_kink(seed: int) -> None:
    """P_B ~ w log w at 0, the pole itself: the series from either side must meet there."""
    rng = np.random.default_rng(seed)
    between: Interpolation = "linear" if seed % 2 else "monotone-cubic"
    baths = {"x": [(1, _bath(rng, 3, math.inf, between))]}
    shift = float(rng.uniform(0.3, 1.0))
    at: Any = ("x", "x", -1, shift, [(0.3, shift, 1), (-0.3, 0.0, 1)])
    found = DoubleSpectra(baths).mixed_integral("CP", *at)
    exact = float(EnclosedSpectra(baths, 15).mixed_integral("CP", *at).value)
    assert abs(found.value - exact) <= found.error + 1e-15 * abs(exact)
    assert found.error <= 1e-8 * abs(found.value)
