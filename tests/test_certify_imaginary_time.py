"""Second-order equilibrium: quadrature, exact diagonalisation and the closed form agree."""

from __future__ import annotations

from functools import cache
from typing import Any

import mpmath
import numpy as np
import pytest

from pertsym.certify.imaginary_time import (
    Mode,
    exact_populations,
    exact_second_order,
    second_order_populations,
)

SIGMA_X = np.array([[0, 1], [1, 0]])
SIGMA_Y = np.array([[0, -1j], [1j, 0]])


@cache  # every tau asks at the same nodes
def spectrum(w: Any) -> Any:
    """Ĉ of J(w) = w^3 e^{-w}/10 at beta = 1: 2 J(w) [n(w) + 1], 2 J(-w) n(-w)."""
    if not w:
        return mpmath.mpf(0)
    density = abs(w) ** 3 * mpmath.exp(-abs(w)) / 10
    return 2 * density * (1 + 1 / mpmath.expm1(w)) if w > 0 else 2 * density / mpmath.expm1(-w)


@pytest.mark.parametrize(
    ("energies", "modes", "beta", "cutoff"),
    [
        ([0.0, 1.0], [Mode(1.3, SIGMA_X, 0.7)], 1.5, 36),
        ([0.0, 1.0], [Mode(1.3, SIGMA_X + 0.5 * SIGMA_Y, 0.7)], 3.0, 30),
        ([0.0, 0.6], [Mode(1.7, SIGMA_X, 0.4), Mode(2.1, SIGMA_Y, 0.5)], 2.5, 9),
        ([0.0, 0.9], [Mode(1.7, [[0.3, 0.4], [0.4, -0.8]], 0.5)], 2.0, 30),
        ([0.0, 0.4, 1.1], [Mode(1.5, [[0, 1, 2j], [1, 0.5, 0], [-2j, 0, 1]], 0.2)], 2.0, 24),
    ],
)
def test_series_agrees_with_exact_diagonalisation(
    energies: list[float], modes: list[Mode], beta: float, cutoff: int
) -> None:
    exact = exact_second_order(energies, modes, beta, cutoff)
    gibbs, change = second_order_populations(
        energies, [(mode.operator, mode.correlation(beta)) for mode in modes], beta, digits=10
    )
    origin = exact_populations(energies, modes, beta, 0.0, cutoff)
    np.testing.assert_allclose([float(p) for p in gibbs], origin, rtol=1e-12)
    assert np.max(np.abs(exact)) > 0.01
    np.testing.assert_allclose([float(p) for p in change], exact, atol=1e-7)


def test_equilibrium_constant_agrees_with_the_reference() -> None:
    """30 digits from outside this project: super-Ohmic J, beta = w0 = 1."""

    @cache
    def correlation(tau: Any) -> Any:
        """C(-i tau) = (1/2pi) int dw Ĉ(w) e^{-w tau}."""
        ends = [-mpmath.inf, 0, mpmath.inf]
        return mpmath.quad(lambda w: spectrum(w) * mpmath.exp(-w * tau), ends) / (2 * mpmath.pi)

    (p0, p1), (d0, d1) = second_order_populations([0, 1], [(SIGMA_X, correlation)], 1, digits=8)
    reference = mpmath.mpf("0.01430187114120527839")
    assert abs((d1 - p1 / p0 * d0) / p0 - reference) < mpmath.mpf(10) ** -15


def test_bad_modes_are_refused() -> None:
    with pytest.raises(ValueError, match="operator: must be Hermitian"):
        Mode(1.0, np.array([[0, 1], [0, 0]]), 1.0)
    with pytest.raises(ValueError, match="frequency: an oscillator needs one > 0"):
        Mode(0.0, SIGMA_X, 1.0)
