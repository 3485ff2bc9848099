"""Integrals over a table and its transform: against enclosures, and what many samples cost."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from pertsym.baths.correlation import Correlation
from pertsym.baths.densities import ExpressionDensity, Table
from pertsym.baths.densities.table import Interpolation
from pertsym.baths.integrals import Kind
from pertsym.baths.piecewise import PiecewiseSpectrum
from pertsym.expressions.expression import parse_expression
from pertsym.model.bath import Bath
from pertsym.model.values import Coupling, Model
from pertsym.numerics.spectra import DoubleSpectra, EnclosedSpectra
from pertsym.rates import bloch_rates

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


@pytest.mark.parametrize("kind", ["CC", "CP"])
@pytest.mark.parametrize("seed", range(3))
def test_double_poles_among_many_samples(seed: int, kind: Kind) -> None:
    """The closed zone around a pole ends at a sample, where the integrand goes on."""
    rng = np.random.default_rng(20261127 + seed)
    between: Interpolation = "linear" if seed % 2 else "monotone-cubic"
    baths = {"x": [(1, _bath(rng, 8, math.inf if seed == 2 else 1.3, between))]}
    shift, pole = float(rng.uniform(0.1, 0.6)), float(rng.uniform(1.2, 2.0))
    at: Any = ("x", "x", int(rng.choice([-1, 1])), shift, [(0.3, pole, 2)])
    found = DoubleSpectra(baths).mixed_integral(kind, *at)
    exact = float(EnclosedSpectra(baths, 15).mixed_integral(kind, *at).value)
    assert abs(found.value - exact) <= found.error + 1e-15 * abs(exact)
    assert found.error <= 1e-9 * abs(found.value)


def test_biased_rates_hardly_depend_on_the_number_of_samples() -> None:
    """inv_T2 of one J given by ever more samples; detailed balance to the order of the sampling."""
    rates = []
    for count in (101, 201):
        w = np.linspace(0, 12, count)
        bath = Bath("b", "boson", 1.0, Table(tuple(w), tuple(0.1 * w * np.exp(-w) * (1 - w / 12))))
        coupling = Coupling.of(((0.2, 0.9), (0.9, -0.2)), "b")
        rates.append(bloch_rates(Model.of((0.0, 1.0), (coupling,), (bath,)), 4).orders[4])
    for name in ("k_up", "k_down", "inv_T2", "frequency_shift"):
        first, second = (found[name].value for found in rates)
        assert first == pytest.approx(second, rel=0.03)


@pytest.mark.parametrize("seed", range(3))
def test_a_jump_close_to_the_mirrored_pole(seed: int) -> None:
    """[X(s + w) - X(s) chi]/w: the rise of X is a mean slope only as far as X is smooth."""
    rng = np.random.default_rng(seed)
    density = ExpressionDensity(parse_expression("w*exp(-w)*Heaviside(1-w)"))
    baths = {"x": [(1, Correlation(density, "classical", float(rng.uniform(0.2, 1.0))))]}
    at: Any = ("x", "x", 1, -1 - float(rng.uniform(0.02, 0.07)), 0.0)
    found = DoubleSpectra(baths).regular_part("CC", *at)
    exact = float(EnclosedSpectra(baths, 15).regular_part("CC", *at).value)
    assert abs(found.value - exact) <= found.error
    assert found.error <= 1e-10 * abs(exact)


@pytest.mark.parametrize("seed", range(4))
def test_double_poles_close_together(seed: int) -> None:
    """Far from any point of the spectrum: a rounded place is a large part of the distance."""
    rng = np.random.default_rng(seed)
    tent, cut = (parse_expression(text) for text in ("Max(0, w*(1 - w))", "Min(w, 1)*exp(-w)"))
    baths = {
        "a": [(1, Correlation(ExpressionDensity(tent)))],
        "b": [(1, Correlation(ExpressionDensity(cut), "boson", float(rng.uniform(0.1, 2.0))))],
    }
    pole = float(rng.uniform(0.05, 0.1))
    poles = [(1.0, pole, 2), (1.0, pole + float(10 ** rng.uniform(-6, -5)), 2)]
    found = DoubleSpectra(baths).mixed_integral("CC", "a", "b", -1, 0.0, poles)
    exact = float(EnclosedSpectra(baths, 18).mixed_integral("CC", "a", "b", -1, 0.0, poles).value)
    assert abs(found.value - exact) <= found.error
    assert found.error <= 1e-3 * abs(exact)
