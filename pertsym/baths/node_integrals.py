"""Finite-part integrals as sums over the nodes of one bath: the sums, without any decision.

See `pertsym.baths.integrals`, which says what they mean and when they exist.  A bath here is
anything of amplitude 1 with `nodes(floor, ceiling)`, `spectrum(w, m)` and `transform(w, m)` at real
numbers w, both with their errors, `frequency_scale` and `kink_scale`; its parameters may be arrays.
This text becomes part of every export that needs it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from pertsym.baths.node_path import ANGLE, EPS, Complex
from pertsym.baths.nodes import Factor, Nodes
from pertsym.baths.product_nodes import rules_of_both

Pole = tuple[Any, Any, int]
"""(coefficient, position, order) of one piece coefficient/(w - position)^order of a kernel."""

DEEPER = 1e-3  # below the lowest frequency of the kernel: F K need not be constant beyond
DEEPEST = 1e-12  # where F is singular at w = 0 itself


def summed_finite_part(
    transform: bool, a: Any, b: Any, reflect: int, shift: float, poles: Sequence[Pole]
) -> tuple[Any, Any]:
    """The integral where it exists by itself, at one frequency for all parameters."""
    places = [p for _, p, _ in poles]
    first, second = node_pair(a, b, reflect, shift, places)
    at_zero = max((n for _, p, n in poles if p == 0), default=0)
    sizes = [(abs(c), p, n) for c, p, n in poles]
    value, error = first.integral(
        lambda w: _kernel(w, poles),
        _factor(first, second, reflect, shift, False),
        parts=lambda w: _kernel(w, sizes, np.abs),
        order=at_zero,
    )
    for c, p, n in poles:
        angle = _arc(first, p, n)
        if angle:
            residue, lost = _residue(a, b, reflect, shift, p, n)
            value = value - 1j * angle * c * residue
            error = error + angle * abs(c) * lost
    return _answer(transform, reflect, value, error)


def summed_regular_part(
    transform: bool, a: Any, b: Any, reflect: int, shift: float
) -> tuple[Any, Any]:
    """The same for 1/w^2 at a kink of Ĉ_A, less F(0) chi/w^2.

    [F(w) - F(0) chi]/w^2 = [F(w) - F(0)]/w^2 + F(0)/(w^2 + L^2), and the first difference is a sum
    over B's nodes without cancellation; on a hyperbola, far from w = 0, it is taken of the values.
    """
    first, second = node_pair(a, b, reflect, shift, ())
    at_pole, uncertain = _on_axis(b, reflect, shift, 0.0, 0)
    if first.analytic:
        factor = _rise(first, second, reflect, shift, at_pole, uncertain)
        value, error = first.integral(lambda w: 1 / (w * w), factor)
    else:
        factor = _factor(first, second, reflect, shift, True)
        value, error = first.integral(lambda w: 1 / w, factor, order=1)
    rest, lost = _rest_of_kink(a, first)
    value = value + at_pole * rest
    error = error + np.abs(at_pole) * lost + uncertain * (np.abs(rest) + lost)
    angle = _arc(first, 0.0, 1)
    if angle:  # Ĉ_A(0) F'(0)/w
        slope, lost = _on_axis(b, reflect, shift, 0.0, 1)
        height, known = a.spectrum(0.0)
        value = value - 1j * angle * height * slope
        error = error + angle * (abs(height) * lost + known * (np.abs(slope) + lost))
    return _answer(transform, reflect, value, error)


def summed_regular_slope(a: Any) -> tuple[Any, Any]:
    """int dw Ĉ_A(w) [1 - chi(w)]/w^2."""
    scale = np.asarray(a.kink_scale, dtype=float)
    value, error = _rest_of_kink(a, a.nodes(float(scale.min()) * DEEPER, float(scale.max())))
    return value.real, error


def _rest_of_kink(a: Any, nodes: Nodes) -> tuple[Any, Any]:
    """int dw Ĉ_A(w)/(w^2 + L^2), what [1 - chi]/w^2 is along the path, and its error."""
    scale = np.asarray(a.kink_scale, dtype=float)
    return _kink_rest(nodes, scale.tobytes(), scale.shape)


@lru_cache(maxsize=4)
def _kink_rest(nodes: Nodes, scale: bytes, shape: tuple[int, ...]) -> tuple[Any, Any]:
    square = np.frombuffer(scale).reshape(shape)[..., None] ** 2
    return nodes.integral(lambda w: 1 / (w * w + square))


def _answer(transform: bool, reflect: int, value: Any, error: Any) -> tuple[Any, Any]:
    if not transform:
        return 2 * value.real, 2 * error
    return 2 * math.pi * reflect * value.imag, 2 * math.pi * error


def node_pair(
    a: Any, b: Any, reflect: int, shift: float, places: Sequence[float]
) -> tuple[Nodes, Nodes]:
    """Nodes of A that resolve the kernel and F, and nodes of B for every point that they meet."""
    marks = [abs(x) for x in (shift, *places) if x]
    marks += [a.frequency_scale, b.frequency_scale]

    def met(first: Nodes) -> tuple[float, float]:
        sizes = np.abs(shift + reflect * first.every_pole)
        # at an anchor 0 the residues are divided by w_j: the ends must count for less
        floor = float(sizes.min(initial=np.inf)) * (1.0 if shift or places else DEEPER**3)
        return floor, float(sizes.max(initial=0.0))

    low = min(marks) * (DEEPER if shift else DEEPEST)
    return rules_of_both(a.nodes, b.nodes, low, max(marks), met)


def _arc(nodes: Nodes, p: float, order: int) -> float:
    """What multiplies -i times the residue at a pole: the angle from the axis to the path.

    pi on the axis; at the ends of two rays only those pieces to the left and to the right, and
    nothing where Ĉ vanishes at 0, because it has no residue there.
    """
    if p != 0 or nodes.analytic:
        return math.pi
    return 2 * ANGLE if nodes.arms[0].inner == order and len(nodes.arms) == 2 else 0.0


def _kernel(w: Complex, poles: Sequence[Pole], of: Callable[[Any], Any] = np.asarray) -> Any:
    total: Any = 0.0
    for c, p, n in poles:
        away = of(w - p)
        total = total + c / (away if n == 1 else away * away if n == 2 else away * away * away)
    return total


@lru_cache(maxsize=16)
def _factor(first: Nodes, second: Nodes, reflect: int, shift: float, quotient: bool) -> Factor:
    """F(w), the one of G_B(s + r w) and its conjugate that is analytic for Im w < 0, at A's nodes.

    Or the `quotient` [F(w) - F(0)]/w, from G(s + d) - G(s) =
    -d sum_j b_j/[(s + d - w_j)(s - w_j)].  Other kernels over the same two baths ask for it again.
    """
    anchor = shift if quotient else None

    def at(w: Complex) -> tuple[Any, Any]:
        value, error = second.on_points(_image(w, reflect, shift), anchor)
        value = value if reflect < 0 else np.conj(value)
        return -reflect * value if quotient else value, error

    def at_own(w: Complex) -> tuple[Any, Any]:
        """Where every set of parameters has its own places, S + (n,)."""
        if w.ndim == 1:
            return at(w)
        parts = [at(row) for row in w.reshape(-1, w.shape[-1])]
        picked = [
            tuple(x.reshape(-1, x.shape[-1])[k if x.ndim > 1 else 0] for x in part)
            for k, part in enumerate(parts)
        ]
        value, error = (np.array(rows).reshape(w.shape) for rows in zip(*picked, strict=True))
        return value, error

    positions, edges = first.resonances[0], first.edges[0]
    own = at_own(positions) if positions.shape[-1] else (0.0, 0.0)
    largest = second.majorant(_image(edges, reflect, shift), anchor)
    return Factor(at(first.every[0]), largest, own)


def _rise(
    first: Nodes, second: Nodes, reflect: int, shift: float, at_zero: Any, uncertain: Any
) -> Factor:
    """F(w) - F(0) from F, which other kernels ask for, too: no node is near w = 0."""
    plain = _factor(first, second, reflect, shift, False)

    def at(found: tuple[Any, Any]) -> tuple[Any, Any]:
        value = found[0] - np.asarray(at_zero)[..., None]
        error = found[1] + np.asarray(uncertain)[..., None]
        return value, error + 4 * EPS * np.abs(value)

    own = at(plain.resonances) if first.resonances[0].shape[-1] else (0.0, 0.0)
    edges = first.edges[0]
    largest = second.majorant(_image(edges, reflect, shift), shift) * np.abs(edges)
    return Factor(at(plain.nodes), largest, own)


def _image(w: Complex, reflect: int, shift: float) -> Complex:
    """Where G_B is taken: s + r w, or its mirror image above the axis."""
    return shift - w if reflect < 0 else shift + w.conj()


def _on_axis(bath: Any, reflect: int, shift: float, at: float, m: int) -> tuple[Any, Any]:
    """F^(m) on the axis, and its error."""
    c, c_error = bath.spectrum(shift + reflect * at, m)
    p, p_error = bath.transform(shift + reflect * at, m)
    value = c / 2 + reflect * 0.5j / math.pi * p
    return reflect**m * value, c_error / 2 + p_error / (2 * math.pi)


def _residue(a: Any, b: Any, reflect: int, shift: float, p: float, order: int) -> tuple[Any, Any]:
    """d^(n-1)/dw^(n-1) [Ĉ_A F] at p over (n-1)!, n = 1, 2 or 3."""
    value, error = 0.0, 0.0
    for k in range(order):
        c, e = a.spectrum(p, order - 1 - k)
        f, d = _on_axis(b, reflect, shift, p, k)
        weight = 1 if order < 3 or k == 1 else 0.5
        value = value + weight * c * f
        error = error + weight * (np.abs(c) * d + e * (np.abs(f) + d))
    return value, error
