"""Fourier images of generalized functions, expanded in eps: the proofs of the limits.

With F^(k) = int dx e^{-ikx} F(x), the regularised functions have the images

    D: e^{-eps|k|},      P: -i pi sgn(k) e^{-eps|k|},      FP 1/x: -i pi sgn(k),

(the first two are [S(x) +- S(-x)] written as int dk, an exact rule of `identities`), so that a
limit in the sense of tempered distributions is read off the expansion in eps.  Images of two
variables are compared on each of the six chambers into which the lines k = 0, l = 0, k = l cut
the dual plane; there sgn(k), sgn(l) and sgn(k - l) are constants and an image is a sum of
Laurent polynomials in k, l, eps, a times e^{i p a} with p one of 0, k, l.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise, permutations
from math import factorial
from typing import NamedTuple

from pertsym.distributions.generalized import Argument, Combination, Factor, Kind, Product
from pertsym.distributions.regularised import EPS, PI, SHIFT, Laurent, constant, linear, power
from pertsym.exact import Gaussian

Point = tuple[int, int]
"""The linear form m k + n l in the dual plane."""

Chamber = tuple[Point, ...]
"""0, k and l in ascending order."""

Image = dict[Point, Laurent]
"""Sum over points p of e^{i p a} * polynomial, up to terms that vanish with eps."""

CHAMBERS: tuple[Chamber, ...] = tuple(permutations(((0, 0), (1, 0), (0, 1))))

_HIGHEST_PINCH = 2  # images are expanded far enough for weights 1/eps^2
_MINUS_I_PI = constant(Gaussian(0, -1)) * power(PI)


class NoImage(ValueError):
    """A product whose Fourier image this module cannot write down."""


def image(products: Combination, chamber: Chamber) -> Image:
    """The image of a sum of products on one chamber, up to and including order eps^0.

    Raises
    ------
    NoImage
        For products with more than two independent arguments of an unknown pattern, and for
        powers of 1/eps beyond the expansion of their images.
    """
    total: Image = {}
    for product in products:
        weight = (
            constant(product.coefficient)
            * power(PI, product.pi_power)
            * power(EPS, product.eps_power)
        )
        for form, n in product.denominators:
            weight = weight * (constant(Fraction(1, form[0] ** n)) * power(SHIFT, -n))
        for point, value in _product(product, chamber).items():
            total[point] = total.get(point, constant(0)) + weight * value
    cut = {point: value.truncated(EPS, 0) for point, value in total.items()}
    return {point: cut[point] for point in sorted(cut) if cut[point]}


def _product(product: Product, chamber: Chamber) -> Image:
    groups: dict[Argument, list[Factor]] = {}
    result: Image = {(0, 0): constant(1)}
    for factor in product.factors:
        if factor.argument.constant:
            result = {(0, 0): result[0, 0] * _value(factor, product)}
            continue
        groups.setdefault(factor.argument, []).append(factor)
    arguments = tuple(groups)
    convolutions = 1 if len(arguments) > 2 else sum(len(group) > 1 for group in groups.values())
    if convolutions > 1 or (convolutions and product.eps_power < 0):
        raise NoImage("a convolution is expanded to eps^0 only: it cannot carry 1/eps")
    if product.eps_power < -_HIGHEST_PINCH:
        raise NoImage(f"images are expanded for weights up to 1/eps^{_HIGHEST_PINCH} only")
    if len(arguments) > 2:
        return _line(product.factors, chamber)
    for argument, dual in zip(arguments, _duals(arguments), strict=True):
        value = _group(groups[argument], dual, chamber)
        # alpha(u + shift) has the image e^{i p shift} alpha^(p)
        moved = (argument.shift[0] * dual[0], argument.shift[0] * dual[1])
        result = {_sum(point, moved): z * value for point, z in result.items()}
    return result


def _value(factor: Factor, product: Product) -> Laurent:
    """S(c a) in the limit eps -> 0, where it is regular."""
    if (factor.kind, factor.order) != (Kind.S, 0) or product.eps_power < 0:
        raise NoImage(f"{factor.kind.name} of a constant")
    return constant(Gaussian(0, Fraction(-1, factor.argument.shift[0]))) * power(SHIFT, -1)


def _duals(arguments: tuple[Argument, ...]) -> tuple[Point, ...]:
    """The forms (p, q) with k x + l y = p u + q v, for the arguments u, v without their shifts."""
    if not arguments:
        return ()
    if len(arguments) == 1:
        ((x, y, _),) = arguments
        if y or x not in (1, -1):
            raise NoImage(f"one function of {arguments[0]}: write it in terms of x alone")
        return ((x, 0),)
    (a, b, _), (c, d, _) = arguments
    det = a * d - b * c
    if det not in (1, -1):
        raise NoImage(f"arguments {arguments}: they must be independent, of unit determinant")
    return (d * det, -c * det), (-b * det, a * det)


def _group(factors: list[Factor], dual: Point, chamber: Chamber) -> Laurent:
    if len(factors) == 1:
        return _single(factors[0], dual, chamber)
    if len(factors) == 2 and dual in ((1, 0), (0, 1)):
        pieces = _branches(((factors[0], (0, 0)), (factors[1], dual)), None, chamber)
        return sum(pieces, constant(0)) * (constant(Fraction(1, 2)) * power(PI, -1))
    raise NoImage(f"{len(factors)} factors of one argument")


def _single(factor: Factor, dual: Point, chamber: Chamber) -> Laurent:
    p = linear(*dual)
    sign = _sign(dual, chamber)
    ik = constant(Gaussian(0, 1)) * p
    if factor.kind is Kind.DELTA:
        return ik**factor.order
    if factor.kind is Kind.FP:
        n = factor.order - 1
        return constant(Fraction((-1) ** n * sign, factorial(n))) * ik**n * _MINUS_I_PI
    if factor.kind is Kind.Q:
        raise NoImage("Q: write it as (pi/eps) D first")
    damping = _exponential(constant(-factor.regulator * sign) * p)
    amplitude = constant(1)
    if factor.kind is Kind.P:
        amplitude = constant(sign) * _MINUS_I_PI
    elif factor.kind is Kind.S:  # pi D - i P
        amplitude = constant(1 - sign) * power(PI)
    return ik**factor.order * amplitude * damping


def _line(factors: tuple[Factor, ...], chamber: Chamber) -> Image:
    """F(x) G(y) FP 1/(x + y + a): (1/2 pi) int ds (-i pi sgn s) e^{isa} F^(k - s) G^(l - s)."""
    slots: dict[tuple[int, int], Factor] = {f.argument[:2]: f for f in factors}
    order = [slots.get(key) for key in ((1, 0), (0, 1), (1, 1))]
    f, g, h = order
    if (
        len(factors) != 3
        or f is None
        or g is None
        or h is None
        or (h.kind, h.order) != (Kind.FP, 1)
        or any((*f.argument.shift, *g.argument.shift))
    ):
        raise NoImage("three arguments: only F(x) G(y) FP 1/(x + y + a) is known")
    shift = h.argument.shift[0]
    half = constant(Gaussian(0, Fraction(-1, 2)))
    weights = ((f, (1, 0)), (g, (0, 1)))
    if not shift:
        return {(0, 0): sum(_branches(weights, (0, 0), chamber), constant(0)) * half}
    result: Image = {}
    over_ia = constant(Gaussian(0, Fraction(-1, shift))) * power(SHIFT, -1)
    for start, end, amplitude in _intervals(weights, (0, 0), chamber):
        for point, sign in ((end, 1), (start, -1)):
            if point is not None:  # at infinity the convergence factor removes e^{isa}
                key = (shift * point[0], shift * point[1])
                value = amplitude * constant(sign) * over_ia * half
                result[key] = result.get(key, constant(0)) + value
    return result


Weights = tuple[tuple[Factor, Point], ...]


class _Interval(NamedTuple):
    start: Point | None
    end: Point | None
    amplitude: Laurent


def _intervals(weights: Weights, origin: Point | None, chamber: Chamber) -> Iterator[_Interval]:
    """Where the signs of the integrand of a line integral over s are constant.

    The first weight counts as F^(k - s), or F^(s) if its point is 0; `origin` is where sgn(s)
    of the third factor jumps.
    """
    breaks: list[Point | None] = [None, *chamber, None]
    for index, (start, end) in enumerate(pairwise(breaks)):
        amplitude = constant(1)
        for factor, point in weights:
            if factor.kind not in (Kind.D, Kind.P) or factor.order or factor.regulator != 1:
                raise NoImage(f"line integral over {factor.kind.name}")
            if factor.kind is Kind.P:
                above = index > chamber.index(point)  # s above the point
                flip = above if point != (0, 0) else not above
                amplitude = amplitude * _MINUS_I_PI * constant(-1 if flip else 1)
        if origin is not None:
            amplitude = amplitude * constant(1 if index > chamber.index(origin) else -1)
        yield _Interval(start, end, amplitude)


def _branches(weights: Weights, origin: Point | None, chamber: Chamber) -> Iterator[Laurent]:
    """The pieces of int ds of the amplitudes times exp(-eps sum |s - p_j|), up to eps^0."""
    centre = linear(0, 0)
    for _, point in weights:
        centre = centre + linear(*point)
    two = constant(2)
    for start, end, amplitude in _intervals(weights, origin, chamber):
        if start is not None and end is not None:
            length = linear(end[0] - start[0], end[1] - start[1])
        else:  # the exponent falls with slope 2 eps beyond all points
            edge, sign = (end, -1) if end is not None else (start, 1)
            assert edge is not None
            drop = two * linear(*edge) - centre
            length = _exponential(constant(-sign) * drop) * (
                constant(Fraction(1, 2)) * power(EPS, -1)
            )
        yield (amplitude * length).truncated(EPS, 0)


def _exponential(rate: Laurent) -> Laurent:
    """exp(eps * rate), far enough for the allowed inverse powers of eps."""
    scaled = rate * power(EPS)
    return sum(
        (scaled**n * constant(Fraction(1, factorial(n))) for n in range(1, _HIGHEST_PINCH + 1)),
        constant(1),
    )


def _sign(form: Point, chamber: Chamber) -> int:
    """The sign of one of the forms +-k, +-l, +-(k - l) on a chamber."""
    for i, lower in enumerate(chamber):
        for upper in chamber[i + 1 :]:
            difference = (upper[0] - lower[0], upper[1] - lower[1])
            if difference == form:
                return 1
            if difference == (-form[0], -form[1]):
                return -1
    raise NoImage(f"the sign of {form} is not constant on a chamber")


def _sum(a: Point, b: Point) -> Point:
    return (a[0] + b[0], a[1] + b[1])
