"""Poles of G(w) = int_0^inf dt e^{iwt} C(t): the nodes of a bath, with what lies beyond their ends.

They are there where Ĉ continues analytically.  A Ĉ(0) != 0 beside a kink at w = 0 is taken out
first, and has poles of its own.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from pertsym.baths.balanced_truncation import EPS, Complex, Real
from pertsym.baths.correlation import Correlation
from pertsym.baths.densities import Exponentials
from pertsym.baths.divergence import Divergent
from pertsym.baths.existence import require_integrable, require_transform
from pertsym.baths.node_path import ANGLE, EDGES, TRUNCATION, Arm, Path
from pertsym.baths.nodes import Nodes
from pertsym.baths.thermal_spectrum import ThermalSpectrum

_DEEPEST = 1e-60  # of the scale
_STEPS = (0.2, 0.14, 0.1, 0.07, 0.05, 0.035)  # of the nodes
_OPERATIONS = 16  # rounding errors of one term and of a sum
_MOMENTS = (-2, -1, 0, 1)  # of the inner end of a ray that are kept
_DIGITS = 1e-15  # of G, for poles that are not cut down
_SMALL, _DEGREE = 0.1, 14  # of the smallest scale, where a difference is a polynomial


class Poles(NamedTuple):
    """C(t) = sum_k c_k exp(-nu_k t), with what its error is made of.

    Attributes
    ----------
    c, nu
        Shape (M,).
    weights
        The error of [G(x) - G(y)]/(x - y) at most sum_k weights_k/|(nu_k - ix)(nu_k - iy)|, for
        all x and y on the real line and above it.
    """

    c: Complex
    nu: Complex
    weights: Real


def poles(correlation: Correlation, lowest: float) -> Poles | None:
    """Poles of G at z = 0 and |z| >= lowest, not cut down; None where nothing continues J.

    Parameters
    ----------
    correlation : Correlation
        With scalar parameters.
    lowest : float
        The smallest |z| > 0 that matters, of real z.

    Raises
    ------
    Divergent
        If G is not bounded.
    """
    if isinstance(correlation.density, Exponentials):
        return _rounded(np.array(correlation.density.c), np.array(correlation.density.nu))
    if correlation.thermal.is_zero:
        return _rounded(np.empty(0, complex), np.empty(0, complex))
    require_bounded(correlation)
    if not all(part.has_nodes for part in correlation.parts):
        return None
    found = [from_nodes(part.thermal, _DIGITS, lowest)[0] for part in correlation.parts]
    return Poles(*(np.concatenate(column) for column in zip(*found, strict=True)))


def _rounded(c: Complex, nu: Complex) -> Poles:
    """Poles as they are given, with what rounding makes of a sum over them."""
    return Poles(c, nu, _OPERATIONS * EPS * np.abs(c) * (1 + np.abs(nu) / nu.real))


def from_nodes(
    thermal: ThermalSpectrum, negligible: float, lowest: float, slowest: float = 0.0
) -> tuple[Poles, Nodes, int]:
    """The poles, first those of nodes, and how many of the last ones are resonances.

    With lowest = 0 all z count alike, and ends of G below `negligible` are left out.  Nodes need
    not reach far below the slowest |w| that matters.
    """
    path = thermal.path()
    top = max(path.scale, thermal.scale, *path.reach)
    own = _rounded(np.empty(0, complex), np.empty(0, complex))
    if path.power == 0 and not path.analytic:
        path, height = _vanishing(path, thermal)
        shares = np.array([2 / 3, -1 / 3], dtype=np.complex128)
        rates = np.array([1, 2], dtype=np.complex128)
        own = _rounded(np.asarray(height * path.scale * shares), np.asarray(path.scale * rates))
    floor, ceiling = _range(path, top, negligible, lowest)
    for step in _STEPS:
        nodes = Nodes.of(path, max(floor, min(slowest, path.scale)), ceiling, step)
        if all(_is_fine(arm, path.scale, negligible) for arm in nodes.arms):
            break
    positions, residues = nodes.resonances
    seen = residues != 0
    resonances = _rounded(-1j * residues[seen], 1j * positions[seen])
    every = [*(_on_path(arm, lowest) for arm in nodes.arms), own, resonances]
    parts = (np.concatenate(part) for part in zip(*every, strict=True))
    return Poles(*parts), nodes, int(seen.sum())


def _on_path(arm: Arm, lowest: float) -> Poles:
    """The nodes of an arm, with what lies beyond its ends; weights mean nothing at lowest = 0."""
    w, a = arm.closed
    # max(|z|, |w|) is at least half of |z - w|, twice
    weights = arm.rounding + 4 * sum(
        size / math.sin(angle) ** 2 for angle, (_, size) in zip(EDGES, arm.strip, strict=True)
    )
    if arm.outer is not None:
        weights[-1] += 4 * abs(a[-1])
    if arm.inner is not None and lowest > 0:
        inner, moved = _inner_end(arm)
        lost = _OPERATIONS * EPS * np.abs(moved)
        size, following = np.abs(arm.residues[:2])
        bend = abs(following * math.exp(-arm.step * arm.inner) / size - 1)  # of the power law
        beyond = 4 * size / -math.expm1(-arm.step * arm.inner)
        lost[0] += beyond * (1.5 * bend / arm.step + 4 * (abs(arm.poles[0]) / lowest) ** 2)
        w = np.concatenate((inner, w[1:]))
        a = np.concatenate((moved, a[1:]))
        weights = np.concatenate((lost, weights[1:]))
    return Poles(-1j * a, 1j * w, weights)


def _inner_end(arm: Arm) -> tuple[Complex, Complex]:
    """Positions and residues that stand for the first node of a ray and all before it.

    With residues that follow a_0 e^{-hk(p+1)} at w_0 e^{-hk} their moments w^1, 1, 1/w and 1/w^2
    are geometric series, the last for p <= 1 its continuation in p.  At p = 1 that has a pole: in
    generators that exist it cancels, but for the angle between the ray and the imaginary axis, at
    whose end C(t) is cut off by a real function of time.
    """
    assert arm.inner is not None
    sums = np.empty(len(_MOMENTS), complex)
    for k, m in enumerate(_MOMENTS):
        power = arm.inner + m
        sums[k] = -1 / math.expm1(-arm.step * power) if power else 0.5
    if arm.inner == 2:
        sums[0] += 1j * np.sign(arm.poles[0].real) * (math.pi / 2 - ANGLE) / arm.step
    places = np.exp(-np.arange(len(_MOMENTS)))
    shares = np.linalg.solve(places ** np.array(_MOMENTS)[:, None], sums)
    return places * arm.poles[0], shares * arm.residues[0]


def _is_fine(arm: Arm, scale: float, negligible: float) -> bool:
    """Whether the trapezoidal rule adds no more than is negligible, or than the last digits."""
    inverse = 1 / np.maximum(np.abs(arm.poles), scale)
    limit = max(_OPERATIONS * EPS, negligible) * float(np.abs(arm.residues) @ inverse)
    return all(float(size @ inverse) <= limit for _, size in arm.strip)


def require_bounded(correlation: Correlation, horizon: float | None = None) -> None:
    """At all w, with a horizon but for w -> 0."""
    thermal = correlation.thermal
    try:
        if horizon is None:
            correlation.spectrum(0.0)
        require_integrable(thermal, 1)
        for point in thermal.points:
            if point.regularity <= 0 and (horizon is None or point.position):
                require_transform(thermal, point.position, 0)
    except Divergent as error:
        raise Divergent(
            f"G(w) is unbounded, so that no sum of exponentials comes close to it: {error.reason}"
        ) from None


def _range(path: Path, top: float, negligible: float, lowest: float) -> tuple[float, float]:
    """Floor and ceiling of the nodes, so that little of G is left beyond the first and the last.

    These lie by powers of TRUNCATION below the floor and above the ceiling.
    """
    deepest = _DEEPEST if lowest == 0 else EPS
    depth = max(negligible ** (1 / path.power), deepest) if path.power > 0 else 1.0
    floor = path.scale * min(depth * TRUNCATION ** (-1 / (path.power + 2)), 1e-3)
    tail = max(path.tails)
    height = 1.0
    if not math.isinf(tail):
        height = TRUNCATION ** (1 / (2 - tail)) * negligible ** (1 / min(tail, -0.5))
    return min(floor, lowest or floor), top * max(height, 1e3)


def error_on_axis(nodes: Nodes) -> float:
    """Of the error at all real w: close to the ends and beyond them all that is there."""
    error, first = 0.0, 0.0
    for arm in nodes.arms:
        size, share = np.abs(arm.poles), np.abs(arm.residues) / np.abs(arm.poles)
        if arm.inner is not None:
            first = max(first, 10 * float(size[0]))
            beyond = -1 / math.expm1(-arm.step * arm.inner)
            error += 4 * beyond * float(share[size < 10 * size[0]].sum())
        if arm.outer is not None:
            error += 4 * float(share[size > size[-1] / 10].sum())
    return error + float(nodes.half_sided(np.array(first))[1])


def _vanishing(path: Path, thermal: ThermalSpectrum) -> tuple[Path, float]:
    """Ĉ without Ĉ(0) (4 L_1 - L_2)/3 and Ĉ(0): the rest has no delta-like nodes at 0.

    L_k = 1/[1 + (w/k scale)^2], so that the difference decays as w^-4.
    """
    height = float(thermal.jet_at(np.array(0.0), 0).c[0])
    power = thermal.regularity
    spectrum, scale = path.spectrum, path.scale

    def difference(w: Complex) -> Complex:
        square = (w / scale) ** 2
        return spectrum(w) - 4 * height / (1 + square) / (4 + square)

    # close to w = 0 by interpolation along the rays, where the difference keeps no digits
    nodes = (1 - np.cos(np.pi * np.arange(1, _DEGREE + 1) / _DEGREE)) / 2
    rays = {side: side * np.exp(-1j * side * ANGLE) for side in (1, -1)}
    series = {
        side: np.linalg.solve(
            nodes[:, None] ** np.arange(1, _DEGREE + 1), difference(_SMALL * scale * nodes * ray)
        )
        for side, ray in rays.items()
    }

    def continued(w: Complex) -> Complex:
        found = np.asarray(difference(w))
        for side, ray in rays.items():
            near = (np.abs(w) < _SMALL * scale) & (w.real * side > 0)
            x = w[near] / (_SMALL * scale * ray)
            found[near] = x * np.polynomial.polynomial.polyval(x, series[side])
        return found

    tails = tuple(max(tail, -4.0) for tail in path.tails)
    return path._replace(spectrum=continued, power=power, tails=(tails[0], tails[1])), height
