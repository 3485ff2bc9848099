"""Finite-part integrals over two spectra, or a spectrum and a transform.

FP int dw Ĉ_A(w) X_B(s + r w) sum_j c_j/(w - p_j)^n_j,   X = Ĉ or P,  r = +-1.

On the real axis X_B is 2 Re or -2 pi Im of G_B, and one of G_B and its conjugate, F, is analytic
for Im w < 0.  So the path of Ĉ_A can be turned as for G_A itself, and the integral is a single sum
over A's nodes,

    FP int dw Ĉ_A F K = sum_k (2 pi/i) a_k F(w_k) K(w_k) - i pi sum_j Res_{p_j} (Ĉ_A F K):

the finite part is the mean of the paths above and below a pole, and the nodes stand for the one
below.  Where one of the two baths is known on the real axis only (tables, formulas with kinks), the
path stays there, on the panels of `piecewise_integral`.

Where Ĉ_A has a kink at w = 0 and the kernel is 1/w^2, the integral diverges, and so does P_A'(0).
What is finite is a sum of such terms in which P_A'(0) drops out.  There every 1/w^2 loses
F(0) chi(w)/w^2 with chi = L^2/(w^2 + L^2) and one L for each bath A: the sum stays as it is, and
each term converges (`regular_part`, `regular_slope`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from pertsym.baths import piecewise_integral as panels
from pertsym.baths.correlation import Correlation
from pertsym.baths.existence import require_integrable, require_integral, require_kernel
from pertsym.baths.integrand import Factor, Integrand, Transform
from pertsym.baths.node_integrals import (
    DEEPEST,
    Pole,
    summed_finite_part,
    summed_regular_part,
    summed_regular_slope,
)
from pertsym.baths.node_path import EPS
from pertsym.estimate import Estimate

Kind = Literal["CC", "CP"]
"""Which X_B: the spectrum or the transform."""

Chosen = tuple[tuple[float, float, int], ...]

HIGHEST_ORDER = 3
"""Of the poles; at fourth order in the coupling no higher one occurs."""


def spectral_integral(
    kind: Kind,
    a: Correlation,
    b: Correlation,
    reflect: int,
    shift: Any,
    poles: Sequence[Pole],
) -> Estimate:
    """FP int dw Ĉ_A(w) X_B(shift + reflect w) sum_j c_j/(w - p_j)^n_j.

    Parameters
    ----------
    kind : "CC" or "CP"
        X_B is Ĉ_B or P_B.
    a, b : Correlation
        Ĉ(w > 0) = 2 J(w) [n(w) + 1]; their parameters may be arrays.
    reflect : -1 or +1
    shift : float or ndarray
    poles : sequence of (coefficient, position, order)
        Orders 1 to 3; coefficients and positions may be arrays.  All broadcast.

    Returns
    -------
    Estimate
        Value and a bound of the absolute error; exactly 0.0 with error 0.0 where the product
        vanishes (both baths at T = 0 and no frequency at which both spectra differ from 0).

    Raises
    ------
    Divergent
        Naming the term and the power, e.g. "∫dw w^-1.2 at w -> 0".
    """

    def single(a: Correlation, b: Correlation, s: float, chosen: Chosen) -> tuple[Any, Any]:
        first, second = a.sample.thermal, b.sample.thermal
        if require_integral(kind, first, second, reflect, s, chosen):
            if not (a.has_nodes and b.has_nodes):
                return panels.finite_part(_product(kind, a, b, reflect, s), chosen)
            if _is_flat(kind, a, b, s, chosen):
                value, error = summed_regular_part(False, a.unit, b.unit, reflect, s)
                found = chosen[0][0] * value, abs(chosen[0][0]) * error
            else:
                found = summed_finite_part(kind == "CP", a.unit, b.unit, reflect, s, chosen)
            return _scaled(a.amplitude * b.amplitude, found)
        return 0.0, 0.0

    return _over_frequencies(a, b, shift, poles, single)


def regular_part(
    kind: Kind, a: Correlation, b: Correlation, reflect: int, shift: Any, pole: Any
) -> Estimate:
    """FP int dw Ĉ_A(w) [X_B(s + r w) - X_B(s + r pole) chi(w)]/(w - pole)^2, pole = 0.

    Raises
    ------
    Divergent
        If X_B is not smooth at s + r pole, or the rest diverges elsewhere.
    """

    def single(a: Correlation, b: Correlation, s: float, chosen: Chosen) -> tuple[Any, Any]:
        first, second = a.sample.thermal, b.sample.thermal
        if require_integral(kind, first, second, reflect, s, chosen, regular=True):
            if not (a.has_nodes and b.has_nodes):
                p = chosen[0][1]
                product = replace(
                    _product(kind, a, b, reflect, s), taken_off=(p, float(a.kink_scale))
                )
                return panels.finite_part(product, [(1.0, p, 1)])
            found = summed_regular_part(kind == "CP", a.unit, b.unit, reflect, s)
            return _scaled(a.amplitude * b.amplitude, found)
        return 0.0, 0.0

    return _over_frequencies(a, b, shift, ((1.0, pole, 2),), single)


def regular_slope(a: Correlation, pole: Any = 0.0) -> Estimate:
    """int dw Ĉ_A(w) [1 - chi(w)]/(w - pole)^2, what P_A'(pole) is without its divergent part."""

    def single(a: Correlation, _: Correlation, s: float, chosen: Chosen) -> tuple[Any, Any]:
        require_integrable(a.sample.thermal, 2)
        if a.sample.thermal.is_zero:
            return 0.0, 0.0
        if not a.has_nodes:
            p = chosen[0][1]
            rest = Integrand(a.thermal, taken_off=(p, float(a.kink_scale)))
            return panels.finite_part(rest, [(1.0, p, 1)])
        return _scaled(a.amplitude, summed_regular_slope(a.unit))

    return _over_frequencies(a, a, 0.0, ((1.0, pole, 2),), single)


def kernel_integral(a: Correlation, poles: Sequence[Pole]) -> Estimate:
    """FP int dw Ĉ_A(w) sum_j c_j/(w - p_j)^n_j = sum_j c_j P_A^(n_j - 1)(p_j)/(n_j - 1)!, n_j <= 2.

    As one integral: where the terms nearly cancel, or exist only together, nothing is lost.

    Raises
    ------
    Divergent
        If it does not exist.
    """

    def single(a: Correlation, _: Correlation, s: float, chosen: Chosen) -> tuple[Any, Any]:
        thermal = a.sample.thermal
        if not chosen or thermal.is_zero:
            return 0.0, 0.0
        require_kernel(thermal, chosen)
        if not a.has_nodes:
            return panels.finite_part(Integrand(thermal), chosen)
        places = [abs(p) for _, p, _ in chosen if p] or [a.unit.frequency_scale]
        nodes = a.unit.nodes(min(places) * DEEPEST if 0.0 in places else min(places), max(places))
        kernel = panels.Kernel(chosen)
        value, error = nodes.integral(lambda w: kernel.at(0.0, w)[0])
        for w, residues in ((nodes.poles, nodes.residues), nodes.resonances):
            if w.shape[-1]:
                size = np.abs(residues) * kernel.at(0.0, w)[1]
                error = error + 2 * math.pi * 4 * EPS * size.sum(-1)
        return _scaled(a.amplitude, (value.real, error))

    return _over_frequencies(a, a, 0.0, poles, single)


def _product(kind: Kind, a: Correlation, b: Correlation, reflect: int, shift: float) -> Integrand:
    factor: Factor = b.thermal
    if kind == "CP":
        factor = Transform(b.thermal, b.transform_values)
    return Integrand(a.thermal, factor, shift, reflect)


def _scaled(amplitude: Any, found: tuple[Any, Any]) -> tuple[Any, Any]:
    return found[0] * amplitude, found[1] * np.abs(amplitude)


def _is_flat(kind: Kind, a: Correlation, b: Correlation, shift: float, poles: Chosen) -> bool:
    """Whether a double pole meets a kink of Ĉ_A and a zero of Ĉ_B.

    Then F(0) is imaginary, and what `_regular_part` takes off does not count.
    """
    ((_, p, n), *others) = poles
    if kind != "CC" or others or n != 2 or p != 0 or a.sample.thermal.regularity > 1:
        return False
    return bool(np.all(b.unit.spectrum(shift).value == 0))


def _over_frequencies(
    a: Correlation,
    b: Correlation,
    shift: Any,
    poles: Sequence[Pole],
    single: Callable[[Correlation, Correlation, float, Chosen], tuple[Any, Any]],
) -> Estimate:
    """`single` for every element of the frequencies, with all parameters at once."""
    numbers = [shift, *(x for pole in poles for x in pole[:2])]
    orders = [n for _, _, n in poles]
    if any(n not in range(1, HIGHEST_ORDER + 1) for n in orders):
        raise ValueError(f"order: must be 1 to 3, got {orders}; integrate by parts to lower it")
    frequencies = np.broadcast_shapes(*map(np.shape, numbers))
    parameters = np.broadcast_shapes(a.shape, b.shape)
    shape = np.broadcast_shapes(frequencies, parameters)

    def chosen(at: tuple[int, ...], within: tuple[int, ...]) -> tuple[float, Chosen]:
        s, *rest = (float(np.broadcast_to(x, within)[at]) for x in numbers)
        triples = zip(rest[::2], rest[1::2], orders, strict=True)
        return s, tuple(triple for triple in triples if triple[0] != 0)

    apart = any(not c.has_nodes or c.powers_vary for c in (a, b))
    single_sets = parameters != () and apart
    if frequencies == () and not single_sets:
        return _estimate(*single(a, b, *chosen((), ())), shape)
    value, error = np.zeros(shape), np.zeros(shape)
    varied, own = (_padded(x, len(shape)) for x in (frequencies, parameters))
    together = any(m > 1 and n > 1 for m, n in zip(varied, own, strict=True)) or single_sets
    for index in np.ndindex(shape if together else varied):
        if together:
            one, other, where = a.element(shape, index), b.element(shape, index), index
            at, within = index, shape
        else:
            one, other, at, within = a, b, index, varied
            where = tuple(slice(None) if n == 1 else i for i, n in zip(index, varied, strict=True))
        found = single(one, other, *chosen(at, within))
        value[where], error[where] = (
            x if together else np.broadcast_to(x, shape)[where] for x in found
        )
    return _estimate(value, error, shape)


def _padded(shape: tuple[int, ...], dimension: int) -> tuple[int, ...]:
    return (1,) * (dimension - len(shape)) + shape


def _estimate(value: Any, error: Any, shape: tuple[int, ...]) -> Estimate:
    if shape == ():
        return Estimate(float(value), float(error))
    return Estimate(*(np.array(np.broadcast_to(x, shape)) for x in (value, error)))
