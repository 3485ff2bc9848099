"""Formulas and critical damping at T = 0, biased coupling: doubles against balls."""

from __future__ import annotations

import math

import mpmath
import pytest

import pertsym as ps
from pertsym.baths import enclosure
from pertsym.baths.correlation import Correlation
from pertsym.baths.densities import Density, ExpressionDensity, Underdamped
from pertsym.equations.bloch import QUANTITIES
from pertsym.expressions.expression import parse_expression
from pertsym.model.values import Coupling, Model
from pertsym.rates import bloch_rates


@pytest.mark.parametrize(
    ("text", "end"),
    [("0.3*w*Heaviside(2-w)", 2), ("0.3*w**3*Heaviside(2-w)", 2), ("0.1*w**2*Heaviside(3-w)", 3)],
)
def test_static_transform_of_a_jump(text: str, end: float) -> None:
    """P(0) = int 2 J/w, all of it, where J/w^s is a constant."""
    density = ExpressionDensity(parse_expression(text))
    bath = Correlation(density, "boson", 2.0)
    power = round(density.infrared_power)
    strength = float(text.split("*")[0])
    exact = mpmath.mpf(2 * strength) * mpmath.mpf(end) ** power / power
    ball = enclosure.transform(bath, 0, 0, 20)
    assert abs(float(ball.mid() - exact)) < 1e-14
    found = bath.transform(0.0)
    assert abs(found.value - float(exact)) <= found.error < 1e-12


@pytest.mark.parametrize(
    "text",
    [
        "0.1*w**3*exp(-w**2)",
        "0.3*w**3*Heaviside(2-w)",
        "w**1.5*exp(-Abs(w-2))",
        "0.1*w**2*exp(-w**2)",
        "0.1*w**5*exp(-w**2)",
    ],
)
@pytest.mark.parametrize("beta", [math.inf, 2.0])
def test_biased_rates_of_formulas(text: str, beta: float) -> None:
    """Within their bounds, which are no astronomic numbers, of balls."""
    biased_rates(ExpressionDensity(parse_expression(text)), beta)


@pytest.mark.parametrize("gamma", [2.0, 2.0 + 1e-13, 2.0 - 1e-13, 2.5, 1.9])
def test_critical_damping_at_zero_temperature(gamma: float) -> None:
    """The poles of J lie on the imaginary axis, where auxiliary ones must not meet them."""
    biased_rates(Underdamped(0.4, 1.0, gamma), math.inf)


def biased_rates(density: Density, beta: float) -> None:
    bath = ps.Bath("b", "boson", beta, density)
    model = Model.of([0.0, 1.0], [Coupling.of([[-1, 0.5], [0.5, 1]], "b")], [bath])
    found, balls = bloch_rates(model, 4), bloch_rates(model, 4, 16)
    for name in QUANTITIES:
        value, ball = found.orders[4][name], balls.orders[4][name]
        assert value is not None
        if ball is None:  # the oracle says that it has no way
            assert name in balls.not_derived["4"]
            continue
        assert abs(value.value - float(ball.value)) <= value.error + float(ball.error)
        assert value.error < 1e-6 * (1 + abs(value.value))
