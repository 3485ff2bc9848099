"""Integrals over times by Gauss-Legendre quadrature of what stands under them, for any C(t)."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pertsym.baths.exponentials import Exponentials
from pertsym.certify.brute_force import (
    Matrix,
    Times,
    _bath_order,
    _ordered_partitions,
    gaussian_pairs,
)
from pertsym.expansion.interaction import Frequency
from pertsym.expansion.terms import TimeIntegrand
from pertsym.generators.system import Correlated, System

CorrelationFunction = Callable[[NDArray[np.float64]], NDArray[Any]]
"""C(t) on an array of times t > 0."""

GapRule = Iterator[tuple[float, list[NDArray[np.float64]], NDArray[np.float64]]]


@dataclass(frozen=True)
class Quadrature:
    """A value with an estimate of its absolute error and the points used per dimension."""

    value: complex
    error: float
    points: int


def time_quadrature(
    integrand: TimeIntegrand,
    correlations: Mapping[str, CorrelationFunction],
    frequencies: Sequence[float],
    scale: float = 10.0,
    algebraic: bool = False,
    rtol: float = 1e-10,
    ladder: Sequence[int] = (24, 32, 44, 60, 80),
) -> Quadrature:
    """The integral of `time_integral` by tensor Gauss-Legendre quadrature of the integrand itself.

    The rules of `ladder` (points per gap) are tried in turn until two successive ones agree to
    rtol of the value; three times their difference is the error reported.

    Parameters
    ----------
    correlations
        C(t) by name: any function of an array of times t > 0 that decays.
    scale, algebraic
        About ten times the decay time of the correlation functions, and whether they end in a
        power law (see `gap_rule`; the error reported is too small if this is not said).
    """
    w = [float(value) for value in frequencies]
    values: list[complex] = []
    error = float("inf")
    for points in ladder:
        rule = gap_rule(integrand.order - 1, points, scale, algebraic)
        values.append(_tensor_rule(integrand, correlations, w, rule))
        if len(values) > 1:
            error = 3 * abs(values[-1] - values[-2])
        if error <= rtol * abs(values[-1]):
            break
    return Quadrature(values[-1], error, points)


def _tensor_rule(
    integrand: TimeIntegrand,
    correlations: Mapping[str, CorrelationFunction],
    w: list[float],
    rule: GapRule,
) -> complex:
    total = 0j
    for weight, taus, inner_weights in rule:
        sampled: dict[tuple[int, int, str], NDArray[Any]] = {}
        phased: dict[tuple[Frequency, ...], NDArray[Any]] = {}
        value = np.zeros(inner_weights.shape, dtype=np.complex128)
        for coefficient, (factors, phase, _) in integrand:
            product = np.full(value.shape, complex(coefficient))
            for first, last, name, conjugate in factors:
                key = (first, last, name)
                if key not in sampled:
                    t = functools.reduce(np.add, taus[first - 1 : last])
                    sampled[key] = np.asarray(correlations[name](t))
                product *= sampled[key].conj() if conjugate else sampled[key]
            if phase not in phased:
                angle = sum(np.dot(x, w) * tau for x, tau in zip(phase, taus, strict=True))
                phased[phase] = np.exp(-1j * angle)
            value += product * phased[phase]
        total += weight * complex(np.sum(inner_weights * value))
    return complex(total.real) if integrand.real_part else total


def gap_rule(gaps: int, points: int, scale: float, algebraic: bool = False) -> GapRule:
    """Tensor Gauss-Legendre rule over all gaps in (0, inf).

    Each gap is mapped by tau = -scale log((1 - u)/2), which suits exponential tails, or by
    scale (1 + u)/(1 - u), slower there but able to follow a power law.  Yields, for each node of
    the first gap (memory stays points^(gaps - 1)), its weight, the nodes of all gaps and the
    weights of the others; nodes broadcast to the shape of the weights.
    """
    u, legendre = np.polynomial.legendre.leggauss(points)
    nodes = scale * (1 + u) / (1 - u) if algebraic else -scale * np.log((1 - u) / 2)
    weights = legendre * scale * (2 / (1 - u) ** 2 if algebraic else 1 / (1 - u))
    others = np.meshgrid(*[nodes] * (gaps - 1), indexing="ij")
    other_weights = functools.reduce(np.multiply.outer, [weights] * (gaps - 1), np.asarray(1.0))
    for node, weight in zip(nodes, weights, strict=True):
        yield float(weight), [np.asarray(node), *others], other_weights


def generator_by_quadrature(
    system: System,
    correlations: Sequence[Correlated],
    order: int,
    points: int = 24,
    scale: float = 6.0,
) -> Matrix:
    """One order of the generator by Gauss-Legendre quadrature of `ordered_cumulant` over the gaps.

    Parameters
    ----------
    points, scale
        Points per gap, and about five times the time over which the correlation functions decay.
        The accuracy is seen by raising `points`.
    """
    size = system.dimension**2
    total = np.zeros((size, size), dtype=np.complex128)
    for weight, taus, weights in gap_rule(order - 1, points, scale):
        shaped = [np.broadcast_to(tau, weights.shape) for tau in taus]
        times = itertools.accumulate(shaped, np.subtract, initial=np.zeros(weights.shape))
        cumulant = ordered_cumulant(system, correlations, list(times))
        total += weight * np.tensordot(weights, cumulant, axes=weights.ndim)
    return total


def ordered_cumulant(
    system: System, correlations: Sequence[Correlated], times: Sequence[ArrayLike]
) -> Matrix:
    """<L(t_0) L(t_1) ...>_oc at given times, interaction picture, shape (..., N^2, N^2).

    Numbers throughout: matrices of L(t), Gaussian moments of C(t), matrix products.

    Parameters
    ----------
    times
        An even number of arrays of one shape (...), strictly descending.
    """
    arrays = [np.asarray(t, dtype=np.float64) for t in times]
    if not all(np.all(late > early) for late, early in itertools.pairwise(arrays)):
        raise ValueError("times: must descend strictly, latest first")
    size = system.dimension**2
    moments: dict[Times, Matrix] = {}
    total = np.zeros((*arrays[0].shape, size, size), dtype=np.complex128)
    for blocks in _ordered_partitions(tuple(range(len(arrays)))):
        for block in blocks:
            if block not in moments:
                moments[block] = _moment(system, correlations, [arrays[j] for j in block])
        product = functools.reduce(np.matmul, [moments[block] for block in blocks])
        total += (-1) ** (len(blocks) - 1) * product
    return total


def _moment(
    system: System, correlations: Sequence[Correlated], times: list[NDArray[np.float64]]
) -> Matrix:
    """<L(t_0) L(t_1) ...> for descending times of shape (...), by matrices and numbers."""
    count, shape, size = len(times), times[0].shape, system.dimension**2
    identity, bohr = np.eye(system.dimension), system.gaps
    known = {(pair.later, pair.earlier): pair.exponentials for pair in correlations}
    total = np.zeros((*shape, size, size), dtype=np.complex128)
    for labels in itertools.product(system.operators, repeat=count):
        operators = [
            system.operators[a] * np.exp(1j * bohr * t[..., None, None])
            for a, t in zip(labels, times, strict=True)
        ]
        actions = [
            (_kron(operator, identity), -_kron(identity, np.swapaxes(operator, -1, -2)))
            for operator in operators
        ]
        for sides in itertools.product((False, True), repeat=count):
            bath = np.zeros(shape, dtype=np.complex128)
            for pairs in gaussian_pairs(_bath_order(tuple(range(count)), sides)):
                factor = np.ones(shape, dtype=np.complex128)
                for i, j in pairs:
                    factor *= _correlation(known, labels[i], labels[j], times[i] - times[j])
                bath += factor
            if np.any(bath):
                chosen = [action[side] for action, side in zip(actions, sides, strict=True)]
                chain = functools.reduce(np.matmul, chosen)
                total += (-1j) ** count * bath[..., None, None] * chain
    return total


def _correlation(
    known: Mapping[tuple[str, str], Exponentials], a: str, b: str, t: NDArray[np.float64]
) -> Any:
    """<B_a(t) B_b(0)> for either sign of t, the same throughout the array."""
    later = bool(np.all(t > 0))
    pair = known.get((a, b) if later else (b, a))
    if pair is None:
        return 0.0
    terms = zip(pair.c, pair.nu, strict=True)
    value = sum(c * np.exp(-nu * np.abs(t)) for c, nu in terms)
    return value if later else value.conj()


def _kron(a: NDArray[Any], b: NDArray[Any]) -> Matrix:
    """Kronecker product over the last two axes, the others broadcast."""
    product: Matrix = np.einsum("...ij,...kl->...ikjl", a, b)
    size = product.shape[-1] * product.shape[-2]
    return product.reshape(*product.shape[:-4], size, size)
