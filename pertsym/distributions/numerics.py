"""Pairing generalized functions with test functions, numerically.

Independent of the proofs: regularised functions are integrated as they stand, on grids graded
towards their singular points; limits by their definitions, delta as a value, the principal value
as a symmetric limit, the finite part by integration by parts.  A limit rule is checked by fitting
c_-1/eps + c_0 + c_1 eps + ... to its left side.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pertsym.distributions.generalized import Argument, Combination, Factor, Kind, Product
from pertsym.distributions.regularised import evaluate_factor

Real = NDArray[np.float64]
Function = Callable[[Real], Real]

_REACH: Final = 9.0  # test functions are negligible beyond
_EPS: Final = 0.01 * np.arange(1.0, 8.0)
_EXACT_EPS: Final = 0.1


class HypothesisViolated(ValueError):
    """A test function outside the hypotheses of a rule; says which."""


class Divergent(ValueError):
    """A pairing with a term in 1/eps, which has no value by itself."""


@dataclass(frozen=True)
class TestFunction:
    """A test function that is negligible for |x| > 9.

    Attributes
    ----------
    value, derivative
        Vectorised over arrays.
    smooth
        Whether the derivative is continuous everywhere.
    """

    __test__ = False  # not a test case

    value: Function
    derivative: Function
    smooth: bool = True


def gaussian(center: float = 0.0, width: float = 1.0, slope: float = 0.0) -> TestFunction:
    """(1 + slope x) exp(-((x - center)/width)^2)."""

    def value(x: Real) -> Real:
        return (1 + slope * x) * np.exp(-(((x - center) / width) ** 2))

    def derivative(x: Real) -> Real:
        log = -2 * (x - center) / width**2
        return (slope + (1 + slope * x) * log) * np.exp(-(((x - center) / width) ** 2))

    return TestFunction(value, derivative)


def laurent_coefficients(
    products: Combination, f: TestFunction, g: TestFunction, a: float
) -> tuple[complex, complex]:
    """Coefficients of 1/eps and eps^0 of the pairing as eps -> 0, by extrapolation."""
    values = np.array([pair(products, f, g, float(eps), a) * eps for eps in _EPS])
    fit = np.linalg.solve(np.vander(_EPS, increasing=True).astype(np.complex128), values)
    return complex(fit[0]), complex(fit[1])


def limit_coefficients(
    products: Combination, f: TestFunction, g: TestFunction, a: float
) -> tuple[complex, complex]:
    """The same of a combination of limits, whose powers of eps are explicit."""
    by_power = [
        tuple(p._replace(eps_power=0) for p in products if p.eps_power == n) for n in (-1, 0)
    ]
    pinched, finite = (pair(part, f, g, _EXACT_EPS, a) for part in by_power)
    return pinched, finite


def pair(
    products: Combination,
    f: TestFunction,
    g: TestFunction,
    eps: float = _EXACT_EPS,
    a: float = 1.0,
) -> complex:
    """int int dx dy f(x) g(y) * products at one value of eps.

    Raises
    ------
    NotImplementedError
        For products of more than two limits, or of limits of high order.
    """
    total = 0j
    for product in products:
        scale = complex(product.coefficient) * math.pi**product.pi_power * eps**product.eps_power
        for form, n in product.denominators:
            scale /= (form[0] * a) ** n
        total += scale * _pair_factors(product, f, g, eps, a)
    return total


def _pair_factors(
    product: Product, f: TestFunction, g: TestFunction, eps: float, a: float
) -> complex:
    limits = [factor for factor in product.factors if factor.is_limit]
    regular = [factor for factor in product.factors if not factor.is_limit]
    if not any(factor.argument.y for factor in product.factors):
        g = _UNIT_WEIGHT  # one variable: y is integrated against a delta function at 0
        limits = [*limits, _DELTA_Y]

    def weight(x: Real, y: Real) -> NDArray[np.complex128]:
        values = (f.value(x) * g.value(y)).astype(np.complex128)
        for factor in regular:
            values = values * evaluate_factor(factor, x, y, eps, a)
        return values

    if not regular:
        return _pair_limits(limits, f, g, a)
    match limits:
        case []:
            x, y = _grid((0.0,), 10), _grid((0.0,), 11)
            return _integral(weight(x[0][:, None], y[0]), x[1], y[1])
        case [only] if (only.kind, only.order) == (Kind.DELTA, 0):
            return _on_line(weight, only.argument, a)
        case [only] if (only.kind, only.order, only.argument[:2]) == (Kind.FP, 1, (1, 1)):
            return _principal_value(weight, only.argument.shift[0] * a)
    raise NotImplementedError(f"numerical pairing of {product}")


_UNIT_WEIGHT: Final = TestFunction(np.ones_like, np.zeros_like)
_DELTA_Y: Final = Factor(Kind.DELTA, Argument(0, 1, (0,)), 0, 0)

Weight = Callable[[Real, Real], NDArray[np.complex128]]


def _on_line(weight: Weight, argument: Argument, a: float) -> complex:
    """int int weight delta(argument), for coefficients 0 or +-1."""
    t, w = _grid((0.0, -a, a), 10)
    shift = argument.shift[0] * a
    if argument.y:  # parametrise by x
        return complex(w @ weight(t, -(argument.x * t + shift) / argument.y))
    return complex(w @ weight(np.array(-shift / argument.x), t))


def _principal_value(weight: Weight, shift: float) -> complex:
    """PV int int weight/(x + y + shift): in y, the value at the pole is subtracted."""
    (x, wx), (y, wy) = _grid((0.0, -shift), 10), _grid((0.0,), 11)
    pole = -x - shift
    at_pole = weight(x, pole)
    difference = weight(x[:, None], y) - at_pole[:, None]
    inner = (difference / (y - pole[:, None])) @ wy
    inside = np.abs(pole) < _REACH
    safe = np.where(inside, pole, 0.0)
    inner += np.where(inside, at_pole * np.log((_REACH - safe) / (_REACH + safe)), 0)
    return complex(wx @ inner)


def _pair_limits(limits: list[Factor], f: TestFunction, g: TestFunction, a: float) -> complex:
    if limits == [_DELTA_Y]:  # no limit in x: a number
        x, w = _uniform()
        return complex(w @ f.value(x))
    if len(limits) != 2:
        raise NotImplementedError("a pairing needs two limits of independent arguments")
    first, second = limits
    (b, c, (s,)), (d, e, (t,)) = first.argument, second.argument
    det = b * e - c * d
    if det not in (1, -1):
        raise NotImplementedError("a pairing needs two limits of independent arguments")
    (u, wu), (v, wv) = _weights(first), _weights(second)
    # u = b x + c y + s a, v = d x + e y + t a
    u, v = u[:, None] - s * a, v[None, :] - t * a
    x, y = (e * u - c * v) * det, (b * v - d * u) * det
    fx, gy = f.value(x), g.value(y)
    derivatives = [_derivatives(first), _derivatives(second)]
    if derivatives == [0, 0]:
        values = fx * gy
    elif derivatives == [1, 0]:
        values = (e * f.derivative(x) * gy - d * fx * g.derivative(y)) * det
    elif derivatives == [0, 1]:
        values = (b * fx * g.derivative(y) - c * f.derivative(x) * gy) * det
    else:
        raise NotImplementedError("a pairing takes one derivative of the test functions")
    return _integral(values, wu, wv)


def _derivatives(factor: Factor) -> int:
    """How often the pairing differentiates the test function."""
    return factor.order - (factor.kind is Kind.FP)


def _weights(factor: Factor) -> tuple[Real, Real]:
    """Nodes and weights that stand for one limit, after integration by parts.

    delta^(m) pairs with (-d)^m, FP 1/u^n with PV 1/u and d^(n-1)/(n-1)!; nodes symmetric about
    the pole make a sum a principal value.
    """
    m = _derivatives(factor)
    if factor.kind is Kind.DELTA:
        return np.zeros(1), np.array([(-1.0) ** m])
    u, w = _uniform()
    return u, w / (u * math.factorial(m))


def _integral(values: NDArray[np.complex128] | Real, wx: Real, wy: Real) -> complex:
    return complex(wx @ values @ wy)


def _uniform() -> tuple[Real, Real]:
    """Symmetric nodes on twice the reach of the test functions, none at 0."""
    return _composite(np.linspace(-2 * _REACH, 2 * _REACH, 41), 10)


def _grid(centers: tuple[float, ...], order: int) -> tuple[Real, Real]:
    """Nodes and weights on (-9, 9), graded towards each center."""
    steps = _REACH * 2.0 ** -np.arange(12.0)
    points = {-_REACH, _REACH, *centers}
    for center in centers:
        points |= {float(center + s) for s in (*steps, *-steps) if abs(center + s) < _REACH}
    return _composite(np.array(sorted(points)), order)


def _composite(breaks: Real, order: int) -> tuple[Real, Real]:
    nodes, weights = np.polynomial.legendre.leggauss(order)
    half = np.diff(breaks)[:, None] / 2
    middle = (breaks[:-1, None] + breaks[1:, None]) / 2
    return (middle + half * nodes).ravel(), (half * weights).ravel()
